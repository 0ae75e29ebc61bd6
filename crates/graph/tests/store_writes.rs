// SPDX-License-Identifier: Apache-2.0
//! What drafts do.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

#[path = "support/stores.rs"]
#[allow(dead_code, reason = "shared by several test files")]
mod stores;

use durward_graph::ObjectRef;
use durward_graph::store::{Draft, Operation, Outcome, PutMode, Store, Target};
use durward_model::transaction::Sequence;
use durward_model::{ErrorKind, Value};
use stores::{
    World, api, draft, dump, entity, key, kind_of, link, outcomes, put, put_in, value, write,
};

#[test]
fn upsert_keeps_what_is_not_named_and_replace_does_not() {
    let world = World::new();
    let store = world.create();
    let both = [("a", Value::Int(1)), ("b", Value::from("x"))];
    let made = write(&store, vec![put("host", "h", &both)]).unwrap();
    assert_eq!(
        (made.sequence, outcomes(&made)),
        (Sequence(1), vec![Outcome::Created])
    );

    let changed = write(&store, vec![put("host", "h", &[("a", Value::Int(2))])]).unwrap();
    assert_eq!(outcomes(&changed), [Outcome::Updated]);
    assert_eq!(changed.results[0].id, made.results[0].id);
    let view = store.view(None);
    assert_eq!(
        (value(&view, "h", "a"), value(&view, "h", "b")),
        (Value::Int(2), Value::from("x"))
    );
    assert_eq!(view.version(entity(&view, "h")), 2);

    let only_a = [("a", Value::Int(2))];
    write(
        &store,
        vec![put_in(api(), "host", "h", &only_a, PutMode::Replace)],
    )
    .unwrap();
    let view = store.view(None);
    assert_eq!(
        (value(&view, "h", "a"), value(&view, "h", "b")),
        (Value::Int(2), Value::Null)
    );

    write(&store, vec![put("host", "h", &[("a", Value::Null)])]).unwrap();
    assert_eq!(value(&store.view(None), "h", "a"), Value::Null);

    let again = write(
        &store,
        vec![put_in(api(), "host", "h", &[], PutMode::Create)],
    );
    assert_eq!(kind_of(again), ErrorKind::AlreadyExists);
    let other_type = write(&store, vec![put("user", "h", &[])]);
    assert_eq!(kind_of(other_type), ErrorKind::AlreadyExists);
}

#[test]
fn what_changes_nothing_appends_nothing() {
    let world = World::new();
    let store = world.create();
    let operations = vec![
        put("host", "h", &[("a", Value::Int(1))]),
        put("user", "u", &[]),
        link(key("h"), "HAS", key("u")),
    ];
    write(&store, operations.clone()).unwrap();
    let head = store.head();
    let again = write(&store, operations).unwrap();
    assert_eq!(outcomes(&again), [Outcome::Unchanged; 3]);
    assert_eq!(again.sequence, head.0);
    let there_and_back = vec![
        put("host", "h", &[("a", Value::Int(2))]),
        put("host", "h", &[("a", Value::Int(1))]),
    ];
    write(&store, there_and_back).unwrap();
    assert_eq!(store.head(), head);
}

#[test]
fn a_draft_happens_whole_or_not_at_all() {
    let world = World::new();
    let store = world.create();
    let before = dump(&store.view(None));
    let result = write(
        &store,
        vec![put("host", "h", &[]), link(key("h"), "HAS", key("nobody"))],
    );
    assert_eq!(kind_of(result), ErrorKind::NotFound);
    assert_eq!(dump(&store.view(None)), before);
    assert_eq!(store.head().0, Sequence(0));
}

#[test]
fn operations_refer_to_earlier_ones() {
    let world = World::new();
    let store = world.create();
    let operations = vec![
        put("host", "h", &[]),
        put("user", "u", &[]),
        link(Target::Result(0), "HAS", Target::Result(1)),
        put("marking", "m", &[]),
        link(Target::Result(2), "MARKED", Target::Result(3)),
        put("host", "h", &[("later", Value::Bool(true))]),
    ];
    let receipt = write(&store, operations).unwrap();
    let view = store.view(None);
    let Some(ObjectRef::Edge(edge)) = view.resolve(receipt.results[2].id) else {
        unreachable!("a relationship")
    };
    assert_eq!(view.edge_key(edge), "h|HAS|u");
    assert_eq!(view.edge_type(edge), "host_has_user");
    let Some(ObjectRef::Edge(outer)) = view.resolve(receipt.results[4].id) else {
        unreachable!("a relationship")
    };
    let (from, _) = view.edge_ends(outer).unwrap();
    assert_eq!(from.as_relationship(), Some(view.edge_number(edge)));
    assert_eq!(value(&view, "h", "later"), Value::Bool(true));
    assert_eq!(
        view.version(entity(&view, "h")),
        1,
        "one transaction made it"
    );
    let beyond = write(&store, vec![link(Target::Result(0), "HAS", key("u"))]);
    assert_eq!(kind_of(beyond), ErrorKind::NotFound);
}

