// SPDX-License-Identifier: Apache-2.0
//! Expressions made ready to be evaluated, and their evaluation.

use durward_graph::{ValueRef, View};
use durward_model::Value;

use super::binding::{Accessor, Binding, Source};
use super::compare::{write_canonical, write_text};
use crate::error::QueryError;
use crate::limits::{COMPUTED_BYTES_MAX, Meter, held_bytes};
use crate::plan::{Arithmetic, Expression, Function, Property, SearchRank, Slot};

/// Bytes that one member of a set takes besides its own.
const MEMBER_BYTES: usize = 64;

/// An expression whose properties are resolved.
#[derive(Debug)]
pub(crate) enum Formula {
    Literal(Value),
    Property(Accessor),
    Object(Slot),
    Arithmetic(Arithmetic, Box<Formula>, Box<Formula>),
    Call(Function, Vec<Formula>),
    Unwound(usize),
    Aggregated(usize),
    Column(usize),
    Rank(Slot, Rank),
}

/// A search rank whose properties are resolved.
#[derive(Debug)]
pub(crate) struct Rank {
    texts: Vec<String>,
    exact: Vec<Accessor>,
    near: Vec<Accessor>,
}

/// One row while it is evaluated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row<'r> {
    /// What every slot holds, when only one object is looked at.
    pub(crate) only: Option<Binding>,
    pub(crate) bindings: &'r [Binding],
    pub(crate) unwound: &'r [Value],
    pub(crate) aggregated: &'r [Value],
    pub(crate) columns: &'r [Value],
}

impl Row<'_> {
    #[inline]
    pub(crate) fn binding(&self, slot: Slot) -> Binding {
        match self.only {
            Some(binding) => binding,
            None => self
                .bindings
                .get(slot.0 as usize)
                .copied()
                .unwrap_or(Binding::Empty),
        }
    }

    /// A row in which every slot holds the same object.
    pub(crate) fn of(binding: Binding) -> Self {
        Self {
            only: Some(binding),
            ..Self::default()
        }
    }
}

impl Formula {
    pub(crate) fn new(view: &View, expression: &Expression) -> Self {
        match expression {
            Expression::Literal(value) => Self::Literal(value.clone()),
            Expression::Property(slot, property) => {
                Self::Property(Accessor::new(view, *slot, property.clone()))
            }
            Expression::Object(slot) => Self::Object(*slot),
            Expression::Arithmetic(operator, left, right) => Self::Arithmetic(
                *operator,
                Box::new(Self::new(view, left)),
                Box::new(Self::new(view, right)),
            ),
            Expression::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| Self::new(view, argument));
                Self::Call(*function, arguments.collect())
            }
            Expression::Unwound(position) => Self::Unwound(*position),
            Expression::Aggregated(position) => Self::Aggregated(*position),
            Expression::Column(position) => Self::Column(*position),
            Expression::SearchRank(slot, rank) => Self::Rank(*slot, Rank::new(view, *slot, rank)),
        }
    }

    /// Calls `read` with the value, without a copy where that is possible.
    #[inline]
    pub(crate) fn read<R>(
        &self,
        source: Source<'_>,
        row: Row<'_>,
        read: impl FnOnce(ValueRef<'_>) -> R,
    ) -> R {
        match self {
            Self::Property(accessor) => accessor.read(source, row.binding(accessor.slot), read),
            Self::Literal(value) => read(ValueRef::from(value)),
            _ => read(ValueRef::from(&self.value(source, row))),
        }
    }

    /// The value.
    pub(crate) fn value(&self, source: Source<'_>, row: Row<'_>) -> Value {
        let from =
            |list: &[Value], position: usize| list.get(position).cloned().unwrap_or_default();
        match self {
            Self::Literal(value) => value.clone(),
            Self::Property(accessor) => accessor.value(source, row.binding(accessor.slot)),
            Self::Object(slot) => row
                .binding(*slot)
                .uuid(source.view)
                .map_or(Value::Null, Value::String),
            Self::Arithmetic(operator, left, right) => arithmetic(
                *operator,
                &left.value(source, row),
                &right.value(source, row),
            ),
            Self::Call(function, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(source, row));
                match call(*function, values, source.meter) {
                    Ok(value) => value,
                    Err(error) => {
                        source.meter.fail(error);
                        Value::Null
                    }
                }
            }
            Self::Unwound(position) => from(row.unwound, *position),
            Self::Aggregated(position) => from(row.aggregated, *position),
            Self::Column(position) => from(row.columns, *position),
            Self::Rank(slot, rank) => Value::Int(rank.of(source, row.binding(*slot))),
        }
    }
}

