// SPDX-License-Identifier: Apache-2.0
//! Which entities fit a place in a path, as sets that are made when they are needed.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use durward_graph::{ClassCover, EntityRef, ObjectRef, RowSet, TripleId, TypeId};

use super::check::Check;
use super::engine::{Engine, set_bytes};
use crate::error::QueryError;
use crate::plan::{NodePattern, Slot, Source};

/// Compiled form of a [`NodePattern`].
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) slot: Slot,
    covers: BTreeMap<TypeId, Cover>,
    check: Option<Check>,
    full: RefCell<HashMap<TypeId, Rc<RowSet>>>,
}

/// Bytes that the cover of one type takes besides its rows.
const KEPT_COVER_BYTES: usize = 96;

/// Which rows of a type a source gives.
#[derive(Clone, Debug)]
enum Cover {
    All,
    Some(RowSet),
}

impl Gate {
    pub(crate) fn new(engine: &Engine, pattern: &NodePattern) -> Result<Self, QueryError> {
        let mut covers = BTreeMap::new();
        for source in &pattern.sources {
            engine.meter.tick(1)?;
            add_source(engine, source, &mut covers)?;
        }
        let cover_bytes = |cover: &Cover| match cover {
            Cover::All => KEPT_COVER_BYTES,
            Cover::Some(rows) => KEPT_COVER_BYTES + rows.heap_bytes(),
        };
        engine.meter.bytes(covers.values().map(cover_bytes).sum())?;
        let check = match &pattern.filter {
            Some(filter) => Some(Check::new(&engine.view, filter, engine)?),
            None => None,
        };
        Ok(Self {
            slot: pattern.slot,
            covers,
            check,
            full: RefCell::default(),
        })
    }

    /// A gate that lets every visible entity through.
    pub(crate) fn open(slot: Slot, types: impl Iterator<Item = TypeId>) -> Self {
        let covers = types.map(|type_id| (type_id, Cover::All)).collect();
        Self {
            slot,
            covers,
            check: None,
            full: RefCell::default(),
        }
    }

    pub(crate) fn types(&self) -> impl Iterator<Item = TypeId> {
        self.covers.keys().copied()
    }

    pub(crate) fn has_type(&self, type_id: TypeId) -> bool {
        self.covers.contains_key(&type_id)
    }

    /// Whether it lets through every living entity of the type.
    pub(crate) fn is_open(&self, engine: &Engine, type_id: TypeId) -> bool {
        self.check.is_none()
            && !engine.has_condition()
            && matches!(self.covers.get(&type_id), Some(Cover::All))
    }

    /// Those of some living rows that fit.
    pub(crate) fn narrow(
        &self,
        engine: &Engine,
        type_id: TypeId,
        rows: RowSet,
    ) -> Result<RowSet, QueryError> {
        if let Some(full) = self.full.borrow().get(&type_id) {
            return Ok(rows.intersect(full));
        }
        let rows = match self.covers.get(&type_id) {
            None => return Ok(RowSet::empty(rows.universe())),
            Some(Cover::All) => rows,
            Some(Cover::Some(some)) => rows.intersect(some),
        };
        let rows = engine.narrow_visible(type_id, rows)?;
        match &self.check {
            Some(check) => engine.select(check, type_id, &rows),
            None => Ok(rows),
        }
    }

    /// All rows of a type that fit.
    pub(crate) fn full(&self, engine: &Engine, type_id: TypeId) -> Result<Rc<RowSet>, QueryError> {
        if let Some(rows) = self.full.borrow().get(&type_id) {
            return Ok(Rc::clone(rows));
        }
        let rows = match self.covers.get(&type_id) {
            None => RowSet::empty(engine.view.rows(type_id)),
            Some(Cover::Some(some)) => {
                let living = some.intersect(&engine.view.live_rows(type_id));
                self.narrow(engine, type_id, living)?
            }
            Some(Cover::All) => {
                let visible = engine.visible(type_id)?;
                match &self.check {
                    Some(check) => engine.select(check, type_id, &visible)?,
                    None => RowSet::clone(&visible),
                }
            }
        };
        engine.meter.bytes(set_bytes(&rows))?;
        let rows = Rc::new(rows);
        self.full.borrow_mut().insert(type_id, Rc::clone(&rows));
        Ok(rows)
    }

