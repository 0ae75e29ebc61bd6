// SPDX-License-Identifier: Apache-2.0
//! What was signed or granted once, sent again.

use serde_json::json;

use crate::common::ok;
use crate::wire::framed;
use crate::world::{UNAUTHENTICATED, World};

#[test]
fn a_signature_is_for_one_method_and_one_message() {
    let mut world = World::start();
    let list = world.sdk.call("Accounts.List", &json!({}));
    let role = world
        .sdk
        .call("Roles.Create", &json!({"role": {"name": "role"}}));
    world.sdk.wire.send(&list);
    let signature = |call: &crate::wire::Call| {
        let mut headers = call.headers.iter();
        headers
            .find(|(name, _)| name == "x-sdm-signature")
            .unwrap()
            .1
            .clone()
    };
    world.without_trace(|world| {
        let mut moved = list.clone();
        moved.path = "/v1.Roles/List".to_owned();
        let mut raised = list.clone();
        raised.path = "/v1.Roles/Create".to_owned();
        let replays = [
            moved,
            raised,
            list.with_body(framed(&[0x12, 0x01, b'x'])),
            role.with("x-sdm-signature", &signature(&list)),
            role.with("x-sdm-signature", &signature(&role)[1..]),
        ];
        for call in replays {
            world
                .sdk
                .wire
                .fails(&call, UNAUTHENTICATED, "authentication failed");
        }
    });
}

#[test]
fn a_key_that_is_gone_signs_nothing() {
    let mut world = World::start();
    let mut narrow = world.narrow(&["user:list"]);
    let call = narrow.call("Accounts.List", &json!({}));
    assert_eq!(narrow.wire.send(&call).code, "0");
    let token = world.sdk.list("Accounts", "name:\"narrow user:list\"");
    let id = crate::strongdm::id_in(&token[0]);
    world.sdk.ok("Accounts.Delete", &json!({"id": id}));
    narrow
        .wire
        .fails(&call, UNAUTHENTICATED, "authentication failed");
    let person = world.person("person", "auditor");
    let mut sdk = world.sdk_of(&person, None);
    let call = sdk.call("Accounts.List", &json!({}));
    assert_eq!(sdk.wire.send(&call).code, "0");
    world.sdk.ok("Accounts.Delete", &json!({"id": person}));
    sdk.wire
        .fails(&call, UNAUTHENTICATED, "authentication failed");
}

#[test]
fn a_secret_that_was_replaced_gives_no_tokens() {
    let world = World::start();
    let new = json!({"displayName": "robot", "roleIds": ["view-users"]});
    let made = ok(world.chief.post("/v1/users/serviceAccounts", &new).unwrap());
    let part = |name: &str| made[name].as_str().unwrap();
    let (id, secret) = (part("clientId"), part("clientSecret"));
    let granted = ok(world.token(id, secret));
    let (access, refresh) = (&granted["access_token"], &granted["refresh_token"]);
    let client = world
        .server
        .anonymous()
        .with_token(access.as_str().unwrap());
    let path = "/v1/users/serviceAccounts";
    ok(client.get(path).unwrap());
    let path_of_client = format!("{path}/{id}/rotateSecret");
    let rotated = ok(world.chief.post(&path_of_client, &json!({})).unwrap());
    assert_eq!(world.token(id, secret).status, 401);
    assert_eq!(client.get(path).unwrap().status, 401);
    let form = format!(
        "grant_type=refresh_token&client_id={id}&refresh_token={}",
        refresh.as_str().unwrap()
    );
    let answer = world.server.anonymous();
    let answer = answer
        .send("POST", "/v1/users/oidc/token", Some(form.as_bytes()))
        .unwrap();
    assert!(matches!(answer.status, 400 | 401), "{}", answer.body);
    let secret = rotated["clientSecret"].as_str().unwrap();
    assert_eq!(world.token(id, secret).status, 200);
}
