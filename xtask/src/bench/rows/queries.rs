// SPDX-License-Identifier: Apache-2.0
//! The seven queries: equal answers, then times beside the peer.

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::{ask, j1ql};
use crate::bench::Bench;
use crate::bench::lines::{Lines, number};
use crate::bench::process::Data;
use crate::bench::report::{Row, least, time};

const ROUNDS: u32 = 3;
const REPETITIONS: u32 = 300;
const PEER_REPETITIONS: u32 = 7;
/// What hop4 becomes when somebody puts DISTINCT after each hop.
const HOP4_BY_HAND: &str = "MATCH (p:aws_iam_policy)-[:ALLOWS]->(d:aws_rds_instance) \
    WHERE d.classification='critical' WITH DISTINCT p MATCH (r:aws_iam_role)-[:HAS]->(p) \
    WITH DISTINCT r MATCH (g:okta_user_group)-[:ASSIGNED]->(r) WITH DISTINCT g \
    MATCH (g)-[:HAS]->(u:okta_user) WHERE u.active AND NOT u.mfaEnabled \
    RETURN count(DISTINCT u.key) AS n";

/// One query in both languages.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) j1ql: String,
    cypher: String,
    expect: Option<Value>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Queries(pub(crate) Vec<Query>);

impl Queries {
    /// Reads `benches/queries.json`.
    pub(crate) fn read(bench: &Bench) -> anyhow::Result<Self> {
        let path = bench.root.join("benches/queries.json");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let read: Value = serde_json::from_str(&text).context("benches/queries.json")?;
        let user = bench.scale.user().to_string();
        let text = |query: &Value, member: &str| {
            let text = query
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default();
            text.replace("{user}", &user)
        };
        let queries = read
            .get("queries")
            .and_then(Value::as_array)
            .context("no queries")?;
        Ok(Self(
            queries
                .iter()
                .map(|query| Query {
                    name: text(query, "name"),
                    j1ql: text(query, "j1ql"),
                    cypher: text(query, "cypher"),
                    expect: query.pointer(&format!("/expect/{}", bench.scale)).cloned(),
                })
                .collect(),
        ))
    }

    /// Asks each query once; the answers.
    pub(crate) fn pass(&self, client: &mut Lines) -> anyhow::Result<Vec<Vec<String>>> {
        self.pass_at(client, None)
    }

    /// The same at an instant.
    pub(crate) fn pass_at(
        &self,
        client: &mut Lines,
        at: Option<&str>,
    ) -> anyhow::Result<Vec<Vec<String>>> {
        let rows = |query: &Query| {
            let answer = client.ask(&ask(&j1ql(&query.j1ql, at), 0, 1))?;
            answer_rows(&answer)
        };
        self.0.iter().map(rows).collect()
    }
}

/// The rows of an answer as sorted texts: column names and the order of rows do not count.
pub(super) fn answer_rows(answer: &Value) -> anyhow::Result<Vec<String>> {
    let answer = answer
        .pointer("/answer/data/queryV1")
        .context("no queryV1 in the answer")?;
    anyhow::ensure!(
        answer.get("cursor").is_none_or(Value::is_null),
        "the answer has more pages"
    );
    let rows = answer
        .get("data")
        .and_then(Value::as_array)
        .context("no rows")?;
    let values = |row: &Value| {
        let members = row.as_object().into_iter().flatten();
        row_text(members.map(|(_, value)| value))
    };
    Ok(sorted(rows.iter().map(values)))
}

fn row_text<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    sorted(values.map(Value::to_string)).join(" ")
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts
}

fn peer_rows(answer: &Value) -> anyhow::Result<Vec<String>> {
    let rows = answer
        .get("rows")
        .and_then(Value::as_array)
        .context("no rows")?;
    Ok(sorted(
        rows.iter()
            .map(|row| row_text(row.as_array().into_iter().flatten())),
    ))
}

/// Compares an answer with the number of rows and the sum that are known.
fn check_expected(query: &Query, rows: &[String], answer: &Value) -> anyhow::Result<()> {
    let Some(expect) = &query.expect else {
        return Ok(());
    };
    if expect.get("rows").and_then(Value::as_u64) != Some(rows.len() as u64) {
        bail!("{}: {} rows, expected {expect}", query.name, rows.len());
    }
    let listed = answer
        .pointer("/answer/data/queryV1/data")
        .and_then(Value::as_array);
    let counts = listed
        .into_iter()
        .flatten()
        .filter_map(|row| row.get("n")?.as_u64());
    let sum: u64 = counts.sum();
    match expect.get("sum").and_then(Value::as_u64) {
        Some(expected) if expected != sum => {
            bail!("{}: the sum is {sum}, expected {expected}", query.name)
        }
        _ => Ok(()),
    }
}

