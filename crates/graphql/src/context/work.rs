// SPDX-License-Identifier: Apache-2.0
//! Work off the threads that serve connections, and what may come between.

use durward_budget::{Exhausted, Turn};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

use super::field_error;
use crate::engine::FieldError;

/// Runs work on a thread that may block; the turn ends with it.
pub(super) async fn blocking<T: Send + 'static>(
    turn: Option<Turn>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interrupted> {
    let task = move || {
        let result = work();
        drop(turn);
        result
    };
    let result = tokio::task::spawn_blocking(task).await;
    result.map_err(|_| Interrupted::Abnormal)
}

/// Why work was not done to its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Interrupted {
    /// A share is used up.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// The client is gone.
    #[error("the client is gone")]
    GivenUp,
    /// It takes too long.
    #[error("the request as a whole took too long; ask for less at once")]
    TooLong,
    /// A defect.
    #[error("an internal error occurred")]
    Abnormal,
}

impl ClientMessage for Interrupted {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Exhausted(error) => error.kind(),
            Self::GivenUp => ErrorKind::Unavailable,
            Self::TooLong => ErrorKind::Timeout,
            Self::Abnormal => ErrorKind::Internal,
        }
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

impl From<Interrupted> for FieldError {
    fn from(error: Interrupted) -> Self {
        field_error(&error)
    }
}
