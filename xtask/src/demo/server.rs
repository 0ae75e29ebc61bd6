// SPDX-License-Identifier: Apache-2.0
//! A `durward serve` process of this task's own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

/// The line that `serve` prints once it accepts connections.
const READY_LINE: &str = "listening on ";
/// How much of the log an error shows.
const LOG_LINES_SHOWN: usize = 5;

/// A running server; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Server {
    /// Starts the command and waits for its ready line.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> anyhow::Result<Self> {
        let file = File::create(&log).with_context(|| format!("making {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file);
        let child = command.spawn().context("starting durward serve")?;
        let mut server = Self {
            child,
            url: String::new(),
            log,
        };
        let Some(stdout) = server.child.stdout.take() else {
            bail!("no standard output")
        };
        let mut lines = BufReader::new(stdout).lines();
        for line in lines.by_ref() {
            let line = line.context("reading the server's output")?;
            if let Some(url) = line.strip_prefix(READY_LINE) {
                url.trim().clone_into(&mut server.url);
                break;
            }
        }
        if server.url.is_empty() {
            bail!("the server ended before it was ready: {}", server.log_end());
        }
        // Somebody must read on, or the server would block on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(server)
    }

    /// Where it listens, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// The file that holds what the server wrote to standard error.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Waits until the server ends by itself or by Ctrl-C, which reaches both processes.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait().context("waiting for the server")?;
        if !status.success() {
            bail!("the server ended with {status}: {}", self.log_end());
        }
        Ok(())
    }

    /// Asks the server to end, as Ctrl-C would, and waits for it.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        if !asked.is_ok_and(|status| status.success()) {
            self.child.kill().context("ending the server")?;
        }
        self.child.wait().context("waiting for the server")?;
        Ok(())
    }

    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LOG_LINES_SHOWN);
        lines.into_iter().skip(from).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is fine: that is what dropping is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
