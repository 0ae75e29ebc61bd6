// SPDX-License-Identifier: Apache-2.0
//! What a journal engine does. Engines keep records in order and durably and never look into them,
//! compaction excepted.

use std::fmt::Debug;
use std::time::Duration;

use durward_model::Instant;
use durward_model::transaction::Sequence;

use crate::codec::EncodedTransaction;
use crate::{JournalError, SignedHead};

/// Name of the lease whose holder may append.
pub const WRITER_LEASE: &str = "writer";

/// Tells an earlier holder of a lease from a later one: later is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FencingToken(pub u64);

/// A lease that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Token of this holder.
    pub token: FencingToken,
    /// When it ends unless it is renewed.
    pub until: Instant,
}

/// Transactions that become durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The transactions in order.
    pub transactions: Vec<EncodedTransaction>,
    /// The head that the last of them makes.
    pub head: SignedHead,
}

/// A transaction as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransaction {
    /// The position under which it is stored.
    pub sequence: Sequence,
    /// Its records in order.
    pub records: Vec<Vec<u8>>,
}

/// How much one read gives at most. A transaction comes whole or not at all, and one always comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Number of transactions.
    pub transactions: usize,
    /// Bytes of records after which no further transaction is begun.
    pub bytes: usize,
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self {
            transactions: 4096,
            bytes: 16 << 20,
        }
    }
}

/// An ordered, durable log of transactions.
pub trait Journal: Send + Sync + Debug {
    /// The head; `None` while the journal is empty.
    fn head(&self) -> Result<Option<SignedHead>, JournalError>;

    /// Appends a batch after `expected`, all or nothing, and returns the new last sequence. When
    /// this returns, the batch survives a power cut. A token older than the newest one of
    /// [`WRITER_LEASE`] is refused.
    fn append(
        &self,
        expected: Sequence,
        token: FencingToken,
        batch: &Batch,
    ) -> Result<Sequence, JournalError>;

    /// Transactions at and after `from`, in order.
    fn read(
        &self,
        from: Sequence,
        limit: ReadLimit,
    ) -> Result<Vec<StoredTransaction>, JournalError>;

    /// As [`Journal::read`], but waits up to `timeout` while there is none.
    fn watch(
        &self,
        from: Sequence,
        limit: ReadLimit,
        timeout: Duration,
    ) -> Result<Vec<StoredTransaction>, JournalError>;

    /// Takes or renews a lease. A new holder gets a greater token than all before.
    fn lease(
        &self,
        name: &str,
        holder: &str,
        now: Instant,
        ttl: Duration,
    ) -> Result<Lease, JournalError>;

    /// Replaces the contents of all transactions before `before` by their digests; returns how many
    /// were replaced now. Running it again changes nothing.
    fn compact(&self, before: Sequence) -> Result<u64, JournalError>;

    /// A named value kept beside the log.
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError>;

    /// Sets a named value.
    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), JournalError>;
}

impl Batch {
    /// Checks that the batch follows on `expected`, sequence by sequence, and ends at its head.
    pub fn check(&self, expected: Sequence) -> Result<(), JournalError> {
        let bad = |reason| Err(JournalError::BadBatch { reason });
        let mut next = expected;
        for transaction in &self.transactions {
            next = next.next();
            if transaction.sequence != next {
                return bad("its sequences do not follow on each other");
            }
            if transaction.records.is_empty() {
                return bad("a transaction has no record");
            }
        }
        match self.transactions.last() {
            None => bad("it is empty"),
            Some(last)
                if last.sequence != self.head.head.sequence || last.hash != self.head.head.hash =>
            {
                bad("its head is not its last transaction")
            }
            Some(_) => Ok(()),
        }
    }
}

/// Decides about a lease: `current` is holder, token and end of the lease as it is.
pub(crate) fn grant_lease(
    name: &str,
    current: Option<(String, u64, Instant)>,
    holder: &str,
    now: Instant,
    ttl: Duration,
) -> Result<Lease, JournalError> {
    let until = now.plus_micros(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX));
    match current {
        None => Ok(Lease {
            token: FencingToken(1),
            until,
        }),
        Some((same, token, _)) if same == holder => Ok(Lease {
            token: FencingToken(token),
            until,
        }),
        Some((other, _, end)) if end > now => Err(JournalError::LeaseHeld {
            name: name.to_owned(),
            holder: other,
            until: end,
        }),
        Some((_, token, _)) => Ok(Lease {
            token: FencingToken(token.saturating_add(1)),
            until,
        }),
    }
}
