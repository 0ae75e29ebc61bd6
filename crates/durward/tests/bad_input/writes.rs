// SPDX-License-Identifier: Apache-2.0
//! Writes that must not be done, and bundles of which a part can be.

use durward_testkit::Server;
use serde_json::{Value, json};

use crate::common::{
    self, JOBS, JUPITERONE, NATIVE, OPENCTI, assert_refused, count, create, create_answer, data,
    jupiterone, ok, rows, start_job,
};

const PROTECTED: [&str; 7] = [
    "account",
    "account_service",
    "account_group",
    "access_role",
    "access_policy",
    "credential",
    "organization",
];

/// Everything of the core that a caller can see.
fn core(server: &Server) -> Value {
    let text = "{ accounts { nodes { id email active roles } }
        credentials(includeEnded: true) { nodes { id kind name active } }
        triplets { from verb to count } types { name count } }";
    data(&server.client(), NATIVE, text, &json!({}))
}

#[test]
fn protected_kinds_are_written_by_nobody() {
    let server = common::start();
    let client = jupiterone(&server);
    let mine = create(&client, "mine", "plain_user", "User", &json!({}));
    let before = core(&server);
    let id_of = |kind: &str| {
        let rows = rows(&client, &format!("FIND {kind} AS x RETURN x._id AS id"));
        rows[0]["id"].as_str().unwrap().to_owned()
    };
    let (admin, role) = (&id_of("account"), &id_of("access_role"));
    for kind in PROTECTED {
        let properties = json!({"email": "x@x.example", "displayName": "x"});
        let answer = create_answer(&client, "sneaky", kind, "User", &properties).unwrap();
        assert_refused(&answer, "FORBIDDEN", "protected");
    }
    for (from, to) in [(&mine, role), (admin, role), (role, &mine), (admin, &mine)] {
        let document = "mutation L($from: String!, $to: String!) { createRelationship(
            relationshipKey: \"k\", relationshipType: \"account_assigned_access_role\",
            relationshipClass: \"ASSIGNED\", fromEntityId: $from, toEntityId: $to) {
            edge { id } } }";
        let variables = json!({"from": from, "to": to});
        let answer = client.graphql(JUPITERONE, document, &variables).unwrap();
        assert_refused(&answer, "FORBIDDEN", "protected");
    }
    for text in [
        "mutation W($id: String!) {
            updateEntity(entityId: $id, properties: {active: false}) { entity { _id } } }",
        "mutation W($id: String!) { deleteEntity(entityId: $id) { entity { _id } } }",
    ] {
        for id in [admin, role] {
            let answer = client
                .graphql(JUPITERONE, text, &json!({"id": id}))
                .unwrap();
            assert_refused(&answer, "FORBIDDEN", "protected");
        }
    }
    let edge = rows(
        &client,
        "FIND account THAT ASSIGNED AS e access_role RETURN e._id AS id",
    );
    let text = "mutation W($id: String!) {
        deleteRelationship(relationshipId: $id) { edge { id } } }";
    let answer = client
        .graphql(JUPITERONE, text, &json!({"id": edge[0]["id"]}))
        .unwrap();
    assert_refused(&answer, "FORBIDDEN", "protected");
    synchronization_does_not_either(&server);
    assert_eq!(core(&server), before);
}

fn synchronization_does_not_either(server: &Server) {
    let client = server.client();
    let job = start_job(&client, "sneaky", "DIFF");
    for kind in PROTECTED {
        let item = json!({"entities": [{"_key": "p", "_type": kind, "_class": "User"}]});
        let answer = client
            .post(&format!("{JOBS}/{job}/entities"), &item)
            .unwrap();
        assert_eq!(answer.status, 400, "{}", answer.body);
        let json = answer.json().unwrap();
        assert!(
            json["error"]["message"]
                .as_str()
                .unwrap()
                .contains("protected"),
            "{json}"
        );
    }
    for source in ["durward", "system"] {
        let start = json!({"source": source, "scope": "s"});
        let answer = client.post(JOBS, &start).unwrap();
        assert!(
            matches!(answer.status, 400 | 403),
            "{source}: {}",
            answer.body
        );
    }
    let file = server.data().with_file_name("sneaky.ndjson");
    let line = json!({"_key": "p", "_type": "account", "_class": "User", "email": "p@x.example"});
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let file = common::text_of(&file);
    let token = server.credentials().api_token();
    let ran = common::run(&[
        "import",
        "graph",
        &file,
        "--url",
        server.url(),
        "--token",
        token,
    ]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("protected"), "{}", ran.err);
}

