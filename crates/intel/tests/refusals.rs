// SPDX-License-Identifier: Apache-2.0
//! Bundles that are hostile, or of which parts cannot be taken.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

mod support;

use std::sync::Arc;

use durward_graph::{Direction, ObjectRef, View};
use durward_intel::{ImportError, ImportReport, Room, import_bundle};
use durward_model::Value;
use durward_model::transaction::Origin;
use serde_json::{Value as Json, json};

use support::{GREEN, GROUP, NOTE, TOOL, USES, bench, live};

const RED_2: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const CLEAR_2: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
const OWN_MARKING: &str = "marking-definition--8e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b30";
const NOBODYS: &str = "marking-definition--9e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b31";

/// Ids of the objects that were left out, and why, in the order of the bundle.
fn left_out(report: &ImportReport) -> Vec<(&str, &str)> {
    let rejected = report.rejected.iter();
    rejected
        .map(|item| (item.id.as_str(), item.reason.as_str()))
        .collect()
}

/// Definitions of the markings of an object.
fn markings_of(view: &View, id: &str) -> Vec<String> {
    let namespace = durward_model::Namespace::new("stix", "");
    let found = view.find_alias(id);
    let found = found.or_else(|| view.find_by_key(&namespace, id).map(ObjectRef::Entity));
    let (type_id, row) = match found.unwrap() {
        ObjectRef::Entity(entity) => (entity.type_id, entity.row),
        ObjectRef::Edge(edge) => (
            durward_graph::TypeId::RELATIONSHIP,
            view.edge_number(edge).0,
        ),
    };
    let Some(verb) = view.verb_id("MARKED") else {
        return Vec::new();
    };
    let definition = view.property_id("definition").unwrap();
    let mut found = Vec::new();
    for triple in view.triples_matching(Some(type_id), Some(verb), None) {
        view.adjacency(triple.id, Direction::Out)
            .for_each(row, |row| {
                let type_id = triple.to;
                let marking = durward_graph::EntityRef { type_id, row };
                assert_eq!(view.type_name(type_id), "marking_definition");
                found.push(view.value(marking, definition).as_str().unwrap().to_owned());
            });
    }
    found.sort();
    found
}

#[test]
fn no_object_is_stored_without_a_marking_that_it_names() {
    let bench = bench();
    let tool = |id: u8, more: Json| {
        let id = format!("tool--{id:02}5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c");
        let mut tool = json!({"type": "tool", "id": id, "name": id});
        tool.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        tool
    };
    let id = |number: u8| format!("tool--{number:02}5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c");
    let report = bench.import(&json!([
        tool(1, json!({"object_marking_refs": [NOBODYS]})),
        tool(2, json!({"object_marking_refs": [RED_2, CLEAR_2]})),
        // The marking comes behind what it marks.
        tool(3, json!({"object_marking_refs": [OWN_MARKING]})),
        tool(4, json!({"granular_markings":
            [{"marking_ref": NOBODYS, "selectors": ["name"]}]})),
        tool(5, json!({"granular_markings": [
            {"marking_ref": GREEN, "selectors": ["name"]},
            {"lang": "en", "selectors": ["description"]}]})),
        // That is an object, but no marking.
        tool(6, json!({"object_marking_refs": [id(5)]})),
        {"type": "relationship", "id": USES, "relationship_type": "related-to",
            "source_ref": id(2), "target_ref": id(3), "object_marking_refs": [NOBODYS]},
        {"type": "relationship", "id": "relationship--4e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c",
            "relationship_type": "related-to", "source_ref": id(3), "target_ref": id(2),
            "object_marking_refs": [RED_2]},
        {"type": "marking-definition", "id": OWN_MARKING, "definition_type": "statement",
            "definition": {"statement": "ours"}},
    ]));
    let unknown = format!("its marking {NOBODYS} is not known");
    let no_marking = format!("its marking {} is not known", id(5));
    assert_eq!(
        left_out(&report),
        [
            (id(1).as_str(), unknown.as_str()),
            (id(4).as_str(), unknown.as_str()),
            (id(6).as_str(), no_marking.as_str()),
            (USES, unknown.as_str()),
        ]
    );
    let view = bench.view();
    assert_eq!(markings_of(&view, &id(2)), ["TLP:CLEAR", "TLP:RED"]);
    assert_eq!(markings_of(&view, &id(3)), ["ours"]);
    assert_eq!(markings_of(&view, &id(5)), ["TLP:GREEN"]);
    let marked = "relationship--4e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    assert_eq!(markings_of(&view, marked), ["TLP:RED"]);
    assert!(view.find_alias(&id(1)).is_none());
    // Now it is known from the graph.
    let again = bench.import(&json!([tool(
        7,
        json!({"object_marking_refs": [OWN_MARKING]})
    )]));
    assert_eq!((again.created, again.rejected.len()), (1, 0));
}