impl Rank {
    fn new(view: &View, slot: Slot, rank: &SearchRank) -> Self {
        let all = |names: &[String]| -> Vec<Accessor> {
            names
                .iter()
                .map(|name| Accessor::new(view, slot, Property::of(name)))
                .collect()
        };
        Self {
            texts: rank.texts.iter().map(|text| text.to_lowercase()).collect(),
            exact: all(&rank.exact),
            near: all(&rank.near),
        }
    }

    fn of(&self, source: Source<'_>, binding: Binding) -> i64 {
        let any = |accessors: &[Accessor], test: &dyn Fn(&str) -> bool| {
            accessors.iter().any(|accessor| {
                accessor.read(source, binding, |value| match value {
                    ValueRef::String(text) => test(&text.to_lowercase()),
                    ValueRef::List(items) => items
                        .iter()
                        .filter_map(Value::as_str)
                        .any(|text| test(&text.to_lowercase())),
                    _ => false,
                })
            })
        };
        if any(&self.exact, &|value| {
            self.texts.iter().any(|text| value.trim() == text)
        }) {
            return 0;
        }
        let contains = |value: &str| self.texts.iter().any(|text| value.contains(text.as_str()));
        if any(&self.near, &contains) { 1 } else { 2 }
    }
}

/// Numbers only; whole numbers stay whole while they fit.
pub(crate) fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Value {
    let whole = |value: &Value| match value {
        Value::Int(number) => Some(*number),
        Value::Instant(instant) => Some(instant.as_millis()),
        _ => None,
    };
    if let (Some(one), Some(two)) = (whole(left), whole(right)) {
        let exact = match operator {
            Arithmetic::Add => one.checked_add(two),
            Arithmetic::Subtract => one.checked_sub(two),
            Arithmetic::Multiply => one.checked_mul(two),
            Arithmetic::Divide if two != 0 && one.checked_rem(two) == Some(0) => {
                one.checked_div(two)
            }
            Arithmetic::Power => u32::try_from(two)
                .ok()
                .and_then(|power| one.checked_pow(power)),
            Arithmetic::Divide => None,
        };
        if let Some(exact) = exact {
            return Value::Int(exact);
        }
    }
    let (Some(one), Some(two)) = (left.as_number(), right.as_number()) else {
        return Value::Null;
    };
    finite(match operator {
        Arithmetic::Add => one + two,
        Arithmetic::Subtract => one - two,
        Arithmetic::Multiply => one * two,
        Arithmetic::Divide => one / two,
        Arithmetic::Power => one.powf(two),
    })
}

fn finite(number: f64) -> Value {
    if number.is_finite() {
        Value::Float(number)
    } else {
        Value::Null
    }
}

