// SPDX-License-Identifier: Apache-2.0
//! `docs/compatibility` names every root field of every contract, with its true state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use durward_dialect_graphql::engine::OperationKind;
use durward_dialect_graphql::{GraphQl, SchemaName, jupiterone, native, opencti, sonrai};

/// The states that a row may name.
const STATES: [&str; 3] = ["full", "partial", "absent"];

/// The rows of the table under a heading: state by root field.
fn rows(file: &str, heading: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let after = text.split_once(&format!("\n## {heading}\n"));
    let (_, section) = after.unwrap_or_else(|| panic!("{file} has no section {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut found = BTreeMap::new();
    for line in section.lines() {
        let row = line
            .strip_prefix("| `")
            .and_then(|line| line.split_once("` | "));
        let Some((field, rest)) = row else { continue };
        let state = rest.split(" |").next().unwrap_or_default();
        assert!(
            STATES.contains(&state),
            "{file}: {field} is {state:?}, not one of {STATES:?}"
        );
        let earlier = found.insert(field.to_owned(), state.to_owned());
        assert!(earlier.is_none(), "{file}: two rows for {field}");
    }
    found
}

/// Compares the page of a schema with its contract and with what is executed.
fn check(schema: SchemaName, file: &str, executed: &[&str]) {
    let graphql = GraphQl::new(&durward_budget::Budget::unlimited().caches()).unwrap();
    let executed: BTreeSet<&str> = executed.iter().copied().collect();
    let mut known = BTreeSet::new();
    let mut wrong = Vec::new();
    let kinds = [
        (OperationKind::Query, "Queries"),
        (OperationKind::Mutation, "Mutations"),
    ];
    for (kind, heading) in kinds {
        let mut rows = rows(file, heading);
        for field in graphql.root_fields(schema, kind) {
            known.insert(field.to_owned());
            let Some(state) = rows.remove(field) else {
                wrong.push(format!("{field} has no row under {heading}"));
                continue;
            };
            let is_executed = executed.contains(field);
            if (state == "absent") == is_executed {
                wrong.push(format!("{field} is {state}, and executed is {is_executed}"));
            }
        }
        let unknown = rows.into_keys();
        wrong.extend(unknown.map(|field| format!("{field} is no root field under {heading}")));
    }
    let lost = executed.iter().filter(|field| !known.contains(**field));
    wrong.extend(lost.map(|field| format!("{field} is executed and in no contract")));
    assert!(
        wrong.is_empty(),
        "docs/compatibility/{file}:\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn the_page_of_jupiterone_is_true() {
    check(
        SchemaName::JupiterOne,
        "jupiterone.md",
        jupiterone::EXECUTED,
    );
}

#[test]
fn the_page_of_opencti_is_true() {
    check(SchemaName::OpenCti, "opencti.md", &opencti::executed());
}

#[test]
fn the_page_of_the_own_schema_is_true() {
    check(SchemaName::Durward, "durward.md", native::EXECUTED);
}

#[test]
fn the_page_of_sonrai_is_true() {
    check(SchemaName::Sonrai, "sonrai.md", sonrai::EXECUTED);
}
