// SPDX-License-Identifier: Apache-2.0
//! The walk over all routes, which are read from the contracts.

use std::path::Path;

use durward_testkit::{Answer, repository};
use serde_json::json;

use crate::common::contracts;
use crate::cyral;
use crate::fields;
use crate::table::{self, Rows};
use crate::world::{Caller, HIDDEN, MARK, World};

const TABLE: &str = include_str!("routes.tsv");
/// The files that may add routes.
const ROUTERS: [&str; 2] = [
    "crates/dialect-sync/src/routes.rs",
    "crates/durward/src/server/router.rs",
];
const ADDITION: &str = ".route(";

/// Asks every route as everybody.
pub fn walk(world: &World) {
    let mut got = Rows::new();
    for contracts::Route { method, path, .. } in contracts::routes() {
        let asked: Vec<String> = world
            .strangers
            .iter()
            .chain([&world.narrow, &world.foreign, &world.conditioned])
            .map(|caller| ask(world, caller, &method, &path))
            .collect();
        let (strangers, others) = asked.split_at(world.strangers.len());
        let first = strangers[0].clone();
        let same = strangers.iter().all(|answer| *answer == first);
        assert!(same, "{method} {path} tells strangers apart: {strangers:?}");
        let mut answers = vec![first];
        answers.extend(others.iter().cloned());
        got.insert(vec![method, path], answers);
    }
    table::compare("authorization/routes.tsv", &table::read(TABLE, 2), &got);
    fields::refusals_on_shared_paths(world);
}

fn ask(world: &World, caller: &Caller, method: &str, path: &str) -> String {
    let target = cyral::target(world, path)
        .replace("{id}", &world.ids.job)
        .replace("{token}", "AAAAAAAAAAAAAAAAAAAAAA");
    let body = match (method, path) {
        ("GET", _) => None,
        (_, "/import/stix") => Some(json!({"type": "bundle", "objects": []})),
        // This dialect decides field by field.
        (_, "/opencti/graphql") => Some(json!({"query": "{ me { id } }"})),
        (_, path) if path.ends_with("graphql") || path == "/" => {
            Some(json!({"query": "{ __typename }"}))
        }
        (_, path) if path.ends_with("/jobs") || path.ends_with("/jobs/") => {
            Some(json!({"source": "api", "scope": "strangers"}))
        }
        _ => Some(json!({})),
    };
    let text = body.map(|body| body.to_string());
    let answer = caller
        .client
        .send(method, &target, text.as_deref().map(str::as_bytes))
        .unwrap();
    let mark = if caller.name == "conditioned" {
        HIDDEN
    } else {
        MARK
    };
    // Everybody may know one's own address.
    let rest = answer.body.replace(&world.address, "");
    assert!(
        !rest.contains(mark),
        "{} {method} {path}: {}",
        caller.name,
        answer.body
    );
    word(path, &answer)
}

/// The status, and for an error the shape that it has.
fn word(path: &str, answer: &Answer) -> String {
    let json = answer.json().unwrap_or_default();
    let kind = answer.header("content-type").unwrap_or_default();
    let sync = json
        .pointer("/error/code")
        .and_then(serde_json::Value::as_str);
    let graphql = json
        .pointer("/errors/0/extensions/code")
        .and_then(serde_json::Value::as_str);
    if let Some(word) = cyral::word(answer, &json) {
        return word;
    }
    match (answer.status, sync, graphql) {
        (200, None, None) => "200".to_owned(),
        (status, Some(code), None) | (status, None, Some(code)) => format!("{status} {code}"),
        (status, None, None) if kind == "application/problem+json" => {
            assert_eq!(json["status"], status, "{path}: {}", answer.body);
            format!("{status} problem")
        }
        _ => panic!("{path}: {} {}", answer.status, answer.body),
    }
}

/// Routes are added where a contract is read, and nowhere else.
#[test]
fn routes_are_added_from_contracts() {
    fn visit(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() && !matches!(name, "tests" | "target" | "examples") {
                visit(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let adds = [ADDITION, ".nest(", ".nest_service(", ".route_service("];
                let path = path.strip_prefix(repository()).unwrap();
                let added = adds.iter().flat_map(|addition| text.matches(addition));
                found.extend(added.map(|_| path.to_str().unwrap().to_owned()));
            }
        }
    }
    let mut found = Vec::new();
    visit(&repository().join("crates"), &mut found);
    found.sort();
    assert_eq!(
        found, ROUTERS,
        "routes come from `contracts/routes`, in one loop each"
    );
    assert!(contracts::routes().len() > 200);
}
