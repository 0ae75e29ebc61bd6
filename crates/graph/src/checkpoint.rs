// SPDX-License-Identifier: Apache-2.0
//! Checkpoints: a snapshot on disk, so that a start need not read the whole journal.
//!
//! The file is lean: columns, forward neighbours as gaps, and the past; backward neighbours, key
//! indexes and number maps are made again on reading. It is a header, a table of sections (one for
//! what all share, one a type, one a triple) with their lengths and codes, and the sections. The
//! codes are made with a key of the organization; the shared section names transaction and head.

mod codec;
mod columns;
mod common;
mod file;
mod restore;
mod tables;

use std::io;
use std::path::Path;
use std::sync::Arc;

use durward_catalog::Catalog;
use durward_journal::{FileSeal, private};
use durward_model::transaction::Hash;
use durward_model::{ErrorKind, IdCipher};

use self::codec::Encoder;
use crate::Snapshot;
use crate::state::work::in_two_threads;

/// Format of the files that this build writes and reads.
pub const FORMAT: u32 = 3;

/// A checkpoint that cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("checkpoint {path} cannot be {action}")]
    Io {
        /// The file.
        path: String,
        /// `read` or `written`.
        action: &'static str,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The file was altered, cut off, is no checkpoint or was made by other rules of the catalog.
    #[error("checkpoint {path} does not fit: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// What does not fit.
        reason: String,
    },
    /// The file is of a format that this build does not know.
    #[error("checkpoint {path} has format {version}, this build reads {supported}")]
    Version {
        /// The file.
        path: String,
        /// The format of the file.
        version: u32,
        /// The format that this build reads.
        supported: u32,
    },
}

impl CheckpointError {
    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

/// What the store keeps beside the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointExtra {
    /// Hash of the last transaction in the snapshot.
    pub head: Hash,
    /// Anything else, such as recent idempotency keys.
    pub more: Vec<u8>,
}

/// What a state needs that is not in the file.
#[derive(Clone, Debug)]
pub struct CheckpointContext {
    /// Cipher of the organization's ids.
    pub cipher: IdCipher,
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// Hash seed of the data folder.
    pub key_seed: u64,
    /// What the file must have been sealed with.
    pub seal: Arc<dyn FileSeal>,
}

/// Writes a snapshot to a file beside `path` and moves it there; an older checkpoint stays whole
/// until then.
pub fn write(
    snapshot: &Snapshot,
    path: &Path,
    extra: &CheckpointExtra,
    seal: &dyn FileSeal,
) -> Result<(), CheckpointError> {
    let write = || {
        let sections = encode(snapshot, extra, seal)?;
        let header = file::header(&sections, seal);
        let parts = sections.iter().map(file::Section::packed);
        private::replace_by_parts(path, std::iter::once(&header[..]).chain(parts))
    };
    write().map_err(|source| CheckpointError::Io {
        path: path.display().to_string(),
        action: "written",
        source,
    })
}

/// The sections of a checkpoint.
fn encode(
    snapshot: &Snapshot,
    extra: &CheckpointExtra,
    seal: &dyn FileSeal,
) -> io::Result<Vec<file::Section>> {
    let mut jobs: Vec<Job<'_>> = vec![Box::new(|out| common::write_common(out, snapshot, extra))];
    for table in snapshot.types.iter() {
        jobs.push(Box::new(|out| tables::write_type(out, table)));
    }
    for table in snapshot.triples.iter() {
        jobs.push(Box::new(|out| tables::write_triple(out, table)));
    }
    let sections = in_two_threads(jobs, |job| {
        let mut out = Encoder::new()?;
        job(&mut out);
        file::Section::seal(out, seal)
    });
    sections.into_iter().collect()
}

type Job<'a> = Box<dyn Fn(&mut Encoder) + Send + Sync + 'a>;

/// Reads a checkpoint; any damage is an error.
pub fn read(
    path: &Path,
    context: &CheckpointContext,
) -> Result<(Snapshot, CheckpointExtra), CheckpointError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Io {
        path: name.clone(),
        action: "read",
        source,
    })?;
    if let Some(version) = file::version(&bytes)
        && version != FORMAT
    {
        return Err(CheckpointError::Version {
            path: name,
            version,
            supported: FORMAT,
        });
    }
    restore::restore(&bytes, context)
        .map_err(|reason| CheckpointError::Damaged { path: name, reason })
}

#[cfg(test)]
#[path = "checkpoint/tests.rs"]
mod tests;
