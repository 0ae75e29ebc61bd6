// SPDX-License-Identifier: Apache-2.0
//! Reading core objects out of a view: properties as the types that they have, and what is bound
//! to what. Which kinds there are is for others to know.

use std::collections::BTreeMap;

use durward_model::{Instant, Namespace, ObjectId, Value};

use crate::{Direction, EdgeRef, EntityRef, ObjectRef, TripleId, View};

/// Start of the names of properties that are tags.
pub const TAG_PREFIX: &str = "tag.";

/// A relationship of an entity: itself and the entity at its other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The relationship.
    pub edge: EdgeRef,
    /// The other end.
    pub other: EntityRef,
}

/// A view, asked about core objects.
#[derive(Clone, Copy, Debug)]
pub struct CoreReader<'v> {
    view: &'v View,
}

impl<'v> CoreReader<'v> {
    /// A reader of a view.
    pub fn new(view: &'v View) -> Self {
        Self { view }
    }

    /// The view.
    pub fn view(self) -> &'v View {
        self.view
    }

    /// A property; null where there is none, or it is secret.
    pub fn value(self, entity: EntityRef, property: &str) -> Value {
        let property = self.view.property_id(property);
        property.map_or(Value::Null, |property| self.view.value(entity, property))
    }

    /// A secret property, which ordinary reads do not show.
    pub fn secret(self, entity: EntityRef, property: &str) -> Value {
        let property = self.view.property_id(property);
        property.map_or(Value::Null, |property| {
            self.view.secret_value(entity, property)
        })
    }

    /// A property that is a text.
    pub fn text(self, entity: EntityRef, property: &str) -> Option<String> {
        match self.value(entity, property) {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of a property that is a list.
    pub fn texts(self, entity: EntityRef, property: &str) -> Vec<String> {
        let Value::List(items) = self.value(entity, property) else {
            return Vec::new();
        };
        let texts = items.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// A property that is a moment.
    pub fn instant(self, entity: EntityRef, property: &str) -> Option<Instant> {
        match self.value(entity, property) {
            Value::Instant(instant) => Some(instant),
            _ => None,
        }
    }

    /// Whether a property is true.
    pub fn flag(self, entity: EntityRef, property: &str) -> bool {
        self.value(entity, property) == Value::Bool(true)
    }

    /// A whole number; 0 where there is none.
    pub fn number(self, entity: EntityRef, property: &str) -> i64 {
        match self.value(entity, property) {
            Value::Int(number) => number,
            _ => 0,
        }
    }

    /// The tags of an entity, by name.
    pub fn tags(self, entity: EntityRef) -> BTreeMap<String, String> {
        let properties = self.view.entity_properties(entity).into_iter();
        let tags = properties.filter_map(|(property, value)| {
            let name = self.view.property_name(property).strip_prefix(TAG_PREFIX)?;
            Some((name.to_owned(), value.as_str()?.to_owned()))
        });
        tags.collect()
    }

    /// A property of a relationship that is a moment.
    pub fn edge_instant(self, edge: EdgeRef, property: &str) -> Option<Instant> {
        match self.view.edge_value(edge, self.view.property_id(property)?) {
            Value::Instant(instant) => Some(instant),
            _ => None,
        }
    }

    /// Whether an entity is of one of these types.
    pub fn is_of(self, entity: EntityRef, entity_types: &[&str]) -> bool {
        let mut names = entity_types.iter();
        names.any(|name| self.view.type_id(name) == Some(entity.type_id))
    }

    /// The living core entity of this natural key and type.
    pub fn by_key(self, entity_type: &str, key: &str) -> Option<EntityRef> {
        let found = self.view.find_by_key(&Namespace::durward(), key)?;
        self.is_of(found, &[entity_type]).then_some(found)
    }

    /// The living entity of this id, if it is of one of these types.
    pub fn by_id(self, id: ObjectId, entity_types: &[&str]) -> Option<EntityRef> {
        let ObjectRef::Entity(found) = self.view.resolve(id)? else {
            return None;
        };
        self.is_of(found, entity_types).then_some(found)
    }

    /// The living entities of a type, in order of creation.
    pub fn live(self, entity_type: &str) -> Vec<EntityRef> {
        let Some(type_id) = self.view.type_id(entity_type) else {
            return Vec::new();
        };
        let rows = self.view.live_rows(type_id);
        rows.iter().map(|row| EntityRef { type_id, row }).collect()
    }

    /// The living relationships of a verb between an entity and those of type `other`, in one
    /// direction.
    pub fn links(
        self,
        entity: EntityRef,
        verb: &str,
        other: &str,
        direction: Direction,
    ) -> Vec<Link> {
        let mut found = Vec::new();
        let Some(type_id) = self.view.type_id(other) else {
            return found;
        };
        for triple in self.triples(entity, verb, other, direction) {
            let adjacency = self.view.adjacency(triple, direction);
            adjacency.for_each_edge(entity.row, |row, edge| {
                found.push(Link {
                    edge: EdgeRef { triple, edge },
                    other: EntityRef { type_id, row },
                });
            });
        }
        found
    }

    /// The entities at the far ends of these relationships.
    pub fn ends(
        self,
        entity: EntityRef,
        verb: &str,
        other: &str,
        direction: Direction,
    ) -> Vec<EntityRef> {
        let links = self.links(entity, verb, other, direction);
        links.into_iter().map(|link| link.other).collect()
    }

    fn triples(
        self,
        entity: EntityRef,
        verb: &str,
        other: &str,
        direction: Direction,
    ) -> Vec<TripleId> {
        let (Some(verb), Some(other)) = (self.view.verb_id(verb), self.view.type_id(other)) else {
            return Vec::new();
        };
        let (from, to) = match direction {
            Direction::Out => (entity.type_id, other),
            Direction::In => (other, entity.type_id),
        };
        let triples = self.view.triples_matching(Some(from), Some(verb), Some(to));
        triples.into_iter().map(|triple| triple.id).collect()
    }
}
