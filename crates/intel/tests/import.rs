// SPDX-License-Identifier: Apache-2.0
//! Bundles written into a real store.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

mod support;

use durward_graph::{Direction, ObjectRef};
use durward_model::Value;
use serde_json::{Value as Json, json};

use support::{GREEN, GROUP, NOTE, TOOL, USES, bench, live};

fn objects() -> Json {
    json!([
        {"type": "relationship", "id": USES, "relationship_type": "uses",
            "source_ref": GROUP, "target_ref": TOOL, "description": "often",
            "external_references": [{"source_name": "blog", "url": "https://a.example/1"}]},
        {"type": "note", "id": NOTE, "content": "seen twice", "object_refs": [USES, TOOL]},
        {"type": "tool", "id": TOOL, "name": "Mimikatz", "modified": "2024-01-01T00:00:00Z",
            "description": "new", "labels": ["Credential-Theft"],
            "external_references": [
                {"source_name": "other", "url": "https://a.example/1", "description": "again"}]},
        {"type": "intrusion-set", "id": GROUP, "name": "APT28", "object_marking_refs": [GREEN],
            "x_reviewer_ref": "identity--4e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c"},
    ])
}

#[test]
fn everything_arrives_and_a_second_import_changes_nothing() {
    let bench = bench();
    let report = bench.import(&objects());
    assert_eq!(
        (report.created, report.updated, report.rejected.len()),
        (4, 0, 0)
    );
    assert_eq!(report.dangling.len(), 1, "{:?}", report.dangling);
    assert!(report.dangling[0].contains("identity--4e5f4a3c"));
    let view = bench.view();
    assert_eq!(live(&view, "label"), 1);
    assert_eq!(
        live(&view, "external_reference"),
        1,
        "equal URLs are one reference"
    );
    assert_eq!(
        live(&view, "marking_definition"),
        1,
        "TLP markings need not be in the bundle"
    );
    let head = bench.store.head().0;
    let again = bench.import(&objects());
    assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 4));
    let written = bench.store.transactions(head.next(), 10).unwrap();
    assert!(written.is_empty(), "nothing may be written: {written:?}");
}

#[test]
fn objects_are_found_by_their_own_and_by_their_deterministic_id() {
    let bench = bench();
    bench.import(&objects());
    let view = bench.view();
    let namespace = durward_model::Namespace::new("stix", "");
    let standard = "intrusion-set--";
    let Some(ObjectRef::Entity(group)) = view.find_alias(GROUP) else {
        unreachable!()
    };
    let key = view.key(group);
    assert!(key.starts_with(standard) && key != GROUP);
    assert_eq!(view.find_by_key(&namespace, &key), Some(group));
    let Some(ObjectRef::Edge(uses)) = view.find_alias(USES) else {
        unreachable!()
    };
    assert_eq!(view.edge_ends(uses).unwrap().0, group);
    let description = view.property_id("description").unwrap();
    assert_eq!(view.edge_value(uses, description), Value::from("often"));
}

#[test]
fn a_note_may_hold_a_relationship_and_citations_keep_what_differs() {
    let bench = bench();
    bench.import(&objects());
    let view = bench.view();
    let note = view.type_id("note").unwrap();
    let verb = view.verb_id("CONTAINS").unwrap();
    let mut ends = Vec::new();
    for triple in view.triples_matching(Some(note), Some(verb), None) {
        view.adjacency(triple.id, Direction::Out)
            .for_each(0, |_| ends.push(triple.to));
    }
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().any(|end| end.is_relationship()));
    let description = view.property_id("description").unwrap();
    let refers = view.verb_id("REFERS").unwrap();
    let tool = view.type_id("tool").unwrap();
    let triples = view.triples_matching(Some(tool), Some(refers), None);
    let edge = durward_graph::EdgeRef {
        triple: triples[0].id,
        edge: 0,
    };
    assert_eq!(view.edge_value(edge, description), Value::from("again"));
}

