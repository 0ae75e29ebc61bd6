// SPDX-License-Identifier: Apache-2.0
//! A log that cannot be written harms nobody: the disk is full, with the data and the log on it, or
//! whoever reads standard error is gone. Nothing acknowledged is lost, and writes go on when there
//! is room again.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::{binary, create_answer, done, ok, rows, text_of};
use durward_testkit::{Client, Credentials};
use serde_json::json;

/// A file system of 16 MiB, unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None where it cannot be mounted.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let words = ["-t", "tmpfs", "-o", "size=16m", "tmpfs"];
        let mounted = Command::new("mount")
            .args(words)
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let mut ballast = File::create(self.path("ballast")).unwrap();
        for size in [1 << 16, 1 << 10, 1] {
            while ballast.write_all(&vec![7_u8; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.path("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .status();
    }
}

/// A server whose log goes where the test says.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(data: &Path, log: Stdio) -> Self {
        let mut child = Command::new(binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--data", &text_of(data)])
            .env("DURWARD_LOG", "debug")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self { child, url }
    }

    fn client(&self, credentials: &Credentials) -> Client {
        let (account, key) = credentials.jupiterone();
        Client::new(&self.url)
            .with_token(key)
            .with_header("JupiterOne-Account", account)
    }

    fn readiness(&self) -> u16 {
        Client::new(&self.url).get("/readyz").unwrap().status
    }

    /// Asks it to stop; its exit code.
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn init(data: &Path) -> Credentials {
    let admin = "admin@example.org";
    let words = [
        "init",
        "--data",
        &text_of(data),
        "--org",
        "acme",
        "--admin",
        admin,
        "--json",
    ];
    Credentials::parse(&done(&words)).unwrap()
}

/// Whether the server says that an entity was created.
fn create(client: &Client, key: &str) -> bool {
    let properties = json!({"displayName": key, "text": "x".repeat(4000)});
    create_answer(client, key, "disk_item", "Record", &properties)
        .is_some_and(|answer| answer["data"]["createEntity"]["entity"]["_key"] == key)
}

fn keys(client: &Client) -> Vec<String> {
    let mut keys: Vec<String> = rows(client, "FIND disk_item AS x RETURN x._key AS key")
        .iter()
        .map(|row| row["key"].as_str().unwrap().to_owned())
        .collect();
    keys.sort();
    keys
}

#[test]
fn a_full_disk_with_the_log_on_it_stops_writes_and_nothing_else() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: a tmpfs cannot be mounted here");
        return;
    };
    let data = disk.path("data");
    let credentials = init(&data);
    let log = disk.path("log");
    let served = Served::start(&data, File::create(&log).unwrap().into());
    let client = served.client(&credentials);
    let mut acknowledged = Vec::new();
    let mut attempt = |client: &Client, key: String| {
        let is_there = create(client, &key);
        if is_there {
            acknowledged.push(key);
        }
        is_there
    };
    for number in 0..5 {
        assert!(attempt(&client, format!("a{number}")));
    }
    disk.fill();
    let refused = (0..60)
        .filter(|number| !attempt(&client, format!("b{number}")))
        .count();
    assert!(refused > 10, "the disk was not full: {refused} refused");
    assert_eq!(served.readiness(), 200, "reads go on");
    assert!(keys(&client).len() >= 5);
    disk.make_room();
    for number in 0..5 {
        assert!(attempt(&client, format!("c{number}")), "writes go on");
    }
    acknowledged.sort();
    assert_eq!(keys(&client), acknowledged);
    assert_eq!(served.stop(), Some(0));
    let told = fs::read_to_string(&log).unwrap();
    assert!(told.contains("of the log before this are lost"), "{told}");

    let served = Served::start(&data, Stdio::null());
    assert_eq!(keys(&served.client(&credentials)), acknowledged);
    let token = Client::new(&served.url).with_token(credentials.api_token());
    assert_eq!(ok(token.get("/audit/verify").unwrap())["sound"], true);
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_log_that_nobody_can_write_or_read_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let credentials = init(&data);
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let gone = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    // Its reader lives and does not read: a pipe holds 64 KiB.
    let (_reader, stuck) = std::io::pipe().unwrap();
    for (name, log) in [("full", full()), ("gone", gone()), ("stuck", stuck.into())] {
        let served = Served::start(&data, log);
        let client = served.client(&credentials);
        for number in 0..40 {
            assert!(create(&client, &format!("{name}-{number}")), "{name}");
            assert_eq!(client.get("/nothing").unwrap().status, 404);
        }
        assert_eq!(served.readiness(), 200, "{name}");
        assert_eq!(served.stop(), Some(0), "{name}");
    }
    let served = Served::start(&data, Stdio::null());
    assert_eq!(keys(&served.client(&credentials)).len(), 120);
}
