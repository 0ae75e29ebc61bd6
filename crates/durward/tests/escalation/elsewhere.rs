// SPDX-License-Identifier: Apache-2.0
//! Ids and cursors of others: what belongs to another organization, or is hidden, is told apart by
//! nothing from what does not exist.

use serde_json::{Value as Json, json};

use crate::common::tokens::{key, policy};
use crate::common::{self, JUPITERONE, NATIVE, data};
use crate::strongdm::{Refusal, Sdk, id_in};
use crate::world::{DENIED, INVALID, NOT_FOUND, World};

const UNKNOWN: &str = "0123456789abcdef";

/// The same id with digits that nothing has.
fn unknown(id: &str) -> String {
    let (prefix, _) = id.rsplit_once('-').unwrap();
    format!("{prefix}-{UNKNOWN}")
}

/// What services make, as the first organization made it.
fn fill(world: &mut World) -> Vec<(&'static str, &'static str, Json)> {
    let mut all = Vec::new();
    let mut make = |service: &'static str, noun: &'static str, new: Json| {
        let made = world
            .sdk
            .ok(&format!("{service}.Create"), &json!({ noun: new }));
        all.push((service, noun, made[noun].clone()));
        id_in(&made[noun])
    };
    let user = json!({"user": {"email": "a@testbed.example", "first_name": "A"}});
    let account = make("Accounts", "account", user);
    let group = make("Groups", "group", json!({"name": "group"}));
    let role = make("Roles", "role", json!({"name": "role"}));
    let postgres = json!({"name": "ledger", "hostname": "db", "username": "u", "password": "p",
        "database": "d", "port": 5432});
    let resource = make("Resources", "resource", json!({ "postgres": postgres }));
    make("Nodes", "node", json!({"relay": {"name": "relay"}}));
    let text = "permit(principal, action, resource);";
    make(
        "Policies",
        "policy",
        json!({"name": "policy", "policy": text}),
    );
    let member = json!({"account_id": account, "group_id": group});
    make("AccountsGroups", "account_group", member);
    let bond = json!({"group_id": group, "role_id": role});
    make("GroupsRoles", "group_role", bond);
    let held = json!({"account_id": account, "role_id": role});
    make("AccountAttachments", "account_attachment", held);
    let grant = json!({"account_id": account, "resource_id": resource});
    make("AccountGrants", "account_grant", grant);
    all
}

#[test]
fn ids_of_another_organization_are_as_unknown_as_any() {
    let mut world = World::start();
    let objects = fill(&mut world);
    let (access_key, secret) = world.other.strongdm();
    let mut other = world.sdk.with_key(&world.server, access_key, secret);
    let weak = world.person("weak", "user");
    let mut weak = world.sdk_of(&weak, None);
    world.without_trace(|_| {
        let mut same = |other: &mut Sdk, name: &str, request: &Json, id: &str| {
            let with_unknown = request.to_string().replace(id, &unknown(id));
            let with_unknown: Json = serde_json::from_str(&with_unknown).unwrap();
            let refusal = other.refused(name, request, NOT_FOUND, "there is no such");
            let absent = other.refused(name, &with_unknown, NOT_FOUND, "there is no such");
            assert_eq!(refusal, absent, "{name}");
            // Whoever may do nothing is told nothing of ids either.
            let hidden = weak.refused(name, request, DENIED, "");
            let absent = weak.refused(name, &with_unknown, DENIED, "");
            assert_eq!(hidden, absent, "{name}");
        };
        for (service, noun, object) in &objects {
            let id = id_in(object);
            let by_id = json!({ "id": id });
            same(&mut other, &format!("{service}.Get"), &by_id, &id);
            same(&mut other, &format!("{service}.Delete"), &by_id, &id);
            if !service.starts_with("Account") && !service.starts_with("GroupsR")
                || *service == "Accounts"
            {
                let update = json!({"id": id, *noun: object});
                same(&mut other, &format!("{service}.Update"), &update, &id);
            }
            for (_, end) in object.as_object().unwrap() {
                let text = end.as_str().unwrap_or_default();
                let is_end = objects.iter().any(|(_, _, other)| id_in(other) == text) && text != id;
                if is_end {
                    let new = json!({ *noun: object });
                    same(&mut other, &format!("{service}.Create"), &new, text);
                }
            }
        }
        let account = id_in(&objects[0].2);
        let filters = [
            ("AccountResources", format!("account_id:{account}")),
            ("AccountAttachments", format!("account_id:{account}")),
            ("AccountsHistory", format!("id:{account}")),
            ("Accounts", format!("id:{account}")),
            ("AccountPermissions", format!("account_id:{account}")),
        ];
        for (service, filter) in filters {
            assert_eq!(
                other.list(service, &filter),
                Vec::<Json>::new(),
                "{service}"
            );
        }
        let grants = json!({"account_id": account});
        same(
            &mut other,
            "GrantedAccountEntitlements.List",
            &grants,
            &account,
        );
    });
}

