// SPDX-License-Identifier: Apache-2.0
//! Groups of rows and what is worked out over them.

mod accumulate;
mod dense;
mod paths;

use std::collections::HashMap;
use std::ops::ControlFlow;

use durward_model::Value;

use accumulate::Accumulator;

use super::binding::Binding;
use super::compare::write_canonical;
use super::engine::Engine;
use super::formula::{Formula, Row};
use super::rows::{Need, Prepared};
use super::table::{Columns, needed_slots};
use crate::error::QueryError;
use crate::limits::held_by_all;
use crate::plan::{Expression, Item, Plan, Slot, Table};

/// Bytes that a group takes besides what is in it: itself, its entry in the index, its rows of the
/// result, and the room that growing lists have ahead.
const GROUP_BYTES: usize = 512;

/// Bytes that a group takes.
fn group_bytes(form: usize, keys: &[Value], bindings: usize, aggregates: usize) -> usize {
    GROUP_BYTES
        + form
        + 2 * held_by_all(keys)
        + bindings * size_of::<Binding>()
        + aggregates * (size_of::<Accumulator>() + 2 * size_of::<Value>())
}

/// One row of a table with aggregates.
#[derive(Debug)]
pub(crate) struct GroupedRow {
    /// Values of the columns.
    pub(crate) columns: Vec<Value>,
    /// Values of the aggregates.
    pub(crate) aggregated: Vec<Value>,
    /// Objects of one path of the group.
    pub(crate) bindings: Vec<Binding>,
}

/// What the rows of a group have in common.
#[derive(Debug)]
struct Keys {
    /// Key expressions: columns without aggregates, and properties beside aggregates.
    formulas: Vec<Formula>,
    /// For each column, what it is.
    columns: Vec<KeyColumn>,
    /// Whether columns look at an object that the group has in common.
    needs_bindings: bool,
}

#[derive(Debug)]
enum KeyColumn {
    /// The n-th key.
    Key(usize),
    /// A value made of aggregates, and of properties of the object that the group has in common.
    Computed(Formula),
}

/// The groups of a table, in no particular order.
pub(crate) fn grouped(
    engine: &Engine,
    plan: &Plan,
    table: &Table,
    columns: &Columns<'_>,
) -> Result<Vec<GroupedRow>, QueryError> {
    let keys = Keys::new(engine, table);
    let counts_rows = table
        .aggregates
        .iter()
        .any(|aggregate| aggregate.argument.is_none());
    let slots: Vec<Slot> = needed_slots(plan, table).into_iter().collect();
    let need = Need {
        slots,
        distinct: !counts_rows,
    };
    let prepared = Prepared::new(engine, plan)?;
    if let Some(group) = paths::counted(engine, table, &keys, &prepared)? {
        return Ok(finish(engine, table, &keys, vec![group]));
    }
    if let Some(groups) = dense::grouped(engine, plan, table, &keys, &prepared)? {
        return Ok(finish(engine, table, &keys, groups));
    }
    let mut groups = Groups::new(engine, table, keys.formulas.len());
    let rows = prepared.choose(engine, &need)?;
    engine.note(|| rows.describe());
    rows.run(engine, &prepared, Vec::new(), &mut |bindings, _| {
        columns.each_unwound(bindings, &mut |unwound| {
            let row = Row {
                bindings,
                unwound,
                ..Row::default()
            };
            groups.add(&keys, row)?;
            Ok(ControlFlow::Continue(()))
        })
    })?;
    Ok(finish(engine, table, &keys, groups.list))
}

/// One group: its key, a path in it, and its running aggregates.
#[derive(Debug)]
pub(crate) struct Group {
    keys: Vec<Value>,
    bindings: Vec<Binding>,
    accumulators: Vec<Accumulator>,
    /// The value of every aggregate, where there is nothing but counts of the same objects.
    count: Option<u64>,
}

