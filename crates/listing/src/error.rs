// SPDX-License-Identifier: Apache-2.0
//! Why a list is not answered.

use durward_budget::Exhausted;
use durward_graph::store::StoreError;
use durward_identity::IdentityError;
use durward_model::error::ClientMessage;
use durward_model::{ErrorKind, Instant};
use durward_query::QueryError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The client went away, or does not wait any longer.
    #[error("nobody waits for this call")]
    GivenUp,
    /// A share of the budget is used up.
    #[error("{error}")]
    Exhausted {
        /// Which.
        error: Exhausted,
        /// When it was refused, from which on clients count how long they wait.
        at: Instant,
    },
    /// The cursor is not one of this list, or a query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] IdentityError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientMessage for ListError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::GivenUp => ErrorKind::Timeout,
            Self::Exhausted { error, .. } => error.kind(),
            Self::Query(error) => error.kind(),
            Self::Denied(error) => error.kind(),
            Self::Store(error) => ClientMessage::kind(error),
        }
    }

    fn client_message(&self) -> String {
        match self {
            Self::GivenUp => self.to_string(),
            Self::Exhausted { error, .. } => error.client_message(),
            Self::Query(error) => error.client_message(),
            Self::Denied(error) => error.client_message(),
            Self::Store(error) => error.client_message(),
        }
    }
}
