// SPDX-License-Identifier: Apache-2.0
//! What is worked out from the properties of an entity, whichever way they are written.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

#[path = "support/stores.rs"]
#[allow(dead_code, reason = "shared by several test files")]
mod stores;

use std::sync::Arc;

use durward_catalog::{Catalog, OPENCTI_TYPE};
use durward_graph::View;
use durward_graph::store::{Operation, Outcome, PutMode, StateCheck, Store, StoreOptions};
use durward_journal::VerifyOptions;
use durward_model::{ErrorKind, Instant, Value};
use stores::{World, api, core, entity, key, kind_of, outcomes, put, put_in, value, write};

fn told(view: &View, key: &str) -> String {
    let value = value(view, key, OPENCTI_TYPE);
    value.as_str().unwrap_or_default().to_owned()
}

fn identity(class: &str) -> Operation {
    put("identity", "i", &[("identity_class", class.into())])
}

fn patch(set: &[(&str, Value)]) -> Operation {
    Operation::PatchEntity {
        target: key("i"),
        set: stores::properties(set),
        classes: None,
        expected_version: None,
    }
}

/// Writes one operation, and gives the instant at which it was committed.
fn at(world: &World, store: &Store, operation: Operation) -> Instant {
    world.clock.advance_micros(1_000_000);
    write(store, vec![operation]).unwrap();
    store.view(None).instant()
}

#[test]
fn every_way_of_writing_tells_an_entity_apart_now_and_before() {
    let world = World::new();
    let store = world.create();
    let replacement = || {
        let name = [("name", Value::from("x"))];
        put_in(api(), "identity", "i", &name, PutMode::Replace)
    };
    let steps = [
        (identity("organization"), "Organization"),
        (identity("CLASS"), "Sector"),
        (
            patch(&[("identity_class", "organization".into())]),
            "Organization",
        ),
        (
            patch(&[("x_opencti_type", "SecurityPlatform".into())]),
            "SecurityPlatform",
        ),
        (patch(&[("name", "y".into())]), "SecurityPlatform"),
        (patch(&[("identity_class", Value::Null)]), "Individual"),
        (identity("system"), "System"),
        (replacement(), "Individual"),
    ];
    let mut seen = Vec::new();
    for (operation, expected) in steps {
        seen.push((at(&world, &store, operation), expected));
        assert_eq!(told(&store.view(None), "i"), expected);
    }
    for (instant, expected) in &seen {
        assert_eq!(told(&store.view(Some(*instant)), "i"), *expected);
    }
    // In one transaction it is what it is at the end of it.
    let several = vec![
        put("location", "l", &[("latitude", Value::Float(1.5))]),
        put(
            "location",
            "l",
            &[("latitude", Value::Null), ("city", "Pisa".into())],
        ),
        identity("class"),
        identity("organization"),
        put("malware", "m", &[("identity_class", "class".into())]),
    ];
    write(&store, several.clone()).unwrap();
    let again = write(&store, several).unwrap();
    assert_eq!(outcomes(&again)[0], Outcome::Updated);
    let view = store.view(None);
    assert_eq!(told(&view, "l"), "City");
    assert_eq!(told(&view, "i"), "Organization");
    assert_eq!(told(&view, "m"), "", "a type that has one name");
    let head = store.head();
    let unchanged = write(&store, vec![replacement(), replacement()]).unwrap();
    assert_eq!(outcomes(&unchanged), [Outcome::Updated, Outcome::Unchanged]);
    let same = write(&store, vec![replacement()]).unwrap();
    assert_eq!(outcomes(&same), [Outcome::Unchanged]);
    assert_eq!(
        store.head().0,
        head.0.next(),
        "it is nothing that a replacement removes"
    );
}

