// SPDX-License-Identifier: Apache-2.0
//! Through the graph: what only commands may write, by JupiterOne's mutations and by
//! synchronization. Whoever tries may write everything else.

use durward_testkit::Client;
use serde_json::{Value as Json, json};

use crate::common::{self, JOBS, JUPITERONE, assert_refused, job_call, ok, rows, start_job};
use crate::world::World;

const TYPES: [&str; 9] = [
    "account",
    "account_service",
    "account_group",
    "access_role",
    "access_resource",
    "access_node",
    "access_policy",
    "credential",
    "organization",
];
const LINK: &str = "mutation L($from: String!, $to: String!, $verb: String!, $type: String!) {
  createRelationship(relationshipKey: \"sneaky\", relationshipType: $type,
    relationshipClass: $verb, fromEntityId: $from, toEntityId: $to) { edge { id } } }";
/// Verbs that give something, and one that does not.
const VERBS: [(&str, &str); 6] = [
    ("ASSIGNED", "account_assigned_access_role"),
    ("HAS", "account_group_has_account"),
    ("ALLOWS", "account_allows_access_resource"),
    ("ALLOWS", "access_role_allows_access_resource"),
    ("OWNS", "account_owns_credential"),
    ("USES", "anything_uses_anything"),
];

/// An editor: it may write the graph and synchronize.
fn editor(world: &mut World, kind: &str) -> (Client, String) {
    let person = world.person("editor", "user");
    let role = world.role("Editor");
    let held = json!({"account_id": person, "role_id": role});
    world
        .sdk
        .made("AccountAttachments", "account_attachment", &held);
    (world.bearer(&person, kind), person)
}

/// One object of each protected type, and a relationship between some.
fn fill(world: &mut World) {
    let group = json!({"name": "crew"});
    let group = world.sdk.made("Groups", "group", &group);
    let postgres = json!({"name": "ledger", "hostname": "db", "username": "u", "password": "p",
        "database": "d", "port": 5432});
    let resource = json!({ "postgres": postgres });
    let resource = world.sdk.made("Resources", "resource", &resource);
    let relay = json!({"relay": {"name": "relay"}});
    world.sdk.made("Nodes", "node", &relay);
    let policy = json!({"name": "all", "policy": "permit(principal, action, resource);"});
    world.sdk.made("Policies", "policy", &policy);
    let service = json!({"service": {"name": "robot"}});
    let service = world.sdk.made("Accounts", "account", &service);
    let member = json!({"account_id": service, "group_id": group});
    world.sdk.made("AccountsGroups", "account_group", &member);
    let grant = json!({"account_id": service, "resource_id": resource});
    world.sdk.made("AccountGrants", "account_grant", &grant);
}

fn ids(world: &World, kind: &str) -> Vec<String> {
    let chief = common::jupiterone(&world.server);
    let found = rows(&chief, &format!("FIND {kind} AS x RETURN x._id AS id"));
    let ids: Vec<String> = found
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(!ids.is_empty(), "there is no {kind}");
    ids
}

#[test]
fn mutations_do_not_touch_what_commands_write() {
    let mut world = World::start();
    fill(&mut world);
    let (editor, _) = editor(&mut world, "jupiterone_api_key");
    let mine = common::create(&editor, "mine", "plain_user", "User", &json!({}));
    let other = common::create(&editor, "other", "plain_host", "Host", &json!({}));
    let edge = json!({"from": mine, "to": other, "verb": "HAS", "type": "plain"});
    common::data(&editor, JUPITERONE, LINK, &edge);
    world.without_trace(|world| {
        let refused = |text: &str, variables: &Json| {
            let answer = editor.graphql(JUPITERONE, text, variables).unwrap();
            assert_refused(&answer, "FORBIDDEN", "protected");
        };
        for kind in TYPES {
            let properties = json!({"displayName": "sneaky", "_source": "durward"});
            let plain = json!({"displayName": "sneaky"});
            let answer = common::create_answer(&editor, "sneaky", kind, "User", &plain);
            assert_refused(&answer.unwrap(), "FORBIDDEN", "protected");
            let own = common::create_answer(&editor, "sneaky", "plain_user", "User", &properties);
            assert!(!own.unwrap()["errors"].is_null(), "a source was accepted");
        }
        let all: Vec<String> = TYPES.iter().flat_map(|kind| ids(world, kind)).collect();
        for (verb, relationship_type) in VERBS {
            for core in &all {
                for (from, to) in [(&mine, core), (core, &mine), (&all[0], core), (core, core)] {
                    let link = json!({"from": from, "to": to, "verb": verb,
                        "type": relationship_type});
                    refused(LINK, &link);
                }
            }
        }
        let update = "mutation U($id: String!) {
            updateEntity(entityId: $id, properties: {suspended: false, rights: [\"graph:read\"]})
            { entity { _id } } }";
        let delete = "mutation D($id: String!) {
            deleteEntity(entityId: $id) { entity { _id } } }";
        for core in &all {
            refused(update, &json!({"id": core}));
            refused(delete, &json!({"id": core}));
        }
        let end = "mutation E($id: String!) {
            deleteRelationship(relationshipId: $id) { edge { id } } }";
        let change = "mutation C($id: String!) {
            updateRelationship(relationshipId: $id, properties: {validUntil: null})
            { edge { id } } }";
        for path in [
            "account THAT ASSIGNED AS e access_role",
            "account THAT OWNS AS e credential",
            "account_group THAT HAS AS e account_service",
            "account_service THAT ALLOWS AS e access_resource",
        ] {
            let chief = common::jupiterone(&world.server);
            let found = rows(&chief, &format!("FIND {path} RETURN e._id AS id"));
            let variables = json!({"id": found[0]["id"]});
            refused(end, &variables);
            refused(change, &variables);
        }
    });
}

