// SPDX-License-Identifier: Apache-2.0
//! Running aggregates of one group.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::rc::Rc;

use durward_graph::ValueRef;
use durward_model::Value;

use super::super::binding::Binding;
use super::super::compare::write_canonical;
use super::super::engine::Engine;
use super::super::formula::{Formula, Row};
use crate::error::QueryError;
use crate::limits::held_bytes;
use crate::plan::{Aggregate, AggregateFunction, Expression, Slot};

/// Bytes that one member of a distinct set takes, with the room that a growing set has ahead.
const MEMBER_BYTES: usize = 96;

/// One aggregate of one group.
#[derive(Clone, Debug)]
pub(crate) enum Accumulator {
    /// Counts rows.
    Rows(u64),
    /// Counts distinct objects of a slot.
    Objects { slot: Slot, seen: HashSet<Binding> },
    /// Counts distinct objects that are known to come once.
    Counted(u64),
    /// Counts distinct values.
    Values {
        formula: Rc<Formula>,
        seen: HashSet<Vec<u8>>,
    },
    /// Keeps the smallest or the largest value.
    Extreme {
        formula: Rc<Formula>,
        wanted: Ordering,
        best: Value,
    },
    /// Sums numbers, each combination of objects once.
    Sum {
        formula: Rc<Formula>,
        /// By which slots rows are told apart; `None` when each row comes once anyway.
        slots: Option<Vec<Slot>>,
        seen: HashSet<Vec<u8>>,
        sum: Total,
        mean: bool,
    },
}

/// A sum that stays whole as long as only whole numbers are added.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Total {
    whole: i128,
    fraction: f64,
    has_fraction: bool,
    count: u64,
}

impl Total {
    pub(crate) fn add(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Int(number) => self.whole += i128::from(number),
            ValueRef::Instant(instant) => self.whole += i128::from(instant.as_millis()),
            ValueRef::Float(number) => {
                self.fraction += number;
                self.has_fraction = true;
            }
            _ => return,
        }
        self.count += 1;
    }

    fn sum(self) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        match i64::try_from(self.whole) {
            Ok(whole) if !self.has_fraction => Value::Int(whole),
            _ => Value::Float(self.whole as f64 + self.fraction),
        }
    }

    fn mean(self) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        Value::Float((self.whole as f64 + self.fraction) / self.count as f64)
    }
}

impl Accumulator {
    pub(crate) fn new(engine: &Engine, aggregate: &Aggregate) -> Self {
        let Some(argument) = &aggregate.argument else {
            return Self::Rows(0);
        };
        let formula = || Rc::new(Formula::new(&engine.view, argument));
        match (aggregate.function, argument) {
            (AggregateFunction::Count, Expression::Object(slot)) => Self::Objects {
                slot: *slot,
                seen: HashSet::new(),
            },
            (AggregateFunction::Count, _) => Self::Values {
                formula: formula(),
                seen: HashSet::new(),
            },
            (AggregateFunction::Min, _) => Self::Extreme {
                formula: formula(),
                wanted: Ordering::Less,
                best: Value::Null,
            },
            (AggregateFunction::Max, _) => Self::Extreme {
                formula: formula(),
                wanted: Ordering::Greater,
                best: Value::Null,
            },
            (function, _) => Self::Sum {
                formula: formula(),
                slots: Some(argument.slots()),
                seen: HashSet::new(),
                sum: Total::default(),
                mean: function == AggregateFunction::Avg,
            },
        }
    }

    /// One that gets every object of its one slot once.
    pub(crate) fn of_distinct_rows(engine: &Engine, aggregate: &Aggregate) -> Self {
        match Self::new(engine, aggregate) {
            Self::Objects { .. } => Self::Counted(0),
            Self::Sum {
                formula,
                seen,
                sum,
                mean,
                ..
            } => Self::Sum {
                formula,
                slots: None,
                seen,
                sum,
                mean,
            },
            other => other,
        }
    }

    pub(crate) fn add(&mut self, engine: &Engine, row: Row<'_>) -> Result<(), QueryError> {
        let source = engine.source();
        match self {
            Self::Rows(count) | Self::Counted(count) => *count += 1,
            Self::Objects { slot, seen } => {
                let binding = row.binding(*slot);
                if binding != Binding::Empty && seen.insert(binding) {
                    engine.meter.bytes(MEMBER_BYTES)?;
                }
            }
            Self::Values { formula, seen } => {
                let mut form = Vec::new();
                formula.read(source, row, |value| {
                    if !value.is_null() {
                        write_canonical(value, &mut form);
                    }
                });
                if !form.is_empty() && !seen.contains(&form) {
                    engine.meter.bytes(MEMBER_BYTES + form.len())?;
                    seen.insert(form);
                }
            }
            Self::Extreme {
                formula,
                wanted,
                best,
            } => {
                let value = formula.value(source, row);
                keep_extreme(engine, best, value, *wanted)?;
            }
            Self::Sum {
                formula,
                slots: None,
                sum,
                ..
            } => {
                formula.read(source, row, |value| sum.add(value));
            }
            Self::Sum {
                formula,
                slots: Some(slots),
                seen,
                sum,
                ..
            } => {
                let mut form = Vec::new();
                for slot in slots.iter() {
                    write_binding(row.binding(*slot), &mut form);
                }
                row.unwound
                    .iter()
                    .for_each(|one| write_canonical(ValueRef::from(one), &mut form));
                if !seen.contains(&form) {
                    engine.meter.bytes(MEMBER_BYTES + form.len())?;
                    seen.insert(form);
                    formula.read(source, row, |value| sum.add(value));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Value {
        let count = |count: usize| Value::Int(count as i64);
        match self {
            Self::Rows(rows) | Self::Counted(rows) => Value::Int(rows as i64),
            Self::Objects { seen, .. } => count(seen.len()),
            Self::Values { seen, .. } => count(seen.len()),
            Self::Extreme { best, .. } => best,
            Self::Sum {
                sum, mean: true, ..
            } => sum.mean(),
            Self::Sum { sum, .. } => sum.sum(),
        }
    }
}

fn keep_extreme(
    engine: &Engine,
    best: &mut Value,
    value: Value,
    wanted: Ordering,
) -> Result<(), QueryError> {
    match value {
        Value::Null => {}
        value if best.is_null() || value.total_cmp(best) == wanted => {
            engine.meter.bytes(held_bytes(&value))?;
            engine.meter.release(held_bytes(best));
            *best = value;
        }
        _ => {}
    }
    Ok(())
}

fn write_binding(binding: Binding, out: &mut Vec<u8>) {
    let (tag, high, low) = match binding {
        Binding::Empty => (0u8, 0, 0),
        Binding::Entity(entity) => (1, u32::from(entity.type_id.0), entity.row),
        Binding::Edge(edge) => (2, edge.triple.0, edge.edge),
    };
    out.push(tag);
    out.extend_from_slice(&high.to_be_bytes());
    out.extend_from_slice(&low.to_be_bytes());
}
