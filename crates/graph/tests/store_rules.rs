// SPDX-License-Identifier: Apache-2.0
//! What drafts may not do: protection, uniqueness, limits, secrets.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

#[path = "support/stores.rs"]
#[allow(dead_code, reason = "shared by several test files")]
mod stores;

use durward_graph::store::{Operation, Outcome, PutMode, Target};
use durward_model::limits::VALUE_BYTES_MAX;
use durward_model::transaction::Sequence;
use durward_model::{ErrorKind, Namespace, Value};
use stores::{World, core, key, kind_of, link, outcomes, put, put_in, write};

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
