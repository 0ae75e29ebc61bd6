// SPDX-License-Identifier: Apache-2.0
//! What readers see: a snapshot at one instant.

pub(crate) mod adjacency;
mod codes;
pub(crate) mod column_view;
mod entities;
mod keys;
mod relationships;
mod search;
mod select;
mod value_ref;

use std::sync::Arc;

use durward_model::transaction::Sequence;
use durward_model::{IdCipher, Instant};

pub use adjacency::Adjacency;
pub use codes::ColumnCodes;
pub use column_view::ColumnView;
pub use value_ref::ValueRef;

use crate::ids::{ClassId, PropertyId, TripleId, TypeId, VerbId};
use crate::rowset::RowSet;
use crate::state::Snapshot;
use crate::state::tables::{TripleTable, TypeTable};
use crate::state::timeline::Tick;

/// A snapshot at one instant. Cheap to clone.
#[derive(Clone, Debug)]
pub struct View {
    snapshot: Arc<Snapshot>,
    /// The last tick shown; `None` is the head.
    at: Option<Tick>,
    instant: Instant,
    with_deleted: bool,
}

/// Which rows of a type carry a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassCover {
    /// All of them.
    All,
    /// These of them.
    Some(RowSet),
}

/// A triple and the types and verb in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TripleMeta {
    /// Its id.
    pub id: TripleId,
    /// Type at the start.
    pub from: TypeId,
    /// The verb.
    pub verb: VerbId,
    /// Type at the end.
    pub to: TypeId,
}

impl View {
    pub(crate) fn new(snapshot: Arc<Snapshot>, at: Option<Instant>) -> Self {
        let head = snapshot.committed_at;
        let past = at.map(|at| (at, snapshot.timeline.at(at)));
        match past {
            Some((instant, tick)) if tick < snapshot.timeline.last() => Self {
                snapshot,
                at: Some(tick),
                instant,
                with_deleted: false,
            },
            _ => {
                let instant = at.map_or(head, |at| at.min(head));
                Self {
                    snapshot,
                    at: None,
                    instant,
                    with_deleted: false,
                }
            }
        }
    }

    /// Sequence of the last transaction that this view shows.
    pub fn sequence(&self) -> Sequence {
        match self.at {
            None => self.snapshot.sequence,
            Some(tick) => self.snapshot.timeline.sequence(tick),
        }
    }

    /// The instant looked at; at the head, when the last transaction was committed.
    pub fn instant(&self) -> Instant {
        self.instant
    }

    /// Whether this view shows less than its snapshot holds.
    pub fn is_past(&self) -> bool {
        self.at.is_some()
    }

    /// The snapshot behind the view.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The same view, in which entities that ended before its instant count as live.
    #[must_use]
    pub fn include_deleted(self) -> Self {
        Self {
            with_deleted: true,
            ..self
        }
    }

    /// Whether entities that ended count as live.
    pub fn includes_deleted(&self) -> bool {
        self.with_deleted
    }

    /// Cipher of the ids.
    pub fn id_cipher(&self) -> &IdCipher {
        &self.snapshot.cipher
    }

    /// Id of a type name.
    pub fn type_id(&self, name: &str) -> Option<TypeId> {
        self.snapshot
            .symbols
            .types
            .find(name)
            .map(|id| TypeId(id as u16))
    }

    /// Name of a type; empty for an id that does not exist and for relationships.
    pub fn type_name(&self, id: TypeId) -> &str {
        self.snapshot
            .symbols
            .types
            .get(u32::from(id.0))
            .map_or("", |name| name)
    }

    /// Id of a verb.
    pub fn verb_id(&self, name: &str) -> Option<VerbId> {
        self.snapshot
            .symbols
            .verbs
            .find(name)
            .map(|id| VerbId(id as u16))
    }

    /// Name of a verb.
    pub fn verb_name(&self, id: VerbId) -> &str {
        self.snapshot
            .symbols
            .verbs
            .get(u32::from(id.0))
            .map_or("", |name| name)
    }

    /// Id of a property name.
    pub fn property_id(&self, name: &str) -> Option<PropertyId> {
        self.snapshot.symbols.properties.find(name).map(PropertyId)
    }

    /// Name of a property.
    pub fn property_name(&self, id: PropertyId) -> &str {
        self.snapshot
            .symbols
            .properties
            .get(id.0)
            .map_or("", |name| name)
    }

    /// Id of a class.
    pub fn class_id(&self, name: &str) -> Option<ClassId> {
        self.snapshot
            .symbols
            .classes
            .find(name)
            .map(|id| ClassId(id as u16))
    }

    /// Name of a class.
    pub fn class_name(&self, id: ClassId) -> &str {
        self.snapshot
            .symbols
            .classes
            .get(u32::from(id.0))
            .map_or("", |name| name)
    }

    /// Types with at least one row at the instant, by id.
    pub fn types(&self) -> Vec<TypeId> {
        let all = (0..self.snapshot.types.len() as u16).map(TypeId);
        all.filter(|id| self.rows(*id) > 0).collect()
    }

    /// All classes that entities have or had.
    pub fn class_ids(&self) -> Vec<ClassId> {
        (0..self.snapshot.symbols.classes.len() as u16)
            .map(ClassId)
            .collect()
    }

    /// All verbs that relationships have or had.
    pub fn verb_ids(&self) -> Vec<VerbId> {
        (0..self.snapshot.symbols.verbs.len() as u16)
            .map(VerbId)
            .collect()
    }

    pub(crate) fn tick(&self) -> Option<Tick> {
        self.at
    }

    pub(crate) fn type_table(&self, id: TypeId) -> Option<&TypeTable> {
        self.snapshot
            .types
            .get(usize::from(id.0))
            .map(|table| &**table)
    }

    pub(crate) fn triple_table(&self, id: TripleId) -> Option<&TripleTable> {
        self.snapshot
            .triples
            .get(id.0 as usize)
            .map(|table| &**table)
    }

    /// When the transaction of a tick was committed.
    pub(crate) fn when(&self, tick: Tick) -> Instant {
        self.snapshot.timeline.instant(tick)
    }
}
