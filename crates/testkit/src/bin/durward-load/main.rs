// SPDX-License-Identifier: Apache-2.0
//! The load client of `cargo xtask bench`: reads commands as JSON objects, one a line, from
//! standard input and answers each with one line. The product does not contain it.
//!
//! `durward-load ADDRESS TOKEN`; the commands are the variants of [`Command`].

mod ask;
mod signed;
mod storm;
mod upload;

use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use durward_testkit::connection::Target;
use durward_testkit::times::{Times, now};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the client can do.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    /// One request again and again.
    Ask(ask::Ask),
    /// All pages of one query.
    Walk(ask::Walk),
    /// Many connections for some time.
    Storm(storm::Storm),
    /// The same in the background, until `stop`.
    Start(storm::Storm),
    /// Ends what `start` began and tells what it did.
    Stop,
    /// Signed gRPC calls for some time.
    Gets(signed::Gets),
    /// An organization with many resources, made over signed gRPC.
    Fill(signed::Fill),
    /// All pages of a list over signed gRPC.
    Pages(signed::Pages),
    /// A synchronization job.
    Upload(upload::Upload),
    /// How long it takes to make a small append to a file durable.
    Flush { folder: PathBuf, times: usize },
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(address), Some(token)) = (words.next(), words.next()) else {
        eprintln!("usage: durward-load ADDRESS TOKEN < COMMANDS");
        return ExitCode::from(2);
    };
    match serve(&Target { address, token }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(target: &Target) -> anyhow::Result<()> {
    let (mut kept, mut running) = (None, None);
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.context("reading commands")?;
        let answer = match run(target, &line, &mut kept, &mut running) {
            Ok(answer) => answer,
            Err(error) => {
                kept = None;
                json!({"error": format!("{error:#}")})
            }
        };
        writeln!(out, "{answer}").context("writing answers")?;
        out.flush().context("writing answers")?;
    }
    Ok(())
}

fn run(
    target: &Target,
    line: &str,
    kept: &mut Option<ask::Kept>,
    running: &mut Option<storm::Running>,
) -> anyhow::Result<Value> {
    match serde_json::from_str(line).context("the command is not understood")? {
        Command::Ask(asked) => ask::ask(target, kept, &asked),
        Command::Walk(walk) => ask::walk(target, &walk),
        Command::Storm(storm) => storm::storm(target, storm),
        Command::Start(storm) => {
            if running.is_some() {
                bail!("something runs already");
            }
            *running = Some(storm::Running::start(target, storm));
            Ok(json!({}))
        }
        Command::Stop => running.take().context("nothing runs")?.finish(),
        Command::Gets(gets) => signed::gets(target, gets),
        Command::Fill(fill) => signed::fill(target, &fill),
        Command::Pages(pages) => signed::pages(target, &pages),
        Command::Upload(upload) => upload::upload(target, &upload),
        Command::Flush { folder, times } => flush(&folder, times),
    }
}

fn flush(folder: &Path, times: usize) -> anyhow::Result<Value> {
    let path = folder.join("flush-test");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("making {}", path.display()))?;
    let mut durations = Times::default();
    for _ in 0..times {
        let begun = now();
        file.write_all(&[b'x'; 4096])?;
        file.sync_data()?;
        durations.add(begun.elapsed());
    }
    std::fs::remove_file(&path)?;
    Ok(durations.summary())
}
