// SPDX-License-Identifier: Apache-2.0
//! Reading the fields of JSON bodies. A null counts as an absent field, an absent field as the
//! zero of its type, and unknown fields are ignored: so do the clients expect it.

use durward_model::Instant;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

fn wrong(name: &str, what: &str) -> ApiError {
    ApiError::invalid(format!("the field {name:?} must be {what}"))
}

fn present<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// A text; empty when absent.
pub(crate) fn text<'a>(object: &'a Object, name: &str) -> Result<&'a str, ApiError> {
    match present(object, name) {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(wrong(name, "a text")),
    }
}

/// A text that must be there.
pub(crate) fn required<'a>(object: &'a Object, name: &str) -> Result<&'a str, ApiError> {
    match text(object, name)?.trim() {
        "" => Err(ApiError::invalid(format!("the field {name:?} is missing"))),
        text => Ok(text),
    }
}

/// One of a few texts; the first of them when absent.
pub(crate) fn choice(object: &Object, name: &str, choices: &[&str]) -> Result<String, ApiError> {
    let first = choices.first().copied().unwrap_or_default();
    match text(object, name)? {
        "" => Ok(first.to_owned()),
        text if choices.contains(&text) => Ok(text.to_owned()),
        _ => Err(wrong(name, &format!("one of {}", choices.join(", ")))),
    }
}

/// A truth value; `default` when absent.
pub(crate) fn flag(object: &Object, name: &str, default: bool) -> Result<bool, ApiError> {
    match present(object, name) {
        None => Ok(default),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(name, "true or false")),
    }
}

/// A port; 0 when absent.
pub(crate) fn port(object: &Object, name: &str) -> Result<u16, ApiError> {
    let Some(value) = present(object, name) else {
        return Ok(0);
    };
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    number.ok_or_else(|| wrong(name, "a port from 0 to 65535"))
}

/// An object; `None` when absent.
pub(crate) fn object<'a>(object: &'a Object, name: &str) -> Result<Option<&'a Object>, ApiError> {
    match present(object, name) {
        None => Ok(None),
        Some(Value::Object(inner)) => Ok(Some(inner)),
        Some(_) => Err(wrong(name, "an object")),
    }
}

/// The object in which a request is wrapped.
pub(crate) fn wrapped<'a>(outer: &'a Object, name: &str) -> Result<&'a Object, ApiError> {
    let missing = || ApiError::invalid(format!("the field {name:?} is missing"));
    object(outer, name)?.ok_or_else(missing)
}

/// A list of objects; empty when absent.
pub(crate) fn objects<'a>(object: &'a Object, name: &str) -> Result<Vec<&'a Object>, ApiError> {
    let items = match present(object, name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(wrong(name, "a list")),
    };
    let each = items.iter().map(Value::as_object);
    each.collect::<Option<_>>()
        .ok_or_else(|| wrong(name, "a list of objects"))
}

/// A list of texts; empty when absent.
pub(crate) fn texts(object: &Object, name: &str) -> Result<Vec<String>, ApiError> {
    let items = match present(object, name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(wrong(name, "a list")),
    };
    let each = items.iter().map(|item| item.as_str().map(str::to_owned));
    each.collect::<Option<_>>()
        .ok_or_else(|| wrong(name, "a list of texts"))
}

/// A list of texts out of a few.
pub(crate) fn choices(
    object: &Object,
    name: &str,
    choices: &[&str],
) -> Result<Vec<String>, ApiError> {
    let found = texts(object, name)?;
    match found.iter().find(|text| !choices.contains(&text.as_str())) {
        None => Ok(found),
        Some(_) => Err(wrong(name, &format!("a list of {}", choices.join(", ")))),
    }
}

/// A moment in RFC 3339; `None` when absent or empty.
pub(crate) fn instant(object: &Object, name: &str) -> Result<Option<Instant>, ApiError> {
    match text(object, name)? {
        "" => Ok(None),
        text => match text.parse() {
            Ok(instant) => Ok(Some(instant)),
            Err(_) => Err(wrong(name, "a moment such as 2026-01-31T12:00:00Z")),
        },
    }
}

/// These fields of an object, as they are; absent ones and nulls are left out.
pub(crate) fn only(object: &Object, names: &[&str]) -> Object {
    let kept = names.iter().filter_map(|name| {
        let value = present(object, name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    kept.collect()
}
