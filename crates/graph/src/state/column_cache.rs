// SPDX-License-Identifier: Apache-2.0
//! What readers worked out about a column and keep for the next reader. All versions of a column
//! share one cache; every entry says for which chunks it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::column::{Chunks, Column};
use super::timeline::Tick;
use super::undo_index::UndoIndex;
use super::value_index::ValueIndex;
use crate::view::ValueRef;

/// How many past states of one column are kept.
const PAST_MAX: usize = 4;

/// Codes of all rows of a column, worked out for these chunks.
#[derive(Clone, Debug)]
pub(crate) struct BuiltCodes {
    pub(crate) chunks: Chunks,
    pub(crate) codes: Arc<Vec<u32>>,
    /// A row that has each code.
    pub(crate) rows: Arc<Vec<u32>>,
}

#[derive(Debug, Default)]
pub(crate) struct ColumnCache {
    past: Mutex<Vec<(Tick, Chunks)>>,
    undo: Mutex<UndoIndex>,
    pub(crate) index: Mutex<Option<Arc<ValueIndex>>>,
    pub(crate) codes: Mutex<Option<BuiltCodes>>,
    scanned_rows: AtomicU64,
}

impl ColumnCache {
    /// The chunks of a column at a tick, from the cache if they are there.
    pub(crate) fn chunks_at(&self, column: &Column, tick: Tick) -> Chunks {
        if let Some((_, chunks)) = self.past.lock().iter().find(|(when, _)| *when == tick) {
            return Arc::clone(chunks);
        }
        let chunks = column.chunks_at(tick);
        if !Arc::ptr_eq(&chunks, column.chunks()) {
            let mut past = self.past.lock();
            if past.len() >= PAST_MAX {
                past.remove(0);
            }
            past.push((tick, Arc::clone(&chunks)));
        }
        chunks
    }

    /// One value of a published column at a tick.
    pub(crate) fn read_at<'c>(&self, column: &'c Column, row: u32, tick: Tick) -> ValueRef<'c> {
        let undo = column.undo_log();
        let from = undo.partition_point(|entry| entry.tick <= tick);
        let row_at = |position| undo.get(position).map(|entry| entry.row);
        let first = self.undo.lock().first(row, from, undo.len(), row_at);
        let first = first.and_then(|position| undo.get(position));
        first.map_or_else(|| column.at(row), |entry| column.old_value(entry))
    }

    /// Notes that an equality query looked at `rows` rows one by one, and returns how many that
    /// makes since the last index was built.
    pub(crate) fn note_scan(&self, rows: u64) -> u64 {
        self.scanned_rows.fetch_add(rows, Ordering::Relaxed) + rows
    }

    pub(crate) fn forget_scans(&self) {
        self.scanned_rows.store(0, Ordering::Relaxed);
    }
}
