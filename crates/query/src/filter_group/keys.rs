// SPDX-License-Identifier: Apache-2.0
//! What the keys of filters mean in the graph. The dialect fills the tables.

use std::collections::BTreeMap;

use durward_graph::{ObjectRef, View};
use durward_model::{Namespace, ObjectId, Value};

use crate::plan::Way;

/// What a filter key stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyMeaning {
    /// A property, or any of several (`alias` is `aliases` or `x_opencti_aliases`).
    Properties(Vec<String>),
    /// The first of several properties that is there, else a fixed value: what an answer shows
    /// where nothing is stored. Filters and orders see just that value.
    FirstOf {
        /// The properties, the first one that is there counts.
        properties: Vec<String>,
        /// What stands for an object that has none of them.
        otherwise: Value,
    },
    /// Objects at the other end of a relationship of any of these verbs; values are ids of any
    /// spelling. `Way::Out` when the filtered object is at its start.
    Reference {
        /// The verbs, such as `MARKED`.
        verbs: Vec<String>,
        /// Which way from the filtered object.
        way: Way,
    },
    /// A property of the objects at the other end of such a relationship (`kill_chain_name`).
    ReferenceProperty {
        /// The verbs.
        verbs: Vec<String>,
        /// Which way from the filtered object.
        way: Way,
        /// The property there, or any of several.
        properties: Vec<String>,
    },
    /// The object itself, by any of its ids.
    Ids,
    /// The kind of the object, its parents included.
    EntityType,
    /// The kind of the relationship, its parents included.
    RelationshipType,
    /// The object at the start of a relationship.
    FromId,
    /// The object at its end.
    ToId,
    /// The object at either end.
    FromOrToId,
    /// The kind of the object at the start.
    FromTypes,
    /// The kind of the object at the end.
    ToTypes,
    /// The kind of the object at either end.
    FromOrToTypes,
    /// Objects with some relationship to some object.
    RegardingOf,
    /// As [`KeyMeaning::RegardingOf`], the other object being given by a filter group.
    DynamicRegardingOf,
    /// The object at the start fulfils a filter group.
    DynamicFrom,
    /// The object at the end fulfils a filter group.
    DynamicTo,
    /// An object that has any relationship to one of these.
    ConnectedTo,
    /// Known to clients, but nothing in the graph answers it.
    NotSupported,
}

/// Kinds of objects that are less than a graph type.
#[derive(Clone, Debug, Default)]
pub struct KindsWithin {
    /// The property that says of which kind an object is.
    pub property: String,
    /// Graph type and what the property says, by the name of a kind in lower case.
    pub kinds: BTreeMap<String, (String, String)>,
}

/// The meaning of all keys for one kind of object, and of the names of kinds.
#[derive(Clone, Debug, Default)]
pub struct KeyTable {
    /// Keys by name. What is not here is an error.
    pub keys: BTreeMap<String, KeyMeaning>,
    /// Graph types by the name of a kind in lower case (`attack-pattern`, `container`); a name that
    /// is not here means no type.
    pub types: BTreeMap<String, Vec<String>>,
    /// Names that mean some objects of a type.
    pub within: KindsWithin,
    /// Verbs by the name of a kind of relationship in lower case. A name that is not here stands
    /// for the verb of the same name in capitals with `_` for `-`.
    pub verbs: BTreeMap<String, Vec<String>>,
    /// Namespaces in which natural keys (standard ids) of relationships are looked up.
    pub namespaces: Vec<Namespace>,
}

impl KeyTable {
    /// Adds keys that are properties of the same name.
    #[must_use]
    pub fn with_properties<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        for name in names {
            self.keys.insert(
                name.to_owned(),
                KeyMeaning::Properties(vec![name.to_owned()]),
            );
        }
        self
    }

    /// Adds one key.
    #[must_use]
    pub fn with(mut self, name: &str, meaning: KeyMeaning) -> Self {
        self.keys.insert(name.to_owned(), meaning);
        self
    }

    /// Adds a key for objects at the other end of a relationship.
    #[must_use]
    pub fn with_reference(self, name: &str, verb: &str, way: Way) -> Self {
        self.with(
            name,
            KeyMeaning::Reference {
                verbs: vec![verb.to_owned()],
                way,
            },
        )
    }

    /// Graph type of a kind of object that is less than a type, and what its objects say.
    pub fn kind_within(&self, name: &str) -> Option<&(String, String)> {
        self.within.kinds.get(&name.trim().to_lowercase())
    }

    /// Graph types of a kind of object.
    pub fn types_of(&self, name: &str) -> Vec<String> {
        self.types
            .get(&name.trim().to_lowercase())
            .cloned()
            .unwrap_or_default()
    }

    /// Verbs of a kind of relationship.
    pub fn verbs_of(&self, name: &str) -> Vec<String> {
        let name = name.trim().to_lowercase();
        self.verbs
            .get(&name)
            .cloned()
            .unwrap_or_else(|| vec![name.to_uppercase().replace('-', "_")])
    }

    /// The objects that an id of any spelling names: public id, alias, or natural key.
    pub fn resolve(&self, view: &View, text: &str) -> Vec<ObjectId> {
        let text = text.trim();
        if let Some(id) = view.id_cipher().parse_uuid(text) {
            return vec![id];
        }
        let mut found: Vec<ObjectId> = Vec::new();
        found.extend(view.find_alias(text).map(|object| match object {
            ObjectRef::Entity(entity) => view.entity_id(entity),
            ObjectRef::Edge(edge) => view.edge_id(edge),
        }));
        let keyed = view.find_by_key_any_namespace(text);
        found.extend(keyed.into_iter().map(|entity| view.entity_id(entity)));
        for namespace in &self.namespaces {
            let edge = view.find_edge_by_key(namespace, text);
            found.extend(edge.map(|edge| view.edge_id(edge)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
