// SPDX-License-Identifier: Apache-2.0
//! `durward import graph`: entities and relationships, one JSON object a line.

use std::io::{BufRead, Cursor, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value as Json, json};

use crate::arguments::ImportArguments;
use crate::client::Client;
use crate::command::query::connect;
use crate::{input, offline};

const JOBS: &str = "/persister/synchronization/jobs";
/// Size at which an upload is sent, in bytes.
const UPLOAD_BYTES: usize = 8 << 20;
/// Longest line in bytes.
const LINE_BYTES_MAX: usize = 16 << 20;

/// Counters of a synchronization job that are printed.
const COUNTERS: [(&str, &str); 8] = [
    ("numEntitiesCreated", "entities created"),
    ("numEntitiesUpdated", "entities updated"),
    ("numEntitiesDeleted", "entities deleted"),
    ("numEntityCreateErrors", "entities in error"),
    ("numRelationshipsCreated", "relationships created"),
    ("numRelationshipsUpdated", "relationships updated"),
    ("numRelationshipsDeleted", "relationships deleted"),
    ("numRelationshipCreateErrors", "relationships in error"),
];

/// A line, as far as it must be understood to tell relationships from entities.
#[derive(Deserialize)]
struct LineKind {
    #[serde(rename = "_fromEntityKey", alias = "_fromEntityId", alias = "_mapping")]
    from: Option<IgnoredAny>,
}

/// Synchronizes all files as one job.
pub(super) fn run(arguments: &ImportArguments, scope: &str) -> anyhow::Result<()> {
    let job = match connect(&arguments.target)? {
        Some(client) => {
            let named = |path: &PathBuf| Ok((path.display().to_string(), input::open(path)?));
            let inputs = arguments.files.iter().map(named);
            let inputs = inputs.collect::<anyhow::Result<_>>()?;
            Upload::start(&client, scope, arguments.patch)?.send(inputs)?
        }
        None => offline::import_graph(arguments, scope, &arguments.files, false)?,
    };
    print(scope, &job)
}

/// Synchronizes lines of JSON as one job over `scope`. Of partial ones nothing that is absent is
/// deleted.
pub(super) fn synchronize(
    arguments: &ImportArguments,
    scope: &str,
    lines: Vec<u8>,
    is_partial: bool,
) -> anyhow::Result<()> {
    if is_partial && !arguments.patch {
        eprintln!("warning: the files are not complete; nothing is deleted for being absent");
    }
    let job = if let Some(client) = connect(&arguments.target)? {
        let input: Input = ("the records".to_owned(), Box::new(Cursor::new(lines)));
        let mut upload = Upload::start(&client, scope, arguments.patch)?;
        upload.is_partial = is_partial;
        upload.send(vec![input])?
    } else {
        let mut file = tempfile::NamedTempFile::new().context("no temporary file can be made")?;
        file.write_all(&lines)
            .context("the temporary file cannot be written")?;
        let files = [file.path().to_owned()];
        offline::import_graph(arguments, scope, &files, is_partial)?
    };
    print(scope, &job)
}

/// Prints the counters.
///
/// # Errors
/// When lines were left out: the others are imported all the same.
fn print(scope: &str, job: &Json) -> anyhow::Result<()> {
    let mut parts = Vec::new();
    for (name, words) in COUNTERS {
        let count = job.get(name).and_then(Json::as_u64).unwrap_or(0);
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    let summary = if parts.is_empty() {
        "nothing changed".to_owned()
    } else {
        parts.join(", ")
    };
    println!("scope {scope}: {summary}");
    let left_out = job.get("numRejected").and_then(Json::as_u64).unwrap_or(0);
    if left_out == 0 {
        return Ok(());
    }
    let partial = |name: &str| job.pointer(&format!("/partialDatasets/{name}"));
    let types = partial("types").and_then(Json::as_array);
    let types: Vec<&str> = types
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let kept = match partial("allTypes").and_then(Json::as_bool) {
        Some(true) => "; nothing was deleted for being absent".to_owned(),
        _ if types.is_empty() => String::new(),
        _ => format!(
            "; nothing of {} was deleted for being absent",
            types.join(", ")
        ),
    };
    anyhow::bail!("{left_out} lines were left out; the others are imported{kept}")
}

/// Lines, and what they come from.
type Input = (String, Box<dyn BufRead>);

/// Lines of one upload, and where each comes from.
#[derive(Default)]
struct Batch {
    body: Vec<u8>,
    places: Vec<(usize, u64)>,
}

struct Upload<'a> {
    client: &'a Client,
    job: String,
    entities: Batch,
    relationships: Batch,
    /// What the inputs are called.
    names: Vec<String>,
    /// Lines that are no JSON at all, and were not sent.
    broken: u64,
    /// Whether the inputs are known not to be complete.
    is_partial: bool,
    progress: ProgressBar,
}

