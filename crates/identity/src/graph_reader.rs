// SPDX-License-Identifier: Apache-2.0
//! Reading the core kinds out of a view.

use std::collections::BTreeMap;

use durward_graph::{Direction, EdgeRef, EntityRef, PropertyId, TripleId, TypeId, View};
use durward_model::{Instant, Namespace, ObjectId, Value};

use crate::accounts::{ACCOUNT_TYPE, ASSIGNED, GROUP_TYPE, HAS, ROLE_TYPE, SERVICE_TYPE};
use crate::credential::{NODE_TYPE, OWNS, TAG_PREFIX};

/// Types whose entities can own credentials.
const OWNER_TYPES: [&str; 3] = [ACCOUNT_TYPE, SERVICE_TYPE, NODE_TYPE];

/// A view, asked about accounts, roles and credentials.
#[derive(Clone, Copy)]
pub(crate) struct CoreReader<'v> {
    view: &'v View,
}

impl<'v> CoreReader<'v> {
    pub(crate) fn new(view: &'v View) -> Self {
        Self { view }
    }

    pub(crate) fn text(self, entity: EntityRef, property: &str) -> Option<String> {
        match self.value(entity, property) {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn texts(self, entity: EntityRef, property: &str) -> Vec<String> {
        let Value::List(items) = self.value(entity, property) else {
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    pub(crate) fn instant(self, entity: EntityRef, property: &str) -> Option<Instant> {
        match self.value(entity, property) {
            Value::Instant(instant) => Some(instant),
            _ => None,
        }
    }

    pub(crate) fn flag(self, entity: EntityRef, property: &str) -> bool {
        self.value(entity, property) == Value::Bool(true)
    }

    /// A whole number; 0 where there is none.
    pub(crate) fn number(self, entity: EntityRef, property: &str) -> i64 {
        match self.value(entity, property) {
            Value::Int(number) => number,
            _ => 0,
        }
    }

    /// The tags of an entity.
    pub(crate) fn tags(self, entity: EntityRef) -> BTreeMap<String, String> {
        let properties = self.view.entity_properties(entity).into_iter();
        let tag = |(property, value): (PropertyId, Value)| {
            let name = self.view.property_name(property).strip_prefix(TAG_PREFIX)?;
            Some((name.to_owned(), value.as_str()?.to_owned()))
        };
        properties.filter_map(tag).collect()
    }

    /// A secret property, which ordinary reads do not show.
    pub(crate) fn secret(self, entity: EntityRef, property: &str) -> Value {
        let property = self.view.property_id(property);
        property.map_or(Value::Null, |property| {
            self.view.secret_value(entity, property)
        })
    }

    /// The living core entity of this natural key and type.
    pub(crate) fn by_key(self, entity_type: &str, key: &str) -> Option<EntityRef> {
        let found = self.view.find_by_key(&Namespace::durward(), key)?;
        (Some(found.type_id) == self.view.type_id(entity_type)).then_some(found)
    }

    /// The living entity of this id, if it is of one of these types.
    pub(crate) fn by_id(self, id: ObjectId, entity_types: &[&str]) -> Option<EntityRef> {
        let durward_graph::ObjectRef::Entity(found) = self.view.resolve(id)? else {
            return None;
        };
        let fits = entity_types
            .iter()
            .any(|name| self.view.type_id(name) == Some(found.type_id));
        fits.then_some(found)
    }

    /// The living entities of a type, in order of creation.
    pub(crate) fn live(self, entity_type: &str) -> Vec<EntityRef> {
        let Some(type_id) = self.view.type_id(entity_type) else {
            return Vec::new();
        };
        let rows = self.view.live_rows(type_id);
        rows.iter().map(|row| EntityRef { type_id, row }).collect()
    }

    /// The account, service or node that owns a credential.
    pub(crate) fn owner_of(self, credential: EntityRef) -> Option<EntityRef> {
        let owner_types = OWNER_TYPES
            .iter()
            .filter_map(|name| self.view.type_id(name));
        owner_types
            .flat_map(|account| self.ends(account, OWNS, credential, Direction::In))
            .next()
    }

    /// The roles that an account or a group is assigned itself.
    pub(crate) fn roles_of(self, account: EntityRef) -> Vec<EntityRef> {
        let Some(role) = self.view.type_id(ROLE_TYPE) else {
            return Vec::new();
        };
        self.ends(role, ASSIGNED, account, Direction::Out)
    }

    /// The groups that an account is a member of.
    pub(crate) fn groups_of(self, account: EntityRef) -> Vec<EntityRef> {
        let Some(group) = self.view.type_id(GROUP_TYPE) else {
            return Vec::new();
        };
        self.ends(group, HAS, account, Direction::In)
    }

    pub(crate) fn version(self, entity: EntityRef) -> u32 {
        self.view.version(entity)
    }

    /// The assignments of an account: relationship and role.
    pub(crate) fn assignments_of(self, account: EntityRef) -> Vec<(EdgeRef, EntityRef)> {
        self.links(ROLE_TYPE, ASSIGNED, account, Direction::Out)
    }

    /// The living relationships of `entity`, each with the entity of type `other` at its far end.
    pub(crate) fn links(
        self,
        other: &str,
        verb: &str,
        entity: EntityRef,
        direction: Direction,
    ) -> Vec<(EdgeRef, EntityRef)> {
        let mut found = Vec::new();
        let Some(other) = self.view.type_id(other) else {
            return found;
        };
        for triple in self.triples(other, verb, entity, direction) {
            let adjacency = self.view.adjacency(triple, direction);
            adjacency.for_each_edge(entity.row, |row, edge| {
                let type_id = other;
                found.push((EdgeRef { triple, edge }, EntityRef { type_id, row }));
            });
        }
        found
    }

    /// The entities of type `other` at the far end of the living relationships of `entity`.
    fn ends(
        self,
        other: TypeId,
        verb: &str,
        entity: EntityRef,
        direction: Direction,
    ) -> Vec<EntityRef> {
        let mut found = Vec::new();
        for triple in self.triples(other, verb, entity, direction) {
            let adjacency = self.view.adjacency(triple, direction);
            adjacency.for_each(entity.row, |row| {
                let type_id = other;
                found.push(EntityRef { type_id, row });
            });
        }
        found
    }

    fn triples(
        self,
        other: TypeId,
        verb: &str,
        entity: EntityRef,
        direction: Direction,
    ) -> impl Iterator<Item = TripleId> {
        let (from, to) = match direction {
            Direction::Out => (entity.type_id, other),
            Direction::In => (other, entity.type_id),
        };
        let verb = self.view.verb_id(verb);
        let found = verb.map(|verb| self.view.triples_matching(Some(from), Some(verb), Some(to)));
        found.into_iter().flatten().map(|triple| triple.id)
    }

    fn value(self, entity: EntityRef, property: &str) -> Value {
        let property = self.view.property_id(property);
        property.map_or(Value::Null, |property| self.view.value(entity, property))
    }
}
