// SPDX-License-Identifier: Apache-2.0
//! Accounts and credentials.

use durward_policy::Action;
use serde_json::{Value as Json, json};

use super::World;

fn new_account(world: &World, email: &str, role: &str) -> Json {
    let created = world.ask(
        "mutation($email: String!, $role: String!) {
           createAccount(input: {email: $email, role: $role}) { id kind email active roles
             entity { type } } }",
        json!({"email": email, "role": role}),
    );
    created["createAccount"].clone()
}

#[test]
fn accounts_are_made_suspended_and_resumed() {
    let world = World::new();
    let made = new_account(&world, "eve@example.com", "Viewer");
    assert_eq!(
        (&made["kind"], &made["active"], &made["roles"]),
        (&json!("user"), &json!(true), &json!(["Viewer"]))
    );
    assert_eq!(made["entity"]["type"], "account");
    let id = json!({"id": made["id"]});
    let suspended = world.ask(
        "mutation($id: ID!) { suspendAccount(id: $id) { active } }",
        id.clone(),
    );
    assert_eq!(suspended["suspendAccount"]["active"], false);
    let resumed = world.ask(
        "mutation($id: ID!) { resumeAccount(id: $id) { active } }",
        id.clone(),
    );
    assert_eq!(resumed["resumeAccount"]["active"], true);
    let page = world.ask(
        "{ accounts(first: 1) { nodes { email } pageInfo { endCursor } } }",
        json!({}),
    );
    let after = page["accounts"]["pageInfo"]["endCursor"].clone();
    let next = world.ask(
        "query($a: String) { accounts(after: $a) { nodes { email } pageInfo { endCursor } } }",
        json!({"a": after}),
    );
    assert_eq!(page["accounts"]["nodes"][0]["email"], "admin@example.com");
    assert_eq!(
        next["accounts"],
        json!({"nodes": [{"email": "eve@example.com"}], "pageInfo": {"endCursor": null}})
    );
    let token = &world.output.api_token;
    let again =
        "mutation { createAccount(input: {email: \"EVE@example.com\", role: \"Viewer\"}) { id } }";
    assert_eq!(world.code(token, again, json!({})), "CONFLICT");
    let caller = world.ask("{ caller { id email } }", json!({}));
    let own = json!({"id": caller["caller"]["id"]});
    assert_eq!(
        world.code(
            token,
            "mutation($id: ID!) { suspendAccount(id: $id) { id } }",
            own
        ),
        "BAD_USER_INPUT"
    );
}

#[test]
fn credentials_are_made_listed_and_revoked() {
    let world = World::new();
    let end = "2099-01-01T00:00:00Z";
    let made = world.ask(
        "mutation($end: DateTime) { createApiToken(input: {name: \"laptop\", expiresAt: $end}) {
             secret
             credential { id kind name active expiresAt account { email } } } }",
        json!({"end": end}),
    );
    let made = &made["createApiToken"];
    let secret = made["secret"].as_str().unwrap().to_owned();
    let credential = &made["credential"];
    assert_eq!(
        (&credential["kind"], &credential["active"]),
        (&json!("api_token"), &json!(true))
    );
    assert_eq!(
        (&credential["expiresAt"], &credential["account"]["email"]),
        (&json!(end), &json!("admin@example.com"))
    );
    let own = world.ask_as(&secret, "{ caller { email } }", json!({}));
    assert_eq!(own["caller"]["email"], "admin@example.com");
    let list =
        "query($ended: Boolean) { credentials(kind: \"api_token\", search: \"LAP\", own: true,
        includeEnded: $ended) { nodes { id revokedAt } } }";
    let listed = world.ask(list, json!({}));
    assert_eq!(
        listed["credentials"]["nodes"],
        json!([{"id": credential["id"], "revokedAt": null}])
    );
    let revoked = world.ask(
        "mutation($id: ID!) { revokeCredential(id: $id, reason: \"lost on a train\") { active } }",
        json!({"id": credential["id"]}),
    );
    assert_eq!(revoked["revokeCredential"]["active"], false);
    assert_eq!(
        world.ask(list, json!({}))["credentials"]["nodes"],
        json!([])
    );
    let ended = world.ask(list, json!({"ended": true}));
    assert!(ended["credentials"]["nodes"][0]["revokedAt"].is_string());
    let trail = world.ask(
        "{ auditTrail(first: 1) { nodes { activity detail } } }",
        json!({}),
    );
    let last = &trail["auditTrail"]["nodes"][0];
    assert_eq!(
        *last,
        json!({"activity": "credential revoked", "detail": "lost on a train"})
    );
    let token = &world.output.api_token;
    let unknown = "{ credentials(kind: \"magic\") { nodes { id } } }";
    assert_eq!(world.code(token, unknown, json!({})), "BAD_USER_INPUT");
}

#[test]
fn rights_are_asked_for_everything() {
    let world = World::new();
    world.people();
    // A key that may do nothing but read the graph.
    let berlin = world.berlin_key();
    let id = world.ask("{ caller { id } }", json!({}))["caller"]["id"].clone();
    for query in [
        "{ organization { id } }",
        "{ head { hash } }",
        "{ accounts { nodes { id } } }",
        "{ credentials { nodes { id } } }",
        "{ auditTrail { nodes { sequence } } }",
        "query($id: ID!) { history(id: $id) { nodes { kind } } }",
        "mutation { createAccount(input: {email: \"x@example.com\", role: \"Viewer\"}) { id } }",
        "mutation($id: ID!) { suspendAccount(id: $id) { id } }",
        "mutation($id: ID!) { resumeAccount(id: $id) { id } }",
        "mutation { createApiKey(input: {name: \"x\"}) { secret } }",
        "mutation { createApiToken(input: {name: \"x\"}) { secret } }",
    ] {
        let variables = if query.contains("$id") {
            json!({"id": id})
        } else {
            json!({})
        };
        assert_eq!(
            world.code(&berlin, query, variables),
            "FORBIDDEN",
            "{query}"
        );
    }
    assert!(!world.caller(&berlin).allows(Action::UserList));
    // Without the right to the graph nothing of it is read.
    let policy = json!({"permissions": [{
        "effect": "ALLOW", "actions": ["settings:GetSettings"], "resources": ["*"],
    }]});
    let key = world.ask(
        "mutation($policy: JSON) {
           createApiKey(input: {name: \"blind\", policy: $policy}) { secret } }",
        json!({"policy": policy}),
    );
    let blind = key["createApiKey"]["secret"].as_str().unwrap();
    for query in [
        "{ classes { name } }",
        "{ types { name } }",
        "{ verbs { name } }",
        "{ triplets { verb } }",
        "{ properties(type: \"person\") { name } }",
        "{ entity(key: \"ann\") { id } }",
        "{ entities { totalCount } }",
        "query($id: ID!) { relationship(id: $id) { id } }",
        "query($id: ID!) { relationships(of: $id) { nodes { id } } }",
        "{ query(j1ql: \"FIND person\") { data } }",
        "{ explain(j1ql: \"FIND person\") }",
        "{ caller { entity { id } } }",
    ] {
        let variables = if query.contains("$id") {
            json!({"id": id})
        } else {
            json!({})
        };
        assert_eq!(world.code(blind, query, variables), "FORBIDDEN", "{query}");
    }
}
