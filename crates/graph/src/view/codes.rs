// SPDX-License-Identifier: Apache-2.0
//! Group codes: a small number for each distinct value of a column.

use std::sync::Arc;

use durward_model::Value;
use hashbrown::HashTable;

use super::column_view::ColumnView;
use super::value_ref::ValueRef;
use crate::state::chunk::Chunk;
use crate::state::column_cache::BuiltCodes;
use crate::state::value_hash::{hash_value, mix, same_value};

/// A dense code for each row: equal values have equal codes. Code 0 is the null.
#[derive(Clone, Debug)]
pub struct ColumnCodes {
    view: ColumnView,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Codes of the dictionary as they are.
    Plain,
    /// Codes of the dictionary by way of this table, because some of its values are equal.
    United(Arc<Vec<u32>>),
    /// A code for each row, and a row for each code.
    Built {
        codes: Arc<Vec<u32>>,
        rows: Arc<Vec<u32>>,
    },
}

/// A number as all kinds of numbers compare: milliseconds for instants, with their fraction, so
/// that instants of one millisecond stay apart.
fn magnitude(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Instant(instant) => Some(instant.as_micros() as f64 / 1000.0),
        other => other.as_number(),
    }
}

/// A hash by which equal values group together: numbers and instants by magnitude.
fn group_hash(value: ValueRef<'_>, seed: u64) -> u64 {
    match magnitude(value) {
        // Adding zero makes one of the two zeros.
        Some(number) => mix(seed ^ (number + 0.0).to_bits()),
        None => hash_value(value, seed),
    }
}

#[expect(
    clippy::float_cmp,
    reason = "values group when they are equal, not when they are close"
)]
fn groups_with(left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::Int(one), ValueRef::Int(two)) => one == two,
        (ValueRef::Instant(one), ValueRef::Instant(two)) => one == two,
        (ValueRef::Int(_), ValueRef::Float(_)) | (ValueRef::Float(_), ValueRef::Int(_)) => {
            let both = left.number().zip(right.number());
            both.is_some_and(|(one, two)| one.compare(two).is_eq())
        }
        _ => match (magnitude(left), magnitude(right)) {
            (Some(one), Some(two)) => one == two,
            _ => same_value(left, right),
        },
    }
}

impl ColumnView {
    /// Codes of all rows, if the column keeps a dictionary anyway (cheap).
    pub fn codes(&self) -> Option<ColumnCodes> {
        let coded = |chunk: &Arc<Chunk>| matches!(&**chunk, Chunk::Codes(_) | Chunk::Bools(_));
        if !self.chunks.iter().all(coded) {
            return None;
        }
        let kind = if self.dictionary.mixes_numbers() {
            self.united()
        } else {
            Kind::Plain
        };
        Some(ColumnCodes {
            view: self.clone(),
            kind,
        })
    }

    fn united(&self) -> Kind {
        let (dictionary, seed) = (&self.dictionary, self.dictionary.seed());
        let mut first: HashTable<u32> = HashTable::new();
        let unite = |code: u32| {
            let value = dictionary.get(code);
            let hash = group_hash(value, seed);
            let same = |other: &u32| groups_with(dictionary.get(*other), value);
            let rehash = |other: &u32| group_hash(dictionary.get(*other), seed);
            *first.entry(hash, same, rehash).or_insert(code).get()
        };
        Kind::United(Arc::new((0..dictionary.len()).map(unite).collect()))
    }

    /// Codes of all rows, made by hashing every value if need be and kept for the next time.
    pub fn codes_or_build(&self) -> ColumnCodes {
        if let Some(codes) = self.codes() {
            return codes;
        }
        let mut kept = self.cache.codes.lock();
        let kind = match &*kept {
            Some(built)
                if Arc::ptr_eq(&built.chunks, &self.chunks)
                    && built.codes.len() >= self.rows as usize =>
            {
                Kind::Built {
                    codes: Arc::clone(&built.codes),
                    rows: Arc::clone(&built.rows),
                }
            }
            _ => {
                let (codes, rows) = self.build_codes();
                let (codes, rows) = (Arc::new(codes), Arc::new(rows));
                *kept = Some(BuiltCodes {
                    chunks: Arc::clone(&self.chunks),
                    codes: Arc::clone(&codes),
                    rows: Arc::clone(&rows),
                });
                Kind::Built { codes, rows }
            }
        };
        drop(kept);
        ColumnCodes {
            view: self.clone(),
            kind,
        }
    }

    fn build_codes(&self) -> (Vec<u32>, Vec<u32>) {
        let seed = self.dictionary.seed();
        let mut table: HashTable<u32> = HashTable::new();
        // Code 0 is the null and has no row.
        let mut first_rows = vec![u32::MAX];
        let mut codes = Vec::with_capacity(self.rows as usize);
        for row in 0..self.rows {
            let value = self.at(row);
            if value.is_null() {
                codes.push(0);
                continue;
            }
            let of = |code: &u32| {
                first_rows
                    .get(*code as usize)
                    .map_or(ValueRef::Null, |row| self.at(*row))
            };
            let hash = group_hash(value, seed);
            let found = table
                .find(hash, |code| groups_with(of(code), value))
                .copied();
            let code = found.unwrap_or(first_rows.len() as u32);
            if found.is_none() {
                table.insert_unique(hash, code, |code| group_hash(of(code), seed));
                first_rows.push(row);
            }
            codes.push(code);
        }
        (codes, first_rows)
    }
}

impl ColumnCodes {
    /// The code of a row.
    #[inline]
    pub fn code(&self, row: u32) -> u32 {
        match &self.kind {
            Kind::Plain => self.view.code(row).unwrap_or(0),
            Kind::United(table) => {
                let code = self.view.code(row).unwrap_or(0);
                table.get(code as usize).copied().unwrap_or(code)
            }
            Kind::Built { codes, .. } => codes.get(row as usize).copied().unwrap_or(0),
        }
    }

    /// One more than the largest code.
    pub fn len(&self) -> usize {
        match &self.kind {
            Kind::Plain | Kind::United(_) => self.view.dictionary.len() as usize,
            Kind::Built { rows, .. } => rows.len(),
        }
    }

    /// Whether there is no code at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a code.
    pub fn value(&self, code: u32) -> Value {
        self.value_ref(code).to_value()
    }

    /// The value of a code, borrowed.
    pub fn value_ref(&self, code: u32) -> ValueRef<'_> {
        match &self.kind {
            Kind::Plain | Kind::United(_) => self.view.dictionary.get(code),
            Kind::Built { rows, .. } => rows
                .get(code as usize)
                .map_or(ValueRef::Null, |row| self.view.at(*row)),
        }
    }
}
