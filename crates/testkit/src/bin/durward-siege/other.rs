// SPDX-License-Identifier: Apache-2.0
//! The client of the other organization, who goes on working.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use durward_testkit::connection::{Connection, Target, check};
use durward_testkit::grpc::{Key, Signer, call, shake};
use durward_testkit::protobuf::put_bytes;
use durward_testkit::times::{Times, now};
use h2::client::SendRequest;
use serde_json::json;

use crate::world::World;

/// Between two calls of a lane.
const PAUSE: Duration = Duration::from_millis(15);
/// After a call that failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(200);
/// Failures that are told of in full.
const FAILURES_SHOWN: usize = 3;
const QUERY: &str = "{ queryV1(query: \"FIND okta_user WITH username = 'sebastian.roth' \
    THAT HAS okta_user_group\", flags: {variableResultSize: true}) { type data } }";
const WRITE: &str = "mutation($key: String!) { createEntity(entityKey: $key, \
    entityType: \"siege_write\", entityClass: [\"Record\"], properties: {displayName: $key}) \
    { vertex { id } } }";
const GRAPHQL: &str = "/jupiterone/graphql";

/// What the client of the other organization saw.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) times: Times,
    pub(crate) failed: usize,
    pub(crate) failures: Vec<String>,
    /// Writes that were acknowledged.
    pub(crate) written: u64,
}

impl Record {
    fn append(&mut self, mut other: Self) {
        self.times.append(other.times);
        self.failed += other.failed;
        self.failures.append(&mut other.failures);
        self.failures.truncate(FAILURES_SHOWN);
        self.written += other.written;
    }

    fn fail(&mut self, what: &str, after: Duration, error: &anyhow::Error) {
        self.failed += 1;
        if self.failures.len() < FAILURES_SHOWN {
            let seconds = after.as_secs_f64();
            self.failures
                .push(format!("{what} after {seconds:.1} s: {error:#}"));
        }
    }
}

/// What all lanes share.
#[derive(Debug, Clone)]
struct Lane {
    target: Target,
    key: Key,
    administrator: String,
    patience: Duration,
    is_over: Arc<AtomicBool>,
    next: Arc<AtomicU64>,
    begun: Arc<Barrier>,
}

/// The client at work; one thread for each kind of call, so that one that waits hides no other.
#[derive(Debug)]
pub(crate) struct Working {
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Record>>,
}

type Work = fn(&Lane) -> Record;
const LANES: [Work; 4] = [queries, writes, gets, readiness];

impl Working {
    /// Starts the client and waits until every kept-alive connection has had an answer.
    pub(crate) fn start(world: &World, patience: Duration, next: &Arc<AtomicU64>) -> Self {
        let (access, secret) = world.victim().strongdm();
        let administrator = world.victim().json().pointer("/admin/id");
        let administrator = administrator.and_then(|id| id.as_str()).unwrap_or_default();
        let lane = Lane {
            target: Target {
                address: world.address().to_owned(),
                token: world.victim().api_token().to_owned(),
            },
            key: Key {
                access: access.to_owned(),
                secret: secret.to_owned(),
            },
            administrator: format!("a-{}", administrator.replace('-', "")),
            patience,
            is_over: Arc::new(AtomicBool::new(false)),
            next: Arc::clone(next),
            begun: Arc::new(Barrier::new(LANES.len() + 1)),
        };
        let threads = LANES.into_iter().map(|work| {
            let lane = lane.clone();
            std::thread::spawn(move || work(&lane))
        });
        let threads = threads.collect();
        lane.begun.wait();
        Self {
            is_over: lane.is_over,
            threads,
        }
    }

    /// Ends the client after its calls under way.
    pub(crate) fn finish(self) -> Record {
        self.is_over.store(true, Ordering::Relaxed);
        let mut record = Record::default();
        for thread in self.threads {
            match thread.join() {
                Ok(lane) => record.append(lane),
                Err(_) => record.failures.push("a lane ended abnormally".to_owned()),
            }
        }
        record
    }
}

