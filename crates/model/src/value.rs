// SPDX-License-Identifier: Apache-2.0
//! Property values.

use std::cmp::Ordering;

use crate::limits::{LIST_ITEMS_MAX, VALUE_BYTES_MAX};
use crate::number::OutOfRange;
use crate::{Document, Instant, Number};

/// The value of a property. In storage a null is the same as an absent property; a patch with a
/// null removes the property.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction; never NaN or infinite.
    Float(f64),
    /// A text.
    String(String),
    /// A moment; shown as epoch milliseconds in J1QL and as RFC 3339 text in OpenCTI.
    Instant(Instant),
    /// Raw bytes; shown as base64.
    Bytes(Vec<u8>),
    /// A list of values of one kind (numbers may mix).
    List(Vec<Value>),
    /// A JSON document: stored and returned whole, never indexed.
    Document(Document),
}

/// Why a JSON value is not a property value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValueError {
    /// An object stands where only plain values and lists may.
    #[error("nested objects are not property values")]
    NestedObject,
    /// A list holds values of different kinds, or lists or objects.
    #[error("a list must hold strings only, numbers only or booleans only")]
    MixedList,
    /// The value is larger than one value may be.
    #[error("the value has {bytes} bytes; at most {VALUE_BYTES_MAX} are allowed")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// The list is longer than a list may be.
    #[error("the list has {items} items; at most {LIST_ITEMS_MAX} are allowed")]
    TooManyItems {
        /// How many items it has.
        items: usize,
    },
    /// The number cannot be kept exactly.
    #[error(transparent)]
    Number(#[from] OutOfRange),
}

impl Value {
    /// A property value from plain JSON: scalars and homogeneous lists of scalars. Nulls in lists
    /// are dropped.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, ValueError> {
        let value = match json {
            serde_json::Value::Array(items) => {
                if items.len() > LIST_ITEMS_MAX {
                    return Err(ValueError::TooManyItems { items: items.len() });
                }
                let items: Vec<Self> = items
                    .iter()
                    .filter(|item| !item.is_null())
                    .map(scalar)
                    .collect::<Result<_, _>>()?;
                let kinds = items.iter().map(Self::list_kind);
                if kinds
                    .clone()
                    .zip(kinds.skip(1))
                    .any(|(left, right)| left != right)
                {
                    return Err(ValueError::MixedList);
                }
                Self::List(items)
            }
            serde_json::Value::Object(_) => return Err(ValueError::NestedObject),
            other => scalar(other)?,
        };
        match value.byte_size() {
            bytes if bytes > VALUE_BYTES_MAX => Err(ValueError::TooLarge { bytes }),
            _ => Ok(value),
        }
    }

    /// The value as JSON: instants as epoch milliseconds, bytes as base64 is left to the dialect
    /// and appear here as a list of numbers.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => {
                serde_json::Number::from_f64(*value).map_or(serde_json::Value::Null, Into::into)
            }
            Self::String(value) => value.as_str().into(),
            Self::Instant(value) => value.as_millis().into(),
            Self::Bytes(value) => value.clone().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Document(document) => document.clone().into_json(),
        }
    }

    /// Whether this is the absence of a value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a float: whole numbers, floats, and instants in epoch milliseconds.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Instant(value) => Some(value.as_millis() as f64),
            _ => None,
        }
    }

    /// The number, exactly: whole numbers, floats, and instants in epoch milliseconds.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Int(value) => Some(Number::Whole(*value)),
            Self::Float(value) => Some(Number::Float(*value)),
            Self::Instant(value) => Some(Number::Whole(value.as_millis())),
            _ => None,
        }
    }

    /// Approximate size in bytes, by which limits are counted.
    pub fn byte_size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) | Self::Instant(_) => 8,
            Self::String(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(items) => items
                .iter()
                .map(|item| item.byte_size().saturating_add(1))
                .sum(),
            Self::Document(json) => document_size(json),
        }
    }

    /// A total order for sorting and for distinct sets: null last, then by kind (numbers and
    /// instants together by magnitude, text by code point, booleans false first), lists by items.
    pub fn total_cmp(&self, other: &Self) -> Ordering {
        let by_rank = self.rank().cmp(&other.rank());
        if by_rank != Ordering::Equal {
            return by_rank;
        }
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Instant(left), Self::Instant(right)) => left.cmp(right),
            (Self::String(left), Self::String(right)) => left.cmp(right),
            (Self::Bytes(left), Self::Bytes(right)) => left.cmp(right),
            (Self::List(left), Self::List(right)) => {
                let pairs = left.iter().zip(right).map(|(one, two)| one.total_cmp(two));
                pairs
                    .into_iter()
                    .find(|order| *order != Ordering::Equal)
                    .unwrap_or_else(|| left.len().cmp(&right.len()))
            }
            (Self::Document(left), Self::Document(right)) => {
                left.to_string().cmp(&right.to_string())
            }
            _ => match (self.number(), other.number()) {
                (Some(left), Some(right)) => left.total_compare(right),
                _ => Ordering::Equal,
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Float(_) | Self::Instant(_) => 1,
            Self::String(_) => 2,
            Self::Bytes(_) => 3,
            Self::List(_) => 4,
            Self::Document(_) => 5,
            Self::Null => 6,
        }
    }

    fn list_kind(&self) -> u8 {
        self.rank()
    }
}

