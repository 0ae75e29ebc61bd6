// SPDX-License-Identifier: Apache-2.0
//! What commands refuse, and what they keep as it was sent.

use durward_model::{ErrorKind, Instant, ObjectId, Value};

use super::{AccessOf as _, World, change, made, properties};
use crate::effective::{VALID_FROM, VALID_UNTIL};
use crate::{AccessError, Kind, NewObject, Object, Properties};

/// Tells what a refusal says.
fn refused<T>(result: Result<T, AccessError>, kind: ErrorKind, part: &str) {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn names_and_addresses_are_kept_as_sent() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    for kind in [Kind::ROLE, Kind::GROUP, Kind::SERVICE] {
        let new = NewObject::entity(kind, properties(&[("displayName", "  e\u{301}  x ")]));
        let shown = access.create(&admin, new).unwrap().object;
        assert_eq!(shown.text("displayName"), "  e\u{301}  x ");
        let renamed = change(&[("displayName", " y")]);
        let shown = access.update(&admin, kind, shown.id, renamed).unwrap();
        assert_eq!(shown.text("displayName"), " y");
        let blank = NewObject::entity(kind, properties(&[("displayName", " ")]));
        refused(
            access.create(&admin, blank),
            ErrorKind::Invalid,
            "must not be empty",
        );
    }
    for email in ["plain", "a@b@c", "Jürgen"] {
        let new = NewObject::entity(Kind::USER, properties(&[("email", email)]));
        assert_eq!(
            access.create(&admin, new).unwrap().object.text("email"),
            email
        );
        let again = properties(&[("email", &email.to_uppercase())]);
        let again = access.create(&admin, NewObject::entity(Kind::USER, again));
        refused(again, ErrorKind::AlreadyExists, "e-mail address");
    }
    for email in ["", "a b", " a", "a\t"] {
        let new = NewObject::entity(Kind::USER, properties(&[("email", email)]));
        refused(
            access.create(&admin, new),
            ErrorKind::Invalid,
            "e-mail address",
        );
    }
}

#[test]
fn equal_nodes_are_several_unless_names_must_differ() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let node = || properties(&[("displayName", "n"), ("kind", "relay")]);
    for _ in 0..3 {
        access
            .create(&admin, NewObject::entity(Kind::NODE, node()))
            .unwrap();
    }
    let strict = NewObject {
        is_name_unique: true,
        ..NewObject::entity(Kind::NODE, node())
    };
    refused(
        access.create(&admin, strict),
        ErrorKind::AlreadyExists,
        "node with this name",
    );
    let other = made(
        &access,
        &admin,
        Kind::NODE,
        &[("displayName", "m"), ("kind", "relay")],
    );
    let mut renamed = change(&[("displayName", "n")]);
    renamed.is_name_unique = true;
    let renamed = access.update(&admin, Kind::NODE, other, renamed);
    refused(renamed, ErrorKind::AlreadyExists, "node with this name");
}

#[test]
fn nobody_is_above_themselves() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let user = |name: &str| made(&access, &admin, Kind::USER, &[("email", name)]);
    let set = |id: ObjectId, manager: ObjectId| {
        let change = change(&[("managerId", &format!("a-{manager}"))]);
        access.update(&admin, Kind::USER, id, change)
    };
    let (one, two, three) = (user("one"), user("two"), user("three"));
    refused(set(one, one), ErrorKind::Invalid, "reports to this user");
    set(one, two).unwrap();
    set(two, three).unwrap();
    refused(set(three, one), ErrorKind::Invalid, "reports to this user");
    refused(set(two, one), ErrorKind::Invalid, "reports to this user");
    refused(
        set(three, ObjectId(1)),
        ErrorKind::Invalid,
        "not the id of a user",
    );
    access.delete(&admin, Kind::USER, two).unwrap();
    set(three, one).unwrap();
}

/// A resource with a port and an address of its own.
fn placed(name: &str, address: &str, port: i64) -> NewObject {
    let mut new = properties(&[("displayName", name), ("kind", "redis")]);
    new.insert("portOverride".to_owned(), Value::Int(port));
    if !address.is_empty() {
        new.insert("bindInterface".to_owned(), Value::from(address));
    }
    NewObject::entity(Kind::RESOURCE, new)
}

#[test]
fn no_two_resources_are_at_one_place() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let make = |name: &str, address: &str, port: i64| {
        let created = access.create(&admin, placed(name, address, port));
        created.map(|created| created.object)
    };
    let place = |object: &Object| {
        let port = object.properties.get("portOverride").cloned();
        (object.text("bindInterface").to_owned(), port)
    };
    let first = make("first", "", 20_000).unwrap();
    let here = ("127.0.0.1".to_owned(), Some(Value::Int(20_000)));
    assert_eq!(place(&first), here);
    let taken = "resource with this port and bind interface already";
    refused(make("x", "", 20_000), ErrorKind::AlreadyExists, taken);
    refused(
        make("x", "127.0.0.1", 20_000),
        ErrorKind::AlreadyExists,
        taken,
    );
    let second = make("second", "127.0.0.2", 20_000).unwrap();
    let move_to = |id: ObjectId, address: &str| {
        let change = change(&[("bindInterface", address)]);
        access.update(&admin, Kind::RESOURCE, id, change)
    };
    refused(
        move_to(second.id, "127.0.0.1"),
        ErrorKind::AlreadyExists,
        taken,
    );
    // What it has already is no collision, and what was given up is free.
    assert_eq!(place(&move_to(first.id, "127.0.0.1").unwrap()), here);
    access.delete(&admin, Kind::RESOURCE, first.id).unwrap();
    assert_eq!(place(&move_to(second.id, "127.0.0.1").unwrap()), here);
    // A given port is another than a chosen one.
    let given = make("given", "", 0).unwrap();
    assert_ne!(place(&given), here);
    let mut anew = change(&[]);
    let port = given.properties.get("portOverride").cloned().unwrap();
    anew.properties.insert("portOverride".to_owned(), port);
    let again = access.update(&admin, Kind::RESOURCE, second.id, anew);
    refused(again, ErrorKind::AlreadyExists, taken);
}

