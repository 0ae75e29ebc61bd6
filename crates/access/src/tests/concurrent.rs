// SPDX-License-Identifier: Apache-2.0
//! Commands of several threads: none misses the rules or the resources of another.

use std::collections::BTreeSet;

use durward_catalog::kinds::verb::ALLOWS;
use durward_graph::ObjectRef;
use durward_model::{ErrorKind, Value};
use durward_policy::{Right, Rights};

use super::accounts::{let_in, person};
use super::{AccessOf as _, World, bound, change, made, properties};
use crate::{Kind, NewObject, reader};

const ROUNDS: usize = 60;

#[test]
fn role_access_stays_in_step_under_concurrent_commands() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let by_type = |kind: &str| format!(r#"[{{"type":"{kind}"}}]"#);
    let role = [
        ("displayName", "all"),
        ("accessRules", &*by_type("postgres")),
    ];
    let role = made(&access, &admin, Kind::ROLE, &role);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (access, admin) = (access.clone(), admin.clone());
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let name = format!("r{thread}-{round}");
                    let kind = ["postgres", "redis"][round % 2];
                    let new = [("displayName", name.as_str()), ("kind", kind)];
                    let id = made(&access, &admin, Kind::RESOURCE, &new);
                    if round % 5 == 0 {
                        access.delete(&admin, Kind::RESOURCE, id).unwrap();
                    }
                }
            });
        }
        for round in 0..ROUNDS {
            let rules = by_type(["redis", "postgres"][round % 2]);
            let rules = change(&[("accessRules", &rules)]);
            access.update(&admin, Kind::ROLE, role, rules).unwrap();
        }
    });
    let view = access.view(None);
    let role = reader::entity(&view, role, &[Kind::ROLE]).unwrap();
    let linked = reader::links_out(&view, role, ALLOWS, Kind::RESOURCE);
    let linked: BTreeSet<_> = linked.into_iter().map(|link| link.other).collect();
    let fitting = crate::access::living(&view, Kind::RESOURCE)
        .into_iter()
        .filter_map(|object| match object {
            ObjectRef::Entity(entity) => Some(entity),
            ObjectRef::Edge(_) => None,
        })
        .filter(|entity| reader::text(&view, *entity, "kind") == "postgres");
    let fitting: BTreeSet<_> = fitting.collect();
    assert!(!fitting.is_empty());
    assert_eq!(linked, fitting);
}

#[test]
fn two_administrators_do_not_end_each_other() {
    let world = World::new();
    let (access, first) = (world.access(), world.admin());
    let second = person(&world, "second@example.com", "Administrator");
    let (of_first, of_second) = (first.account().unwrap(), second.account().unwrap());
    access.delete(&first, Kind::USER, of_second).unwrap();
    // The second was let in before it was ended.
    let before = access.view(None).sequence();
    for error in [
        access.delete(&second, Kind::USER, of_first).unwrap_err(),
        access.set_suspended(&second, of_first, true).unwrap_err(),
        access
            .update(&second, Kind::USER, of_first, change(&[("firstName", "x")]))
            .unwrap_err(),
        access
            .create(
                &second,
                NewObject::entity(Kind::GROUP, properties(&[("displayName", "g")])),
            )
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    }
    assert_eq!(access.view(None).sequence(), before);
}

#[test]
fn whoever_may_only_change_resources_gives_no_reach() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let rules = [
        ("displayName", "production"),
        ("accessRules", r#"[{"tags":{"env":"prod"}}]"#),
    ];
    made(&access, &admin, Kind::ROLE, &rules);
    let plain = [("displayName", "ledger"), ("kind", "postgres")];
    let ledger = made(&access, &admin, Kind::RESOURCE, &plain);
    let rights = Rights::NONE.with(Right::MANAGE_RESOURCES);
    let keeper = let_in(&world, admin.account().unwrap(), Some(rights));
    let tag = || change(&[("tag.env", "prod")]);
    let before = access.view(None).sequence();
    let error = access
        .update(&keeper, Kind::RESOURCE, ledger, tag())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    let new = [
        ("displayName", "orders"),
        ("kind", "postgres"),
        ("tag.env", "prod"),
    ];
    let new = NewObject::entity(Kind::RESOURCE, properties(&new));
    let error = access.create(&keeper, new).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    let written = admin
        .organization()
        .store()
        .transactions(before.next(), 100);
    assert!(written.unwrap().iter().all(|written| {
        written.changes.is_empty() || written.origin.activity == "credential used"
    }));
    let other = change(&[("tag.team", "a")]);
    access
        .update(&keeper, Kind::RESOURCE, ledger, other)
        .unwrap();
    access
        .update(&admin, Kind::RESOURCE, ledger, tag())
        .unwrap();
    access
        .update(&keeper, Kind::RESOURCE, ledger, tag())
        .unwrap();
}

#[test]
fn whoever_may_only_change_resources_lifts_no_policy() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let text = r#"forbid(principal, action, resource) when { resource.hasTag("secret") };"#;
    let forbidding = [("displayName", "secret"), ("policy", text)];
    let new = [
        ("displayName", "ledger"),
        ("kind", "postgres"),
        ("tag.secret", "yes"),
    ];
    let ledger = made(&access, &admin, Kind::RESOURCE, &new);
    let user = made(&access, &admin, Kind::USER, &[("email", "u@example.com")]);
    let rights = Rights::NONE.with(Right::MANAGE_RESOURCES);
    let keeper = let_in(&world, admin.account().unwrap(), Some(rights));
    let set = |tag: Value| {
        let mut change = change(&[]);
        change.properties.insert("tag.secret".to_owned(), tag);
        change
    };
    // Nobody reaches it, and no policy speaks of it: the tag is the keeper's to change.
    access
        .update(&keeper, Kind::RESOURCE, ledger, set(Value::Null))
        .unwrap();
    access
        .update(&keeper, Kind::RESOURCE, ledger, set(Value::from("yes")))
        .unwrap();
    bound(&access, &admin, Kind::GRANT, user, ledger);
    access
        .update(&keeper, Kind::RESOURCE, ledger, set(Value::Null))
        .unwrap();
    access
        .update(&keeper, Kind::RESOURCE, ledger, set(Value::from("yes")))
        .unwrap();
    made(&access, &admin, Kind::POLICY, &forbidding);
    let error = access
        .update(&keeper, Kind::RESOURCE, ledger, set(Value::Null))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    access
        .update(&keeper, Kind::RESOURCE, ledger, set(Value::from("very")))
        .unwrap();
    access
        .update(&admin, Kind::RESOURCE, ledger, set(Value::Null))
        .unwrap();
}
