// SPDX-License-Identifier: Apache-2.0
//! What the command line asks for, and the figures of the two forms.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

const USAGE: &str = "usage: durward-siege [--long] [--only NAME,...] [--list]";

/// How the siege is run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) is_long: bool,
    /// Names of attacks; all where there are none. A name also stands for all that begin with it.
    pub(crate) only: Vec<String>,
    pub(crate) lists: bool,
    /// How long one attack lasts.
    pub(crate) attack: Duration,
    /// How long the other client is watched in quiet.
    pub(crate) quiet: Duration,
    /// How long the other client waits for an answer before it counts as refused.
    pub(crate) patience: Duration,
    /// How long after an attack the budget may take to be given back.
    pub(crate) settle: Duration,
    pub(crate) budget_bytes: u64,
    /// What the server may take beside its graph and its budget: buffers of connections, stacks,
    /// what the allocator keeps.
    pub(crate) allowance_bytes: u64,
    /// The process is ended when it has this much resident.
    pub(crate) kill_bytes: u64,
}

impl Plan {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let (mut is_long, mut lists, mut only) = (false, false, Vec::new());
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--long" => is_long = true,
                "--list" => lists = true,
                "--only" => {
                    let names = words.next().context("--only needs names")?;
                    only.extend(names.split(',').map(str::to_owned));
                }
                _ => bail!("unexpected {word:?}\n{USAGE}"),
            }
        }
        let seconds =
            |short: f64, long: f64| Duration::from_secs_f64(if is_long { long } else { short });
        let budget_bytes = if is_long { 256 << 20 } else { 128 << 20 };
        Ok(Self {
            is_long,
            only,
            lists,
            attack: seconds(1.0, 8.0),
            quiet: seconds(2.0, 10.0),
            patience: seconds(6.0, 6.0),
            settle: seconds(5.0, 10.0),
            budget_bytes,
            allowance_bytes: 96 << 20,
            kill_bytes: budget_bytes * 2 + (512 << 20),
        })
    }

    /// Whether an attack is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only.as_str()))
    }

    /// The text of the server's configuration file.
    pub(crate) fn configuration(&self) -> String {
        format!("[limits]\nmemory_bytes = {}\n", self.budget_bytes)
    }

    /// The program under siege.
    pub(crate) fn binary() -> anyhow::Result<PathBuf> {
        if let Some(named) = std::env::var_os("DURWARD_BIN") {
            let named = PathBuf::from(named);
            return named
                .canonicalize()
                .with_context(|| format!("DURWARD_BIN {}", named.display()));
        }
        let own = std::env::current_exe().context("finding this program")?;
        let beside = own.with_file_name("durward");
        if !beside.is_file() {
            bail!(
                "{} is missing: build it, or set DURWARD_BIN",
                beside.display()
            );
        }
        Ok(beside)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_all_that_begin_with_them() {
        let words = ["--only", "idle,nodes-8m"].map(str::to_owned);
        let plan = Plan::parse(words.into_iter()).unwrap();
        assert!(plan.wants("idle-tcp") && plan.wants("nodes-8m"));
        assert!(!plan.wants("nodes"));
        assert!(Plan::parse(["--wrong".to_owned()].into_iter()).is_err());
    }
}
