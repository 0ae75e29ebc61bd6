// SPDX-License-Identifier: Apache-2.0
//! The one refusal of this crate.

use std::fmt;

use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

/// Seconds after which a refused caller may try again. What is held is mostly given back within one
/// request.
const RETRY_AFTER_SECONDS: u32 = 2;

/// Whose part is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The caller's credential.
    Credential,
    /// The caller's organization.
    Organization,
    /// All callers together who have not proven who they are.
    Strangers,
    /// What the server keeps to be quicker the next time.
    Caches,
    /// The whole process.
    Process,
}

impl Scope {
    /// The scope as a metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Organization => "organization",
            Self::Strangers => "strangers",
            Self::Caches => "caches",
            Self::Process => "process",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::Credential => "this credential",
            Self::Organization => "this organization",
            Self::Strangers => "callers without a proven credential",
            Self::Caches => "the caches of the server",
            Self::Process => "the server",
        }
    }
}

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Bytes held for requests, of so many.
    Bytes(u64),
    /// Requests that wait for their turn, of so many.
    Waiting(usize),
}

/// A share is used up for the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Exhausted {
    /// Whose share.
    pub scope: Scope,
    pub(crate) resource: Resource,
}

impl Exhausted {
    /// Whole seconds after which to try again.
    pub fn retry_after_seconds(&self) -> u32 {
        RETRY_AFTER_SECONDS
    }

    /// Whether it is the caller's own doing.
    pub fn is_own(&self) -> bool {
        matches!(self.scope, Scope::Credential | Scope::Organization)
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.scope.subject();
        match self.resource {
            Resource::Bytes(max) => write!(
                formatter,
                "{subject} may hold {} MiB for requests at once and this one needs more; ask for \
                 less at once, or try again in {RETRY_AFTER_SECONDS} seconds",
                max >> 20
            ),
            Resource::Waiting(max) => write!(
                formatter,
                "{max} requests of {subject} wait for their turn already; try again in \
                 {RETRY_AFTER_SECONDS} seconds"
            ),
        }
    }
}

impl ClientMessage for Exhausted {
    fn kind(&self) -> ErrorKind {
        if self.is_own() {
            ErrorKind::RateLimited
        } else {
            ErrorKind::Unavailable
        }
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}
