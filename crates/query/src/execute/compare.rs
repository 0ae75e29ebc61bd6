// SPDX-License-Identifier: Apache-2.0
//! How values relate, and when they are the same.

use std::cmp::Ordering;

use durward_graph::ValueRef;
use durward_model::{Instant, Number, Value};
use regex::Regex;

use crate::j1ql::dates::date_text;
use crate::plan::Relation;

/// Whether `left` relates so to `right`. A list on the right stands for any of its items.
pub(crate) fn holds(
    relation: Relation,
    fold: bool,
    left: ValueRef<'_>,
    right: ValueRef<'_>,
) -> bool {
    if let ValueRef::List(items) = right {
        return items
            .iter()
            .any(|item| holds(relation, fold, left, ValueRef::from(item)));
    }
    match relation {
        Relation::Equal => equal(fold, left, right),
        Relation::Less => by_magnitude(fold, left, right, Ordering::is_lt),
        Relation::LessOrEqual => by_magnitude(fold, left, right, Ordering::is_le),
        Relation::Greater => by_magnitude(fold, left, right, Ordering::is_gt),
        Relation::GreaterOrEqual => by_magnitude(fold, left, right, Ordering::is_ge),
        Relation::Contains => by_text(fold, left, right, |left, right| left.contains(right)),
        Relation::StartsWith => by_text(fold, left, right, |left, right| left.starts_with(right)),
        Relation::EndsWith => by_text(fold, left, right, |left, right| left.ends_with(right)),
    }
}

/// Whether a text, or any item of a list, contains the pattern.
pub(crate) fn matches_pattern(pattern: &Regex, value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::String(text) => pattern.is_match(text),
        ValueRef::List(items) => items
            .iter()
            .any(|item| item.as_str().is_some_and(|text| pattern.is_match(text))),
        _ => false,
    }
}

fn equal(fold: bool, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::List(items), _) => items
            .iter()
            .any(|item| equal(fold, ValueRef::from(item), right)),
        (ValueRef::String(left), ValueRef::String(right)) if fold => folded(left) == folded(right),
        (ValueRef::String(left), ValueRef::String(right)) => left == right,
        (ValueRef::Bool(left), ValueRef::String(right)) if fold => right
            .trim()
            .eq_ignore_ascii_case(if left { "true" } else { "false" }),
        (_, ValueRef::String(right)) if fold => same_number(left.number(), number_of(right)),
        (ValueRef::Instant(_), ValueRef::String(_))
        | (ValueRef::String(_), ValueRef::Instant(_)) => {
            let dates = moment(left).zip(moment(right));
            dates.is_some_and(|(left, right)| left == right)
        }
        (ValueRef::Int(left), ValueRef::Int(right)) => left == right,
        (ValueRef::Null, ValueRef::Null) => true,
        (ValueRef::Bool(left), ValueRef::Bool(right)) => left == right,
        (ValueRef::Bytes(left), ValueRef::Bytes(right)) => left == right,
        _ => same_number(left.number(), right.number()),
    }
}

fn same_number(left: Option<Number>, right: Option<Number>) -> bool {
    let both = left.zip(right);
    both.is_some_and(|(left, right)| left.compare(right).is_eq())
}

/// A date in milliseconds: an instant, or a text that names a day at least.
fn moment(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Instant(instant) => Some(instant.as_millis()),
        ValueRef::String(text) => date_text(text),
        _ => None,
    }
}

fn by_magnitude(
    fold: bool,
    left: ValueRef<'_>,
    right: ValueRef<'_>,
    test: impl Fn(Ordering) -> bool + Copy,
) -> bool {
    if fold && let ValueRef::List(items) = left {
        return items
            .iter()
            .any(|item| by_magnitude(fold, ValueRef::from(item), right, test));
    }
    let number = |value: ValueRef<'_>| match value {
        ValueRef::String(text) if fold => number_of(text),
        other => other.number(),
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => test(left.compare(right)),
        _ if fold => false,
        // Two dates, one of them a text at least; a number is no date, whatever its size.
        _ => {
            let dates = moment(left).zip(moment(right));
            dates.is_some_and(|(left, right)| test(left.cmp(&right)))
        }
    }
}

/// A number or a date (as epoch milliseconds) written as text.
fn number_of(text: &str) -> Option<Number> {
    let trimmed = text.trim();
    Number::parse(trimmed)
        .and_then(Result::ok)
        .or_else(|| trimmed.parse::<Instant>().ok().map(millis_of))
}

/// Epoch milliseconds, with their fraction where there is one.
pub(crate) fn millis_of(instant: Instant) -> Number {
    let micros = instant.as_micros();
    if micros % 1000 == 0 {
        Number::Whole(micros / 1000)
    } else {
        Number::Float(micros as f64 / 1000.0)
    }
}

