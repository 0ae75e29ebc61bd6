// SPDX-License-Identifier: Apache-2.0
//! `docs/compatibility` names every root field of every contract, with its true state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use durward_budget::Budget;
use durward_dialect_jupiterone::JupiterOne;
use durward_dialect_native::Native;
use durward_dialect_opencti::OpenCti;
use durward_dialect_sonrai::Sonrai;
use durward_graphql::engine::OperationKind;
use durward_graphql::{GraphQl, Served};

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
fn check<D: Served>(dialect: D) {
    let graphql = GraphQl::new(dialect, &Budget::unlimited().caches()).unwrap();
    let endpoint = graphql.named(D::NAME).unwrap();
    let file = format!("{}.md", D::NAME);
    let executed: BTreeSet<&str> = endpoint.executed().into_iter().collect();
    let mut known = BTreeSet::new();
    let mut wrong = Vec::new();
    let kinds = [
        (OperationKind::Query, "Queries"),
        (OperationKind::Mutation, "Mutations"),
    ];
    for (kind, heading) in kinds {
        let mut rows = rows(&file, heading);
        for field in endpoint.root_fields(kind) {
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
    check(JupiterOne);
}

#[test]
fn the_page_of_opencti_is_true() {
    check(OpenCti);
}

#[test]
fn the_page_of_the_own_schema_is_true() {
    check(Native);
}

#[test]
fn the_page_of_sonrai_is_true() {
    check(Sonrai);
}
