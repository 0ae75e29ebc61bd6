// SPDX-License-Identifier: Apache-2.0
//! What attacks are made of: connections from many addresses, requests that need not be right, and
//! a count of what the server said.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use durward_testkit::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::world::Arsenal;

/// Attackers come from so many addresses unless an attack says otherwise.
const SOURCES: u32 = 32;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that are being made at once before an attack begins, and how long that may take.
const PREPARED_AT_ONCE: usize = 100;
pub(crate) const PREPARE_TIMEOUT: Duration = Duration::from_secs(10);
/// Bodies from this size on are counted when all of them was taken.
const LARGE_BYTES: usize = 1 << 20;
const READ_BYTES: usize = 64 << 10;

/// Where an attack takes place.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) address: SocketAddr,
    pub(crate) arsenal: Arsenal,
    /// A token of the other organization, for what it tries while the attack goes on.
    pub(crate) bystander: String,
    duration: Duration,
    /// When the attack ends.
    until: Mutex<Instant>,
    sources: AtomicU32,
    outcomes: Mutex<BTreeMap<String, u64>>,
}

/// One request over HTTP/1.1.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    is_chunked: bool,
}

impl Ask {
    pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Self {
        Self {
            method: "POST",
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.into(),
            is_chunked: false,
        }
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sends the body in chunks, without saying how long it is.
    pub(crate) fn chunked(mut self) -> Self {
        self.is_chunked = true;
        self
    }

    /// The whole request as it goes over the wire.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let mut wire = self.head().into_bytes();
        wire.extend_from_slice(&self.body);
        wire
    }

    /// The head as it goes over the wire.
    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: siege\r\n", self.method, self.path);
        head.push_str("connection: close\r\n");
        for (name, value) in &self.headers {
            // Writing to a text cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if self.is_chunked {
            head.push_str("transfer-encoding: chunked\r\n\r\n");
        } else {
            let _ = write!(head, "content-length: {}\r\n\r\n", self.body.len());
        }
        head
    }
}

impl Field {
    pub(crate) fn new(
        address: SocketAddr,
        arsenal: Arsenal,
        bystander: &str,
        duration: Duration,
    ) -> Self {
        Self {
            address,
            arsenal,
            bystander: bystander.to_owned(),
            duration,
            until: Mutex::new(Instant::now() + duration),
            sources: AtomicU32::new(0),
            outcomes: Mutex::default(),
        }
    }

