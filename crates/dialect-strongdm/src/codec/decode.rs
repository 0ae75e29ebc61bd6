// SPDX-License-Identifier: Apache-2.0
//! Reading what a client sends of an object.

use durward_access::Properties;
use durward_access::object::TAG_PREFIX;
use durward_catalog::kinds::property;
use durward_model::{Instant, Value};
use durward_policy::permission_level::LEVEL_SUSPENDED;
use durward_vault::Secret;
use prost_reflect::{DynamicMessage, Value as Wire};
use serde_json::Value as Json;

use super::document::{read_document, read_documents};
use super::{Field, Flow, Noun, Shape, Table};
use crate::mapping::{Meaning, OLD_SUSPENDED, PORT};
use crate::status::Status;

const CUSTOM_HEADERS: &str = "customHeaders";

/// What an object is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be made.
    Create,
    /// To replace another: fields that are empty are cleared.
    Replace,
}

/// An object as a client sent it.
#[derive(Default)]
pub(crate) struct Given {
    /// Branch of a polymorphic noun; empty for others.
    pub(crate) branch: String,
    /// Its id.
    pub(crate) id: String,
    /// Id of the object at its start.
    pub(crate) start: String,
    /// Id of the object at its end.
    pub(crate) end: String,
    /// Its properties; null for those that are to be cleared.
    pub(crate) properties: Properties,
    /// Its credentials.
    pub(crate) secrets: Properties,
    /// Its password.
    pub(crate) password: Option<Secret<String>>,
}

impl Noun {
    /// Reads the noun in the field of a request.
    pub(crate) fn read(&self, given: Option<&Wire>, purpose: Purpose) -> Result<Given, Status> {
        let missing = || Status::invalid(format!("the request has no {}", self.name()));
        let message = given.and_then(Wire::as_message).ok_or_else(missing)?;
        if !self.is_wrapper() {
            let branch = self.branch("").ok_or_else(missing)?;
            return read_message(&branch.table, message, purpose);
        }
        let (field, value) = message.fields().next().ok_or_else(missing)?;
        let branch = self.branch(field.name()).ok_or_else(missing)?;
        let inner = value.as_message().ok_or_else(missing)?;
        let given = read_message(&branch.table, inner, purpose)?;
        Ok(Given {
            branch: field.name().to_owned(),
            ..given
        })
    }
}

fn read_message(
    table: &Table,
    message: &DynamicMessage,
    purpose: Purpose,
) -> Result<Given, Status> {
    let mut given = Given::default();
    let mut old: Option<OldLevel> = None;
    for field in &table.fields {
        let value = message.get_field(&field.descriptor);
        let text = || value.as_str().unwrap_or_default().to_owned();
        match &field.meaning {
            Meaning::Id(_) => given.id = text(),
            Meaning::Start(_) => given.start = text(),
            Meaning::End(_) => given.end = text(),
            Meaning::Password => {
                let password = text();
                if !password.is_empty() {
                    given.password = Some(Secret::new(password));
                }
            }
            Meaning::Tags => read_tags(&value, &mut given.properties)?,
            Meaning::Property(_) if field.flow == Flow::Old => {
                old.get_or_insert_default().read(field, &value);
            }
            Meaning::Property(property) if field.flow != Flow::Out => {
                let value = read_value(field, &value)?;
                put(&mut given, field, property, value, purpose);
            }
            Meaning::CreatedAt | Meaning::Property(_) => {}
        }
    }
    take_header_secrets(&mut given);
    if let Some(old) = old {
        old.settle(&mut given.properties);
    }
    Ok(given)
}

/// What old clients say of the level of a user.
#[derive(Default)]
struct OldLevel {
    level: String,
    is_suspended: bool,
}

impl OldLevel {
    fn read(&mut self, field: &Field, value: &Wire) {
        if field.descriptor.name() == OLD_SUSPENDED {
            self.is_suspended = value.as_bool().unwrap_or_default();
        } else {
            value
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut self.level);
        }
    }

    /// Decides what level is given: that of the field for it, else what the old fields say, else
    /// none at all, so that it stays.
    fn settle(self, properties: &mut Properties) {
        let given = properties.get(property::PERMISSION_LEVEL);
        if given.is_some_and(|level| !level.is_null()) {
            return;
        }
        let level = if self.is_suspended {
            LEVEL_SUSPENDED.to_owned()
        } else {
            self.level
        };
        if level.is_empty() {
            properties.remove(property::PERMISSION_LEVEL);
        } else {
            properties.insert(property::PERMISSION_LEVEL.to_owned(), Value::from(level));
        }
    }
}

fn put(given: &mut Given, field: &Field, property: &str, value: Value, purpose: Purpose) {
    let is_empty = value.is_null();
    if field.flow == Flow::In {
        if !is_empty {
            given.secrets.insert(property.to_owned(), value);
        }
        return;
    }
    // A port of zero is a wish when an object is made, and no wish later.
    if property == PORT && is_empty && purpose == Purpose::Create {
        given.properties.insert(property.to_owned(), Value::Int(0));
        return;
    }
    if is_empty && (purpose == Purpose::Create || field.flow == Flow::Kept) {
        return;
    }
    given.properties.insert(property.to_owned(), value);
}

