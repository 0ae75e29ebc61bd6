// SPDX-License-Identifier: Apache-2.0
//! What needs no large graph: an idle server, single writes, a whole bundle of ATT&CK.

use std::process::Stdio;

use serde_json::json;

use super::GRAPHQL;
use crate::bench::Bench;
use crate::bench::lines::number;
use crate::bench::process::Data;
use crate::bench::report::{Row, median, time};
use crate::shell::{self, Stopwatch};

const IDLE_STARTS: u32 = 7;
const IDLE_MIB_MAX: f64 = 60.0;
const IDLE_READY_US_MAX: f64 = 150_000.0;

/// Resident memory and the time to ready of a server over an empty organization.
pub(crate) fn idle(bench: &mut Bench) -> anyhow::Result<Vec<Row>> {
    let data = Data::create(bench, "data-idle")?;
    let (mut ready, mut resident, mut anonymous) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..IDLE_STARTS {
        let server = data.serve(bench, None)?;
        ready.push(server.ready.as_secs_f64() * 1e6);
        resident.push(server.memory("VmRSS")?);
        anonymous.push(server.memory("RssAnon")?);
        server.stop()?;
    }
    let (ready, resident, anonymous) = (median(&ready), median(&resident), median(&anonymous));
    Ok(vec![Row {
        target: "≤ 60 MiB, ready in ≤ 150 ms".to_owned(),
        measured: format!(
            "{resident:.0} MiB ({anonymous:.0} anonymous), ready in {}",
            time(ready)
        ),
        met: Some(resident <= IDLE_MIB_MAX && ready <= IDLE_READY_US_MAX),
        figures: json!({"ready_us": ready, "resident_mib": resident, "anonymous_mib": anonymous}),
        ..Row::new("idle server, empty organization")
    }])
}

const CLIENTS: u32 = 64;
const WRITE_SECONDS: f64 = 5.0;
const WRITE_ROUNDS: u64 = 3;
const FLUSHES: u32 = 300;
const WRITES_PER_SECOND: f64 = 10_000.0;

/// Durable single writes by 64 clients.
pub(crate) fn writes(bench: &mut Bench) -> anyhow::Result<Vec<Row>> {
    let data = Data::create(bench, "data-writes")?;
    let server = data.serve(bench, None)?;
    let mut client = data.client(bench, &server, None)?;
    let template = "{\"query\":\"mutation($key:String!,$properties:JSON){createEntity(\
        entityKey:$key,entityType:\\\"bench_write\\\",entityClass:[\\\"Record\\\"],\
        properties:$properties){vertex{id}}}\",\"variables\":{\"key\":\"write:{n}\",\
        \"properties\":{\"displayName\":\"write {n}\",\"number\":{n}}}}";
    let flush = json!({"do": "flush", "folder": data.folder, "times": FLUSHES});
    let (mut rates, mut flushes, mut p99, mut first) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..WRITE_ROUNDS {
        flushes.push(number(&client.ask(&flush)?, "/median_us")?);
        let storm = client.ask(&json!({
            "do": "storm", "path": GRAPHQL, "template": template, "clients": CLIENTS,
            "threads": 4, "seconds": WRITE_SECONDS, "first": first,
        }))?;
        first = number(&storm, "/next")? as u64;
        rates.push(number(&storm, "/per_second")?);
        p99.push(number(&storm, "/times/p99_us")?);
    }
    let best = rates.iter().copied().fold(0.0, f64::max);
    let (flush, p99) = (median(&flushes), median(&p99));
    let target = WRITES_PER_SECOND.min(0.5 * f64::from(CLIENTS) / (flush / 1e6));
    drop(client);
    server.stop()?;
    Ok(vec![Row {
        target: format!("≥ {target:.0}/s (min of 10,000 and 0.5 × 64 / flush)"),
        measured: format!(
            "{best:.0}/s, p99 {}; one flush takes {}",
            time(p99),
            time(flush)
        ),
        met: Some(best >= target),
        figures: json!({"rates": rates, "flush_us": flushes, "p99_us": p99, "target": target}),
        ..Row::new("durable single writes, 64 clients")
    }])
}

const ATTACK: &str = "data/attack/enterprise-attack-18.1.stix21.json.zst";
const ATTACK_ROUNDS: u32 = 3;
const ATTACK_US_MAX: f64 = 1e6;

/// The whole enterprise bundle, by the command line, into a new organization.
pub(crate) fn attack(bench: &mut Bench) -> anyhow::Result<Vec<Row>> {
    let work = "whole enterprise ATT&CK, imported";
    let shared = std::env::var_os("DURWARD_SHARED").map_or_else(
        || bench.root.join("..").join("shared"),
        |named| bench.root.join(named),
    );
    let bundle = shared.join(ATTACK);
    if !bundle.exists() {
        println!(
            "    SKIPPED: {} is absent; set DURWARD_SHARED",
            bundle.display()
        );
        return Ok(vec![Row::skipped(work, "the shared folder is absent")]);
    }
    let (mut times, mut said) = (Vec::new(), String::new());
    for _ in 0..ATTACK_ROUNDS {
        let data = Data::create(bench, "data-attack")?;
        let server = data.serve(bench, None)?;
        let mut command = shell::command(&bench.durward, &bench.root);
        command.args([
            "import",
            "stix",
            "--url",
            &format!("http://{}", server.address),
        ]);
        command
            .args(["--token", &data.token])
            .arg(&bundle)
            .stdout(Stdio::piped());
        let watch = Stopwatch::start();
        said = shell::output(&mut command)?;
        times.push(watch.elapsed().as_secs_f64() * 1e6);
        server.stop()?;
    }
    let said = said
        .trim()
        .rsplit(": ")
        .next()
        .unwrap_or_default()
        .to_owned();
    let took = median(&times);
    println!("    {said}");
    Ok(vec![Row {
        target: "≤ 1 s".to_owned(),
        measured: time(took),
        met: Some(took <= ATTACK_US_MAX),
        figures: json!({"times_us": times, "said": said}),
        ..Row::new(work)
    }])
}
