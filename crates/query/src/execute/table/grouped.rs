// SPDX-License-Identifier: Apache-2.0
//! Tables with aggregates, and the one column of a subquery.

use std::collections::HashSet;
use std::ops::ControlFlow;

use durward_graph::ValueRef;
use durward_model::Value;

use super::{Column, Columns, ROW_BYTES, RowSource, needed_slots, total_rows};
use crate::error::QueryError;
use crate::execute::binding::Binding;
use crate::execute::check::Check;
use crate::execute::compare::write_canonical;
use crate::execute::engine::Engine;
use crate::execute::formula::{Formula, Row};
use crate::execute::group::{self, GroupedRow};
use crate::execute::order::{SortedRows, compare_keys};
use crate::execute::page::{Offer, PageWriter, WrittenPage};
use crate::execute::rows::{Need, Prepared};
use crate::json::{ObjectWriter, write_value};
use crate::limits::held_bytes;
use crate::plan::{Output, Plan, Table};

/// Writes one page of a table with aggregates.
pub(super) fn write_grouped(
    engine: &Engine,
    plan: &Plan,
    table: &Table,
    columns: &Columns<'_>,
    mut page: PageWriter<'_>,
) -> Result<(WrittenPage, Option<u64>), QueryError> {
    let rows = grouped_rows(engine, plan, table, columns)?;
    let total = total_rows(plan, rows.len() as u64);
    for row in &rows {
        let offered = page.offer(&[], |out| {
            let mut object = ObjectWriter::open(out);
            for (column, value) in columns.list.iter().zip(&row.columns) {
                match column {
                    Column::Value { name, .. } => {
                        write_value(ValueRef::from(value), object.name(name));
                    }
                    Column::All { prefix, slot } => {
                        let place = row.bindings.get(slot.0 as usize).copied();
                        let binding = place.unwrap_or(Binding::Empty);
                        columns.json.write_flat(prefix, binding, &mut object);
                    }
                }
            }
            object.close();
        })?;
        if offered != Offer::Taken {
            break;
        }
    }
    Ok((page.finish(false)?, Some(total)))
}

/// The groups of a table with aggregates, filtered and in order.
fn grouped_rows(
    engine: &Engine,
    plan: &Plan,
    table: &Table,
    columns: &Columns<'_>,
) -> Result<Vec<GroupedRow>, QueryError> {
    let mut rows = group::grouped(engine, plan, table, columns)?;
    if let Some(having) = &table.having {
        let check = Check::new(&engine.view, having, engine)?;
        rows.retain(|row| {
            let row = Row {
                columns: &row.columns,
                aggregated: &row.aggregated,
                ..Row::default()
            };
            check.test(engine.source(), row)
        });
    }
    let descending: Vec<bool> = plan.order.iter().map(|key| key.descending).collect();
    let keys: Vec<Formula> = plan
        .order
        .iter()
        .map(|key| Formula::new(&engine.view, &key.value))
        .collect();
    let natural = vec![false; table.items.len()];
    // Each row gets its keys beside what was counted for its group.
    let key_bytes = keys.len() * size_of::<Value>() + size_of::<(Vec<Value>, GroupedRow)>();
    engine.meter.bytes(rows.len().saturating_mul(key_bytes))?;
    let mut keyed: Vec<(Vec<Value>, GroupedRow)> = rows
        .into_iter()
        .map(|row| {
            let place = Row {
                columns: &row.columns,
                bindings: &row.bindings,
                aggregated: &row.aggregated,
                ..Row::default()
            };
            (
                keys.iter()
                    .map(|key| key.value(engine.source(), place))
                    .collect(),
                row,
            )
        })
        .collect();
    keyed.sort_by(|left, right| {
        compare_keys(&left.0, &right.0, &descending)
            .then_with(|| compare_keys(&left.1.columns, &right.1.columns, &natural))
            .then_with(|| left.1.bindings.cmp(&right.1.bindings))
    });
    Ok(keyed.into_iter().map(|(_, row)| row).collect())
}

/// The distinct values, lists taken apart and absent ones left out, in the one column of a plan.
pub(crate) fn column_values(engine: &Engine, plan: &Plan) -> Result<Vec<Value>, QueryError> {
    let Output::Table(table) = &plan.output else {
        return Err(QueryError::invalid(
            "a subquery must return exactly one property",
        ));
    };
    let columns = Columns::new(engine, plan, table, false);
    let [Column::Value { formula, .. }] = columns.list.as_slice() else {
        return Err(QueryError::invalid(
            "a subquery must return exactly one property",
        ));
    };
    let mut values = DistinctValues::default();
    if !table.aggregates.is_empty() {
        let rows = grouped_rows(engine, plan, table, &columns)?;
        let limit = usize::try_from(plan.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let skip = usize::try_from(plan.skip).unwrap_or(usize::MAX);
        for row in rows.into_iter().skip(skip).take(limit) {
            row.columns
                .into_iter()
                .try_for_each(|value| values.add(engine, value))?;
        }
        return Ok(values.list);
    }
    let is_bounded = plan.limit.is_some() || plan.skip > 0;
    let need = Need {
        slots: needed_slots(plan, table).into_iter().collect(),
        distinct: !is_bounded || table.unique,
    };
    let prepared = Prepared::new(engine, plan)?;
    let source = RowSource {
        engine,
        plan,
        prepared: &prepared,
        need: &need,
    };
    let (keys, descending) = source.order_keys(table)?;
    let wanted = plan.skip.saturating_add(plan.limit.unwrap_or(u64::MAX));
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut sorted = SortedRows::new(descending, wanted);
    source.run(Vec::new(), &mut |bindings, _| {
        columns.each_unwound(bindings, &mut |unwound| {
            let row = Row {
                bindings,
                unwound,
                ..Row::default()
            };
            let value = formula.value(engine.source(), row);
            if !is_bounded {
                values.add(engine, value)?;
                return Ok(ControlFlow::Continue(()));
            }
            let order = keys
                .iter()
                .map(|key| key.value(engine.source(), row))
                .collect();
            sorted.push(engine, order, Vec::new(), value)?;
            Ok(ControlFlow::Continue(()))
        })
    })?;
    let skip = usize::try_from(plan.skip).unwrap_or(usize::MAX);
    for value in sorted.finish().into_iter().skip(skip) {
        values.add(engine, value)?;
    }
    Ok(values.list)
}

#[derive(Default)]
struct DistinctValues {
    seen: HashSet<Vec<u8>>,
    list: Vec<Value>,
}

impl DistinctValues {
    fn add(&mut self, engine: &Engine, value: Value) -> Result<(), QueryError> {
        match value {
            Value::Null => Ok(()),
            Value::List(items) => items
                .into_iter()
                .try_for_each(|item| self.add(engine, item)),
            value => {
                let mut form = Vec::new();
                write_canonical(ValueRef::from(&value), &mut form);
                if self.seen.contains(&form) {
                    return Ok(());
                }
                engine
                    .meter
                    .bytes(2 * (ROW_BYTES + form.len()) + held_bytes(&value))?;
                self.seen.insert(form);
                self.list.push(value);
                Ok(())
            }
        }
    }
}
