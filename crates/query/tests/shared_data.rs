// SPDX-License-Identifier: Apache-2.0
//! Real and synthetic graphs from the shared folder, with answers that other engines computed.
//! `DURWARD_SHARED` names the folder (default `../shared` beside the workspace); without it these
//! tests say so and do nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
#![allow(clippy::print_stderr, reason = "a skipped test must say so")]

#[path = "support/load.rs"]
mod load;

use std::path::{Path, PathBuf};
use std::process::Command;

use durward_graph::View;
use durward_model::Instant;
use durward_query::{CursorKey, PageSize, ResultKind, RunOptions, run};
use serde_json::Value as Json;

fn shared(path: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os("DURWARD_SHARED")
        .map_or_else(|| workspace.join("../shared"), PathBuf::from);
    let found = folder.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!(
        "SKIPPED: {path} is not in {}; set DURWARD_SHARED",
        folder.display()
    );
    None
}

fn rows(view: &View, query: &str) -> (ResultKind, Vec<Json>) {
    let mut options = RunOptions::new(
        Instant::from_millis(1_767_225_600_000),
        CursorKey::new(b"test"),
    );
    options.page = PageSize::Whole;
    let page = run(view, query, &options).unwrap_or_else(|error| panic!("{query}: {error}"));
    (page.kind, serde_json::from_slice(&page.data).unwrap())
}

/// One row as `name=count`, as the file of expectations writes it.
fn as_pair(row: &Json) -> String {
    let columns: Vec<&Json> = row.as_object().unwrap().values().collect();
    let count = columns.iter().find(|value| value.is_number()).unwrap();
    let name = columns.iter().find_map(|value| value.as_str()).unwrap();
    format!("{name}={count}")
}

#[test]
fn real_graphs_give_the_expected_answers() {
    let Some(folder) = shared("data/graph") else {
        return;
    };
    let expected = std::fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut checked = 0;
    for dataset in ["k8s-org", "aws-permissions"] {
        let view = load::load(&folder.join(dataset)).view(None);
        for line in expected.lines().filter(|line| line.starts_with(dataset)) {
            let fields: Vec<&str> = line.split('\t').collect();
            let (_, rows) = rows(&view, fields[1]);
            let got = if fields[2].contains('=') {
                rows.iter().map(as_pair).collect::<Vec<_>>().join("; ")
            } else {
                match rows.as_slice() {
                    [row] if fields[1].contains("count(") => row
                        .as_object()
                        .unwrap()
                        .values()
                        .next()
                        .unwrap()
                        .to_string(),
                    rows => rows.len().to_string(),
                }
            };
            assert_eq!(got, fields[2], "{}", fields[1]);
            checked += 1;
        }
    }
    assert_eq!(checked, 16);
}

#[test]
fn the_synthetic_company_gives_the_expected_answers() {
    let (Some(generator), Some(queries)) =
        (shared("bench/corpgraph.py"), shared("bench/queries.json"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("python3")
        .args([
            generator.as_os_str(),
            "--scale".as_ref(),
            "0.01".as_ref(),
            "--out".as_ref(),
        ])
        .arg(folder.path())
        .status();
    match made {
        Ok(status) if status.success() => {}
        other => {
            eprintln!("SKIPPED: python3 cannot make the company: {other:?}");
            return;
        }
    }
    let view = load::load(folder.path()).view(None);
    let queries: Json = serde_json::from_slice(&std::fs::read(queries).unwrap()).unwrap();
    let queries = queries["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 7);
    for query in queries {
        let text = query["j1ql"].as_str().unwrap().replace("{user}", "424");
        let (_, rows) = rows(&view, &text);
        let expected = &query["expect"]["0.01"];
        assert_eq!(
            rows.len() as u64,
            expected["rows"].as_u64().unwrap(),
            "{text}"
        );
        if let Some(sum) = expected["sum"].as_i64() {
            let numbers = rows.iter().map(|row| row["n"].as_i64().unwrap());
            assert_eq!(numbers.sum::<i64>(), sum, "{text}");
        }
    }
}
