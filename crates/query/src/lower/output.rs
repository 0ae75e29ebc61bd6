// SPDX-License-Identifier: Apache-2.0
//! `RETURN`, `ORDER BY` and `HAVING` of J1QL.

use super::Lowering;
use super::expressions::Place;
use crate::error::QueryError;
use crate::j1ql;
use crate::j1ql::names::ElementKind;
use crate::j1ql::{Query, ReturnItem, Returns};
use crate::plan::{
    Aggregate, Condition, Expression, Item, Operand, Output, Plan, Slot, SortKey, Table,
};

/// The columns of a table while it is put together.
#[derive(Debug, Default)]
pub(super) struct TableParts {
    items: Vec<Item>,
    /// Each column as written, for references by text.
    texts: Vec<String>,
    pub(super) aggregates: Vec<Aggregate>,
    unwinds: Vec<Expression>,
}

impl TableParts {
    /// The column of this name or text.
    pub(super) fn column_named(&self, name: &str) -> Option<usize> {
        let by_name = self
            .items
            .iter()
            .position(|item| matches!(item, Item::Value { name: own, .. } if own == name));
        by_name.or_else(|| self.texts.iter().position(|text| text == name))
    }

    /// The column that holds this value.
    pub(super) fn column_of(&self, value: &Expression) -> Option<usize> {
        let wanted = format!("{value:?}");
        self.items.iter().position(
            |item| matches!(item, Item::Value { value, .. } if format!("{value:?}") == wanted),
        )
    }

    /// Adds an aggregate, unless the same one is there already.
    pub(super) fn add_aggregate(&mut self, aggregate: Aggregate) -> usize {
        let wanted = format!("{aggregate:?}");
        let known = self
            .aggregates
            .iter()
            .position(|own| format!("{own:?}") == wanted);
        known.unwrap_or_else(|| {
            self.aggregates.push(aggregate);
            self.aggregates.len() - 1
        })
    }

    /// Adds a list to take apart, unless the same one is there already.
    pub(super) fn add_unwind(&mut self, list: Expression) -> usize {
        let wanted = format!("{list:?}");
        let known = self
            .unwinds
            .iter()
            .position(|own| format!("{own:?}") == wanted);
        known.unwrap_or_else(|| {
            self.unwinds.push(list);
            self.unwinds.len() - 1
        })
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
            let filter = inline(having, &table);
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
                    slots.push(self.return_slot(reference)?);
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
                let slot = self.return_slot(reference)?;
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
        parts.items.push(lowered);
        parts.texts.push(item.text.clone());
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

/// Puts the values of columns in the place of references to them.
fn inline(condition: Condition, table: &Table) -> Condition {
    match condition {
        Condition::All(members) => Condition::All(
            members
                .into_iter()
                .map(|member| inline(member, table))
                .collect(),
        ),
        Condition::Any(members) => Condition::Any(
            members
                .into_iter()
                .map(|member| inline(member, table))
                .collect(),
        ),
        Condition::Not(inner) => Condition::Not(Box::new(inline(*inner, table))),
        Condition::Compare(mut comparison) => {
            comparison.left = crate::execute::inline_columns(&comparison.left, table);
            for operand in &mut comparison.right {
                if let Operand::Value(value) = operand {
                    *value = crate::execute::inline_columns(value, table);
                }
            }
            Condition::Compare(comparison)
        }
        other @ (Condition::Exists(..) | Condition::Text(..)) => other,
    }
}
