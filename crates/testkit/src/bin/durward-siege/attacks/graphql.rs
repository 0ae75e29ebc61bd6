// SPDX-License-Identifier: Apache-2.0
//! Bodies and documents of GraphQL.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::field::{Ask, Field};

/// Paths of the schemas; the first three are shared.
const PATHS: [&str; 7] = [
    "/",
    "/graphql",
    "/rules/graphql",
    "/durward/graphql",
    "/jupiterone/graphql",
    "/opencti/graphql",
    "/sonrai/graphql",
];
/// Bytes of a body, a little under the limit of a request.
const LARGEST: usize = 63 << 20;

/// A body whose variables are many small nodes, so many bytes long.
fn nodes(bytes: usize) -> Bytes {
    const NODE: &str = "{\"\":0},";
    let mut text = String::with_capacity(bytes + 64);
    text.push_str("{\"query\":\"{x}\",\"variables\":{\"a\":[");
    text.push_str(&NODE.repeat(bytes / NODE.len()));
    text.push_str("0]}}");
    text.into()
}

fn path(number: usize) -> &'static str {
    PATHS.get(number % PATHS.len()).copied().unwrap_or("/")
}

/// Many parts, each with its number.
fn numbered(count: usize, mut part: impl FnMut(&mut String, usize)) -> String {
    let mut text = String::new();
    for number in 0..count {
        part(&mut text, number);
    }
    text
}

/// Sends a document to every path, by strangers and by one who may only query.
async fn documents(field: &Arc<Field>, document: &str) {
    let body = Bytes::from(json!({ "query": document }).to_string());
    let token = field.arsenal.viewer.narrow.clone();
    let ask = |number: usize| {
        let ask = Ask::post(path(number), body.clone());
        if number < 16 { ask } else { ask.bearer(&token) }
    };
    field.flood(24, ask).await;
}

/// Eight mebibytes of small nodes by strangers, on every path.
pub(crate) async fn nodes_8m(field: Arc<Field>) -> anyhow::Result<()> {
    let body = nodes(8 << 20);
    field
        .flood(7, |number| Ask::post(path(number), body.clone()))
        .await;
    Ok(())
}

/// The same without saying how much will come.
pub(crate) async fn nodes_chunked(field: Arc<Field>) -> anyhow::Result<()> {
    let body = nodes(8 << 20);
    let ask = |number| Ask::post(path(number), body.clone()).chunked();
    field.flood(7, ask).await;
    Ok(())
}

/// The largest body that there may be, by strangers.
pub(crate) async fn nodes_63m(field: Arc<Field>) -> anyhow::Result<()> {
    let body = nodes(LARGEST);
    field
        .flood(3, |number| Ask::post(path(number), body.clone()))
        .await;
    Ok(())
}

/// Small nodes by somebody who may only query.
pub(crate) async fn nodes_known(field: Arc<Field>) -> anyhow::Result<()> {
    let body = nodes(LARGEST);
    let token = field.arsenal.viewer.narrow.clone();
    let ask = |_| Ask::post("/jupiterone/graphql", body.clone()).bearer(&token);
    field.flood(4, ask).await;
    Ok(())
}

/// Arrays within arrays, and objects within objects.
pub(crate) async fn deep_json(field: Arc<Field>) -> anyhow::Result<()> {
    let arrays = format!(
        "{{\"query\":\"{{x}}\",\"variables\":{}",
        "[".repeat(4 << 20)
    );
    let objects = "{\"a\":".repeat(1 << 20);
    let (arrays, objects) = (Bytes::from(arrays), Bytes::from(objects));
    let token = field.arsenal.viewer.narrow.clone();
    let ask = |number: usize| {
        let body = if number.is_multiple_of(2) {
            &arrays
        } else {
            &objects
        };
        let ask = Ask::post(path(number), body.clone());
        if number < 4 { ask } else { ask.bearer(&token) }
    };
    field.flood(8, ask).await;
    Ok(())
}

/// Arrays of a hundred requests, and of a hundred thousand.
pub(crate) async fn batches(field: Arc<Field>) -> anyhow::Result<()> {
    let one = json!({"query": "{ __typename a: __typename }"}).to_string();
    let of = |count: usize| Bytes::from(format!("[{}]", vec![one.as_str(); count].join(",")));
    let (hundred, many) = (of(100), of(100_000));
    let token = field.arsenal.viewer.narrow.clone();
    let ask = |number: usize| {
        let body = if number.is_multiple_of(3) {
            &many
        } else {
            &hundred
        };
        let ask = Ask::post(path(number), body.clone());
        if number < 8 { ask } else { ask.bearer(&token) }
    };
    field.flood(16, ask).await;
    Ok(())
}

/// A document of very many distinct root fields.
pub(crate) async fn document_fields(field: Arc<Field>) -> anyhow::Result<()> {
    let fields = numbered(13_000, |text, number| {
        // Writing to a text cannot fail.
        let _ = write!(text, " f{number:06}");
    });
    documents(&field, &format!("{{{fields}}}")).await;
    Ok(())
}

/// Very many names for one field.
pub(crate) async fn document_aliases(field: Arc<Field>) -> anyhow::Result<()> {
    let fields = numbered(19_000, |text, number| {
        let _ = write!(text, " a{number:05}:__typename");
    });
    documents(&field, &format!("{{{fields}}}")).await;
    Ok(())
}

