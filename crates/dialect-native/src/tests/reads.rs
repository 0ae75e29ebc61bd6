// SPDX-License-Identifier: Apache-2.0
//! Discovery, entities, relationships and queries, with and without a row condition.

use serde_json::{Value as Json, json};

use super::World;

fn counts(list: &Json, name: &str) -> Vec<(String, u64)> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| {
            (
                item[name].as_str().unwrap().to_owned(),
                item["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

fn keys(page: &Json) -> Vec<&str> {
    page["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["key"].as_str().unwrap())
        .collect()
}

#[test]
fn discovery_counts_what_the_caller_may_see() {
    let world = World::new();
    world.people();
    let berlin = world.berlin_key();
    let query = "{ classes { name count } types(class: \"User\") { name classes count }
        verbs { name count } triplets(to: \"host\") { from verb to count }
        properties(type: \"person\") { name kinds count } }";
    let all = world.ask(query, json!({}));
    assert!(counts(&all["classes"], "name").contains(&("Host".to_owned(), 2)));
    let types = counts(&all["types"], "name");
    assert!(
        types.contains(&("person".to_owned(), 2)) && types.contains(&("account".to_owned(), 1))
    );
    assert!(counts(&all["verbs"], "name").contains(&("USES".to_owned(), 1)));
    assert_eq!(
        all["triplets"],
        json!([
            {"from": "person", "verb": "OWNS", "to": "host", "count": 2},
            {"from": "person", "verb": "USES", "to": "host", "count": 1},
        ])
    );
    assert_eq!(
        all["properties"],
        json!([
            {"name": "age", "kinds": ["integer", "number"], "count": 2},
            {"name": "city", "kinds": ["string"], "count": 2},
        ])
    );
    let few = world.ask_as(&berlin, query, json!({}));
    assert_eq!(
        counts(&few["classes"], "name"),
        [("Host".to_owned(), 1), ("User".to_owned(), 1)]
    );
    assert_eq!(
        few["types"],
        json!([{"name": "person", "classes": ["User"], "count": 1}])
    );
    assert_eq!(counts(&few["verbs"], "name"), [("OWNS".to_owned(), 1)]);
    assert_eq!(few["triplets"].as_array().unwrap().len(), 1);
    assert_eq!(
        few["properties"][0],
        json!({"name": "age", "kinds": ["integer"], "count": 1})
    );
}

#[test]
fn entities_are_found_by_id_key_and_words() {
    let world = World::new();
    world.people();
    let found = world.ask(
        "{ entity(key: \"ann\") { id type classes source version properties(names: [\"age\"])
             relationships(direction: OUT, first: 1) { nodes { verb to { ... on Entity { key } } }
               pageInfo { endCursor hasNextPage } } } }",
        json!({}),
    );
    let ann = &found["entity"];
    assert_eq!(ann["properties"], json!({"age": 30}));
    assert_eq!(
        (&ann["type"], &ann["source"], &ann["version"]),
        (&json!("person"), &json!("test"), &json!(1))
    );
    assert_eq!(
        ann["relationships"]["nodes"],
        json!([{"verb": "OWNS", "to": {"key": "host-ann"}}])
    );
    let next = world.ask(
        "query($id: ID!, $after: String) { relationships(of: $id, direction: OUT, first: 1,
             after: $after) { nodes { verb } pageInfo { endCursor } } }",
        json!({"id": ann["id"], "after": ann["relationships"]["pageInfo"]["endCursor"]}),
    );
    assert_eq!(
        next["relationships"],
        json!({"nodes": [{"verb": "USES"}], "pageInfo": {"endCursor": null}})
    );
    let found = world.ask(
        "{ a: entities(class: \"Host\", search: \"oslo\") { totalCount nodes { key } }
           b: entities(type: \"person\", class: \"Host\") { totalCount nodes { key } }
           c: entity(id: \"00000000000000ff\") { key } d: entity(key: \"nobody\") { key } }",
        json!({}),
    );
    assert_eq!(keys(&found["a"]), ["host-bob"]);
    assert_eq!(
        (&found["b"]["totalCount"], &found["c"], &found["d"]),
        (&json!(0), &Json::Null, &Json::Null)
    );
    let token = &world.output.api_token;
    assert_eq!(
        world.code(token, "{ entity { key } }", json!({})),
        "BAD_USER_INPUT"
    );
    assert_eq!(
        world.code(
            token,
            "{ entities(after: \"x\") { totalCount } }",
            json!({})
        ),
        "BAD_USER_INPUT"
    );
}

#[test]
fn pages_of_entities_see_one_instant() {
    let world = World::new();
    world.people();
    let query = "query($after: String) { entities(search: \"o\", class: \"Host\", first: 1,
        after: $after) { totalCount nodes { key } pageInfo { endCursor hasNextPage } } }";
    let first = world.ask(query, json!({}));
    assert_eq!(keys(&first["entities"]), ["host-ann"]);
    world.write(vec![super::put("host-new", "host", "Host", &[])]);
    let after = &first["entities"]["pageInfo"]["endCursor"];
    let second = world.ask(query, json!({"after": after}));
    assert_eq!(keys(&second["entities"]), ["host-bob"]);
    assert_eq!(second["entities"]["totalCount"], 2);
    assert_eq!(second["entities"]["pageInfo"]["hasNextPage"], false);
}

#[test]
fn hidden_objects_are_not_there() {
    let world = World::new();
    world.people();
    let berlin = world.berlin_key();
    let ids = world.ask(
        "{ a: entity(key: \"ann\") { id } b: entity(key: \"bob\") { id relationships {
             nodes { id } } } }",
        json!({}),
    );
    let query = "query($a: ID!, $b: ID!, $r: ID!) { b: entity(id: $b) { key }
        r: relationship(id: $r) { verb }
        entities { nodes { key } } a: relationships(of: $a) { nodes { verb } }
        query(j1ql: \"FIND person\") { totalCount } }";
    let edge = &ids["b"]["relationships"]["nodes"][0]["id"];
    let variables = json!({"a": ids["a"]["id"], "b": ids["b"]["id"], "r": edge});
    let all = world.ask(query, variables.clone());
    assert_eq!(all["b"]["key"], "bob");
    assert_eq!(all["a"]["nodes"].as_array().unwrap().len(), 2);
    let few = world.ask_as(&berlin, query, variables);
    assert_eq!((&few["b"], &few["r"]), (&Json::Null, &Json::Null));
    assert_eq!(keys(&few["entities"]), ["host-ann", "ann"]);
    assert_eq!(few["a"]["nodes"], json!([{"verb": "OWNS"}]));
    assert_eq!(few["query"]["totalCount"], 1);
}

