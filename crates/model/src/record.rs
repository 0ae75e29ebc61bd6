// SPDX-License-Identifier: Apache-2.0
//! Entities and relationships as importers hand them over: by natural keys, before any number or id
//! was given out.

use crate::Value;

/// An entity to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntityRecord {
    /// Natural key in the namespace of the import.
    pub key: String,
    /// Type in `snake_case`.
    pub entity_type: String,
    /// Classes in `TitleCase`.
    pub classes: Vec<String>,
    /// Properties; names without repeats, no nulls.
    pub properties: Vec<(String, Value)>,
}

/// A relationship to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelationshipRecord {
    /// Natural key of the entity at the start.
    pub from_key: String,
    /// Verb in capitals.
    pub verb: String,
    /// Natural key of the entity at the end.
    pub to_key: String,
    /// Its `_type`.
    pub relationship_type: String,
    /// Properties; names without repeats, no nulls.
    pub properties: Vec<(String, Value)>,
}

impl RelationshipRecord {
    /// The conventional natural key: `<from key>|<VERB>|<to key>`.
    pub fn key(&self) -> String {
        format!("{}|{}|{}", self.from_key, self.verb, self.to_key)
    }
}