/// Applies a function to the values of its arguments.
///
/// # Errors
/// When the value is larger than a value may become, or than the memory that is left.
pub(crate) fn call(
    function: Function,
    mut values: impl Iterator<Item = Value>,
    meter: &Meter,
) -> Result<Value, QueryError> {
    Ok(match function {
        Function::Concat => {
            let mut text = String::new();
            let mut held = Growing::new(meter);
            for value in values {
                held.grow(held_bytes(&value))?;
                write_text(&value, &mut text);
            }
            Value::String(text)
        }
        Function::Coalesce => values.find(|value| !value.is_null()).unwrap_or_default(),
        Function::Merge => merge(values, meter)?,
        Function::Abs => match values.next() {
            Some(Value::Int(number)) => number
                .checked_abs()
                .map_or_else(|| finite((number as f64).abs()), Value::Int),
            other => of_number(other, f64::abs),
        },
        Function::Sqrt => of_number(values.next(), f64::sqrt),
        Function::Ceil => to_whole(values.next(), f64::ceil),
        Function::Floor => to_whole(values.next(), f64::floor),
        Function::Round => to_whole(values.next(), f64::round),
    })
}

/// A value while a function makes it.
struct Growing<'m> {
    meter: &'m Meter,
    bytes: usize,
}

impl<'m> Growing<'m> {
    fn new(meter: &'m Meter) -> Self {
        Self { meter, bytes: 0 }
    }

    /// Counts a part, before it is added.
    fn grow(&mut self, more: usize) -> Result<(), QueryError> {
        if self.bytes.saturating_add(more) > COMPUTED_BYTES_MAX {
            return Err(QueryError::LargeValue {
                bytes: COMPUTED_BYTES_MAX as u64,
            });
        }
        self.meter.bytes(more)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Growing<'_> {
    fn drop(&mut self) {
        self.meter.release(self.bytes);
    }
}

fn of_number(value: Option<Value>, map: impl Fn(f64) -> f64) -> Value {
    value
        .and_then(|value| value.as_number())
        .map_or(Value::Null, |number| finite(map(number)))
}

fn to_whole(value: Option<Value>, map: impl Fn(f64) -> f64) -> Value {
    match value {
        Some(Value::Int(number)) => Value::Int(number),
        other => of_number(other, map),
    }
}

fn merge(values: impl Iterator<Item = Value>, meter: &Meter) -> Result<Value, QueryError> {
    let mut seen = std::collections::HashSet::new();
    let mut merged = Vec::new();
    let mut held = Growing::new(meter);
    let mut add = |value: Value| {
        let mut form = Vec::new();
        write_canonical(ValueRef::from(&value), &mut form);
        if !value.is_null() && !seen.contains(&form) {
            held.grow(held_bytes(&value) + form.len() + MEMBER_BYTES)?;
            seen.insert(form);
            merged.push(value);
        }
        Ok::<_, QueryError>(())
    };
    for value in values {
        match value {
            Value::List(items) => items.into_iter().try_for_each(&mut add)?,
            other => add(other)?,
        }
    }
    Ok(Value::List(merged))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_exact_for_whole_numbers_and_null_otherwise() {
        let run = |operator, left: i64, right: i64| {
            arithmetic(operator, &Value::Int(left), &Value::Int(right))
        };
        assert_eq!(run(Arithmetic::Divide, 7, 2), Value::Float(3.5));
        assert_eq!(run(Arithmetic::Divide, 8, 2), Value::Int(4));
        assert_eq!(run(Arithmetic::Divide, 1, 0), Value::Null);
        assert_eq!(
            run(Arithmetic::Divide, i64::MIN, -1),
            Value::Float(-(i64::MIN as f64))
        );
        assert_eq!(run(Arithmetic::Power, 2, 10), Value::Int(1024));
        assert_eq!(
            arithmetic(Arithmetic::Add, &Value::from("a"), &Value::Int(1)),
            Value::Null
        );
    }

    #[test]
    fn merge_flattens_and_drops_repeats() {
        let values = [
            Value::from(vec!["a", "b"]),
            Value::from("a"),
            Value::Null,
            Value::from("c"),
        ];
        let meter = Meter::new(&crate::Limits::default());
        let merged = merge(values.into_iter(), &meter).unwrap();
        assert_eq!(merged, Value::from(vec!["a", "b", "c"]));
    }
}
