// SPDX-License-Identifier: Apache-2.0
//! The child process: its ready line, its log, its ends.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::client::Client;

/// The start of the line that `serve` prints when it listens.
const READY_LINE: &str = "listening on ";
/// A dev build replays a large journal slowly.
const READY_SECONDS_MAX: u64 = 60;
/// A polite end drains requests and closes the journal.
const STOP_SECONDS_MAX: u64 = 30;
const POLL: Duration = Duration::from_millis(10);
/// Lines of the log that are kept for error messages.
const LOG_LINES_MAX: usize = 200;

type Log = Arc<Mutex<VecDeque<String>>>;

/// One `durward serve`; dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    url: String,
    log: Log,
}

impl Process {
    /// Starts the command, waits for its ready line and for `/readyz`.
    pub(super) fn start(mut command: Command) -> anyhow::Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let mut process = Self {
            child,
            url: String::new(),
            log: Log::default(),
        };
        let (Some(stdout), Some(stderr)) =
            (process.child.stdout.take(), process.child.stderr.take())
        else {
            bail!("the server has no output");
        };
        let log = Arc::clone(&process.log);
        thread::spawn(move || keep_last_lines(stderr, &log));
        let ready = ready_line(stdout);
        let deadline = now() + Duration::from_secs(READY_SECONDS_MAX);
        let Ok(url) = ready.recv_timeout(Duration::from_secs(READY_SECONDS_MAX)) else {
            bail!(
                "the server printed no {READY_LINE:?} line: {}",
                process.log()
            );
        };
        process.url = url;
        let client = Client::new(&process.url);
        while !client
            .get("/readyz")
            .is_ok_and(|answer| answer.status == 200)
        {
            if now() > deadline || !process.is_running() {
                bail!("the server did not become ready: {}", process.log());
            }
            thread::sleep(POLL);
        }
        Ok(process)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log(&self) -> String {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("killing the server")?;
        self.child.wait().context("waiting for the server")?;
        Ok(())
    }

    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .context("running kill")?;
        if !asked.success() {
            bail!("the server could not be signalled");
        }
        let deadline = now() + Duration::from_secs(STOP_SECONDS_MAX);
        while now() < deadline {
            if let Some(status) = self.child.try_wait().context("waiting for the server")? {
                if !status.success() {
                    bail!("the server ended with {status}: {}", self.log());
                }
                return Ok(());
            }
            thread::sleep(POLL);
        }
        bail!(
            "the server did not end within {STOP_SECONDS_MAX} s: {}",
            self.log()
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended is fine: that is what dropping is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads standard output to its end, so that the server never blocks on it; sends the address.
fn ready_line(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(url) = line.strip_prefix(READY_LINE) {
                // A second ready line, or a test that gave up, is of no interest.
                let _ = sender.try_send(url.trim().to_owned());
            }
        }
    });
    receiver
}

fn keep_last_lines(stderr: impl Read, log: &Log) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let mut lines = log.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "waiting for a real process takes a real clock"
)]
fn now() -> Instant {
    Instant::now()
}