#[test]
fn deleting_ends_relationships_recursively() {
    let world = World::new();
    let store = world.create();
    let operations = vec![
        put("host", "h", &[]),
        put("user", "u", &[]),
        link(key("h"), "HAS", key("u")),
        link(key("u"), "USES", key("h")),
        link(key("u"), "KNOWS", key("u")),
        put("marking", "m", &[]),
        link(Target::Result(2), "MARKED", key("m")),
        link(Target::Result(6), "MARKED", key("m")),
        put("host", "other", &[]),
        link(key("other"), "IS", key("m")),
    ];
    write(&store, operations).unwrap();
    let before = store.view(None);
    world.clock.advance_micros(1000);
    let receipt = write(&store, vec![Operation::DeleteEntity { target: key("u") }]).unwrap();
    assert_eq!(outcomes(&receipt), [Outcome::Deleted]);
    assert_eq!(receipt.sequence, Sequence(2), "one transaction");
    let view = store.view(None);
    assert!(view.find_by_key(&api(), "u").is_none());
    let live: u64 = view
        .triples()
        .iter()
        .map(|triple| view.edge_count(triple.id))
        .sum();
    assert_eq!(live, 1, "only other IS m is left: {}", dump(&view));
    let past = store.view(Some(before.instant()));
    assert_eq!(dump(&past), dump(&before), "the past shows it as it was");
    let gone = write(&store, vec![Operation::DeleteEntity { target: key("u") }]);
    assert_eq!(kind_of(gone), ErrorKind::NotFound);

    let receipt = write(&store, vec![put("user", "u", &[])]).unwrap();
    assert_eq!(
        outcomes(&receipt),
        [Outcome::Created],
        "the key is free again"
    );
    let delete_own = vec![
        put("user", "v", &[]),
        Operation::DeleteEntity { target: key("v") },
    ];
    assert_eq!(kind_of(write(&store, delete_own)), ErrorKind::Invalid);
    let delete_and_make = vec![
        Operation::DeleteEntity { target: key("u") },
        put("user", "u", &[]),
    ];
    let made = write(&store, delete_and_make).unwrap();
    assert_eq!(outcomes(&made), [Outcome::Deleted, Outcome::Created]);
    assert_ne!(
        made.results[0].id, made.results[1].id,
        "ids are never reused"
    );
}

#[test]
fn a_relationship_takes_those_about_it_along() {
    let world = World::new();
    let store = world.create();
    let operations = vec![
        put("host", "h", &[]),
        put("user", "u", &[]),
        link(key("h"), "HAS", key("u")),
        link(Target::Result(2), "MARKED", key("h")),
    ];
    let made = write(&store, operations).unwrap();
    let target = made.results[2].id;
    write(&store, vec![Operation::DeleteRelationship { target }]).unwrap();
    let view = store.view(None);
    assert_eq!(view.resolve(target), None);
    assert_eq!(view.resolve(made.results[3].id), None);
    assert_eq!(
        kind_of(write(
            &store,
            vec![Operation::DeleteRelationship { target }]
        )),
        ErrorKind::NotFound
    );
}

#[test]
fn a_stale_version_is_a_conflict() {
    let world = World::new();
    let store = world.create();
    write(&store, vec![put("host", "h", &[("a", Value::Int(1))])]).unwrap();
    let patch = |to, expected_version| Operation::PatchEntity {
        target: key("h"),
        set: stores::properties(&[("a", Value::Int(to))]),
        classes: Some(vec!["Host".to_owned()]),
        expected_version: Some(expected_version),
    };
    write(&store, vec![patch(2, 1)]).unwrap();
    assert_eq!(
        kind_of(write(&store, vec![patch(3, 1)])),
        ErrorKind::Conflict
    );
    let view = store.view(None);
    assert_eq!(value(&view, "h", "a"), Value::Int(2));
    let classes = view.classes(entity(&view, "h"));
    assert_eq!(
        classes
            .iter()
            .map(|id| view.class_name(*id))
            .collect::<Vec<_>>(),
        ["Host"]
    );
}

