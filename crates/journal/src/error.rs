// SPDX-License-Identifier: Apache-2.0
//! What can go wrong in a journal.

use std::path::PathBuf;

use durward_model::transaction::Sequence;
use durward_model::{ErrorKind, Instant};

use crate::codec::CodecError;

/// Why a journal could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Somebody else appended in between.
    #[error("the journal ends at {} and not at {}", head.0, expected.0)]
    Conflict {
        /// The end that the writer expected.
        expected: Sequence,
        /// The end that there is.
        head: Sequence,
    },
    /// A later holder of the writer lease exists.
    #[error("the writer lease with token {token} was taken over by token {current}")]
    Fenced {
        /// The token of the caller.
        token: u64,
        /// The newest token given out.
        current: u64,
    },
    /// The lease belongs to somebody else for now.
    #[error("lease {name} is held by {holder} until {until}")]
    LeaseHeld {
        /// Name of the lease.
        name: String,
        /// Who holds it.
        holder: String,
        /// When it ends unless it is renewed.
        until: Instant,
    },
    /// The batch does not follow on the end of the journal, or is empty.
    #[error("the batch cannot be appended: {reason}")]
    BadBatch {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A stored record cannot be read back.
    #[error("the journal record of transaction {} is damaged", sequence.0)]
    Damaged {
        /// The transaction.
        sequence: Sequence,
        /// What is wrong with its record.
        #[source]
        source: CodecError,
    },
    /// A transaction cannot be written as a record.
    #[error("transaction {} cannot be encoded", sequence.0)]
    Encode {
        /// The transaction.
        sequence: Sequence,
        /// Why not.
        #[source]
        source: CodecError,
    },
    /// The file was written by a newer version.
    #[error(
        "{file} has journal format {found}; this version reads up to format {supported}, \
         use a newer one"
    )]
    NewerFormat {
        /// The journal file.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version reads.
        supported: i64,
    },
    /// The file is a database of something else.
    #[error("{file} is not a journal")]
    NotAJournal {
        /// The file.
        file: PathBuf,
    },
    /// The database engine failed.
    #[error("the journal database failed to {action}")]
    Database {
        /// What it was doing.
        action: &'static str,
        /// Its error.
        #[source]
        source: rusqlite::Error,
    },
    /// The file system failed.
    #[error("failed to {action} {path}")]
    Files {
        /// What was being done.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the folder.
    #[error("{folder} is in use by {holder}; stop it first or choose another folder")]
    FolderLocked {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// A backup or a restore would overwrite something.
    #[error("{folder} is not empty; choose an empty or a new folder")]
    FolderNotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
    /// Nobody waits for the verification any more.
    #[error("the verification was given up: whoever asked for it is gone")]
    GivenUp,
    /// A test asked for this failure.
    #[error("failure on purpose at {point}")]
    Injected {
        /// Where.
        point: &'static str,
    },
}

impl JournalError {
    /// The kind that dialects map to their status.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Conflict { .. } | Self::FolderNotEmpty { .. } => ErrorKind::Conflict,
            Self::Fenced { .. }
            | Self::LeaseHeld { .. }
            | Self::FolderLocked { .. }
            | Self::GivenUp => ErrorKind::Unavailable,
            Self::NewerFormat { .. } => ErrorKind::Unsupported,
            Self::Encode { .. } | Self::NotAJournal { .. } => ErrorKind::Invalid,
            Self::BadBatch { .. }
            | Self::Damaged { .. }
            | Self::Database { .. }
            | Self::Files { .. }
            | Self::NoRandomness
            | Self::Injected { .. } => ErrorKind::Internal,
        }
    }
}

/// Names the action when the database fails.
pub(crate) trait During<T> {
    /// Adds what was being done.
    fn during(self, action: &'static str) -> Result<T, JournalError>;
}

impl<T> During<T> for Result<T, rusqlite::Error> {
    fn during(self, action: &'static str) -> Result<T, JournalError> {
        self.map_err(|source| JournalError::Database { action, source })
    }
}
