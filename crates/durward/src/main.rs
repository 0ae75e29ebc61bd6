// SPDX-License-Identifier: Apache-2.0
//! The `durward` binary: command line, configuration, wiring, listener.
//!
//! Start with [`arguments`] for what can be said, [`command`] for what is then done, and [`server`]
//! for what a running server is made of.

mod arguments;
mod client;
mod command;
mod config;
mod input;
mod logging;
mod offline;
mod output;
mod server;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};
use crate::command::query::Usage;

/// Exit code of a wrong use of the command line, as clap has it.
const WRONG_USAGE: u8 = 2;

/// Gives freed memory back to the system in the background. The system's own allocator keeps what a
/// large upload freed, which shows in the resident memory of a server for ever after.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever reads it may be gone; the exit code tells all the same.
            let _ = writeln!(std::io::stderr(), "durward: {}", sentence(&error));
            if error.is::<Usage>() {
                ExitCode::from(WRONG_USAGE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// The whole chain of an error as one line.
fn sentence(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some errors repeat their source in their own text.
        if parts.last().is_none_or(|last| !last.contains(&cause)) {
            parts.push(cause);
        }
    }
    // Parsers like to draw; an error is one line.
    parts
        .join(": ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    offline::accept_rollback(arguments.accept_rollback);
    match arguments.command {
        Command::Init(arguments) => command::init::run(&arguments),
        Command::Serve(arguments) => command::serve::run(&arguments),
        Command::Import(arguments) => command::import::run(&arguments),
        Command::Query(arguments) => command::query::run(&arguments),
        Command::Access(command) => command::access::run(&command),
        Command::Audit(command) => command::audit::run(&command),
        Command::Backup(arguments) => command::backup::backup(&arguments),
        Command::Restore(arguments) => command::backup::restore(&arguments),
        Command::Keys(command) => command::keys::run(&command),
        Command::Org(command) => command::org::run(&command),
        Command::Schema(arguments) => command::schema::run(&arguments),
        Command::Config(command) => command::config::run(&command),
    }
}
