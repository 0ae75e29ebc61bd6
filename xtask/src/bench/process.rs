// SPDX-License-Identifier: Apache-2.0
//! A data folder of its own with a server over it, and what the kernel tells of the process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::Bench;
use super::lines::Lines;
use crate::shell::{self, Stopwatch};

const READY_LINE: &str = "listening on http://";
/// Between two questions whether the server is ready.
const POLL: Duration = Duration::from_micros(500);
const READY_SECONDS_MAX: u64 = 120;

/// A data folder.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    pub(crate) token: String,
    /// All first credentials, as `init --json` prints them.
    pub(crate) first: Value,
}

/// A running `durward serve`; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// From the start of the process until `/readyz` answered 200.
    pub(crate) ready: Duration,
}

impl Data {
    /// Makes a new data folder; an old one of the same name is removed.
    pub(crate) fn create(bench: &Bench, name: &str) -> anyhow::Result<Self> {
        let folder = bench.folder.join(name);
        for old in [folder.clone(), beside(&folder, "key")] {
            if old.is_dir() {
                std::fs::remove_dir_all(&old).with_context(|| old.display().to_string())?;
            } else if old.exists() {
                std::fs::remove_file(&old).with_context(|| old.display().to_string())?;
            }
        }
        let mut command = shell::command(&bench.durward, &bench.root);
        command.args([
            "init",
            "--json",
            "--org",
            "bench",
            "--admin",
            "bench@corp.example",
        ]);
        let said = shell::output(command.arg("--data").arg(&folder))?;
        let said: Value = serde_json::from_str(&said).context("init --json")?;
        let token = said
            .get("api_token")
            .and_then(Value::as_str)
            .context("no api_token")?
            .to_owned();
        Ok(Self {
            folder,
            token,
            first: said,
        })
    }

    /// Starts a server; `core` pins it to one core.
    pub(crate) fn serve(&self, bench: &Bench, core: Option<u32>) -> anyhow::Result<Server> {
        let mut command = pinned(&bench.durward, &bench.root, core);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&self.folder);
        let log = beside(&self.folder, "log");
        let file = std::fs::File::create(&log).with_context(|| log.display().to_string())?;
        command.stdout(Stdio::piped()).stderr(file);
        let watch = Stopwatch::start();
        let mut child = command.spawn().context("starting durward serve")?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut server = Server {
            child,
            address: String::new(),
            ready: Duration::ZERO,
        };
        let mut lines = BufReader::new(output).lines();
        for line in lines.by_ref() {
            if let Some(address) = line?.strip_prefix(READY_LINE) {
                address.trim().clone_into(&mut server.address);
                break;
            }
        }
        if server.address.is_empty() {
            bail!("the server ended; its log is {}", log.display());
        }
        while !is_ready(&server.address) {
            if watch.elapsed().as_secs() > READY_SECONDS_MAX {
                bail!(
                    "the server does not become ready; its log is {}",
                    log.display()
                );
            }
            std::thread::sleep(POLL);
        }
        server.ready = watch.elapsed();
        // Somebody must read on, or the server would block on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(server)
    }

    /// A load client for the server.
    pub(crate) fn client(
        &self,
        bench: &Bench,
        server: &Server,
        core: Option<u32>,
    ) -> anyhow::Result<Lines> {
        let mut command = pinned(&bench.load, &bench.root, core);
        Lines::start("durward-load", command.args([&server.address, &self.token]))
    }

    /// Bytes of the journals below the folder.
    pub(crate) fn journal_bytes(&self) -> anyhow::Result<u64> {
        let mut total = 0;
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if name.starts_with("journal") && !name.ends_with("-shm") {
                    total += entry.metadata()?.len();
                }
            }
        }
        Ok(total)
    }
}

/// `FOLDER.suffix`; the folder's own name may hold a dot.
fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn pinned(program: &Path, root: &Path, core: Option<u32>) -> Command {
    let Some(core) = core else {
        return shell::command(program, root);
    };
    let mut command = shell::command("taskset", root);
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

fn is_ready(address: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        let request =
            format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

impl Server {
    /// A figure of `/proc/PID/status`, such as `VmRSS`, in MiB.
    pub(crate) fn memory(&self, name: &str) -> anyhow::Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kilobytes.with_context(|| format!("{path} has no {name}"))? / 1024.0)
    }

    /// Lets `VmHWM` count from now.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(&path, "5").with_context(|| path.clone())
    }

    /// Processor seconds used so far.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        let rest = text.rsplit(") ").next().unwrap_or_default();
        let ticks = rest
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|word| word.parse::<f64>().ok());
        Ok(ticks.sum::<f64>() / 100.0)
    }

    /// Asks the server to end and waits for it.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        shell::run(Command::new("kill").args(["-TERM", &id]))?;
        let status = self.child.wait().context("waiting for the server")?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is fine: that is what dropping is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