fn with_key(key: &str, operations: Vec<Operation>) -> Draft {
    Draft {
        idempotency_key: key.to_owned(),
        ..draft(operations)
    }
}

#[test]
fn a_repeated_draft_gets_the_first_receipt() {
    let world = World::new();
    let store = world.create();
    let once = with_key("once", vec![put("host", "h", &[("a", Value::Int(1))])]);
    let first = store.submit(once.clone()).unwrap();
    write(&store, vec![Operation::DeleteEntity { target: key("h") }]).unwrap();
    assert_eq!(store.submit(once.clone()).unwrap(), first);
    let other = with_key("once", vec![put("host", "other", &[])]);
    assert_eq!(kind_of(store.submit(other)), ErrorKind::Conflict);
    assert!(
        store.view(None).find_by_key(&api(), "h").is_none(),
        "it was not done again"
    );
    let shown = store.transactions(Sequence(1), 10).unwrap();
    assert_eq!(shown[0].idempotency_key, "once");

    for with_checkpoint in [false, true] {
        if with_checkpoint {
            store.checkpoint().unwrap();
        }
        let reopened = {
            let copy = World::new();
            store.backup(&copy.path().join("copy")).unwrap();
            if with_checkpoint {
                let name = "checkpoint";
                std::fs::copy(world.path().join(name), copy.path().join("copy").join(name))
                    .unwrap();
            }
            let mut options = copy.options();
            options.folder = copy.path().join("copy");
            let reopened = Store::open(options).unwrap();
            (reopened, copy)
        };
        assert_eq!(
            reopened.0.submit(once.clone()).unwrap(),
            first,
            "{with_checkpoint}"
        );
    }
}

#[test]
fn aliases_name_one_object() {
    let world = World::new();
    let store = world.create();
    let alias = |key: &str, alias: &str| Operation::AddAlias {
        target: stores::key(key),
        alias: alias.to_owned(),
    };
    write(
        &store,
        vec![
            put("host", "h", &[]),
            put("host", "i", &[]),
            alias("h", "x--1"),
        ],
    )
    .unwrap();
    let by_alias = Target::Alias("x--1".to_owned());
    let set = stores::properties(&[("found", Value::Bool(true))]);
    let patch = Operation::PatchEntity {
        target: by_alias.clone(),
        set,
        classes: None,
        expected_version: None,
    };
    write(&store, vec![patch]).unwrap();
    assert_eq!(value(&store.view(None), "h", "found"), Value::Bool(true));
    assert_eq!(
        kind_of(write(&store, vec![alias("i", "x--1")])),
        ErrorKind::AlreadyExists
    );
    let head = store.head();
    write(&store, vec![alias("h", "x--1")]).unwrap();
    assert_eq!(store.head(), head, "it has it already");
    let remove = Operation::RemoveAlias {
        target: key("h"),
        alias: "x--1".to_owned(),
    };
    write(&store, vec![remove, alias("i", "x--1")]).unwrap();
    let view = store.view(None);
    assert_eq!(
        view.find_alias("x--1"),
        Some(ObjectRef::Entity(entity(&view, "i")))
    );
    write(
        &store,
        vec![
            Operation::DeleteEntity { target: key("i") },
            alias("h", "x--1"),
        ],
    )
    .unwrap();
    let view = store.view(None);
    assert_eq!(
        view.find_alias("x--1"),
        Some(ObjectRef::Entity(entity(&view, "h")))
    );
}

#[test]
fn plans_see_what_was_accepted_before_them_and_cannot_end_the_writer() {
    let world = World::new();
    let store = world.create();
    let count = |view: &durward_graph::View| {
        let host = view.type_id("host");
        host.map_or(0, |host| view.live_count(host))
    };
    // Each makes the object whose number is how many there are: all see each other.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let planned = store.submit_planned(move |view| {
                        let name = format!("h{}", count(view));
                        Ok(draft(vec![put_in(
                            api(),
                            "host",
                            &name,
                            &[],
                            PutMode::Create,
                        )]))
                    });
                    planned.unwrap();
                }
            });
        }
    });
    assert_eq!(count(&store.view(None)), 160);
    let broken = store.submit_planned(|_| panic!("on purpose"));
    assert_eq!(kind_of(broken), ErrorKind::Internal);
    write(&store, vec![put("host", "after", &[])]).unwrap();
    assert_eq!(count(&store.view(None)), 161);
    assert!(store.verify().unwrap().is_sound());
}
