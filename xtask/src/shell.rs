// SPDX-License-Identifier: Apache-2.0
//! Running other programs: headings with times, output passed on, test counts read from it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// What the test runners of one step said they ran.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// A wall clock for headings.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a task runner tells people how long it took"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn seconds(&self) -> String {
        format!("{:.1} s", self.elapsed().as_secs_f64())
    }
}

/// Prints a heading that stands out in a long log.
pub(crate) fn heading(text: &str) {
    println!("\n==> {text}");
    flush();
}

/// Makes what was printed visible before a child process prints.
pub(crate) fn flush() {
    // A closed standard output is noticed by the next print.
    let _ = std::io::stdout().flush();
}

/// A command in `folder` that never waits for a person.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The same `cargo` that started this task.
pub(crate) fn cargo(folder: &Path) -> Command {
    command(
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        folder,
    )
}

/// Runs a command with its output passed through; an exit code other than 0 is an error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    flush();
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command quietly and returns its standard output.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let out = command
        .stderr(Stdio::piped())
        .output()
        .with_context(|| cannot_start(command))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        bail!(
            "{} ended with {}: {}",
            shown(command),
            out.status,
            said.trim()
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs a test runner, passes its output on and adds up the counts that it prints. The second
/// value says whether it ended with exit code 0.
pub(crate) fn run_tests(command: &mut Command) -> anyhow::Result<(Counts, bool)> {
    flush();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| cannot_start(command))?;
    let mut counts = Counts::default();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).split(b'\n') {
            let line = line.context("reading the test runner's output")?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some(more) = counts_in(&line) {
                counts.add(more);
            }
        }
    }
    let status = child.wait().context("waiting for the test runner")?;
    Ok((counts, status.success()))
}

/// Reads the closing line of `cargo test`, pytest or the siege.
fn counts_in(line: &str) -> Option<Counts> {
    let text = line.trim().trim_matches('=').trim();
    let text = match text.strip_prefix("test result: ") {
        Some(rest) => rest.split_once(". ")?.1,
        None if is_pytest_closing(text) => text,
        None => return None,
    };
    let mut counts = Counts::default();
    for part in text.split([',', ';']) {
        let mut words = part.split_whitespace();
        let (Some(number), Some(what)) = (words.next(), words.next()) else {
            continue;
        };
        let Ok(number) = number.parse::<u64>() else {
            continue;
        };
        match what {
            "passed" => counts.passed += number,
            "failed" | "error" | "errors" => counts.failed += number,
            "ignored" | "skipped" => counts.skipped += number,
            _ => {}
        }
    }
    Some(counts)
}

/// `3 passed, 1 failed in 0.12s`
fn is_pytest_closing(text: &str) -> bool {
    let Some((counted, time)) = text.rsplit_once(" in ") else {
        return false;
    };
    let words: Vec<&str> = counted.split_whitespace().collect();
    let starts_with_number = words
        .first()
        .is_some_and(|word| word.parse::<u64>().is_ok());
    let names_a_result = ["passed", "failed", "skipped", "error", "errors"]
        .iter()
        .any(|what| {
            words
                .get(1)
                .is_some_and(|word| word.trim_end_matches(',') == *what)
        });
    starts_with_number && names_a_result && time.contains('s')
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start {}", command.get_program().to_string_lossy())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let mut text = words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    if text.chars().count() > 120 {
        text = text.chars().take(117).collect::<String>() + "...";
    }
    format!("`{text}`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let cargo = "test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 0 filtered \
                     out; finished in 0.05s";
        assert_eq!(
            counts_in(cargo),
            Some(Counts {
                passed: 12,
                failed: 1,
                skipped: 2
            })
        );
        let pytest = "==== 1 failed, 30 passed, 2 skipped, 1 error in 4.20s ====";
        assert_eq!(
            counts_in(pytest),
            Some(Counts {
                passed: 30,
                failed: 2,
                skipped: 2
            })
        );
        assert_eq!(counts_in("5 passed in 61.00s (0:01:01)").unwrap().passed, 5);
        let siege = counts_in("68 passed, 4 failed in 150 s").unwrap();
        assert_eq!((siege.passed, siege.failed), (68, 4));
    }

    #[test]
    fn other_lines_are_not_counted() {
        for line in [
            "test a::b ... ok",
            "9 lives in 1s",
            "3 passed",
            "running 4 tests",
            "",
        ] {
            assert_eq!(counts_in(line), None, "{line:?}");
        }
    }
}
