// SPDX-License-Identifier: Apache-2.0
//! Signed gRPC reads, pages of effective access, token grants, decisions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::bench::lines::{Lines, number};
use crate::bench::process::Data;
use crate::bench::report::{Row, median, time};
use crate::shell;

const RESOURCES: usize = 100_000;
const CONNECTIONS: usize = 4;
const STREAMS: usize = 64;
const SECONDS: f64 = 4.0;
const ROUNDS: u32 = 5;
const GETS_PER_SECOND: f64 = 30_000.0;
const PAGE: usize = 1000;
const PAGES_SECONDS_MAX: f64 = 1.5;
const SNAPSHOT_RATIO_MAX: f64 = 1.5;
const FIRST_PAGE_US_MAX: f64 = 20_000.0;
const GRANTS_PER_SECOND: f64 = 2000.0;
const DECISION_US_MAX: f64 = 2.0;
const POLICY_DECISION_US_MAX: f64 = 100.0;

fn text(data: &Data, path: &str) -> anyhow::Result<String> {
    let found = data.first.pointer(path).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("init printed no {path}"))?
        .to_owned())
}

/// The access key of an organization.
fn key(data: &Data) -> anyhow::Result<Value> {
    Ok(json!({
        "access": text(data, "/strongdm/access_key")?,
        "secret": text(data, "/strongdm/secret_key")?,
    }))
}

/// 100,000 resources, half of which one account reaches by a role.
pub(crate) fn signed(bench: &mut Bench) -> anyhow::Result<Vec<Row>> {
    let data = Data::create(bench, "data-signed")?;
    let key = key(&data)?;
    let filling = data.serve(bench, None)?;
    let mut client = data.client(bench, &filling, None)?;
    let filled = client.ask(&json!({
        "do": "fill", "key": key, "count": RESOURCES, "connections": CONNECTIONS, "streams": STREAMS,
    }))?;
    drop(client);
    filling.stop()?;
    println!("    filled in {:.1} s", number(&filled, "/seconds")?);
    let server = data.serve(bench, Some(0))?;
    let mut client = data.client(bench, &server, Some(1))?;
    // Instants are asked in whole seconds; and the past is another state than the present only if
    // something is made after it.
    std::thread::sleep(Duration::from_secs(1));
    let before = epoch_seconds();
    std::thread::sleep(Duration::from_secs(2));
    client.ask(&json!({
        "do": "fill", "key": key, "first": RESOURCES, "count": 1, "connections": 1, "streams": 1,
        "only_resources": true,
    }))?;
    let mut rows = gets(&mut client, &key, &filled, before)?;
    let started = server.processor_seconds()?;
    let pages = json!({
        "do": "pages", "key": key, "method": "Resources/List", "limit": PAGE,
    });
    let walked = client.ask(&pages)?;
    let used = server.processor_seconds()? - started;
    let items = number(&walked, "/items")? as usize;
    anyhow::ensure!(items == RESOURCES + 1, "the list has {items} resources");
    rows.push(Row {
        target: "≤ 1.5 s of server time".to_owned(),
        measured: format!("{used:.2} s for {} pages", number(&walked, "/pages")?),
        met: Some(used <= PAGES_SECONDS_MAX),
        figures: json!({"processor_seconds": used, "walk": walked}),
        ..Row::new("list 100,000 resources in pages of 1,000")
    });
    rows.push(first_page(&mut client, &key, &filled)?);
    let resident = server.memory("VmRSS")?;
    println!("    resident afterwards: {resident:.0} MiB");
    drop(client);
    server.stop()?;
    Ok(rows)
}

