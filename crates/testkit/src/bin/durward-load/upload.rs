// SPDX-License-Identifier: Apache-2.0
//! A synchronization job whose bodies were prepared before the clock starts.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, bail};
use durward_testkit::connection::{Connection, Target};
use durward_testkit::times::now;
use serde::Deserialize;
use serde_json::{Value, json};

const JOBS: &str = "/persister/synchronization/jobs";
/// How often a job that finalizes in the background is looked at.
const POLL: Duration = Duration::from_millis(10);

/// NDJSON files as one job.
#[derive(Debug, Deserialize)]
pub(crate) struct Upload {
    scope: String,
    #[serde(default = "diff")]
    mode: String,
    entities: Option<PathBuf>,
    relationships: Option<PathBuf>,
    /// Whole bodies of the `upload` call, sent after the files.
    #[serde(default)]
    bodies: Vec<PathBuf>,
    #[serde(default = "two")]
    connections: usize,
    #[serde(default = "six")]
    body_megabytes: usize,
}

fn diff() -> String {
    "DIFF".to_owned()
}

fn two() -> usize {
    2
}

fn six() -> usize {
    6
}

/// Runs the job; entities leave before relationships.
pub(crate) fn upload(target: &Target, upload: &Upload) -> anyhow::Result<Value> {
    let mut stages = Vec::new();
    for (kind, file) in [
        ("entities", &upload.entities),
        ("relationships", &upload.relationships),
    ] {
        if let Some(file) = file {
            stages.push((kind, bodies(file, kind, upload.body_megabytes << 20)?));
        }
    }
    for file in &upload.bodies {
        let body = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        stages.push(("upload", vec![body]));
    }
    let (mut connection, mut answer) = (Connection::open(target)?, Vec::new());
    let begun = now();
    let start = json!({"source": "api", "scope": upload.scope, "syncMode": upload.mode});
    connection.ask("POST", JOBS, start.to_string().as_bytes(), &mut answer)?;
    let job = job(&answer)?;
    let id = job
        .get("id")
        .and_then(Value::as_str)
        .context("the job has no id")?
        .to_owned();
    let mut staged = Vec::new();
    for (kind, bodies) in stages {
        send(
            target,
            &format!("{JOBS}/{id}/{kind}"),
            bodies,
            upload.connections,
        )?;
        staged.push(json!({"kind": kind, "seconds": begun.elapsed().as_secs_f64()}));
    }
    connection.ask("POST", &format!("{JOBS}/{id}/finalize"), b"{}", &mut answer)?;
    let mut done = self::job(&answer)?;
    loop {
        match done
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default()
        {
            "FINISHED" => break,
            status if status.starts_with("FINALIZ") => std::thread::sleep(POLL),
            status => bail!("the job ended as {status}: {done}"),
        }
        connection.ask("GET", &format!("{JOBS}/{id}"), b"", &mut answer)?;
        done = self::job(&answer)?;
    }
    Ok(json!({"seconds": begun.elapsed().as_secs_f64(), "staged": staged, "job": done}))
}

fn job(answer: &[u8]) -> anyhow::Result<Value> {
    let mut answer: Value = serde_json::from_slice(answer).context("the answer is not JSON")?;
    answer
        .get_mut("job")
        .map(Value::take)
        .context("the answer holds no job")
}

/// Sends all bodies, each connection taking the next one that is left.
fn send(
    target: &Target,
    path: &str,
    bodies: Vec<Vec<u8>>,
    connections: usize,
) -> anyhow::Result<()> {
    let left = Mutex::new(bodies.into_iter());
    let work = || -> anyhow::Result<()> {
        let (mut connection, mut answer) = (Connection::open(target)?, Vec::new());
        loop {
            let next = left
                .lock()
                .map_err(|_| anyhow::anyhow!("a sender ended"))?
                .next();
            let Some(body) = next else { return Ok(()) };
            connection.ask("POST", path, &body, &mut answer)?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections.max(1)).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(_) => bail!("a sender ended abnormally"),
            })
    })
}

/// Cuts lines of JSON into bodies `{"<kind>":[line,line,...]}`.
fn bodies(file: &Path, kind: &str, size: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let mut bodies = Vec::new();
    let mut rest = text.as_slice();
    while !rest.is_empty() {
        let from = size.min(rest.len());
        let tail = rest.get(from..).unwrap_or_default();
        let end = tail
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| from + at);
        let (lines, after) = rest.split_at(end);
        rest = after.strip_prefix(b"\n").unwrap_or(after);
        let mut body = Vec::with_capacity(lines.len() + 32);
        body.extend_from_slice(format!("{{\"{kind}\":[").as_bytes());
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        body.extend(
            lines
                .iter()
                .map(|byte| if *byte == b'\n' { b',' } else { *byte }),
        );
        body.extend_from_slice(b"]}");
        bodies.push(body);
    }
    Ok(bodies)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn lines_become_bodies_of_whole_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n").unwrap();
        let made = bodies(file.path(), "entities", 8).unwrap();
        let texts: Vec<&str> = made
            .iter()
            .map(|body| std::str::from_utf8(body).unwrap())
            .collect();
        assert_eq!(
            texts,
            [
                "{\"entities\":[{\"a\":1},{\"a\":2}]}",
                "{\"entities\":[{\"a\":3}]}"
            ]
        );
    }
}
