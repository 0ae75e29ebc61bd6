// SPDX-License-Identifier: Apache-2.0
//! Bulk commits: changes that were prepared elsewhere, as one transaction.

use durward_model::transaction::Origin;

use super::super::draft::{BulkCommit, Receipt};
use super::super::error::StoreError;
use super::super::idempotency::{self, RequestKey};
use super::super::lifeline::guarded;
use super::super::unique::UniqueIndex;
use super::super::work::{Prepare, Reply};
use super::group::Group;
use super::{Writer, receipt};

impl Writer {
    /// Appends a commit unless something changed since it was prepared.
    pub(super) fn commit_bulk(&mut self, commit: BulkCommit) -> Result<Receipt, StoreError> {
        self.come_into_step()?;
        let key = idempotency::key_of_bulk(&commit);
        if let Some(receipt) = self.window.find(commit.origin.actor, &key)? {
            return Ok(receipt);
        }
        if commit.based_on < self.changed || commit.based_on > self.head.sequence {
            return Err(StoreError::Stale {
                based_on: commit.based_on,
            });
        }
        self.append_alone(commit, key)
    }

    /// Prepares a commit against the head and appends it.
    pub(super) fn prepare_and_commit(
        &mut self,
        origin: Origin,
        idempotency_key: String,
        prepare: Prepare,
    ) -> Result<Receipt, StoreError> {
        self.come_into_step()?;
        let based_on = self.head.sequence;
        let mut commit = BulkCommit {
            origin,
            idempotency_key,
            based_on,
            changes: Vec::new(),
        };
        let key = idempotency::key_of_bulk(&commit);
        if let Some(receipt) = self.window.find(commit.origin.actor, &key)? {
            return Ok(receipt);
        }
        let view = self.snapshot.view(None);
        let next = self.state.next_numbers();
        commit.changes = guarded("preparing the changes", || prepare(&view, next))??;
        drop(view);
        self.append_alone(commit, key)
    }

    fn append_alone(&mut self, commit: BulkCommit, key: RequestKey) -> Result<Receipt, StoreError> {
        let actor = commit.origin.actor;
        if commit.changes.is_empty() {
            let receipt = receipt(&self.head);
            self.window.remember(actor, key, &receipt);
            return Ok(receipt);
        }
        let mut group = Group::after(self.head);
        let stored_key = idempotency::stored_key(&key, &[]);
        if let Err(error) = self.add(commit.origin, stored_key, commit.changes, &mut group) {
            self.rewind();
            self.shared.instants.land();
            return Err(error);
        }
        let receipt = receipt(&group.head());
        group.remember(actor, key, &receipt);
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        group.answer_later(Reply::new(move |result| drop(sender.send(result))), receipt);
        self.flush(&mut group);
        self.unique = UniqueIndex::read(&self.snapshot.view(None), &self.shared.catalog);
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }
}
