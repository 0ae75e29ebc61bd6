// SPDX-License-Identifier: Apache-2.0
//! `durward query`: formats, plans, past instants, with and without a server.

use serde_json::{Value, json};

use crate::common::{
    self, JUPITERONE, NATIVE, create, data, done, done_at, jupiterone, rows_at, text_of,
};

const UPDATE: &str = "mutation U($id: String!, $properties: JSON) {
  updateEntity(entityId: $id, properties: $properties) { entity { _id } } }";
const DELETE: &str = "mutation D($id: String!) { deleteEntity(entityId: $id) { entity { _id } } }";
const LINK: &str = "mutation L($from: String!, $to: String!) {
  createRelationship(relationshipKey: \"a|HAS|b\", relationshipType: \"desk_has_desk\",
    relationshipClass: \"HAS\", fromEntityId: $from, toEntityId: $to) { edge { id } } }";

#[test]
fn results_are_printed_in_every_format() {
    let mut server = common::start();
    let client = jupiterone(&server);
    let first = create(
        &client,
        "a",
        "desk",
        "Device",
        &json!({"displayName": "One, \"big\""}),
    );
    let second = create(
        &client,
        "b",
        "desk",
        "Device",
        &json!({"displayName": "Two"}),
    );
    data(
        &client,
        JUPITERONE,
        LINK,
        &json!({"from": first, "to": second}),
    );
    let table = "FIND desk AS d RETURN d.displayName AS name ORDER BY name DESC";
    let list = "FIND desk";
    let tree = "FIND desk AS a THAT HAS >> desk AS b RETURN TREE";
    let cases = [
        (
            table,
            "table",
            "name\n----------\nTwo\nOne, \"big\"\n\n2 rows\n",
        ),
        (table, "csv", "name\r\nTwo\r\n\"One, \"\"big\"\"\"\r\n"),
        (tree, "tree", "One, \"big\" (desk)\n  HAS Two (desk)\n"),
    ];
    for (query, format, expected) in cases {
        assert_eq!(
            done_at(&server, &["query", query, "--format", format]),
            expected
        );
    }
    let json = done_at(&server, &["query", table, "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json, json!([{"name": "Two"}, {"name": "One, \"big\""}]));
    let json = done_at(&server, &["query", tree, "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["vertices"].as_array().map(Vec::len), Some(2), "{json}");
    assert_eq!(json["edges"].as_array().map(Vec::len), Some(1), "{json}");
    let listed = done_at(&server, &["query", list, "--format", "csv"]);
    assert!(
        listed.starts_with("_type,_class,displayName,_key\r\ndesk,Device,"),
        "{listed}"
    );
    let plan = done_at(&server, &["query", tree, "--explain"]);
    assert!(plan.contains("HAS") && plan.lines().count() > 1, "{plan}");
    let online: Vec<String> = ["table", "csv", "json", "tree"]
        .iter()
        .flat_map(|format| [table, list, tree].map(|query| (query, *format)))
        .map(|(query, format)| done_at(&server, &["query", query, "--format", format]))
        .collect();
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let offline: Vec<String> = ["table", "csv", "json", "tree"]
        .iter()
        .flat_map(|format| [table, list, tree].map(|query| (query, *format)))
        .map(|(query, format)| done(&["query", query, "--format", format, "--data", &folder]))
        .collect();
    assert_eq!(online, offline);
}

#[test]
fn unknown_names_are_told_on_standard_error() {
    let mut server = common::start();
    let client = jupiterone(&server);
    create(
        &client,
        "a",
        "desk",
        "Device",
        &json!({"displayName": "One"}),
    );
    let query = "FIND dsk WITH displyName = 'One' AS d RETURN d.displayName AS name";
    let expected = "warning: unknown type \"dsk\" at line 1 column 6; did you mean \"desk\"?\n\
                    warning: unknown property \"displyName\" at line 1 column 15; did you mean \
                    \"displayName\"?\n";
    let token = server.credentials().api_token().to_owned();
    let url = server.url().to_owned();
    let online = common::run(&[
        "query", query, "--format", "csv", "--url", &url, "--token", &token,
    ]);
    server.stop().unwrap();
    let folder = text_of(&server.data());
    let offline = common::run(&["query", query, "--format", "csv", "--data", &folder]);
    for ran in [online, offline] {
        assert_eq!((ran.code, &*ran.out), (0, "name\r\n"), "{}", ran.err);
        assert!(ran.err.ends_with(expected), "{}", ran.err);
    }
}

fn head(server: &durward_testkit::Server) -> String {
    let head = data(
        &server.client(),
        NATIVE,
        "{ head { committedAt } }",
        &json!({}),
    );
    head["head"]["committedAt"].as_str().unwrap().to_owned()
}

#[test]
fn past_instants_are_as_they_were() {
    let mut server = common::start();
    let client = jupiterone(&server);
    let before = head(&server);
    let id = create(
        &client,
        "a",
        "desk",
        "Device",
        &json!({"displayName": "old"}),
    );
    let old = head(&server);
    data(
        &client,
        JUPITERONE,
        UPDATE,
        &json!({"id": id, "properties": {"displayName": "new"}}),
    );
    let new = head(&server);
    data(&client, JUPITERONE, DELETE, &json!({"id": id}));
    let query = "FIND desk AS d RETURN d.displayName AS name";
    let expected = [(before, ""), (old, "old\r\n"), (new, "new\r\n")];
    for run in 0..3 {
        for (at, name) in &expected {
            let words = ["query", query, "--format", "csv", "--at", at];
            let said = done_at(&server, &words);
            assert_eq!(
                said.strip_prefix("name\r\n").unwrap_or(said.trim()),
                *name,
                "at {at}"
            );
        }
        let said = done_at(&server, &["query", query]);
        assert_eq!(said.trim(), "name\n----\n\n0 rows");
        // After a restart from the checkpoint, and after one that replays the journal.
        if run == 0 {
            server.restart().unwrap();
        } else {
            server.kill9().unwrap();
            server.restart().unwrap();
        }
    }
    server.stop().unwrap();
    let folder = text_of(&server.data());
    for (at, name) in &expected {
        let words = [
            "query", query, "--format", "csv", "--at", at, "--data", &folder,
        ];
        let said = done(&words);
        assert_eq!(
            said.strip_prefix("name\r\n").unwrap_or(said.trim()),
            *name,
            "at {at}"
        );
    }
}

#[test]
fn an_import_can_be_looked_back_behind() {
    let server = common::start();
    let client = jupiterone(&server);
    let files = [
        common::sample("company/entities.ndjson"),
        common::sample("company/relationships.ndjson"),
    ];
    let before = head(&server);
    done_at(
        &server,
        &["import", "graph", &files[0], &files[1], "--scope", "m"],
    );
    let after = head(&server);
    let empty = server.data().with_file_name("empty.ndjson");
    std::fs::write(&empty, "\n").unwrap();
    done_at(
        &server,
        &["import", "graph", &text_of(&empty), "--scope", "m"],
    );
    let count = |at: &str| {
        let query = "FIND * WITH _scope = 'm' AS x RETURN count(x) AS n";
        rows_at(&client, query, &json!(at))[0]["n"].clone()
    };
    assert_eq!(count(&before), 0);
    assert_eq!(count(&after), 699);
    assert_eq!(count(&head(&server)), 0);
    let paths = "FIND Person THAT IS User AS u RETURN count(u) AS n";
    let then = rows_at(&client, paths, &json!(after));
    assert!(then[0]["n"].as_u64().unwrap() > 50, "{then:?}");
    assert_eq!(common::count(&client, paths), 0);
}
