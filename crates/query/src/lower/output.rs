// SPDX-License-Identifier: Apache-2.0
//! `RETURN`, `ORDER BY` and `HAVING` of J1QL.

use std::collections::HashMap;

use super::Lowering;
use super::expressions::Place;
use crate::cursor::digest_of;
use crate::error::QueryError;
use crate::j1ql;
use crate::j1ql::names::ElementKind;
use crate::j1ql::{Query, ReturnItem, Returns};
use crate::limits::Meter;
use crate::plan::{
    Aggregate, AggregateFunction, Condition, Expression, Item, Operand, Output, Plan, Slot,
    SortKey, Table,
};

/// How often the value of a column is held where a condition names it: in the plan, and in what is
/// made of it.
const COLUMN_COPIES: usize = 2;

/// The columns of a table while it is put together. What is in it already is found by digests of
/// how it is written out, so that many columns are not compared with each other.
#[derive(Debug, Default)]
pub(super) struct TableParts {
    items: Vec<Item>,
    /// The first column of each name.
    names: HashMap<String, usize>,
    /// The first column of each text, for references by text.
    texts: HashMap<String, usize>,
    /// The first column of each value.
    values: HashMap<Digest, usize>,
    pub(super) aggregates: Vec<Aggregate>,
    known_aggregates: HashMap<Digest, usize>,
    unwinds: Vec<Expression>,
    known_unwinds: HashMap<Digest, usize>,
}

type Digest = [u8; 32];

impl TableParts {
    /// The column of this name or text.
    pub(super) fn column_named(&self, name: &str) -> Option<usize> {
        let by_name = self.names.get(name);
        by_name.or_else(|| self.texts.get(name)).copied()
    }

    /// The column that holds this value.
    pub(super) fn column_of(&self, value: &Expression) -> Option<usize> {
        self.values
            .get(&digest_of(format_args!("{value:?}")))
            .copied()
    }

    /// The value of a column.
    pub(super) fn column(&self, position: usize) -> Option<&Expression> {
        match self.items.get(position)? {
            Item::Value { value, .. } => Some(value),
            Item::AllProperties { .. } => None,
        }
    }

    /// What an aggregate takes the smallest or the largest of.
    pub(super) fn extreme(&self, number: usize) -> Option<&Expression> {
        let aggregate = self.aggregates.get(number)?;
        let is_extreme = matches!(
            aggregate.function,
            AggregateFunction::Min | AggregateFunction::Max
        );
        aggregate.argument.as_ref().filter(|_| is_extreme)
    }

    fn add_item(&mut self, item: Item, text: &str) {
        let position = self.items.len();
        if let Item::Value { name, value } = &item {
            self.names.entry(name.clone()).or_insert(position);
            let digest = digest_of(format_args!("{value:?}"));
            self.values.entry(digest).or_insert(position);
        }
        self.texts.entry(text.to_owned()).or_insert(position);
        self.items.push(item);
    }

    /// Adds an aggregate, unless the same one is there already.
    pub(super) fn add_aggregate(&mut self, aggregate: Aggregate) -> usize {
        let digest = digest_of(format_args!("{aggregate:?}"));
        let next = self.aggregates.len();
        let place = *self.known_aggregates.entry(digest).or_insert(next);
        if place == next {
            self.aggregates.push(aggregate);
        }
        place
    }

    /// Adds a list to take apart, unless the same one is there already.
    pub(super) fn add_unwind(&mut self, list: Expression) -> usize {
        let digest = digest_of(format_args!("{list:?}"));
        let next = self.unwinds.len();
        let place = *self.known_unwinds.entry(digest).or_insert(next);
        if place == next {
            self.unwinds.push(list);
        }
        place
    }
}

impl Lowering<'_, '_> {
    /// Fills in the output, the order and what depends on them.
    pub(super) fn output(&self, query: &Query, plan: &mut Plan) -> Result<(), QueryError> {
        let items = match &query.returns {
            None => {
                let list = Output::List(vec![plan.start.slot]);
                return self.without_table(query, plan, list);
            }
            Some(Returns::Tree { .. }) => return self.without_table(query, plan, Output::Tree),
            Some(Returns::Items { items, .. }) => items,
        };
        if let Some(slots) = self.bare_slots(items, plan)? {
            return self.without_table(query, plan, Output::List(slots));
        }
        let mut parts = TableParts::default();
        for item in items {
            self.item(item, &mut parts)?;
        }
        for key in &query.order {
            let value = self.sort_value(key, &mut parts)?;
            plan.order.push(SortKey {
                value,
                descending: key.descending,
            });
        }
        let having = match &query.having {
            None => None,
            Some(having) => Some(self.column_condition(having, &mut Place::Result(&mut parts))?),
        };
        let mut table = Table {
            items: parts.items,
            unique: query.is_unique(),
            aggregates: parts.aggregates,
            unwinds: parts.unwinds,
            having: None,
        };
        if !table.aggregates.is_empty() {
            let ordered = plan.order.iter().map(|key| &key.value);
            ordered
                .into_iter()
                .try_for_each(|value| only_columns(value, "ORDER BY"))?;
            if let Some(having) = &having {
                let mut outcome = Ok(());
                having.visit_expressions(&mut |value| {
                    if outcome.is_ok() {
                        outcome = only_columns(value, "HAVING");
                    }
                });
                outcome?;
            }
            table.having = having;
        } else if let Some(having) = having {
            if !table.unwinds.is_empty() {
                return Err(QueryError::unsupported(
                    "HAVING beside unwind without an aggregate",
                ));
            }
            let filter = inline(having, &table, self.context.meter)?;
            plan.path_filter = Some(match plan.path_filter.take() {
                Some(present) => present.and(filter),
                None => filter,
            });
        }
        plan.output = Output::Table(table);
        Ok(())
    }

