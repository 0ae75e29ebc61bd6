// SPDX-License-Identifier: Apache-2.0
//! Sorting: rows by their keys, absent values last either way, ties by id.

use std::cmp::Ordering;

use durward_model::Value;

use super::binding::Binding;
use super::engine::Engine;
use crate::error::QueryError;
use crate::limits::{held_by_all, held_bytes};

/// Room for how many rows one takes: its own, and what growing and sorting the list need.
const PLACES_OF_ROW: usize = 2;
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

/// What a row holds besides its keys and ties.
pub(crate) trait Payload {
    /// Bytes that it takes beside its own place.
    fn heap_bytes(&self) -> usize;
}

impl Payload for Binding {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Payload for Value {
    fn heap_bytes(&self) -> usize {
        held_bytes(self)
    }
}

impl Payload for Vec<u8> {
    fn heap_bytes(&self) -> usize {
        self.capacity()
    }
}

impl Payload for (Vec<Binding>, Vec<Value>) {
    fn heap_bytes(&self) -> usize {
        self.0.len() * size_of::<Binding>() + held_by_all(&self.1)
    }
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
    /// What was counted for it.
    bytes: usize,
    payload: T,
}

impl<T: Payload> SortedRows<T> {
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
        engine.meter.tick(1)?;
        let serial = self.rows.last().map_or(0, |row| row.serial + 1);
        let inside = held_by_all(&keys) + size_of_val(ties.as_slice()) + payload.heap_bytes();
        let bytes = PLACES_OF_ROW * size_of::<SortedRow<T>>() + inside;
        engine.meter.bytes(bytes)?;
        self.rows.push(SortedRow {
            keys,
            ties,
            serial,
            bytes,
            payload,
        });
        if self.rows.len() > self.wanted.saturating_mul(2).saturating_add(SLACK_ROWS) {
            self.sort();
            let dropped = self.rows.get(self.wanted..).unwrap_or_default();
            engine
                .meter
                .release(dropped.iter().map(|row| row.bytes).sum());
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
