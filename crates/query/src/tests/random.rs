// SPDX-License-Identifier: Apache-2.0
//! Random graphs with random histories, asked random queries, compared with the naive evaluator:
//! now and at every past instant, with and without a row condition, whole and page by page.

mod generate;

use std::collections::BTreeSet;

use durward_graph::View;
use serde_json::Value as Json;

use super::naive::{Answer, Bound, Naive, answer, sorted};
use crate::fixture::{Fixture, Plain, committed_at};
use crate::{CursorKey, PageSize, ResultKind, RowCondition, RunOptions, run};
use generate::Dice;

/// How many graphs are made, and how many queries each is asked.
const GRAPHS: u64 = 150;
const QUERIES: u64 = 12;

/// A graph, and what was plainly there after each transaction.
struct History {
    fixture: Fixture,
    states: Vec<Plain>,
}

impl History {
    fn new(dice: &mut Dice) -> Self {
        let mut fixture = Fixture::new();
        let mut states = vec![Plain::default()];
        for round in 0..dice.between(1, 4) {
            let edits = generate::edits(dice, &fixture.plain, round == 0);
            fixture.commit(&edits);
            states.push(fixture.plain.clone());
        }
        Self { fixture, states }
    }

    /// Commits something, so that what was the present is past.
    fn go_on(&mut self, dice: &mut Dice) {
        let edits = generate::edits(dice, &self.fixture.plain, false);
        self.fixture.commit(&edits);
        self.states.push(self.fixture.plain.clone());
    }

    /// The view and the plain graph after some transaction.
    fn moment(&self, dice: &mut Dice) -> (View, Plain) {
        let last = self.states.len() - 1;
        let sequence = if dice.one_in(2) {
            last
        } else {
            dice.below(self.states.len())
        };
        let at = match sequence {
            one if one == last && dice.one_in(2) => None,
            one => Some(committed_at(one as u64).plus_micros(dice.below(2) as i64)),
        };
        (
            self.fixture.snapshot.view(at),
            self.states[sequence].clone(),
        )
    }
}

fn hide(plain: &Plain, condition: &RowCondition) -> Plain {
    let is_seen = |entity: &crate::fixture::PlainEntity| {
        condition.any_of.iter().any(|all| {
            all.equal
                .iter()
                .all(|(name, value)| super::naive::matches(entity, name, value))
        })
    };
    let entities: Vec<_> = plain
        .entities
        .iter()
        .filter(|one| is_seen(one))
        .cloned()
        .collect();
    let numbers: BTreeSet<u32> = entities.iter().map(|one| one.number).collect();
    let edges = plain.edges.iter();
    let edges = edges.filter(|one| numbers.contains(&one.from) && numbers.contains(&one.to));
    Plain {
        edges: edges.cloned().collect(),
        entities,
    }
}

fn parsed(kind: ResultKind, data: &[u8]) -> Answer {
    let data: Json = serde_json::from_slice(data).unwrap();
    let ids = |list: &Json| -> BTreeSet<String> {
        let items = list.as_array().unwrap().iter();
        let ids: Vec<String> = items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        let distinct: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(ids.len(), distinct.len(), "objects are listed once");
        distinct
    };
    match kind {
        ResultKind::List => Answer::List(ids(&data)),
        ResultKind::Tree => Answer::Tree(ids(&data["vertices"]), ids(&data["edges"])),
        ResultKind::Table => Answer::Table(sorted(data.as_array().unwrap().clone())),
    }
}

fn whole(view: &View, query: &str, options: &RunOptions) -> (ResultKind, Vec<Json>, Vec<u8>) {
    let options = RunOptions {
        page: PageSize::Whole,
        ..options.clone()
    };
    let page = run(view, query, &options).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(page.cursor, None);
    let rows: Json = serde_json::from_slice(&page.data).unwrap();
    let count = |rows: &Json| rows.as_array().map_or(0, Vec::len) as u64;
    if page.kind != ResultKind::Tree {
        assert_eq!(page.rows, count(&rows));
        assert!(
            page.total_count.is_none_or(|total| total == page.rows),
            "{query}"
        );
    }
    (
        page.kind,
        rows.as_array().cloned().unwrap_or_default(),
        page.data,
    )
}

/// Pages and windows of a result are parts of the whole.
fn check_parts(
    history: &mut History,
    dice: &mut Dice,
    view: &View,
    query: &str,
    options: &RunOptions,
    rows: &[Json],
) {
    let size = dice.between(1, 5) as u64;
    let page = if dice.one_in(3) {
        PageSize::Bytes(dice.between(1, 400))
    } else {
        PageSize::Rows(size)
    };
    let skip = dice.below(4);
    let limit = dice.between(1, 9);
    for (text, wanted) in [
        (query.to_owned(), rows.to_vec()),
        (
            format!("{query} SKIP {skip} LIMIT {limit}"),
            rows.iter().skip(skip).take(limit).cloned().collect(),
        ),
    ] {
        let mut options = RunOptions {
            page,
            ..options.clone()
        };
        let mut got = Vec::new();
        let mut view = view.clone();
        for _ in 0..10_000 {
            let answer = run(&view, &text, &options).unwrap();
            let rows: Vec<Json> = serde_json::from_slice(&answer.data).unwrap();
            got.extend(rows);
            options.cursor = answer.cursor;
            options.now = options.now.plus_seconds(3600);
            if options.cursor.is_none() {
                break;
            }
            if dice.one_in(3) {
                history.go_on(dice);
                view = history.fixture.snapshot.view(None);
            }
        }
        assert_eq!(got, wanted, "{text} in pages of {page:?}");
    }
}

fn check_query(history: &mut History, dice: &mut Dice, seed: u64) {
    let (view, plain) = history.moment(dice);
    let condition = dice.one_in(3).then(|| generate::condition(dice));
    let text = generate::query(dice);
    let query = crate::j1ql::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let hidden;
    let plain = match &condition {
        Some(condition) => {
            hidden = hide(&plain, condition);
            &hidden
        }
        None => &plain,
    };
    let uuid = |bound: Bound| match bound {
        Bound::Entity(number) => history.fixture.entity_uuid(number),
        Bound::Edge(number) => history.fixture.edge_uuid(number),
        Bound::Nothing => String::new(),
    };
    let now = committed_at(1);
    let naive = Naive {
        plain,
        query: &query,
        now_millis: now.as_millis(),
        uuid: &uuid,
    };
    let wanted = answer(&naive);
    let mut options = RunOptions::new(now, CursorKey::new(b"k"));
    options.row_condition = condition;
    let (kind, rows, data) = whole(&view, &text, &options);
    assert_eq!(
        parsed(kind, &data),
        wanted,
        "seed {seed} at {} under {:?}: {text}\n{plain:#?}",
        view.instant(),
        options.row_condition
    );
    if kind != ResultKind::Tree {
        check_parts(history, dice, &view, &text, &options, &rows);
    }
}

#[test]
fn results_equal_those_of_the_naive_evaluator() {
    let graphs = std::env::var("DURWARD_RANDOM_GRAPHS")
        .ok()
        .and_then(|text| text.parse().ok());
    for seed in 0..graphs.unwrap_or(GRAPHS) {
        let mut dice = Dice::new(seed);
        let mut history = History::new(&mut dice);
        for _ in 0..QUERIES {
            check_query(&mut history, &mut dice, seed);
        }
    }
}
