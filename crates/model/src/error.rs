// SPDX-License-Identifier: Apache-2.0
//! The eleven kinds that every error of every crate answers with.

use std::fmt;

/// What kind of failure an error is. Each dialect maps a kind to its own status in one place; the
/// kind is also the label of the error metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The request is wrong and will stay wrong.
    Invalid,
    /// No usable credential came with the request.
    Unauthenticated,
    /// The caller is known, and may not.
    Forbidden,
    /// No such thing, or none that the caller may know of.
    NotFound,
    /// A thing with this natural key is there already.
    AlreadyExists,
    /// The state is not the one that the request expected.
    Conflict,
    /// Too many requests; try later.
    RateLimited,
    /// A known operation that this build does not do.
    Unsupported,
    /// Cannot be done now; the same request may succeed later.
    Unavailable,
    /// A limit of time, paths or bytes ended the work.
    Timeout,
    /// A defect or a broken machine; the client sees only a correlation id.
    Internal,
}

impl ErrorKind {
    /// The kind in lower snake case, as used for metric labels and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Unsupported => "unsupported",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An error whose text may be shown to a client. Never implemented for catch-all error types.
pub trait ClientMessage {
    /// The kind that a dialect maps to its status.
    fn kind(&self) -> ErrorKind;
    /// One clear sentence that is safe for the client.
    fn client_message(&self) -> String;
}
