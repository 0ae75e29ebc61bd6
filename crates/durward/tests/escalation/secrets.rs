// SPDX-License-Identifier: Apache-2.0
//! What is stored to recognize secrets: no filter, order, search, count, group, export, history or
//! log tells it from a property that nothing has.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::{self, JUPITERONE, NATIVE, OPENCTI, SONRAI, query_answer};
use crate::strongdm::Refusal;
use crate::world::{INVALID, World};

/// Secret properties, each with the type that has it.
const SECRETS: [(&str, &str); 4] = [
    ("secretHash", "credential"),
    ("sealedSecret", "credential"),
    ("passwordHash", "account"),
    ("sealedCredentials", "access_resource"),
];
/// A property that nothing has.
const NOTHING: &str = "noSuchProperty";
/// Queries about a property `{p}` of a type `{t}`.
const QUERIES: [&str; 16] = [
    "FIND {t} WITH {p} != undefined",
    "FIND {t} WITH {p} = undefined",
    "FIND {t} WITH {p} ^= 'a'",
    "FIND {t} WITH {p} ~= 'a'",
    "FIND {t} WITH {p} = /a/",
    "FIND {t} WITH {p} > 0",
    "FIND {t} WITH {p} = displayName",
    "FIND {t} AS x RETURN x.{p}",
    "FIND {t} AS x RETURN x.*",
    "FIND {t} AS x RETURN count(x.{p}) AS n",
    "FIND {t} AS x RETURN x.{p} AS p, count(x) AS n",
    "FIND {t} AS x RETURN max(x.{p}) AS n",
    "FIND {t} AS x RETURN unique(x.{p}) AS n",
    "FIND {t} AS x RETURN x.displayName AS n ORDER BY x.{p}",
    "FIND {t} AS x RETURN concat(x.{p}, 'a') AS n",
    "FIND {t} AS x THAT RELATES TO * AS y WHERE x.{p} != y.displayName RETURN x._id",
];

/// A server with one of each secret, and texts that only appear in secrets.
fn world() -> (World, Vec<String>) {
    let mut world = World::start();
    let postgres = json!({"name": "ledger", "hostname": "db", "username": "u",
        "password": "correct-horse-battery", "database": "d", "port": 5432});
    let ledger = json!({ "postgres": postgres });
    world.sdk.made("Resources", "resource", &ledger);
    let person = world.person("person", "user");
    let user = json!({"id": person, "email": "person@testbed.example",
        "password": "correct-horse-staple"});
    let user = json!({"id": person, "account": {"user": user}});
    world.sdk.ok("Accounts.Update", &user);
    let made = world.credential(&person, "api_token", None);
    let hash = digest::digest(&digest::SHA256, made.secret.as_bytes());
    let mut hex = String::new();
    for byte in hash.as_ref() {
        write!(hex, "{byte:02x}").unwrap();
    }
    let bytes: Vec<String> = hash.as_ref()[..6].iter().map(u8::to_string).collect();
    let texts = vec![
        "correct-horse".to_owned(),
        "argon2".to_owned(),
        hex,
        STANDARD
            .encode(hash.as_ref())
            .trim_end_matches('=')
            .to_owned(),
        URL_SAFE_NO_PAD.encode(hash.as_ref()),
        bytes.join(","),
        made.secret,
    ];
    (world, texts)
}

fn without_secrets(texts: &[String], answer: &str) {
    let names = SECRETS.iter().map(|(name, _)| *name);
    for text in texts.iter().map(String::as_str).chain(names) {
        assert!(!answer.contains(text), "{text:?} in {answer}");
    }
}

#[test]
fn queries_cannot_tell_a_secret_from_nothing() {
    let (world, texts) = world();
    let chief = common::jupiterone(&world.server);
    for (secret, kind) in SECRETS {
        for query in QUERIES {
            let ask = |property: &str| {
                let text = query.replace("{t}", kind).replace("{p}", property);
                let mut answer = query_answer(&chief, &text);
                answer["extensions"] = Json::Null;
                // Names differ in length, and with them the columns of what stands behind.
                let answer = answer.to_string().replace(property, "{p}");
                let mut parts = answer.split(" column ");
                let first = parts.next().unwrap_or_default().to_owned();
                parts.fold(first, |all, part| {
                    let part = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
                    format!("{all} column #{part}")
                })
            };
            let answer = ask(secret);
            assert_eq!(answer, ask(NOTHING), "{query} of {secret}");
            without_secrets(&texts, &answer);
        }
    }
    for text in &texts {
        let found = query_answer(&chief, &format!("FIND '{text}'"));
        without_secrets(&texts[..1], &found.to_string().replace(text, ""));
        let found = found["data"]["queryV1"]["data"].as_array().cloned();
        assert_eq!(found.unwrap_or_default(), Vec::<Json>::new(), "{text}");
    }
}

