// SPDX-License-Identifier: Apache-2.0
//! Reach that follows from what others may change, and answers to writes: neither gives more than
//! the caller may give, or read.

use serde_json::{Value as Json, json};

use crate::common::{self, JUPITERONE, NATIVE, data};
use crate::world::{DENIED, World};

fn tagged(name: &str, tags: &[(&str, &str)]) -> Json {
    let pairs = tags.iter();
    let pairs = pairs.map(|(name, value)| json!({"name": name, "value": value}));
    json!({"postgres": {"name": name, "hostname": "db", "username": "u", "password": "p",
        "database": "d", "port": 5432, "tags": {"pairs": pairs.collect::<Vec<_>>()}}})
}

fn with_id(mut resource: Json, id: &str) -> Json {
    resource["postgres"]["id"] = json!(id);
    json!({"id": id, "resource": resource})
}

#[test]
fn a_tag_gives_no_reach_that_the_changer_may_not_give() {
    let mut world = World::start();
    let rules = json!([{"type": "postgres", "tags": {"env": "prod"}}]).to_string();
    let role = json!({"name": "production", "access_rules": rules});
    world.sdk.made("Roles", "role", &role);
    let ledger = tagged("ledger", &[("env", "dev")]);
    let ledger = world.sdk.made("Resources", "resource", &ledger);
    let mut keeper = world.narrow(&["datasource:update", "datasource:create", "datasource:list"]);
    let production = || with_id(tagged("ledger", &[("env", "prod")]), &ledger);
    world.without_trace(|_| {
        keeper.refused("Resources.Update", &production(), DENIED, "reach more");
        let new = json!({"resource": tagged("orders", &[("env", "prod")])});
        keeper.refused("Resources.Create", &new, DENIED, "reach more");
    });
    // What gives nobody more is the keeper's to change: other tags, and the tag's end.
    let other = with_id(tagged("ledger", &[("env", "dev"), ("team", "a")]), &ledger);
    keeper.ok("Resources.Update", &other);
    for giving in ["role:update", "grant:write"] {
        let mut giver = world.narrow(&["datasource:update", "datasource:list", giving]);
        giver.ok("Resources.Update", &production());
        // It is reached already: the keeper gives nothing by leaving it so.
        keeper.ok("Resources.Update", &production());
        keeper.ok("Resources.Update", &other);
    }
}

#[test]
fn whoever_may_only_write_reads_nothing_by_it() {
    let world = World::start();
    let chief = common::jupiterone(&world.server);
    let held = json!({"displayName": "reefmark", "note": "reefmark", "team": "red"});
    let id = common::create(&chief, "boat", "boat", "Host", &held);
    let administrator = world.administrator();
    let writing = ["graph:write"];
    let writer = world.credential(&administrator, "jupiterone_api_key", Some(&writing));
    let writer = world.server.anonymous().with_token(&writer.secret);
    let blind = json!({"permissions": [
        {"effect": "ALLOW", "actions": ["*"], "resources": ["*"]},
        {"effect": "DENY", "actions": ["query:ReadGraphData"], "resources": ["*"]},
    ]});
    let (_, blind) = common::tokens::key(&chief, "blind", &blind.to_string(), None);
    let blind = world.server.anonymous().with_token(&blind);
    let upsert = "mutation U($properties: JSON) { createEntity(entityKey: \"boat\",
        entityType: \"boat\", entityClass: [\"Host\"], properties: $properties) {
        entity { _id } vertex { id entity { _id _key _version displayName } properties } } }";
    let second = "mutation U($input: JSON!) { createEntityV2(input: $input) { entity } }";
    let update = "mutation U($id: String!) {
        updateEntity(entityId: $id, properties: {mine: 2}) { vertex { id properties } } }";
    for client in [&writer, &blind] {
        let sent = json!({"properties": {"mine": 1}});
        let answer = client.graphql(JUPITERONE, upsert, &sent).unwrap();
        let vertex = &answer["data"]["createEntity"]["vertex"];
        assert_eq!(vertex["id"], json!(id), "{answer}");
        assert_eq!(vertex["properties"], json!({"mine": 1}), "{answer}");
        assert_eq!(vertex["entity"]["_key"], "boat", "{answer}");
        assert!(vertex["entity"]["_version"].is_null(), "{answer}");
        let entity = json!({"_key": "boat", "_type": "boat", "_class": "Host", "mine": 3});
        let answer = client.graphql(JUPITERONE, second, &json!({"input": entity}));
        let told = answer.unwrap().to_string();
        assert!(
            told.contains("mine") && !told.contains("reefmark"),
            "{told}"
        );
        let told = client
            .graphql(JUPITERONE, update, &json!({"id": id}))
            .unwrap();
        assert!(!told.to_string().contains("reefmark"), "{told}");
    }
    let answer = chief.graphql(JUPITERONE, upsert, &json!({"properties": {}}));
    assert!(answer.unwrap().to_string().contains("reefmark"));
}

