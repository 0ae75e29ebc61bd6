// SPDX-License-Identifier: Apache-2.0
//! Operators of filters on plain values.

use durward_model::{Instant, Number, Value};
use regex::RegexBuilder;
use serde_json::Value as Json;

use super::{Filter, FilterMode, FilterOperator, dates};
use crate::error::QueryError;
use crate::execute::millis_of;
use crate::limits::Meter;
use crate::pattern::Pattern;
use crate::plan::{CONDITION_COPIES, Comparison, Condition, Expression, Operand, Relation};

/// What is compared.
#[derive(Clone, Copy)]
struct Subject<'s>(&'s Expression);

impl Subject<'_> {
    fn compare(self, relation: Relation, operand: Operand) -> Condition {
        Condition::Compare(Comparison {
            left: self.0.clone(),
            relation,
            negated: false,
            every: false,
            fold: true,
            right: vec![operand],
        })
    }

    fn value(self, relation: Relation, value: Value) -> Condition {
        self.compare(relation, Operand::Value(Expression::Literal(value)))
    }

    /// Absent, an empty text, or an empty list.
    fn nil(self) -> Condition {
        let Ok(filled) = RegexBuilder::new(r"\S").build() else {
            return Condition::Any(Vec::new());
        };
        let exists = Condition::Not(Box::new(self.value(Relation::Equal, Value::Null)));
        // A text or list of texts with something in it, or a value of another kind.
        let text = self.compare(Relation::Contains, Operand::Pattern(filled));
        let other = Condition::Any(vec![
            self.value(Relation::Equal, Value::Bool(true)),
            self.value(Relation::Equal, Value::Bool(false)),
            self.value(Relation::LessOrEqual, Value::Float(f64::MAX)),
        ]);
        let filled = exists.and(Condition::Any(vec![text, other]));
        Condition::Not(Box::new(filled))
    }
}

/// The condition that a filter sets on a value.
pub(super) fn on_expression(
    value: &Expression,
    filter: &Filter,
    now: Instant,
    meter: &Meter,
) -> Result<Condition, QueryError> {
    let subject = Subject(value);
    let not = |condition| Condition::Not(Box::new(condition));
    let operator = match (filter.operator, filter.values.is_empty()) {
        (FilterOperator::Eq, true) => FilterOperator::Nil,
        (FilterOperator::NotEq, true) => FilterOperator::NotNil,
        (operator, _) => operator,
    };
    match operator {
        FilterOperator::Nil => return Ok(subject.nil()),
        FilterOperator::NotNil => return Ok(not(subject.nil())),
        FilterOperator::Within => return within(subject, filter, now),
        FilterOperator::Script => {
            return Err(QueryError::unsupported("the filter operator script"));
        }
        _ => {}
    }
    if filter.values.is_empty() {
        return Err(QueryError::invalid(format!(
            "the filter operator {} needs values",
            operator.name()
        )));
    }
    let (positive, negated) = without_negation(operator);
    let mut members = Vec::with_capacity(filter.values.len());
    for value in &filter.values {
        let one = on_value(subject, positive, value, now, meter)?;
        meter.bytes(CONDITION_COPIES * one.own_bytes())?;
        members.push(if negated { not(one) } else { one });
    }
    Ok(join(filter.mode, members))
}

/// Members joined as a mode says.
pub(super) fn join(mode: FilterMode, members: Vec<Condition>) -> Condition {
    match mode {
        FilterMode::And => Condition::All(members),
        FilterMode::Or => Condition::Any(members),
    }
}

/// The operator without its `not_`, and whether it had one.
pub(super) fn without_negation(operator: FilterOperator) -> (FilterOperator, bool) {
    match operator {
        FilterOperator::NotEq => (FilterOperator::Eq, true),
        FilterOperator::NotContains => (FilterOperator::Contains, true),
        FilterOperator::NotStartsWith => (FilterOperator::StartsWith, true),
        FilterOperator::NotEndsWith => (FilterOperator::EndsWith, true),
        FilterOperator::NotNil => (FilterOperator::Nil, true),
        positive => (positive, false),
    }
}

fn on_value(
    subject: Subject<'_>,
    operator: FilterOperator,
    value: &Json,
    now: Instant,
    meter: &Meter,
) -> Result<Condition, QueryError> {
    let plain = || {
        Value::from_json(value)
            .map_err(|error| QueryError::invalid(format!("{value} cannot be filtered by: {error}")))
    };
    let words = |join: fn(Vec<Condition>) -> Condition| {
        let text = text_of(value);
        let words = text.split_whitespace();
        join(
            words
                .map(|word| subject.value(Relation::Contains, word.into()))
                .collect(),
        )
    };
    Ok(match operator {
        FilterOperator::Lt => subject.value(Relation::Less, magnitude(value, now)?),
        FilterOperator::Lte => subject.value(Relation::LessOrEqual, magnitude(value, now)?),
        FilterOperator::Gt => subject.value(Relation::Greater, magnitude(value, now)?),
        FilterOperator::Gte => subject.value(Relation::GreaterOrEqual, magnitude(value, now)?),
        FilterOperator::Contains => subject.value(Relation::Contains, text_of(value).into()),
        FilterOperator::StartsWith => subject.value(Relation::StartsWith, text_of(value).into()),
        FilterOperator::EndsWith => subject.value(Relation::EndsWith, text_of(value).into()),
        FilterOperator::Match => words(Condition::Any),
        FilterOperator::Search => words(Condition::All),
        FilterOperator::Wildcard => subject.compare(
            Relation::Equal,
            Operand::Pattern(wildcard(&text_of(value), meter)?),
        ),
        _ => subject.value(Relation::Equal, plain()?),
    })
}

fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number, or a date as epoch milliseconds.
fn magnitude(value: &Json, now: Instant) -> Result<Value, QueryError> {
    let read = match value {
        Json::Number(number) => Some(Number::from_json(number)),
        other => Number::parse(other.as_str().unwrap_or_default().trim()),
    };
    let number = match read {
        Some(Ok(number)) => Some(number),
        Some(Err(error)) => return Err(QueryError::invalid(format!("{value}: {error}"))),
        None => dates::parse(value.as_str().unwrap_or_default(), now).map(millis_of),
    };
    let neither = || QueryError::invalid(format!("{value} is neither a number nor a date"));
    number.map(Value::from).ok_or_else(neither)
}

fn within(subject: Subject<'_>, filter: &Filter, now: Instant) -> Result<Condition, QueryError> {
    let [from, to] = filter.values.as_slice() else {
        return Err(QueryError::invalid(
            "the filter operator within takes exactly two values, the first and the last date",
        ));
    };
    let (from, to) = (magnitude(from, now)?, magnitude(to, now)?);
    let is_reversed = from.number().zip(to.number());
    if is_reversed.is_some_and(|(from, to)| from.compare(to).is_gt()) {
        return Err(QueryError::invalid(
            "the range of within ends before it begins",
        ));
    }
    let after = subject.value(Relation::GreaterOrEqual, from);
    Ok(after.and(subject.value(Relation::LessOrEqual, to)))
}

/// A pattern in which `*` is any text and `?` any one character.
fn wildcard(text: &str, meter: &Meter) -> Result<regex::Regex, QueryError> {
    let mut pattern = String::from("^");
    for character in text.trim().chars() {
        match character {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push('$');
    let pattern = Pattern {
        text: &pattern,
        ignore_case: true,
        any_line: true,
    };
    pattern.compile(meter, |_| QueryError::invalid("the wildcard is too long"))
}