#[test]
fn cyral_and_graphql_tell_no_more() {
    let mut world = World::start();
    let objects = fill(&mut world);
    let other = world.server.anonymous().with_token(world.other.api_token());
    let hex = |service: &str| {
        let (_, _, object) = objects.iter().find(|(name, ..)| *name == service).unwrap();
        id_in(object).rsplit_once('-').unwrap().1.to_owned()
    };
    let client_id = world.server.credentials().json()["cyral"]["client_id"].clone();
    let client_id = client_id.as_str().unwrap().to_owned();
    world.without_trace(|world| {
        let ask = |method: &str, path: &str, id: &str| {
            let path = format!("{path}{id}");
            let body = (method != "GET").then_some(&b"{\"name\":\"x\",\"displayName\":\"x\"}"[..]);
            let answer = other.send(method, &path, body).unwrap();
            assert!((400..500).contains(&answer.status), "{path}: {}", answer.body);
            (answer.status, answer.body.replace(id, "{id}"))
        };
        for (path, id) in [
            ("/v1/repos/", hex("Resources")),
            ("/v1/sidecars/", hex("Nodes")),
            ("/v1/users/groups/", hex("Roles")),
            ("/v1/users/serviceAccounts/", client_id),
        ] {
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let known = ask(method, path, &id);
                assert_eq!(known, ask(method, path, UNKNOWN), "{method} {path}");
            }
        }
        let same = |path: &str, text: &str, known: &Json| {
            let absent = json!("01234567-89ab-8def-8123-456789abcdef");
            let ask = |id: &Json| {
                let answer = other.graphql(path, text, &json!({ "id": id })).unwrap();
                answer.to_string().replace(id.as_str().unwrap(), "{id}")
            };
            let answer = ask(known);
            assert_eq!(answer, ask(&absent), "{text}");
            answer
        };
        let chief = common::jupiterone(&world.server);
        for kind in ["account", "access_role", "credential", "access_resource"] {
            let found = common::rows(&chief, &format!("FIND {kind} AS x RETURN x._id AS id"));
            let id = &found[0]["id"];
            for field in [
                "entity(id: $id) { id }",
                "history(id: $id) { nodes { activity } }",
                "relationships(of: $id) { nodes { id } }",
                "account(id: $id) { id }",
                "credentials(account: $id) { nodes { id } }",
                "auditTrail(actor: $id) { nodes { activity } }",
            ] {
                same(NATIVE, &format!("query Q($id: ID!) {{ {field} }}"), id);
            }
            for field in [
                "suspendAccount(id: $id) { id }",
                "resumeAccount(id: $id) { id }",
                "revokeCredential(id: $id) { id }",
                "createCredential(input: {account: $id, kind: \"api_token\", name: \"x\"}) { secret }",
            ] {
                same(NATIVE, &format!("mutation M($id: ID!) {{ {field} }}"), id);
            }
            let delete = "mutation D($id: String!) { deleteEntity(entityId: $id) { entity { _id } } }";
            same(JUPITERONE, delete, id);
            let revoke = "mutation R($id: String!) { revokeToken(id: $id) { revoked } }";
            same(JUPITERONE, revoke, id);
        }
    });
}

/// The answer of a page, or the refusal of its cursor.
fn page(sdk: &mut Sdk, service: &str, cursor: &str, filter: &str) -> Result<Json, Refusal> {
    let meta = json!({"limit": 1, "cursor": cursor});
    sdk.ask(
        &format!("{service}.List"),
        &json!({"meta": meta, "filter": filter}),
    )
}

