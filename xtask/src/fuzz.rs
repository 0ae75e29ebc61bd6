// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask fuzz`: each target for a while, on the stable toolchain.

use std::path::Path;

use anyhow::{Context, bail};

use crate::shell;

/// Memory above this ends a target: unbounded growth is a finding.
const MEMORY_MEGABYTES_MAX: u32 = 1024;
/// One input that takes longer than this is a hang.
const INPUT_SECONDS_MAX: u32 = 10;

/// Runs the named targets, or all of them, `seconds` each.
pub(crate) fn run(root: &Path, seconds: u32, targets: &[String]) -> anyhow::Result<()> {
    let known = targets_in(root)?;
    if let Some(wrong) = targets.iter().find(|name| !known.contains(name)) {
        bail!("no fuzz target {wrong:?}; there are: {}", known.join(", "));
    }
    if known.is_empty() {
        bail!("fuzz/Cargo.toml lists no targets");
    }
    let installed = shell::output(shell::cargo(root).args(["fuzz", "--version"])).is_ok();
    if !installed {
        shell::heading("cargo-fuzz is missing: installing it with cargo install");
        shell::run(shell::cargo(root).args(["install", "cargo-fuzz", "--locked"]))?;
    }
    for target in if targets.is_empty() { &known } else { targets } {
        shell::heading(&format!("fuzz {target} for {seconds} s"));
        // Without a sanitizer cargo-fuzz runs on stable; coverage guidance stays.
        // What is found goes into the first folder; the second is checked in.
        let found = format!("fuzz/corpus/{target}");
        let seeds = format!("fuzz/seeds/{target}");
        std::fs::create_dir_all(root.join(&found)).with_context(|| format!("making {found}"))?;
        let words = [
            "fuzz",
            "run",
            "--sanitizer",
            "none",
            target,
            &found,
            &seeds,
            "--",
        ];
        shell::run(shell::cargo(root).args(words).args([
            format!("-max_total_time={seconds}"),
            format!("-rss_limit_mb={MEMORY_MEGABYTES_MAX}"),
            format!("-timeout={INPUT_SECONDS_MAX}"),
            "-print_final_stats=1".to_owned(),
        ]))?;
    }
    Ok(())
}

fn targets_in(root: &Path) -> anyhow::Result<Vec<String>> {
    let path = root.join("fuzz").join("Cargo.toml");
    let text = std::fs::read_to_string(&path).context("reading fuzz/Cargo.toml")?;
    let manifest: toml::Value = toml::from_str(&text).context("reading fuzz/Cargo.toml")?;
    let bins = manifest
        .get("bin")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    Ok(bins
        .filter_map(|bin| bin.get("name")?.as_str().map(str::to_owned))
        .collect())
}
