// SPDX-License-Identifier: Apache-2.0
//! Reading JSON under a lease.
//!
//! A few bytes of JSON become a node of a hundred: `[{"":0},…]` grows seventyfold. The nodes are
//! charged while the one parser makes them, so that nothing is judged by a second reading.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::exhausted::Exhausted;
use crate::lease::Lease;

/// Bytes of a node in its array. The vector that holds it may be twice as large as what is in it.
const ITEM_BYTES: u64 = 2 * size_of::<Value>() as u64;
/// Bytes of a member beside its key's text: its node, its key, the hash and the slot of the table.
const MEMBER_BYTES: u64 = 2 * (size_of::<Value>() + size_of::<String>() + 24) as u64;
/// Bytes of a map or vector of its own, and what an allocator rounds up.
const CONTAINER_BYTES: u64 = 64;
/// Bytes that an allocation of a text costs beside the text.
const TEXT_BYTES: u64 = 16;

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The bytes are no JSON.
    #[error("{0}")]
    Syntax(serde_json::Error),
    /// A share is used up.
    #[error(transparent)]
    Exhausted(Exhausted),
}

/// Reads a whole text. What the value costs beside the text stays charged to `lease`.
///
/// # Errors
/// When it is no JSON, nests deeper than 127 levels, or a share is used up.
pub fn from_slice(text: &[u8], lease: &Lease) -> Result<Value, JsonError> {
    let refused = Cell::new(None);
    let node = Node {
        lease,
        refused: &refused,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = node.deserialize(&mut deserializer);
    let read = read.and_then(|value| deserializer.end().map(|()| value));
    match (refused.take(), read) {
        (Some(exhausted), _) => Err(JsonError::Exhausted(exhausted)),
        (None, Ok(value)) => Ok(value),
        (None, Err(error)) => Err(JsonError::Syntax(error)),
    }
}

/// What a value takes beside its own node, as [`from_slice`] would have charged it.
pub fn weight(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len() as u64 + TEXT_BYTES,
        Value::Array(items) => {
            let items = items.iter().map(|item| ITEM_BYTES + weight(item));
            CONTAINER_BYTES + items.sum::<u64>()
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| MEMBER_BYTES + key.len() as u64 + TEXT_BYTES + weight(value));
            CONTAINER_BYTES + members.sum::<u64>()
        }
    }
}

/// Makes one node and all below it.
#[derive(Clone, Copy)]
struct Node<'l> {
    lease: &'l Lease,
    /// The refusal, which the parser's own error cannot carry.
    refused: &'l Cell<Option<Exhausted>>,
}

impl Node<'_> {
    fn charge<E: serde::de::Error>(self, bytes: u64) -> Result<(), E> {
        self.lease.add(bytes).map_err(|exhausted| {
            self.refused.set(Some(exhausted));
            E::custom("the budget is used up")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.charge::<E>(value.len() as u64 + TEXT_BYTES)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        self.charge::<E>(value.len() as u64 + TEXT_BYTES)?;
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.charge::<A::Error>(CONTAINER_BYTES)?;
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            self.charge::<A::Error>(ITEM_BYTES)?;
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.charge::<A::Error>(CONTAINER_BYTES)?;
        let mut all = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.charge::<A::Error>(MEMBER_BYTES + key.len() as u64 + TEXT_BYTES)?;
            let value = members.next_value_seed(self)?;
            all.insert(key, value);
        }
        Ok(Value::Object(all))
    }
}
