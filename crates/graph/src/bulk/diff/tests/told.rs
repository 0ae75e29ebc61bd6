// SPDX-License-Identifier: Apache-2.0
//! What is worked out, in uploads.

use durward_catalog::OPENCTI_TYPE;

use super::*;
use crate::bulk::ItemError;

const PLACES: &str = r#"{"entities":[
    {"_key":"p1","_type":"location","_class":"Location","city":"Pisa"},
    {"_key":"p2","_type":"location","_class":"Location","country":"IT","latitude":1.5},
    {"_key":"i1","_type":"identity","_class":"Identity","identity_class":"class"},
    {"_key":"h1","_type":"host","_class":"Host","opencti_type":"City"}]}"#;

fn told(world: &World, key: &str) -> Value {
    world.value("s", key, OPENCTI_TYPE)
}

#[test]
fn an_upload_tells_apart_what_it_brings_and_changes() {
    let mut world = World::new();
    let report = world.run(SyncMode::Diff, "s", &[PLACES]).unwrap();
    assert_eq!(report.entities.created, 4);
    assert_eq!(told(&world, "p1"), "City".into());
    assert_eq!(told(&world, "p2"), "Position".into());
    assert_eq!(told(&world, "i1"), "Sector".into());
    assert_eq!(
        told(&world, "h1"),
        "City".into(),
        "another type's own property"
    );
    let head = world.snapshot.sequence();
    let again = world.run(SyncMode::Diff, "s", &[PLACES]).unwrap();
    assert_eq!((again.entities.updated, again.entities.unchanged), (0, 4));
    assert_eq!(
        world.snapshot.sequence(),
        head,
        "an unchanged upload writes nothing"
    );

    let moved = PLACES
        .replace(r#","latitude":1.5"#, "")
        .replace("class\"}", "system\"}");
    let report = world.run(SyncMode::Diff, "s", &[&moved]).unwrap();
    assert_eq!(report.entities.updated, 2);
    assert_eq!(told(&world, "p2"), "Country".into());
    assert_eq!(told(&world, "i1"), "System".into());
    let patch = r#"{"entities":[{"_key":"p1","city":null,"region":"Tuscany"}]}"#;
    world.run(SyncMode::Patch, "s", &[patch]).unwrap();
    assert_eq!(told(&world, "p1"), "Region".into());
    let then = world.snapshot.view(Some(Instant::from_millis(1000)));
    let place = then.find_by_key(&Namespace::new("api", "s"), "p1").unwrap();
    let property = then.property_id(OPENCTI_TYPE).unwrap();
    assert_eq!(then.value(place, property), "City".into(), "and before");
}

#[test]
fn an_upload_that_says_it_itself_is_refused() {
    let mut world = World::new();
    world.run(SyncMode::Diff, "s", &[PLACES]).unwrap();
    let rules = |ignore_illegal_properties| ItemRules {
        catalog: &world.catalog,
        patch: false,
        ignore_illegal_properties,
    };
    let place = r#"{"_key":"p","_type":"location","_class":"L","opencti_type":"Region"}"#;
    let body = format!(r#"{{"entities":[{place}]}}"#);
    let read = |strict| read_body(body.as_bytes(), BodyKind::Upload, rules(strict)).unwrap();
    let refused = read(false).rejected.items;
    let derived = ItemError::Derived {
        property: OPENCTI_TYPE.to_owned(),
        entity_type: "location".to_owned(),
    };
    assert_eq!(refused.len(), 1);
    assert!(
        refused[0].reason.contains(&derived.to_string()),
        "{refused:?}"
    );
    assert_eq!(read(true).rejected.items, []);
    let mapped = format!(
        r#"{{"relationships":[{{"_key":"m","_type":"mapped","_class":"IN","_mapping":{{
            "relationshipDirection":"FORWARD","sourceEntityKey":"h1",
            "targetFilterKeys":[["_key"]],"targetEntity":{place}}}}}]}}"#
    );
    let read = read_body(mapped.as_bytes(), BodyKind::Upload, rules(false)).unwrap();
    assert_eq!(read.rejected.items.len(), 1);

    // An item that names no type is judged when it is known what it changes.
    let patch = |value: &str| {
        format!(
            r#"{{"entities":[{{"_key":"p1","opencti_type":{value}}},
                {{"_key":"h1","opencti_type":"Region"}},{{"_key":"p2","name":"x"}}]}}"#
        )
    };
    for value in [r#""Region""#, "null"] {
        let report = world.run(SyncMode::Patch, "s", &[&patch(value)]).unwrap();
        assert_eq!(report.entities.update_errors, 1, "{value}");
        assert_eq!(told(&world, "p1"), "City".into());
        assert_eq!(told(&world, "h1"), "Region".into());
        assert_eq!(world.value("s", "p2", "name"), "x".into());
    }
}
