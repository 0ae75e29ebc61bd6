// SPDX-License-Identifier: Apache-2.0
//! A group of transactions: pending together, durable together, visible together.

use std::sync::Arc;

use durward_journal::{Batch, EncodedTransaction, Head, JournalError};
use durward_model::ObjectId;

use super::super::draft::Receipt;
use super::super::error::StoreError;
use super::super::idempotency::RequestKey;
use super::super::replay::{self, Replayed};
use super::super::unique::UniqueIndex;
use super::super::work::Reply;
use super::Writer;
use crate::state::StateWriter;

/// Transactions that wait for one flush, and the answers that depend on it.
#[derive(Debug)]
pub(super) struct Group {
    head: Head,
    encoded: Vec<EncodedTransaction>,
    bytes: usize,
    has_changes: bool,
    answers: Vec<(Reply, Receipt)>,
    keys: Vec<(Option<ObjectId>, RequestKey, Receipt)>,
}

impl Group {
    pub(super) fn after(head: Head) -> Self {
        Self {
            head,
            encoded: Vec::new(),
            bytes: 0,
            has_changes: false,
            answers: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// The head as it will be.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, encoded: EncodedTransaction, is_change: bool) {
        self.head = Head {
            sequence: encoded.sequence,
            hash: encoded.hash,
            committed_at: encoded.committed_at,
        };
        self.bytes += encoded.records.iter().map(Vec::len).sum::<usize>();
        self.has_changes |= is_change;
        self.encoded.push(encoded);
    }

    pub(super) fn answer_later(&mut self, reply: Reply, receipt: Receipt) {
        self.answers.push((reply, receipt));
    }

    pub(super) fn remember(&mut self, actor: Option<ObjectId>, key: RequestKey, receipt: &Receipt) {
        if key.is_some() {
            self.keys.push((actor, key, receipt.clone()));
        }
    }

    /// The receipt of the same request earlier in this group.
    pub(super) fn repeated(
        &self,
        actor: Option<ObjectId>,
        request: &RequestKey,
    ) -> Result<Option<Receipt>, StoreError> {
        let Some((key, digest)) = request else {
            return Ok(None);
        };
        for (owner, known, receipt) in &self.keys {
            match known {
                Some((known, its_digest)) if known == key && *owner == actor => {
                    if its_digest == digest {
                        return Ok(Some(receipt.clone()));
                    }
                    return Err(StoreError::IdempotencyKeyReused { key: key.clone() });
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Answers everybody with an error and begins anew after `head`.
    pub(super) fn discard(&mut self, head: Head, error: &dyn Fn() -> StoreError) {
        let discarded = std::mem::replace(self, Self::after(head));
        for (reply, _) in discarded.answers {
            reply.answer(Err(error()));
        }
    }
}

impl Writer {
    /// Makes the group durable, then visible, then answers. Leaves an empty group.
    pub(super) fn flush(&mut self, group: &mut Group) {
        let mut full = std::mem::replace(group, Group::after(self.head));
        if full.encoded.is_empty() {
            self.land(full);
            return;
        }
        let transactions = std::mem::take(&mut full.encoded);
        let batch = Batch {
            transactions,
            head: full.head.sign(&*self.shared.signer),
        };
        match self
            .shared
            .journal
            .append(self.head.sequence, self.token, &batch)
        {
            Ok(_) => self.publish(full),
            Err(error) => self.settle_failure(error, full),
        }
        *group = Group::after(self.head);
    }

    fn publish(&mut self, group: Group) {
        self.snapshot = self.state.publish();
        self.head = group.head;
        if group.has_changes {
            self.changed = group.head.sequence;
        }
        self.shared.snapshot.store(Arc::clone(&self.snapshot));
        *self.shared.head.lock() = self.head;
        let bytes = group.bytes as u64;
        self.land(group);
        self.checkpointer
            .after_append(bytes, &self.head, &self.snapshot, &self.window);
    }

    fn land(&mut self, group: Group) {
        self.shared.instants.land();
        for (actor, key, receipt) in group.keys {
            self.window.remember(actor, key, &receipt);
        }
        for (reply, receipt) in group.answers {
            reply.answer(Ok(receipt));
        }
    }

    /// An append failed. Whether its records are there is for the journal to say.
    fn settle_failure(&mut self, error: JournalError, mut group: Group) {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "appending a group failed"
        );
        let found = self.shared.journal.head();
        let found = found.map(|signed| signed.map_or_else(Head::empty, |signed| signed.head));
        let source = Arc::new(error);
        let is_known = match &found {
            // It was flushed after all, and only the answer got lost.
            Ok(head) if *head == group.head => {
                self.publish(group);
                return;
            }
            Ok(head) => *head == self.head,
            Err(_) => false,
        };
        self.is_out_of_step = !is_known;
        self.rewind();
        self.shared.instants.land();
        group.discard(self.head, &|| {
            let source = Arc::clone(&source);
            if is_known {
                StoreError::NotWritten { source }
            } else {
                StoreError::OutcomeUnknown { source }
            }
        });
    }

    /// After a failure of unknown outcome: reads what the journal has and goes on from there.
    pub(super) fn come_into_step(&mut self) -> Result<(), StoreError> {
        if !self.is_out_of_step {
            return Ok(());
        }
        let unavailable = |error: StoreError| match error {
            StoreError::Journal(source) => StoreError::NotWritten {
                source: Arc::new(source),
            },
            other => other,
        };
        let base = Replayed {
            state: StateWriter::new((*self.snapshot).clone()),
            window: self.window.clone(),
            head: self.head,
        };
        let journal = &*self.shared.journal;
        let mut replayed = match replay::replay(journal, &*self.shared.signer, base) {
            Ok(replayed) => replayed,
            Err(error) => return Err(unavailable(error)),
        };
        self.snapshot = replayed.state.publish();
        self.state = replayed.state;
        self.window = replayed.window;
        self.head = replayed.head;
        self.changed = self.head.sequence;
        self.unique = UniqueIndex::read(&self.snapshot.view(None), &self.shared.catalog);
        self.shared.snapshot.store(Arc::clone(&self.snapshot));
        *self.shared.head.lock() = self.head;
        self.is_out_of_step = false;
        Ok(())
    }
}
