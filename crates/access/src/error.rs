// SPDX-License-Identifier: Apache-2.0
//! Why a command or a reading is not done.

use durward_graph::store::StoreError;
use durward_identity::IdentityError;
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use durward_policy::CedarSyntaxError;
use durward_vault::VaultError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// An input is not acceptable.
    #[error("{what} {reason}")]
    Invalid {
        /// What was given.
        what: String,
        /// Why it is not acceptable.
        reason: String,
    },
    /// No such object, or none that the caller may know of.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// A name or address is taken.
    #[error("there is a {what} with this {property} already")]
    AlreadyExists {
        /// The kind.
        what: &'static str,
        /// The property that must be unique.
        property: &'static str,
    },
    /// A known wish that this build does not fulfil.
    #[error("{what} is not supported")]
    Unsupported {
        /// The wish.
        what: String,
    },
    /// The caller may not, or identity refused.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The text of a policy is not one.
    #[error(transparent)]
    Policy(#[from] CedarSyntaxError),
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealing failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl AccessError {
    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::Policy(_) => ErrorKind::Invalid,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Identity(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Vault(error) => error.kind(),
        }
    }

    pub(crate) fn invalid(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            what: what.into(),
            reason: reason.into(),
        }
    }
}

impl ClientMessage for AccessError {
    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn client_message(&self) -> String {
        match self.kind() {
            ErrorKind::Internal => "an internal error occurred".to_owned(),
            _ => self.to_string(),
        }
    }
}
