// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with a query.

use durward_budget::Exhausted;
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

use crate::j1ql::J1qlError;

/// Why a query has no answer. All texts are safe for the client that asked.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// The text is not a query, or names what it has not.
    #[error(transparent)]
    J1ql(#[from] J1qlError),
    /// The text is a query, but asks for something that makes no sense.
    #[error("{message}")]
    Invalid {
        /// What makes no sense.
        message: String,
    },
    /// A filter names a key that the object has not.
    #[error("filter key {key:?} is not known for this kind of object")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// The query is understood, but this build does not do it.
    #[error("{what} is not supported")]
    Unsupported {
        /// What is not done.
        what: String,
    },
    /// A cursor that was altered, cut, or made for another query or caller.
    #[error("the cursor does not belong to this query, or was altered; start again without one")]
    Cursor,
    /// The time is up.
    #[error(
        "the query took longer than {seconds} seconds; narrow it down with WITH, ask for a count \
         or add LIMIT"
    )]
    Time {
        /// The limit.
        seconds: u64,
    },
    /// Too many paths were walked.
    #[error(
        "the query walked more than {paths} paths; narrow it down with WITH, ask for a count or \
         add LIMIT"
    )]
    Paths {
        /// The limit.
        paths: u64,
    },
    /// The result needs too much memory.
    #[error(
        "the query needs more than {bytes} bytes of memory; narrow it down with WITH, return \
         fewer columns or add LIMIT"
    )]
    Bytes {
        /// The limit.
        bytes: u64,
    },
    /// Taking lists apart makes too many rows of one path.
    #[error("unwind makes more than {rows} rows of one path; take fewer lists apart at once")]
    UnwoundRows {
        /// The limit.
        rows: u64,
    },
    /// A function made a value that is too large.
    #[error("a function makes a value of more than {bytes} bytes; join or merge less at once")]
    LargeValue {
        /// The limit.
        bytes: u64,
    },
    /// The part of the server's memory that the caller may use is used up.
    #[error(transparent)]
    Budget(#[from] Exhausted),
    /// The system gives no thread to a query of many steps.
    #[error("the server is too busy for a query of so many steps; try again later")]
    NoThread,
    /// The client went away.
    #[error("the query was cancelled")]
    Cancelled,
    /// The receiver of a stream failed.
    #[error("the result could not be delivered")]
    Delivery,
}

impl QueryError {
    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::J1ql(_) | Self::Invalid { .. } | Self::UnknownKey { .. } | Self::Cursor => {
                ErrorKind::Invalid
            }
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::Time { .. }
            | Self::Paths { .. }
            | Self::Bytes { .. }
            | Self::UnwoundRows { .. }
            | Self::LargeValue { .. } => ErrorKind::Timeout,
            Self::Budget(exhausted) => exhausted.kind(),
            Self::NoThread | Self::Cancelled | Self::Delivery => ErrorKind::Unavailable,
        }
    }

    /// Whole seconds after which to try again, where that may help.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::Budget(exhausted) => Some(exhausted.retry_after_seconds()),
            _ => None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid {
            message: message.into(),
        }
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}

impl ClientMessage for QueryError {
    fn kind(&self) -> ErrorKind {
        Self::kind(self)
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}