#[test]
fn both_versions_of_the_traffic_light_protocol_are_one_marking() {
    let bench = bench();
    let extension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
    let red_2 = json!({"type": "marking-definition", "id": RED_2, "name": "TLP:RED",
        "extensions": {extension: {"extension_type": "property-extension", "tlp_2_0": "red"}}});
    let red_1 = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
    let report = bench.import(&json!([
        {"type": "tool", "id": TOOL, "name": "a", "object_marking_refs": [red_1, RED_2]},
        red_2,
    ]));
    assert_eq!((report.created, report.rejected.len()), (2, 0));
    let view = bench.view();
    assert_eq!(live(&view, "marking_definition"), 1);
    assert_eq!(markings_of(&view, TOOL), ["TLP:RED"]);
    assert!(view.find_alias(RED_2).is_some());
    // Another marking under that id would open what it marks.
    let other = bench.import(&json!([
        {"type": "marking-definition", "id": red_1, "definition_type": "tlp",
            "definition": {"tlp": "clear"}},
        {"type": "tool", "id": "tool--9e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c", "name": "b",
            "x_opencti_stix_ids": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]},
        {"type": "malware", "id": "malware--9e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c", "name": "c",
            "is_family": true,
            "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]},
    ]));
    let reason = "its id is that of TLP:RED, and its definition says otherwise";
    assert_eq!(left_out(&other), [(red_1, reason)]);
    let malware = "malware--9e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    assert_eq!(markings_of(&bench.view(), malware), ["TLP:AMBER"]);
}

#[test]
fn what_an_object_cannot_be_without_takes_it_along_and_nothing_else() {
    let bench = bench();
    let author = "identity--4e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    let report = bench.import(&json!([
        {"type": "note", "id": NOTE, "content": "on the use", "object_refs": [USES, GROUP]},
        {"type": "relationship", "id": USES, "relationship_type": "uses",
            "source_ref": GROUP, "target_ref": TOOL},
        {"type": "tool", "id": TOOL, "name": "a", "created_by_ref": author},
        {"type": "intrusion-set", "id": GROUP, "name": "b"},
    ]));
    let because = |id: &str| format!("{id} is not known");
    assert_eq!(
        left_out(&report),
        [
            (NOTE, because(USES).as_str()),
            (USES, because(TOOL).as_str()),
            (TOOL, because(author).as_str()),
        ]
    );
    assert_eq!((report.created, report.dangling.len()), (1, 0));
}

#[test]
fn relationships_on_relationships_arrive_in_any_order_in_linear_time() {
    let bench = bench();
    let id = |number: usize| format!("relationship--{number:08x}-9d1b-4b46-9a65-27dd1c1a2b3c");
    let mut all: Vec<Json> = (1..3_000)
        .rev()
        .map(|number| {
            json!({"type": "relationship", "id": id(number), "relationship_type": "related-to",
                "source_ref": TOOL, "target_ref": id(number - 1)})
        })
        .collect();
    all.push(
        json!({"type": "relationship", "id": id(0), "relationship_type": "related-to",
        "source_ref": TOOL, "target_ref": TOOL}),
    );
    all.push(json!({"type": "tool", "id": TOOL, "name": "a"}));
    let (one, other) = (id(4_000), id(4_001));
    for (own, target) in [(&one, &other), (&other, &one)] {
        all.push(
            json!({"type": "relationship", "id": own, "relationship_type": "related-to",
            "source_ref": TOOL, "target_ref": target}),
        );
    }
    let report = bench.import(&Json::from(all));
    assert_eq!((report.created, report.rejected.len()), (3_001, 2));
}

/// A share of so many bytes.
fn share(bytes: u64) -> durward_budget::Share {
    let limits = durward_budget::BudgetLimits {
        credential_bytes: bytes,
        ..durward_budget::BudgetLimits::unlimited()
    };
    durward_budget::Budget::new(limits).share("", None)
}

