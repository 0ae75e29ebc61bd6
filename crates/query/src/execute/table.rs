// SPDX-License-Identifier: Apache-2.0
//! Tables: one row for each path, or for each group of paths.

mod grouped;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;

use durward_model::Value;

use super::binding::Binding;
use super::engine::Engine;
use super::formula::{Formula, Row};
use super::object::ObjectJson;
use super::order::{SortedRows, compare_keys};
use super::page::{After, Offer, PageWriter, Position, WrittenPage};
use super::rows::{Need, Prepared};
use super::walk::{Choice, Flow};
use crate::error::QueryError;
use crate::json::{ObjectWriter, write_value};
use crate::limits::held_by_all;
use crate::plan::{Expression, Item, Plan, Slot, Table};

pub(crate) use grouped::column_values;
use grouped::write_grouped;

/// Bytes that a row takes in a set besides its own.
const ROW_BYTES: usize = 128;
/// Most rows that one path may become by taking lists apart.
const UNWOUND_ROWS_MAX: usize = 1_000_000;

/// The columns of a table, ready to be written.
pub(crate) struct Columns<'e> {
    engine: &'e Engine,
    json: ObjectJson<'e>,
    list: Vec<Column>,
    unwinds: Vec<Formula>,
    /// Names and slots of the objects that each row refers to, with `rowMetadata`.
    references: Vec<(String, Slot)>,
}

enum Column {
    Value { name: String, formula: Formula },
    All { prefix: String, slot: Slot },
}

impl<'e> Columns<'e> {
    fn new(engine: &'e Engine, plan: &Plan, table: &Table, row_metadata: bool) -> Self {
        let column = |item: &Item| match item {
            Item::Value { name, value } => Column::Value {
                name: name.clone(),
                formula: Formula::new(&engine.view, value),
            },
            Item::AllProperties { prefix, slot } => Column::All {
                prefix: prefix.clone(),
                slot: *slot,
            },
        };
        let unwinds = table
            .unwinds
            .iter()
            .map(|list| Formula::new(&engine.view, list));
        let plain = !table.unique && table.aggregates.is_empty();
        let references = if row_metadata && plain {
            named_slots(plan)
        } else {
            Vec::new()
        };
        Self {
            engine,
            json: ObjectJson::new(engine),
            list: table.items.iter().map(column).collect(),
            unwinds: unwinds.collect(),
            references,
        }
    }

    fn write(&self, row: Row<'_>, out: &mut Vec<u8>) {
        let source = self.engine.source();
        let mut object = ObjectWriter::open(out);
        for column in &self.list {
            match column {
                Column::Value { name, formula } => {
                    let out = object.name(name);
                    formula.read(source, row, |value| write_value(value, out));
                }
                Column::All { prefix, slot } => {
                    self.json
                        .write_flat(prefix, row.binding(*slot), &mut object);
                }
            }
        }
        if !self.references.is_empty() {
            let mut meta = ObjectWriter::open(object.name("_meta"));
            let mut by_alias = ObjectWriter::open(meta.name("byAlias"));
            for (name, slot) in &self.references {
                self.json
                    .write_reference(row.binding(*slot), by_alias.name(name));
            }
            by_alias.close();
            meta.close();
        }
        object.close();
    }