    /// How many rows of a type fit at most, without working it out.
    pub(crate) fn at_most(&self, engine: &Engine, type_id: TypeId) -> u64 {
        if let Some(rows) = self.full.borrow().get(&type_id) {
            return rows.len() as u64;
        }
        match self.covers.get(&type_id) {
            None => 0,
            Some(Cover::Some(some)) => some.len() as u64,
            Some(Cover::All) => engine.view.live_count(type_id),
        }
    }

    /// Whether one living entity fits.
    pub(crate) fn admits(&self, engine: &Engine, entity: EntityRef) -> Result<bool, QueryError> {
        if !self.has_type(entity.type_id) {
            return Ok(false);
        }
        if self.is_open(engine, entity.type_id) {
            return Ok(true);
        }
        Ok(self.full(engine, entity.type_id)?.contains(entity.row))
    }
}

fn add_source(
    engine: &Engine,
    source: &Source,
    covers: &mut BTreeMap<TypeId, Cover>,
) -> Result<(), QueryError> {
    let view = &engine.view;
    match source {
        Source::Any => {
            for type_id in view.types() {
                covers.insert(type_id, Cover::All);
            }
        }
        Source::Type(name) => {
            if let Some(type_id) = view.type_id(name) {
                covers.insert(type_id, Cover::All);
            }
        }
        Source::Class(name) => {
            let types = view
                .class_id(name)
                .map(|class| view.types_with_class(class));
            for (type_id, cover) in types.unwrap_or_default() {
                match cover {
                    ClassCover::All => {
                        covers.insert(type_id, Cover::All);
                    }
                    ClassCover::Some(rows) => add_rows(covers, type_id, rows),
                }
            }
        }
        Source::Text(words) => {
            for type_id in view.types() {
                engine.meter.check()?;
                add_rows(covers, type_id, view.search_text(type_id, words));
            }
        }
        Source::Ids(ids) => {
            for object in ids.iter().filter_map(|id| view.resolve(*id)) {
                add_entity(
                    engine,
                    covers,
                    match object {
                        ObjectRef::Entity(entity) => entity,
                        ObjectRef::Edge(edge) => EntityRef::relationship(view.edge_number(edge)),
                    },
                );
            }
        }
        Source::Key {
            namespace: Some(namespace),
            key,
        } => {
            if let Some(entity) = view.find_by_key(namespace, key) {
                add_entity(engine, covers, entity);
            }
        }
        Source::Key {
            namespace: None,
            key,
        } => {
            let found = view.find_by_key_any_namespace(key);
            for entity in found {
                add_entity(engine, covers, entity);
            }
        }
    }
    Ok(())
}

fn add_entity(engine: &Engine, covers: &mut BTreeMap<TypeId, Cover>, entity: EntityRef) {
    let universe = if entity.type_id.is_relationship() {
        u32::MAX
    } else {
        engine.view.rows(entity.type_id)
    };
    add_rows(
        covers,
        entity.type_id,
        RowSet::from_sorted(vec![entity.row], universe),
    );
}

fn add_rows(covers: &mut BTreeMap<TypeId, Cover>, type_id: TypeId, rows: RowSet) {
    if rows.is_empty() {
        return;
    }
    let merged = match covers.get(&type_id) {
        Some(Cover::All) => return,
        Some(Cover::Some(present)) => present.union(&rows),
        None => rows,
    };
    covers.insert(type_id, Cover::Some(merged));
}

/// Which relationships fit a step besides their verb.
#[derive(Debug)]
pub(crate) struct EdgeGate {
    check: Check,
    full: RefCell<HashMap<TripleId, Rc<RowSet>>>,
}

impl EdgeGate {
    pub(crate) fn new(check: Check) -> Self {
        Self {
            check,
            full: RefCell::default(),
        }
    }

    /// The edge rows of a triple that fit.
    pub(crate) fn full(&self, engine: &Engine, triple: TripleId) -> Result<Rc<RowSet>, QueryError> {
        if let Some(rows) = self.full.borrow().get(&triple) {
            return Ok(Rc::clone(rows));
        }
        let live = engine.view.live_edge_rows(triple);
        let rows = Rc::new(engine.select_edges(&self.check, triple, &live)?);
        engine.meter.bytes(set_bytes(&rows))?;
        self.full.borrow_mut().insert(triple, Rc::clone(&rows));
        Ok(rows)
    }
}
