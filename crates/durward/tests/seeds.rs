// SPDX-License-Identifier: Apache-2.0
//! The seeds of the fuzz targets, replayed as plain tests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

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
