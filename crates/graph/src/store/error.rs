// SPDX-License-Identifier: Apache-2.0
//! Why a store cannot do what it was asked to.

use std::path::PathBuf;
use std::sync::Arc;

use durward_journal::{Finding, JournalError};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use durward_model::transaction::Sequence;

use crate::StateError;
use crate::checkpoint::CheckpointError;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The draft is wrong and will stay wrong.
    #[error("operation {operation}: {reason}")]
    Invalid {
        /// Position of the operation in the draft, from 0.
        operation: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The object that an operation names is not there.
    #[error("operation {operation}: {what} does not exist")]
    NotFound {
        /// Position of the operation in the draft, from 0.
        operation: usize,
        /// The object, as the writer named it.
        what: String,
    },
    /// A key, an alias or a unique value is taken.
    #[error("operation {operation}: {what} exists already")]
    AlreadyExists {
        /// Position of the operation in the draft, from 0.
        operation: usize,
        /// What is taken.
        what: String,
    },
    /// The object changed since the writer saw it.
    #[error("operation {operation}: the object has version {found}, not {expected}")]
    VersionConflict {
        /// Position of the operation in the draft, from 0.
        operation: usize,
        /// The version that the writer expected.
        expected: u32,
        /// The version that it has.
        found: u32,
    },
    /// Only commands of the core may write this.
    #[error("operation {operation}: {what} is protected and cannot be written in this way")]
    Protected {
        /// Position of the operation in the draft, from 0.
        operation: usize,
        /// What is protected.
        what: String,
    },
    /// The idempotency key was used for something else.
    #[error("idempotency key {key:?} was used for another request before")]
    IdempotencyKeyReused {
        /// The key.
        key: String,
    },
    /// Somebody wrote since the bulk commit was prepared.
    #[error("the state changed after transaction {}; prepare the changes again", based_on.0)]
    Stale {
        /// The state that the commit was prepared against.
        based_on: Sequence,
    },
    /// Too many drafts wait.
    #[error("too many writes are waiting; retry after {retry_after_ms} ms")]
    Busy {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The journal is being folded anew already, which one at a time may do.
    #[error("another verification of this organization is running; ask again when it is done")]
    Auditing,
    /// The store is closed or closing.
    #[error("the store is closed")]
    Closed,
    /// The writer ended abnormally while it had the write.
    #[error("the writer ended while it had the write, which may have been stored or not")]
    WriterEnded,
    /// What was asked for ended abnormally; nothing of it was done.
    #[error("{what} ended abnormally")]
    Abnormal {
        /// What ended.
        what: &'static str,
    },
    /// The preparation of a bulk commit failed; the cause is the caller's own.
    #[error("the changes could not be prepared: {reason}")]
    Preparation {
        /// Kind of the cause.
        kind: ErrorKind,
        /// What it says.
        reason: String,
    },
    /// The journal did not take the writes; nothing of them is visible.
    #[error("the journal did not take the write")]
    NotWritten {
        /// Why.
        #[source]
        source: Arc<JournalError>,
    },
    /// The journal failed while it took the writes; whether they are there is not known yet.
    #[error("the journal failed while it took the write, which may have been stored or not")]
    OutcomeUnknown {
        /// Why.
        #[source]
        source: Arc<JournalError>,
    },
    /// The journal cannot be opened or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal was altered or is damaged.
    #[error("the journal is not sound: {finding}; restore a backup or see `durward audit verify`")]
    Unsound {
        /// The first thing that does not fit.
        finding: Finding,
    },
    /// The start of the journal was compacted and no checkpoint holds what it said.
    #[error(
        "the content of transaction {} was compacted and there is no usable checkpoint behind it",
        sequence.0
    )]
    Compacted {
        /// The transaction.
        sequence: Sequence,
    },
    /// The folder belongs to other keys.
    #[error("{folder} was made with another id secret")]
    WrongSecret {
        /// The folder.
        folder: PathBuf,
    },
    /// There is a store already, or none.
    #[error("{folder} {problem}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What is the matter with it.
        problem: &'static str,
    },
    /// The journal and the state differ.
    #[error(transparent)]
    State(#[from] StateError),
    /// A checkpoint cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The operating system gives no threads or files.
    #[error("failed to {action}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl StoreError {
    /// The kind that dialects map to their status.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::VersionConflict { .. }
            | Self::IdempotencyKeyReused { .. }
            | Self::Stale { .. }
            | Self::Folder { .. } => ErrorKind::Conflict,
            Self::Protected { .. } => ErrorKind::Forbidden,
            Self::Busy { .. }
            | Self::Auditing
            | Self::Closed
            | Self::WriterEnded
            | Self::NotWritten { .. }
            | Self::OutcomeUnknown { .. } => ErrorKind::Unavailable,
            Self::Preparation { kind, .. } => *kind,
            Self::Journal(source) => source.kind(),
            Self::Unsound { .. }
            | Self::Compacted { .. }
            | Self::WrongSecret { .. }
            | Self::State(_)
            | Self::Checkpoint(_)
            | Self::Abnormal { .. }
            | Self::System { .. } => ErrorKind::Internal,
        }
    }

    /// Position of the operation of the draft that is refused, if it is a single one.
    pub fn operation(&self) -> Option<usize> {
        match self {
            Self::Invalid { operation, .. }
            | Self::NotFound { operation, .. }
            | Self::AlreadyExists { operation, .. }
            | Self::VersionConflict { operation, .. }
            | Self::Protected { operation, .. } => Some(*operation),
            _ => None,
        }
    }

    /// When to try again, if the store says so.
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Busy { retry_after_ms } => Some(*retry_after_ms),
            _ => None,
        }
    }
}

impl ClientMessage for StoreError {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn client_message(&self) -> String {
        match self {
            Self::NotWritten { .. } => "the write could not be stored; nothing was changed".into(),
            _ if self.kind() == ErrorKind::Internal => "an internal error occurred".into(),
            _ => self.to_string(),
        }
    }
}
