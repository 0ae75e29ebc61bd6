// SPDX-License-Identifier: Apache-2.0
//! A journal in memory, for tests and simulations. Durable as long as the value lives.

use std::collections::BTreeMap;
use std::time::Duration;

use durward_model::Instant;
use durward_model::transaction::Sequence;
use parking_lot::{Condvar, Mutex};

use crate::engine::grant_lease;
use crate::{
    Batch, FencingToken, Journal, JournalError, Lease, ReadLimit, SignedHead, StoredTransaction,
    WRITER_LEASE, codec,
};

/// The engine.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    state: Mutex<State>,
    appended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    head: Option<SignedHead>,
    transactions: BTreeMap<Sequence, Vec<Vec<u8>>>,
    leases: BTreeMap<String, (String, u64, Instant)>,
    meta: BTreeMap<String, Vec<u8>>,
}

impl MemoryJournal {
    /// An empty journal.
    pub fn new() -> Self {
        Self::default()
    }
}

impl State {
    fn head_sequence(&self) -> Sequence {
        self.head
            .as_ref()
            .map_or(Sequence(0), |signed| signed.head.sequence)
    }

    fn read(&self, from: Sequence, limit: ReadLimit) -> Vec<StoredTransaction> {
        let mut bytes = 0usize;
        let mut found = Vec::new();
        for (sequence, records) in self.transactions.range(from..) {
            if found.len() >= limit.transactions.max(1) || bytes > limit.bytes {
                break;
            }
            bytes = bytes.saturating_add(records.iter().map(Vec::len).sum());
            found.push(StoredTransaction {
                sequence: *sequence,
                records: records.clone(),
            });
        }
        found
    }
}

impl Journal for MemoryJournal {
    fn head(&self) -> Result<Option<SignedHead>, JournalError> {
        Ok(self.state.lock().head.clone())
    }

    fn append(
        &self,
        expected: Sequence,
        token: FencingToken,
        batch: &Batch,
    ) -> Result<Sequence, JournalError> {
        let mut state = self.state.lock();
        let current = state.leases.get(WRITER_LEASE).map_or(0, |lease| lease.1);
        if token.0 < current {
            return Err(JournalError::Fenced {
                token: token.0,
                current,
            });
        }
        let head = state.head_sequence();
        if head != expected {
            return Err(JournalError::Conflict { expected, head });
        }
        batch.check(expected)?;
        for transaction in &batch.transactions {
            state
                .transactions
                .insert(transaction.sequence, transaction.records.clone());
        }
        state.head = Some(batch.head.clone());
        self.appended.notify_all();
        Ok(batch.head.head.sequence)
    }

    fn read(
        &self,
        from: Sequence,
        limit: ReadLimit,
    ) -> Result<Vec<StoredTransaction>, JournalError> {
        Ok(self.state.lock().read(from, limit))
    }

    fn watch(
        &self,
        from: Sequence,
        limit: ReadLimit,
        timeout: Duration,
    ) -> Result<Vec<StoredTransaction>, JournalError> {
        let mut state = self.state.lock();
        let is_behind = |state: &mut State| state.head_sequence() < from;
        self.appended.wait_while_for(&mut state, is_behind, timeout);
        Ok(state.read(from, limit))
    }

    fn lease(
        &self,
        name: &str,
        holder: &str,
        now: Instant,
        ttl: Duration,
    ) -> Result<Lease, JournalError> {
        let mut state = self.state.lock();
        let lease = grant_lease(name, state.leases.get(name).cloned(), holder, now, ttl)?;
        state.leases.insert(
            name.to_owned(),
            (holder.to_owned(), lease.token.0, lease.until),
        );
        Ok(lease)
    }

    fn compact(&self, before: Sequence) -> Result<u64, JournalError> {
        let mut state = self.state.lock();
        let mut replaced = 0;
        for (sequence, records) in state.transactions.range_mut(..before) {
            let damaged = |source| JournalError::Damaged {
                sequence: *sequence,
                source,
            };
            let erased = codec::erase(records).map_err(damaged)?;
            if erased != *records {
                *records = erased;
                replaced += 1;
            }
        }
        Ok(replaced)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(self.state.lock().meta.get(name).cloned())
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), JournalError> {
        self.state
            .lock()
            .meta
            .insert(name.to_owned(), value.to_vec());
        Ok(())
    }
}