/// A field as a value; null when it is empty. Truth values are never empty: false is known too.
fn read_value(field: &Field, value: &Wire) -> Result<Value, Status> {
    Ok(match (&field.shape, value) {
        (Shape::Text, Wire::String(text)) if !text.is_empty() => Value::from(text.as_str()),
        (Shape::Integer, Wire::I32(integer)) if *integer != 0 => Value::Int(i64::from(*integer)),
        (Shape::Integer, Wire::I64(integer)) if *integer != 0 => Value::Int(*integer),
        (Shape::Bool, Wire::Bool(flag)) => Value::Bool(*flag),
        (Shape::Texts, Wire::List(items)) if !items.is_empty() => {
            let texts = items.iter().filter_map(Wire::as_str);
            Value::List(texts.map(Value::from).collect())
        }
        (Shape::Timestamp, Wire::Message(message)) => {
            read_instant(message)?.map_or(Value::Null, Value::Instant)
        }
        (Shape::Duration, Wire::Message(message)) => match read_duration(message)? {
            0 => Value::Null,
            micros => Value::Float(micros as f64 / 1e6),
        },
        (Shape::Document(table), Wire::Message(message)) => {
            read_document(table, message).map_or(Value::Null, |json| Value::Document(json.into()))
        }
        (Shape::Documents(table), Wire::List(items)) => {
            read_documents(table, items).map_or(Value::Null, |json| Value::Document(json.into()))
        }
        _ => Value::Null,
    })
}

/// The seconds and nanoseconds of a `Timestamp` or `Duration`.
fn parts(message: &DynamicMessage) -> (i64, i64) {
    let part = |number| message.get_field_by_number(number);
    let seconds = part(1).and_then(|value| value.as_i64()).unwrap_or_default();
    let nanos = part(2).and_then(|value| value.as_i32()).unwrap_or_default();
    (seconds, i64::from(nanos))
}

/// A moment; an empty one, or the beginning of the epoch, is none.
pub(crate) fn read_instant(message: &DynamicMessage) -> Result<Option<Instant>, Status> {
    /// The years 1 to 9999, which a `Timestamp` may name.
    const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
    let (seconds, nanos) = parts(message);
    if !SECONDS.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return Err(Status::invalid(
            "a moment lies outside of the years 1 to 9999",
        ));
    }
    let micros = seconds * 1_000_000 + nanos / 1000;
    // Go's zero time is none too.
    let is_none = micros == 0 || (seconds, nanos) == (*SECONDS.start(), 0);
    Ok((!is_none).then_some(Instant::from_micros(micros)))
}

/// A span of time in microseconds.
pub(crate) fn read_duration(message: &DynamicMessage) -> Result<i64, Status> {
    /// About 10,000 years, the most that a `Duration` may name.
    const SECONDS_MAX: i64 = 315_576_000_000;
    let (seconds, nanos) = parts(message);
    if seconds.abs() > SECONDS_MAX || nanos.abs() >= 1_000_000_000 {
        return Err(Status::invalid("a duration is longer than 10,000 years"));
    }
    Ok(seconds * 1_000_000 + nanos / 1000)
}

fn read_tags(value: &Wire, properties: &mut Properties) -> Result<(), Status> {
    let Some(pairs) = value
        .as_message()
        .and_then(|tags| tags.get_field_by_number(1))
    else {
        return Ok(());
    };
    for pair in pairs.as_list().unwrap_or_default() {
        let Some(pair) = pair.as_message() else {
            continue;
        };
        let text = |number| {
            let value = pair.get_field_by_number(number);
            value.and_then(|value| value.as_str().map(str::to_owned))
        };
        let name = text(1).unwrap_or_default();
        let tag = format!("{TAG_PREFIX}{name}");
        let value = Value::from(text(2).unwrap_or_default());
        if properties.insert(tag, value).is_some() {
            return Err(Status::invalid(format!("the tag {name:?} is given twice")));
        }
    }
    Ok(())
}

/// Values of headers that are marked as secret are secrets: they are kept apart and not shown.
fn take_header_secrets(given: &mut Given) {
    let Some(Value::Document(document)) = given.properties.remove(CUSTOM_HEADERS) else {
        return;
    };
    let mut document = document.into_json();
    let headers = document
        .get_mut(CUSTOM_HEADERS)
        .and_then(Json::as_array_mut);
    for header in headers
        .into_iter()
        .flatten()
        .filter_map(Json::as_object_mut)
    {
        if header.get("secret") != Some(&Json::Bool(true)) {
            continue;
        }
        let name = header
            .get("name")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let key = format!("{CUSTOM_HEADERS}.{name}");
        if let Some(Json::String(value)) = header.remove("value") {
            given.secrets.insert(key, Value::from(value));
        }
    }
    let rest = Value::Document(document.into());
    given.properties.insert(CUSTOM_HEADERS.to_owned(), rest);
}
