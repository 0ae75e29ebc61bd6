// SPDX-License-Identifier: Apache-2.0
//! The offline import: files of one entity or relationship a line become one job over a scope, the
//! same way as uploads do.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use durward_graph::bulk::diff::{DiffError, DiffReport, JobSpec, SyncMode};
use durward_graph::bulk::staging::{
    PartWriter, StagedPart, Staging, StagingError, body_fingerprint,
};
use durward_graph::bulk::{BodyError, ItemRules, PartCounts, read_lines};
use durward_graph::store::{Store, StoreError};
use durward_model::transaction::Origin;
use durward_model::{Catalog, ErrorKind, Namespace};
use parking_lot::Mutex;

use crate::commit::{Commit, CommitError};

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
    /// Compute what would change and change nothing.
    pub dry_run: bool,
    /// A folder for the staged parts, which is removed at the end.
    pub staging: &'i Path,
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
}

impl From<CommitError> for ImportError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Diff(error) => Self::Diff(error),
            CommitError::Store(error) => Self::Store(error),
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
    let mut staging = Staging::open(request.staging)?;
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
    let warnings = stage(catalog, request, progress, staging)?;
    progress(ImportProgress::Comparing);
    let commit = Commit {
        spec: JobSpec {
            namespace: Namespace::new(SOURCE, request.scope),
            mode: if request.patch {
                SyncMode::Patch
            } else {
                SyncMode::Diff
            },
            partial_types: BTreeSet::new(),
        },
        parts: staging.parts().to_vec(),
        origin: request.origin.clone(),
        idempotency_key: String::new(),
    };
    let changes = if request.dry_run {
        commit.compare(store, catalog)
    } else {
        commit.run(store, &Arc::new(catalog.clone()), &|| {
            progress(ImportProgress::Committing);
        })
    };
    Ok(ImportReport {
        read: staging.counts(),
        changes: changes?,
        warnings,
    })
}

/// Lines of a file that become one part.
struct Chunk {
    file: PathBuf,
    /// Lines of the file before this chunk.
    lines_before: u64,
    bytes: Vec<u8>,
    writer: PartWriter,
}

/// Reads, checks and stages all files; gives the warnings.
fn stage(
    catalog: &Catalog,
    request: &ImportRequest<'_>,
    progress: &(dyn Fn(ImportProgress) + Sync),
    staging: &mut Staging,
) -> Result<Vec<String>, ImportError> {
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
    Ok(staged.warnings.into_inner().into_iter().collect())
}

/// What the workers come to.
#[derive(Default)]
struct Staged {
    parts: Mutex<Vec<StagedPart>>,
    warnings: Mutex<BTreeSet<String>>,
    failure: Mutex<Option<ImportError>>,
}

impl Staged {
    /// Stages chunks until no more come; after a failure, only takes them.
    fn work(&self, chunks: &Mutex<Receiver<Chunk>>, rules: ItemRules<'_>) {
        while let Some(chunk) = next_chunk(chunks) {
            if self.has_failed() {
                continue;
            }
            match stage_chunk(chunk, rules) {
                Ok((part, warnings)) => {
                    self.parts.lock().push(part);
                    self.warnings.lock().extend(warnings);
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

fn stage_chunk(
    chunk: Chunk,
    rules: ItemRules<'_>,
) -> Result<(StagedPart, Vec<String>), ImportError> {
    let mut part = read_lines(&chunk.bytes, rules).map_err(|error| {
        let (index, reason) = match error {
            BodyError::Broken { index, source, .. } => (index, source.to_string()),
            BodyError::Item { index, source, .. } => (index, source.to_string()),
            other => (0, other.to_string()),
        };
        ImportError::Line {
            file: chunk.file,
            line: chunk.lines_before + index as u64 + 1,
            reason,
        }
    })?;
    let warnings = std::mem::take(&mut part.warnings);
    Ok((chunk.writer.write(&part)?, warnings))
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
            let writer = staging.reserve(body_fingerprint(&chunk), false);
            let next = Chunk {
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
