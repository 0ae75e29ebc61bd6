// SPDX-License-Identifier: Apache-2.0
//! SIGKILL in the middle of concurrent writes, again and again: whatever was acknowledged is there
//! afterwards, and no transaction is visible in part.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may panic"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::{JOBS, create_answer, done, jupiterone, ok, options, rows, text_of};
use durward_testkit::{Client, Server};
use serde_json::{Value, json};

/// How often the server is killed.
const KILLS: u32 = 22;
/// Threads that create entities one by one.
const CREATORS: u32 = 3;
/// The longest time between the first write of a round and its kill, in milliseconds.
const ROUND_MS_MAX: u64 = 400;

/// What the server said is done.
#[derive(Debug, Default)]
struct Acknowledged {
    /// Keys of entities.
    entities: Mutex<BTreeSet<String>>,
    /// Scopes of finished jobs; each holds two entities and what connects them.
    jobs: Mutex<BTreeSet<String>>,
    /// Jobs whose finalization was asked for, without an answer.
    asked: Mutex<BTreeSet<String>>,
}

fn add(set: &Mutex<BTreeSet<String>>, key: String) {
    set.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key);
}

fn taken(set: &Mutex<BTreeSet<String>>) -> BTreeSet<String> {
    set.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Creates entities until the server is gone.
fn create_until_gone(client: &Client, name: &str, stop: &AtomicBool, said: &Acknowledged) {
    for number in 0_u32.. {
        let key = format!("{name}-{number}");
        let properties = json!({"displayName": key, "number": number});
        match create_answer(client, &key, "crash_item", "Record", &properties) {
            Some(answer) => {
                assert_eq!(
                    answer["data"]["createEntity"]["entity"]["_key"], key,
                    "{answer}"
                );
                add(&said.entities, key);
            }
            None => return,
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

fn pair(scope: &str) -> Value {
    let entity = |end: &str| {
        json!({"_key": format!("{scope}-{end}"), "_type": "crash_end", "_class": "Record",
            "job": scope, "displayName": end})
    };
    let (from, to) = (format!("{scope}-a"), format!("{scope}-b"));
    json!({"entities": [entity("a"), entity("b")], "relationships": [{
        "_key": format!("{from}|HAS|{to}"), "_type": "crash_end_has_crash_end", "_class": "HAS",
        "_fromEntityKey": from, "_toEntityKey": to}]})
}

/// One job; `None` when the server went away on the way.
fn job(client: &Client, scope: &str, said: &Acknowledged) -> Option<()> {
    let post = |path: &str, body: &Value| Some(ok(client.post(path, body).ok()?));
    let started = post(
        JOBS,
        &json!({"source": "api", "scope": scope, "syncMode": "DIFF"}),
    )?;
    let id = started["job"]["id"].as_str().unwrap().to_owned();
    post(&format!("{JOBS}/{id}/upload"), &pair(scope))?;
    add(&said.asked, scope.to_owned());
    let ended = post(&format!("{JOBS}/{id}/finalize"), &json!({}))?;
    if ended["job"]["status"] == "FINISHED" {
        assert_eq!(ended["job"]["numEntitiesCreated"], 2, "{ended}");
        add(&said.jobs, scope.to_owned());
    }
    Some(())
}

fn synchronize_until_gone(client: &Client, name: &str, stop: &AtomicBool, said: &Acknowledged) {
    for number in 0_u32.. {
        if job(client, &format!("{name}-{number}"), said).is_none() || stop.load(Ordering::Relaxed)
        {
            return;
        }
    }
}

/// Writes from several threads, and a kill among them.
fn round(server: &mut Server, round: u32, said: &Acknowledged) {
    let client = jupiterone(server);
    let stop = AtomicBool::new(false);
    // A fixed spread of moments: some kills meet the first write, some a busy server.
    let wait = u64::from(round) * 137 % ROUND_MS_MAX;
    std::thread::scope(|scope| {
        for thread in 0..CREATORS {
            let (client, stop) = (client.clone(), &stop);
            let name = format!("item-{round}-{thread}");
            scope.spawn(move || create_until_gone(&client, &name, stop, said));
        }
        let (jobs, stop_jobs) = (client.clone(), &stop);
        let name = format!("job-{round}");
        scope.spawn(move || synchronize_until_gone(&jobs, &name, stop_jobs, said));
        std::thread::sleep(Duration::from_millis(wait));
        let killed = server.kill9();
        stop.store(true, Ordering::Relaxed);
        killed.unwrap();
    });
}

fn keys(client: &Client, kind: &str) -> BTreeSet<String> {
    let all = rows(client, &format!("FIND {kind} AS x RETURN x._key AS key"));
    all.iter()
        .map(|row| row["key"].as_str().unwrap().to_owned())
        .collect()
}

/// What is there after a restart, against what was acknowledged.
fn check(client: &Client, said: &Acknowledged) {
    let there = keys(client, "crash_item");
    let missing: Vec<String> = taken(&said.entities).difference(&there).cloned().collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for key in keys(client, "crash_end") {
        let (scope, _) = key.rsplit_once('-').unwrap();
        *ends.entry(scope.to_owned()).or_default() += 1;
    }
    let half: Vec<&String> = ends
        .iter()
        .filter(|(_, count)| **count != 2)
        .map(|(s, _)| s)
        .collect();
    assert!(half.is_empty(), "half a transaction is visible: {half:?}");
    let links = "FIND crash_end AS a THAT HAS >> crash_end AS b RETURN a.job AS one, b.job AS two";
    let linked: BTreeSet<String> = rows(client, links)
        .iter()
        .map(|row| {
            assert_eq!(row["one"], row["two"], "a relationship of two jobs");
            row["one"].as_str().unwrap().to_owned()
        })
        .collect();
    let whole: BTreeSet<String> = ends.into_keys().collect();
    assert_eq!(
        linked, whole,
        "entities without their relationship, or the reverse"
    );
    let lost: Vec<String> = taken(&said.jobs).difference(&whole).cloned().collect();
    assert!(lost.is_empty(), "finished jobs that are lost: {lost:?}");
    let invented: Vec<String> = whole.difference(&taken(&said.asked)).cloned().collect();
    assert!(
        invented.is_empty(),
        "jobs that nobody finalized: {invented:?}"
    );
}

#[test]
fn what_was_acknowledged_survives_sigkill() {
    let mut server = Server::start(options()).unwrap();
    let said = Acknowledged::default();
    for number in 0..KILLS {
        round(&mut server, number, &said);
        server.restart().unwrap();
        let client = jupiterone(&server);
        check(&client, &said);
        let verified = ok(server.client().get("/audit/verify").unwrap());
        assert_eq!(verified["sound"], true, "{verified}");
    }
    let (items, jobs) = (taken(&said.entities).len(), taken(&said.jobs).len());
    assert!(
        items > 50,
        "only {items} entities were acknowledged in {KILLS} rounds"
    );
    assert!(jobs > 5, "only {jobs} jobs finished in {KILLS} rounds");
    server.kill9().unwrap();
    let verified = done(&["audit", "verify", "--data", &text_of(&server.data())]);
    assert!(
        verified.starts_with("the audit log is sound: "),
        "{verified}"
    );
}
