// SPDX-License-Identifier: Apache-2.0
//! The queries at an instant before a tenth of the graph was changed.

use anyhow::Context;
use serde_json::{Value, json};

use super::queries::{Queries, answer_rows};
use super::{NATIVE, SCOPE, ask, j1ql};
use crate::bench::lines::{Lines, number};
use crate::bench::process::Data;
use crate::bench::report::{Row, time};
use crate::bench::{Bench, data};
use crate::python::Environment;

const REPETITIONS: u32 = 200;
/// A past read may take this many times the current one, or this much longer.
const FACTOR: f64 = 2.0;
const MORE_US: f64 = 1000.0;

/// What one query took, in microseconds.
#[derive(Debug, Default, Clone, Copy)]
struct Took {
    /// Now, before anything was changed.
    current: f64,
    /// In the past: first use, and later ones.
    first: f64,
    later: f64,
    /// In the past, first use after a restart.
    restarted: f64,
    /// Now, after the changes.
    changed: f64,
}

/// Changes a tenth of the graph in ten steps and asks for the state before.
pub(super) fn all(
    bench: &mut Bench,
    environment: &Environment,
    folder: &Data,
    queries: &Queries,
) -> anyhow::Result<Vec<Row>> {
    let steps = data::changes(bench, environment)?;
    let server = folder.serve(bench, None)?;
    let mut client = folder.client(bench, &server, None)?;
    let mut took = vec![Took::default(); queries.0.len()];
    let before = queries.pass(&mut client)?;
    measure(&mut client, queries, None, &mut took, |took, _, later| {
        took.current = later;
    })?;
    let at = now(&mut client)?;
    let middle = steps.len() / 2;
    let mut halfway = None;
    for (number, step) in steps.iter().enumerate() {
        if number == middle {
            halfway = Some((now(&mut client)?, queries.pass(&mut client)?));
        }
        client.ask(&json!({
            "do": "upload", "scope": SCOPE, "mode": "CREATE_OR_UPDATE", "bodies": [step],
        }))?;
    }
    measure(
        &mut client,
        queries,
        Some(&at),
        &mut took,
        |took, first, later| {
            took.first = first;
            took.later = later;
        },
    )?;
    measure(&mut client, queries, None, &mut took, |took, _, later| {
        took.changed = later;
    })?;
    compare(&mut client, queries, &at, &before)?;
    if let Some((at, answers)) = &halfway {
        compare(&mut client, queries, at, answers)?;
    }
    let memory = server.memory("RssAnon")?;
    drop(client);
    server.stop()?;
    // History must answer from what was stored, too.
    let server = folder.serve(bench, None)?;
    let mut client = folder.client(bench, &server, None)?;
    queries.pass(&mut client)?;
    for (query, took) in queries.0.iter().zip(&mut took) {
        let answer = client.ask(&ask(&j1ql(&query.j1ql, Some(&at)), 0, 1))?;
        took.restarted = number(&answer, "/min_us")?;
    }
    compare(&mut client, queries, &at, &before)?;
    drop(client);
    server.stop()?;
    println!("    answers at both instants equal those recorded then, also after a restart");
    Ok(rows(bench, queries, &took, memory))
}

fn rows(bench: &Bench, queries: &Queries, took: &[Took], memory: f64) -> Vec<Row> {
    let row = |(query, took): (&super::queries::Query, &Took)| {
        let limit = (took.current * FACTOR).max(took.current + MORE_US);
        let worst = took.first.max(took.later).max(took.restarted);
        let has_target = bench.scale.target((), None).is_some();
        Row {
            target: if has_target {
                format!("≤ {}", time(limit))
            } else {
                String::new()
            },
            measured: format!(
                "first {}, later {}, first after a restart {} (now {}; {} after the changes)",
                time(took.first),
                time(took.later),
                time(took.restarted),
                time(took.current),
                time(took.changed)
            ),
            ratio: format!("{:.1}× now", took.later / took.current),
            met: has_target.then_some(worst <= limit),
            figures: json!({
                "current_us": took.current, "first_us": took.first, "later_us": took.later,
                "restarted_us": took.restarted, "changed_us": took.changed,
                "anonymous_mib": memory,
            }),
            ..Row::new(format!("{} before 10 % changed", query.name))
        }
    };
    queries.0.iter().zip(took).map(row).collect()
}

/// The server's own instant.
fn now(client: &mut Lines) -> anyhow::Result<String> {
    // Instants are distinct only if some time passes between a change and the next question.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let body = json!({"query": "{query(j1ql:\"FIND aws_account LIMIT 1\"){instant}}"});
    let answer = client.ask(&json!({
        "do": "ask", "path": NATIVE, "body": body, "repetitions": 1,
    }))?;
    std::thread::sleep(std::time::Duration::from_millis(20));
    let instant = answer
        .pointer("/answer/data/query/instant")
        .and_then(Value::as_str);
    Ok(instant.context("no instant in the answer")?.to_owned())
}

fn measure(
    client: &mut Lines,
    queries: &Queries,
    at: Option<&str>,
    took: &mut [Took],
    put: impl Fn(&mut Took, f64, f64),
) -> anyhow::Result<()> {
    for (query, took) in queries.0.iter().zip(took) {
        let body = j1ql(&query.j1ql, at);
        let first = number(&client.ask(&ask(&body, 0, 1))?, "/min_us")?;
        let later = number(&client.ask(&ask(&body, 5, REPETITIONS))?, "/median_us")?;
        put(took, first, later);
    }
    Ok(())
}

fn compare(
    client: &mut Lines,
    queries: &Queries,
    at: &str,
    recorded: &[Vec<String>],
) -> anyhow::Result<()> {
    for (query, recorded) in queries.0.iter().zip(recorded) {
        let answer = client.ask(&ask(&j1ql(&query.j1ql, Some(at)), 0, 1))?;
        anyhow::ensure!(
            &answer_rows(&answer)? == recorded,
            "{} at {at} does not answer what it answered then",
            query.name
        );
    }
    Ok(())
}
