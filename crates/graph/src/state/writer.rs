// SPDX-License-Identifier: Apache-2.0
//! The one writer of a state.

use std::sync::Arc;

use durward_model::transaction::Transaction;
use durward_model::{EntityNumber, RelationshipNumber};

use super::{Snapshot, StateError};
use crate::ids::NextNumbers;
use crate::view::View;

/// Folds transactions into a state and publishes snapshots of it.
#[derive(Debug)]
pub struct StateWriter {
    published: Arc<Snapshot>,
    state: Snapshot,
}

impl StateWriter {
    /// A writer that goes on from a snapshot.
    pub fn new(snapshot: Snapshot) -> Self {
        let state = Snapshot {
            is_draft: true,
            ..snapshot.clone()
        };
        Self {
            published: Arc::new(snapshot),
            state,
        }
    }

    /// Folds a transaction in. After an error the writer is back at the last published snapshot.
    pub fn apply(&mut self, transaction: &Transaction) -> Result<(), StateError> {
        let outcome = self.state.fold(transaction);
        if outcome.is_err() {
            self.rollback();
        }
        outcome
    }

    /// As [`StateWriter::apply`]; large batches are freed as soon as they are folded in.
    pub fn apply_owned(&mut self, transaction: Transaction) -> Result<(), StateError> {
        let outcome = self.state.fold_owned(transaction);
        if outcome.is_err() {
            self.rollback();
        }
        outcome
    }

    /// Takes back everything applied since the last publication.
    pub fn rollback(&mut self) {
        self.state = Snapshot {
            is_draft: true,
            ..Snapshot::clone(&self.published)
        };
    }

    /// A snapshot of everything applied so far.
    pub fn publish(&mut self) -> Arc<Snapshot> {
        self.published = Arc::new(Snapshot {
            is_draft: false,
            ..self.state.clone()
        });
        Arc::clone(&self.published)
    }

    /// The snapshot published last.
    pub fn published(&self) -> &Arc<Snapshot> {
        &self.published
    }

    /// The unpublished state. Drop the view before applying more: what it shares has to be copied
    /// to be changed.
    pub fn view(&self) -> View {
        View::new(Arc::new(self.state.clone()), None)
    }

    /// Numbers that the next objects get.
    pub fn next_numbers(&self) -> NextNumbers {
        self.state.next_numbers()
    }

    /// The number that the next entity gets.
    pub fn next_entity_number(&self) -> EntityNumber {
        self.next_numbers().entity
    }

    /// The number that the next relationship gets.
    pub fn next_relationship_number(&self) -> RelationshipNumber {
        self.next_numbers().relationship
    }
}
