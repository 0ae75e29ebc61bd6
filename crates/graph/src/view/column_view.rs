// SPDX-License-Identifier: Apache-2.0
//! One property of one type at one instant.

use std::sync::Arc;

use durward_model::Value;

use super::value_ref::ValueRef;
use crate::state::codes::{CHUNK_ROWS, CHUNK_SHIFT};
use crate::state::column::{Chunks, Column};
use crate::state::column_cache::ColumnCache;
use crate::state::dictionary::Dictionary;
use crate::state::timeline::Tick;

/// The values of one property, row by row, at the instant of the view it came from.
#[derive(Clone, Debug)]
pub struct ColumnView {
    pub(crate) chunks: Chunks,
    pub(crate) dictionary: Dictionary,
    pub(crate) cache: Arc<ColumnCache>,
    pub(crate) rows: u32,
}

impl ColumnView {
    /// The column with `rows` rows, at a past tick or now. A draft neither uses nor fills caches of
    /// past states.
    pub(crate) fn new(column: &Column, rows: u32, at: Option<Tick>, is_draft: bool) -> Self {
        let chunks = match at {
            None => Arc::clone(column.chunks()),
            Some(tick) if is_draft => column.chunks_at(tick),
            Some(tick) => column.cache().chunks_at(column, tick),
        };
        Self {
            chunks,
            dictionary: column.dictionary().clone(),
            cache: Arc::clone(column.cache()),
            rows,
        }
    }

    /// How many rows the type or triple had at the instant.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// The value of a row.
    pub fn get(&self, row: u32) -> Value {
        self.at(row).to_value()
    }

    /// The value of a row, borrowed.
    #[inline]
    pub fn at(&self, row: u32) -> ValueRef<'_> {
        match self.chunks.get((row >> CHUNK_SHIFT) as usize) {
            Some(chunk) => chunk.at(row as usize & (CHUNK_ROWS - 1), &self.dictionary),
            None => ValueRef::Null,
        }
    }

    /// Calls `read` with the value of a row.
    #[inline]
    pub fn value_ref<R>(&self, row: u32, read: impl FnOnce(ValueRef<'_>) -> R) -> R {
        read(self.at(row))
    }
}
