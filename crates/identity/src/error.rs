// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with organizations, accounts and credentials.

use std::io;
use std::path::PathBuf;

use durward_graph::store::StoreError;
use durward_journal::JournalError;
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use durward_policy::{PolicyError, TooManyAlternatives};
use durward_vault::VaultError;

/// An error of this crate, authentication apart (see [`crate::AuthError`]).
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// `init` was pointed at a folder that holds something.
    #[error("the folder {} is not empty; name a new one", path.display())]
    FolderNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A folder without the mark of a data folder.
    #[error("{} is not a data folder; make one with: durward init", path.display())]
    NotADataFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A data folder of a newer release.
    #[error(
        "the data folder {} has format {format}; this release reads up to {supported}",
        path.display()
    )]
    FormatTooNew {
        /// The folder.
        path: PathBuf,
        /// What its mark says, shortened.
        format: String,
        /// The newest readable format.
        supported: u32,
    },
    /// The data is older than what was remembered of it, or not what it was.
    #[error(
        "{what}; it looks like an older copy of the data (remembered in {}); if it was put back on \
         purpose, run this again with --accept-rollback",
        file.display()
    )]
    RolledBack {
        /// What differs, and in which organization.
        what: String,
        /// Where the heads are remembered.
        file: PathBuf,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another organization has the name.
    #[error("there is an organization named {name:?} already")]
    OrganizationExists {
        /// The name.
        name: String,
    },
    /// No organization has this name or id.
    #[error("there is no organization {name:?}")]
    OrganizationNotFound {
        /// What was asked for.
        name: String,
    },
    /// The organization is there and cannot be opened.
    #[error("the organization {name} cannot be opened: {reason}")]
    OrganizationUnavailable {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An input is not acceptable.
    #[error("{what} {reason}")]
    Input {
        /// What was given.
        what: &'static str,
        /// Why it is not acceptable.
        reason: String,
    },
    /// No such account, role or credential, or none that the caller may know of.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The caller may not.
    #[error("not allowed: {why}")]
    Forbidden {
        /// The sentences of the decision.
        why: String,
    },
    /// The caller's credential, account or organization ended before the command was written.
    #[error("{}", crate::AuthError::PUBLIC_MESSAGE)]
    Ended,
    /// What the caller may changed while the command was under way.
    #[error("the rights of the caller changed meanwhile; try again")]
    Changed,
    /// A stored account, role or credential cannot be understood.
    #[error("a stored {what} is damaged: {reason}")]
    Damaged {
        /// What it is.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A policy text is not a policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Policies together are too long.
    #[error(transparent)]
    Alternatives(#[from] TooManyAlternatives),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The graph store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data folder's lock or a journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl IdentityError {
    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::FolderNotEmpty { .. } | Self::OrganizationExists { .. } => {
                ErrorKind::AlreadyExists
            }
            Self::RolledBack { .. } | Self::Changed => ErrorKind::Conflict,
            Self::NotADataFolder { .. } | Self::Input { .. } => ErrorKind::Invalid,
            Self::FormatTooNew { .. } => ErrorKind::Unsupported,
            Self::OrganizationNotFound { .. } | Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Forbidden { .. } => ErrorKind::Forbidden,
            Self::Ended => ErrorKind::Unauthenticated,
            Self::OrganizationUnavailable { .. } => ErrorKind::Unavailable,
            Self::File { .. } | Self::Damaged { .. } => ErrorKind::Internal,
            Self::Policy(error) => error.kind(),
            Self::Alternatives(error) => error.kind(),
            Self::Vault(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Journal(error) => error.kind(),
        }
    }

    pub(crate) fn input(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Input {
            what,
            reason: reason.into(),
        }
    }
}

impl ClientMessage for IdentityError {
    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn client_message(&self) -> String {
        match self.kind() {
            ErrorKind::Internal => "an internal error occurred".to_owned(),
            // What is wrong with its files is for the operator.
            _ if matches!(self, Self::OrganizationUnavailable { .. }) => {
                "the organization is unavailable".to_owned()
            }
            _ => self.to_string(),
        }
    }
}