#[test]
fn an_import_without_room_writes_nothing_and_gives_all_back() {
    let bench = bench();
    let head = bench.store.head().0;
    let labels: Vec<String> = (0..20_000).map(|number| format!("{number:x}")).collect();
    let objects = json!([
        {"type": "tool", "id": TOOL, "name": "a", "labels": labels},
    ]);
    let share = share(8 << 20);
    let given_up: Arc<std::sync::atomic::AtomicBool> = Arc::default();
    let refused = bench.import_in(&objects, &Room::new(&share, Arc::clone(&given_up)));
    let is_exhausted = |error: &ImportError| error.exhausted().is_some();
    assert!(refused.as_ref().is_err_and(is_exhausted), "{refused:?}");
    assert_eq!(share.used_bytes(), 0);
    // Junk is charged too: each item is named in the answer.
    let junk = Json::from(vec![1; 100_000]);
    let refused = bench.import_in(&junk, &Room::new(&share, Arc::clone(&given_up)));
    assert!(
        matches!(refused, Err(ImportError::Bundle(_))),
        "{refused:?}"
    );
    given_up.store(true, std::sync::atomic::Ordering::Relaxed);
    let refused = bench.import_in(&objects, &Room::new(&share, given_up));
    assert!(refused.is_err());
    assert_eq!(bench.store.head().0, head, "nothing may be written");
    let tall = json!([
        {"type": "tool", "id": TOOL, "name": "a", "labels": vec!["x"; 100_001]},
        {"type": "tool", "id": "tool--9e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c", "name": "b"},
    ]);
    let report = bench.import(&tall);
    assert_eq!(
        left_out(&report),
        [(TOOL, "its labels has more than 100000 items")]
    );
    assert_eq!(report.created, 1);
}

#[test]
fn what_is_worked_out_is_not_taken_from_a_bundle() {
    let bench = bench();
    let group = "threat-actor--3e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    let person = "threat-actor--4e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c";
    let report = bench.import(&json!([
        {"type": "threat-actor", "id": group, "name": "a", "opencti_type": "Threat-Actor-Group"},
        {"type": "threat-actor", "id": person, "name": "b", "resource_level": "Individual"},
        {"type": "tool", "id": TOOL, "name": "c", "opencti_type": "its own"},
    ]));
    let reason = "its opencti_type is worked out from its other members and cannot be set";
    assert_eq!(left_out(&report), [(group, reason)]);
    let view = bench.view();
    let told = |entity_type: &str| {
        let type_id = view.type_id(entity_type).unwrap();
        let entity = durward_graph::EntityRef { type_id, row: 0 };
        view.value(entity, view.property_id("opencti_type").unwrap())
    };
    assert_eq!(told("threat_actor"), Value::from("Threat-Actor-Individual"));
    assert_eq!(told("tool"), Value::from("its own"));
}

#[test]
fn broken_members_are_named_and_the_neighbours_arrive() {
    let bench = bench();
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let text = format!(
        r#"{{"objects": [
            {{"type": "tool", "id": "{TOOL}", "name": "a", "confidence": 85.5}},
            {{"type": "tool", "id": "tool--1e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c", "x": {deep}}},
            {{"type": "malware", "id": "malware--2e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c",
              "is_family": "true", "confidence": "7"}},
            {{"type": "file", "id": "file--2e5f4a3c-9d1b-4b46-9a65-27dd1c1a2b3c",
              "hashes": {{"MD5": 5}}}}
        ], "type": "bundle"}}"#
    );
    let room = Room::unlimited();
    let report =
        import_bundle(&bench.store, Origin::default(), "", text.as_bytes(), &room).unwrap();
    let reasons: Vec<&str> = left_out(&report)
        .iter()
        .map(|(_, reason)| *reason)
        .collect();
    assert_eq!(reasons[0], "its confidence is not a whole number");
    assert!(reasons[1].contains("recursion limit"), "{reasons:?}");
    assert_eq!(reasons[2], "its hashes is not an object of texts");
    assert_eq!((report.created, reasons.len()), (1, 3));
    let view = bench.view();
    let malware = durward_graph::EntityRef {
        type_id: view.type_id("malware").unwrap(),
        row: 0,
    };
    let value = |name: &str| view.value(malware, view.property_id(name).unwrap());
    assert_eq!(value("is_family"), Value::Bool(true));
    assert_eq!(value("confidence"), Value::Int(7));
}
