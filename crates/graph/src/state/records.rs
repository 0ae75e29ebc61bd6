// SPDX-License-Identifier: Apache-2.0
//! What entities of one type and relationships of one triple have in common: lifetimes, changes,
//! namespaces and properties, by row.

use std::sync::Arc;

use durward_model::Value;
use durward_model::change::{Cell, Column as BatchColumn, PatchColumn};

use super::chunked::Chunked;
use super::codes::CodeColumn;
use super::column::Column;
use super::extents::Extents;
use super::sparse::SparseMap;
use super::timeline::Tick;
use crate::ids::PropertyId;
use crate::rowset::RowSet;

/// A change of a row, and where the change before it is noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowChange {
    pub(crate) row: u32,
    pub(crate) tick: Tick,
    /// Position of the change before, plus one; 0 if there is none.
    before: u32,
    /// Version of the row from this change on.
    version: u32,
}

/// Rows of one type or triple.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub(crate) extents: Extents,
    /// Row to the tick at which it ended.
    pub(crate) ended: SparseMap,
    changes: Chunked<RowChange>,
    /// Row to the position of its last change, plus one.
    last_change: SparseMap,
    pub(crate) namespaces: CodeColumn,
    /// Ascending by property.
    columns: Vec<(PropertyId, Arc<Column>)>,
}

impl Records {
    pub(crate) fn rows(&self) -> u32 {
        self.extents.rows()
    }

    /// Whether a row lives at a tick; `None` is the head.
    #[inline]
    pub(crate) fn is_live(&self, row: u32, at: Option<Tick>) -> bool {
        match at {
            None => row < self.rows() && !self.ended.contains(row),
            Some(tick) => {
                row < self.extents.limit(tick)
                    && self.ended.get(row).is_none_or(|ended| Tick(ended) > tick)
            }
        }
    }

    pub(crate) fn limit(&self, at: Option<Tick>) -> u32 {
        at.map_or(self.rows(), |tick| self.extents.limit(tick))
    }

    pub(crate) fn live_rows(&self, at: Option<Tick>) -> RowSet {
        let limit = self.limit(at);
        if self.ended.is_empty() {
            return RowSet::full(limit);
        }
        let mut words = RowSet::full(limit).to_words();
        self.ended.clear_bits(&mut words, |ended| {
            at.is_none_or(|tick| Tick(ended) <= tick)
        });
        let set = RowSet::from_words(words, limit);
        if set.is_full() {
            RowSet::full(limit)
        } else {
            set
        }
    }

    pub(crate) fn live_count(&self, at: Option<Tick>) -> u64 {
        match at {
            None => u64::from(self.rows() - self.ended.len()),
            Some(_) => self.live_rows(at).len() as u64,
        }
    }

    pub(crate) fn ended_at(&self, row: u32) -> Option<Tick> {
        self.ended.get(row).map(Tick)
    }

    /// Notes that a row changed; several changes at one tick count once.
    pub(crate) fn note_change(&mut self, row: u32, tick: Tick) {
        let before = self.last_change.get(row).unwrap_or(0);
        let last = (before as usize)
            .checked_sub(1)
            .and_then(|last| self.changes.get(last));
        if last.is_some_and(|last| last.tick == tick) {
            return;
        }
        let created_now = self
            .extents
            .of_row(row)
            .is_some_and(|extent| extent.tick == tick);
        if created_now {
            return;
        }
        let version = last.map_or(1, |last| last.version) + 1;
        let position = self.changes.push(RowChange {
            row,
            tick,
            before,
            version,
        });
        self.last_change.insert(row, position + 1);
    }

    /// Version of a row and the tick of its last change up to a tick.
    pub(crate) fn version(&self, row: u32, at: Option<Tick>) -> (u32, Option<Tick>) {
        let mut position = self.last_change.get(row).unwrap_or(0);
        while let Some(change) = (position as usize)
            .checked_sub(1)
            .and_then(|last| self.changes.get(last))
        {
            if at.is_none_or(|tick| change.tick <= tick) {
                return (change.version, Some(change.tick));
            }
            position = change.before;
        }
        (1, None)
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = &RowChange> {
        self.changes.iter()
    }

    pub(crate) fn column(&self, property: PropertyId) -> Option<&Arc<Column>> {
        let position = self
            .columns
            .binary_search_by_key(&property, |(id, _)| *id)
            .ok()?;
        self.columns.get(position).map(|(_, column)| column)
    }

    pub(crate) fn columns(&self) -> &[(PropertyId, Arc<Column>)] {
        &self.columns
    }

    /// The column of a property, made if there is none.
    pub(crate) fn column_mut(
        &mut self,
        property: PropertyId,
        make: impl FnOnce() -> Column,
    ) -> &mut Arc<Column> {
        let position = match self.columns.binary_search_by_key(&property, |(id, _)| *id) {
            Ok(position) => position,
            Err(position) => {
                self.columns.insert(position, (property, Arc::new(make())));
                position
            }
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "the position was found or made above"
        )]
        &mut self.columns[position].1
    }

    /// The columns of these properties, to be filled on several threads. The properties must be
    /// ascending and every column must be there.
    pub(crate) fn columns_mut(&mut self, wanted: &[PropertyId]) -> Vec<&mut Arc<Column>> {
        let chosen = |(id, _): &&mut (PropertyId, Arc<Column>)| wanted.binary_search(id).is_ok();
        self.columns
            .iter_mut()
            .filter(chosen)
            .map(|(_, column)| column)
            .collect()
    }

    /// Bytes of columns, of history, and of the rest.
    pub(crate) fn bytes(&self) -> (usize, usize, usize) {
        let mut sums = (0, 0, 0);
        for (_, column) in &self.columns {
            let (values, history) = column.bytes();
            sums.0 += values;
            sums.1 += history;
        }
        sums.1 += self.ended.bytes() + self.changes.bytes() + self.last_change.bytes();
        sums.2 += self.extents.bytes() + self.namespaces.bytes();
        sums
    }
}

/// Changes of one property by row, ascending.
pub(crate) fn cells_by_row<'c>(rows: &[u32], patch: &'c PatchColumn) -> Vec<(u32, &'c Value)> {
    let cells = rows.iter().zip(&patch.cells);
    cells
        .filter_map(|(row, cell)| match cell {
            Cell::Keep => None,
            Cell::Set(value) => Some((*row, value)),
        })
        .collect()
}

/// Whether all columns of a batch have as many rows as the batch.
pub(crate) fn columns_fit(columns: &[BatchColumn], len: usize) -> bool {
    columns.iter().all(|column| column.values.len() == len)
}
