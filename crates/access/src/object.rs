// SPDX-License-Identifier: Apache-2.0
//! A core object as commands and readings give it: no secrets, tags among the properties.

use std::collections::BTreeMap;

use durward_graph::{EdgeRef, EntityRef, ObjectRef, View};
use durward_model::{Instant, ObjectId, Value};

use crate::Kind;

pub use durward_graph::core_reader::TAG_PREFIX;

/// A core object at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// For a relationship, the objects at its start and its end.
    pub ends: Option<(ObjectId, ObjectId)>,
    /// Its properties by name; never secret ones.
    pub properties: BTreeMap<String, Value>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Its version, from 1.
    pub version: u32,
}

impl Object {
    /// Reads an entity.
    pub fn of_entity(view: &View, kind: Kind, entity: EntityRef) -> Self {
        let properties = view.entity_properties(entity).into_iter();
        Self {
            id: view.entity_id(entity),
            kind,
            ends: None,
            properties: properties
                .map(|(property, value)| (view.property_name(property).to_owned(), value))
                .collect(),
            created_at: view.created_at(entity),
            updated_at: view.updated_at(entity),
            version: view.version(entity),
        }
    }

    /// Reads a relationship.
    pub fn of_edge(view: &View, kind: Kind, edge: EdgeRef) -> Self {
        let properties = view.edge_properties(edge).into_iter();
        let ends = view.edge_ends(edge);
        Self {
            id: view.edge_id(edge),
            kind,
            ends: ends.map(|(from, to)| (view.entity_id(from), view.entity_id(to))),
            properties: properties
                .map(|(property, value)| (view.property_name(property).to_owned(), value))
                .collect(),
            created_at: view.edge_created_at(edge),
            updated_at: view.edge_updated_at(edge),
            version: view.edge_version(edge),
        }
    }

    /// Reads an object of either sort.
    pub fn read(view: &View, kind: Kind, object: ObjectRef) -> Self {
        match object {
            ObjectRef::Entity(entity) => Self::of_entity(view, kind, entity),
            ObjectRef::Edge(edge) => Self::of_edge(view, kind, edge),
        }
    }

    /// A text property; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        self.properties
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether a property is true.
    pub fn flag(&self, name: &str) -> bool {
        self.properties.get(name) == Some(&Value::Bool(true))
    }

    /// A property that is a moment.
    pub fn instant(&self, name: &str) -> Option<Instant> {
        match self.properties.get(name) {
            Some(Value::Instant(instant)) => Some(*instant),
            _ => None,
        }
    }

    /// Its tags, by name.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.properties
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(TAG_PREFIX)?, value.as_str()?)))
    }
}
