// SPDX-License-Identifier: Apache-2.0
//! Readers beside a writer of 5,000 changes a second.

use serde_json::{Value, json};

use super::point::user_ids;
use super::queries::Queries;
use super::{GRAPHQL, ask, j1ql};
use crate::bench::Bench;
use crate::bench::lines::number;
use crate::bench::process::Data;
use crate::bench::report::{Row, time};

const CHANGES_PER_SECOND: f64 = 5_000.0;
/// Changes in one request.
const CHANGES: usize = 5;
const WRITERS: u32 = 16;
const REPETITIONS: u32 = 2000;
const READ: [&str; 3] = ["hop4", "hop1agg", "point"];
const MEDIAN_FACTOR: f64 = 1.25;
const P99_FACTOR: f64 = 2.0;
/// Less than this share of the asked rate is not what the target speaks of.
const RATE_SHARE_MIN: f64 = 0.95;

/// A request of five changes: users get another department.
fn template() -> String {
    let ids: Vec<String> = (0..CHANGES)
        .map(|number| format!("$i{number}:String!"))
        .collect();
    let fields: Vec<String> = (0..CHANGES)
        .map(|number| {
            format!("c{number}:updateEntity(entityId:$i{number},properties:$p){{vertex{{id}}}}")
        })
        .collect();
    let values: Vec<String> = (0..CHANGES)
        .map(|number| format!("\"i{number}\":\"{{value}}\""))
        .collect();
    format!(
        "{{\"query\":\"mutation({},$p:JSON){{{}}}\",\"variables\":{{{},\"p\":{{\"badge\":{{n}}}}}}}}",
        ids.join(","),
        fields.join(" "),
        values.join(",")
    )
}

pub(super) fn all(bench: &mut Bench, data: &Data, queries: &Queries) -> anyhow::Result<Vec<Row>> {
    let server = data.serve(bench, None)?;
    let mut reader = data.client(bench, &server, None)?;
    let mut writer = data.client(bench, &server, None)?;
    let ids = user_ids(&mut reader)?;
    let read = || {
        queries
            .0
            .iter()
            .filter(|query| READ.contains(&query.name.as_str()))
    };
    let mut idle = Vec::new();
    for query in read() {
        idle.push(reader.ask(&ask(&j1ql(&query.j1ql, None), 20, REPETITIONS))?);
    }
    writer.ask(&json!({
        "do": "start", "path": GRAPHQL, "template": template(), "values": ids,
        "clients": WRITERS, "threads": WRITERS, "seconds": 0.0,
        "rate": CHANGES_PER_SECOND / CHANGES as f64,
    }))?;
    let mut busy = Vec::new();
    for query in read() {
        busy.push(reader.ask(&ask(&j1ql(&query.j1ql, None), 20, REPETITIONS))?);
    }
    let wrote = writer.ask(&json!({"do": "stop"}))?;
    let changes = number(&wrote, "/per_second")? * CHANGES as f64;
    let flush = writer.ask(&json!({"do": "flush", "folder": data.folder, "times": 200}))?;
    println!(
        "    {changes:.0} changes/s; one request of {CHANGES} took {}; one flush {}",
        time(number(&wrote, "/times/median_us")?),
        time(number(&flush, "/median_us")?),
    );
    drop((reader, writer));
    server.stop()?;
    let mut rows = Vec::new();
    for ((query, idle), busy) in read().zip(&idle).zip(&busy) {
        rows.push(row(bench, &query.name, idle, busy, changes)?);
    }
    Ok(rows)
}

fn row(bench: &Bench, name: &str, idle: &Value, busy: &Value, changes: f64) -> anyhow::Result<Row> {
    let (median, p99) = (number(idle, "/median_us")?, number(idle, "/p99_us")?);
    let (busy_median, busy_p99) = (number(busy, "/median_us")?, number(busy, "/p99_us")?);
    let limits = bench.scale.target((), None);
    let is_met = busy_median <= MEDIAN_FACTOR * median
        && busy_p99 <= P99_FACTOR * p99
        && changes >= RATE_SHARE_MIN * CHANGES_PER_SECOND;
    Ok(Row {
        target: limits.map_or_else(String::new, |()| "median ≤ 1.25×, p99 ≤ 2× idle".to_owned()),
        measured: format!(
            "{}, p99 {} (idle {}, p99 {})",
            time(busy_median),
            time(busy_p99),
            time(median),
            time(p99)
        ),
        ratio: format!(
            "{:.2}×, p99 {:.2}× idle",
            busy_median / median,
            busy_p99 / p99
        ),
        met: limits.map(|()| is_met),
        figures: json!({
            "idle_median_us": median, "idle_p99_us": p99, "median_us": busy_median,
            "p99_us": busy_p99, "changes_per_second": changes,
        }),
        ..Row::new(format!("{name} beside {changes:.0} changes/s"))
    })
}
