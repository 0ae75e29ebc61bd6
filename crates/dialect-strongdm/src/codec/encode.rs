// SPDX-License-Identifier: Apache-2.0
//! Writing messages from properties.

use std::ops::Bound;

use durward_access::Properties;
use durward_access::object::TAG_PREFIX;
use durward_catalog::ids;
use durward_model::{Instant, ObjectId, Value};
use durward_policy::permission_level::{LEVEL_DEFAULT, LEVEL_SUSPENDED};

use super::document::{write_document, write_documents};
use super::{Field, Flow, Item, Shape, Table};
use crate::mapping::Meaning;
use crate::wire::{put_bytes, put_integer};

const SECOND_MICROS: i64 = 1_000_000;

/// Appends the fields of an item.
pub(super) fn write_message(out: &mut Vec<u8>, table: &Table, item: &Item<'_>) {
    for field in &table.fields {
        if field.flow == Flow::In {
            continue;
        }
        let number = field.number;
        match (&field.meaning, item.ends) {
            (Meaning::Id(prefix), _) => write_id(out, number, prefix, item.id),
            (Meaning::Start(prefix), Some((start, _))) => write_id(out, number, prefix, start),
            (Meaning::End(prefix), Some((_, end))) => write_id(out, number, prefix, end),
            (Meaning::CreatedAt, _) => write_instant(out, number, item.created_at),
            (Meaning::Tags, _) => write_tags(out, number, item.properties),
            (Meaning::Property(property), _) => {
                if let Some(value) = item.value(property) {
                    write_value(out, field, value);
                }
            }
            (Meaning::Password | Meaning::Start(_) | Meaning::End(_), _) => {}
        }
    }
}

/// Appends one property, in the form of its field. A value of another form, which only other
/// dialects can have put there, is left out.
fn write_value(out: &mut Vec<u8>, field: &Field, value: &Value) {
    let number = field.number;
    match (&field.shape, value) {
        // Old clients have a field of its own for this, and send back the level that they read.
        (Shape::Text, Value::String(text))
            if field.flow == Flow::Old && text == LEVEL_SUSPENDED =>
        {
            put_bytes(out, number, LEVEL_DEFAULT.as_bytes());
        }
        (Shape::Text, Value::String(text)) if !text.is_empty() => {
            put_bytes(out, number, text.as_bytes());
        }
        (Shape::Texts, Value::List(items)) => {
            for text in items.iter().filter_map(Value::as_str) {
                put_bytes(out, number, text.as_bytes());
            }
        }
        (Shape::Integer, Value::Int(integer)) => put_integer(out, number, *integer),
        (Shape::Bool, Value::Bool(flag)) => put_integer(out, number, i64::from(*flag)),
        (Shape::Timestamp, Value::Instant(instant)) => write_instant(out, number, *instant),
        (Shape::Duration, value) => {
            if let Some(seconds) = value.as_number() {
                write_duration(out, number, seconds);
            }
        }
        (Shape::Document(table), Value::Document(json)) => {
            write_document(out, number, table, json);
        }
        (Shape::Documents(table), Value::Document(json)) => {
            write_documents(out, number, table, json);
        }
        _ => {}
    }
}

fn write_id(out: &mut Vec<u8>, number: u32, prefix: &str, id: ObjectId) {
    put_bytes(out, number, ids::prefixed(prefix, id).as_bytes());
}

/// Appends a moment.
pub(crate) fn write_instant(out: &mut Vec<u8>, number: u32, instant: Instant) {
    let micros = instant.as_micros();
    let mut timestamp = Vec::with_capacity(12);
    put_integer(&mut timestamp, 1, micros.div_euclid(SECOND_MICROS));
    put_integer(&mut timestamp, 2, micros.rem_euclid(SECOND_MICROS) * 1000);
    put_bytes(out, number, &timestamp);
}

fn write_duration(out: &mut Vec<u8>, number: u32, seconds: f64) {
    let mut duration = Vec::with_capacity(12);
    put_integer(&mut duration, 1, seconds.trunc() as i64);
    put_integer(&mut duration, 2, (seconds.fract() * 1e9).round() as i64);
    put_bytes(out, number, &duration);
}

/// The tags among properties, by name.
pub(crate) fn tags(properties: &Properties) -> impl Iterator<Item = (&str, &str)> {
    let start = (Bound::Included(TAG_PREFIX), Bound::Unbounded);
    let named = properties.range::<str, _>(start);
    named
        .map_while(|(name, value)| Some((name.strip_prefix(TAG_PREFIX)?, value)))
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
}

/// Appends the tags: a message with a list of pairs.
fn write_tags(out: &mut Vec<u8>, number: u32, properties: &Properties) {
    let mut pairs = Vec::new();
    for (name, value) in tags(properties) {
        write_pair(&mut pairs, 1, name, value);
    }
    if !pairs.is_empty() {
        put_bytes(out, number, &pairs);
    }
}

/// Appends a tag: a message with a name and a value.
pub(crate) fn write_pair(out: &mut Vec<u8>, number: u32, name: &str, value: &str) {
    let mut pair = Vec::with_capacity(name.len() + value.len() + 8);
    put_bytes(&mut pair, 1, name.as_bytes());
    put_bytes(&mut pair, 2, value.as_bytes());
    put_bytes(out, number, &pair);
}
