// SPDX-License-Identifier: Apache-2.0
//! The main path: people, roles by tag, grants for a time, and what was true when.

use durward_identity::Caller;
use durward_model::{Instant, ObjectId, Value};

use super::{AccessOf as _, World, bound, change, made, properties, ways};
use crate::effective::{VALID_UNTIL, accounts_of};
use crate::{Access, Kind, NewObject, ObjectChange, Via, reader};

/// Names of the resources that an account reaches at an instant.
fn reached(access: &Access, admin: &Caller, account: ObjectId, at: Instant) -> Vec<String> {
    let view = access.view(Some(at));
    let Some(account) = reader::entity(&view, account, &[Kind::USER, Kind::SERVICE]) else {
        return Vec::new();
    };
    let mut names: Vec<String> = ways(&access.reaching(admin, &view, at), account, None)
        .into_iter()
        .map(|reached| reader::text(&view, reached.path.resource, "displayName"))
        .collect();
    names.sort();
    names
}

#[test]
fn rules_reach_what_fits_now_and_later() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let user = made(&access, &admin, Kind::USER, &[("email", "ann@example.com")]);
    let rules = r#"[{"tags":{"env":"dev"}}]"#;
    let role = [("displayName", "devs"), ("accessRules", rules)];
    let role = made(&access, &admin, Kind::ROLE, &role);
    let database = [
        ("displayName", "orders"),
        ("kind", "postgres"),
        ("tag.env", "dev"),
    ];
    let database = made(&access, &admin, Kind::RESOURCE, &database);
    world.tick();
    let before = world.tick();
    let assignment = bound(&access, &admin, Kind::ASSIGNMENT, user, role);
    let assigned = world.tick();
    assert_eq!(reached(&access, &admin, user, assigned), ["orders"]);
    let retag = change(&[("tag.env", "prod")]);
    access
        .update(&admin, Kind::RESOURCE, database, retag)
        .unwrap();
    let retagged = world.tick();
    assert!(reached(&access, &admin, user, retagged).is_empty());
    let by_type = change(&[("accessRules", r#"[{"type":"postgres"}]"#)]);
    access.update(&admin, Kind::ROLE, role, by_type).unwrap();
    let widened = world.tick();
    assert_eq!(reached(&access, &admin, user, widened), ["orders"]);
    access.delete(&admin, Kind::ASSIGNMENT, assignment).unwrap();
    let ended = world.tick();
    assert!(reached(&access, &admin, user, ended).is_empty());
    assert!(reached(&access, &admin, user, before).is_empty());
    assert_eq!(reached(&access, &admin, user, assigned), ["orders"]);
    let moments = access.moments(&admin, Kind::ROLE, Some(&[role])).unwrap();
    let rows: Vec<_> = moments
        .iter()
        .filter_map(|moment| access.history_row(&admin, Kind::ROLE, *moment))
        .collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].object.text("accessRules"), rules);
}

#[test]
fn grants_end_by_time_and_suspension_at_once() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let user = made(&access, &admin, Kind::USER, &[("email", "bob@example.com")]);
    let group = made(&access, &admin, Kind::GROUP, &[("displayName", "dba")]);
    bound(&access, &admin, Kind::GROUP_MEMBER, group, user);
    let host = [("displayName", "jump"), ("kind", "ssh")];
    let host = made(&access, &admin, Kind::RESOURCE, &host);
    world.tick();
    let end = world.tick().plus_seconds(10);
    let mut times = properties(&[]);
    times.insert(VALID_UNTIL.to_owned(), Value::from(end));
    let grant = NewObject::relationship(Kind::GRANT, group, host, times);
    access.create(&admin, grant).unwrap();
    let granted = world.tick();
    assert_eq!(reached(&access, &admin, user, granted), ["jump"]);
    let view = access.view(None);
    let account = reader::entity(&view, user, &[Kind::USER]).unwrap();
    let resource = reader::entity(&view, host, &[Kind::RESOURCE]).unwrap();
    let path = ways(&access.reaching(&admin, &view, granted), account, None)[0].path;
    assert!(matches!(path.via, Via::Grant { group: Some(_), .. }));
    assert_eq!(path.expires_at, Some(end));
    assert_eq!(accounts_of(&view, resource, granted), [account]);
    assert!(ways(&access.reaching(&admin, &view, end), account, None).is_empty());
    assert!(accounts_of(&view, resource, end).is_empty());
    let suspend = change(&[("permissionLevel", "suspended")]);
    let suspended = access.update(&admin, Kind::USER, user, suspend).unwrap();
    assert!(suspended.flag("suspended"));
    let now = world.tick();
    assert!(reached(&access, &admin, user, now).is_empty());
    assert_eq!(reached(&access, &admin, user, granted), ["jump"]);
    let clear = ObjectChange {
        replace_tags: true,
        ..change(&[("tag.a", "b")])
    };
    access.update(&admin, Kind::RESOURCE, host, clear).unwrap();
    let last = access.delete(&admin, Kind::RESOURCE, host).unwrap();
    assert_eq!(last.tags().collect::<Vec<_>>(), [("a", "b")]);
    let view = access.view(None);
    assert!(access.get(&admin, &view, Kind::RESOURCE, host).is_err());
}
