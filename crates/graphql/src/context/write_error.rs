// SPDX-License-Identifier: Apache-2.0
//! Why a write of a request was not done.

use durward_graph::store::StoreError;
use durward_identity::IdentityError;
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

use super::{Denial, field_error};
use crate::engine::FieldError;

/// Why a draft was not committed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store stopped before it answered.
    #[error("the server is stopping; try again later")]
    Stopped,
}

impl From<IdentityError> for WriteError {
    fn from(error: IdentityError) -> Self {
        Self::Denied(error.into())
    }
}

impl ClientMessage for WriteError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied(denial) => denial.kind(),
            Self::Store(error) => ClientMessage::kind(error),
            Self::Stopped => ErrorKind::Unavailable,
        }
    }

    fn client_message(&self) -> String {
        match self {
            Self::Denied(denial) => denial.client_message(),
            Self::Store(error) => error.client_message(),
            Self::Stopped => self.to_string(),
        }
    }
}

impl From<WriteError> for FieldError {
    fn from(error: WriteError) -> Self {
        field_error(&error)
    }
}
