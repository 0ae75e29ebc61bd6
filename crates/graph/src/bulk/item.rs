// SPDX-License-Identifier: Apache-2.0
//! From the members of one JSON object to a row of a part.

mod columns;
mod entity;
mod error;
mod relationship;

use std::borrow::Cow;

use durward_catalog::Catalog;
use durward_model::limits::{KEY_BYTES_MAX, OBJECT_BYTES_MAX, PROPERTIES_MAX};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use self::columns::EndKeys;
use self::entity::EntityRows;
pub use self::error::ItemError;
use self::relationship::RelationshipRows;
use super::part::{Part, Removal};
use super::scan::{Members, Scalar};

/// Most cells that all columns of one upload may have (sparse properties count in every row).
const CELLS_MAX: usize = 48 << 20;

/// Deepest nesting of a document; the journal's records allow for a little more.
pub(crate) const DOCUMENT_DEPTH_MAX: usize = 100;

/// Most combinations of type, class and addressing in one upload.
const GROUPS_MAX: usize = 4000;

/// Members that the server sets itself; they come back with exported objects.
const SET_BY_SERVER: &[&str] = &[
    "_id",
    "_source",
    "_scope",
    "_accountId",
    "_version",
    "_createdOn",
    "_beginOn",
    "_endOn",
    "_deleted",
    "_latest",
    "_integrationInstanceId",
    "_integrationDefinitionId",
    "_integrationName",
    "_integrationType",
    "_integrationClass",
    "_rawDataHashes",
];

/// How items are read.
#[derive(Clone, Copy, Debug)]
pub struct ItemRules<'r> {
    /// What types are protected, and the classes of those that name none.
    pub catalog: &'r Catalog,
    /// Whether entities may leave out what they do not change, and be named by id.
    pub patch: bool,
    /// Whether properties that are not allowed are left out instead of refused.
    pub ignore_illegal_properties: bool,
}

/// A part under construction.
#[derive(Debug)]
pub struct PartBuilder<'r> {
    rules: ItemRules<'r>,
    entities: Vec<EntityRows>,
    last_entity: usize,
    relationships: Vec<RelationshipRows>,
    last_relationship: usize,
    ends: EndKeys,
    mapped: Vec<String>,
    removals: Vec<Removal>,
    ignored: Vec<String>,
    /// Cells of all columns.
    cells: usize,
}

/// The rows of `rows` that are not dead.
fn living(rows: usize, dead: &[u32]) -> Vec<u32> {
    let all = 0..rows as u32;
    all.filter(|row| dead.binary_search(row).is_err()).collect()
}

impl<'r> PartBuilder<'r> {
    /// An empty part.
    pub fn new(rules: ItemRules<'r>) -> Self {
        Self {
            rules,
            entities: Vec::new(),
            last_entity: 0,
            relationships: Vec::new(),
            last_relationship: 0,
            ends: EndKeys::default(),
            mapped: Vec::new(),
            removals: Vec::new(),
            ignored: Vec::new(),
            cells: 0,
        }
    }

    /// Adds the removal of the object that these members name by `_id` or `_key`.
    pub fn removal(&mut self, members: &Members<'_>, relationship: bool) -> Result<(), ItemError> {
        let mut removal = None;
        for (name, value) in members {
            let by_id = match name.as_ref() {
                "_id" => true,
                "_key" => false,
                _ => continue,
            };
            if by_id || removal.is_none() {
                let name = text(value, "_id or _key", KEY_BYTES_MAX * 3)?;
                let name = normalized(name).into_owned();
                removal = Some(Removal {
                    relationship,
                    by_id,
                    name,
                });
            }
        }
        self.removals
            .push(removal.ok_or(ItemError::Missing("_id or _key"))?);
        Ok(())
    }