fn scalar(json: &serde_json::Value) -> Result<Value, ValueError> {
    match json {
        serde_json::Value::Null => Ok(Value::Null),
        serde_json::Value::Bool(value) => Ok(Value::Bool(*value)),
        serde_json::Value::Number(number) => Ok(Number::from_json(number)?.into()),
        serde_json::Value::String(text) => Ok(Value::String(text.clone())),
        serde_json::Value::Array(_) => Err(ValueError::MixedList),
        serde_json::Value::Object(_) => Err(ValueError::NestedObject),
    }
}

fn document_size(json: &serde_json::Value) -> usize {
    match json {
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => 8,
        serde_json::Value::String(text) => text.len().saturating_add(2),
        serde_json::Value::Array(items) => items
            .iter()
            .map(document_size)
            .fold(2, usize::saturating_add),
        serde_json::Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                name.len()
                    .saturating_add(4)
                    .saturating_add(document_size(value))
            })
            .fold(2, usize::saturating_add),
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Whole(whole) => Self::Int(whole),
            Number::Float(float) => Self::Float(float),
        }
    }
}

impl From<Instant> for Value {
    fn from(value: Instant) -> Self {
        Self::Instant(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn takes_plain_json_only() {
        assert_eq!(
            Value::from_json(&json!([1, 2.5, null])).unwrap().to_json(),
            json!([1, 2.5])
        );
        assert_eq!(
            Value::from_json(&json!({"a": 1})),
            Err(ValueError::NestedObject)
        );
        assert_eq!(
            Value::from_json(&json!([1, "a"])),
            Err(ValueError::MixedList)
        );
        assert_eq!(Value::from_json(&json!([[1]])), Err(ValueError::MixedList));
        for json in [json!(u64::MAX), json!([1, 1e19])] {
            let refused = Value::from_json(&json);
            assert_eq!(refused, Err(ValueError::Number(OutOfRange)), "{json}");
        }
        let big = "x".repeat(VALUE_BYTES_MAX + 1);
        assert!(matches!(
            Value::from_json(&json!(big)),
            Err(ValueError::TooLarge { .. })
        ));
    }

    #[test]
    fn orders_numbers_across_kinds_and_nulls_last() {
        let mut values = vec![
            Value::Null,
            Value::from("b"),
            Value::Float(1.5),
            Value::Int(1),
            Value::Int(2),
        ];
        values.sort_by(Value::total_cmp);
        let expected = vec![
            Value::Int(1),
            Value::Float(1.5),
            Value::Int(2),
            Value::from("b"),
            Value::Null,
        ];
        assert_eq!(values, expected);
    }
}
