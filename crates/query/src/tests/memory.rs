// SPDX-License-Identifier: Apache-2.0
//! What is charged for memory is what is taken: each hostile query runs in a process of its own,
//! whose highest resident memory is compared with what the meter counted.

use std::cell::Cell;
use std::process::Command;

use durward_budget::{Budget, BudgetLimits};
use durward_model::{ErrorKind, Value};

use super::examples::options;
use crate::fixture::{Edit, Fixture};
use crate::{PageSize, QueryError, RunOptions, run};

thread_local! {
    /// The most bytes that any meter of this thread held.
    pub(crate) static MOST_HELD: Cell<u64> = const { Cell::new(0) };
}

/// Nodes of each of the three layers; every node is linked to every node of the next layer.
const WIDTH: u32 = 40;
/// Letters of the long text of each node.
const LONG: usize = 20_000;
/// What a process takes beside what is counted: code that is loaded, stacks, buffers.
const SLACK_BYTES: u64 = 6 << 20;

fn layers() -> Fixture {
    let mut fixture = Fixture::new();
    let entity = |number: u32| Edit::Create {
        key: format!("key:{number}"),
        entity_type: format!("l{}", number / WIDTH),
        classes: vec!["Layer".to_owned()],
        properties: vec![
            ("n".to_owned(), i64::from(number).into()),
            ("s".to_owned(), format!("name {number}").into()),
            ("long".to_owned(), format!("{number:0>LONG$}").into()),
            (
                "list".to_owned(),
                Value::from(
                    (0..100)
                        .map(|one| format!("{number}-{one}"))
                        .collect::<Vec<_>>(),
                ),
            ),
        ],
    };
    fixture.commit(&(0..WIDTH * 3).map(entity).collect::<Vec<_>>());
    let relate = |from| {
        let next = (from / WIDTH + 1) * WIDTH;
        (next..next + WIDTH).map(move |to| Edit::Relate {
            from,
            verb: "HAS".to_owned(),
            to,
            properties: vec![],
        })
    };
    fixture.commit(&(0..WIDTH * 2).flat_map(relate).collect::<Vec<_>>());
    fixture
}

const PATHS: &str = "FIND l0 AS a THAT HAS l1 AS b THAT HAS l2 AS c";

/// Queries that take much memory, each in a way of its own.
fn hostile(name: &str) -> (String, RunOptions) {
    let mut options = options();
    options.page = PageSize::Whole;
    let text = |count: usize| Value::from("v".repeat(count));
    options.variables.insert("v".to_owned(), text(200_000));
    let query = match name {
        "sorted" => format!("{PATHS} RETURN a.n, b.n, c.n, c.s ORDER BY c.s, b.n, a.s"),
        "few_sorted" => format!("{PATHS} RETURN a.n ORDER BY c.long LIMIT 600"),
        "unique" => format!("{PATHS} RETURN UNIQUE a.s, b.s, c.s, concat(a.n, b.n, c.n) AS d"),
        "unique_sorted" => format!("{PATHS} RETURN UNIQUE a.s, b.s, c.s ORDER BY c.s DESC, a.n"),
        "grouped" => format!(
            "{PATHS} RETURN a.s, b.s, c.s, count(a) AS d, sum(b.n) AS e, min(c.s) AS f, \
             max(b.s) AS g ORDER BY f"
        ),
        "longest" => format!("{PATHS} RETURN a.n, b.n, max(c.long) AS g"),
        "values" => format!("{PATHS} RETURN count(concat(a.s, b.s, c.s)) AS n"),
        "page" => "FIND l0 AS a THAT HAS l1 AS b RETURN a.long, b.long".to_owned(),
        "columns" => {
            let column = |number| format!("concat(a.long, {number}) AS c{number}");
            let columns: Vec<String> = (0..80).map(column).collect();
            format!("FIND l0 AS a RETURN {}", columns.join(", "))
        }
        "joined" => {
            let all = "a.long, ".repeat(600);
            format!("FIND l0 AS a RETURN concat({all}a.n) AS c LIMIT 3")
        }
        "variables" => format!("FIND l0 WITH s = ${{v}}{}", " OR s = ${v}".repeat(150)),
        "patterns" => format!(
            "FIND l0 WITH s = /\\w{{10}}1/{}",
            " OR s = /\\w{10}2/".repeat(60)
        ),
        "inlined" => format!(
            "FIND l0 AS a RETURN concat(a.n, ${{v}}) AS c HAVING c = 1{}",
            " OR c = 1".repeat(150)
        ),
        "ordered_list" => "FIND (l0|l1|l2) AS a WITH n >= 0 ORDER BY a.long, a.list".to_owned(),
        "subquery" => {
            format!("FIND l0 WITH s = ({PATHS} RETURN concat(a.s, b.s, c.s) AS x) AS y RETURN y.n")
        }
        "unwound" => "FIND l0 AS a RETURN UNIQUE unwind(a.list) AS x, unwind(a.list) AS y, \
                      unwind(merge(a.list, 'z')) AS z LIMIT 10000"
            .to_owned(),
        "tree" => format!("{PATHS} RETURN TREE"),
        other => panic!("{other}?"),
    };
    (query, options)
}

