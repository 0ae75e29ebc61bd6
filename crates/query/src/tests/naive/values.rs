// SPDX-License-Identifier: Apache-2.0
//! Values and conditions, spelled out.
#![expect(clippy::float_cmp, reason = "equality of stored numbers is exact")]

use durward_model::Value;
use regex::RegexBuilder;

use super::Naive;
use crate::fixture::{PlainEdge, PlainEntity};
use crate::j1ql::{
    self, ArithmeticOperator, CompareOperator, Condition, Expression, Function, ListItem, Number,
};

/// Reads a property by its segments.
pub(super) type Read<'r> = dyn Fn(&[String]) -> Value + 'r;

pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn is_smart(entity: &PlainEntity, name: &str) -> bool {
    entity_value(entity, &format!("tag.{name}")) == Value::Bool(true)
        || same(&entity_value(entity, "tags"), &Value::from(name))
}

pub(super) fn entity_value(entity: &PlainEntity, name: &str) -> Value {
    match name {
        "_key" => entity.key.as_str().into(),
        "_scope" => entity.scope.into(),
        "_type" => vec![entity.entity_type.as_str()].into(),
        "_class" => entity
            .classes
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .into(),
        _ => entity.properties.get(name).cloned().unwrap_or_default(),
    }
}

pub(super) fn edge_value(edge: &PlainEdge, name: &str) -> Value {
    match name {
        "_class" => edge.verb.as_str().into(),
        _ => edge.properties.get(name).cloned().unwrap_or_default(),
    }
}

/// J1QL's `=`.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (_, Value::List(items)) => items.iter().any(|item| same(left, item)),
        (Value::List(items), _) => items.iter().any(|item| same(item, right)),
        _ => match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => left == right,
            _ => left == right,
        },
    }
}

fn relates(operator: CompareOperator, left: &Value, right: &Value) -> bool {
    if let Value::List(items) = right {
        return items.iter().any(|item| relates(operator, left, item));
    }
    let number = |test: fn(f64, f64) -> bool| match (left.as_number(), right.as_number()) {
        (Some(left), Some(right)) => test(left, right),
        _ => false,
    };
    let text = |test: fn(&str, &str) -> bool| {
        right
            .as_str()
            .is_some_and(|right| texts(left).iter().any(|left| test(left, right)))
    };
    match operator {
        CompareOperator::Equal => same(left, right),
        CompareOperator::Less => number(|left, right| left < right),
        CompareOperator::LessOrEqual => number(|left, right| left <= right),
        CompareOperator::Greater => number(|left, right| left > right),
        CompareOperator::GreaterOrEqual => number(|left, right| left >= right),
        CompareOperator::Contains => text(|left, right| left.contains(right)),
        CompareOperator::StartsWith => text(|left, right| left.starts_with(right)),
        CompareOperator::EndsWith => text(|left, right| left.ends_with(right)),
        negated => !relates(negated.without_negation().0, left, right),
    }
}

pub(super) fn holds(naive: &Naive<'_>, condition: &Condition, read: &Read<'_>) -> bool {
    match condition {
        Condition::And(members) => members.iter().all(|one| holds(naive, one, read)),
        Condition::Or(members) => members.iter().any(|one| holds(naive, one, read)),
        Condition::Comparison(comparison) => {
            let (operator, negated) = comparison.operator.without_negation();
            let left = value(naive, &comparison.left, read);
            let matches = |pattern: &j1ql::RegexLiteral| {
                let mut builder = RegexBuilder::new(&pattern.pattern);
                let regex = builder
                    .case_insensitive(pattern.ignore_case)
                    .build()
                    .unwrap();
                texts(&left).iter().any(|text| regex.is_match(text))
            };
            let outcome = match &comparison.value {
                j1ql::Value::Expression(right) => {
                    relates(operator, &left, &value(naive, right, read))
                }
                j1ql::Value::Regex(pattern) => matches(pattern),
                j1ql::Value::List(any) => any.iter().any(|all| {
                    all.iter().all(|item| match item {
                        ListItem::Regex(pattern) => matches(pattern),
                        ListItem::Expression(right) => {
                            relates(operator, &left, &value(naive, right, read))
                        }
                    })
                }),
                j1ql::Value::Subquery(query) => {
                    let inner = Naive { query, ..*naive };
                    let answer = super::answer(&inner);
                    answer.column().iter().any(|right| same(&left, right))
                }
            };
            outcome != negated
        }
    }
}

pub(super) fn value(naive: &Naive<'_>, expression: &Expression, read: &Read<'_>) -> Value {
    let number = |number: &Number| match number {
        Number::Integer(number) => Value::Int(*number),
        Number::Decimal(number) => Value::Float(*number),
    };
    match expression {
        Expression::Text(text) => text.as_str().into(),
        Expression::Number(one) => number(one),
        Expression::Duration { amount, unit } => {
            Value::Int(amount.as_f64() as i64 * unit.milliseconds())
        }
        Expression::Boolean(truth) => Value::Bool(*truth),
        Expression::Undefined => Value::Null,
        Expression::Now => Value::Int(naive.now_millis),
        Expression::Date(millis) => Value::Int(*millis),
        Expression::Reference(reference) => read(&reference.segments),
        Expression::Binary(binary) => {
            let left = value(naive, &binary.left, read);
            let right = value(naive, &binary.right, read);
            match (left, right) {
                (Value::Int(left), Value::Int(right)) => Value::Int(match binary.operator {
                    ArithmeticOperator::Add => left + right,
                    ArithmeticOperator::Subtract => left - right,
                    ArithmeticOperator::Multiply => left * right,
                    other => panic!("{other:?} is not tested"),
                }),
                _ => Value::Null,
            }
        }
        Expression::Call(call) => {
            let mut arguments = call.arguments.iter().map(|one| value(naive, one, read));
            match call.function {
                Function::Coalesce => arguments.find(|one| !one.is_null()).unwrap_or_default(),
                Function::Abs => match arguments.next() {
                    Some(Value::Int(number)) => Value::Int(number.abs()),
                    _ => Value::Null,
                },
                Function::Merge => {
                    let mut merged: Vec<Value> = Vec::new();
                    for item in arguments.flat_map(|one| match one {
                        Value::List(items) => items,
                        Value::Null => Vec::new(),
                        one => vec![one],
                    }) {
                        if !merged.contains(&item) {
                            merged.push(item);
                        }
                    }
                    Value::List(merged)
                }
                other => panic!("{other:?} is not tested"),
            }
        }
        other => panic!("{other:?} is not tested"),
    }
}
