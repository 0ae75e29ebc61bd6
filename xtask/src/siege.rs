// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask siege`: builds the server and its attackers, and lets them at it.
//!
//! The attacks and their judge are `durward-siege` of the test kit. The long form takes a release
//! build and more time, and also alters a data folder ten thousand times.

use std::path::Path;
use std::process::Command;

use crate::shell::{self, Counts, heading};
use crate::suite::target_folder;

/// Random alterations of a data folder in the long form.
const ALTERATIONS: &str = "10000";
/// The test that makes them.
const ALTERATION_TEST: &str = "tamper";

/// What the command line asked for.
#[derive(Debug, Default)]
pub(crate) struct Siege {
    pub(crate) long: bool,
    pub(crate) release: bool,
    pub(crate) only: Option<String>,
}

/// Runs the attacks; an error when one of them won.
pub(crate) fn run(root: &Path, siege: &Siege) -> anyhow::Result<()> {
    let attacked = shell::run(&mut attackers(root, siege)?);
    if siege.long && siege.only.is_none() {
        heading("ten thousand alterations of a data folder");
        let words = [
            "test",
            "--locked",
            "-p",
            "durward-identity",
            "--test",
            ALTERATION_TEST,
        ];
        let mut alter = shell::cargo(root);
        shell::run(alter.args(words).env("DURWARD_ALTERATIONS", ALTERATIONS))?;
    }
    attacked
}

/// The short form, as a step of all tests.
pub(crate) fn short(root: &Path) -> anyhow::Result<(Counts, bool)> {
    shell::run_tests(&mut attackers(root, &Siege::default())?)
}

/// Builds the server and its attackers; the command that starts them.
fn attackers(root: &Path, siege: &Siege) -> anyhow::Result<Command> {
    let is_release = siege.long || siege.release;
    let mut build = shell::cargo(root);
    build.args([
        "build",
        "--locked",
        "-p",
        "durward",
        "-p",
        "durward-testkit",
    ]);
    build.args(["--bin", "durward", "--bin", "durward-siege"]);
    if is_release {
        build.arg("--release");
    }
    shell::run(&mut build)?;
    let profile = if is_release { "release" } else { "debug" };
    let built = target_folder(root).join(profile);
    let mut attack = shell::command(built.join("durward-siege"), root);
    attack.env("DURWARD_BIN", built.join("durward"));
    if siege.long {
        attack.arg("--long");
    }
    if let Some(only) = &siege.only {
        attack.args(["--only", only]);
    }
    Ok(attack)
}
