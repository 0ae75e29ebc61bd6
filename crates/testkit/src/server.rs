// SPDX-License-Identifier: Apache-2.0
//! A real server process with a fresh data folder, ended when dropped.

mod credentials;
mod process;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

pub use credentials::Credentials;
use process::Process;

use crate::client::Client;

/// How a test wants its server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program; found by [`crate::durward_binary`] when absent.
    pub binary: Option<PathBuf>,
    /// The name of the first organization.
    pub organization: String,
    /// The e-mail of its administrator.
    pub admin: String,
    /// Program and words in front of `durward serve`, such as `prlimit --nofile=64`; it must become
    /// the server without a process between.
    pub launcher: Vec<OsString>,
    /// More words for `durward serve`.
    pub serve_arguments: Vec<OsString>,
    /// The text of a configuration file for `durward serve`.
    pub config: Option<String>,
    /// Environment of the server.
    pub environment: Vec<(OsString, OsString)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            binary: None,
            organization: "Testbed".to_owned(),
            admin: "admin@testbed.example".to_owned(),
            launcher: Vec::new(),
            serve_arguments: Vec::new(),
            config: None,
            environment: Vec::new(),
        }
    }
}

/// A running server and all that belongs to it.
#[derive(Debug)]
pub struct Server {
    options: Options,
    binary: PathBuf,
    folder: TempDir,
    credentials: Credentials,
    process: Process,
}

impl Server {
    /// Makes a data folder with `durward init`, starts `durward serve` on a free port and waits
    /// until it is ready.
    ///
    /// # Errors
    /// When a step fails; the message holds what the server wrote.
    pub fn start(options: Options) -> anyhow::Result<Self> {
        let binary = match &options.binary {
            Some(binary) => binary.clone(),
            None => crate::durward_binary()?,
        };
        let folder = TempDir::with_prefix("durward-test-").context("making a folder")?;
        if let Some(config) = &options.config {
            std::fs::write(folder.path().join("durward.toml"), config).context("writing config")?;
        }
        let credentials = init(&binary, &folder.path().join("data"), &options)?;
        let process = serve(&binary, folder.path(), &options)?;
        Ok(Self {
            options,
            binary,
            folder,
            credentials,
            process,
        })
    }

    /// Where it listens, such as `http://127.0.0.1:41234`.
    pub fn url(&self) -> &str {
        self.process.url()
    }

    /// The first credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The program.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The id of the process, for measuring it.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// What the server wrote to standard error lately.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// A client without credentials.
    pub fn anonymous(&self) -> Client {
        Client::new(self.url())
    }

    /// A client with the administrator's API token.
    pub fn client(&self) -> Client {
        self.anonymous().with_token(self.credentials.api_token())
    }

    /// Runs another `durward` command and returns its standard output.
    ///
    /// # Errors
    /// When it ends with another exit code than 0; the message holds what it wrote.
    pub fn run(&self, words: &[&str]) -> anyhow::Result<String> {
        output(Command::new(&self.binary).args(words))
    }

    /// Ends the process the hard way (SIGKILL), as a power cut would for this process.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn kill9(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// Ends the process the polite way (SIGTERM) and waits for it.
    ///
    /// # Errors
    /// When it does not end in time or ends with a failure.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.process.stop()
    }

    /// Starts a server again on the same data, ending the old process politely when it still
    /// runs. The port changes.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.process.is_running() {
            self.process.stop()?;
        }
        self.process = serve(&self.binary, self.folder.path(), &self.options)?;
        Ok(())
    }
}

fn init(binary: &Path, data: &Path, options: &Options) -> anyhow::Result<Credentials> {
    let mut command = Command::new(binary);
    command.arg("init").arg("--data").arg(data);
    command.args([
        "--org",
        &options.organization,
        "--admin",
        &options.admin,
        "--json",
    ]);
    Credentials::parse(&output(&mut command)?)
}

fn serve(binary: &Path, folder: &Path, options: &Options) -> anyhow::Result<Process> {
    let mut command = match options.launcher.split_first() {
        Some((program, words)) => {
            let mut command = Command::new(program);
            command.args(words).arg(binary);
            command
        }
        None => Command::new(binary),
    };
    command.arg("serve").arg("--data").arg(folder.join("data"));
    command
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(folder);
    if options.config.is_some() {
        command.arg("--config").arg(folder.join("durward.toml"));
    }
    command.args(&options.serve_arguments);
    command.envs(
        options
            .environment
            .iter()
            .map(|(name, value)| (name, value)),
    );
    Process::start(command)
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let out = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        bail!("{command:?} ended with {}: {}", out.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
