// SPDX-License-Identifier: Apache-2.0
//! Measures a bulk synchronization through HTTP: `bulk_load DIR [--connections N] [--batch-mb N]`,
//! where DIR holds `entities.ndjson` and `relationships.ndjson`. The server runs in a process of
//! its own, so that its peak memory is its own too. The same data is uploaded twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measuring tool, which may stop at the first failure and reads clocks"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Extension;
use durward_catalog::Catalog;
use durward_dialect_sync::jobs::RandomSource;
use durward_dialect_sync::{JobOptions, Jobs, StillAllowed, SyncAccess, router};
use durward_graph::store::{Store, StoreOptions};
use durward_journal::HeadSigner;
use durward_journal::file_seal::TestSeal;
use durward_model::SystemClock;
use durward_model::transaction::{Origin, Sequence};
use serde_json::Value;

#[derive(Debug)]
struct Unsigned;

impl HeadSigner for Unsigned {
    fn key_id(&self) -> String {
        "none".to_owned()
    }

    fn sign(&self, _message: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn verify(&self, _key_id: &str, _at: Sequence, _message: &[u8], _signature: &[u8]) -> bool {
        true
    }
}

fn serve(folder: &Path) {
    let catalog = Arc::new(Catalog::built_in().unwrap());
    let clock = Arc::new(SystemClock);
    let options = StoreOptions::new(
        folder.join("graph"),
        clock.clone(),
        Arc::clone(&catalog),
        [7; 32],
        Arc::new(Unsigned),
    );
    let store = Arc::new(Store::create(options).unwrap());
    let seconds = Mutex::new(0u64);
    let random = RandomSource(Arc::new(move |bytes| {
        let mut count = seconds.lock().unwrap();
        *count += 1;
        bytes.fill(0);
        bytes[..8].copy_from_slice(&count.to_be_bytes());
    }));
    let jobs = JobOptions {
        folder: folder.join("jobs"),
        store,
        catalog,
        clock,
        random,
        seal: Arc::new(TestSeal(1)),
    };
    let access = SyncAccess {
        share: durward_budget::Budget::unlimited().strangers(),
        base_url: String::new(),
        jobs: Arc::new(Jobs::open(jobs).unwrap()),
        account: "bench".to_owned(),
        origin: Origin::default(),
        is_allowed: true,
        still_allowed: StillAllowed(Arc::new(|| Ok(()))),
        integration_instance: None,
        too_many: None,
        cursor_key: durward_query::CursorKey::new(b"bench"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        axum::serve(
            listener,
            router(|_, handler| handler)
                .unwrap()
                .layer(Extension(access)),
        )
        .await
        .unwrap();
    });
}

struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    fn post(&mut self, path: &str, body: &[u8]) -> Value {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
        self.stream.get_mut().write_all(body).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        self.stream.read_line(&mut line).unwrap();
        let status = line.clone();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        assert!(
            status.contains(" 200 "),
            "{status} {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).unwrap()
    }
}

/// Reads the next lines of a file as a JSON list body.
fn next_body(file: &mut (File, Vec<u8>), list: &str, batch: usize) -> Option<Vec<u8>> {
    let mut lines = std::mem::take(&mut file.1);
    let count = (&mut file.0)
        .take(batch as u64)
        .read_to_end(&mut lines)
        .unwrap();
    if count == 0 && lines.is_empty() {
        return None;
    }
    if count > 0 {
        let end = lines.iter().rposition(|byte| *byte == b'\n').unwrap();
        file.1 = lines.split_off(end + 1);
    }
    if lines.last() == Some(&b'\n') {
        lines.pop();
    }
    let mut body = format!("{{\"{list}\":[").into_bytes();
    body.reserve(lines.len() + 2);
    body.extend(
        lines
            .iter()
            .map(|byte| if *byte == b'\n' { b',' } else { *byte }),
    );
    body.extend(b"]}");
    Some(body)
}

fn load(address: &str, data: &Path, connections: usize, batch: usize) {
    let started = Instant::now();
    let job = Client::new(address).post(
        "/persister/synchronization/jobs",
        br#"{"source":"api","scope":"bench"}"#,
    );
    let id = job["job"]["id"].as_str().unwrap().to_owned();
    for list in ["entities", "relationships"] {
        let file = File::open(data.join(format!("{list}.ndjson"))).unwrap();
        let file = Mutex::new((file, Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| {
                    let mut client = Client::new(address);
                    loop {
                        let Some(body) = next_body(&mut file.lock().unwrap(), list, batch) else {
                            break;
                        };
                        client.post(
                            &format!("/persister/synchronization/jobs/{id}/{list}"),
                            &body,
                        );
                    }
                });
            }
        });
        println!(
            "  {list} staged after {:.2} s",
            started.elapsed().as_secs_f64()
        );
    }
    let path = format!("/persister/synchronization/jobs/{id}/finalize");
    let job = &Client::new(address).post(&path, b"{}")["job"];
    println!("  finalized after {:.2} s", started.elapsed().as_secs_f64());
    for name in [
        "status",
        "numEntitiesUploaded",
        "numEntitiesCreated",
        "numRelationshipsCreated",
    ] {
        println!("  {name} {}", job[name]);
    }
}

fn memory(process: u32) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    for line in status
        .lines()
        .filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"))
    {
        println!("  {line}");
    }
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    println!(
        "  server CPU so far {:.2} s",
        (ticks(11) + ticks(12)) / 100.0
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|word| word == "--serve") {
        return serve(Path::new(&arguments[2]));
    }
    let data = PathBuf::from(arguments.get(1).expect("usage: bulk_load DIR"));
    let option = |name: &str, default: usize| {
        let at = arguments.iter().position(|word| word == name);
        at.and_then(|at| arguments.get(at + 1))
            .map_or(default, |text| text.parse().unwrap())
    };
    let (connections, batch) = (option("--connections", 3), option("--batch-mb", 5) << 20);
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--serve".as_ref(), folder.path().as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut address)
        .unwrap();
    for round in ["first upload", "the same again"] {
        println!("{round}");
        load(address.trim(), &data, connections, batch);
        memory(server.id());
    }
    server.kill().unwrap();
    server.wait().unwrap();
}
