// SPDX-License-Identifier: Apache-2.0
//! Rows that are not in the graph, asked by the same conditions.

use std::cmp::Ordering;

use durward_graph::ValueRef;
use durward_model::Value;

use super::fields::FieldTable;
use crate::error::QueryError;
use crate::execute::{call, holds_relation, matches_pattern};
use crate::limits::{Limits, Meter};
use crate::plan::{Comparison, Condition, Expression, Operand, Property, Slot};

/// The values of a row by the names of properties.
pub trait RowValues {
    /// One value; null where there is none.
    fn value(&self, name: &str) -> Value;
}

/// Whether a row fulfils a condition that speaks of properties only.
pub fn holds(condition: &Condition, row: &dyn RowValues) -> bool {
    match condition {
        Condition::All(members) => members.iter().all(|member| holds(member, row)),
        Condition::Any(members) => members.iter().any(|member| holds(member, row)),
        Condition::Not(inner) => !holds(inner, row),
        Condition::Compare(comparison) => compare(comparison, row),
        // Rows have no relationships.
        Condition::Exists(..) | Condition::Text(..) => false,
    }
}

fn compare(comparison: &Comparison, row: &dyn RowValues) -> bool {
    let left = evaluate(&comparison.left, row);
    let left = ValueRef::from(&left);
    let relates = |operand: &Operand| match operand {
        Operand::Value(expression) => {
            let right = evaluate(expression, row);
            holds_relation(
                comparison.relation,
                comparison.fold,
                left,
                ValueRef::from(&right),
            )
        }
        Operand::Pattern(pattern) => matches_pattern(pattern, left),
        Operand::Query(_) => false,
    };
    let found = if comparison.every {
        comparison.right.iter().all(relates)
    } else {
        comparison.right.iter().any(relates)
    };
    found != comparison.negated
}

fn evaluate(expression: &Expression, row: &dyn RowValues) -> Value {
    match expression {
        Expression::Literal(value) => value.clone(),
        Expression::Property(_, Property::Named(name)) => row.value(name),
        Expression::Call(function, arguments) => {
            let arguments = arguments.iter().map(|argument| evaluate(argument, row));
            // A row is small, and what a table computes of it too.
            let meter = Meter::new(&Limits::default());
            call(*function, arguments, &meter).unwrap_or_default()
        }
        _ => Value::Null,
    }
}

/// How two rows follow each other. Absent values come last either way.
///
/// # Errors
/// When a key is no field of the table.
pub fn compare_rows(
    table: &FieldTable,
    order: &[(String, bool)],
    one: &dyn RowValues,
    other: &dyn RowValues,
) -> Result<Ordering, QueryError> {
    for (name, descending) in order {
        let (expression, turned) = table.order(name, Slot(0))?;
        let (left, right) = (evaluate(&expression, one), evaluate(&expression, other));
        let ordering = match (left == Value::Null, right == Value::Null) {
            (true, true) => Ordering::Equal,
            (true, false) => return Ok(Ordering::Greater),
            (false, true) => return Ok(Ordering::Less),
            (false, false) if *descending != turned => by_value(&right, &left),
            (false, false) => by_value(&left, &right),
        };
        if ordering != Ordering::Equal {
            return Ok(ordering);
        }
    }
    Ok(Ordering::Equal)
}

fn by_value(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => left.total_compare(right),
            _ => Ordering::Equal,
        },
    }
}