/// Fragments that spread one another: the document would be endless, or nearly.
pub(crate) async fn document_fragments(field: Arc<Field>) -> anyhow::Result<()> {
    let fragments = numbered(900, |text, number| {
        let (one, two) = (number + 1, number + 2);
        let _ = write!(text, "fragment f{number} on Query{{...f{one} ...f{two}}}");
    });
    let document =
        format!("{{...f0}}{fragments}fragment f900 on Query{{a}}fragment f901 on Query{{b}}");
    documents(&field, &document).await;
    Ok(())
}

/// The same field in many overlapping selections, each to be compared with each.
pub(crate) async fn document_overlaps(field: Arc<Field>) -> anyhow::Result<()> {
    let fields = numbered(3_000, |text, number| {
        let _ = write!(text, " a:queryV1(query:\"{number}\"){{data}}");
    });
    documents(&field, &format!("{{{fields}}}")).await;
    Ok(())
}

/// Documents that are all different, so that nothing kept helps and what is kept grows.
pub(crate) async fn document_variety(field: Arc<Field>) -> anyhow::Result<()> {
    let token = field.arsenal.viewer.narrow.clone();
    field
        .swarm(8, |field, number| {
            let token = token.clone();
            async move {
                for round in 0.. {
                    let fields = numbered(900, |text, at| {
                        let _ = write!(text, " a{number}_{round}_{at}:__typename");
                    });
                    let body = json!({"query": format!("{{{fields}}}")}).to_string();
                    let ask = Ask::post("/jupiterone/graphql", body).bearer(&token);
                    let outcome = field.http(&ask).await?;
                    field.note(&outcome);
                }
                Ok(())
            }
        })
        .await;
    Ok(())
}

/// Introspection, which answers with the whole contract for each of many names.
pub(crate) async fn document_introspection(field: Arc<Field>) -> anyhow::Result<()> {
    let names = numbered(9_000, |text, number| {
        let _ = write!(text, " a{number}:name");
    });
    let wholes = numbered(200, |text, number| {
        let _ = write!(
            text,
            " a{number}:__schema{{types{{name fields{{name args{{name type{{name}}}}type{{name}}}}}}}}"
        );
    });
    let bodies = [
        format!("{{__schema{{types{{fields{{{names}}}}}}}}}"),
        format!("{{{wholes}}}"),
        format!("{{__schema{{types{{possibleTypes{{fields{{type{{{names}}}}}}}}}}}}}"),
    ];
    let bodies = bodies.map(|document| json!({ "query": document }).to_string());
    let token = field.arsenal.viewer.token.clone();
    let paths = ["/opencti/graphql", "/jupiterone/graphql"];
    let ask = |number: usize| {
        let body = bodies.get(number % bodies.len()).cloned();
        let path = paths.get(number % paths.len()).copied().unwrap_or("/");
        Ask::post(path, body.unwrap_or_default()).bearer(&token)
    };
    field.flood(8, ask).await;
    Ok(())
}

/// Nested input values in the text of a document: lists and objects.
pub(crate) async fn document_values(field: Arc<Field>) -> anyhow::Result<()> {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let wide = "{a:1},".repeat(19_000);
    let document = format!("{{a(v:{deep}) b(v:[{wide}])}}");
    documents(&field, &document).await;
    Ok(())
}

/// Files as forms send them.
pub(crate) async fn multipart(field: Arc<Field>) -> anyhow::Result<()> {
    let part = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n\r\n";
    let body = Bytes::from(part.repeat((32 << 20) / part.len()));
    let ask = |number| {
        let ask = Ask::post(path(number), body.clone());
        ask.header("content-type", "multipart/form-data; boundary=x")
    };
    field.flood(6, ask).await;
    Ok(())
}

/// Routes that are not GraphQL's.
const ROUTES: [&str; 13] = [
    "/import/stix",
    "/audit/export",
    "/audit/verify",
    "/metrics",
    "/readyz",
    "/persister/synchronization/jobs",
    "/persister/synchronization/jobs/x/upload",
    "/persister/synchronization/jobs/x/events",
    "/persister/synchronization/files/x",
    "/v1/users/oidc/token",
    "/v1/repos",
    "/v1/accessInfo",
    "/nowhere",
];

fn route(number: usize, body: &Bytes) -> Ask {
    let path = ROUTES.get(number % ROUTES.len()).copied().unwrap_or("/");
    let ask = Ask::post(path, body.clone());
    if number.is_multiple_of(2) {
        ask
    } else {
        ask.method("PUT")
    }
}

/// Every route with the largest body, by strangers.
pub(crate) async fn every_route(field: Arc<Field>) -> anyhow::Result<()> {
    let body = Bytes::from(vec![b' '; LARGEST]);
    field.flood(26, |number| route(number, &body)).await;
    Ok(())
}

/// The same by the attackers' own administrator, with small nodes.
pub(crate) async fn every_route_known(field: Arc<Field>) -> anyhow::Result<()> {
    let body = nodes(LARGEST);
    let token = field.arsenal.own.api_token().to_owned();
    field
        .flood(13, |number| route(number * 2, &body).bearer(&token))
        .await;
    Ok(())
}
