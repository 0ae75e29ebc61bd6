// SPDX-License-Identifier: Apache-2.0
//! Who stands at the ends of uploaded relationships.

use std::collections::HashMap;

use durward_model::Namespace;
use durward_model::change::EndType;

use super::entities::{EntityOutcome, resolve_id};
use super::gather::{Gathered, NO_NUMBER};
use super::marks::has_entity;
use super::{Context, SyncMode};
use crate::bulk::part::EndAddress;
use crate::ids::{EdgeRef, EntityRef, ObjectRef};

/// Type of an end that is a relationship.
const RELATIONSHIP: u32 = u32::MAX;

/// A found end: its type (as [`EndTypes`] numbers it) and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) type_at: u32,
    pub(crate) number: u32,
}

/// Why an end is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoEnd {
    Missing,
    Protected,
    Ambiguous,
}

impl NoEnd {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Missing => "does not exist",
            Self::Protected => "is protected",
            Self::Ambiguous => "exists in several scopes",
        }
    }
}

/// The types at the ends, numbered as they come.
#[derive(Debug, Default)]
pub(crate) struct EndTypes {
    names: Vec<String>,
    index: HashMap<String, u32>,
}

impl EndTypes {
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(at) = self.index.get(name) {
            return *at;
        }
        let at = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), at);
        at
    }

    fn known(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    /// The type as changes name it.
    pub(crate) fn end_type(&self, at: u32) -> EndType {
        match self.names.get(at as usize) {
            Some(name) => EndType::Entity(name.clone()),
            None => EndType::Relationship,
        }
    }
}

/// Finds ends.
#[derive(Debug)]
pub(crate) struct EndFinder<'d> {
    context: Context<'d>,
    gathered: &'d Gathered,
    pub(crate) types: EndTypes,
    /// Type of each group.
    group_types: Vec<u32>,
}

impl<'d> EndFinder<'d> {
    pub(crate) fn new(context: Context<'d>, gathered: &'d Gathered, mut types: EndTypes) -> Self {
        for type_id in context.view.types() {
            types.number(context.view.type_name(type_id));
        }
        let groups = gathered.groups.iter();
        let group_types = groups
            .map(|group| types.number(&group.entity_type))
            .collect();
        Self {
            context,
            gathered,
            types,
            group_types,
        }
    }

    /// The end that a name means.
    pub(crate) fn find(
        &self,
        outcome: &EntityOutcome,
        address: &EndAddress,
        name: &str,
    ) -> Result<End, NoEnd> {
        if address.by_id {
            return match resolve_id(self.context.view, name).ok_or(NoEnd::Missing)? {
                ObjectRef::Entity(entity) => self.known(outcome, entity),
                ObjectRef::Edge(edge) => self.known_edge(outcome, edge),
            };
        }
        let own = &self.context.spec.namespace;
        let is_own = address
            .source
            .as_ref()
            .is_none_or(|source| *source == own.source)
            && address
                .scope
                .as_ref()
                .is_none_or(|scope| *scope == own.scope);
        if !is_own {
            let source = address.source.clone().unwrap_or_else(|| own.source.clone());
            let scope = address.scope.clone().unwrap_or_default();
            let namespace = Namespace::new(source, scope);
            let entity = self
                .context
                .view
                .find_by_key(&namespace, name)
                .ok_or(NoEnd::Missing)?;
            return self.known(outcome, entity);
        }
        if let Some((group, row)) = self.gathered.find(name)
            && let Some(end) = self.staged(group, row)
        {
            return Ok(end);
        }
        if self.context.blank && self.context.spec.mode != SyncMode::CrossScope {
            return Err(NoEnd::Missing);
        }
        if let Some(entity) = self.context.view.find_by_key(own, name) {
            return self.known(outcome, entity);
        }
        if self.context.spec.mode == SyncMode::CrossScope {
            let found = self.context.view.find_by_key_any_namespace(name);
            return match found.as_slice() {
                [] => Err(NoEnd::Missing),
                [entity] => self.known(outcome, *entity),
                _ => Err(NoEnd::Ambiguous),
            };
        }
        Err(NoEnd::Missing)
    }

    pub(crate) fn staged(&self, group: u32, row: u32) -> Option<End> {
        let rows = self.gathered.groups.get(group as usize)?;
        let number = *rows.numbers.get(row as usize)?;
        // A patch may leave the type out; then the entity is looked up in the graph.
        if number == NO_NUMBER || rows.entity_type.is_empty() {
            return None;
        }
        Some(End {
            type_at: *self.group_types.get(group as usize)?,
            number,
        })
    }

    pub(crate) fn known(&self, outcome: &EntityOutcome, entity: EntityRef) -> Result<End, NoEnd> {
        let view = self.context.view;
        let name = view.type_name(entity.type_id);
        if self.context.catalog.is_protected(name)
            || view.namespace(entity).source == Namespace::DURWARD
        {
            return Err(NoEnd::Protected);
        }
        if has_entity(&outcome.ended, entity) {
            return Err(NoEnd::Missing);
        }
        let type_at = self.types.known(name).ok_or(NoEnd::Missing)?;
        Ok(End {
            type_at,
            number: view.entity_number(entity).0,
        })
    }

    fn known_edge(&self, outcome: &EntityOutcome, edge: EdgeRef) -> Result<End, NoEnd> {
        let view = self.context.view;
        if view.edge_namespace(edge).source == Namespace::DURWARD {
            return Err(NoEnd::Protected);
        }
        if outcome
            .ended_edges
            .get(&edge.triple)
            .is_some_and(|rows| rows.get(edge.edge))
        {
            return Err(NoEnd::Missing);
        }
        Ok(End {
            type_at: RELATIONSHIP,
            number: view.edge_number(edge).0,
        })
    }
}
