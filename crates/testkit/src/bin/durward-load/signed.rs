// SPDX-License-Identifier: Apache-2.0
//! Signed gRPC calls over HTTP/2 with many streams under way.

mod fill;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use h2::client::SendRequest;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::connection::Target;
use crate::protobuf::{Fields, put_bytes, put_number};
use crate::times::{Times, now};

pub(crate) use fill::{Fill, fill};

const DAY_SECONDS: u64 = 86_400;
/// Bytes before each message: a flag and the length.
const FRAME_BYTES: usize = 5;
const WINDOW_BYTES: u32 = 16 << 20;

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

/// Access key and secret as issued.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Key {
    access: String,
    secret: String,
}

/// A key ready to sign, for today.
#[derive(Debug)]
struct Signer {
    access: String,
    key: hmac::Key,
}

impl Signer {
    fn new(key: &Key) -> anyhow::Result<Self> {
        let secret = STANDARD.decode(&key.secret).context("the secret key")?;
        let day = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &secret),
            today().as_bytes(),
        );
        let day = hmac::Key::new(hmac::HMAC_SHA256, day.as_ref());
        let derived = hmac::sign(&day, b"sdm_api_v1");
        Ok(Self {
            access: key.access.clone(),
            key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
        })
    }

    fn signature(&self, method: &str, message: &[u8]) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(method.replace('/', ".").as_bytes());
        context.update(b"\n");
        context.update(message);
        STANDARD.encode(hmac::sign(&self.key, context.finish().as_ref()))
    }
}

/// The UTC day as `YYYY-MM-DD`.
#[expect(clippy::disallowed_methods, reason = "signatures carry the real day")]
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut day = since.map_or(0, |since| since.as_secs() / DAY_SECONDS) as i64 + 719_468;
    let era = day.div_euclid(146_097);
    day -= era * 146_097;
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    let of_month = of_year - (153 * shifted + 2) / 5 + 1;
    format!("{year:04}-{month:02}-{of_month:02}")
}

/// Reads objects for the given time.
pub(crate) fn gets(target: &Target, gets: Gets) -> anyhow::Result<Value> {
    runtime()?.block_on(async {
        let mut senders = Vec::new();
        for _ in 0..gets.connections.max(1) {
            senders.push(connect(target).await?);
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
                    call(&target, &sender, &signer, &gets.method, &message).await?;
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
        let sender = connect(target).await?;
        let signer = Signer::new(&pages.key)?;
        let (mut cursor, mut items, mut count) = (Vec::new(), 0usize, 0usize);
        let mut times = Times::default();
        let begun = now();
        loop {
            let message = list_message(pages, &cursor);
            let sent = now();
            let answer = call(target, &sender, &signer, &pages.method, &message).await?;
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

async fn connect(target: &Target) -> anyhow::Result<SendRequest<Bytes>> {
    let stream = TcpStream::connect(&target.address).await;
    let stream = stream.with_context(|| format!("connecting to {}", target.address))?;
    stream.set_nodelay(true)?;
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    let (sender, connection) = builder.handshake(stream).await?;
    // It ends when the sender is dropped with the runtime.
    tokio::spawn(connection);
    Ok(sender)
}

/// One call; its answer with the frame.
async fn call(
    target: &Target,
    sender: &SendRequest<Bytes>,
    signer: &Signer,
    method: &str,
    message: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let request = http::Request::post(format!("http://{}/v1.{method}", target.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-sdm-authentication", &signer.access)
        .header("x-sdm-signature", signer.signature(method, message))
        .header("x-sdm-api-version", "2025-04-14")
        .header("x-sdm-user-agent", "durward-load")
        .body(())?;
    let mut sender = sender.clone().ready().await?;
    let (response, mut body) = sender.send_request(request, false)?;
    let mut frame = Vec::with_capacity(FRAME_BYTES + message.len());
    frame.push(0);
    frame.extend_from_slice(&(message.len() as u32).to_be_bytes());
    frame.extend_from_slice(message);
    body.send_data(Bytes::from(frame), true)?;
    let response = response.await?;
    check(response.headers())?;
    let mut stream = response.into_body();
    let mut answer = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk?;
        stream.flow_control().release_capacity(chunk.len())?;
        answer.extend_from_slice(&chunk);
    }
    if let Some(trailers) = stream.trailers().await? {
        check(&trailers)?;
    }
    Ok(answer)
}

/// A status other than 0 ends the measurement.
fn check(headers: &http::HeaderMap) -> anyhow::Result<()> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    match text("grpc-status").as_str() {
        "" | "0" => Ok(()),
        code => bail!("gRPC status {code}: {}", text("grpc-message")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_a_day_of_this_century() {
        let day = today();
        assert!(day.starts_with("20") && day.len() == 10, "{day}");
    }
}
