// SPDX-License-Identifier: Apache-2.0
//! The one writer of an organization.

mod bulk;
mod group;

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use durward_journal::{Encoder, FencingToken, Head, JournalError};
use durward_model::change::Change;
use durward_model::transaction::{Origin, Sequence, Transaction};

use self::group::Group;
use super::Shared;
use super::build::{self, Ground};
use super::checkpointer::Checkpointer;
use super::draft::{Draft, Receipt};
use super::error::StoreError;
use super::idempotency::{self, RequestKey, Window};
use super::lifeline::{Lifeline, guarded};
use super::replay::Start;
use super::unique::UniqueIndex;
use super::work::{Plan, Reply, Work};
use crate::state::{Snapshot, StateWriter};

/// Most drafts of one group.
const GROUP_MAX: usize = 1024;
/// A group is closed when its records pass this size.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// State of the writer's thread.
pub(super) struct Writer {
    shared: Arc<Shared>,
    state: StateWriter,
    snapshot: Arc<Snapshot>,
    unique: UniqueIndex,
    window: Window,
    encoder: Encoder,
    token: FencingToken,
    head: Head,
    /// Sequence of the last transaction that changed anything.
    changed: Sequence,
    checkpointer: Checkpointer,
    /// An append failed and its outcome is not known yet.
    is_out_of_step: bool,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        start: Start,
        encoder: Encoder,
        token: FencingToken,
    ) -> Self {
        Self {
            shared,
            state: start.state,
            snapshot: start.snapshot,
            unique: start.unique,
            window: start.window,
            encoder,
            token,
            head: start.head,
            changed: start.head.sequence,
            checkpointer: start.checkpointer,
            is_out_of_step: false,
        }
    }

    /// Serves the queue until it is told to close.
    pub(super) fn run(mut self, queue: &Receiver<Work>, line: Lifeline) {
        let mut closing = None;
        while closing.is_none() {
            let Ok(first) = queue.recv() else { break };
            let mut group = Group::after(self.head);
            let mut next = Some(first);
            let mut count = 0;
            while let Some(work) = next {
                closing = self.take(work, &mut group);
                count += 1;
                let is_full = count >= GROUP_MAX || group.bytes() >= GROUP_BYTES_MAX;
                next = if is_full || closing.is_some() {
                    None
                } else {
                    queue.try_recv().ok()
                };
            }
            self.flush(&mut group);
        }
        while let Ok(work) = queue.try_recv() {
            work.refuse(StoreError::Closed);
        }
        self.checkpointer
            .close(&self.head, &self.snapshot, &self.window);
        line.let_go();
        if let Some(reply) = closing {
            reply.answer(Ok(receipt(&self.head)));
        }
    }

    /// Does one thing; gives the reply of a request to close.
    fn take(&mut self, work: Work, group: &mut Group) -> Option<Reply> {
        if self.is_out_of_step && !matches!(work, Work::Close { .. }) {
            if let Err(error) = self.come_into_step() {
                work.refuse(error);
                return None;
            }
            // Nothing is pending: a group that failed was discarded.
            *group = Group::after(self.head);
        }
        match work {
            Work::Draft { draft, reply } => {
                let key = idempotency::key_of_draft(&draft);
                match self.add_draft(&draft, key, group) {
                    Ok(receipt) => group.answer_later(reply, receipt),
                    Err(error) => self.refuse(error, reply, group),
                }
            }
            Work::Plan { plan, reply } => match self.add_plan(plan, group) {
                Ok(receipt) => group.answer_later(reply, receipt),
                Err(error) => self.refuse(error, reply, group),
            },
            Work::Activity(origin) => {
                if let Err(error) = self.add(origin, String::new(), Vec::new(), group) {
                    self.defect(&error, group);
                }
            }
            Work::Note { origin, reply } => {
                match self.add(origin, String::new(), Vec::new(), group) {
                    Ok(()) => group.answer_later(reply, receipt(&group.head())),
                    Err(error) => self.refuse(error, reply, group),
                }
            }
            Work::Bulk { commit, reply } => {
                self.flush(group);
                reply.answer(self.commit_bulk(*commit));
                *group = Group::after(self.head);
            }
            Work::BulkWith {
                origin,
                idempotency_key,
                prepare,
                reply,
            } => {
                self.flush(group);
                reply.answer(self.prepare_and_commit(origin, idempotency_key, prepare));
                *group = Group::after(self.head);
            }
            Work::Checkpoint { reply } => {
                self.flush(group);
                self.checkpointer
                    .write_now(&self.head, &self.snapshot, &self.window, reply);
                *group = Group::after(self.head);
            }
            Work::Close { reply } => return Some(reply),
        }
        None
    }

    fn refuse(&mut self, error: StoreError, reply: Reply, group: &mut Group) {
        if matches!(error, StoreError::State(_)) {
            self.defect(&error, group);
        }
        reply.answer(Err(error));
    }

    /// A validated transaction did not fit the state. The state is back at what is published, so
    /// the rest of the group goes as well.
    fn defect(&mut self, error: &StoreError, group: &mut Group) {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "a group was discarded"
        );
        self.rewind();
        self.shared.instants.land();
        group.discard(self.head, &|| StoreError::NotWritten {
            source: Arc::new(JournalError::BadBatch {
                reason: "it does not fit the state",
            }),
        });
    }

    /// Makes a draft from the pending state and takes it into the group.
    fn add_plan(&mut self, plan: Plan, group: &mut Group) -> Result<Receipt, StoreError> {
        let view = self.state.view();
        // A plan only reads. One that ends abnormally must not end the writer with it.
        let planned = guarded("the plan of the write", || plan(&view));
        drop(view);
        let draft = planned??;
        let key = idempotency::key_of_draft(&draft);
        self.add_draft(&draft, key, group)
    }

    fn add_draft(
        &mut self,
        draft: &Draft,
        key: RequestKey,
        group: &mut Group,
    ) -> Result<Receipt, StoreError> {
        let actor = draft.origin.actor;
        if let Some(receipt) = group.repeated(actor, &key)? {
            return Ok(receipt);
        }
        if let Some(receipt) = self.window.find(actor, &key)? {
            return Ok(receipt);
        }
        let built = {
            let view = self.state.view();
            let ground = Ground {
                view: &view,
                catalog: &self.shared.catalog,
                unique: &self.unique,
                next: self.state.next_numbers(),
            };
            // It reads, and what it makes is not applied yet.
            guarded("checking the write", || build::build(ground, draft))??
        };
        if built.changes.is_empty() {
            let receipt = Receipt {
                results: built.results,
                ..receipt(&group.head())
            };
            group.remember(actor, key, &receipt);
            return Ok(receipt);
        }
        let stored_key = idempotency::stored_key(&key, &built.results);
        self.add(draft.origin.clone(), stored_key, built.changes, group)?;
        self.unique.apply(built.unique);
        let receipt = Receipt {
            results: built.results,
            ..receipt(&group.head())
        };
        group.remember(actor, key, &receipt);
        Ok(receipt)
    }

    /// Stamps, encodes and applies a transaction to the pending state.
    fn add(
        &mut self,
        origin: Origin,
        idempotency_key: String,
        changes: Vec<Change>,
        group: &mut Group,
    ) -> Result<(), StoreError> {
        let pending = group.head();
        let sequence = pending.sequence.next();
        let committed_at = self
            .shared
            .instants
            .stamp(pending.committed_at, &*self.shared.clock);
        let is_change = !changes.is_empty();
        let transaction = Transaction {
            sequence,
            committed_at,
            origin,
            idempotency_key,
            changes,
        };
        let encoded = self
            .encoder
            .encode(&transaction, &pending.hash)
            .map_err(|source| JournalError::Encode { sequence, source })?;
        self.state.apply_owned(transaction)?;
        group.add(encoded, is_change);
        Ok(())
    }

    /// Goes back to what is published.
    fn rewind(&mut self) {
        self.state.rollback();
        self.unique = UniqueIndex::read(&self.snapshot.view(None), &self.shared.catalog);
    }
}

fn receipt(head: &Head) -> Receipt {
    Receipt {
        sequence: head.sequence,
        committed_at: head.committed_at,
        results: Vec::new(),
    }
}
