// SPDX-License-Identifier: Apache-2.0
//! Values without copies.

use durward_model::{Instant, Number, Value};

/// A value inside the state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    String(&'a str),
    /// A moment.
    Instant(Instant),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// A list.
    List(&'a [Value]),
    /// A JSON document.
    Document(&'a serde_json::Value),
}

impl<'a> ValueRef<'a> {
    /// Whether this is the absence of a value.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is one.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a float: whole numbers, floats, and instants in epoch milliseconds.
    pub fn as_number(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Float(value) => Some(value),
            Self::Instant(value) => Some(value.as_millis() as f64),
            _ => None,
        }
    }

    /// The number, exactly: whole numbers, floats, and instants in epoch milliseconds.
    pub fn number(self) -> Option<Number> {
        match self {
            Self::Int(value) => Some(Number::Whole(value)),
            Self::Float(value) => Some(Number::Float(value)),
            Self::Instant(value) => Some(Number::Whole(value.as_millis())),
            _ => None,
        }
    }

    /// A copy of its own.
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::String(text) => Value::String(text.to_owned()),
            Self::Instant(value) => Value::Instant(value),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Self::List(items) => Value::List(items.to_vec()),
            Self::Document(json) => Value::Document(json.clone().into()),
        }
    }

    /// Whether this equals one value as J1QL means it: numbers and instants by magnitude, a list
    /// when any of its items does, a null only a null.
    pub fn matches(self, value: &Value) -> bool {
        match (self, value) {
            (Self::List(items), Value::List(_)) => {
                self.equals(value) || items.iter().any(|item| ValueRef::from(item).equals(value))
            }
            (Self::List(items), _) => items.iter().any(|item| ValueRef::from(item).equals(value)),
            _ => self.equals(value),
        }
    }

    /// Whether both are the same value; numbers and instants by magnitude.
    pub fn equals(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(left), Value::Bool(right)) => left == *right,
            (Self::Int(left), Value::Int(right)) => left == *right,
            (Self::String(left), Value::String(right)) => left == right,
            (Self::Instant(left), Value::Instant(right)) => left == *right,
            (Self::Bytes(left), Value::Bytes(right)) => left == right,
            (Self::List(left), Value::List(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .zip(right)
                        .all(|(one, two)| ValueRef::from(one).equals(two))
            }
            (Self::Document(left), Value::Document(right)) => *left == **right,
            _ => match (self.number(), value.number()) {
                (Some(left), Some(right)) => left.compare(right).is_eq(),
                _ => false,
            },
        }
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Float(*value),
            Value::String(text) => Self::String(text),
            Value::Instant(value) => Self::Instant(*value),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::List(items) => Self::List(items),
            Value::Document(json) => Self::Document(json),
        }
    }
}
