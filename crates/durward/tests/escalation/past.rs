// SPDX-License-Identifier: Apache-2.0
//! The past: what one may know of it is what one may do now, not what one could then.

use std::time::Duration;

use durward_model::{Clock as _, SystemClock};
use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::tokens::{key, policy};
use crate::common::{self, JUPITERONE, NATIVE, assert_refused};
use crate::world::{DENIED, UNAUTHENTICATED, World};

/// A whole second that is over, with everything so far before it; and nothing after in it.
fn instant() -> i64 {
    let second = || SystemClock.now().as_micros() / 1_000_000;
    let before = second();
    while second() < before + 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
    before + 1
}

fn text(second: i64) -> String {
    let now = SystemClock.now();
    let behind = second - now.as_micros() / 1_000_000;
    let at = now.plus_seconds(behind).to_rfc3339_millis();
    format!("{}.000Z", at.split('.').next().unwrap())
}

#[test]
fn rights_count_now_and_not_then() {
    let mut world = World::start();
    let person = world.person("person", "auditor");
    let mut sdk = world.sdk_of(&person, None);
    let then = instant();
    let request = json!({"meta": {"snapshot_at": {"seconds": then}}});
    let get = json!({"id": person, "meta": {"snapshot_at": {"seconds": then}}});
    sdk.ok("Accounts.List", &request);
    sdk.ok("Accounts.Get", &get);
    let level = |world: &mut World, level: &str| {
        let user = json!({"id": person, "email": "person@testbed.example",
            "first_name": "person", "last_name": "Tester", "permission_levelRW": level});
        let request = json!({"id": person, "account": {"user": user}});
        world.sdk.ok("Accounts.Update", &request);
    };
    level(&mut world, "user");
    for name in [
        "Accounts.List",
        "Roles.List",
        "Resources.List",
        "AccountAttachments.List",
    ] {
        sdk.refused(name, &request, DENIED, "");
    }
    sdk.refused("Accounts.Get", &get, DENIED, "");
    for name in [
        "AccountResources.List",
        "AccountsHistory.List",
        "Activities.List",
    ] {
        sdk.refused(name, &request, DENIED, "");
    }
    // And the other way about: who may now may see what was before.
    let weak_then = instant();
    level(&mut world, "auditor");
    let request = json!({"meta": {"snapshot_at": {"seconds": weak_then}}});
    sdk.ok("Accounts.List", &request);
    level(&mut world, "suspended");
    sdk.refused("Accounts.List", &request, UNAUTHENTICATED, "");
}

#[test]
fn graphql_asks_for_rights_of_now_too() {
    let mut world = World::start();
    let person = world.person("person", "user");
    let viewer = world.role("Viewer");
    let held = json!({"account_id": person, "role_id": viewer});
    let held = world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    let client = world.bearer(&person, "api_token");
    let at = json!({"at": text(instant())});
    let queries = [
        (
            NATIVE,
            "query Q($at: DateTime) { entities(at: $at) { totalCount } }",
        ),
        (
            NATIVE,
            "query Q($at: DateTime) { query(j1ql: \"FIND *\", at: $at) { data } }",
        ),
        (NATIVE, "query Q($at: DateTime) { types(at: $at) { name } }"),
        (
            JUPITERONE,
            "query Q($at: DateTime) { queryV1(query: \"FIND *\", at: $at) { data } }",
        ),
    ];
    for (path, query) in queries {
        common::data(&client, path, query, &at);
    }
    world
        .sdk
        .ok("AccountAttachments.Delete", &json!({"id": held}));
    for (path, query) in queries {
        assert_refused(&client.graphql(path, query, &at).unwrap(), "FORBIDDEN", "");
    }
}

/// A thing that a key with a condition may see and, later, may not.
#[test]
fn what_is_hidden_now_has_no_history_to_show() {
    let world = World::start();
    let chief = common::jupiterone(&world.server);
    let boat = |team: &str, note: &str| {
        let properties = json!({"displayName": "boat", "team": team, "note": note});
        common::create(&chief, "boat", "boat", "Host", &properties)
    };
    boat("red", "first secret");
    let before = text(instant());
    let id = boat("blue", "shown");
    let shown = text(instant());
    boat("red", "second secret");
    let condition = json!({"actions": ["query:ReadGraphData"],
        "condition": {"stringEquals": {"team": "blue"}}});
    let (_, blue) = key(&chief, "blue", &policy(&condition), None);
    let blue = world.server.anonymous().with_token(&blue);
    let rows = |at: &Json| common::rows_at(&blue, "FIND boat AS b RETURN b.note AS n", at);
    assert_eq!(rows(&Json::Null), Vec::<Json>::new());
    assert_eq!(rows(&json!(before)), Vec::<Json>::new());
    // An instant is answered as it was: then it was one of theirs, and they could see it.
    assert_eq!(rows(&json!(shown)), [json!({"n": "shown"})]);
    let everything = |client: &Client| {
        let text = "query Q($id: ID!) { entity(id: $id) { properties history { nodes {
            properties } } } history(id: $id) { nodes { changes } } relationships(of: $id) { nodes
            { id } } }";
        client.graphql(NATIVE, text, &json!({ "id": id })).unwrap()
    };
    let answer = everything(&blue).to_string();
    assert!(
        !answer.contains("secret") && !answer.contains("shown"),
        "{answer}"
    );
    let text = "query Q($id: ID!, $at: DateTime) { entity(id: $id, at: $at) { properties
        history { nodes { properties } } } }";
    let variables = json!({"id": id, "at": shown});
    let answer = blue.graphql(NATIVE, text, &variables).unwrap().to_string();
    assert!(!answer.contains("secret"), "{answer}");
    assert!(
        everything(&world.chief)
            .to_string()
            .contains("second secret")
    );
}
