// SPDX-License-Identifier: Apache-2.0
//! The worked examples of the language reference.

use serde_json::Value as Json;

use super::graph::{Company, NOW, parameter};
use crate::{CursorKey, ResultKind, RunOptions, run};

const EXAMPLES: &str = include_str!("worked_examples.json");

pub(super) fn options() -> RunOptions {
    let mut options = RunOptions::new(NOW, CursorKey::new(b"test"));
    options
        .parameters
        .insert("sensitive".to_owned(), parameter());
    options.account_id = "acme".to_owned();
    options
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// The result in the form in which the examples give it.
fn shown(company: &Company, kind: ResultKind, data: &[u8], ordered: bool) -> Json {
    let data: Json = serde_json::from_slice(data).unwrap();
    let names = |list: &Json| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        items
            .map(|item| company.name(&item["id"]).to_owned())
            .collect()
    };
    match kind {
        ResultKind::List if ordered => names(&data).into(),
        ResultKind::List => sorted(names(&data)).into(),
        ResultKind::Tree => serde_json::json!({
            "vertices": sorted(names(&data["vertices"])),
            "edges": sorted(names(&data["edges"])),
        }),
        ResultKind::Table if ordered => data,
        ResultKind::Table => rows_sorted(&data),
    }
}

pub(super) fn rows_sorted(rows: &Json) -> Json {
    let mut rows = rows.as_array().unwrap().clone();
    rows.sort_by_key(|row| {
        let mut members: Vec<String> = row
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        members.sort();
        members
    });
    rows.into()
}

fn expected(example: &Json, ordered: bool) -> Json {
    let data = &example["data"];
    match example["type"].as_str().unwrap() {
        "table" if !ordered => rows_sorted(data),
        "list" if !ordered => {
            let names = data.as_array().unwrap().iter();
            sorted(
                names
                    .map(|name| name.as_str().unwrap().to_owned())
                    .collect(),
            )
            .into()
        }
        _ => data.clone(),
    }
}

#[test]
fn all_worked_examples_give_what_the_reference_says() {
    let company = Company::new();
    let view = company.fixture.snapshot.view(None);
    let examples: Vec<Json> = serde_json::from_str(EXAMPLES).unwrap();
    assert_eq!(examples.len(), 46);
    let mut failures = Vec::new();
    for example in &examples {
        let query = example["query"].as_str().unwrap();
        let ordered = example["ordered"] == true;
        let wanted = expected(example, ordered);
        let failure = match run(&view, query, &options()) {
            Err(error) => error.to_string(),
            Ok(page) if page.kind.as_str() != example["type"] => format!("{:?}", page.kind),
            Ok(page) => {
                let got = shown(&company, page.kind, &page.data, ordered);
                if got == wanted {
                    continue;
                }
                got.to_string()
            }
        };
        failures.push(format!(
            "{}: {query}\n  got {failure}\n  not {wanted}",
            example["n"]
        ));
    }
    assert!(
        failures.is_empty(),
        "{} wrong:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
