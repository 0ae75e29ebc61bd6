// SPDX-License-Identifier: Apache-2.0
//! Mapped relationships: the end is not named by key, but found by its properties, or made.

use durward_catalog::Catalog;
use durward_model::Value;
use durward_model::limits::{CLASSES_MAX, KEY_BYTES_MAX, NAME_BYTES_MAX};
use serde_json::{Map, Value as Json};

use super::item::{DOCUMENT_DEPTH_MAX, ItemError, check_name, depth_exceeds};

/// Source of the entities that mapping makes.
pub(crate) const MAPPER_SOURCE: &str = "system-mapper";

/// A mapped relationship, taken apart.
#[derive(Debug)]
pub(crate) struct Mapping<'m> {
    /// Key of the entity that is known.
    pub(crate) source_key: &'m str,
    /// Whether the relationship goes from the known entity to the found one.
    pub(crate) forward: bool,
    /// Sets of properties; the first set that all match finds the target.
    pub(crate) filters: Vec<Vec<&'m str>>,
    /// What is known of the target.
    pub(crate) target: &'m Map<String, Json>,
    /// Whether a target that is not found is not made.
    pub(crate) skip_creation: bool,
    /// The verb.
    pub(crate) verb: String,
    /// Its `_type`.
    pub(crate) relationship_type: &'m str,
    /// Its `_key`, if it has one.
    pub(crate) key: Option<&'m str>,
}

/// Checks a mapped relationship when it is uploaded: what is wrong with it is told then.
pub(crate) fn check(object: &Map<String, Json>, catalog: &Catalog) -> Result<(), ItemError> {
    if object
        .values()
        .any(|json| depth_exceeds(json, DOCUMENT_DEPTH_MAX))
    {
        return Err(ItemError::TooDeep("_mapping".to_owned()));
    }
    let mapping = take_apart(object)?;
    check_name(&mapping.verb, "_class")?;
    check_name(mapping.relationship_type, "_type")?;
    if object.get("_key").is_some_and(|key| !key.is_string()) {
        return Err(ItemError::NotText("_key"));
    }
    if mapping.key.is_some_and(|key| key.len() > KEY_BYTES_MAX * 3) {
        return Err(ItemError::TooLong("_key", KEY_BYTES_MAX * 3));
    }
    for (name, json) in object.iter().filter(|(name, _)| !name.starts_with('_')) {
        if json.is_array() || json.is_object() {
            return Err(ItemError::NotPlain(name.clone()));
        }
        check_property(name, json)?;
    }
    check_target(mapping.target, catalog)
}

fn check_target(target: &Map<String, Json>, catalog: &Catalog) -> Result<(), ItemError> {
    let bad = ItemError::BadMapping;
    match target.get("_type") {
        None | Some(Json::Null) => {}
        Some(Json::String(name)) if catalog.is_protected(name) => {
            return Err(ItemError::Protected(name.clone()));
        }
        Some(Json::String(name)) if name.len() <= NAME_BYTES_MAX => check_name(name, "_type")?,
        Some(_) => return Err(bad("_type of targetEntity must be a name")),
    }
    let classes = match target.get("_class") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    };
    for class in &classes {
        let name = class.as_str().unwrap_or_default();
        if name.is_empty() || name.len() > NAME_BYTES_MAX || classes.len() > CLASSES_MAX {
            return Err(ItemError::BadClass);
        }
        check_name(name, "_class")?;
    }
    match target.get("_key") {
        None | Some(Json::Null) => {}
        Some(Json::String(key)) if key.len() <= KEY_BYTES_MAX => {}
        Some(_) => return Err(bad("_key of targetEntity must be a text")),
    }
    let entity_type = target.get("_type").and_then(Json::as_str);
    let entity_type = entity_type.unwrap_or_default();
    for (name, json) in target.iter().filter(|(name, _)| !name.starts_with('_')) {
        if catalog.is_derived(entity_type, name) {
            return Err(ItemError::Derived {
                property: name.clone(),
                entity_type: entity_type.to_owned(),
            });
        }
        check_property(name, json)?;
    }
    Ok(())
}

fn check_property(name: &str, json: &Json) -> Result<(), ItemError> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(ItemError::BadName);
    }
    let bad = |source| ItemError::BadValue {
        property: name.to_owned(),
        source,
    };
    Value::from_json(json).map(drop).map_err(bad)
}

/// Takes a mapped relationship apart.
pub(crate) fn take_apart(object: &Map<String, Json>) -> Result<Mapping<'_>, ItemError> {
    let bad = ItemError::BadMapping;
    let mapping = object.get("_mapping").and_then(Json::as_object);
    let mapping = mapping.ok_or(bad("must be an object"))?;
    let text = |value: Option<&'_ Json>| -> Option<String> {
        value
            .and_then(Json::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let source_key = mapping.get("sourceEntityKey").and_then(Json::as_str);
    let source_key = source_key
        .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX)
        .ok_or(bad("sourceEntityKey must be a text"))?;
    let forward = match mapping.get("relationshipDirection").and_then(Json::as_str) {
        Some("FORWARD") => true,
        Some("REVERSE") => false,
        _ => return Err(bad("relationshipDirection must be FORWARD or REVERSE")),
    };
    let target = mapping.get("targetEntity").and_then(Json::as_object);
    let target = target.ok_or(bad("targetEntity must be an object"))?;
    let filters = filters(mapping.get("targetFilterKeys"))?;
    let verb = text(object.get("_class")).ok_or(ItemError::NotText("_class"))?;
    let relationship_type = object.get("_type").and_then(Json::as_str);
    let relationship_type = relationship_type
        .filter(|name| !name.is_empty())
        .ok_or(ItemError::NotText("_type"))?;
    if verb.len() > NAME_BYTES_MAX || relationship_type.len() > NAME_BYTES_MAX {
        return Err(ItemError::TooLong("_class or _type", NAME_BYTES_MAX));
    }
    Ok(Mapping {
        source_key,
        forward,
        filters,
        target,
        skip_creation: match mapping.get("skipTargetCreation") {
            None | Some(Json::Null) => false,
            Some(Json::Bool(skips)) => *skips,
            Some(_) => return Err(bad("skipTargetCreation must be true or false")),
        },
        verb: verb.to_ascii_uppercase(),
        relationship_type,
        key: object
            .get("_key")
            .and_then(Json::as_str)
            .filter(|key| !key.is_empty()),
    })
}

fn filters(json: Option<&Json>) -> Result<Vec<Vec<&str>>, ItemError> {
    let bad = ItemError::BadMapping("targetFilterKeys must be a list of lists of property names");
    let Some(sets) = json.and_then(Json::as_array) else {
        return Err(bad);
    };
    let mut filters = Vec::new();
    for set in sets {
        // One name alone is a set of one.
        let names: Option<Vec<&str>> = match set {
            Json::String(name) => Some(vec![name.as_str()]),
            Json::Array(names) => names.iter().map(Json::as_str).collect(),
            _ => None,
        };
        match names.filter(|names| !names.is_empty()) {
            Some(names) => filters.push(names),
            None => return Err(bad),
        }
    }
    Ok(filters)
}