/// A text with one letter in its middle changed.
fn tampered(text: &str, place: usize) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let place = letters.len() * place / 4;
    letters[place] = if letters[place] == 'A' { 'B' } else { 'A' };
    letters.into_iter().collect()
}

#[test]
fn cursors_are_of_no_use_to_others() {
    let mut world = World::start();
    fill(&mut world);
    for number in 0..3 {
        world.person(&format!("person{number}"), "user");
        let role = json!({"role": {"name": format!("role{number}")}});
        world.sdk.ask("Roles.Create", &role).unwrap();
    }
    let (access_key, secret) = world.other.strongdm();
    let mut other = world.sdk.with_key(&world.server, access_key, secret);
    let mut second = world.narrow(&["user:list", "audit:users", "role:list", "audit:activities"]);
    for service in ["Accounts", "AccountsHistory", "Activities", "Roles"] {
        let first = page(&mut world.sdk, service, "", "").unwrap();
        let cursor = first["meta"]["next_cursor"].as_str().unwrap().to_owned();
        assert!(!cursor.is_empty(), "{service}");
        page(&mut world.sdk, service, &cursor, "").unwrap();
        for sdk in [&mut second, &mut other] {
            let refusal = page(sdk, service, &cursor, "").unwrap_err();
            assert_eq!(refusal.code, INVALID, "{service}: {refusal:?}");
        }
        for place in 0..4 {
            let refusal = page(&mut world.sdk, service, &tampered(&cursor, place), "");
            assert_eq!(refusal.unwrap_err().code, INVALID, "{service}");
        }
        let changed = page(&mut world.sdk, service, &cursor, "id:x").unwrap_err();
        assert_eq!(changed.code, INVALID, "{service}: {changed:?}");
    }
    graphql_cursors(&world);
}

fn graphql_cursors(world: &World) {
    let chief = common::jupiterone(&world.server);
    let (_, blue) = key(
        &chief,
        "blue",
        &policy(&json!({"actions": ["query:ReadGraphData"],
        "condition": {"stringEquals": {"team": "blue"}}})),
        None,
    );
    let second = world.server.anonymous().with_token(&blue);
    let other = world.server.anonymous().with_token(world.other.api_token());
    let native = "query Q($after: String) { entities(first: 2, after: $after) {
        nodes { id } pageInfo { endCursor } } }";
    let first = data(&chief, NATIVE, native, &json!({}));
    let cursor = &first["entities"]["pageInfo"]["endCursor"];
    assert!(cursor.is_string(), "{first}");
    let changed = |place| json!(tampered(cursor.as_str().unwrap(), place));
    let attempts = [
        (&second, cursor.clone()),
        (&other, cursor.clone()),
        (&chief, changed(1)),
        (&chief, changed(2)),
        (&chief, changed(3)),
    ];
    for (client, cursor) in &attempts {
        let answer = client
            .graphql(NATIVE, native, &json!({ "after": cursor }))
            .unwrap();
        common::assert_refused(&answer, "BAD_USER_INPUT", "cursor");
    }
    let query = "query Q($after: String) { query(j1ql: \"FIND *\", limit: 2, cursor: $after) {
        data cursor } }";
    let first = data(&chief, NATIVE, query, &json!({}));
    let cursor = first["query"]["cursor"].as_str().unwrap();
    let mut attempts = vec![(&second, cursor.to_owned()), (&other, cursor.to_owned())];
    attempts.extend((1..4).map(|place| (&chief, tampered(cursor, place))));
    for (client, cursor) in attempts {
        let variables = json!({ "after": cursor });
        let answer = client.graphql(NATIVE, query, &variables).unwrap();
        common::assert_refused(&answer, "BAD_USER_INPUT", "cursor");
        let text =
            "query Q($after: String) { queryV1(query: \"FIND *\", cursor: $after) { data } }";
        let answer = client.graphql(JUPITERONE, text, &variables).unwrap();
        common::assert_refused(&answer, "BAD_USER_INPUT", "cursor");
    }
}
