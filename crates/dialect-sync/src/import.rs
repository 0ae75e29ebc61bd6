// SPDX-License-Identifier: Apache-2.0
//! The offline import: files of one entity or relationship a line become one job over a scope, the
//! same way as uploads do.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use durward_catalog::Catalog;
use durward_graph::bulk::diff::{DiffError, DiffReport, JobSpec, SyncMode};
use durward_graph::bulk::rejected::DESCRIBED_MAX;
use durward_graph::bulk::staging::{self, PartWriter, StagedPart, Staging, StagingError};
use durward_graph::bulk::{BodyError, ItemRules, PartCounts, PartialTypes, read_lines};
use durward_graph::store::{Store, StoreError};
use durward_journal::FileSeal;
use durward_model::transaction::Origin;
use durward_model::{ErrorKind, Namespace};
use parking_lot::Mutex;

use crate::commit::{Commit, CommitError, NotePlan};
use crate::error::SyncError;

/// How much text becomes one staged part.
const CHUNK_BYTES: usize = 8 << 20;
/// Longest line.
const LINE_BYTES_MAX: usize = 64 << 20;
/// Source of imported objects: the same as that of API jobs, which may take the scope over.
const SOURCE: &str = "api";

/// What to import.
#[derive(Debug)]
pub struct ImportRequest<'i> {
    /// The files, in order; gzip and zstd are recognized by their content.
    pub files: &'i [PathBuf],
    /// The scope that they fill.
    pub scope: &'i str,
    /// Add and update only, instead of replacing the scope.
    pub patch: bool,
    /// The files are known not to be complete: nothing that is absent is deleted.
    pub is_partial: bool,
    /// Compute what would change and change nothing.
    pub dry_run: bool,
    /// A folder for the staged parts, which is removed at the end.
    pub staging: &'i Path,
    /// Makes the codes of the staged parts, with the organization's key.
    pub seal: Arc<dyn FileSeal>,
    /// Who imports, for the journal.
    pub origin: Origin,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportProgress {
    /// So many bytes of the files (as stored) are read.
    Read {
        /// Bytes read.
        bytes: u64,
        /// Bytes of all files.
        total: u64,
    },
    /// All is read and checked; the comparison begins.
    Comparing,
    /// The changes are handed to the journal.
    Committing,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// What was in the files.
    pub read: PartCounts,
    /// What it changed.
    pub changes: DiffReport,
    /// What the importer should know.
    pub warnings: Vec<String>,
    /// Lines that were left out, the first of them.
    pub rejected: Vec<RejectedLine>,
    /// How many lines were left out.
    pub rejected_count: u64,
    /// Types of which nothing was deleted for being absent, because a line of them was left out.
    pub partial: PartialTypes,
}

/// A line that was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectedLine {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for RejectedLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.file.display(), self.line);
        write!(formatter, "{file}, line {line}: {}", self.reason)
    }
}

/// Why an import fails. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line is not an entity or relationship.
    #[error("{}, line {line}: {reason}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The staged parts cannot be written.
    #[error("the import cannot be staged")]
    Staging(#[from] StagingError),
    /// What was read cannot become changes.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// The store does not take the changes.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the import comes to cannot be noted.
    #[error(transparent)]
    Plan(Box<SyncError>),
}

impl From<CommitError> for ImportError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Diff(error) => Self::Diff(error),
            CommitError::Store(error) => Self::Store(error),
            CommitError::Plan(error) => Self::Plan(error),
        }
    }
}

impl ImportError {
    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { .. } | Self::Line { .. } => ErrorKind::Invalid,
            Self::Staging(error) => error.kind(),
            Self::Diff(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Plan(error) => error.kind(),
        }
    }
}

/// Imports files as one job. Blocks.
pub fn import_files(
    store: &Store,
    catalog: &Catalog,
    request: &ImportRequest<'_>,
    progress: &(dyn Fn(ImportProgress) + Sync),
) -> Result<ImportReport, ImportError> {
    if request.staging.exists() {
        fs::remove_dir_all(request.staging).map_err(|source| ImportError::File {
            file: request.staging.to_owned(),
            source,
        })?;
    }
    let mut staging = Staging::open(request.staging, Arc::clone(&request.seal), "import")?;
    let result = run(store, catalog, request, progress, &mut staging);
    let removed = staging.remove();
    let report = result?;
    removed?;
    Ok(report)
}

