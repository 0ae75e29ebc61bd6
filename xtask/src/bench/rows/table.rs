// SPDX-License-Identifier: Apache-2.0
//! A table of a million paths: its first page, all of it, and the memory that takes.

use serde_json::json;

use super::{GRAPHQL, QUERY, ask};
use crate::bench::Bench;
use crate::bench::lines::number;
use crate::bench::process::Data;
use crate::bench::report::{Row, median, time};

/// About 1.09 million paths at scale 1.
const J1QL: &str =
    "FIND okta_user_group AS g THAT HAS okta_user AS u RETURN g._key AS g, u._key AS u";
const SMALL: &str = "query($query:String!){queryV1(query:$query){type data cursor}}";
const ROUNDS: u32 = 5;
const FIRST_US_MAX: f64 = 5_000.0;
const ALL_US_MAX: f64 = 500_000.0;
const MORE_MIB_MAX: f64 = 32.0;

pub(super) fn all(bench: &mut Bench, data: &Data) -> anyhow::Result<Vec<Row>> {
    let server = data.serve(bench, None)?;
    let mut client = data.client(bench, &server, None)?;
    let walk = |pages_max: u32| {
        json!({
            "do": "walk", "path": GRAPHQL, "document": QUERY, "variables": {"query": J1QL},
            "pages_max": pages_max,
        })
    };
    let mut firsts = Vec::new();
    for _ in 0..ROUNDS * 2 {
        let answer = client.ask(&walk(1))?;
        firsts.push(number(&answer, "/first_page_us")?);
    }
    // What a client gets that does not ask for pages as large as may be: 250 rows.
    let small = json!({"query": SMALL, "variables": {"query": J1QL}});
    let small = client.ask(&ask(&small, 3, 100))?;
    let small = number(&small, "/median_us")?;
    let (mut times, mut more) = (Vec::new(), Vec::new());
    let (mut rows, mut pages, mut bytes) = (0.0, 0.0, 0.0);
    for _ in 0..ROUNDS {
        server.forget_peak()?;
        let before = server.memory("VmRSS")?;
        let answer = client.ask(&walk(0))?;
        more.push(server.memory("VmHWM")? - before);
        times.push(number(&answer, "/seconds")? * 1e6);
        rows = number(&answer, "/rows")?;
        pages = number(&answer, "/pages")?;
        bytes = number(&answer, "/bytes")?;
    }
    drop(client);
    server.stop()?;
    let (first, all) = (median(&firsts), median(&times));
    let more = more.iter().copied().fold(0.0, f64::max);
    let limits = bench.scale.target((), None);
    let target = |text: &str| limits.map_or_else(String::new, |()| text.to_owned());
    let first_row = Row {
        target: target("≤ 5 ms"),
        measured: format!("{} for 1 MiB, {} for 250 rows", time(first), time(small)),
        met: limits.map(|()| first <= FIRST_US_MAX),
        figures: json!({"times_us": firsts, "small_us": small}),
        ..Row::new(format!("table of {rows:.0} paths: first page"))
    };
    let all_row = Row {
        target: target("≤ 0.5 s, ≤ 32 MB more"),
        measured: format!(
            "{}, {more:.0} MiB more ({pages:.0} pages, {:.0} MB)",
            time(all),
            bytes / 1e6
        ),
        met: limits.map(|()| all <= ALL_US_MAX && more <= MORE_MIB_MAX),
        figures: json!({"times_us": times, "more_mib": more, "pages": pages, "bytes": bytes}),
        ..Row::new("the same: all rows")
    };
    Ok(vec![first_row, all_row])
}