#[test]
fn what_is_worked_out_is_read_but_neither_written_nor_searched() {
    let world = World::new();
    let store = world.create();
    write(&store, vec![identity("class")]).unwrap();
    let own = |entity_type: &str| put(entity_type, "own", &[(OPENCTI_TYPE, "City".into())]);
    assert_eq!(
        kind_of(write(&store, vec![own("location")])),
        ErrorKind::Invalid
    );
    let by_core = store.submit(core(vec![own("identity")]));
    assert_eq!(kind_of(by_core), ErrorKind::Invalid);
    for value in [Value::from("System"), Value::from("Sector"), Value::Null] {
        let patched = write(&store, vec![patch(&[(OPENCTI_TYPE, value)])]);
        assert_eq!(kind_of(patched), ErrorKind::Invalid);
    }
    let new = vec![put("location", "l", &[])];
    let set = stores::properties(&[(OPENCTI_TYPE, "City".into())]);
    let target = key("l");
    let patch = Operation::PatchEntity {
        target,
        set,
        classes: None,
        expected_version: None,
    };
    let both = write(&store, [new, vec![patch]].concat());
    assert_eq!(
        kind_of(both),
        ErrorKind::Invalid,
        "be it made in the same draft"
    );
    write(&store, vec![own("host")]).unwrap();

    let view = store.view(None);
    assert_eq!(
        told(&view, "own"),
        "City",
        "a property like any other of another type"
    );
    let sector = entity(&view, "i");
    let property = view.property_id(OPENCTI_TYPE).unwrap();
    assert!(
        view.entity_properties(sector)
            .contains(&(property, "Sector".into()))
    );
    assert!(view.properties_of_type(sector.type_id).contains(&property));
    let is_it = |(other, _): &(_, Value)| *other == property;
    assert!(!view.written_properties(sector).iter().any(is_it));
    assert!(!view.stored_properties(sector).iter().any(is_it));
    let found = |word: &str| view.search_text(sector.type_id, &[word.to_owned()]).len();
    assert_eq!((found("class"), found("sector")), (1, 0));
}

/// Whether the journal is whole, and the state says just what it says.
fn is_sound(store: &Store) -> bool {
    let report = store.audit(&VerifyOptions::default()).unwrap();
    report.chain.is_sound() && report.state == StateCheck::Same
}

/// A store as it was before anything was worked out.
fn without_rules(world: &World) -> StoreOptions {
    StoreOptions {
        catalog: Arc::new(Catalog::default()),
        ..world.options()
    }
}

#[test]
fn what_was_written_before_there_were_rules_is_told_apart_at_every_instant() {
    for with_checkpoint in [false, true] {
        let world = World::new();
        let store = Store::create(without_rules(&world)).unwrap();
        // Anybody could write the property then.
        let written = [
            ("identity_class", "organization".into()),
            (OPENCTI_TYPE, "mine".into()),
        ];
        let first = at(&world, &store, put("identity", "i", &written));
        assert_eq!(told(&store.view(None), "i"), "mine");
        let second = at(
            &world,
            &store,
            patch(&[(OPENCTI_TYPE, "still mine".into())]),
        );
        let third = at(&world, &store, patch(&[("identity_class", "class".into())]));
        store.close().unwrap();
        if !with_checkpoint {
            std::fs::remove_file(world.path().join("checkpoint")).unwrap();
        }
        drop(store);

        let store = world.open();
        assert_eq!(store.discarded_checkpoint().is_some(), with_checkpoint);
        for (instant, expected) in [
            (Some(first), "Organization"),
            (Some(second), "Organization"),
            (Some(third), "Sector"),
            (None, "Sector"),
        ] {
            assert_eq!(told(&store.view(instant), "i"), expected);
        }
        assert!(is_sound(&store));
        let fourth = at(&world, &store, identity("system"));
        store.checkpoint().unwrap();
        store.close().unwrap();
        drop(store);

        // A checkpoint that was made by these rules is used, with all of its past.
        let store = world.open();
        assert!(store.discarded_checkpoint().is_none());
        assert_eq!(told(&store.view(Some(first)), "i"), "Organization");
        assert_eq!(told(&store.view(Some(fourth)), "i"), "System");
        at(&world, &store, identity("class"));
        assert_eq!(told(&store.view(Some(fourth)), "i"), "System");
        assert!(is_sound(&store));
    }
}
