// SPDX-License-Identifier: Apache-2.0
//! Durable single writes per second with 64 clients, and how long one flush takes here.
//!
//! `cargo run --release -p durward-graph --example commit_rate [FOLDER] [SECONDS]`
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the clock and prints"
)]

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use durward_catalog::Catalog;
use durward_graph::store::{Draft, Operation, Privilege, PutMode, Store, StoreOptions};
use durward_journal::HeadSigner;
use durward_model::transaction::{Origin, Sequence};
use durward_model::{Namespace, SystemClock, Value};

const CLIENTS: usize = 64;
const FLUSHES: usize = 200;

/// Signs nothing: signatures are not what is measured.
#[derive(Debug)]
struct Unsigned;

impl HeadSigner for Unsigned {
    fn key_id(&self) -> String {
        "none".to_owned()
    }

    fn sign(&self, _: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn verify(&self, _: &str, _: Sequence, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let folder = folder.join(format!("durward-commit-rate-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = measure(&folder, Duration::from_secs(seconds));
    std::fs::remove_dir_all(&folder)?;
    result
}

fn measure(folder: &Path, duration: Duration) -> Result<(), Box<dyn Error>> {
    let flush = flush_time(folder)?;
    println!("one flush: {:.3} ms", flush.as_secs_f64() * 1000.0);
    for clients in [1, CLIENTS] {
        let rate = commit_rate(&folder.join(format!("store-{clients}")), clients, duration)?;
        println!("{clients:3} clients: {rate:.0} durable commits/s");
    }
    let target = (0.5 * CLIENTS as f64 / flush.as_secs_f64()).min(10_000.0);
    println!("target for {CLIENTS} clients with this flush time: {target:.0}/s");
    Ok(())
}

/// The median time to append 4 kB to a file and flush it.
fn flush_time(folder: &Path) -> Result<Duration, Box<dyn Error>> {
    let mut file = std::fs::File::create(folder.join("flush"))?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let start = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(FLUSHES / 2).copied().unwrap_or_default())
}

fn commit_rate(folder: &Path, clients: usize, duration: Duration) -> Result<f64, Box<dyn Error>> {
    let catalog = Arc::new(Catalog::built_in()?);
    let clock = Arc::new(SystemClock);
    let options = StoreOptions::new(folder, clock, catalog, [7; 32], Arc::new(Unsigned));
    let store = Store::create(options)?;
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let commits: usize = std::thread::scope(|scope| {
        let run = |client: usize| {
            let (store, is_over) = (&store, &is_over);
            move || {
                let mut done = 0;
                while !is_over.load(Ordering::Relaxed) {
                    if store.submit(one_entity(client, done)).is_ok() {
                        done += 1;
                    }
                }
                done
            }
        };
        let threads: Vec<_> = (0..clients)
            .map(|client| scope.spawn(run(client)))
            .collect();
        std::thread::sleep(duration);
        is_over.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_default())
            .sum()
    });
    let elapsed = start.elapsed().as_secs_f64();
    store.close()?;
    Ok(commits as f64 / elapsed)
}

fn one_entity(client: usize, number: usize) -> Draft {
    let key = format!("client-{client}-write-{number}");
    Draft {
        origin: Origin {
            activity: "entity created".to_owned(),
            ..Origin::default()
        },
        idempotency_key: String::new(),
        privilege: Privilege::Generic,
        operations: vec![Operation::PutEntity {
            entity_type: "measured".to_owned(),
            classes: None,
            namespace: Namespace::new("api", ""),
            key: key.clone(),
            properties: vec![
                ("displayName".to_owned(), Value::from(key)),
                ("client".to_owned(), Value::Int(client as i64)),
            ],
            aliases: Vec::new(),
            mode: PutMode::Upsert,
        }],
    }
}