#[test]
fn subdomains_and_references_are_checked() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let make = |name: &str, pairs: &[(&str, &str)]| {
        let mut all = properties(&[("displayName", name), ("kind", "redis")]);
        all.extend(properties(pairs));
        access.create(&admin, NewObject::entity(Kind::RESOURCE, all))
    };
    make("one", &[("subdomain", "web")]).unwrap();
    let two = make("two", &[("subdomain", "web2")]).unwrap().object;
    let taken = make("three", &[("subdomain", "WEB")]);
    refused(
        taken,
        ErrorKind::AlreadyExists,
        "resource with this subdomain already",
    );
    refused(
        make("two", &[]),
        ErrorKind::AlreadyExists,
        "resource with this name already",
    );
    let change_to =
        |pairs: &[(&str, &str)]| access.update(&admin, Kind::RESOURCE, two.id, change(pairs));
    refused(
        change_to(&[("subdomain", "web")]),
        ErrorKind::AlreadyExists,
        "subdomain",
    );
    let relay = made(&access, &admin, Kind::NODE, &[("kind", "relay")]);
    let cluster = made(&access, &admin, Kind::NODE, &[("kind", "proxy_cluster")]);
    for (property, id) in [
        ("secretStoreId", "se-0000000000000001".to_owned()),
        ("proxyClusterId", "x".to_owned()),
        ("proxyClusterId", format!("n-{relay}")),
        ("proxyClusterId", format!("n-{}", two.id)),
    ] {
        let pairs = [(property, id.as_str())];
        refused(make("x", &pairs), ErrorKind::Invalid, "does not exist");
        refused(change_to(&pairs), ErrorKind::Invalid, "does not exist");
    }
    let id = format!("n-{cluster}");
    change_to(&[("proxyClusterId", &id)]).unwrap();
    access.delete(&admin, Kind::NODE, cluster).unwrap();
    // Clients send back what they have read.
    let kept = change_to(&[("proxyClusterId", &id)]).unwrap();
    assert_eq!(kept.text("proxyClusterId"), id);
}

#[test]
fn a_grant_ends_alone_and_overlaps_no_other() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let user = made(&access, &admin, Kind::USER, &[("email", "u")]);
    let host = made(
        &access,
        &admin,
        Kind::RESOURCE,
        &[("displayName", "h"), ("kind", "ssh")],
    );
    let start = world.now();
    let grant = |from: i64, until: Option<i64>| {
        let mut times = Properties::new();
        let at = |seconds: i64| -> Instant { start.plus_seconds(seconds) };
        times.insert(VALID_FROM.to_owned(), Value::from(at(from)));
        if let Some(until) = until {
            times.insert(VALID_UNTIL.to_owned(), Value::from(at(until)));
        }
        let new = NewObject::relationship(Kind::GRANT, user, host, times);
        access.create(&admin, new).map(|created| created.object.id)
    };
    let first = grant(0, Some(100)).unwrap();
    let second = grant(100, Some(200)).unwrap();
    let overlapping = "grant with this account and resource for an overlapping time";
    for (from, until) in [(50, Some(60)), (-50, Some(1)), (199, None), (-50, None)] {
        refused(grant(from, until), ErrorKind::AlreadyExists, overlapping);
    }
    access.delete(&admin, Kind::GRANT, first).unwrap();
    let view = access.view(None);
    assert!(access.get(&admin, &view, Kind::GRANT, first).is_err());
    assert!(access.get(&admin, &view, Kind::GRANT, second).is_ok());
    assert_ne!(grant(0, Some(100)).unwrap(), first);
}

#[test]
fn privileges_in_rules_are_kept_and_reach_nothing_themselves() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let host = made(
        &access,
        &admin,
        Kind::RESOURCE,
        &[("displayName", "h"), ("kind", "ssh")],
    );
    let privileges = r#""privileges":{"k8s":{"groups":["dev"]}}"#;
    let text = format!(
        r#"[{{"ids":["rs-{host}"],{privileges}}},{{"type":"ssh","privileges":null}},
            {{"tags":{{"a":"b"}},{privileges}}}]"#
    );
    let role = [("displayName", "r"), ("accessRules", text.as_str())];
    let role = NewObject::entity(Kind::ROLE, properties(&role));
    let role = access.create(&admin, role).unwrap().object;
    assert_eq!(role.text("accessRules"), text);
    for (wrong, part) in [
        (
            format!("[{{{privileges}}}]"),
            "needs ids, type, tags or query",
        ),
        (
            format!(r#"[{{"ids":[],"type":"ssh",{privileges}}}]"#),
            "ids cannot stand beside",
        ),
        (
            r#"[{"type":"ssh","privileges":7}]"#.to_owned(),
            "privileges must be an object",
        ),
        (
            r#"[{"type":"ssh","privilege":{}}]"#.to_owned(),
            "there is no key \"privilege\"",
        ),
    ] {
        let wrong = change(&[("accessRules", wrong.as_str())]);
        refused(
            access.update(&admin, Kind::ROLE, role.id, wrong),
            ErrorKind::Invalid,
            part,
        );
    }
}
