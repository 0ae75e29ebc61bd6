// SPDX-License-Identifier: Apache-2.0
//! Queries that are wrong, and a query that would never end.

use std::fmt::Write as _;

use serde_json::json;

use crate::common::{
    self, JUPITERONE, NATIVE, OPENCTI, assert_refused, code, count, jupiterone, query_answer,
};

#[test]
fn j1ql_errors_name_line_and_column() {
    let server = common::start();
    let client = jupiterone(&server);
    for (text, line, column) in [
        ("FIND", 1, 5),
        ("", 1, 1),
        ("FIND User WITH active", 1, 22),
        ("FIND User\nWITH active = = true", 2, 15),
        ("FIND User\r\n\tTHAT HAS\n RETURN u", 3, 2),
        ("FIND User THAT HAS >> << Host", 1, 23),
    ] {
        let answer = query_answer(&client, text);
        let place = format!("at line {line} column {column}");
        assert_refused(&answer, "BAD_USER_INPUT", &place);
        assert!(answer["data"]["queryV1"].is_null(), "{answer}");
        let native = server.client();
        let document = "query Q($q: String!) { query(j1ql: $q) { data } explain(j1ql: $q) }";
        let answer = native
            .graphql(NATIVE, document, &json!({"q": text}))
            .unwrap();
        assert_eq!(code(&answer), "BAD_USER_INPUT", "{answer}");
        assert!(common::message(&answer).contains(&place), "{answer}");
    }
    for (text, part) in [
        ("FIND User AS u RETURN v.name", "v"),
        ("FIND User LIMIT -1", "between 1 and"),
        ("FIND User WITH name ~= '('", ""),
        (&"(".repeat(100_000), "more than 65536"),
        (&format!("FIND User WITH {}a = 1", "(".repeat(50_000)), ""),
    ] {
        let answer = query_answer(&client, text);
        let is_refusal =
            code(&answer) == "BAD_USER_INPUT" && common::message(&answer).contains(part);
        let is_empty = answer["data"]["queryV1"]["data"] == json!([]);
        assert!(
            is_refusal || (part.is_empty() && is_empty),
            "{text:.60}: {answer}"
        );
    }
    let cursor = json!({"query": "FIND * AS x RETURN x", "cursor": "AAAA"});
    let document = "query Q($query: String!, $cursor: String) {
        queryV1(query: $query, cursor: $cursor) { data } }";
    let answer = client.graphql(JUPITERONE, document, &cursor).unwrap();
    assert_refused(&answer, "BAD_USER_INPUT", "cursor");
}

#[test]
fn opencti_names_an_unknown_filter_key() {
    let server = common::start();
    let client = server
        .anonymous()
        .with_token(server.credentials().opencti());
    let document = "query F($filters: FilterGroup) {
        intrusionSets(filters: $filters) { edges { node { id } } } }";
    let filters = |key: &str| {
        json!({"filters": {"mode": "and", "filterGroups": [], "filters": [
            {"key": [key], "values": ["x"], "operator": "eq", "mode": "or"}]}})
    };
    let answer = client
        .graphql(OPENCTI, document, &filters("favourite_colour"))
        .unwrap();
    assert_refused(&answer, "UNSUPPORTED_ERROR", "favourite_colour");
    assert_eq!(
        answer["errors"][0]["extensions"]["data"]["key"],
        "favourite_colour"
    );
    assert_eq!(answer["errors"][0]["name"], "UNSUPPORTED_ERROR");
    let answer = client.graphql(OPENCTI, document, &filters("name")).unwrap();
    assert!(answer.get("errors").is_none(), "{answer}");
}

/// Entities of the graph in which everything leads to everything.
const NODES: u32 = 100;

/// As many lines as a complete graph has entities and relationships.
fn complete_graph() -> String {
    let mut lines = String::new();
    for node in 0..NODES {
        let entity = json!({"_key": format!("n{node}"), "_type": "maze", "_class": "Site",
            "number": node});
        writeln!(lines, "{entity}").unwrap();
    }
    for (from, to) in (0..NODES).flat_map(|from| (0..NODES).map(move |to| (from, to))) {
        let relationship = json!({"_key": format!("n{from}|CONNECTS|n{to}"),
            "_type": "maze_connects_maze", "_class": "CONNECTS",
            "_fromEntityKey": format!("n{from}"), "_toEntityKey": format!("n{to}")});
        writeln!(lines, "{relationship}").unwrap();
    }
    lines
}

#[test]
fn a_query_of_a_million_million_paths_ends_by_its_limit() {
    let server = common::start_configured("[limits]\nquery_paths_max = 300000\n");
    let client = jupiterone(&server);
    let file = server.data().with_file_name("maze.ndjson");
    std::fs::write(&file, complete_graph()).unwrap();
    common::done_at(
        &server,
        &[
            "import",
            "graph",
            &common::text_of(&file),
            "--scope",
            "maze",
        ],
    );
    assert_eq!(
        count(&client, "FIND maze AS x RETURN count(x)"),
        u64::from(NODES)
    );
    let hop = " THAT CONNECTS >> maze";
    let walk = format!("FIND maze AS a{}{hop} AS z", hop.repeat(4));
    // A page of it is a page like any other.
    let page = query_answer(&client, &format!("{walk} RETURN a.number, z.number"));
    let page = &page["data"]["queryV1"];
    assert!(page["cursor"].is_string(), "{:.300}", page.to_string());
    assert!(
        page["data"]
            .as_array()
            .is_some_and(|rows| rows.len() < 100_000)
    );
    let whole = format!("{walk} RETURN a.number AS n, z.number AS m ORDER BY m");
    let answer = query_answer(&client, &whole);
    assert_refused(&answer, "QUERY_LIMIT_EXCEEDED", "300000 paths");
    assert!(answer["data"]["queryV1"].is_null(), "{answer}");
    let deferred = "query D($query: String!) {
        queryV1(query: $query, deferredResponse: FORCE) { url } }";
    let variables = json!({"query": whole});
    let url = common::data(&client, JUPITERONE, deferred, &variables)["queryV1"]["url"].take();
    let path = url
        .as_str()
        .unwrap()
        .strip_prefix(server.url())
        .unwrap()
        .to_owned();
    let result = loop {
        let result = common::ok(server.anonymous().get(&path).unwrap());
        if result["status"] != "IN_PROGRESS" {
            break result;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(result["status"], "FAILED", "{result}");
    assert!(
        result["error"].as_str().unwrap().contains("300000 paths"),
        "{result}"
    );
    // What does not need the paths one by one is answered.
    assert_eq!(
        count(&client, &format!("{walk} RETURN count(z)")),
        u64::from(NODES)
    );
    assert_eq!(
        count(&client, "FIND maze AS x RETURN count(x)"),
        u64::from(NODES)
    );
}
