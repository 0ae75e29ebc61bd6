// SPDX-License-Identifier: Apache-2.0
//! Sorting: rows by their keys, absent values last either way, ties by id.

use std::cmp::Ordering;

use durward_model::Value;

use super::engine::Engine;
use crate::error::QueryError;

/// Bytes that one row takes besides its values.
const ROW_BYTES: usize = 96;
/// Below this many rows nothing is thrown away.
const SLACK_ROWS: usize = 1024;

/// Orders keys of two rows.
pub(crate) fn compare_keys(left: &[Value], right: &[Value], descending: &[bool]) -> Ordering {
    for ((one, two), descending) in left.iter().zip(right).zip(descending) {
        let order = match (one.is_null(), two.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if *descending => two.total_cmp(one),
            (false, false) => one.total_cmp(two),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// The first rows of an order. Keeps at most about twice as many rows as are wanted.
#[derive(Debug)]
pub(crate) struct SortedRows<T> {
    rows: Vec<SortedRow<T>>,
    descending: Vec<bool>,
    wanted: usize,
}

#[derive(Debug)]
struct SortedRow<T> {
    keys: Vec<Value>,
    ties: Vec<u64>,
    serial: u64,
    payload: T,
}

impl<T> SortedRows<T> {
    pub(crate) fn new(descending: Vec<bool>, wanted: usize) -> Self {
        Self {
            rows: Vec::new(),
            descending,
            wanted,
        }
    }

    /// Adds a row. Rows with equal keys and ties stay in the order in which they came.
    pub(crate) fn push(
        &mut self,
        engine: &Engine,
        keys: Vec<Value>,
        ties: Vec<u64>,
        payload: T,
    ) -> Result<(), QueryError> {
        let serial = self.rows.last().map_or(0, |row| row.serial + 1);
        if self.rows.len() < self.wanted.saturating_mul(2).saturating_add(SLACK_ROWS) {
            let bytes: usize = keys.iter().map(Value::byte_size).sum();
            engine.meter.bytes(ROW_BYTES + ties.len() * 8 + bytes)?;
        }
        self.rows.push(SortedRow {
            keys,
            ties,
            serial,
            payload,
        });
        if self.rows.len() > self.wanted.saturating_mul(2).saturating_add(SLACK_ROWS) {
            self.sort();
            self.rows.truncate(self.wanted);
        }
        Ok(())
    }

    fn sort(&mut self) {
        let descending = &self.descending;
        self.rows.sort_by(|left, right| {
            compare_keys(&left.keys, &right.keys, descending)
                .then_with(|| left.ties.cmp(&right.ties))
                .then_with(|| left.serial.cmp(&right.serial))
        });
        // Rows that come later must rank behind those kept so far.
        for (serial, row) in self.rows.iter_mut().enumerate() {
            row.serial = serial as u64;
        }
    }

    /// The wanted rows in order.
    pub(crate) fn finish(mut self) -> Vec<T> {
        self.sort();
        self.rows.truncate(self.wanted);
        self.rows.into_iter().map(|row| row.payload).collect()
    }
}