#[test]
fn a_write_that_fails_in_one_part_leaves_no_part() {
    let server = common::start();
    let client = jupiterone(&server);
    for (properties, part) in [
        (json!({"good": 1, "_id": "x"}), "_id"),
        (json!({"good": 1, "bad": {"a": 1}}), "bad"),
        (json!({"good": 1, "mixed": [1, "x"]}), "mixed"),
        (json!({"good": 1, "large": "x".repeat(2 << 20)}), ""),
    ] {
        let answer = create_answer(&client, "half", "half_item", "Record", &properties).unwrap();
        assert!(
            answer["data"]["createEntity"].is_null(),
            "{part}: {answer:.300}"
        );
        assert_refused(&answer, "BAD_USER_INPUT", part);
    }
    let answer = create_answer(&client, "half", "", "Record", &json!({})).unwrap();
    assert_refused(&answer, "BAD_USER_INPUT", "");
    assert_eq!(
        count(&client, "FIND * WITH _key = 'half' AS x RETURN count(x)"),
        0
    );
    let text = "mutation L { createRelationship(relationshipKey: \"k\",
        relationshipType: \"a_has_b\", relationshipClass: \"HAS\",
        fromEntityId: \"no id\", toEntityId: \"no id\") { edge { id } } }";
    let answer = client.graphql(JUPITERONE, text, &json!({})).unwrap();
    assert_refused(&answer, "NOT_FOUND", "no entity");
}

/// A bundle whose second of three objects is broken.
fn bundle(name: &str) -> Value {
    let object = |kind: &str, id: &str, rest: Value| {
        let mut object = json!({"type": kind, "spec_version": "2.1", "id": id,
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"});
        object
            .as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        object
    };
    let set = "intrusion-set--0d7a8f2e-6c7e-4b0e-9a38-0c5f3d1e2b44";
    let broken = "malware--11111111-2222-4333-8444-555555555555";
    let tool = "tool--66666666-7777-4888-8999-aaaaaaaaaaaa";
    json!({"type": "bundle", "id": "bundle--6a1c5b52-30f5-4c4b-9d0a-0d6a1a7b0c11", "objects": [
        object("intrusion-set", set, json!({"name": format!("{name} set")})),
        object("malware", broken, json!({"name": 7, "created": "yesterday", "is_family": false})),
        object("tool", tool, json!({"name": format!("{name} tool")})),
    ]})
}

#[test]
fn a_broken_object_in_a_bundle_is_named_and_the_others_arrive() {
    let server = common::start();
    let report = ok(server
        .client()
        .post("/import/stix", &bundle("first"))
        .unwrap());
    let rejected = report["rejected"].as_array().unwrap();
    assert_eq!(
        (&report["created"], rejected.len()),
        (&json!(2), 1),
        "{report}"
    );
    assert_eq!(rejected[0]["position"], 1, "{report}");
    assert_eq!(
        rejected[0]["id"],
        "malware--11111111-2222-4333-8444-555555555555"
    );
    assert!(
        rejected[0]["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty())
    );
    let file = server.data().with_file_name("bundle.json");
    std::fs::write(&file, bundle("second").to_string()).unwrap();
    let token = server.credentials().api_token();
    let file = common::text_of(&file);
    let ran = common::run(&[
        "import",
        "stix",
        &file,
        "--url",
        server.url(),
        "--token",
        token,
    ]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.out.contains(": 0 created, 2 updated, 0 unchanged"),
        "{}",
        ran.out
    );
    let named = ran.err.lines().next().unwrap();
    assert!(
        named.starts_with("left out: object 1 malware--11111111-2222-"),
        "{}",
        ran.err
    );
    let last = ran.err.lines().last().unwrap();
    assert_eq!(
        last,
        "durward: 1 objects were left out; the others are imported"
    );
    let names = "{ stixDomainObjects { edges { node { ... on IntrusionSet { name }
        ... on Tool { name } } } } }";
    let listed = data(&server.client(), OPENCTI, names, &json!({})).to_string();
    for name in ["second set", "second tool"] {
        assert!(listed.contains(name), "{name} is not in {listed}");
    }
}