/// Uploads that name what commands write, each alone. `{id}` are ids, `{key}` are keys.
fn uploads(role: &str, account: &str) -> Vec<Json> {
    let entity = |kind: &str| {
        json!({"entities": [{"_key": "sneaky", "_type": kind, "_class": "User",
            "displayName": "sneaky"}]})
    };
    let mut all: Vec<Json> = TYPES.into_iter().map(entity).collect();
    let own = json!({"_key": "plain", "_type": "plain_user", "_class": "User"});
    for (verb, kind) in VERBS {
        let to = |end: Json| {
            let mut link = json!({"_key": "link", "_type": kind, "_class": verb});
            for (name, value) in end.as_object().unwrap() {
                link[name] = value.clone();
            }
            json!({"entities": [own], "relationships": [link]})
        };
        all.push(to(json!({"_fromEntityKey": "plain", "_toEntityId": role})));
        all.push(to(json!({"_fromEntityId": account, "_toEntityId": role})));
        all.push(to(
            json!({"_fromEntityKey": "plain", "_toEntityKey": "role:administrator",
            "_toEntitySource": "durward", "_toEntityScope": ""}),
        ));
        all.push(to(json!({"_mapping": {"sourceEntityKey": "plain",
            "relationshipDirection": "FORWARD", "targetFilterKeys": [["_type", "displayName"]],
            "targetEntity": {"_type": "access_role", "displayName": "Administrator"}}})));
    }
    all.push(
        json!({"entities": [{"_key": "plain", "_type": "plain_user", "_class": "User",
        "_source": "durward"}]}),
    );
    all
}

#[test]
fn synchronization_does_not_touch_what_commands_write() {
    let mut world = World::start();
    fill(&mut world);
    let (editor, _) = editor(&mut world, "api_token");
    let (role, account) = (
        ids(&world, "access_role").remove(0),
        ids(&world, "account").remove(0),
    );
    let chief = common::jupiterone(&world.server);
    let edges = rows(
        &chief,
        "FIND account THAT ASSIGNED AS e access_role RETURN e._id AS id",
    );
    let edge = edges[0]["id"].as_str().unwrap().to_owned();
    let before = core(&mut world);
    let mut uploads = uploads(&role, &account);
    for id in [&role, &account] {
        uploads.push(json!({"deleteEntities": [{"_id": id}]}));
    }
    for key in ["role:administrator", "organization", "role:editor"] {
        uploads.push(json!({"deleteEntities": [{"_key": key}]}));
        uploads.push(json!({"deleteEntities": [{"_key": key, "_source": "durward"}]}));
    }
    uploads.push(json!({"deleteRelationships": [{"_id": edge}]}));
    for mode in ["DIFF", "PATCH", "CREATE_OR_UPDATE", "CROSS_SCOPE"] {
        for (number, upload) in uploads.iter().enumerate() {
            // Each in a job of its own: one that is refused must not hide the next.
            let job = start_job(&editor, &format!("{mode}-{number}"), mode);
            let path = format!("{JOBS}/{job}/upload");
            let answer = editor.post(&path, upload).unwrap();
            assert!(
                matches!(answer.status, 200 | 400 | 403),
                "{upload}: {}",
                answer.body
            );
            let mut ended = job_call(&editor, &job, "finalize", &json!({}));
            while ended["job"]["status"] == "FINALIZE_PENDING" {
                ended = ok(editor.get(&format!("{JOBS}/{job}")).unwrap());
            }
            assert_ne!(
                ended["job"]["status"], "ERROR_UNEXPECTED_FAILURE",
                "{ended}"
            );
        }
        assert_eq!(core(&mut world), before, "{mode}");
    }
    for source in ["durward", "system", "Durward"] {
        let start = json!({"source": source, "scope": "", "syncMode": "DIFF"});
        let answer = editor.post(JOBS, &start).unwrap();
        assert!(
            matches!(answer.status, 400 | 403),
            "{source}: {}",
            answer.body
        );
    }
    assert_eq!(core(&mut world), before);
}

/// What of the core there is: core objects, and every relationship that has one at an end.
fn core(world: &mut World) -> Json {
    let mut state = world.state();
    for name in ["organization", "types"] {
        state["native"].as_object_mut().unwrap().remove(name);
    }
    let chief = common::jupiterone(&world.server);
    for kind in TYPES {
        let outward = rows(
            &chief,
            &format!("FIND {kind} THAT RELATES TO AS e * RETURN e._type, e._id"),
        );
        let inward = rows(
            &chief,
            &format!("FIND * THAT RELATES TO AS e {kind} RETURN e._type, e._id"),
        );
        let mut all: Vec<String> = outward.iter().chain(&inward).map(Json::to_string).collect();
        all.sort();
        state[kind] = all.into();
    }
    state
}