const NAMES: [&str; 17] = [
    "sorted",
    "few_sorted",
    "unique",
    "unique_sorted",
    "grouped",
    "longest",
    "values",
    "page",
    "columns",
    "joined",
    "variables",
    "patterns",
    "inlined",
    "ordered_list",
    "subquery",
    "unwound",
    "tree",
];

const SCENARIO: &str = "DURWARD_MEMORY_SCENARIO";

/// A line of `/proc/self/status` in bytes.
fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        << 10
}

/// Runs one query; only in a process that [`memory_that_is_taken_was_charged`] started.
#[test]
fn one_scenario() {
    let Ok(name) = std::env::var(SCENARIO) else {
        return;
    };
    let fixture = layers();
    let view = fixture.snapshot.view(None);
    let (query, options) = hostile(&name);
    // The first run fills what the graph itself keeps.
    let warm = run(
        &view,
        "FIND l0 WITH s = 'x' AND long = 'y' AND s = /z/",
        &options,
    );
    assert!(warm.is_ok());
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    MOST_HELD.set(0);
    let before = status("VmRSS:");
    let page = run(&view, &query, &options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let taken = status("VmHWM:").saturating_sub(before);
    println!("measured {taken} {} {}", MOST_HELD.get(), page.data.len());
}

#[test]
fn memory_that_is_taken_was_charged() {
    if !std::path::Path::new("/proc/self/clear_refs").exists() {
        return;
    }
    let mut wrong = Vec::new();
    for name in NAMES {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::memory::one_scenario", "--nocapture"])
            .env(SCENARIO, name)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|line| line.split_once("measured "));
        let Some((_, line)) = line else {
            panic!("{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
        };
        let numbers: Vec<u64> = line.split(' ').map(|one| one.parse().unwrap()).collect();
        let [taken, charged, _] = numbers.as_slice() else {
            panic!("{line}")
        };
        println!(
            "{name}: {} KiB taken, {} KiB charged",
            taken >> 10,
            charged >> 10
        );
        if *taken > 2 * charged + SLACK_BYTES {
            wrong.push(format!("{name}: {taken} taken, {charged} charged"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_budget_ends_a_query_and_gets_everything_back() {
    let fixture = layers();
    let view = fixture.snapshot.view(None);
    let limits = BudgetLimits::shared_out(64 << 20, 2);
    let budget = Budget::new(limits);
    for name in NAMES {
        let (query, mut options) = hostile(name);
        options.limits.budget = Some(budget.share("acme", None));
        let outcome = run(&view, &query, &options);
        if let Err(error) = &outcome {
            assert!(matches!(error, QueryError::Budget(_)), "{name}: {error}");
            let own = [ErrorKind::RateLimited, ErrorKind::Unavailable];
            assert!(own.contains(&error.kind()), "{name}: {error}");
            assert!(error.retry_after_seconds().is_some());
        }
        assert_eq!(budget.used_bytes(), 0, "{name}");
    }
    let (query, mut options) = hostile("sorted");
    options.limits.budget =
        Some(Budget::new(BudgetLimits::shared_out(4 << 20, 2)).share("acme", None));
    assert!(matches!(
        run(&view, &query, &options),
        Err(QueryError::Budget(_))
    ));
}

#[test]
fn values_of_functions_and_rows_of_lists_have_limits() {
    let fixture = layers();
    let ask = |query: &str| run(&fixture.snapshot.view(None), query, &options());
    let all = "a.long, ".repeat(1_000);
    for query in [
        format!("FIND l0 AS a RETURN concat({all}a.n) AS c"),
        format!("FIND l0 AS a WHERE concat({all}a.n) = 'x' RETURN a.n"),
        format!("FIND l0 AS a RETURN count(concat({all}a.n)) AS c"),
        format!("FIND l0 AS a RETURN a.n ORDER BY concat({all}a.n)"),
    ] {
        let error = ask(&query).unwrap_err();
        assert!(matches!(error, QueryError::LargeValue { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    let error = ask(
        "FIND l0 AS a RETURN unwind(a.list) AS x, unwind(merge(a.list, 1)) AS y, \
                     unwind(merge(a.list, 2)) AS z, unwind(merge(a.list, 3)) AS w",
    );
    assert!(matches!(error, Err(QueryError::UnwoundRows { .. })));
}
