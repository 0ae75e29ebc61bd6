// SPDX-License-Identifier: Apache-2.0
//! Checks that all kinds share: names, texts, tags, and which properties commands may set.

use durward_catalog::kinds::property;
use durward_model::Value;

use super::Properties;
use crate::object::TAG_PREFIX;
use crate::{AccessError, Kind};

/// Most tags of one object, longest name and value in characters: StrongDM's published limits.
const TAGS_MAX: usize = 50;
const TAG_NAME_CHARACTERS_MAX: usize = 128;
const TAG_VALUE_CHARACTERS_MAX: usize = 256;
const NAME_CHARACTERS_MAX: usize = 256;

/// Properties that no caller sets by name, beside the secret ones: each has a command or a rule of
/// its own.
const RESERVED: &[&str] = &[
    property::RIGHTS,
    property::BUILT_IN,
    property::SUSPENDED,
    property::STATE,
];

/// Refuses properties that commands do not take.
pub(super) fn check_settable(kind: Kind, properties: &Properties) -> Result<(), AccessError> {
    for name in properties.keys() {
        let is_plain = !name.is_empty() && !name.starts_with('_');
        if !is_plain || kind.is_secret(name) || RESERVED.contains(&name.as_str()) {
            return Err(AccessError::invalid(
                format!("the property {name:?}"),
                "cannot be set",
            ));
        }
    }
    check_tags(properties)
}

/// Refuses an object of a kind without what the catalog says it needs: of `properties` those that
/// are named, or all for a new one.
pub(super) fn check_required(
    kind: Kind,
    properties: &Properties,
    is_new: bool,
) -> Result<(), AccessError> {
    let required = kind.entry().properties.iter();
    for (property, entry) in required.filter(|(_, entry)| entry.required) {
        if is_new || properties.contains_key(property) {
            let what = format!("the {} of the {}", entry.noun, kind.noun());
            name(&what, text(properties, property)?)?;
        }
    }
    Ok(())
}

fn check_tags(properties: &Properties) -> Result<(), AccessError> {
    let tags = properties
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(TAG_PREFIX)?, value)));
    let mut count = 0;
    for (name, value) in tags {
        if name.is_empty() || name.chars().count() > TAG_NAME_CHARACTERS_MAX {
            let reason = format!("must have 1 to {TAG_NAME_CHARACTERS_MAX} characters");
            return Err(AccessError::invalid("the name of a tag", reason));
        }
        match value {
            Value::Null => continue,
            Value::String(text) if text.chars().count() <= TAG_VALUE_CHARACTERS_MAX => {}
            _ => {
                let what = format!("the value of the tag {name:?}");
                let reason =
                    format!("must be a text of at most {TAG_VALUE_CHARACTERS_MAX} characters");
                return Err(AccessError::invalid(what, reason));
            }
        }
        count += 1;
    }
    if count > TAGS_MAX {
        let reason = format!("may be at most {TAGS_MAX}");
        return Err(AccessError::invalid("the tags of an object", reason));
    }
    Ok(())
}

/// A name that people read. It is kept as it was sent: clients compare what they sent with what
/// they get.
pub(super) fn name(what: &str, text: &str) -> Result<String, AccessError> {
    if text.trim().is_empty() {
        return Err(AccessError::invalid(what, "must not be empty"));
    }
    if text.chars().count() > NAME_CHARACTERS_MAX {
        let reason = format!("may have at most {NAME_CHARACTERS_MAX} characters");
        return Err(AccessError::invalid(what, reason));
    }
    if text.chars().any(char::is_control) {
        return Err(AccessError::invalid(
            what,
            "must not hold control characters",
        ));
    }
    Ok(text.to_owned())
}

/// The text of a property; empty when it is not given.
///
/// # Errors
/// When it is something else than a text.
pub(super) fn text<'p>(properties: &'p Properties, name: &str) -> Result<&'p str, AccessError> {
    match properties.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(AccessError::invalid(
            format!("the property {name:?}"),
            "must be a text",
        )),
    }
}

/// Puts the checked name in place of the given one.
pub(super) fn require_name(properties: &mut Properties, what: &str) -> Result<(), AccessError> {
    let checked = name(what, text(properties, property::DISPLAY_NAME)?)?;
    properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(checked));
    Ok(())
}
