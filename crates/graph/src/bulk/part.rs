// SPDX-License-Identifier: Apache-2.0
//! What one upload body becomes: rows in columns, entities by type and classes, relationships by
//! verb, type and way of naming their ends.

use durward_model::StringArena;
use durward_model::change::{Column, RelationshipKeys};
use serde_json::{Map, Value as Json};

use super::partial::PartialTypes;
use super::rejected::Rejections;

/// Everything in one upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// Its entities and removals.
    pub entities: EntitySection,
    /// Its relationships.
    pub relationships: RelationshipSection,
    /// What the uploader should know, each sort once.
    pub warnings: Vec<String>,
    /// Items that were left out.
    pub rejected: Rejections,
}

/// The entities of an upload, and what it asks to remove.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntitySection {
    /// Entities by type, classes and addressing.
    pub groups: Vec<EntityGroup>,
    /// Objects to delete.
    pub removals: Vec<Removal>,
}

/// Entities of one type with the same classes.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityGroup {
    /// Their type; empty when a patch leaves it out.
    pub entity_type: String,
    /// Their classes; `None` when a patch leaves them out.
    pub classes: Option<Vec<String>>,
    /// Whether `keys` holds ids instead of natural keys.
    pub by_id: bool,
    /// One natural key (or id) each.
    pub keys: StringArena,
    /// Their properties.
    pub columns: Vec<Column>,
    /// Row and column of each property that was given as null.
    pub nulls: Vec<(u32, u32)>,
}

/// The relationships of an upload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelationshipSection {
    /// Relationships by verb, type and addressing.
    pub groups: Vec<RelationshipGroup>,
    /// The distinct keys and ids of all ends.
    pub ends: StringArena,
    /// Mapped relationships as JSON objects.
    pub mapped: Vec<String>,
}

/// Relationships of one verb and type, whose ends are named in the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct RelationshipGroup {
    /// The verb, in capitals.
    pub verb: String,
    /// Their `_type`.
    pub relationship_type: String,
    /// How the start is named.
    pub from_address: EndAddress,
    /// How the end is named.
    pub to_address: EndAddress,
    /// Position of each start in the section's `ends`.
    pub from: Vec<u32>,
    /// Position of each end in the section's `ends`.
    pub to: Vec<u32>,
    /// Their natural keys.
    pub keys: RelationshipKeys,
    /// Their properties.
    pub columns: Vec<Column>,
}

/// How an end of a relationship is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EndAddress {
    /// Whether by id instead of by natural key.
    pub by_id: bool,
    /// Source of the entity, where it is not the job's.
    pub source: Option<String>,
    /// Scope of the entity, where it is not the job's.
    pub scope: Option<String>,
}

/// An object to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Whether it is a relationship.
    pub relationship: bool,
    /// Whether `name` is an id instead of a natural key.
    pub by_id: bool,
    /// Its id or natural key.
    pub name: String,
}

/// How much is in a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartCounts {
    /// Entities.
    pub entities: u64,
    /// Relationships.
    pub relationships: u64,
    /// Mapped relationships.
    pub mapped: u64,
    /// Removals.
    pub removals: u64,
}

impl Part {
    /// The types of everything that came with it, what was left out included.
    pub fn types(&self) -> PartialTypes {
        let mut types = self.rejected.types.clone();
        for group in &self.entities.groups {
            types.add(Some(&group.entity_type));
        }
        for group in &self.relationships.groups {
            types.add(Some(&group.relationship_type));
        }
        for json in &self.relationships.mapped {
            let object: Option<Map<String, Json>> = serde_json::from_str(json).ok();
            let name = object.as_ref().and_then(|object| object.get("_type"));
            types.add(name.and_then(Json::as_str));
        }
        types
    }

    /// How much is in it.
    pub fn counts(&self) -> PartCounts {
        let entities = self
            .entities
            .groups
            .iter()
            .map(|group| group.keys.len() as u64)
            .sum();
        let rows = self
            .relationships
            .groups
            .iter()
            .map(|group| group.from.len() as u64);
        PartCounts {
            entities,
            relationships: rows.sum(),
            mapped: self.relationships.mapped.len() as u64,
            removals: self.entities.removals.len() as u64,
        }
    }
}

impl PartCounts {
    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds the counts of another part.
    pub fn add(&mut self, other: &Self) {
        self.entities += other.entities;
        self.relationships += other.relationships;
        self.mapped += other.mapped;
        self.removals += other.removals;
    }
}
