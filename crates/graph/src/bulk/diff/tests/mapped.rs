// SPDX-License-Identifier: Apache-2.0
//! Mapped relationships, and what a job says of all its objects.

use super::*;

/// Entities by type, all namespaces together.
fn count(world: &World, entity_type: &str) -> usize {
    let view = world.view();
    let type_id = view.type_id(entity_type);
    type_id.map_or(0, |type_id| view.live_rows(type_id).len())
}

fn mapped(key: &str, filters: &str, target: &str) -> String {
    format!(
        r#"{{"relationships":[{{"_key":"{key}","_type":"mapped","_class":"HAS","_mapping":{{
            "relationshipDirection":"FORWARD","sourceEntityKey":"u1",
            "targetFilterKeys":{filters},"targetEntity":{target}}}}}]}}"#
    )
}

const USER: &str = r#"{"entities":[{"_key":"u1","_type":"user","_class":"User","name":"One"}]}"#;
const BOX: &str = r#"{"entities":[
    {"_key":"b1","_type":"box","_class":"Host","serial":"s-1","address":"one"}]}"#;

#[test]
fn a_target_of_the_same_job_is_found_in_any_order() {
    let relationship = mapped(
        "m",
        r#"[["serial"]]"#,
        r#"{"_type":"box","_class":"Host","serial":"s-1"}"#,
    );
    for bodies in [
        [USER, BOX, &relationship],
        [&relationship, BOX, USER],
        [BOX, &relationship, USER],
    ] {
        let mut world = World::new();
        let report = world.run(SyncMode::Diff, "s", &bodies).unwrap();
        assert_eq!((count(&world, "box"), report.mapped.created), (1, 1));
        // Now that it is there, and also when it is not uploaded in the same way.
        let again = world.run(SyncMode::Diff, "s", &bodies).unwrap();
        assert_eq!((count(&world, "box"), again.mapped.unchanged), (1, 1));
    }
}

#[test]
fn a_patch_counts_with_what_it_leaves_as_it_is() {
    let mut world = World::new();
    world.run(SyncMode::Diff, "s", &[USER, BOX]).unwrap();
    let patch = r#"{"entities":[{"_key":"b1","address":"two"}]}"#;
    let relationship = mapped(
        "m",
        r#"[["serial","address"]]"#,
        r#"{"_type":"box","_class":"Host","serial":"s-1","address":"two"}"#,
    );
    let report = world
        .run(SyncMode::Patch, "s", &[patch, &relationship])
        .unwrap();
    assert_eq!((count(&world, "box"), report.mapped.created), (1, 1));
    // What it was is not what it is.
    let old = mapped(
        "n",
        r#"[["address"]]"#,
        r#"{"_type":"crate","_class":"Host","address":"two"}"#,
    );
    let patch = r#"{"entities":[{"_key":"b1","address":"three"}]}"#;
    world.run(SyncMode::Patch, "s", &[patch, &old]).unwrap();
    assert_eq!((count(&world, "box"), count(&world, "crate")), (1, 1));
}

#[test]
fn an_entity_with_the_key_and_type_of_the_target_is_the_target() {
    let mut world = World::new();
    let relationship = mapped(
        "m",
        r#"[["name"]]"#,
        r#"{"_type":"box","_class":"Host","_key":"b1","name":"unheard of"}"#,
    );
    world
        .run(SyncMode::Diff, "s", &[&relationship, USER, BOX])
        .unwrap();
    assert_eq!(count(&world, "box"), 1);
    let other = r#"{"entities":[{"_key":"u1","_type":"user","_class":"User"}]}"#;
    let report = world
        .run(SyncMode::Diff, "t", &[other, &relationship])
        .unwrap();
    assert_eq!((count(&world, "box"), report.mapped.created), (1, 1));
}

#[test]
fn what_mapping_makes_does_not_depend_on_the_order() {
    let little = mapped(
        "m",
        r#"[["name"]]"#,
        r#"{"_type":"box","_class":"Host","name":"n"}"#,
    );
    let much = mapped(
        "n",
        r#"[["serial"]]"#,
        r#"{"_type":"box","_class":"Host","serial":"s-9","name":"n"}"#,
    );
    for bodies in [[USER, &little, &much], [&much, USER, &little]] {
        let mut world = World::new();
        let report = world.run(SyncMode::Diff, "s", &bodies).unwrap();
        assert_eq!((count(&world, "box"), report.mapped.created), (1, 2));
    }
}

#[test]
fn the_stamp_of_a_job_is_on_all_its_objects() {
    let mut world = World::new();
    world.stamp = vec![("_integrationInstanceId".to_owned(), Value::from("i-1"))];
    let links = r#"{"relationships":[{"_type":"r","_class":"HAS",
        "_fromEntityKey":"u1","_toEntityKey":"b1"}]}"#;
    let bodies = [USER, BOX, links];
    world.run(SyncMode::Diff, "s", &bodies).unwrap();
    for key in ["u1", "b1"] {
        let value = world.value("s", key, "_integrationInstanceId");
        assert_eq!(value, Value::from("i-1"));
    }
    let again = world.run(SyncMode::Diff, "s", &bodies).unwrap();
    assert_eq!(
        (again.entities.updated, again.relationships.updated),
        (0, 0)
    );
    world
        .stamp
        .push(("_integrationName".to_owned(), Value::from("n")));
    let named = world.run(SyncMode::Diff, "s", &bodies).unwrap();
    assert_eq!(
        (named.entities.updated, named.relationships.updated),
        (2, 1)
    );
    assert_eq!(world.value("s", "u1", "_integrationName"), Value::from("n"));
}
