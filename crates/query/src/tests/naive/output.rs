// SPDX-License-Identifier: Apache-2.0
//! What becomes of the rows, spelled out.

use std::collections::BTreeSet;

use durward_model::Value;
use serde_json::{Map, Value as Json};

use super::values::value;
use super::{Bound, Naive};
use crate::j1ql::{Expression, Function, Query, ReturnItem, Returns, names};

/// A whole result.
#[derive(Debug, PartialEq)]
pub(in crate::tests) enum Answer {
    /// Public ids.
    List(BTreeSet<String>),
    /// Rows, sorted by their text.
    Table(Vec<Json>),
    /// Public ids of vertices and edges.
    Tree(BTreeSet<String>, BTreeSet<String>),
}

impl Answer {
    /// The values of a table of one column, for subqueries.
    pub(super) fn column(&self) -> Vec<Value> {
        let Answer::Table(rows) = self else {
            panic!("a subquery returns a table")
        };
        let values = rows
            .iter()
            .filter_map(|row| row.as_object()?.values().next());
        values
            .filter(|value| !value.is_null())
            .map(|one| Value::from_json(one).unwrap())
            .collect()
    }
}

/// Sorts rows, so that their order does not matter.
pub(in crate::tests) fn sorted(mut rows: Vec<Json>) -> Vec<Json> {
    rows.sort_by_cached_key(Json::to_string);
    rows
}

pub(in crate::tests) fn answer(naive: &Naive<'_>) -> Answer {
    let rows = naive.rows();
    let ids = |wanted: &dyn Fn(usize, Bound) -> bool| -> BTreeSet<String> {
        rows.iter()
            .flat_map(|row| row.iter().copied().enumerate())
            .filter(|(place, bound)| *bound != Bound::Nothing && wanted(*place, *bound))
            .map(|(_, bound)| (naive.uuid)(bound))
            .collect()
    };
    match &naive.query.returns {
        None => Answer::List(ids(&|place, _| place == 0)),
        Some(Returns::Tree { .. }) => Answer::Tree(
            ids(&|_, bound| matches!(bound, Bound::Entity(_))),
            ids(&|_, bound| matches!(bound, Bound::Edge(_))),
        ),
        Some(Returns::Items { items, .. }) => {
            let elements = names::elements(naive.query);
            let bare = |item: &ReturnItem| match &item.expression {
                Expression::Reference(one) if one.is_bare() && item.alias.is_none() => {
                    let name = one.alias();
                    elements
                        .iter()
                        .position(|own| !own.is_negated && own.is_named(name))
                }
                _ => None,
            };
            let places: Option<Vec<usize>> = items.iter().map(bare).collect();
            match places {
                Some(places) => Answer::List(ids(&|place, _| places.contains(&place))),
                None => Answer::Table(sorted(table(naive, items, &rows))),
            }
        }
    }
}

fn is_aggregate(expression: &Expression) -> bool {
    match expression {
        Expression::Call(call) => {
            call.function.is_aggregate() || call.arguments.iter().any(is_aggregate)
        }
        Expression::Binary(binary) => is_aggregate(&binary.left) || is_aggregate(&binary.right),
        _ => false,
    }
}

fn table(naive: &Naive<'_>, items: &[ReturnItem], rows: &[Vec<Bound>]) -> Vec<Json> {
    let query: &Query = naive.query;
    let plain: Vec<&ReturnItem> = items
        .iter()
        .filter(|item| !is_aggregate(&item.expression))
        .collect();
    let read = |row: &[Bound], expression: &Expression| {
        value(naive, expression, &|name| naive.value_of(name, row)).to_json()
    };
    if plain.len() == items.len() {
        let mut table: Vec<Json> = Vec::new();
        for row in rows {
            let columns = items
                .iter()
                .map(|item| (item.column_name().to_owned(), read(row, &item.expression)));
            let row = Json::Object(columns.collect::<Map<_, _>>());
            if !query.is_unique() || !table.contains(&row) {
                table.push(row);
            }
        }
        return table;
    }
    let mut groups: Vec<(Vec<Json>, Vec<&Vec<Bound>>)> = Vec::new();
    for row in rows {
        let key: Vec<Json> = plain
            .iter()
            .map(|item| read(row, &item.expression))
            .collect();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    if groups.is_empty() && plain.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    let mut table = Vec::new();
    for (key, members) in &groups {
        let mut key = key.iter();
        let columns = items.iter().map(|item| {
            let value = if is_aggregate(&item.expression) {
                aggregate(naive, &item.expression, members).to_json()
            } else {
                key.next().unwrap().clone()
            };
            (item.column_name().to_owned(), value)
        });
        table.push(Json::Object(columns.collect::<Map<_, _>>()));
    }
    table
}

/// The elements that an expression names.
fn places(naive: &Naive<'_>, expression: &Expression, into: &mut BTreeSet<usize>) {
    match expression {
        Expression::Reference(reference) => {
            let elements = names::elements(naive.query);
            let named =
                |own: &names::Element<'_>| !own.is_negated && own.is_named(reference.alias());
            into.extend(elements.iter().position(named));
        }
        Expression::Call(call) => {
            call.arguments
                .iter()
                .for_each(|one| places(naive, one, into));
        }
        Expression::Binary(binary) => {
            places(naive, &binary.left, into);
            places(naive, &binary.right, into);
        }
        _ => {}
    }
}

fn aggregate(naive: &Naive<'_>, expression: &Expression, rows: &[&Vec<Bound>]) -> Value {
    let Expression::Call(call) = expression else {
        panic!("{expression:?} is not tested")
    };
    let argument = &call.arguments[0];
    if matches!(argument, Expression::Everything) {
        return Value::Int(rows.len() as i64);
    }
    let mut own = BTreeSet::new();
    places(naive, argument, &mut own);
    let mut seen: BTreeSet<Vec<Bound>> = BTreeSet::new();
    let mut values: Vec<Value> = Vec::new();
    for row in rows {
        let objects: Vec<Bound> = own.iter().map(|place| row[*place]).collect();
        if seen.insert(objects) {
            let one = value(naive, argument, &|name| naive.value_of(name, row));
            if !one.is_null() {
                values.push(one);
            }
        }
    }
    let ints = values.iter().filter_map(|one| match one {
        Value::Int(number) => Some(*number),
        _ => None,
    });
    let ints: Vec<i64> = ints.collect();
    match call.function {
        Function::Count => {
            let distinct: BTreeSet<String> =
                values.iter().map(|one| one.to_json().to_string()).collect();
            Value::Int(distinct.len() as i64)
        }
        Function::Sum | Function::Avg if ints.is_empty() => Value::Null,
        Function::Sum => Value::Int(ints.iter().sum()),
        // A whole number is shown as one.
        Function::Avg if ints.iter().sum::<i64>() % ints.len() as i64 == 0 => {
            Value::Int(ints.iter().sum::<i64>() / ints.len() as i64)
        }
        Function::Avg => Value::Float(ints.iter().sum::<i64>() as f64 / ints.len() as f64),
        Function::Min => values
            .into_iter()
            .min_by(Value::total_cmp)
            .unwrap_or_default(),
        Function::Max => values
            .into_iter()
            .max_by(Value::total_cmp)
            .unwrap_or_default(),
        other => panic!("{other:?} is not tested"),
    }
}
