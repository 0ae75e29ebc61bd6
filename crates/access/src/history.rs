// SPDX-License-Identifier: Apache-2.0
//! What became of objects: a row for each making, change and end, with the whole object after it.
//!
//! It is read from the states that the graph keeps, so it needs no log of its own and reaches back
//! to the beginning.

use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_model::transaction::Sequence;
use durward_model::{Instant, ObjectId};

use crate::access::Sight;
use crate::{Access, AccessError, Kind, Object, action, reader};

/// One row of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// The transaction that did it.
    pub sequence: Sequence,
    /// When.
    pub instant: Instant,
    /// The whole object after the change; of an end, as it last was.
    pub object: Object,
    /// Whether it ended.
    pub is_end: bool,
}

/// Where a row is found, before the object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// When.
    pub instant: Instant,
    /// The object.
    pub object: ObjectRef,
    /// Whether it ended.
    pub is_end: bool,
}

impl Access {
    /// The moments at which objects of a kind changed, the oldest first: of these objects, or of
    /// all that the caller may see.
    ///
    /// # Errors
    /// When the caller may not see the history of the kind.
    pub fn moments(
        &self,
        caller: &Caller,
        kind: Kind,
        ids: Option<&[ObjectId]>,
    ) -> Result<Vec<Moment>, AccessError> {
        caller.require_action(action::history(kind))?;
        let view = self.view(None);
        Ok(match ids {
            Some(ids) => {
                let found = ids.iter();
                let found = found.filter_map(|id| reader::find_ever(&view, kind, *id));
                moments_of(&view, found)
            }
            None => moments_of(&view, ever(&view, kind)),
        })
    }

    /// The row of a moment; `None` when the caller could not see the object then.
    pub fn history_row(&self, caller: &Caller, kind: Kind, moment: Moment) -> Option<HistoryRow> {
        let snapshot = self.organization().store().snapshot();
        let after = snapshot.view(Some(moment.instant));
        let sequence = after.sequence();
        let shown = if moment.is_end {
            snapshot.view(Some(moment.instant.plus_micros(-1)))
        } else {
            after
        };
        if !Sight::of(caller, &shown).sees(moment.object) {
            return None;
        }
        Some(HistoryRow {
            sequence,
            instant: moment.instant,
            object: Object::read(&shown, kind, moment.object),
            is_end: moment.is_end,
        })
    }
}

/// The moments at which objects changed, up to the instant of the view, the oldest first.
pub fn moments_of(view: &View, objects: impl IntoIterator<Item = ObjectRef>) -> Vec<Moment> {
    let mut moments = Vec::new();
    for object in objects {
        collect(view, object, &mut moments);
    }
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// All objects of a kind that there are or were, in order of creation inside their type.
pub fn ever(view: &View, kind: Kind) -> Vec<ObjectRef> {
    if !kind.is_relationship() {
        let Some(type_id) = view.type_id(kind.type_name()) else {
            return Vec::new();
        };
        let rows = 0..view.rows(type_id);
        let entities = rows.map(|row| EntityRef { type_id, row });
        return entities.map(ObjectRef::Entity).collect();
    }
    let mut edges = Vec::new();
    for triple in reader::triples(view, kind) {
        let rows = 0..view.edge_rows(triple);
        let of_triple = rows.map(|edge| durward_graph::EdgeRef { triple, edge });
        edges.extend(of_triple.map(ObjectRef::Edge));
    }
    edges
}

/// Walks back from now through the changes of one object.
fn collect(head: &View, object: ObjectRef, moments: &mut Vec<Moment>) {
    let mut view = head.clone();
    if let Some(instant) = ended_at(head, object) {
        moments.push(Moment {
            instant,
            object,
            is_end: true,
        });
        view = head.snapshot().view(Some(instant.plus_micros(-1)));
    }
    let created = created_at(head, object);
    loop {
        let instant = updated_at(&view, object).max(created);
        moments.push(Moment {
            instant,
            object,
            is_end: false,
        });
        if instant <= created {
            return;
        }
        view = head.snapshot().view(Some(instant.plus_micros(-1)));
    }
}

fn created_at(view: &View, object: ObjectRef) -> Instant {
    match object {
        ObjectRef::Entity(entity) => view.created_at(entity),
        ObjectRef::Edge(edge) => view.edge_created_at(edge),
    }
}

fn updated_at(view: &View, object: ObjectRef) -> Instant {
    match object {
        ObjectRef::Entity(entity) => view.updated_at(entity),
        ObjectRef::Edge(edge) => view.edge_updated_at(edge),
    }
}

fn ended_at(view: &View, object: ObjectRef) -> Option<Instant> {
    match object {
        ObjectRef::Entity(entity) => view.ended_at(entity),
        ObjectRef::Edge(edge) => view.edge_ended_at(edge),
    }
}