    /// The finished part.
    pub fn finish(self) -> Part {
        let mut part = Part::default();
        part.entities.groups = self.entities.into_iter().map(EntityRows::finish).collect();
        part.relationships.groups = self
            .relationships
            .into_iter()
            .map(RelationshipRows::finish)
            .collect();
        part.entities.groups.retain(|group| !group.keys.is_empty());
        part.relationships
            .groups
            .retain(|group| !group.from.is_empty());
        part.entities.removals = self.removals;
        part.relationships.ends = self.ends.arena;
        part.relationships.mapped = self.mapped;
        part.warnings = self
            .ignored
            .iter()
            .map(|name| format!("property {name} was left out"))
            .collect();
        part
    }
}

/// A key in Unicode normal form C, in which two spellings of one text are the same bytes.
pub(crate) fn normalized(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// A type or class name without control characters.
pub(crate) fn check_name(text: &str, name: &'static str) -> Result<(), ItemError> {
    if text.chars().any(char::is_control) {
        Err(ItemError::Control(name))
    } else {
        Ok(())
    }
}

fn text<'m>(
    value: &'m Scalar<'_>,
    name: &'static str,
    bytes_max: usize,
) -> Result<&'m str, ItemError> {
    match value {
        Scalar::Text(text) if text.is_empty() => Err(ItemError::NotText(name)),
        Scalar::Text(text) if text.len() > bytes_max => Err(ItemError::TooLong(name, bytes_max)),
        Scalar::Text(text) => Ok(text),
        _ => Err(ItemError::NotText(name)),
    }
}

fn check_size(members: &Members<'_>) -> Result<(), ItemError> {
    if members.len() > PROPERTIES_MAX {
        return Err(ItemError::TooManyProperties);
    }
    let size = |value: &Scalar<'_>| match value {
        Scalar::Text(text) => text.len(),
        Scalar::Texts(list) => list.len(),
        Scalar::Nested(json) => json_size(json),
        _ => 8,
    };
    let bytes: usize = members
        .iter()
        .map(|(name, value)| name.len() + size(value))
        .sum();
    if bytes > OBJECT_BYTES_MAX {
        Err(ItemError::TooLarge)
    } else {
        Ok(())
    }
}

/// About as many bytes as a document takes.
fn json_size(json: &serde_json::Value) -> usize {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => text.len() + 2,
        Json::Array(items) => items.iter().map(|item| json_size(item) + 1).sum(),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + 4 + json_size(value))
            .sum(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 8,
    }
}

/// Decides about a member whose name begins with an underscore: fine, left out, or refused.
fn skip_reserved(
    ignored: &mut Vec<String>,
    rules: ItemRules<'_>,
    name: &str,
    entity: bool,
) -> Result<(), ItemError> {
    let known = match name {
        "_key" | "_type" | "_class" => true,
        "_rawData" => entity,
        "_id" if entity && rules.patch => true,
        "_fromEntityKey" | "_toEntityKey" | "_fromEntityId" | "_toEntityId" | "_fromSource"
        | "_toSource" | "_fromScope" | "_toScope" | "_fromEntitySource" | "_toEntitySource"
        | "_fromEntityScope" | "_toEntityScope" | "_mapping" => !entity,
        _ => false,
    };
    if known {
        return Ok(());
    }
    if SET_BY_SERVER.contains(&name) || rules.ignore_illegal_properties {
        note(ignored, name);
        return Ok(());
    }
    Err(ItemError::Reserved(name.to_owned()))
}

fn note(ignored: &mut Vec<String>, name: &str) {
    const NOTED_MAX: usize = 50;
    if ignored.len() < NOTED_MAX && !ignored.iter().any(|known| known == name) {
        ignored.push(name.to_owned());
    }
}

/// Whether a document is nested deeper than so many levels.
pub(crate) fn depth_exceeds(json: &serde_json::Value, depth: usize) -> bool {
    let Some(rest) = depth.checked_sub(1) else {
        return true;
    };
    use serde_json::Value as Json;
    match json {
        Json::Array(items) => items.iter().any(|item| depth_exceeds(item, rest)),
        Json::Object(members) => members.values().any(|member| depth_exceeds(member, rest)),
        _ => false,
    }
}
