// SPDX-License-Identifier: Apache-2.0
//! Signed gRPC calls over HTTP/2 with many streams under way.

mod fill;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use durward_testkit::connection::Target;
use durward_testkit::grpc::{FRAME_BYTES, Key, Signer, call, connect};
use durward_testkit::protobuf::{Fields, put_bytes, put_number};
use durward_testkit::times::{Times, now};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use fill::{Fill, fill};

/// Calls that read one object each, by its id.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Gets {
    key: Key,
    /// Service and method: `Resources/Get`.
    method: String,
    /// Ids, asked in turn.
    ids: Vec<String>,
    /// The instant asked about, in seconds since the epoch.
    #[serde(default)]
    snapshot_at: Option<u64>,
    connections: usize,
    /// Calls under way over all connections.
    streams: usize,
    seconds: f64,
}

/// All pages of one list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Pages {
    key: Key,
    method: String,
    #[serde(default)]
    filter: String,
    limit: u64,
    /// Most pages; 0 for all.
    #[serde(default)]
    at_most: usize,
}

/// Reads objects for the given time.
pub(crate) fn gets(target: &Target, gets: Gets) -> anyhow::Result<Value> {
    runtime()?.block_on(async {
        let mut senders = Vec::new();
        for _ in 0..gets.connections.max(1) {
            senders.push(connect(&target.address).await?);
        }
        let signer = Arc::new(Signer::new(&gets.key)?);
        let until = now() + Duration::from_secs_f64(gets.seconds);
        let begun = now();
        let next = Arc::new(AtomicU64::new(0));
        let gets = Arc::new(gets);
        let mut tasks = Vec::new();
        for stream in 0..gets.streams.max(1) {
            let Some(sender) = senders.get(stream % senders.len()).cloned() else {
                continue;
            };
            let (gets, signer) = (Arc::clone(&gets), Arc::clone(&signer));
            let (next, target) = (Arc::clone(&next), target.clone());
            tasks.push(tokio::spawn(async move {
                let mut times = Times::default();
                while now() < until {
                    let turn = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let message = get_message(&gets, turn);
                    let sent = now();
                    call(&target.address, &sender, &signer, &gets.method, &message).await?;
                    times.add(sent.elapsed());
                }
                anyhow::Ok(times)
            }));
        }
        let mut times = Times::default();
        for task in tasks {
            times.append(task.await??);
        }
        let seconds = begun.elapsed().as_secs_f64();
        let per_second = times.len() as f64 / seconds;
        Ok(json!({"seconds": seconds, "per_second": per_second, "times": times.summary()}))
    })
}

/// Walks the pages of a list and tells how long each took.
pub(crate) fn pages(target: &Target, pages: &Pages) -> anyhow::Result<Value> {
    runtime()?.block_on(async {
        let sender = connect(&target.address).await?;
        let signer = Signer::new(&pages.key)?;
        let (mut cursor, mut items, mut count) = (Vec::new(), 0usize, 0usize);
        let mut times = Times::default();
        let begun = now();
        loop {
            let message = list_message(pages, &cursor);
            let sent = now();
            let answer = call(&target.address, &sender, &signer, &pages.method, &message).await?;
            times.add(sent.elapsed());
            count += 1;
            cursor.clear();
            for (number, bytes) in Fields(answer.get(FRAME_BYTES..).unwrap_or_default()) {
                match number {
                    1 => {
                        let mut meta = Fields(bytes);
                        let next = meta.find(|(number, _)| *number == 1);
                        cursor.extend_from_slice(next.map_or(&[][..], |(_, bytes)| bytes));
                    }
                    2 => items += 1,
                    _ => {}
                }
            }
            if cursor.is_empty() || count == pages.at_most {
                break;
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        Ok(json!({"seconds": seconds, "items": items, "pages": count, "times": times.summary()}))
    })
}

fn get_message(gets: &Gets, turn: usize) -> Vec<u8> {
    let mut message = Vec::with_capacity(64);
    if let Some(seconds) = gets.snapshot_at {
        let (mut stamp, mut meta) = (Vec::new(), Vec::new());
        put_number(&mut stamp, 1, seconds);
        put_bytes(&mut meta, 1, &stamp);
        put_bytes(&mut message, 1, &meta);
    }
    let id = gets.ids.get(turn % gets.ids.len().max(1));
    put_bytes(&mut message, 2, id.map_or(&[][..], |id| id.as_bytes()));
    message
}

fn list_message(pages: &Pages, cursor: &[u8]) -> Vec<u8> {
    let (mut meta, mut message) = (Vec::new(), Vec::new());
    if !cursor.is_empty() {
        put_bytes(&mut meta, 1, cursor);
    }
    put_number(&mut meta, 3, pages.limit);
    put_bytes(&mut message, 1, &meta);
    put_bytes(&mut message, 2, pages.filter.as_bytes());
    message
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}
