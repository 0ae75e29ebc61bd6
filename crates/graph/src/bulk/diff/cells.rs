// SPDX-License-Identifier: Apache-2.0
//! Which cells of a column differ between uploaded rows and the graph.

use durward_model::change::ColumnValues;
use durward_model::{Number, Value};

use crate::view::{ColumnView, ValueRef};

/// An uploaded row and the row of the graph that it is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) staged: u32,
    pub(crate) known: u32,
}

/// What an absent uploaded value means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Absent<'n> {
    /// The property goes.
    Removes,
    /// The property stays, unless it was given as null: these rows, ascending.
    Keeps(&'n [u32]),
}

/// The value of an uploaded cell without a copy.
pub(crate) fn staged_ref(values: &ColumnValues, row: usize) -> ValueRef<'_> {
    match values {
        ColumnValues::Bools(values) => match values.get(row) {
            Some(0) => ValueRef::Bool(false),
            Some(1) => ValueRef::Bool(true),
            _ => ValueRef::Null,
        },
        ColumnValues::Ints(values) => values
            .get(row)
            .map_or(ValueRef::Null, |v| ValueRef::Int(*v)),
        ColumnValues::Floats(values) => values
            .get(row)
            .map_or(ValueRef::Null, |v| ValueRef::Float(*v)),
        ColumnValues::Texts(texts) => texts.get(row).map_or(ValueRef::Null, ValueRef::String),
        ColumnValues::Coded { codes, dictionary } => codes
            .get(row)
            .and_then(|code| dictionary.get(*code as usize))
            .map_or(ValueRef::Null, ValueRef::from),
        ColumnValues::Mixed(values) => values.get(row).map_or(ValueRef::Null, ValueRef::from),
    }
}

/// Whether two values are the same; a whole number equals a float of the same size.
fn is_same(staged: ValueRef<'_>, known: ValueRef<'_>) -> bool {
    staged == known
        || match (staged, known) {
            (ValueRef::Int(whole), ValueRef::Float(float))
            | (ValueRef::Float(float), ValueRef::Int(whole)) => {
                let (whole, float) = (Number::Whole(whole), Number::Float(float));
                whole.total_compare(float).is_eq()
            }
            _ => false,
        }
}

/// Positions in `pairs` whose cell differs, and the value that it gets.
pub(crate) fn changed_cells(
    column: &ColumnValues,
    known: Option<&ColumnView>,
    pairs: &[Pair],
    absent: Absent<'_>,
) -> Vec<(usize, Value)> {
    let mut changed = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        let staged = staged_ref(column, pair.staged as usize);
        if staged.is_null()
            && let Absent::Keeps(nulls) = absent
            && nulls.binary_search(&pair.staged).is_err()
        {
            continue;
        }
        let same = match known {
            Some(known) => known.value_ref(pair.known, |known| is_same(staged, known)),
            None => staged.is_null(),
        };
        if !same {
            changed.push((at, staged.to_value()));
        }
    }
    changed
}

/// Positions in `pairs` whose row of the graph has a value, which goes.
pub(crate) fn removed_cells(known: &ColumnView, pairs: &[Pair]) -> Vec<(usize, Value)> {
    let has_value = |pair: &Pair| known.value_ref(pair.known, |value| value != ValueRef::Null);
    let rows = pairs.iter().enumerate().filter(|(_, pair)| has_value(pair));
    rows.map(|(at, _)| (at, Value::Null)).collect()
}