fn run(
    store: &Store,
    catalog: &Catalog,
    request: &ImportRequest<'_>,
    progress: &(dyn Fn(ImportProgress) + Sync),
    staging: &mut Staging,
) -> Result<ImportReport, ImportError> {
    let mut read = stage(catalog, request, progress, staging)?;
    read.types.all |= request.is_partial;
    progress(ImportProgress::Comparing);
    let commit = Commit {
        spec: JobSpec {
            namespace: Namespace::new(SOURCE, request.scope),
            mode: if request.patch {
                SyncMode::Patch
            } else {
                SyncMode::Diff
            },
            partial: read.types.clone(),
            stamp: Vec::new(),
        },
        parts: staging.parts().to_vec(),
        origin: request.origin.clone(),
        idempotency_key: String::new(),
    };
    let changes = if request.dry_run {
        commit.compare(store, catalog)
    } else {
        progress(ImportProgress::Committing);
        // Nobody asks for the counters of an import again.
        let note_plan: Arc<NotePlan> = Arc::new(|_: &DiffReport| Ok(()));
        commit.run(store, &Arc::new(catalog.clone()), &note_plan)
    };
    let mut rejected = read.rejected;
    rejected.sort();
    rejected.truncate(DESCRIBED_MAX);
    let partial = if request.patch {
        PartialTypes::default()
    } else {
        read.types
    };
    Ok(ImportReport {
        read: staging.counts(),
        changes: changes?,
        warnings: read.warnings.into_iter().collect(),
        rejected,
        rejected_count: read.rejected_count,
        partial,
    })
}

/// Lines of a file that become one part.
struct Chunk {
    file: PathBuf,
    /// Lines of the file before this chunk.
    lines_before: u64,
    bytes: Vec<u8>,
    writer: PartWriter,
    fingerprint: u128,
}

/// Reads, checks and stages all files.
fn stage(
    catalog: &Catalog,
    request: &ImportRequest<'_>,
    progress: &(dyn Fn(ImportProgress) + Sync),
    staging: &mut Staging,
) -> Result<ReadNotes, ImportError> {
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
    let staged = Staged::default();
    let rules = ItemRules {
        catalog,
        patch: request.patch,
        ignore_illegal_properties: false,
    };
    let (sender, receiver) = sync_channel::<Chunk>(1);
    let receiver = Mutex::new(receiver);
    let read = std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| staged.work(&receiver, rules));
        }
        // The workers go when it is gone: at the end of this block.
        let sender = sender;
        read_files(request, progress, staging, &mut |chunk| {
            // The workers take every chunk, even after a failure.
            sender.send(chunk).is_ok() && !staged.has_failed()
        })
    });
    if let Some(error) = staged.failure.into_inner() {
        return Err(error);
    }
    read?;
    for part in staged.parts.into_inner() {
        staging.add(part)?;
    }
    Ok(staged.notes.into_inner())
}

/// What there is to say about what was read.
#[derive(Default)]
struct ReadNotes {
    warnings: BTreeSet<String>,
    rejected: Vec<RejectedLine>,
    rejected_count: u64,
    types: PartialTypes,
}

/// What the workers come to.
#[derive(Default)]
struct Staged {
    parts: Mutex<Vec<StagedPart>>,
    notes: Mutex<ReadNotes>,
    failure: Mutex<Option<ImportError>>,
}

impl Staged {
    /// Stages chunks until no more come; after a failure, only takes them.
    fn work(&self, chunks: &Mutex<Receiver<Chunk>>, rules: ItemRules<'_>) {
        while let Some(chunk) = next_chunk(chunks) {
            if self.has_failed() {
                continue;
            }
            match stage_chunk(&chunk, rules) {
                Ok((part, notes)) => {
                    self.parts.lock().push(part);
                    self.notes.lock().add(notes);
                }
                Err(error) => *self.failure.lock() = Some(error),
            }
        }
    }

    fn has_failed(&self) -> bool {
        self.failure.lock().is_some()
    }
}

/// Cuts all files into chunks.
fn read_files(
    request: &ImportRequest<'_>,
    progress: &(dyn Fn(ImportProgress) + Sync),
    staging: &mut Staging,
    send: &mut dyn FnMut(Chunk) -> bool,
) -> Result<(), ImportError> {
    let sizes = request
        .files
        .iter()
        .filter_map(|file| fs::metadata(file).ok());
    let total = sizes.map(|metadata| metadata.len()).sum();
    let mut before = 0;
    for file in request.files {
        let mut report = |bytes| {
            progress(ImportProgress::Read {
                bytes: before + bytes,
                total,
            });
        };
        let read = read_chunks(file, staging, send, &mut report);
        before += read.map_err(|error| match error {
            ReadError::File(source) => ImportError::File {
                file: file.clone(),
                source,
            },
            ReadError::Line(line) => ImportError::Line {
                file: file.clone(),
                line,
                reason: format!("it is longer than {LINE_BYTES_MAX} bytes"),
            },
        })?;
    }
    Ok(())
}