impl Keys {
    fn new(engine: &Engine, table: &Table) -> Self {
        let mut formulas = Vec::new();
        let mut columns = Vec::new();
        let mut needs_bindings = false;
        for item in &table.items {
            let value = match item {
                Item::Value { value, .. } => value.clone(),
                Item::AllProperties { slot, .. } => Expression::Object(*slot),
            };
            if is_aggregated(&value) {
                value.visit(&mut |inner| {
                    if matches!(inner, Expression::Property(..) | Expression::Object(_)) {
                        needs_bindings = true;
                        formulas.push(Formula::new(&engine.view, inner));
                    }
                });
                columns.push(KeyColumn::Computed(Formula::new(&engine.view, &value)));
            } else {
                columns.push(KeyColumn::Key(formulas.len()));
                formulas.push(Formula::new(&engine.view, &value));
            }
        }
        needs_bindings |= table
            .items
            .iter()
            .any(|item| matches!(item, Item::AllProperties { .. }));
        Self {
            formulas,
            columns,
            needs_bindings,
        }
    }
}

fn is_aggregated(expression: &Expression) -> bool {
    let mut found = false;
    expression.visit(&mut |inner| found |= matches!(inner, Expression::Aggregated(_)));
    found
}

fn finish(engine: &Engine, table: &Table, keys: &Keys, mut groups: Vec<Group>) -> Vec<GroupedRow> {
    let is_keyed = keys
        .columns
        .iter()
        .any(|column| matches!(column, KeyColumn::Key(_)));
    if groups.is_empty() && !is_keyed {
        groups.push(Group {
            keys: vec![Value::Null; keys.formulas.len()],
            bindings: Vec::new(),
            accumulators: new_accumulators(engine, table),
            count: None,
        });
    }
    let row = |mut group: Group| {
        let aggregated: Vec<Value> = match group.count {
            Some(count) => vec![Value::Int(count as i64); table.aggregates.len()],
            None => group
                .accumulators
                .into_iter()
                .map(Accumulator::finish)
                .collect(),
        };
        let place = Row {
            bindings: &group.bindings,
            aggregated: &aggregated,
            ..Row::default()
        };
        let columns = keys
            .columns
            .iter()
            .map(|column| match column {
                KeyColumn::Key(position) => group
                    .keys
                    .get_mut(*position)
                    .map(std::mem::take)
                    .unwrap_or_default(),
                KeyColumn::Computed(formula) => formula.value(engine.source(), place),
            })
            .collect();
        GroupedRow {
            columns,
            aggregated,
            bindings: group.bindings,
        }
    };
    groups.into_iter().map(row).collect()
}

fn new_accumulators(engine: &Engine, table: &Table) -> Vec<Accumulator> {
    table
        .aggregates
        .iter()
        .map(|aggregate| Accumulator::new(engine, aggregate))
        .collect()
}

/// Groups found by their keys.
struct Groups<'g> {
    engine: &'g Engine,
    /// What the aggregates of a new group begin with.
    fresh: Vec<Accumulator>,
    by_key: HashMap<Vec<u8>, usize>,
    list: Vec<Group>,
    form: Vec<u8>,
}

impl<'g> Groups<'g> {
    fn new(engine: &'g Engine, table: &Table, keys: usize) -> Self {
        Self {
            engine,
            fresh: new_accumulators(engine, table),
            by_key: HashMap::new(),
            list: Vec::new(),
            form: Vec::with_capacity(keys * 16),
        }
    }

    fn add(&mut self, keys: &Keys, row: Row<'_>) -> Result<(), QueryError> {
        self.form.clear();
        let source = self.engine.source();
        for formula in &keys.formulas {
            formula.read(source, row, |value| write_canonical(value, &mut self.form));
        }
        let position = if let Some(position) = self.by_key.get(&self.form) {
            *position
        } else {
            let values = keys.formulas.iter().map(|key| key.value(source, row));
            let values: Vec<Value> = values.collect();
            let bindings = if keys.needs_bindings {
                row.bindings
            } else {
                &[]
            };
            let bytes = group_bytes(self.form.len(), &values, bindings.len(), self.fresh.len());
            self.engine.meter.bytes(bytes)?;
            self.list.push(Group {
                keys: values,
                bindings: bindings.to_vec(),
                accumulators: self.fresh.clone(),
                count: None,
            });
            self.by_key.insert(self.form.clone(), self.list.len() - 1);
            self.list.len() - 1
        };
        let Some(group) = self.list.get_mut(position) else {
            return Ok(());
        };
        for accumulator in &mut group.accumulators {
            accumulator.add(self.engine, row)?;
        }
        Ok(())
    }
}