#[test]
fn other_filters_cannot_either() {
    let (mut world, texts) = world();
    let client = world.server.client();
    let opencti = "query F($filters: FilterGroup) {
        users(filters: $filters) { edges { node { id } } } }";
    let native = "query E($search: String) { entities(search: $search, first: 500) {
        totalCount nodes { id properties history { nodes { __typename } } } } }";
    for (secret, _) in SECRETS {
        let ask = |property: &str| {
            let filter = json!({"key": [property], "values": [], "operator": "not_nil"});
            let filters = json!({"mode": "and", "filters": [filter], "filterGroups": []});
            shape(
                &client,
                OPENCTI,
                opencti,
                &json!({"filters": filters}),
                property,
            )
        };
        assert_eq!(ask(secret), ask(NOTHING), "OpenCTI: {secret}");
        let ask = |property: &str| {
            let text = format!(
                "{{ SonraiUsers(where: {{{property}: {{op: NOT_EQ, value: \"x\"}}}}) {{ count }} }}"
            );
            shape(&client, SONRAI, &text, &json!({}), property)
        };
        let answer = ask(secret);
        assert_eq!(answer, ask(NOTHING), "Sonrai: {secret}");
        assert!(answer.contains("errors"), "{answer}");
        let ask = |property: &str| {
            let text = format!(
                "{{ SonraiUsers {{ items(orderBy: [{{{property}: {{order: ASC}}}}])
                {{ srn }} }} }}"
            );
            shape(&client, SONRAI, &text, &json!({}), property)
        };
        assert_eq!(ask(secret), ask(NOTHING), "Sonrai's order: {secret}");
        for service in ["Accounts", "Resources"] {
            let mut ask = |property: &str| {
                let filter = json!({"filter": format!("{property}:*")});
                let order = json!({"meta": {"order_by": property}});
                [filter, order].map(|request| {
                    let name = format!("{service}.List");
                    world
                        .sdk
                        .refused(&name, &request, INVALID, "")
                        .message
                        .replace(property, "{p}")
                })
            };
            let snake = snake(secret);
            assert_eq!(ask(&snake), ask("no_such_property"), "StrongDM: {secret}");
            assert_eq!(ask(secret), ask(NOTHING), "StrongDM: {secret}");
        }
    }
    for field in ["password", "username"] {
        let request = json!({"filter": format!("{field}:correct*")});
        let Err(Refusal { code, .. }) = world.sdk.ask("Resources.List", &request) else {
            let found = world.sdk.list("Resources", &format!("{field}:correct*"));
            assert!(found.is_empty(), "{found:?}");
            continue;
        };
        assert_eq!(code, INVALID);
    }
    for text in &texts {
        let found = client
            .graphql(NATIVE, native, &json!({"search": text}))
            .unwrap();
        assert_eq!(
            found["data"]["entities"]["nodes"],
            json!([]),
            "{text}: {found}"
        );
    }
}

fn shape(client: &Client, path: &str, text: &str, variables: &Json, property: &str) -> String {
    let answer = client.graphql(path, text, variables).unwrap();
    // Where in the text an error lies says nothing of the property.
    let mut answer = answer;
    if let Some(errors) = answer["errors"].as_array_mut() {
        for error in errors {
            error["locations"] = Json::Null;
        }
    }
    answer.to_string().replace(property, "{p}")
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[test]
fn nothing_that_is_read_holds_a_secret() {
    let (mut world, texts) = world();
    let client = world.server.client();
    let native = "{ entities(first: 500) { nodes { id type properties history { nodes {
        __typename properties } } } }
        credentials(first: 100) { nodes { id name policy publicId } } }";
    let answer = client.graphql(NATIVE, native, &json!({})).unwrap();
    assert!(answer["errors"].is_null(), "{answer}");
    without_secrets(&texts, &answer.to_string());
    // The log tells that a password was changed, by the name of the property; never the value.
    let log = Json::Array(world.audit()).to_string();
    let names = log.contains("passwordHash") && log.contains("secretHash");
    assert!(names, "{log}");
    let log = SECRETS
        .iter()
        .fold(log, |log, (name, _)| log.replace(name, ""));
    without_secrets(&texts, &log);
    for path in ["/entities?limit=1000", "/relationships?limit=1000"] {
        let answer = client.get(path).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        without_secrets(&texts, &answer.body);
    }
    for service in [
        "Accounts",
        "AccountsHistory",
        "Resources",
        "ResourcesHistory",
        "Activities",
        "NodesHistory",
    ] {
        let rows = world.sdk.list(service, "");
        assert!(
            !rows.is_empty() || service.starts_with("Nodes"),
            "{service}"
        );
        without_secrets(&texts, &Json::Array(rows).to_string());
    }
    for path in ["/v1/users/serviceAccounts", "/v1/repos", "/v1/sidecars"] {
        without_secrets(&texts, &common::ok(client.get(path).unwrap()).to_string());
    }
    let text = "{ SonraiUsers { items { srn name } } SonraiUserTokens { items { srn name } } }";
    let answer = client.graphql(SONRAI, text, &json!({})).unwrap();
    without_secrets(&texts, &answer.to_string());
    let text = "{ tokens(limit: 100) { items { id name policy } } }";
    let answer = client.graphql(JUPITERONE, text, &json!({})).unwrap();
    without_secrets(&texts, &answer.to_string());
    let id = common::rows(&client, "FIND account AS a RETURN a._id AS id")[1]["id"].clone();
    let text = "query H($id: ID!) { history(id: $id) { nodes { changes } } }";
    let answer = client.graphql(NATIVE, text, &json!({"id": id})).unwrap();
    assert!(answer["errors"].is_null(), "{answer}");
    // Masked: that there was a change, not what it was.
    let answer = answer.to_string().replace("passwordHash", "");
    without_secrets(&texts, &answer);
}