#[test]
fn answers_of_strongdm_and_of_accounts_pass_the_read_decision() {
    let mut world = World::start();
    let ledger = world
        .sdk
        .made("Resources", "resource", &tagged("ledger", &[]));
    let mut writer = world.narrow(&["datasource:update"]);
    let request = with_id(tagged("ledger", &[]), &ledger);
    let answer = writer.ok("Resources.Update", &request);
    let shown = &answer["resource"]["postgres"];
    assert_eq!(shown["id"], json!(ledger), "{answer}");
    assert_eq!(shown["hostname"], "db", "{answer}");
    let is_empty = |value: &Json| value.is_null() || value == "" || value == 0;
    assert!(is_empty(&shown["bind_interface"]), "{answer}");
    let answer = world.sdk.ok("Resources.Update", &request);
    let shown = &answer["resource"]["postgres"];
    assert!(!is_empty(&shown["bind_interface"]), "{answer}");
    let person = world.person("person", "user");
    let administrator = world.administrator();
    let rights = ["strongdm:user:suspend", "strongdm:accessrequest:requester"];
    let clerk = world.credential(&administrator, "api_token", Some(&rights));
    let clerk = world.server.anonymous().with_token(&clerk.secret);
    let suspend = "mutation S($id: ID!) { suspendAccount(id: $id) {
        id active displayName email roles } }";
    let id = json!({"id": person.trim_start_matches("a-")});
    let told = data(&clerk, NATIVE, suspend, &id);
    let told = &told["suspendAccount"];
    assert_eq!(told["active"], false, "{told}");
    assert!(
        told["email"].is_null() && told["displayName"] == "",
        "{told}"
    );
}

#[test]
fn counts_and_names_tell_nothing_of_what_is_hidden() {
    let world = World::start();
    let chief = common::jupiterone(&world.server);
    let blue = json!({"actions": ["*"], "condition": {"stringEquals": {"team": "blue"}}});
    let (_, blue) = common::tokens::key(&chief, "blue", &common::tokens::policy(&blue), None);
    let blue = world.server.anonymous().with_token(&blue);
    common::create(
        &chief,
        "seen",
        "boat",
        "Host",
        &json!({"team": "blue", "plain": 1}),
    );
    let hidden = json!({"team": "red", "reefmark": 1});
    let from = common::create(&chief, "hidden", "boat", "Host", &hidden);
    let to = common::create(&chief, "sub", "submarine", "Host", &hidden);
    let link = "mutation L($from: String!, $to: String!) { createRelationship(
        relationshipKey: \"k\", relationshipType: \"boat_has_submarine\", relationshipClass: \"HAS\",
        fromEntityId: $from, toEntityId: $to) { edge { id } } }";
    data(&chief, JUPITERONE, link, &json!({"from": from, "to": to}));
    let names = data(&blue, JUPITERONE, "{ getAllAssetProperties }", &json!({}));
    let names = names.to_string();
    assert!(
        names.contains("plain") && !names.contains("reefmark"),
        "{names}"
    );
    let ask = "query Q($text: String!) { queryV1(query: $text) { totalCount data } }";
    for text in [
        "FIND {}",
        "FIND {} THAT HAS boat",
        "FIND {} THAT !HAS boat",
        "FIND boat THAT HAS {}",
        "FIND boat THAT HAS {} AS s RETURN s",
        "FIND {} AS s RETURN s.team",
        "FIND {} AS s RETURN UNIQUE s.team",
        "FIND {} AS s RETURN s.team ORDER BY s.team",
        "FIND {} AS s RETURN count(s)",
        "FIND {} AS s THAT HAS boat AS b WHERE s.team = b.team",
    ] {
        let told = |kind: &str| {
            let text = text.replace("{}", kind);
            let answer = blue
                .graphql(JUPITERONE, ask, &json!({"text": text}))
                .unwrap();
            assert!(answer["errors"].is_null(), "{text}: {answer}");
            answer["data"].clone()
        };
        assert_eq!(told("submarine"), told("zeppelin"), "{text}");
    }
}