    /// Lists and trees have no columns: the order is by properties only.
    fn without_table(
        &self,
        query: &Query,
        plan: &mut Plan,
        output: Output,
    ) -> Result<(), QueryError> {
        if query.having.is_some() {
            return Err(QueryError::invalid("HAVING needs columns to filter by"));
        }
        let mut parts = TableParts::default();
        if !matches!(output, Output::Tree) {
            for key in &query.order {
                let value = self.expression(&key.expression, &mut Place::Column(&mut parts))?;
                plan.order.push(SortKey {
                    value,
                    descending: key.descending,
                });
            }
        }
        if !parts.aggregates.is_empty() || !parts.unwinds.is_empty() {
            return Err(QueryError::invalid(
                "a list cannot be ordered by an aggregate or unwind",
            ));
        }
        plan.output = output;
        Ok(())
    }

    /// The slots of columns that are nothing but aliases; `None` when there are others.
    fn bare_slots(
        &self,
        items: &[ReturnItem],
        plan: &Plan,
    ) -> Result<Option<Vec<Slot>>, QueryError> {
        let mut slots = Vec::new();
        for item in items {
            match &item.expression {
                j1ql::Expression::Everything => slots.extend(self.all_aliases(plan)),
                j1ql::Expression::Reference(reference)
                    if reference.is_bare() && item.alias.is_none() =>
                {
                    slots.extend(self.return_slot(reference)?);
                }
                _ => return Ok(None),
            }
        }
        let mut distinct: Vec<Slot> = Vec::new();
        for slot in slots {
            if !distinct.contains(&slot) {
                distinct.push(slot);
            }
        }
        Ok(Some(distinct))
    }

    /// Everything with a name, the start where nothing has one.
    fn all_aliases(&self, plan: &Plan) -> Vec<Slot> {
        let named = self.elements.iter().enumerate().filter(|(_, element)| {
            let counts =
                element.is_explicit || !matches!(element.kind, ElementKind::Relationship(_));
            element.name.is_some() && counts && !element.is_negated
        });
        let slots: Vec<Slot> = named.map(|(position, _)| Slot(position as u16)).collect();
        if slots.is_empty() {
            vec![plan.start.slot]
        } else {
            slots
        }
    }

    fn item(&self, item: &ReturnItem, parts: &mut TableParts) -> Result<(), QueryError> {
        let name = item.column_name().to_owned();
        if parts.column_named(&name).is_some() && item.alias.is_none() {
            return Ok(());
        }
        let lowered = match &item.expression {
            j1ql::Expression::Reference(reference) if reference.every_property => {
                if reference.segments.len() != 1 {
                    return Err(QueryError::invalid(format!(
                        "\"{}.*\" at {} must be an alias with .*",
                        reference.key(),
                        reference.span
                    )));
                }
                let Some(slot) = self.return_slot(reference)? else {
                    return Ok(());
                };
                Item::AllProperties {
                    prefix: reference.alias().to_owned(),
                    slot,
                }
            }
            j1ql::Expression::Everything => {
                return Err(QueryError::unsupported("RETURN * beside other columns"));
            }
            expression => {
                let value = self.expression(expression, &mut Place::Column(parts))?;
                Item::Value { name, value }
            }
        };
        parts.add_item(lowered, &item.text);
        Ok(())
    }

    fn sort_value(
        &self,
        key: &j1ql::SortKey,
        parts: &mut TableParts,
    ) -> Result<Expression, QueryError> {
        if let Some(column) = parts.column_named(&key.text) {
            return Ok(Expression::Column(column));
        }
        let value = self.expression(&key.expression, &mut Place::Result(parts))?;
        Ok(parts.column_of(&value).map_or(value, Expression::Column))
    }
}

/// Refuses what is not the same for all rows of a group.
fn only_columns(value: &Expression, clause: &str) -> Result<(), QueryError> {
    let mut fits = true;
    value.visit(&mut |inner| {
        let varies = matches!(
            inner,
            Expression::Property(..) | Expression::Object(_) | Expression::Unwound(_)
        );
        fits &= !varies;
    });
    if fits {
        return Ok(());
    }
    Err(QueryError::invalid(format!(
        "{clause} of grouped rows must name a column or an aggregate"
    )))
}

/// Puts the values of columns in the place of references to them. Each place gets a copy of its
/// own, which is charged for.
fn inline(condition: Condition, table: &Table, meter: &Meter) -> Result<Condition, QueryError> {
    let all = |members: Vec<Condition>| {
        let members = members.into_iter();
        let inlined = members.map(|member| inline(member, table, meter));
        inlined.collect::<Result<Vec<_>, _>>()
    };
    let copy = |value: &Expression| {
        let copy = crate::execute::inline_columns(value, table);
        meter.bytes(COLUMN_COPIES * copy.held_bytes())?;
        Ok::<_, QueryError>(copy)
    };
    Ok(match condition {
        Condition::All(members) => Condition::All(all(members)?),
        Condition::Any(members) => Condition::Any(all(members)?),
        Condition::Not(inner) => Condition::Not(Box::new(inline(*inner, table, meter)?)),
        Condition::Compare(mut comparison) => {
            comparison.left = copy(&comparison.left)?;
            for operand in &mut comparison.right {
                if let Operand::Value(value) = operand {
                    *value = copy(value)?;
                }
            }
            Condition::Compare(comparison)
        }
        other @ (Condition::Exists(..) | Condition::Text(..)) => other,
    })
}