/// Reads by id: now, and at an instant in the past.
fn gets(client: &mut Lines, key: &Value, filled: &Value, at: u64) -> anyhow::Result<Vec<Row>> {
    let ids = filled
        .get("ids")
        .and_then(Value::as_array)
        .context("no ids")?;
    let ids: Vec<&Value> = ids.iter().step_by(RESOURCES / 2000).collect();
    let ask = |snapshot: Option<u64>, seconds: f64| {
        json!({
            "do": "gets", "key": key, "method": "Resources/Get", "ids": ids,
            "snapshot_at": snapshot, "connections": CONNECTIONS, "streams": STREAMS,
            "seconds": seconds,
        })
    };
    client.ask(&ask(None, 1.0))?;
    let (mut now, mut past, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let answer = client.ask(&ask(None, SECONDS))?;
        now.push(number(&answer, "/per_second")?);
        p99.push(number(&answer, "/times/p99_us")?);
        past.push(number(
            &client.ask(&ask(Some(at), SECONDS))?,
            "/per_second",
        )?);
    }
    let best = now.iter().copied().fold(0.0, f64::max);
    let ratio = median(&now) / median(&past);
    Ok(vec![
        Row {
            target: "≥ 30,000/s".to_owned(),
            measured: format!("{best:.0}/s, p99 {}, {STREAMS} streams", time(median(&p99))),
            met: Some(best >= GETS_PER_SECOND),
            figures: json!({"rates": now, "p99_us": p99}),
            ..Row::new("signed Get of a resource, one core")
        },
        Row {
            target: "≤ 1.5 times current".to_owned(),
            measured: format!("{:.0}/s", median(&past)),
            ratio: format!("{ratio:.2}"),
            met: Some(ratio <= SNAPSHOT_RATIO_MAX),
            figures: json!({"rates": past, "ratio": ratio}),
            ..Row::new("the same by snapshot")
        },
    ])
}

/// The first page of what an account reaches.
fn first_page(client: &mut Lines, key: &Value, filled: &Value) -> anyhow::Result<Row> {
    let account = filled.get("account").and_then(Value::as_str);
    let filter = format!("account_id:{}", account.context("no account")?);
    let ask = json!({
        "do": "pages", "key": key, "method": "AccountResources/List", "filter": filter,
        "limit": PAGE, "at_most": 1,
    });
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let answer = client.ask(&ask)?;
        let items = number(&answer, "/items")? as usize;
        anyhow::ensure!(items == PAGE, "a page of {items}");
        times.push(number(&answer, "/times/median_us")?);
    }
    let took = median(&times);
    Ok(Row {
        target: "≤ 20 ms".to_owned(),
        measured: time(took),
        met: Some(took <= FIRST_PAGE_US_MAX),
        figures: json!({"times_us": times}),
        ..Row::new("first page of 50,000 reachable resources")
    })
}

/// Client credentials for access tokens.
pub(crate) fn token_grants(bench: &mut Bench) -> anyhow::Result<Vec<Row>> {
    let data = Data::create(bench, "data-grants")?;
    let server = data.serve(bench, Some(0))?;
    let mut client = data.client(bench, &server, Some(1))?;
    let (id, secret) = (
        text(&data, "/cyral/client_id")?,
        text(&data, "/cyral/client_secret")?,
    );
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={secret}",
        id.replace('/', "%2F")
    );
    let storm = |seconds: f64| {
        json!({
            "do": "storm", "path": "/v1/users/oidc/token", "template": body, "clients": 16,
            "content_type": "application/x-www-form-urlencoded", "seconds": seconds,
        })
    };
    client.ask(&storm(1.0))?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push(number(&client.ask(&storm(SECONDS))?, "/per_second")?);
    }
    drop(client);
    server.stop()?;
    let best = rates.iter().copied().fold(0.0, f64::max);
    Ok(vec![Row {
        target: "≥ 2,000/s".to_owned(),
        measured: format!("{best:.0}/s"),
        met: Some(best >= GRANTS_PER_SECOND),
        figures: json!({"rates": rates}),
        ..Row::new("token grants, EdDSA-signed, one core")
    }])
}

/// One decision in process: built-in rights, and 1,000 policies that users wrote.
pub(crate) fn decisions(bench: &mut Bench) -> anyhow::Result<Vec<Row>> {
    let mut command = shell::cargo(&bench.root);
    command.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "-p",
        "durward-policy",
    ]);
    let said = shell::output(command.args(["--example", "decision_speed", "--", "--json"]))?;
    let last = said.lines().last().unwrap_or_default();
    let said: Value = serde_json::from_str(last).context("decision_speed")?;
    let built_in = number(&said, "/built_in_us")?;
    let with_policies = number(&said, "/policies_us")?;
    Ok(vec![
        Row {
            target: "≤ 2 µs".to_owned(),
            measured: format!("{built_in:.2} µs"),
            met: Some(built_in <= DECISION_US_MAX),
            figures: said.clone(),
            ..Row::new("a decision by built-in rights")
        },
        Row {
            target: "≤ 100 µs".to_owned(),
            measured: format!("{with_policies:.1} µs"),
            met: Some(with_policies <= POLICY_DECISION_US_MAX),
            figures: said,
            ..Row::new("a decision with 1,000 policies of users")
        },
    ])
}

#[expect(
    clippy::disallowed_methods,
    reason = "snapshots are asked by the real clock"
)]
fn epoch_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
