// SPDX-License-Identifier: Apache-2.0
//! Values in the JSON of the native dialect.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_model::{Instant, Value};
use serde_json::Value as Json;

use super::{Context, errors};
use durward_graphql::engine::{FieldError, Node};

/// A property value: instants as RFC 3339 text, bytes as base64.
pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::Instant(instant) => instant.to_string().into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::List(items) => items.iter().map(json).collect(),
        other => other.to_json(),
    }
}

/// The name of a kind of values.
pub(super) fn kind(value: durward_graph::ValueRef<'_>) -> Option<&'static str> {
    use durward_graph::ValueRef;
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Bool(_) => "boolean",
        ValueRef::Int(_) => "integer",
        ValueRef::Float(_) => "number",
        ValueRef::String(_) => "string",
        ValueRef::Instant(_) => "instant",
        ValueRef::Bytes(_) => "bytes",
        ValueRef::List(_) => "list",
        ValueRef::Document(_) => "document",
    })
}

/// An instant with its microseconds, so that asking `at` it sees what was committed at it.
pub(super) fn instant<'a>(instant: Instant) -> Node<'a, Context> {
    Node::text(instant.to_string())
}

pub(super) fn optional_instant<'a>(instant: Option<Instant>) -> Node<'a, Context> {
    Node::optional_text(instant.map(|instant| instant.to_string()))
}

/// A text, or null where there is none.
pub(super) fn filled(text: &str) -> Node<'_, Context> {
    Node::optional_text(Some(text).filter(|text| !text.is_empty()))
}

/// A count. The contract's `Long` holds 63 bits.
pub(super) fn count<'a>(count: u64) -> Node<'a, Context> {
    Node::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A count in a field that the contract declares as an `Int` of 32 bits.
pub(super) fn small<'a>(count: u64) -> Node<'a, Context> {
    Node::Int(count.min(i32::MAX as u64) as i64)
}

/// An instant in an argument or a member of an input.
pub(super) fn instant_from(name: &str, json: Option<&Json>) -> Result<Option<Instant>, FieldError> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => {
            let parsed = text.parse::<Instant>();
            parsed
                .map(Some)
                .map_err(|error| errors::invalid(format!("{name}: {error}")))
        }
        Some(_) => Err(errors::invalid(format!("{name} must be a date and time"))),
    }
}
