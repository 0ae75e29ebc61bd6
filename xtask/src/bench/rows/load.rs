// SPDX-License-Identifier: Apache-2.0
//! Bulk synchronization, the same upload again, restarts.

use serde_json::{Value, json};

use super::SCOPE;
use super::queries::Queries;
use crate::bench::lines::number;
use crate::bench::process::Data;
use crate::bench::report::{Row, median, time};
use crate::bench::{Bench, data};
use crate::shell::heading;

/// Loads are repeated this often (once at the largest scales).
const ROUNDS: u32 = 3;
const RESTARTS: u32 = 5;

fn upload(bench: &Bench) -> Value {
    let folder = data::folder(bench);
    json!({
        "do": "upload", "scope": SCOPE, "connections": 2, "body_megabytes": 6,
        "entities": folder.join("entities.ndjson"),
        "relationships": folder.join("relationships.ndjson"),
    })
}

fn rounds(bench: &Bench) -> u32 {
    let is_wanted = bench.wants("load") && bench.scale.number() < 5.0;
    if is_wanted { ROUNDS } else { 1 }
}

/// Loads the graph into a new data folder, beside the peer, and returns the folder.
pub(super) fn load(bench: &mut Bench) -> anyhow::Result<(Data, Vec<Row>)> {
    heading("row load");
    let (mut times, mut peaks, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cpu, mut last) = (0.0, Value::Null);
    let name = format!("data-{}", bench.scale);
    let mut loaded = None;
    for round in 0..rounds(bench) {
        let data = Data::create(bench, &name)?;
        let server = data.serve(bench, None)?;
        let mut client = data.client(bench, &server, None)?;
        last = client.ask(&upload(bench))?;
        times.push(number(&last, "/seconds")? * 1e6);
        peaks.push(server.memory("VmHWM")?);
        cpu = server.processor_seconds()?;
        println!(
            "    round {}: {}, peak {:.0} MiB, {cpu:.1} CPU s",
            round + 1,
            time(number(&last, "/seconds")? * 1e6),
            server.memory("VmHWM")?
        );
        drop(client);
        server.stop()?;
        loaded = Some(data);
        let folder = bench
            .folder
            .join(format!("kuzu-{}", bench.scale))
            .join("db");
        let csv = data::csv(bench);
        if let Some(kuzu) = &mut bench.peer {
            let answer = kuzu.ask(&json!({"do": "load", "csv": csv, "folder": folder}))?;
            peer.push(number(&answer, "/seconds")? * 1e6);
        }
    }
    let data = loaded.ok_or_else(|| anyhow::anyhow!("nothing was loaded"))?;
    for counter in ["numEntitiesCreated", "numRelationshipsCreated"] {
        println!(
            "    {counter}: {}",
            last.pointer(&format!("/job/{counter}"))
                .unwrap_or(&Value::Null)
        );
    }
    if !bench.wants("load") {
        return Ok((data, Vec::new()));
    }
    let (took, peak) = (median(&times), median(&peaks));
    let limits = bench.scale.target((4e6, 400.0), Some((40e6, 2048.0)));
    let mut row = Row {
        target: limits.map_or_else(String::new, |(micros, mib)| {
            format!("≤ {:.0} s, peak ≤ {mib:.0} MB", micros / 1e6)
        }),
        measured: format!("{}, peak {peak:.0} MiB", time(took)),
        met: limits.map(|(micros, mib)| took <= micros && peak <= mib),
        figures: json!({
            "times_us": times, "peaks_mib": peaks, "peer_us": peer, "cpu_seconds": cpu,
            "last": last,
            "journal_bytes": data.journal_bytes()?,
        }),
        ..Row::new("bulk synchronization, durable, over HTTP")
    };
    if !peer.is_empty() {
        row.peer = format!("{} COPY of ready CSV", time(median(&peer)));
        row.ratio = format!("{:.1}×", median(&peer) / took);
    }
    Ok((data, vec![row]))
}

/// The same upload again: nothing is written.
pub(super) fn again(bench: &mut Bench, data: &Data) -> anyhow::Result<Vec<Row>> {
    let server = data.serve(bench, None)?;
    let mut client = data.client(bench, &server, None)?;
    let before = data.journal_bytes()?;
    let mut times = Vec::new();
    let mut changed = 0.0;
    for _ in 0..rounds(bench) {
        let answer = client.ask(&upload(bench))?;
        times.push(number(&answer, "/seconds")? * 1e6);
        for what in ["Entities", "Relationships"] {
            for how in ["Created", "Updated", "Deleted"] {
                changed += number(&answer, &format!("/job/num{what}{how}")).unwrap_or(0.0);
            }
        }
    }
    let peak = server.memory("VmHWM")?;
    let grown = data.journal_bytes()? as f64 - before as f64;
    drop(client);
    server.stop()?;
    let took = median(&times);
    let limit = bench.scale.target(3e6, None);
    Ok(vec![Row {
        target: limit.map_or_else(String::new, |_| "≤ 3 s, nothing written".to_owned()),
        measured: format!(
            "{}, {changed:.0} changes, journal grown by {grown:.0} bytes",
            time(took)
        ),
        met: limit.map(|limit| took <= limit && changed == 0.0 && grown == 0.0),
        figures: json!({"times_us": times, "grown_bytes": grown, "peak_mib": peak}),
        ..Row::new("the same upload again")
    }])
}

/// Time to ready, and resident memory after one pass of the queries.
pub(super) fn restart(
    bench: &mut Bench,
    data: &Data,
    queries: &Queries,
) -> anyhow::Result<Vec<Row>> {
    let (mut ready, mut resident, mut anonymous) = (Vec::new(), Vec::new(), Vec::new());
    let mut at_start = Vec::new();
    for _ in 0..RESTARTS {
        let server = data.serve(bench, None)?;
        ready.push(server.ready.as_secs_f64() * 1e6);
        at_start.push(server.memory("VmRSS")?);
        let mut client = data.client(bench, &server, None)?;
        queries.pass(&mut client)?;
        resident.push(server.memory("VmRSS")?);
        anonymous.push(server.memory("RssAnon")?);
        drop(client);
        server.stop()?;
    }
    let (took, mib) = (median(&ready), median(&resident));
    let (anonymous_all, anonymous) = (anonymous.clone(), median(&anonymous));
    let limit = bench.scale.target(500_000.0, Some(4e6));
    let memory = bench.scale.target(220.0, None);
    let restart = Row {
        target: limit.map_or_else(String::new, |limit| format!("≤ {:.1} s", limit / 1e6)),
        measured: time(took),
        met: limit.map(|limit| took <= limit),
        figures: json!({"times_us": ready}),
        ..Row::new("restart to ready")
    };
    let resident = Row {
        target: memory.map_or_else(String::new, |mib| format!("≤ {mib:.0} MiB")),
        measured: format!("{mib:.0} MiB ({anonymous:.0} anonymous)"),
        met: memory.map(|limit| mib <= limit),
        figures: json!({
            "mib": resident, "anonymous_mib": anonymous_all, "before_queries": at_start,
        }),
        ..Row::new("resident memory after restart and one pass of the queries")
    };
    Ok(vec![restart, resident])
}
