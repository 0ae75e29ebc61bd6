// SPDX-License-Identifier: Apache-2.0
//! `docs/compatibility/cyral.md` names every route of the contract, with its true state.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeMap;
use std::path::Path;

use durward_dialect_cyral::{Contract, RouteState};
use durward_policy::Guard;

#[test]
fn the_page_of_cyral_is_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility/cyral.md");
    let text = std::fs::read_to_string(page).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let row = line
            .strip_prefix("| `")
            .and_then(|line| line.split_once("` | "));
        let Some((route, rest)) = row else { continue };
        let state = rest.split(" |").next().unwrap_or_default();
        assert!(
            ["full", "partial", "absent"].contains(&state),
            "{route} is {state:?}"
        );
        assert!(rows.insert(route, state).is_none(), "two rows for {route}");
    }
    let contract = Contract::built_in().unwrap();
    let mut wrong = Vec::new();
    for route in contract.routes() {
        let name = format!("{} {}", route.method, route.path);
        match rows.remove(name.as_str()) {
            None => wrong.push(format!("{name} has no row")),
            Some(state) if (state == "absent") != (route.state == RouteState::Absent) => {
                wrong.push(format!("{name} is {state}, and {:?}", route.state));
            }
            Some(_) => {}
        }
    }
    wrong.extend(rows.into_keys().map(|name| format!("{name} is no route")));
    assert!(
        wrong.is_empty(),
        "docs/compatibility/cyral.md:\n  {}",
        wrong.join("\n  ")
    );
}

/// What clients of the vendor rely on: which permissions open which route.
#[test]
fn every_route_opens_to_the_permissions_of_the_vendor() {
    let contract = Contract::built_in().unwrap();
    let mut got = Vec::new();
    for route in contract.routes() {
        let permissions = match (route.guard().unwrap(), route.permissions().unwrap()) {
            (Guard::Open, _) => "-".to_owned(),
            (_, None) => "*".to_owned(),
            (_, Some(any)) => any.join("|"),
        };
        got.push(format!("{}\t{}\t{permissions}", route.method, route.path));
    }
    let table = include_str!("permissions.tsv").lines();
    let known: Vec<&str> = table.filter(|line| !line.starts_with('#')).collect();
    let wrong: Vec<_> = got
        .iter()
        .zip(&known)
        .filter(|(got, row)| got != row)
        .collect();
    assert!(wrong.is_empty(), "permissions.tsv: {wrong:#?}");
    assert_eq!(got.len(), known.len());
}
