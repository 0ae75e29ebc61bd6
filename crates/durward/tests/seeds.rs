// SPDX-License-Identifier: Apache-2.0
//! The seeds of the fuzz targets, replayed as plain tests; and operations as vendors print them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use durward_dialect_sonrai::{CONTRACT, Sonrai};
use durward_graphql::engine::Engine;

#[path = "../../../fuzz/fuzz_targets/targets.rs"]
mod targets;

/// Feeds every seed of a target to it, and every beginning of the smaller ones.
fn replay(name: &str, target: fn(&[u8])) {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds");
    let folder = std::path::Path::new(seeds).join(name);
    let mut replayed = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        target(&bytes);
        for end in (0..bytes.len().min(400)).step_by(7) {
            target(bytes.get(..end).unwrap());
        }
        replayed += 1;
    }
    assert!(replayed > 0, "no seeds in {}", folder.display());
}

#[test]
fn j1ql() {
    replay("j1ql", targets::j1ql);
}

#[test]
fn graphql_body() {
    replay("graphql_body", targets::graphql_body);
}

#[test]
fn cedar_policy() {
    replay("cedar_policy", targets::cedar_policy);
}

#[test]
fn stix_bundle() {
    replay("stix_bundle", targets::stix_bundle);
}

#[test]
fn journal_record() {
    replay("journal_record", targets::journal_record);
}

#[test]
fn grpc_call() {
    replay("grpc_call", targets::grpc_call);
}

#[test]
fn upload_body() {
    replay("upload_body", targets::upload_body);
}

/// The GraphQL operations in a text of prose, operations and JSON.
fn operations(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(String, i32)> = None;
    for line in text.lines() {
        let starts = line.starts_with("query ") || line.starts_with("mutation ");
        if open.is_none() && starts && line.trim_end().ends_with('{') {
            open = Some((String::new(), 0));
        }
        let Some((operation, depth)) = &mut open else {
            continue;
        };
        operation.push_str(line);
        operation.push('\n');
        let count = |brace| i32::try_from(line.matches(brace).count()).unwrap();
        *depth += count('{') - count('}');
        if *depth == 0 {
            found.extend(open.take().map(|(operation, _)| operation));
        }
    }
    found
}

#[test]
fn the_operations_that_sonrai_prints_fit_the_contract() {
    let Some(shared) = durward_testkit::shared() else {
        return;
    };
    let text = std::fs::read_to_string(shared.join("seeds/sonrai.txt")).unwrap();
    let operations = operations(&text);
    assert_eq!(operations.len(), 12, "{operations:#?}");
    let engine = Engine::new(Sonrai, CONTRACT, "sonrai.graphql").unwrap();
    for operation in operations {
        assert_eq!(engine.check(&operation), Ok(()), "{operation}");
    }
}

#[test]
fn strongdm_filter() {
    replay("strongdm_filter", targets::strongdm_filter);
}
