// SPDX-License-Identifier: Apache-2.0
//! Pages, cursors, streams.

use serde_json::Value as Json;

use super::super::examples::options;
use super::super::graph::Company;
use crate::fixture::Edit;
use crate::{CursorKey, PageSize, QueryError, run, stream};

const QUERY: &str = "FIND Account AS a THAT HAS * AS x RETURN a.displayName, x.displayName";

#[test]
fn a_walk_sees_one_instant_and_one_now() {
    let mut company = Company::new();
    let mut options = options();
    options.page = PageSize::Rows(2);
    let first = run(&company.fixture.snapshot.view(None), QUERY, &options).unwrap();
    assert_eq!(first.rows, 2);
    let store = company
        .fixture
        .plain
        .entities
        .iter()
        .find(|one| one.key == "key:d3")
        .unwrap();
    let delete = Edit::Delete {
        number: store.number,
    };
    company.fixture.commit(&[delete]);
    options.cursor = first.cursor;
    let second = run(&company.fixture.snapshot.view(None), QUERY, &options).unwrap();
    let rows: Vec<Json> = serde_json::from_slice(&second.data).unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["x.displayName"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"orders"),
        "the store was there when the walk began: {names:?}"
    );
    assert_eq!(second.cursor, None, "four rows make two pages");
    let now = run(
        &company.fixture.snapshot.view(None),
        QUERY,
        &super::options(),
    )
    .unwrap();
    assert_eq!(now.rows, 3);
}

#[test]
fn cursors_of_others_and_altered_ones_are_refused() {
    let company = Company::new();
    let view = company.fixture.snapshot.view(None);
    let mut mine = options();
    mine.page = PageSize::Rows(1);
    let cursor = run(&view, QUERY, &mine).unwrap().cursor.unwrap();
    mine.cursor = Some(cursor.clone());
    assert!(run(&view, QUERY, &mine).is_ok());
    let refused = |query: &str, options: &crate::RunOptions| {
        assert_eq!(run(&view, query, options).unwrap_err(), QueryError::Cursor);
    };
    refused(
        "FIND Account AS a THAT HAS Host AS x RETURN a.displayName, x.displayName",
        &mine,
    );
    let mut other = mine.clone();
    other.cursor_key = CursorKey::new(b"somebody else");
    refused(QUERY, &other);
    let mut other = mine.clone();
    other.row_condition = Some(crate::RowCondition::any_of(vec![vec![]]));
    refused(QUERY, &other);
    let mut altered = mine.clone();
    altered.cursor = Some(format!("A{}", cursor.split_at(1).1.replace('_', "-")));
    assert_ne!(altered.cursor.as_deref(), Some(cursor.as_str()));
    refused(QUERY, &altered);
    altered.cursor = Some("nonsense".to_owned());
    refused(QUERY, &altered);
}

#[test]
fn a_stream_gives_the_whole_result() {
    let company = Company::new();
    let view = company.fixture.snapshot.view(None);
    let mut bytes = Vec::new();
    let mut options = options();
    options.page = PageSize::Rows(1);
    let page = stream(&view, QUERY, &options, &mut |chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    });
    let page = page.unwrap();
    assert_eq!((page.rows, page.cursor), (4, None));
    let rows: Vec<Json> = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(rows.len(), 4);
    let gone = stream(&view, QUERY, &options, &mut |_| Err(QueryError::Delivery));
    assert_eq!(gone.unwrap_err(), QueryError::Delivery);
}
