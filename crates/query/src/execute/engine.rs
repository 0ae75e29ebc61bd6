// SPDX-License-Identifier: Apache-2.0
//! What everything in one run of a query shares: the view, the meter, the caller's condition.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use durward_graph::{EdgeRef, EntityRef, RowSet, TripleMeta, TypeId, View};
use durward_model::Value;

use super::binding::Source;
use super::check::{Check, Subqueries};
use crate::condition::RowCondition;
use crate::error::QueryError;
use crate::limits::Meter;
use crate::plan::{Condition, Plan, Slot};

/// How deep ends that are relationships are followed to see whether they are visible.
const NESTED_ENDS_MAX: u32 = 8;

/// The rows of a type that match texts, for each type and texts searched so far.
type Searched = HashMap<(TypeId, Vec<String>), Rc<RowSet>>;

/// Bytes that a set takes where it is kept until the end of a run.
pub(crate) fn set_bytes(rows: &RowSet) -> usize {
    KEPT_SET_BYTES + rows.heap_bytes()
}

/// Bytes that a kept set takes besides its rows.
const KEPT_SET_BYTES: usize = 96;

/// One run of a query.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) view: View,
    pub(crate) meter: Meter,
    pub(crate) account_id: String,
    pub(crate) triples: Vec<TripleMeta>,
    condition: Option<Check>,
    visible: RefCell<HashMap<TypeId, Rc<RowSet>>>,
    searched: RefCell<Searched>,
    notes: RefCell<Option<Vec<String>>>,
    depth: Cell<u32>,
    pub(crate) include_deleted: bool,
}

/// How deep subqueries may nest.
const SUBQUERY_DEPTH_MAX: u32 = 16;

impl Engine {
    pub(crate) fn new(
        view: &View,
        meter: Meter,
        account_id: &str,
        condition: Option<&RowCondition>,
        include_deleted: bool,
    ) -> Result<Self, QueryError> {
        let check = match condition {
            Some(condition) => Some(Check::new(view, &plain(condition), &NoSubqueries)?),
            None => None,
        };
        Ok(Self {
            view: if include_deleted {
                view.clone().include_deleted()
            } else {
                view.clone()
            },
            meter,
            account_id: account_id.to_owned(),
            triples: view.triples(),
            condition: check,
            visible: RefCell::default(),
            searched: RefCell::default(),
            notes: RefCell::new(None),
            depth: Cell::new(0),
            include_deleted,
        })
    }

    #[inline]
    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            view: &self.view,
            account_id: &self.account_id,
            meter: &self.meter,
        }
    }

    /// All entities of a type that the caller may see.
    pub(crate) fn visible(&self, type_id: TypeId) -> Result<Rc<RowSet>, QueryError> {
        if let Some(rows) = self.visible.borrow().get(&type_id) {
            return Ok(Rc::clone(rows));
        }
        let live = self.view.live_rows(type_id);
        let rows = Rc::new(match &self.condition {
            Some(check) => self.select(check, type_id, &live)?,
            None => live,
        });
        self.meter.bytes(set_bytes(&rows))?;
        self.visible.borrow_mut().insert(type_id, Rc::clone(&rows));
        Ok(rows)
    }

    /// Those of some living rows that the caller may see.
    pub(crate) fn narrow_visible(
        &self,
        type_id: TypeId,
        rows: RowSet,
    ) -> Result<RowSet, QueryError> {
        let Some(check) = &self.condition else {
            return Ok(rows);
        };
        if let Some(visible) = self.visible.borrow().get(&type_id) {
            return Ok(rows.intersect(visible));
        }
        if type_id.is_relationship() {
            let seen = rows.iter().filter(|row| {
                self.is_end_visible(EntityRef { type_id, row: *row }, NESTED_ENDS_MAX)
            });
            return Ok(RowSet::from_sorted(seen.collect(), rows.universe()));
        }
        self.select(check, type_id, &rows)
    }

    /// Whether an end of a relationship is visible: an entity by the condition, a relationship when
    /// both its ends are.
    fn is_end_visible(&self, end: EntityRef, depth: u32) -> bool {
        let Some(number) = end.as_relationship() else {
            return self
                .visible(end.type_id)
                .is_ok_and(|rows| rows.contains(end.row));
        };
        let ends = self
            .view
            .edge_of(number)
            .and_then(|edge| self.view.edge_ends(edge));
        ends.is_some_and(|(from, to)| {
            depth > 0 && self.is_end_visible(from, depth - 1) && self.is_end_visible(to, depth - 1)
        })
    }

    /// Whether the caller may see a relationship: both its ends.
    pub(crate) fn is_edge_visible(&self, edge: EdgeRef) -> bool {
        let ends = self.view.edge_ends(edge);
        ends.is_some_and(|(from, to)| self.is_visible(from) && self.is_visible(to))
    }

    /// Whether the caller may see an entity or a relationship given by id.
    pub(crate) fn is_visible(&self, entity: EntityRef) -> bool {
        self.condition.is_none() || self.is_end_visible(entity, NESTED_ENDS_MAX)
    }

    /// The entities of a type that hold all of some texts; searched once in a run.
    pub(crate) fn searched(
        &self,
        type_id: TypeId,
        texts: &[String],
    ) -> Result<Rc<RowSet>, QueryError> {
        let key = (type_id, texts.to_vec());
        if let Some(rows) = self.searched.borrow().get(&key) {
            return Ok(Rc::clone(rows));
        }
        self.meter.tick(u64::from(self.view.rows(type_id)))?;
        self.meter.check()?;
        let rows = Rc::new(self.view.search_text(type_id, texts));
        self.meter.bytes(set_bytes(&rows))?;
        self.searched.borrow_mut().insert(key, Rc::clone(&rows));
        Ok(rows)
    }

    pub(crate) fn has_condition(&self) -> bool {
        self.condition.is_some()
    }

    /// Starts to collect notes for `EXPLAIN`.
    pub(crate) fn start_notes(&self) {
        *self.notes.borrow_mut() = Some(Vec::new());
    }

    /// Adds a note, if notes are wanted.
    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        if let Some(notes) = self.notes.borrow_mut().as_mut() {
            notes.push(text());
        }
    }

    /// Adds a note that speaks of costs, which count what the caller may not see as well.
    pub(crate) fn note_cost(&self, text: impl FnOnce() -> String) {
        if !self.has_condition() {
            self.note(text);
        }
    }

    pub(crate) fn take_notes(&self) -> Vec<String> {
        self.notes.borrow_mut().take().unwrap_or_default()
    }
}

impl Subqueries for Engine {
    fn column_values(&self, plan: &Plan) -> Result<Vec<Value>, QueryError> {
        if self.depth.get() >= SUBQUERY_DEPTH_MAX {
            return Err(QueryError::invalid("subqueries are nested too deeply"));
        }
        self.depth.set(self.depth.get() + 1);
        let values = super::table::column_values(self, plan);
        self.depth.set(self.depth.get().saturating_sub(1));
        values
    }
}

/// Row conditions have no subqueries.
struct NoSubqueries;

impl Subqueries for NoSubqueries {
    fn column_values(&self, _plan: &Plan) -> Result<Vec<Value>, QueryError> {
        Err(QueryError::unsupported("a query inside a row condition"))
    }
}

fn plain(condition: &RowCondition) -> Condition {
    let lists = condition.any_of.iter().map(|list| {
        let equal = list.equal.iter();
        Condition::All(
            equal
                .map(|(name, value)| Condition::equals(Slot(0), name, value.clone()))
                .collect(),
        )
    });
    Condition::Any(lists.collect())
}
