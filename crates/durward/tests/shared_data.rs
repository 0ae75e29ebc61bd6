// SPDX-License-Identifier: Apache-2.0
//! Real graphs and real threat intelligence through the front door. Without the shared folder
//! these tests say so and do nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may panic"
)]

mod common;

use common::{count, done_at, jupiterone, rows, text_of};
use durward_testkit::{Server, shared};
use serde_json::{Value, json};

/// The objects of the enterprise bundle.
const ATTACK_OBJECTS: u64 = 24_771;

/// One row as `name=count`, as the file of expectations writes it.
fn as_pair(row: &Value) -> String {
    let columns: Vec<&Value> = row.as_object().unwrap().values().collect();
    let count = columns.iter().find(|value| value.is_number()).unwrap();
    let name = columns.iter().find_map(|value| value.as_str()).unwrap();
    format!("{name}={count}")
}

fn answer(server: &Server, query: &str, expected: &str) -> String {
    let client = jupiterone(server);
    let rows = rows(&client, query);
    if expected.contains('=') {
        return rows.iter().map(as_pair).collect::<Vec<_>>().join("; ");
    }
    if !query.contains("count(") {
        return rows.len().to_string();
    }
    let counted = rows[0]
        .as_object()
        .unwrap()
        .values()
        .next()
        .and_then(Value::as_u64)
        .unwrap();
    // A served organization also holds its own accounts, roles and credentials.
    let core = if query.starts_with("FIND *") {
        count(
            &client,
            "FIND * WITH _source = 'durward' AS x RETURN count(x)",
        )
    } else {
        0
    };
    (counted - core).to_string()
}

#[test]
fn real_graphs_give_the_expected_answers() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("data/graph");
    let expected = std::fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut checked = 0;
    for (dataset, ending) in [("k8s-org", "jsonl"), ("aws-permissions", "jsonl.gz")] {
        let server = common::start();
        let file = |name: &str| text_of(&folder.join(dataset).join(format!("{name}.{ending}")));
        let files = [file("entities"), file("relationships")];
        done_at(
            &server,
            &["import", "graph", &files[0], &files[1], "--scope", dataset],
        );
        for line in expected.lines().filter(|line| line.starts_with(dataset)) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(
                answer(&server, fields[1], fields[2]),
                fields[2],
                "{}",
                fields[1]
            );
            checked += 1;
        }
        let again = done_at(
            &server,
            &["import", "graph", &files[0], &files[1], "--scope", dataset],
        );
        assert_eq!(again, format!("scope {dataset}: nothing changed\n"));
    }
    assert_eq!(checked, 16);
}

#[test]
fn the_enterprise_matrix_comes_in_whole_and_once() {
    let Some(shared) = shared() else { return };
    let file = text_of(&shared.join("data/attack/enterprise-attack-18.1.stix21.json.zst"));
    let server = common::start();
    let token = server.credentials().api_token();
    let words = [
        "import",
        "stix",
        &file,
        "--url",
        server.url(),
        "--token",
        token,
    ];
    let first = common::run(&words);
    assert_eq!(
        (first.code, first.err.as_str()),
        (0, ""),
        "rejected or dangling: {}",
        first.out
    );
    let created = format!("{file}: {ATTACK_OBJECTS} created, 0 updated, 0 unchanged; ");
    assert!(first.out.starts_with(&created), "{}", first.out);
    let again = common::run(&words);
    let unchanged = format!("{file}: 0 created, 0 updated, {ATTACK_OBJECTS} unchanged; 0 shared");
    assert!(again.out.starts_with(&unchanged), "{}", again.out);
    let client = server
        .anonymous()
        .with_token(server.credentials().opencti());
    let text = "{ intrusionSets(first: 1, search: \"APT29\") { edges { node { name } } } }";
    let found = common::data(&client, common::OPENCTI, text, &json!({}));
    assert_eq!(
        found["intrusionSets"]["edges"][0]["node"]["name"], "APT29",
        "{found}"
    );
    done_at(&server, &["audit", "verify"]);
}
