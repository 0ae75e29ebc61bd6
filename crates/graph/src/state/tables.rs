// SPDX-License-Identifier: Apache-2.0
//! Everything about one entity type, and about one triple.

use std::sync::Arc;

use parking_lot::Mutex;

use super::chunked::Chunked;
use super::codes::CodeColumn;
use super::column::Column;
use super::edges::Edges;
use super::key_arena::KeyArena;
use super::records::Records;
use super::timeline::Tick;
use crate::ids::ClassId;
use crate::rowset::RowSet;
use crate::view::TripleMeta;

/// A class set that a row had before a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassUndo {
    pub(crate) row: u32,
    pub(crate) tick: Tick,
    pub(crate) old: u32,
}

type CoverCache = Mutex<Vec<(ClassId, CodeColumn, u32, RowSet)>>;

/// All entities of one type.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypeTable {
    pub(crate) records: Records,
    pub(crate) keys: KeyArena,
    /// Number of each row's class set.
    pub(crate) classes: CodeColumn,
    pub(crate) class_undo: Chunked<ClassUndo>,
    /// Rows by class, worked out for one version of `classes` and one number of rows.
    pub(crate) cover_cache: Arc<CoverCache>,
}

impl TypeTable {
    /// Class sets as they were at a tick.
    pub(crate) fn classes_at(&self, at: Option<Tick>) -> CodeColumn {
        let mut classes = self.classes.clone();
        let Some(tick) = at else { return classes };
        let from = self.class_undo.partition_point(|undo| undo.tick <= tick);
        for position in (from..self.class_undo.len()).rev() {
            if let Some(undo) = self.class_undo.get(position) {
                classes.set(undo.row, undo.old);
            }
        }
        classes
    }

    /// The class set of one row at a tick.
    pub(crate) fn class_set(&self, row: u32, at: Option<Tick>) -> u32 {
        let Some(tick) = at else {
            return self.classes.get(row);
        };
        let from = self.class_undo.partition_point(|undo| undo.tick <= tick);
        let later = (from..self.class_undo.len()).filter_map(|at| self.class_undo.get(at));
        let first = later.into_iter().find(|undo| undo.row == row);
        first.map_or_else(|| self.classes.get(row), |undo| undo.old)
    }

    pub(crate) fn set_classes(&mut self, row: u32, set: u32, tick: Tick) {
        let old = self.classes.get(row);
        if old != set {
            self.class_undo.push(ClassUndo { row, tick, old });
            self.classes.set(row, set);
        }
    }
}

/// All relationships of one triple.
#[derive(Clone, Debug)]
pub(crate) struct TripleTable {
    pub(crate) meta: TripleMeta,
    pub(crate) records: Records,
    pub(crate) edges: Edges,
    /// Number of each edge row's relationship type.
    pub(crate) types: CodeColumn,
    /// Keys that are not conventional, by edge row.
    pub(crate) keys: Option<Arc<Column>>,
}
