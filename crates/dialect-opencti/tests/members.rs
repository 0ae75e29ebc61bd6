// SPDX-License-Identifier: Apache-2.0
//! What imports take as the value of a member, and what the contract of OpenCTI declares it to be:
//! an import that lets another kind of value in would break the lists that show it.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeSet;

use durward_dialect_opencti::CONTRACT;
use durward_intel::members::{Form, form};

/// Leaves that no STIX member of the same name and meaning stands behind: computed, or a dictionary
/// in STIX that the contract shows as text.
const OTHERWISE: [&str; 11] = [
    "created_at",
    "entity_type",
    "environment_variables",
    "extensions",
    "hash",
    "id",
    "is_inferred",
    "observable_value",
    "parent_types",
    "toStix",
    "updated_at",
];

fn declared(text: &str) -> Option<Form> {
    let is_list = text.contains('[');
    Some(
        match (text.replace(['[', ']', '!'], "").as_str(), is_list) {
            ("String", true) => Form::Texts,
            ("String" | "ID", false) => Form::Text,
            ("Int", false) => Form::Integer,
            ("Float", false) => Form::Number,
            ("Boolean", false) => Form::Flag,
            ("DateTime", false) => Form::Moment,
            _ => return None,
        },
    )
}

#[test]
fn imports_take_what_the_contract_declares() {
    let shown = ["StixObject", "BasicRelationship"];
    let mut is_shown = false;
    let mut compared = 0;
    let mut wrong = BTreeSet::new();
    for line in CONTRACT.lines() {
        if line.ends_with('{') {
            let is_type = line.starts_with("type ");
            is_shown = is_type && shown.iter().any(|interface| line.contains(interface));
        }
        let field = line.strip_prefix("  ").filter(|_| is_shown);
        let Some((name, text)) = field.and_then(|field| field.split_once(": ")) else {
            continue;
        };
        let (false, Some(declared)) = (OTHERWISE.contains(&name), declared(text)) else {
            continue;
        };
        if matches!(name, "spec_version" | "standard_id") {
            continue;
        }
        compared += 1;
        let taken = form(name);
        if taken != Some(declared) {
            wrong.insert(format!("{name}: {text}, taken as {taken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared > 500, "{compared}");
}
