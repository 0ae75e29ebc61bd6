// SPDX-License-Identifier: Apache-2.0
//! Helpers that take commands as JSON lines and answer each with one line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

/// A running helper; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Lines {
    name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Lines {
    pub(crate) fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{name} has no input or output");
        };
        Ok(Self {
            name: name.to_owned(),
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// Sends one command and waits for its answer; an answer with `error` is an error.
    pub(crate) fn ask(&mut self, command: &Value) -> anyhow::Result<Value> {
        let name = &self.name;
        writeln!(self.input, "{command}").with_context(|| format!("{name} does not listen"))?;
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .with_context(|| format!("{name} does not answer"))?;
        if line.is_empty() {
            bail!("{name} ended");
        }
        let answer: Value =
            serde_json::from_str(&line).with_context(|| format!("{name} answers {line:?}"))?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            bail!("{name}: {error}");
        }
        Ok(answer)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // Already ended is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number in an answer.
pub(crate) fn number(answer: &Value, pointer: &str) -> anyhow::Result<f64> {
    let found = answer.pointer(pointer).and_then(Value::as_f64);
    found.with_context(|| format!("the answer has no number {pointer}"))
}