#[test]
fn queries_page_and_name_their_instant() {
    let world = World::new();
    let written = world.people();
    let query = "query($cursor: String) { query(limit: 1, cursor: $cursor,
        j1ql: \"FIND person AS p RETURN p._key AS key ORDER BY p._key\") {
        kind columns data cursor instant sequence } }";
    let first = world.ask(query, json!({}))["query"].take();
    assert_eq!(
        (&first["kind"], &first["columns"]),
        (&json!("TABLE"), &json!(["key"]))
    );
    assert_eq!(first["data"], json!([{"key": "ann"}]));
    assert_eq!(first["instant"], json!(written.to_string()));
    world.write(vec![super::put("aaa", "person", "User", &[])]);
    let second = world.ask(query, json!({"cursor": first["cursor"]}))["query"].take();
    assert_eq!(second["data"], json!([{"key": "bob"}]));
    assert_eq!(
        (&second["instant"], &second["sequence"]),
        (&first["instant"], &first["sequence"])
    );
    let plan = world.ask(
        "{ explain(j1ql: \"FIND person THAT OWNS host\") }",
        json!({}),
    );
    assert!(plan["explain"].as_str().unwrap().contains("OWNS"), "{plan}");
    let token = &world.output.api_token;
    let wrong = "{ query(j1ql: \"FIND\") { data } }";
    assert_eq!(world.code(token, wrong, json!({})), "BAD_USER_INPUT");
}