impl Lane {
    /// Calls again and again: on a kept-alive connection and on a fresh one in turn.
    fn repeat(
        &self,
        what: &str,
        mut kept: impl FnMut() -> anyhow::Result<()>,
        mut fresh: impl FnMut() -> anyhow::Result<()>,
    ) -> Record {
        let mut record = Record::default();
        let mut is_first = true;
        let mut turn = 0u64;
        while is_first || !self.is_over.load(Ordering::Relaxed) {
            let is_kept = turn.is_multiple_of(2);
            turn += 1;
            let begun = now();
            let outcome = if is_kept { kept() } else { fresh() };
            let took = begun.elapsed();
            let pause = match outcome {
                Ok(()) => {
                    record.times.add(took);
                    PAUSE
                }
                Err(error) => {
                    let kind = if is_kept { "kept" } else { "fresh" };
                    record.fail(&format!("{what} ({kind})"), took, &error);
                    PAUSE_AFTER_FAILURE
                }
            };
            if is_first {
                is_first = false;
                self.begun.wait();
            }
            std::thread::sleep(pause);
        }
        record
    }

    fn open(&self) -> anyhow::Result<Connection> {
        let connection = Connection::open(&self.target)?;
        connection.wait_at_most(self.patience)?;
        Ok(connection)
    }

    /// One request on a kept connection, which is opened anew after a failure.
    fn ask(&self, slot: &mut Option<Connection>, body: &[u8]) -> anyhow::Result<()> {
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        connection.ask("POST", GRAPHQL, body, &mut Vec::new())?;
        *slot = Some(connection);
        Ok(())
    }
}

fn queries(lane: &Lane) -> Record {
    let body = json!({ "query": QUERY }).to_string();
    let mut slot = None;
    lane.repeat(
        "J1QL query",
        || lane.ask(&mut slot, body.as_bytes()),
        || lane.ask(&mut None, body.as_bytes()),
    )
}

fn writes(lane: &Lane) -> Record {
    let written = AtomicU64::new(0);
    let write = |slot: &mut Option<Connection>| {
        let number = lane.next.fetch_add(1, Ordering::Relaxed);
        let key = format!("siege:{number}");
        let body = json!({"query": WRITE, "variables": {"key": key}}).to_string();
        lane.ask(slot, body.as_bytes())?;
        written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    let mut slot = None;
    let mut record = lane.repeat("write", || write(&mut slot), || write(&mut None));
    record.written = written.into_inner();
    record
}

fn gets(lane: &Lane) -> Record {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let (Ok(runtime), Ok(signer)) = (runtime, Signer::new(&lane.key)) else {
        return lane.repeat("signed Get", || bail!("no runtime"), || bail!("no runtime"));
    };
    let mut message = Vec::new();
    put_bytes(&mut message, 2, lane.administrator.as_bytes());
    let mut slot: Option<SendRequest<bytes::Bytes>> = None;
    let get = |slot: &mut Option<SendRequest<bytes::Bytes>>| {
        let work = async {
            let sender = if let Some(sender) = slot.take() {
                sender
            } else {
                let stream = tokio::net::TcpStream::connect(&lane.target.address).await?;
                shake(stream).await?
            };
            call(
                &lane.target.address,
                &sender,
                &signer,
                "Accounts/Get",
                &message,
            )
            .await?;
            *slot = Some(sender);
            anyhow::Ok(())
        };
        let limited = async { tokio::time::timeout(lane.patience, work).await };
        runtime.block_on(limited).context("no answer")?
    };
    lane.repeat("signed Get", || get(&mut slot), || get(&mut None))
}

fn readiness(lane: &Lane) -> Record {
    let mut slot: Option<Connection> = None;
    let ask = |slot: &mut Option<Connection>| {
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => lane.open()?,
        };
        let mut answer = Vec::new();
        connection.send("GET", "/readyz", b"")?;
        let status = connection.receive(&mut answer)?;
        check(status, &answer)?;
        *slot = Some(connection);
        Ok(())
    };
    // Nobody is known by this route, so the connection may have had to go for another. Every client
    // asks again then, as it may for a GET.
    let kept = || ask(&mut slot).or_else(|_: anyhow::Error| ask(&mut slot));
    // As a load balancer asks: without any credential, and with an end.
    let fresh = || {
        let mut stream = TcpStream::connect(&lane.target.address)?;
        stream.set_read_timeout(Some(lane.patience))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        if !text.starts_with("HTTP/1.1 200") {
            bail!("{:?}", text.lines().next().unwrap_or_default());
        }
        Ok(())
    };
    lane.repeat("/readyz", kept, fresh)
}