fn next_chunk(receiver: &Mutex<Receiver<Chunk>>) -> Option<Chunk> {
    receiver.lock().recv().ok()
}

impl ReadNotes {
    fn add(&mut self, other: Self) {
        self.warnings.extend(other.warnings);
        self.rejected_count += other.rejected_count;
        self.types.extend(&other.types);
        self.rejected.extend(other.rejected);
        // The first ones count, and chunks come in any order.
        if self.rejected.len() > 2 * DESCRIBED_MAX {
            self.rejected.sort();
            self.rejected.truncate(DESCRIBED_MAX);
        }
    }
}

fn stage_chunk(
    chunk: &Chunk,
    rules: ItemRules<'_>,
) -> Result<(StagedPart, ReadNotes), ImportError> {
    let line = |index: usize| chunk.lines_before + index as u64 + 1;
    let mut part = read_lines(&chunk.bytes, rules).map_err(|error| {
        let (index, reason) = match error {
            BodyError::Broken { index, source, .. } => (index, source.to_string()),
            BodyError::Item { index, source, .. } => (index, source.to_string()),
            other => (0, other.to_string()),
        };
        ImportError::Line {
            file: chunk.file.clone(),
            line: line(index),
            reason,
        }
    })?;
    let rejected = std::mem::take(&mut part.rejected);
    let lines = rejected.items.iter().map(|item| RejectedLine {
        file: chunk.file.clone(),
        line: line(item.index),
        reason: item.reason.clone(),
    });
    let notes = ReadNotes {
        warnings: std::mem::take(&mut part.warnings).into_iter().collect(),
        rejected: lines.collect(),
        rejected_count: rejected.count(),
        types: rejected.types,
    };
    Ok((chunk.writer.write(&part, chunk.fingerprint, false)?, notes))
}

enum ReadError {
    File(io::Error),
    Line(u64),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Counts the bytes that pass.
struct Counted<R> {
    inner: R,
    bytes: std::rc::Rc<std::cell::Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes.set(self.bytes.get() + count as u64);
        Ok(count)
    }
}

/// Cuts a file into chunks of whole lines. Gives the bytes of the file as stored.
fn read_chunks(
    file: &Path,
    staging: &mut Staging,
    send: &mut dyn FnMut(Chunk) -> bool,
    report: &mut dyn FnMut(u64),
) -> Result<u64, ReadError> {
    let bytes = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = Counted {
        inner: File::open(file)?,
        bytes: std::rc::Rc::clone(&bytes),
    };
    let mut reader = unpacked(BufReader::with_capacity(1 << 20, counted))?;
    let mut lines_before = 0;
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let mut chunk = std::mem::take(&mut rest);
        chunk.reserve(CHUNK_BYTES.saturating_sub(chunk.len()));
        let wanted = CHUNK_BYTES.saturating_sub(chunk.len()).max(1 << 20) as u64;
        let count = reader.by_ref().take(wanted).read_to_end(&mut chunk)?;
        if count > 0 {
            match chunk.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => rest = chunk.split_off(end + 1),
                None if chunk.len() > LINE_BYTES_MAX => {
                    return Err(ReadError::Line(lines_before + 1));
                }
                None => {
                    rest = chunk;
                    continue;
                }
            }
        }
        if !chunk.is_empty() {
            let lines = memchr::memchr_iter(b'\n', &chunk).count() as u64;
            let writer = staging.reserve(0);
            let next = Chunk {
                fingerprint: staging::body_fingerprint(&chunk),
                file: file.to_owned(),
                lines_before,
                bytes: chunk,
                writer,
            };
            lines_before += lines;
            if !send(next) {
                break;
            }
        }
        report(bytes.get());
        if count == 0 {
            break;
        }
    }
    Ok(bytes.get())
}

/// A reader of the content, whatever it is packed with.
fn unpacked<'r>(mut reader: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let start = reader.fill_buf()?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(reader))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(reader)?)
    } else {
        Box::new(reader)
    })
}
