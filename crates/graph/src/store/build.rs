// SPDX-License-Identifier: Apache-2.0
//! From a draft to changes: every operation is checked against the pending state and the operations
//! before it; the net effect becomes changes at the end.

mod aliases;
mod deletes;
mod emit;
mod entities;
mod names;
mod properties;
mod protection;
mod relationships;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use durward_catalog::Catalog;
use durward_model::change::Change;
use durward_model::{Namespace, Value};
use hashbrown::HashMap;

use super::draft::{Draft, Operation, OperationResult, Outcome, Privilege};
use super::error::StoreError;
use super::unique::{UniqueChange, UniqueIndex};
use crate::ids::{EdgeRef, EntityRef, NextNumbers, ObjectRef};
use crate::view::View;

pub(super) use names::normalized;

/// What a draft comes to.
#[derive(Debug, Default)]
pub(super) struct Built {
    pub(super) changes: Vec<Change>,
    pub(super) results: Vec<OperationResult>,
    pub(super) unique: Vec<UniqueChange>,
}

/// The state and the rules that a draft is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'a> {
    pub(super) view: &'a View,
    pub(super) catalog: &'a Catalog,
    pub(super) unique: &'a UniqueIndex,
    pub(super) next: NextNumbers,
}

/// Checks a draft and gives its changes.
pub(super) fn build(ground: Ground<'_>, draft: &Draft) -> Result<Built, StoreError> {
    let mut build = Build {
        ground,
        privilege: draft.privilege,
        operation: 0,
        entities: Vec::new(),
        entity_keys: HashMap::new(),
        edges: Vec::new(),
        edge_keys: HashMap::new(),
        entity_patches: BTreeMap::new(),
        edge_patches: BTreeMap::new(),
        ended_entities: BTreeSet::new(),
        ended_edges: BTreeSet::new(),
        aliases_added: BTreeMap::new(),
        aliases_removed: Vec::new(),
        results: Vec::with_capacity(draft.operations.len()),
    };
    for (position, operation) in draft.operations.iter().enumerate() {
        build.operation = position;
        let result = build.run(operation)?;
        build.results.push(result);
    }
    build.finish()
}

/// An object, old or made by this draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handle {
    Entity(EntityRef),
    Edge(EdgeRef),
    NewEntity(usize),
    NewEdge(usize),
}

impl From<ObjectRef> for Handle {
    fn from(object: ObjectRef) -> Self {
        match object {
            ObjectRef::Entity(entity) => Self::Entity(entity),
            ObjectRef::Edge(edge) => Self::Edge(edge),
        }
    }
}

/// An entity made by this draft.
#[derive(Debug)]
struct NewEntity {
    entity_type: String,
    classes: Vec<String>,
    namespace: Namespace,
    key: String,
    properties: BTreeMap<String, Value>,
    operation: usize,
}

/// A relationship made by this draft.
#[derive(Debug)]
struct NewEdge {
    from: Handle,
    verb: String,
    to: Handle,
    relationship_type: String,
    namespace: Namespace,
    key: String,
    is_conventional: bool,
    properties: BTreeMap<String, Value>,
}

/// What changes of an old object.
#[derive(Debug, Default)]
struct Patch {
    set: BTreeMap<String, Value>,
    classes: Option<Vec<String>>,
    operation: usize,
}

#[derive(Debug)]
struct Build<'a> {
    ground: Ground<'a>,
    privilege: Privilege,
    /// Position of the operation at work, for errors.
    operation: usize,
    entities: Vec<NewEntity>,
    entity_keys: HashMap<(Namespace, String), usize>,
    edges: Vec<NewEdge>,
    edge_keys: HashMap<(Namespace, String), usize>,
    entity_patches: BTreeMap<EntityRef, Patch>,
    edge_patches: BTreeMap<EdgeRef, Patch>,
    ended_entities: BTreeSet<EntityRef>,
    ended_edges: BTreeSet<EdgeRef>,
    aliases_added: BTreeMap<String, Handle>,
    aliases_removed: Vec<(ObjectRef, String)>,
    results: Vec<(Handle, Outcome)>,
}

impl Build<'_> {
    fn run(&mut self, operation: &Operation) -> Result<(Handle, Outcome), StoreError> {
        match operation {
            Operation::PutEntity { .. } => self.put_entity(operation),
            Operation::PatchEntity {
                target,
                set,
                classes,
                expected_version,
            } => self.patch_entity(target, set, classes.as_deref(), *expected_version),
            Operation::DeleteEntity { target } => self.delete_entity(target),
            Operation::PutRelationship { .. } => self.put_relationship(operation),
            Operation::PatchRelationship { target, set } => self.patch_relationship(*target, set),
            Operation::DeleteRelationship { target } => self.delete_relationship(*target),
            Operation::AddAlias { target, alias } => {
                let handle = self.target(target)?;
                self.check_unprotected(handle)?;
                let is_new = self.add_alias(handle, alias)?;
                Ok((
                    handle,
                    if is_new {
                        Outcome::Updated
                    } else {
                        Outcome::Unchanged
                    },
                ))
            }
            Operation::RemoveAlias { target, alias } => self.remove_alias(target, alias),
        }
    }

    fn view(&self) -> &View {
        self.ground.view
    }

    fn invalid<T>(&self, reason: impl Into<String>) -> Result<T, StoreError> {
        Err(StoreError::Invalid {
            operation: self.operation,
            reason: reason.into(),
        })
    }

    fn not_found<T>(&self, what: impl Into<String>) -> Result<T, StoreError> {
        Err(StoreError::NotFound {
            operation: self.operation,
            what: what.into(),
        })
    }

    fn exists<T>(&self, what: impl Into<String>) -> Result<T, StoreError> {
        Err(StoreError::AlreadyExists {
            operation: self.operation,
            what: what.into(),
        })
    }
}
