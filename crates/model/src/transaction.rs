// SPDX-License-Identifier: Apache-2.0
//! Transactions: what the journal keeps.

use crate::change::Change;
use crate::{Instant, ObjectId};

/// Length of a hash of the chain in bytes (SHA-256).
pub const HASH_BYTES: usize = 32;

/// A hash of the chain.
pub type Hash = [u8; HASH_BYTES];

/// Position of a transaction in the journal of its organization, from 1. Zero is the empty journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The next position.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Who did something, how, and from where: the audit part of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The account that acts; `None` for the system itself.
    pub actor: Option<ObjectId>,
    /// The credential it used; `None` when none was used (offline commands).
    pub credential: Option<ObjectId>,
    /// Activity verb such as `entity created` or `login failed`.
    pub activity: String,
    /// Id of the request, as also written to the log.
    pub request_id: String,
    /// Address of the client; empty when there is none.
    pub source_address: String,
    /// User agent as the client named it; empty when it did not.
    pub user_agent: String,
    /// Free text about an activity without changes (a denied action, an unknown credential's
    /// public part). Never secrets.
    pub detail: String,
}

/// One transaction as the journal holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// Its position.
    pub sequence: Sequence,
    /// When it was committed; strictly greater than that of the transaction before.
    pub committed_at: Instant,
    /// Who, how, from where.
    pub origin: Origin,
    /// Key under which a repeated write is recognized; empty when the client gave none.
    pub idempotency_key: String,
    /// What it changed, in order. Empty for logins, denials and secret reads.
    pub changes: Vec<Change>,
}
