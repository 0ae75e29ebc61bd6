// SPDX-License-Identifier: Apache-2.0
//! The walk over all root fields of the four schemas.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::{self, JUPITERONE, NATIVE, OPENCTI, SONRAI, code};
use crate::schema::{Root, Schema};
use crate::table::{self, Rows};
use crate::world::{Caller, HIDDEN, MARK, World};

const TABLE: &str = include_str!("fields.tsv");
const SCHEMAS: [(&str, &str); 4] = [
    ("durward", NATIVE),
    ("jupiterone", JUPITERONE),
    ("opencti", OPENCTI),
    ("sonrai", SONRAI),
];

/// Asks every root field as everybody.
pub fn walk(world: &World) {
    let mut got = Rows::new();
    for (name, path) in SCHEMAS {
        let schema = Schema::read(&world.server.client(), path);
        for root in schema.roots() {
            let (text, variables) =
                schema.document(&root, &|field, argument| world.id_for(field, argument));
            let asked = Asked {
                name,
                path,
                root: &root,
                text,
                variables,
            };
            for stranger in &world.strangers {
                let (answer, body) = asked.by(stranger);
                assert_eq!(
                    answer, "refused",
                    "{} asks {name} {root:?}: {body}",
                    stranger.name
                );
            }
            let answers = [
                (&world.narrow, MARK),
                (&world.conditioned, HIDDEN),
                (&world.foreign, MARK),
            ]
            .map(|(caller, mark)| {
                let (answer, body) = asked.by(caller);
                let rest = body.replace(&world.address, "");
                match (rest.contains(mark), rest.len() < body.len()) {
                    (true, _) => format!("{answer}, shows {mark}: {body}"),
                    (false, true) => format!("{answer}, own account"),
                    (false, false) => answer,
                }
            });
            let key = [name, root.kind, &root.field].map(str::to_owned).to_vec();
            got.insert(key, answers.to_vec());
        }
    }
    table::compare("authorization/fields.tsv", &table::read(TABLE, 3), &got);
}

struct Asked<'a> {
    name: &'a str,
    path: &'a str,
    root: &'a Root,
    text: String,
    variables: Value,
}

impl Asked<'_> {
    /// What a caller is answered, in one word, and the whole answer.
    fn by(&self, caller: &Caller) -> (String, String) {
        let body = json!({"query": self.text, "variables": self.variables});
        let answer = caller.client.post(self.path, &body).unwrap();
        let json = answer.json().unwrap();
        let is_opencti = self.name == "opencti";
        let data = &json["data"][&self.root.field];
        let code = code(&json);
        let word = match (code, answer.status, is_opencti) {
            ("", 200, _) if data.is_null() => "null",
            ("", 200, _) => "answered",
            ("AUTH_REQUIRED", 200, true) | ("UNAUTHENTICATED", 401, false) => "refused",
            ("FORBIDDEN_ACCESS", 200, true) | ("FORBIDDEN", 200, false) => "forbidden",
            ("UNSUPPORTED_ERROR", 200, true) | ("NOT_SUPPORTED", 200, false) => "unsupported",
            ("NOT_FOUND", 200, false) => "absent",
            ("FUNCTIONAL_ERROR", 200, true) | ("BAD_USER_INPUT", 200, false) => "invalid",
            (other, status, _) => {
                return (format!("{status} {other}"), answer.body);
            }
        };
        if !matches!(word, "null" | "answered") && !data.is_null() {
            return (format!("{word} in part"), answer.body);
        }
        (word.to_owned(), answer.body)
    }
}

/// What the key with a row condition does see, so that seeing nothing is no accident.
pub fn condition_lets_the_rest_through(world: &World) {
    let client = &world.conditioned.client;
    let boxes = common::rows(client, "FIND harbour_box AS b RETURN b.team AS team");
    assert_eq!(boxes, [json!({"team": "blue"})]);
    let text = "{ entities { totalCount nodes { type relationships { nodes { id } } } } }";
    let seen = common::data(client, NATIVE, text, &json!({}));
    let node = json!({"type": "harbour_box", "relationships": {"nodes": []}});
    assert_eq!(seen["entities"], json!({"totalCount": 1, "nodes": [node]}));
}

/// The shared paths choose the schema before they authenticate, so that each client is refused in
/// the way that it understands.
pub fn refusals_on_shared_paths(world: &World) {
    let documents: BTreeMap<&str, (&str, u16)> = BTreeMap::from([
        ("{ organization { name } }", ("UNAUTHENTICATED", 401)),
        (
            "{ queryV1(query: \"FIND *\") { type } }",
            ("UNAUTHENTICATED", 401),
        ),
        ("{ me { id } }", ("AUTH_REQUIRED", 200)),
        ("{ SonraiCurrentUsers { count } }", ("UNAUTHENTICATED", 401)),
    ]);
    for (_, path) in SCHEMAS {
        for stranger in &world.strangers {
            let asked = json!({"query": "{ __schema { types { name } } }"});
            let answer = stranger.client.post(path, &asked).unwrap().json().unwrap();
            assert!(
                matches!(code(&answer), "UNAUTHENTICATED" | "AUTH_REQUIRED"),
                "{answer}"
            );
            assert!(answer["data"]["__schema"].is_null(), "{answer}");
        }
    }
    for path in ["/", "/graphql", "/rules/graphql"] {
        for (document, (expected, status)) in &documents {
            for stranger in &world.strangers {
                let answer = stranger
                    .client
                    .post(path, &json!({"query": document}))
                    .unwrap();
                let json = answer.json().unwrap();
                let got = (code(&json), answer.status);
                assert_eq!(
                    got,
                    (*expected, *status),
                    "{} at {path}: {json}",
                    stranger.name
                );
            }
        }
    }
}
