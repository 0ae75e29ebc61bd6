// SPDX-License-Identifier: Apache-2.0
//! What drafts do, and what they may not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

#[path = "support/stores.rs"]
#[allow(dead_code, reason = "shared by several test files")]
mod stores;

use durward_graph::ObjectRef;
use durward_graph::store::{Draft, Operation, Outcome, PutMode, Store, StoreError, Target};
use durward_model::limits::VALUE_BYTES_MAX;
use durward_model::transaction::Sequence;
use durward_model::{ErrorKind, Namespace, Value};
use stores::{World, api, core, draft, dump, entity, key, link, put, put_in, value, write};

fn kind_of(result: Result<durward_graph::store::Receipt, StoreError>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn outcomes(receipt: &durward_graph::store::Receipt) -> Vec<Outcome> {
    receipt
        .results
        .iter()
        .map(|result| result.outcome)
        .collect()
}

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
fn generic_writes_do_not_touch_protected_objects() {
    let world = World::new();
    let store = world.create();
    let durward = Namespace::durward;
    let account = put_in(durward(), "account", "a", &[], PutMode::Create);
    let role = put_in(durward(), "access_role", "r", &[], PutMode::Create);
    let made = store.submit(core(vec![account.clone(), role])).unwrap();
    write(&store, vec![put("host", "h", &[])]).unwrap();
    let (account_id, role_id) = (
        Target::Id(made.results[0].id),
        Target::Id(made.results[1].id),
    );
    let set = stores::properties(&[("active", Value::Bool(true))]);
    let patch = Operation::PatchEntity {
        target: account_id.clone(),
        set,
        classes: None,
        expected_version: None,
    };
    let mut own = link(key("h"), "HAS", key("h"));
    if let Operation::PutRelationship { namespace, .. } = &mut own {
        *namespace = durward();
    }
    let refused = vec![
        account,
        put("account", "in another namespace", &[]),
        put_in(durward(), "host", "of durward", &[], PutMode::Upsert),
        patch,
        Operation::DeleteEntity {
            target: account_id.clone(),
        },
        link(account_id.clone(), "ASSIGNED", role_id.clone()),
        link(key("h"), "ASSIGNED", role_id.clone()),
        link(account_id.clone(), "HAS", key("h")),
        own,
        Operation::AddAlias {
            target: account_id.clone(),
            alias: "me".to_owned(),
        },
    ];
    let head = store.head();
    for operation in refused {
        let result = write(&store, vec![operation.clone()]);
        assert_eq!(kind_of(result), ErrorKind::Forbidden, "{operation:?}");
    }
    assert_eq!(store.head(), head);

    let grant = store
        .submit(core(vec![link(account_id, "ASSIGNED", role_id)]))
        .unwrap();
    let target = grant.results[0].id;
    let set = stores::properties(&[("validUntil", Value::Int(0))]);
    for operation in [
        Operation::DeleteRelationship { target },
        Operation::PatchRelationship { target, set },
        link(Target::Id(target), "MARKED", key("h")),
    ] {
        assert_eq!(
            kind_of(write(&store, vec![operation.clone()])),
            ErrorKind::Forbidden
        );
    }
}

fn account(key: &str, email: &str) -> Operation {
    let email = [("email", Value::from(email))];
    put_in(
        Namespace::durward(),
        "account",
        key,
        &email,
        PutMode::Upsert,
    )
}

#[test]
fn unique_values_are_unique_and_free_again() {
    let world = World::new();
    let store = world.create();
    store
        .submit(core(vec![
            account("a", "Ann@example.com"),
            account("b", "b@example.com"),
        ]))
        .unwrap();
    let taken = store.submit(core(vec![account("c", "ann@EXAMPLE.com")]));
    assert_eq!(kind_of(taken), ErrorKind::AlreadyExists);
    let both = store.submit(core(vec![account("c", "c@x"), account("d", "C@x")]));
    assert_eq!(kind_of(both), ErrorKind::AlreadyExists);
    let by_change = store.submit(core(vec![account("b", "ann@example.com")]));
    assert_eq!(kind_of(by_change), ErrorKind::AlreadyExists);
    let swapped = vec![
        account("a", "b@example.com"),
        account("b", "ann@example.com"),
    ];
    store.submit(core(swapped)).unwrap();
    let target = Target::Key(Namespace::durward(), "a".to_owned());
    let replaced = vec![
        Operation::DeleteEntity { target },
        account("e", "B@example.com"),
    ];
    store.submit(core(replaced)).unwrap();
    store.close().unwrap();
    drop(store);
    let store = world.open();
    let taken = store.submit(core(vec![account("f", "b@example.com")]));
    assert_eq!(
        kind_of(taken),
        ErrorKind::AlreadyExists,
        "after a restart as well"
    );
    store
        .submit(core(vec![account("e", "b@EXAMPLE.com")]))
        .unwrap();
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
fn keys_are_normalized_and_names_and_values_limited() {
    let world = World::new();
    let store = world.create();
    write(&store, vec![put("host", "Zu\u{308}rich", &[])]).unwrap();
    let again = write(&store, vec![put("host", "Z\u{fc}rich", &[])]).unwrap();
    assert_eq!(outcomes(&again), [Outcome::Unchanged]);
    let big = "x".repeat(VALUE_BYTES_MAX + 1);
    let half: Vec<(String, Value)> = (0..9)
        .map(|number| {
            (
                format!("p{number}"),
                Value::from("x".repeat(VALUE_BYTES_MAX / 2)),
            )
        })
        .collect();
    let half: Vec<(&str, Value)> = half
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let nested = Value::List(vec![Value::List(Vec::new())]);
    let long = "k".repeat(5000);
    for operation in [
        put("host", "", &[]),
        put("", "k", &[]),
        put("host", &long, &[]),
        put("host", "k", &[("", Value::Int(1))]),
        put("host", "k", &[("_type", Value::from("user"))]),
        put("host", "k", &[("a", Value::Int(1)), ("a", Value::Int(2))]),
        put("host", "k", &[("a", Value::from(big))]),
        put("host", "k", &half),
        put("host", "k", &[("a", nested)]),
        put("host", "k", &[("a", Value::Float(f64::NAN))]),
    ] {
        assert_eq!(kind_of(write(&store, vec![operation])), ErrorKind::Invalid);
    }
    write(&store, vec![put("host", "k", &half[..7])]).unwrap();
    let result = write(&store, vec![put("host", "k", &half[7..])]);
    assert_eq!(
        kind_of(result),
        ErrorKind::Invalid,
        "together they are too large"
    );
}

#[test]
fn secrets_never_show_in_transactions() {
    let world = World::new();
    let store = world.create();
    let secret = |text: &str| {
        let pairs = [
            ("passwordHash", Value::from(text)),
            ("email", Value::from("a@b")),
        ];
        put_in(
            Namespace::durward(),
            "account",
            "a",
            &pairs,
            PutMode::Upsert,
        )
    };
    store.submit(core(vec![secret("first-hash")])).unwrap();
    store.submit(core(vec![secret("second-hash")])).unwrap();
    let shown = format!("{:?}", store.transactions(Sequence(0), 10).unwrap());
    assert!(
        !shown.contains("first-hash") && !shown.contains("second-hash"),
        "{shown}"
    );
    assert!(
        shown.contains("passwordHash") && shown.contains("a@b"),
        "{shown}"
    );
    let view = store.view(None);
    let account = view.find_by_key(&Namespace::durward(), "a").unwrap();
    let stored = view.secret_value(account, view.property_id("passwordHash").unwrap());
    assert_eq!(
        stored,
        Value::from("second-hash"),
        "identity can still read it"
    );
}
