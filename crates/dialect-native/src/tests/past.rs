// SPDX-License-Identifier: Apache-2.0
//! Past instants, history, audit and the head.

use durward_graph::store::{Operation, Target};
use durward_model::Value;
use serde_json::{Value as Json, json};

use super::{World, put, space};

fn ann() -> Target {
    Target::Key(space(), "ann".to_owned())
}

/// Ann moves to Paris, then is gone. Returns the instants before and between.
fn moves(world: &World) -> (String, String) {
    let before = world.people();
    let between = world.write(vec![put(
        "ann",
        "person",
        "User",
        &[("city", Value::from("Paris"))],
    )]);
    world.write(vec![Operation::DeleteEntity { target: ann() }]);
    (before.to_string(), between.to_string())
}

#[test]
fn every_read_knows_the_past() {
    let world = World::new();
    let (before, between) = moves(&world);
    let query = "query($at: DateTime) { entity(key: \"ann\", at: $at) { properties }
        entities(type: \"person\", at: $at) { totalCount } verbs(at: $at) { name count }
        query(j1ql: \"FIND person\", at: $at) { totalCount } accounts(at: $at) { nodes { email } }
        organization(at: $at) { name committedAt } }";
    let then = world.ask(query, json!({"at": before}));
    assert_eq!(then["entity"]["properties"]["city"], "Berlin");
    assert_eq!(then["entities"]["totalCount"], 2);
    assert_eq!(then["query"]["totalCount"], 2);
    assert_eq!(
        then["organization"],
        json!({"name": "Acme", "committedAt": before})
    );
    let later = world.ask(query, json!({"at": between}));
    assert_eq!(
        later["entity"]["properties"],
        json!({"city": "Paris", "age": 30})
    );
    let now = world.ask(query, json!({}));
    assert_eq!(
        (&now["entity"], &now["entities"]["totalCount"]),
        (&Json::Null, &json!(1))
    );
    assert_eq!(now["accounts"]["nodes"].as_array().unwrap().len(), 1);
    let uses = json!({"name": "USES", "count": 1});
    assert!(then["verbs"].as_array().unwrap().contains(&uses));
    assert!(!now["verbs"].as_array().unwrap().contains(&uses));
    let long_ago = json!({"at": "2001-01-01T00:00:00Z"});
    let token = &world.output.api_token;
    let early = world.ask(
        "query($at: DateTime) { accounts(at: $at) { nodes { id } } }",
        long_ago.clone(),
    );
    assert_eq!(early["accounts"]["nodes"], json!([]));
    assert_eq!(
        world.code(
            token,
            "query($at: DateTime) { organization(at: $at) { id } }",
            long_ago
        ),
        "NOT_FOUND"
    );
    assert_eq!(
        world.code(token, "{ classes(at: \"then\") { name } }", json!({})),
        "BAD_USER_INPUT"
    );
}

#[test]
fn a_row_condition_holds_in_the_past() {
    let world = World::new();
    let (before, between) = moves(&world);
    let berlin = world.berlin_key();
    let query = "query($at: DateTime) { entity(key: \"ann\", at: $at) { key }
        entities(type: \"person\", at: $at) { totalCount } }";
    let then = world.ask_as(&berlin, query, json!({"at": before}));
    assert_eq!(
        then,
        json!({"entity": {"key": "ann"}, "entities": {"totalCount": 1}})
    );
    let later = world.ask_as(&berlin, query, json!({"at": between}));
    assert_eq!(
        later,
        json!({"entity": null, "entities": {"totalCount": 0}})
    );
}

#[test]
fn history_tells_what_changed_and_who_did_it() {
    let world = World::new();
    let (before, between) = moves(&world);
    let id = world.ask(
        "query($at: DateTime) { entity(key: \"ann\", at: $at) { id } }",
        json!({"at": before}),
    );
    let query = "query($id: ID!, $first: Int, $after: String) {
        history(id: $id, first: $first, after: $after) { nodes { kind version committedAt activity
            actor { email } changes } pageInfo { endCursor hasNextPage } } }";
    let all = world.ask(query, json!({"id": id["entity"]["id"], "first": 10}));
    let nodes = all["history"]["nodes"].as_array().unwrap();
    let kinds: Vec<&str> = nodes
        .iter()
        .map(|node| node["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["DELETED", "UPDATED", "CREATED"]);
    assert_eq!(nodes[1]["committedAt"], json!(between));
    assert_eq!(nodes[1]["activity"], "test data written");
    assert_eq!(nodes[1]["actor"], json!({"email": "admin@example.com"}));
    assert_eq!(
        nodes[1]["changes"],
        json!({"city": {"before": "Berlin", "after": "Paris"}})
    );
    assert_eq!(
        nodes[2]["changes"]["_class"],
        json!({"before": null, "after": ["User"]})
    );
    assert_eq!(
        nodes[0]["changes"]["city"],
        json!({"before": "Paris", "after": null})
    );
    assert_eq!(all["history"]["pageInfo"]["hasNextPage"], false);
    // One by one it is the same.
    let mut walked = Vec::new();
    let mut after = Json::Null;
    loop {
        let page = world.ask(
            query,
            json!({"id": id["entity"]["id"], "first": 1, "after": after}),
        );
        walked.extend(page["history"]["nodes"].as_array().unwrap().clone());
        after = page["history"]["pageInfo"]["endCursor"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(&walked, nodes);
}

#[test]
fn history_hides_secrets_and_hidden_versions() {
    let world = World::new();
    let (before, _) = moves(&world);
    let admin = world.output.admin.id.clone();
    let history = "query($id: ID!) { history(id: $id) { nodes { kind changes } } }";
    let of_admin = world.ask(history, json!({"id": admin})).to_string();
    assert!(
        of_admin.contains("passwordHash") && of_admin.contains("(secret)"),
        "{of_admin}"
    );
    assert!(!of_admin.contains("$argon2"), "{of_admin}");
    let berlin = world.berlin_key();
    let versions = "query($at: DateTime) { entity(key: \"ann\", at: $at) {
        history { nodes { version deleted properties } } } }";
    let seen = world.ask_as(&berlin, versions, json!({"at": before}));
    assert_eq!(
        seen["entity"]["history"]["nodes"].as_array().unwrap().len(),
        1
    );
    let id = world.ask(
        "query($at: DateTime) { entity(key: \"ann\", at: $at) { id } }",
        json!({"at": before}),
    );
    let id = json!({"id": id["entity"]["id"]});
    assert_eq!(world.code(&berlin, history, id), "FORBIDDEN");
    let unknown = json!({"id": "00000000000000ff"});
    assert_eq!(
        world.code(&world.output.api_token, history, unknown),
        "NOT_FOUND"
    );
}

#[test]
fn the_audit_trail_goes_back_to_the_first_transaction() {
    let world = World::new();
    moves(&world);
    let query = "query($first: Int, $after: String, $actor: ID) {
        auditTrail(first: $first, after: $after, actor: $actor) {
            nodes { sequence activity userAgent sourceAddress changeCount changes hash
                actor { email } }
            pageInfo { endCursor } } head { sequence hash committedAt } }";
    let page = world.ask(query, json!({"first": 2}));
    let nodes = page["auditTrail"]["nodes"].as_array().unwrap();
    assert_eq!(nodes[0]["sequence"], page["head"]["sequence"]);
    assert_eq!(nodes[0]["hash"], page["head"]["hash"]);
    assert_eq!(
        (&nodes[0]["userAgent"], &nodes[0]["actor"]["email"]),
        (&json!("test"), &json!("admin@example.com"))
    );
    // Ann's two relationships end with her.
    assert_eq!(nodes[0]["changeCount"], 3);
    let update = &nodes[1]["changes"][0];
    assert_eq!(
        (&update["change"], &update["type"], &update["properties"]),
        (
            &json!("entities updated"),
            &json!("person"),
            &json!(["city"])
        )
    );
    let mut sequences = Vec::new();
    let mut after = Json::Null;
    loop {
        let page = world.ask(query, json!({"first": 2, "after": after}));
        let nodes = page["auditTrail"]["nodes"].as_array().unwrap().clone();
        sequences.extend(nodes.iter().map(|node| node["sequence"].as_u64().unwrap()));
        after = page["auditTrail"]["pageInfo"]["endCursor"].clone();
        if after.is_null() {
            break;
        }
    }
    let newest = page["head"]["sequence"].as_u64().unwrap();
    assert_eq!(sequences, (1..=newest).rev().collect::<Vec<u64>>());
    let by_nobody = world.ask(query, json!({"first": 2, "actor": "00000000000000ff"}));
    assert_eq!(
        by_nobody["auditTrail"],
        json!({"nodes": [], "pageInfo": {"endCursor": null}})
    );
}