fn by_text(
    fold: bool,
    left: ValueRef<'_>,
    right: ValueRef<'_>,
    test: impl Fn(&str, &str) -> bool + Copy,
) -> bool {
    let ValueRef::String(wanted) = right else {
        return false;
    };
    let one = |text: &str| {
        if fold {
            test(&folded(text), &folded(wanted))
        } else {
            test(text, wanted)
        }
    };
    match left {
        ValueRef::String(text) => one(text),
        ValueRef::List(items) => items.iter().any(|item| item.as_str().is_some_and(one)),
        _ => false,
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Appends a form of the value that is equal exactly for equal values: numbers and instants by
/// magnitude, lists by their items in order.
pub(crate) fn write_canonical(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => out.push(0),
        ValueRef::Bool(truth) => out.extend_from_slice(&[1, u8::from(truth)]),
        ValueRef::Int(number) => whole(number, out),
        ValueRef::Instant(instant) => whole(instant.as_millis(), out),
        ValueRef::Float(number) => match number as i64 {
            near if Number::Whole(near).compare(Number::Float(number)).is_eq() => whole(near, out),
            _ => {
                out.push(3);
                out.extend_from_slice(&number.to_bits().to_be_bytes());
            }
        },
        ValueRef::String(text) => sized(4, text.as_bytes(), out),
        ValueRef::Bytes(bytes) => sized(5, bytes, out),
        ValueRef::List(items) => {
            out.push(6);
            out.extend_from_slice(&(items.len() as u64).to_be_bytes());
            for item in items {
                write_canonical(ValueRef::from(item), out);
            }
        }
        ValueRef::Document(json) => sized(7, json.to_string().as_bytes(), out),
    }
}

fn whole(number: i64, out: &mut Vec<u8>) {
    out.push(2);
    out.extend_from_slice(&number.to_be_bytes());
}

fn sized(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The value as text, as `concat` needs it.
pub(crate) fn write_text(value: &Value, out: &mut String) {
    match value {
        Value::Null => {}
        Value::String(text) => out.push_str(text),
        Value::List(items) => {
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_text(item, out);
            }
        }
        other => {
            let mut bytes = Vec::new();
            crate::json::write_value(ValueRef::from(other), &mut bytes);
            out.push_str(String::from_utf8_lossy(&bytes).trim_matches('"'));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn test(relation: Relation, fold: bool, left: &Value, right: &Value) -> bool {
        holds(relation, fold, ValueRef::from(left), ValueRef::from(right))
    }

    #[test]
    fn equality_looks_into_lists_and_never_crosses_kinds() {
        let list = Value::from(vec!["a", "b"]);
        assert!(test(Relation::Equal, false, &list, &Value::from("b")));
        assert!(test(Relation::Equal, false, &Value::from("b"), &list));
        assert!(!test(Relation::Equal, false, &list, &Value::Null));
        assert!(test(Relation::Equal, false, &Value::Null, &Value::Null));
        assert!(!test(
            Relation::Equal,
            false,
            &Value::Bool(true),
            &Value::from("true")
        ));
        assert!(test(
            Relation::Equal,
            false,
            &Value::Int(1),
            &Value::Float(1.0)
        ));
        assert!(!test(Relation::Less, false, &Value::Null, &Value::Int(5)));
        assert!(!test(
            Relation::Less,
            false,
            &Value::from("1"),
            &Value::Int(5)
        ));
    }

    #[test]
    fn folded_comparisons_ignore_case_and_read_dates() {
        assert!(test(
            Relation::Equal,
            true,
            &Value::from(" Ab"),
            &Value::from("aB ")
        ));
        assert!(test(
            Relation::Contains,
            true,
            &Value::from("xABx"),
            &Value::from("ab")
        ));
        let date = Value::Instant("2024-01-02T00:00:00Z".parse().unwrap());
        assert!(test(
            Relation::Greater,
            true,
            &date,
            &Value::from("2024-01-01T00:00:00Z")
        ));
        assert!(test(
            Relation::Less,
            true,
            &Value::from("2024-01-01"),
            &Value::from("2024-02-01")
        ));
    }

    #[test]
    fn equal_values_have_equal_canonical_forms() {
        let form = |value: &Value| {
            let mut out = Vec::new();
            write_canonical(ValueRef::from(value), &mut out);
            out
        };
        assert_eq!(form(&Value::Int(7)), form(&Value::Float(7.0)));
        assert_eq!(
            form(&Value::Int(7)),
            form(&Value::Instant(Instant::from_millis(7)))
        );
        assert_ne!(form(&Value::from("7")), form(&Value::Int(7)));
        assert_ne!(
            form(&Value::from(vec!["ab"])),
            form(&Value::from(vec!["a", "b"]))
        );
    }
}
