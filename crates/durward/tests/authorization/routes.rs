// SPDX-License-Identifier: Apache-2.0
//! The walk over all routes, which are read from the source of the routers.

use std::path::Path;

use durward_dialect_jupiterone::JupiterOne;
use durward_dialect_native::Native;
use durward_dialect_opencti::OpenCti;
use durward_dialect_sonrai::Sonrai;
use durward_graphql::Served;
use durward_testkit::{Answer, repository};
use serde_json::json;

use crate::cyral;
use crate::fields;
use crate::table::{self, Rows};
use crate::world::{Caller, HIDDEN, MARK, World};

const TABLE: &str = include_str!("routes.tsv");
/// The files that may add routes.
const ROUTERS: [&str; 2] = [
    "crates/durward/src/server/router.rs",
    "crates/dialect-sync/src/routes.rs",
];
/// The schemas that have a path of their own.
const SCHEMAS: [&str; 4] = [Native::NAME, JupiterOne::NAME, OpenCti::NAME, Sonrai::NAME];
const ADDITION: &str = ".route(";

/// Asks every route as everybody.
pub fn walk(world: &World) {
    let mut got = Rows::new();
    for (method, path) in all().into_iter().chain(cyral::routes()) {
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

/// Methods and paths of all routes.
fn all() -> Vec<(String, String)> {
    const METHODS: [&str; 8] = [
        "get", "post", "put", "delete", "patch", "any", "head", "options",
    ];
    let mut routes = Vec::new();
    for file in ROUTERS {
        let text = std::fs::read_to_string(repository().join(file)).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for addition in text.split(ADDITION).skip(1) {
            let (argument, rest) = addition.trim().split_once(',').unwrap();
            let path = path_of(file, argument.trim());
            let end = [".layer(", ".with_state(", ";"]
                .iter()
                .filter_map(|end| rest.find(end));
            let call = &rest[..end.min().unwrap_or(rest.len())];
            let used = METHODS.iter().filter(|method| {
                let (first, chained) = (format!(" {method}("), format!(".{method}("));
                call.starts_with(&first) || call.contains(&chained)
            });
            let before = routes.len();
            let paths: Vec<String> = match path.strip_prefix("/{schema}") {
                Some(rest) => SCHEMAS.map(|schema| format!("/{schema}{rest}")).to_vec(),
                None => vec![path],
            };
            routes.extend(used.flat_map(|method| {
                let method = method.to_uppercase();
                paths.iter().map(move |path| (method.clone(), path.clone()))
            }));
            assert!(routes.len() > before, "{file}: no method in {call:?}");
        }
    }
    routes
}

/// The path that the first argument of `route` stands for.
fn path_of(file: &str, argument: &str) -> String {
    const JOBS: &str = "/persister/synchronization/jobs";
    let quoted = |text: &str| text.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    let rest = |text: &str| quoted(text.strip_prefix("&job(")?.strip_suffix(')')?);
    match argument {
        "jobs" => JOBS.to_owned(),
        "&format!(\"{jobs}/\")" => format!("{JOBS}/"),
        other => quoted(other)
            .or_else(|| rest(other).map(|rest| format!("{JOBS}/{{id}}{rest}")))
            .unwrap_or_else(|| panic!("{file}: {other:?} is a path that this test cannot read")),
    }
}

#[test]
fn routes_are_added_where_the_walk_finds_them() {
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
                if adds.iter().any(|addition| text.contains(addition)) {
                    let path = path.strip_prefix(repository()).unwrap();
                    found.push(path.to_str().unwrap().to_owned());
                }
            }
        }
    }
    let mut found = Vec::new();
    visit(&repository().join("crates"), &mut found);
    found.sort();
    let mut known = ROUTERS.map(str::to_owned);
    known.sort();
    assert_eq!(found, known);
    let routes = all();
    assert!(routes.len() > 20, "only {} routes", routes.len());
}