    /// Counts something that happened.
    pub(crate) fn note(&self, outcome: &str) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
    }

    /// What happened, the most frequent first.
    pub(crate) fn outcomes(&self) -> String {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows: Vec<_> = outcomes.iter().collect();
        rows.sort_by(|one, other| other.1.cmp(one.1));
        let rows = rows
            .into_iter()
            .map(|(what, count)| format!("{what}: {count}"));
        rows.take(6).collect::<Vec<_>>().join(", ")
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until()
    }

    /// Makes what an attack needs before it can begin, many at a time; its time runs from then on.
    pub(crate) async fn prepare<F, W, T>(self: &Arc<Self>, count: usize, work: F) -> Vec<T>
    where
        F: Fn(Arc<Self>, usize) -> W,
        W: Future<Output = anyhow::Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let slots = Arc::new(Semaphore::new(PREPARED_AT_ONCE));
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (work, slots) = (work(Arc::clone(self), number), Arc::clone(&slots));
            tasks.spawn(async move {
                let _slot = slots.acquire().await?;
                work.await
            });
        }
        let mut made = Vec::with_capacity(count);
        let all = async {
            while let Some(done) = tasks.join_next().await {
                match done {
                    Ok(Ok(one)) => made.push(one),
                    Ok(Err(error)) => self.note(&short(&error)),
                    Err(_) => {}
                }
            }
        };
        // What is not there by then is left out.
        let _ = tokio::time::timeout(PREPARE_TIMEOUT, all).await;
        let end = Instant::now() + self.duration;
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = end;
        made
    }

    /// Keeps what the caller holds until the attack ends.
    pub(crate) async fn hold(&self) {
        tokio::time::sleep_until(self.until()).await;
    }

    /// The same work many times side by side, until all is done or the attack ends; what is not
    /// done by then is dropped, as by a client that leaves.
    pub(crate) async fn swarm<F, W>(self: &Arc<Self>, count: usize, work: F)
    where
        F: Fn(Arc<Self>, usize) -> W,
        W: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for number in 0..count {
            tasks.spawn(work(Arc::clone(self), number));
        }
        let all = async {
            while let Some(done) = tasks.join_next().await {
                if let Ok(Err(error)) = done {
                    self.note(&short(&error));
                }
            }
        };
        // Whoever is not done by then leaves.
        let _ = tokio::time::timeout_at(self.until(), all).await;
    }

    /// Sends requests on `count` connections at a time, each on a new connection, until the end.
    pub(crate) async fn flood<F>(self: &Arc<Self>, count: usize, ask: F)
    where
        F: Fn(usize) -> Ask,
    {
        self.swarm(count, |field, number| {
            let ask = ask(number);
            async move {
                while !field.is_over() {
                    match field.http(&ask).await {
                        Ok(outcome) => field.note(&outcome),
                        Err(error) => field.note(&short(&error)),
                    }
                }
                Ok(())
            }
        })
        .await;
    }

    /// A connection from one of the attackers' addresses.
    pub(crate) async fn connect(&self) -> anyhow::Result<TcpStream> {
        let number = self.sources.fetch_add(1, Ordering::Relaxed) % SOURCES;
        self.connect_from(number).await
    }

    /// A connection from the address of this number; there are 60,000.
    pub(crate) async fn connect_from(&self, number: u32) -> anyhow::Result<TcpStream> {
        let socket = Self::socket(number)?;
        let made = tokio::time::timeout(CONNECT_TIMEOUT, socket.connect(self.address)).await;
        Ok(made.context("no connection in time")??)
    }

    /// A socket, not connected yet, that will come from the address of this number.
    pub(crate) fn socket(number: u32) -> anyhow::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        let [_, _, high, low] = number.to_be_bytes();
        let source = Ipv4Addr::new(127, 66, high, low.max(1));
        socket.bind(SocketAddr::from((source, 0)))?;
        Ok(socket)
    }

    /// One request on a connection of its own: the status, or how it ended.
    pub(crate) async fn http(&self, ask: &Ask) -> anyhow::Result<String> {
        let stream = self.connect().await?;
        let (mut reader, mut writer) = stream.into_split();
        let send = async move {
            writer.write_all(ask.head().as_bytes()).await?;
            if ask.is_chunked {
                for piece in ask.body.chunks(READ_BYTES) {
                    let size = format!("{:x}\r\n", piece.len());
                    writer.write_all(size.as_bytes()).await?;
                    writer.write_all(piece).await?;
                    writer.write_all(b"\r\n").await?;
                }
                writer.write_all(b"0\r\n\r\n").await?;
            } else {
                writer.write_all(&ask.body).await?;
            }
            if ask.body.len() >= LARGE_BYTES {
                self.note("sent whole");
            }
            // The half stays open until the answer is there.
            std::io::Result::Ok(writer)
        };
        let receive = async {
            let mut first = Vec::new();
            let mut chunk = vec![0; READ_BYTES];
            loop {
                match reader.read(&mut chunk).await {
                    Ok(0) => break,
                    Ok(count) if first.len() < 64 => {
                        first.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    }
                    Ok(_) => {}
                    Err(_) if first.is_empty() => return "reset".to_owned(),
                    Err(_) => break,
                }
            }
            status(&first)
        };
        let (_sent, outcome) = tokio::join!(send, receive);
        Ok(outcome)
    }

    /// A client of the attackers' organization for what is asked once.
    pub(crate) fn client(&self, token: &str) -> Client {
        Client::new(&format!("http://{}", self.address)).with_token(token)
    }
}

/// The status in the start of an answer.
fn status(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer.get(..64.min(answer.len())).unwrap_or_default());
    let mut words = text.split(' ');
    match (words.next(), words.next()) {
        (Some(version), Some(status)) if version.starts_with("HTTP/1.") => status.to_owned(),
        _ if answer.is_empty() => "closed".to_owned(),
        _ => "no HTTP".to_owned(),
    }
}

/// The innermost reason, short enough to be counted.
pub(crate) fn short(error: &anyhow::Error) -> String {
    let text = error.root_cause().to_string();
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_their_first_line() {
        assert_eq!(status(b"HTTP/1.1 413 Payload Too Large\r\n"), "413");
        assert_eq!(status(b""), "closed");
        assert_eq!(status(b"\x00\x00\x12\x04"), "no HTTP");
    }

    #[test]
    fn heads_say_how_the_body_comes() {
        let ask = Ask::post("/graphql", "{}").bearer("t");
        assert!(ask.head().ends_with("content-length: 2\r\n\r\n"));
        let ask = ask.chunked().header("authorization", "Basic x");
        assert!(ask.head().ends_with("transfer-encoding: chunked\r\n\r\n"));
        assert_eq!(ask.head().matches("authorization").count(), 1);
    }
}