impl<'a> Upload<'a> {
    fn start(client: &'a Client, scope: &str, patch: bool) -> anyhow::Result<Self> {
        let mode = if patch { "PATCH" } else { "DIFF" };
        let body = json!({"source": "api", "scope": scope, "syncMode": mode}).to_string();
        let answer = client.post(JOBS, "application/json", body.as_bytes())?;
        let job = answer.pointer("/job/id").and_then(Json::as_str);
        let progress = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bytes} sent") {
            progress.set_style(style);
        }
        progress.set_message("uploading:");
        Ok(Self {
            client,
            job: job.context("the server started no job")?.to_owned(),
            entities: Batch::default(),
            relationships: Batch::default(),
            names: Vec::new(),
            broken: 0,
            is_partial: false,
            progress,
        })
    }

    fn send(mut self, inputs: Vec<Input>) -> anyhow::Result<Json> {
        let result = self.send_all(inputs);
        if result.is_err() {
            let path = format!("{JOBS}/{}/abort", self.job);
            // The first error is the one to report; an abandoned job changes nothing anyway.
            let _ = self.client.post(&path, "application/json", b"{}");
        }
        self.progress.finish_and_clear();
        result
    }

    fn send_all(&mut self, inputs: Vec<Input>) -> anyhow::Result<Json> {
        for (name, mut input) in inputs {
            let file = self.names.len();
            self.names.push(name);
            let mut line = Vec::new();
            let mut number = 0u64;
            loop {
                line.clear();
                number += 1;
                let mut limited = std::io::Read::take(&mut input, LINE_BYTES_MAX as u64 + 1);
                if limited
                    .read_until(b'\n', &mut line)
                    .context("the input broke off")?
                    == 0
                {
                    break;
                }
                anyhow::ensure!(line.len() <= LINE_BYTES_MAX, "line {number} is too long");
                let trimmed = line.trim_ascii();
                if trimmed.is_empty() {
                    continue;
                }
                match serde_json::from_slice::<LineKind>(trimmed) {
                    Ok(kind) => self.add(kind.from.is_some(), trimmed, (file, number))?,
                    Err(error) => {
                        self.broken += 1;
                        self.left_out((file, number), &format!("it is not a JSON object: {error}"));
                    }
                }
            }
        }
        // Relationships may only name entities that were uploaded before them or with them.
        self.flush(false)?;
        self.flush(true)?;
        self.progress.set_message("finalizing;");
        let path = format!("{JOBS}/{}/finalize", self.job);
        // What a line that is no JSON was about, nobody knows.
        let all = self.is_partial || self.broken > 0;
        let body = json!({"partialDatasets": {"allTypes": all}}).to_string();
        let answer = self
            .client
            .post(&path, "application/json", body.as_bytes())?;
        let mut job = answer
            .get("job")
            .cloned()
            .context("the server's answer holds no job")?;
        if job.get("status").and_then(Json::as_str) != Some("FINISHED") {
            job = self.wait()?;
        }
        if let Some(count) = job.get_mut("numRejected") {
            *count = (count.as_u64().unwrap_or(0) + self.broken).into();
        }
        Ok(job)
    }

    fn left_out(&self, (file, line): (usize, u64), reason: &str) {
        let name = self.names.get(file).map_or("", String::as_str);
        self.progress
            .suspend(|| eprintln!("left out: {name}, line {line}: {reason}"));
    }

    /// Polls a job that the server finalizes in the background.
    fn wait(&self) -> anyhow::Result<Json> {
        let path = format!("{JOBS}/{}", self.job);
        loop {
            let answer = self.client.get(&path)?;
            let job = answer
                .get("job")
                .cloned()
                .context("the server's answer holds no job")?;
            match job.get("status").and_then(Json::as_str) {
                Some("FINISHED") => return Ok(job),
                Some(status) if status.starts_with("FINALIZ") => {
                    std::thread::sleep(std::time::Duration::from_millis(200));
                }
                other => anyhow::bail!("the job ended as {}", other.unwrap_or("unknown")),
            }
        }
    }

    fn add(
        &mut self,
        is_relationship: bool,
        line: &[u8],
        place: (usize, u64),
    ) -> anyhow::Result<()> {
        let batch = if is_relationship {
            &mut self.relationships
        } else {
            &mut self.entities
        };
        if !batch.body.is_empty() {
            batch.body.push(b',');
        }
        batch.body.extend_from_slice(line);
        batch.places.push(place);
        if batch.body.len() >= UPLOAD_BYTES {
            self.flush(is_relationship)?;
        }
        Ok(())
    }

    fn flush(&mut self, is_relationship: bool) -> anyhow::Result<()> {
        let (kind, batch) = if is_relationship {
            ("relationships", &mut self.relationships)
        } else {
            ("entities", &mut self.entities)
        };
        let Batch {
            body: lines,
            places,
        } = std::mem::take(batch);
        if lines.is_empty() {
            return Ok(());
        }
        let mut body = format!("{{\"{kind}\":[").into_bytes();
        body.extend(lines);
        body.extend_from_slice(b"]}");
        let path = format!("{JOBS}/{}/{kind}", self.job);
        let answer = self.client.post_or_rejected(&path, &body)?;
        let rejected = answer.get("rejected").and_then(Json::as_array);
        for item in rejected.into_iter().flatten() {
            let index = item.get("index").and_then(Json::as_u64).unwrap_or(u64::MAX);
            let place = usize::try_from(index).ok().and_then(|at| places.get(at));
            let reason = item.get("reason").and_then(Json::as_str);
            self.left_out(
                place.copied().unwrap_or_default(),
                reason.unwrap_or_default(),
            );
        }
        self.progress.inc(body.len() as u64);
        Ok(())
    }
}
