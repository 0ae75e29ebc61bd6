// SPDX-License-Identifier: Apache-2.0
//! Which object an operation means.

use durward_model::{Namespace, ObjectId};

use super::super::draft::Target;
use super::{Build, Handle, StoreError, normalized};
use crate::ids::{EdgeRef, EntityRef, ObjectRef};

impl Build<'_> {
    /// The object of a target; it lives, and did not end in this draft.
    pub(super) fn target(&self, target: &Target) -> Result<Handle, StoreError> {
        let (found, what) = match target {
            Target::Id(id) => (self.by_id(*id), format!("object {id}")),
            Target::Key(namespace, key) => {
                let found = self.by_key(namespace, &normalized(key));
                (
                    found,
                    format!(
                        "an object with key {key:?} in source {:?}",
                        namespace.source
                    ),
                )
            }
            Target::Alias(alias) => (
                self.by_alias(&normalized(alias)),
                format!("an object with alias {alias:?}"),
            ),
            Target::Result(position) => {
                let found = self.results.get(*position).map(|result| result.0);
                let found = found.filter(|handle| self.is_there(*handle));
                (found, format!("the object of operation {position}"))
            }
        };
        match found {
            Some(handle) => Ok(handle),
            None => self.not_found(what),
        }
    }

    pub(super) fn entity_target(&self, target: &Target) -> Result<Handle, StoreError> {
        match self.target(target)? {
            handle @ (Handle::Entity(_) | Handle::NewEntity(_)) => Ok(handle),
            Handle::Edge(_) | Handle::NewEdge(_) => self.invalid("a relationship is no entity"),
        }
    }

    pub(super) fn edge_target(&self, id: ObjectId) -> Result<EdgeRef, StoreError> {
        match self.by_id(id) {
            Some(Handle::Edge(edge)) => Ok(edge),
            Some(_) => self.invalid("an entity is no relationship"),
            None => self.not_found(format!("relationship {id}")),
        }
    }

    fn is_there(&self, handle: Handle) -> bool {
        match handle {
            Handle::Entity(entity) => !self.ended_entities.contains(&entity),
            Handle::Edge(edge) => !self.ended_edges.contains(&edge),
            Handle::NewEntity(_) | Handle::NewEdge(_) => true,
        }
    }

    fn by_id(&self, id: ObjectId) -> Option<Handle> {
        let handle = Handle::from(self.view().resolve(id)?);
        self.is_there(handle).then_some(handle)
    }

    fn by_key(&self, namespace: &Namespace, key: &str) -> Option<Handle> {
        let entity = self.entity_by_key(namespace, key);
        entity.or_else(|| self.edge_by_key(namespace, key))
    }

    pub(super) fn entity_by_key(&self, namespace: &Namespace, key: &str) -> Option<Handle> {
        if !self.entity_keys.is_empty() {
            let made = self.entity_keys.get(&(namespace.clone(), key.to_owned()));
            if let Some(position) = made {
                return Some(Handle::NewEntity(*position));
            }
        }
        let entity = self.view().find_by_key(namespace, key)?;
        self.is_there(Handle::Entity(entity))
            .then_some(Handle::Entity(entity))
    }

    pub(super) fn edge_by_key(&self, namespace: &Namespace, key: &str) -> Option<Handle> {
        if !self.edge_keys.is_empty() {
            let made = self.edge_keys.get(&(namespace.clone(), key.to_owned()));
            if let Some(position) = made {
                return Some(Handle::NewEdge(*position));
            }
        }
        let edge = self.view().find_edge_by_key(namespace, key)?;
        self.is_there(Handle::Edge(edge))
            .then_some(Handle::Edge(edge))
    }

    pub(super) fn by_alias(&self, alias: &str) -> Option<Handle> {
        if let Some(handle) = self.aliases_added.get(alias) {
            return Some(*handle);
        }
        let object = self.stored_alias(alias)?;
        let is_removed = self
            .aliases_removed
            .iter()
            .any(|(owner, gone)| *owner == object && gone == alias);
        let handle = Handle::from(object);
        (!is_removed && self.is_there(handle)).then_some(handle)
    }

    /// The live object that has this alias in the state.
    pub(super) fn stored_alias(&self, alias: &str) -> Option<ObjectRef> {
        self.view().find_alias(alias)
    }

    /// The end of a relationship as the graph refers to it.
    pub(super) fn end_of(&self, handle: Handle) -> Option<EntityRef> {
        match handle {
            Handle::Entity(entity) => Some(entity),
            Handle::Edge(edge) => Some(EntityRef::relationship(self.view().edge_number(edge))),
            Handle::NewEntity(_) | Handle::NewEdge(_) => None,
        }
    }
}