#[test]
fn older_objects_do_not_overwrite_and_names_do_not_merge() {
    let bench = bench();
    bench.import(&objects());
    let older = json!([{"type": "tool", "id": TOOL, "name": "Mimikatz", "description": "old",
        "modified": "2023-01-01T00:00:00Z"}]);
    let report = bench.import(&older);
    assert_eq!((report.updated, report.unchanged), (0, 1));
    let alias = json!([{"type": "malware", "name": "Seaduke", "aliases": ["Mimikatz"],
        "id": "malware--5e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c", "is_family": false}]);
    assert_eq!(bench.import(&alias).created, 1);
    let view = bench.view();
    let Some(ObjectRef::Entity(tool)) = view.find_alias(TOOL) else {
        unreachable!()
    };
    let description = view.property_id("description").unwrap();
    assert_eq!(view.value(tool, description), Value::from("new"));
}

#[test]
fn relationships_without_ends_are_named() {
    let bench = bench();
    let lone = json!([{"type": "relationship", "id": USES, "relationship_type": "uses",
        "source_ref": GROUP, "target_ref": TOOL}]);
    let report = bench.import(&lone);
    assert_eq!(report.created, 0);
    assert_eq!(report.rejected.len(), 1);
    assert_eq!(report.rejected[0].id, USES);
    assert!(
        report.rejected[0].reason.contains("is not known"),
        "{:?}",
        report.rejected
    );
}

#[test]
fn what_the_graph_refuses_is_named_and_the_rest_arrives() {
    let bench = bench();
    let mut all = objects();
    let account = "account--5e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    let role = "access-role--5e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    let list = all.as_array_mut().unwrap();
    list.insert(
        1,
        json!({"type": "account", "id": account, "email": "root@acme.example"}),
    );
    list.push(json!({"type": "access-role", "id": role, "name": "admin"}));
    list.push(
        json!({"type": "relationship", "relationship_type": "assigned",
        "id": "relationship--6e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c",
        "source_ref": account, "target_ref": TOOL}),
    );
    let report = bench.import(&all);
    assert_eq!(report.created, 4);
    let named: Vec<(usize, &str)> = report
        .rejected
        .iter()
        .map(|item| (item.position, item.id.as_str()))
        .collect();
    assert_eq!(named[..2], [(1, account), (5, role)]);
    assert_eq!(named.len(), 3, "{:?}", report.rejected);
    assert!(
        report.rejected[0]
            .reason
            .contains("type account is protected"),
        "{named:?}"
    );
    assert_eq!(
        (live(&bench.view(), "account"), live(&bench.view(), "tool")),
        (0, 1)
    );
}

#[test]
fn an_id_of_another_objects_does_not_make_them_one() {
    let bench = bench();
    bench.import(&objects());
    let malware = "malware--7e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    let report = bench.import(&json!([
        {"type": "malware", "id": malware, "name": "Other", "x_opencti_stix_ids": [TOOL]},
    ]));
    assert_eq!(
        (report.created, report.updated, report.rejected.len()),
        (1, 0, 0)
    );
    let view = bench.view();
    let name = view.property_id("name").unwrap();
    let Some(ObjectRef::Entity(tool)) = view.find_alias(TOOL) else {
        unreachable!()
    };
    assert_eq!(view.type_name(tool.type_id), "tool");
    assert_eq!(view.value(tool, name), Value::from("Mimikatz"));
}

#[test]
fn objects_with_numbers_that_a_reader_rounds_are_refused_by_name() {
    let object = |number: &str| {
        let text = format!(
            "{{\"type\": \"malware\", \"id\": \"malware--11111111-1111-4111-8111-111111111111\", \
             \"name\": \"m\", \"x_sizes\": {number}}}"
        );
        durward_intel::StixObject::parse(serde_json::from_str(&text).unwrap())
    };
    for number in [
        "9223372036854775807",
        "18446744073709551615",
        "[{\"a\": 0.5}]",
    ] {
        assert!(object(number).is_ok(), "{number}");
    }
    for number in ["18446744073709551616", "[{\"a\": 1e30}]"] {
        let error = object(number).unwrap_err().to_string();
        assert!(
            error.starts_with("its x_sizes is not free of numbers"),
            "{error}"
        );
    }
}