/// The target in microseconds and the least ratio to the peer.
fn target(name: &str) -> (f64, f64) {
    match name {
        "hop4" => (3000.0, 100.0),
        "agg" => (1500.0, 50.0),
        "filter" => (600.0, 10.0),
        _ => (600.0, 25.0),
    }
}

/// Measures all queries in alternation with the peer.
pub(super) fn all(bench: &mut Bench, data: &Data, queries: &Queries) -> anyhow::Result<Vec<Row>> {
    let server = data.serve(bench, None)?;
    let mut client = data.client(bench, &server, None)?;
    let mut rows = Vec::new();
    for query in &queries.0 {
        // A wrong answer is shown in its place; the other queries go on.
        rows.push(match one(bench, &mut client, query) {
            Ok(row) => row,
            Err(error) => Row::failed(&query.name, &error),
        });
    }
    if let Some(row) = rows
        .iter_mut()
        .find(|row| row.work == "hop4" && row.figures.is_object())
    {
        by_hand(bench, row)?;
    }
    drop(client);
    server.stop()?;
    Ok(rows)
}

fn one(bench: &mut Bench, client: &mut Lines, query: &Query) -> anyhow::Result<Row> {
    let body = j1ql(&query.j1ql, None);
    let (mut medians, mut p99s, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    let mut equal = 0;
    for _ in 0..ROUNDS {
        let answer = client.ask(&ask(&body, 10, REPETITIONS))?;
        let rows = answer_rows(&answer)?;
        check_expected(query, &rows, &answer)?;
        medians.push(number(&answer, "/median_us")?);
        p99s.push(number(&answer, "/p99_us")?);
        if let Some(kuzu) = &mut bench.peer {
            let answer = kuzu.ask(&json!({
                "do": "ask", "cypher": query.cypher, "repetitions": PEER_REPETITIONS,
                "seconds_max": 6.0,
            }))?;
            anyhow::ensure!(
                peer_rows(&answer)? == rows,
                "{}: the peer differs",
                query.name
            );
            peer.push(number(&answer, "/median_us")?);
            equal += 1;
        }
    }
    let (median, p99, other) = (least(&medians), least(&p99s), least(&peer));
    let ratio = other / median;
    let limits = match (query.name.as_str(), target(&query.name)) {
        ("hop4", (micros, ratio)) => bench.scale.target((micros, ratio), Some((30_000.0, 0.0))),
        (_, limits) => bench.scale.target(limits, None),
    };
    let has_peer = !peer.is_empty();
    let known = if query.expect.is_some() {
        "answer as expected"
    } else {
        "answer not known"
    };
    println!(
        "    {}: {known}; equal to the peer's in {equal} rounds",
        query.name
    );
    Ok(Row {
        target: limits.map_or_else(String::new, |(micros, least)| match least {
            0.0 => format!("≤ {}", time(micros)),
            _ => format!("≤ {}, ≥ {least}×", time(micros)),
        }),
        measured: format!("{}, p99 {}", time(median), time(p99)),
        peer: if has_peer { time(other) } else { String::new() },
        ratio: if has_peer {
            format!("{ratio:.0}×")
        } else {
            String::new()
        },
        met: limits.map(|(micros, least)| median <= micros && (!has_peer || ratio >= least)),
        figures: json!({
            "medians_us": medians, "p99_us": p99s, "peer_us": peer, "median_us": median,
            "peer_median_us": has_peer.then_some(other),
        }),
        ..Row::new(query.name.clone())
    })
}

/// hop4 against the query that somebody has already optimized by hand: at least 30 times.
fn by_hand(bench: &mut Bench, row: &mut Row) -> anyhow::Result<()> {
    let Some(kuzu) = &mut bench.peer else {
        return Ok(());
    };
    let answer = kuzu.ask(&json!({
        "do": "ask", "cypher": HOP4_BY_HAND, "repetitions": PEER_REPETITIONS, "seconds_max": 6.0,
    }))?;
    let peer = number(&answer, "/median_us")?;
    let own = number(&row.figures, "/median_us")?;
    row.peer = format!("{}; {} with DISTINCT by hand", row.peer, time(peer));
    row.ratio = format!("{}; {:.0}×", row.ratio, peer / own);
    let is_enough = peer / own >= 30.0;
    row.met = bench
        .scale
        .target(row.met.map(|met| met && is_enough), Some(row.met))
        .flatten();
    if let Some(figures) = row.figures.as_object_mut() {
        figures.insert("peer_by_hand_us".to_owned(), json!(peer));
    }
    Ok(())
}
