// SPDX-License-Identifier: Apache-2.0
//! The bulk export through the routes, over a real store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "tests may panic, and their support is not a public API"
)]

mod support;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value as Json, json};
use support::{World, entity, link};

#[tokio::test]
async fn the_export_walks_one_instant() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let items: Vec<Json> = (0..5).map(|n| entity(&format!("e{n}"), "x")).collect();
    let upload = json!({"entities": items, "relationships": [link("e0", "e1")]});
    world
        .run(json!({"source": "api", "scope": "s"}), upload, json!({}))
        .await;
    let (_, first) = world.get("/entities?limit=3").await;
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    world
        .run(
            json!({"source": "api", "scope": "s"}),
            json!({"entities": [entity("e9", "y")]}),
            json!({}),
        )
        .await;
    let cursor = first["endCursor"].as_str().unwrap();
    let (_, second) = world
        .get(&format!("/entities?limit=3&cursor={cursor}"))
        .await;
    let keys: Vec<&str> = second["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["_key"].as_str().unwrap())
        .collect();
    assert_eq!((keys, second.get("endCursor")), (vec!["e3", "e4"], None));
    let (_, now) = world.get("/entities").await;
    assert_eq!(now["items"].as_array().unwrap().len(), 1);
    let (_, all) = world.get("/entities?includeDeleted=true").await;
    let deleted = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["_deleted"] == true);
    assert_eq!(deleted.count(), 5);
    let (_, links) = world.get("/relationships?includeDeleted=true").await;
    assert_eq!(links["items"][0]["_key"], "e0|HAS|e1");
    assert_eq!(
        world.get("/entities?limit=0").await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        world.get("/entities?cursor=zz").await.0,
        StatusCode::BAD_REQUEST
    );
    // A cursor is of one list and of one caller, and of no other.
    for path in ["/relationships", "/entities?includeDeleted=true"] {
        let join = if path.contains('?') { '&' } else { '?' };
        let (status, _) = world.get(&format!("{path}{join}cursor={cursor}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
    let mut other = world.access.clone();
    other.cursor_key = durward_query::CursorKey::new(b"two");
    let request = || {
        Request::get(format!("/entities?cursor={cursor}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(
        world.send_as(Some(other), request()).await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(world.send(request()).await.0, StatusCode::OK);
    let altered = cursor.replacen(|letter| letter != 'A', "A", 1);
    let (status, _) = world.get(&format!("/entities?cursor={altered}")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn metadata_of_the_integration_are_on_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let start = json!({"source": "integration-external", "integrationInstanceId": "i-1",
        "integrationName": "Okta", "integrationClass": ["IAM", "SSO"]});
    let claims = json!({"_key": "a", "_type": "box", "_class": "Host",
        "_integrationInstanceId": "another"});
    let upload = json!({"entities": [claims, entity("b", "B")], "relationships": [link("a", "b")]});
    world.run(start.clone(), upload.clone(), json!({})).await;
    let (_, exported) = world.get("/entities").await;
    for item in exported["items"].as_array().unwrap() {
        assert_eq!(item["_integrationInstanceId"], "i-1");
        assert_eq!(item["_integrationName"], "Okta");
        assert_eq!(item["_integrationClass"], json!(["IAM", "SSO"]));
    }
    let (_, links) = world.get("/relationships").await;
    assert_eq!(links["items"][0]["_integrationInstanceId"], "i-1");
    let head = world.store.head();
    world.run(start, upload, json!({})).await;
    assert_eq!(world.store.head(), head, "the same again writes nothing");
    let wrong = json!({"source": "api", "scope": "s", "integrationName": "x"});
    assert_eq!(
        world.post("", wrong.to_string()).await.0,
        StatusCode::BAD_REQUEST
    );
}