    /// Calls `visit` with the elements of the lists to take apart, once for each combination.
    pub(crate) fn each_unwound(
        &self,
        bindings: &[Binding],
        visit: &mut dyn FnMut(&[Value]) -> Flow,
    ) -> Flow {
        if self.unwinds.is_empty() {
            return visit(&[]);
        }
        let row = Row {
            bindings,
            ..Row::default()
        };
        let (mut lists, mut count) = (Vec::with_capacity(self.unwinds.len()), 1usize);
        let mut held = Vec::with_capacity(self.unwinds.len());
        for unwind in &self.unwinds {
            let list = match unwind.value(self.engine.source(), row) {
                Value::Null => Vec::new(),
                Value::List(items) => items,
                single => vec![single],
            };
            held.push(self.engine.meter.hold(held_by_all(&list))?);
            count = count.saturating_mul(list.len());
            if count > UNWOUND_ROWS_MAX {
                return Err(QueryError::UnwoundRows {
                    rows: UNWOUND_ROWS_MAX as u64,
                });
            }
            lists.push(list);
        }
        for number in 0..count {
            let mut rest = number;
            let mut elements = Vec::with_capacity(lists.len());
            for list in lists.iter().rev() {
                let position = rest % list.len().max(1);
                rest /= list.len().max(1);
                elements.push(list.get(position).cloned().unwrap_or_default());
            }
            elements.reverse();
            self.engine.meter.tick(1)?;
            if visit(&elements)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn named_slots(plan: &Plan) -> Vec<(String, Slot)> {
    let named = plan
        .slots
        .iter()
        .enumerate()
        .filter_map(|(position, slot)| {
            let name = slot.name.clone()?;
            Some((name, Slot(position as u16)))
        });
    named.collect()
}

/// The slots that the columns and the order look at.
pub(crate) fn needed_slots(plan: &Plan, table: &Table) -> BTreeSet<Slot> {
    let mut slots = BTreeSet::new();
    for item in &table.items {
        match item {
            Item::Value { value, .. } => slots.extend(value.slots()),
            Item::AllProperties { slot, .. } => {
                slots.insert(*slot);
            }
        }
    }
    slots.extend(table.unwinds.iter().flat_map(Expression::slots));
    let arguments = table
        .aggregates
        .iter()
        .filter_map(|aggregate| aggregate.argument.as_ref());
    slots.extend(arguments.flat_map(Expression::slots));
    slots.extend(plan.order.iter().flat_map(|key| key.value.slots()));
    slots
}

/// Writes one page of a table.
pub(crate) fn write_table(
    engine: &Engine,
    plan: &Plan,
    table: &Table,
    row_metadata: bool,
    position: &Position,
    page: PageWriter<'_>,
) -> Result<(WrittenPage, Option<u64>), QueryError> {
    let columns = Columns::new(engine, plan, table, row_metadata);
    if !table.aggregates.is_empty() {
        return write_grouped(engine, plan, table, &columns, page);
    }
    let mut slots = needed_slots(plan, table);
    slots.extend(columns.references.iter().map(|(_, slot)| *slot));
    let need = Need {
        slots: slots.into_iter().collect(),
        distinct: table.unique,
    };
    let prepared = Prepared::new(engine, plan)?;
    let source = RowSource {
        engine,
        plan,
        prepared: &prepared,
        need: &need,
    };
    let sorted_columns = plan.order.iter().any(|key| has_column(&key.value));
    match (plan.order.is_empty() && !sorted_columns, table.unique) {
        (true, false) => Ok((source.stream(&columns, position, page)?, None)),
        (true, true) => Ok((source.unique(&columns, page)?, None)),
        (false, false) => Ok((source.sorted(&columns, table, page)?, None)),
        (false, true) => {
            let (page, total) = source.unique_sorted(&columns, table, page)?;
            Ok((page, Some(total)))
        }
    }
}

fn has_column(expression: &Expression) -> bool {
    let mut found = false;
    expression.visit(&mut |inner| found |= matches!(inner, Expression::Column(_)));
    found
}

struct RowSource<'s> {
    engine: &'s Engine,
    plan: &'s Plan,
    prepared: &'s Prepared,
    need: &'s Need,
}

impl RowSource<'_> {
    fn run(
        &self,
        resume: Vec<Choice>,
        sink: &mut dyn FnMut(&[Binding], &[Choice]) -> Flow,
    ) -> Result<(), QueryError> {
        let rows = self.prepared.choose(self.engine, self.need)?;
        self.engine.note(|| rows.describe());
        rows.run(self.engine, self.prepared, resume, sink)?;
        Ok(())
    }

    /// Rows as they come.
    fn stream(
        &self,
        columns: &Columns<'_>,
        position: &Position,
        mut page: PageWriter<'_>,
    ) -> Result<WrittenPage, QueryError> {
        let by_path = columns.unwinds.is_empty();
        let resume = match &position.after {
            After::Path(choices) if by_path => choices.clone(),
            _ => Vec::new(),
        };
        self.run(resume, &mut |bindings, trail| {
            columns.each_unwound(bindings, &mut |unwound| {
                let row = Row {
                    bindings,
                    unwound,
                    ..Row::default()
                };
                Ok(flow_of(page.offer(trail, |out| columns.write(row, out))?))
            })
        })?;
        page.finish(by_path)
    }

    /// Each different row once, in the order in which they come.
    fn unique(
        &self,
        columns: &Columns<'_>,
        mut page: PageWriter<'_>,
    ) -> Result<WrittenPage, QueryError> {
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        let mut text = Vec::new();
        self.run(Vec::new(), &mut |bindings, _| {
            columns.each_unwound(bindings, &mut |unwound| {
                text.clear();
                columns.write(
                    Row {
                        bindings,
                        unwound,
                        ..Row::default()
                    },
                    &mut text,
                );
                if seen.contains(&text) {
                    return Ok(ControlFlow::Continue(()));
                }
                self.engine.meter.bytes(ROW_BYTES + text.len())?;
                seen.insert(text.clone());
                Ok(flow_of(
                    page.offer(&[], |out| out.extend_from_slice(&text))?,
                ))
            })
        })?;
        page.finish(false)
    }

    fn order_keys(&self, table: &Table) -> Result<(Vec<Formula>, Vec<bool>), QueryError> {
        let key = |value: &Expression| {
            let value = inline(value, table);
            self.engine.meter.bytes(2 * value.held_bytes())?;
            Ok(Formula::new(&self.engine.view, &value))
        };
        let order = self.plan.order.iter();
        let keys = order.clone().map(|sort| key(&sort.value));
        Ok((
            keys.collect::<Result<_, QueryError>>()?,
            order.map(|sort| sort.descending).collect(),
        ))
    }

    /// Rows in order; keeps no more of them than the page needs.
    fn sorted(
        &self,
        columns: &Columns<'_>,
        table: &Table,
        mut page: PageWriter<'_>,
    ) -> Result<WrittenPage, QueryError> {
        let engine = self.engine;
        let (keys, descending) = self.order_keys(table)?;
        let wanted = usize::try_from(page.rows_wanted()).unwrap_or(usize::MAX);
        let mut rows = SortedRows::new(descending, wanted);
        self.run(Vec::new(), &mut |bindings, _| {
            columns.each_unwound(bindings, &mut |unwound| {
                let row = Row {
                    bindings,
                    unwound,
                    ..Row::default()
                };
                let values = keys
                    .iter()
                    .map(|key| key.value(engine.source(), row))
                    .collect();
                let ties = bindings
                    .iter()
                    .map(|one| one.id_number(&engine.view))
                    .collect();
                rows.push(engine, values, ties, (bindings.to_vec(), unwound.to_vec()))?;
                Ok(ControlFlow::Continue(()))
            })
        })?;
        for (bindings, unwound) in rows.finish() {
            let row = Row {
                bindings: &bindings,
                unwound: &unwound,
                ..Row::default()
            };
            if page.offer(&[], |out| columns.write(row, out))? != Offer::Taken {
                break;
            }
        }
        page.finish(false)
    }

    /// Each different row once, in order; of several keys the first counts.
    fn unique_sorted(
        &self,
        columns: &Columns<'_>,
        table: &Table,
        mut page: PageWriter<'_>,
    ) -> Result<(WrittenPage, u64), QueryError> {
        let engine = self.engine;
        let (keys, descending) = self.order_keys(table)?;
        let mut best: BTreeMap<Vec<u8>, Vec<Value>> = BTreeMap::new();
        let mut text = Vec::new();
        self.run(Vec::new(), &mut |bindings, _| {
            columns.each_unwound(bindings, &mut |unwound| {
                let row = Row {
                    bindings,
                    unwound,
                    ..Row::default()
                };
                text.clear();
                columns.write(row, &mut text);
                let values: Vec<Value> = keys
                    .iter()
                    .map(|key| key.value(engine.source(), row))
                    .collect();
                let bytes = held_by_all(&values);
                match best.get_mut(&text) {
                    Some(before) if compare_keys(&values, before, &descending).is_lt() => {
                        engine.meter.bytes(bytes)?;
                        engine.meter.release(held_by_all(before));
                        *before = values;
                    }
                    Some(_) => {}
                    None => {
                        engine.meter.bytes(ROW_BYTES + text.len() + bytes)?;
                        best.insert(text.clone(), values);
                    }
                }
                Ok(ControlFlow::Continue(()))
            })
        })?;
        let total = best.len() as u64;
        let mut rows = SortedRows::new(descending, usize::MAX);
        for (text, values) in best {
            rows.push(engine, values, Vec::new(), text)?;
        }
        for text in rows.finish() {
            if page.offer(&[], |out| out.extend_from_slice(&text))? != Offer::Taken {
                break;
            }
        }
        Ok((page.finish(false)?, total_rows(self.plan, total)))
    }
}

fn total_rows(plan: &Plan, found: u64) -> u64 {
    found
        .saturating_sub(plan.skip)
        .min(plan.limit.unwrap_or(u64::MAX))
}

fn flow_of(offer: Offer) -> ControlFlow<()> {
    match offer {
        Offer::Taken => ControlFlow::Continue(()),
        Offer::Full | Offer::Done => ControlFlow::Break(()),
    }
}

/// Puts the expressions of columns in the place of references to them.
pub(crate) fn inline(expression: &Expression, table: &Table) -> Expression {
    match expression {
        Expression::Column(position) => match table.items.get(*position) {
            Some(Item::Value { value, .. }) => value.clone(),
            _ => Expression::Literal(Value::Null),
        },
        Expression::Arithmetic(operator, left, right) => Expression::Arithmetic(
            *operator,
            Box::new(inline(left, table)),
            Box::new(inline(right, table)),
        ),
        Expression::Call(function, arguments) => Expression::Call(
            *function,
            arguments
                .iter()
                .map(|argument| inline(argument, table))
                .collect(),
        ),
        other => other.clone(),
    }
}
