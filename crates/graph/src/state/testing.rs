// SPDX-License-Identifier: Apache-2.0
//! A naive model of a state and random histories of changes, against which the real one is tested.

mod check;
mod history;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use durward_model::change::{Change, Triple};
use durward_model::transaction::{Sequence, Transaction};
use durward_model::{
    EntityNumber, IdCipher, Instant, Namespace, ObjectNumber, RelationshipNumber, Value,
};

use super::row_pages::Tuning;
use super::{Snapshot, StateWriter};

pub(crate) use check::{check, check_column};
pub(crate) use history::{Step, steps};

/// What the model says about dates and versions of any object.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    pub(crate) version: u32,
    pub(crate) ended: Option<Instant>,
}

#[derive(Clone, Debug)]
pub(crate) struct ModelEntity {
    pub(crate) entity_type: String,
    pub(crate) classes: Vec<String>,
    pub(crate) namespace: Namespace,
    pub(crate) key: String,
    pub(crate) values: BTreeMap<String, Value>,
    pub(crate) life: Life,
}

#[derive(Clone, Debug)]
pub(crate) struct ModelEdge {
    pub(crate) triple: Triple,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) edge_type: String,
    pub(crate) namespace: Namespace,
    pub(crate) key: Option<String>,
    pub(crate) values: BTreeMap<String, Value>,
    pub(crate) life: Life,
}

/// A whole state, kept in the simplest way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) entities: Vec<ModelEntity>,
    pub(crate) edges: Vec<ModelEdge>,
    pub(crate) aliases: BTreeSet<(String, ObjectNumber)>,
}

/// The real state, the model, and what the model was after each transaction.
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) history: Vec<(Instant, Model)>,
    pub(crate) writer: StateWriter,
    sequence: Sequence,
    pub(crate) now: Instant,
}

impl Life {
    fn new(created: Instant) -> Self {
        Self {
            created,
            updated: created,
            version: 1,
            ended: None,
        }
    }

    fn change(&mut self, now: Instant) {
        if self.updated != now {
            self.updated = now;
            self.version += 1;
        }
    }
}

impl Model {
    pub(crate) fn live_entities(&self) -> Vec<u32> {
        let all = (0u32..).zip(&self.entities);
        all.filter(|(_, entity)| entity.life.ended.is_none())
            .map(|(number, _)| number)
            .collect()
    }

    pub(crate) fn live_edges(&self) -> Vec<u32> {
        let all = (0u32..).zip(&self.edges);
        all.filter(|(_, edge)| edge.life.ended.is_none())
            .map(|(number, _)| number)
            .collect()
    }
}

pub(crate) fn empty_snapshot() -> Snapshot {
    let mut snapshot = Snapshot::empty(IdCipher::new(&[5; 32]));
    snapshot.tuning = Tuning {
        whole_max: 3,
        beside_max: 6,
        pending_min: 10,
        bulk_min: 8,
    };
    snapshot
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            model: Model::default(),
            history: vec![(Instant::from_micros(0), Model::default())],
            writer: StateWriter::new(empty_snapshot()),
            sequence: Sequence(0),
            now: Instant::from_micros(0),
        }
    }

    /// Commits changes whose effect on the model has been worked out at `self.now`.
    pub(crate) fn commit(&mut self, changes: Vec<Change>) {
        self.sequence = self.sequence.next();
        let transaction = Transaction {
            sequence: self.sequence,
            committed_at: self.now,
            origin: durward_model::transaction::Origin::default(),
            idempotency_key: String::new(),
            changes,
        };
        if self.sequence.0.is_multiple_of(2) {
            self.writer.apply(&transaction).unwrap();
        } else {
            self.writer.apply_owned(transaction).unwrap();
        }
        self.history.push((self.now, self.model.clone()));
    }

    /// Checks the head and some of the past of a snapshot.
    pub(crate) fn check_all(snapshot: &Arc<Snapshot>, history: &[(Instant, Model)]) {
        let head = snapshot.view(None);
        check(&head, &history.last().unwrap().1);
        let step = (history.len() / 6).max(1);
        for (instant, model) in history
            .iter()
            .step_by(step)
            .chain(history.iter().rev().take(2))
        {
            let view = snapshot.view(Some(*instant));
            check(&view, model);
            let later = snapshot.view(Some(instant.plus_micros(3)));
            assert_eq!(later.sequence(), view.sequence());
        }
    }
}

pub(crate) fn entity(number: u32) -> ObjectNumber {
    ObjectNumber::Entity(EntityNumber(number))
}

pub(crate) fn relationship(number: u32) -> ObjectNumber {
    ObjectNumber::Relationship(RelationshipNumber(number))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn every_instant_is_as_the_model_says(steps in steps()) {
            let mut world = World::new();
            let mut kept = Vec::new();
            for (turn, step) in steps.iter().enumerate() {
                world.take(step);
                match turn % 7 {
                    3 => drop(world.writer.publish()),
                    5 => {
                        let draft = world.writer.view();
                        check(&draft, &world.model);
                        kept.push((world.writer.publish(), world.history.len()));
                    }
                    _ => {}
                }
            }
            let last = world.writer.publish();
            World::check_all(&last, &world.history);
            // Snapshots published earlier are as they were, and agree about their past.
            for (snapshot, length) in kept.iter().rev().take(4) {
                World::check_all(snapshot, &world.history[..*length]);
            }
        }
    }

    #[test]
    fn a_transaction_that_does_not_fit_changes_nothing() {
        let mut world = World::new();
        for seed in 0..6 {
            world.take(&Step {
                kind: 0,
                a: seed * 7,
                b: seed * 13,
            });
        }
        let before = world.writer.publish();
        let mut bad = Transaction {
            sequence: before.sequence().next(),
            committed_at: world.now.plus_micros(10),
            origin: durward_model::transaction::Origin::default(),
            idempotency_key: String::new(),
            changes: vec![Change::DeleteEntities {
                entity_type: world.model.entities[0].entity_type.clone(),
                entities: vec![EntityNumber(0), EntityNumber(9_999)],
            }],
        };
        let error = world.writer.apply(&bad).unwrap_err();
        assert!(error.to_string().contains("9999"), "{error}");
        check(&world.writer.view(), &world.model);
        bad.sequence = Sequence(77);
        assert!(
            world
                .writer
                .apply(&bad)
                .unwrap_err()
                .to_string()
                .contains("follow")
        );
        world.take(&Step {
            kind: 0,
            a: 3,
            b: 4,
        });
        check(&world.writer.publish().view(None), &world.model);
    }

    #[test]
    fn discarded_changes_leave_no_trace() {
        let mut world = World::new();
        world.take(&Step {
            kind: 0,
            a: 1,
            b: 9,
        });
        world.writer.publish();
        let (model, now, sequence) = (world.model.clone(), world.now, world.sequence);
        for turn in 0..20 {
            world.take(&Step {
                kind: (turn % 12) as u8,
                a: turn,
                b: turn * 31,
            });
        }
        world.writer.rollback();
        world.model = model;
        (world.now, world.sequence) = (now, sequence);
        world.history.truncate(2);
        for turn in 5..40 {
            world.take(&Step {
                kind: (turn % 11) as u8,
                a: turn * 3,
                b: turn * 17,
            });
        }
        let snapshot = world.writer.publish();
        World::check_all(&snapshot, &world.history);
    }
}
