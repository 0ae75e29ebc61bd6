// SPDX-License-Identifier: Apache-2.0
//! What only commands of the core may write.

use durward_model::Namespace;

use super::{Build, Handle, Privilege, StoreError};
use crate::ids::{EdgeRef, EntityRef};

/// Relationships about relationships about ...: how far protection is looked for.
const DEPTH_MAX: u32 = 8;

impl Build<'_> {
    fn protected<T>(&self, what: impl Into<String>) -> Result<T, StoreError> {
        Err(StoreError::Protected {
            operation: self.operation,
            what: what.into(),
        })
    }

    /// A generic write must not make or change objects of this type or namespace.
    pub(super) fn check_kind(
        &self,
        entity_type: &str,
        namespace: &Namespace,
    ) -> Result<(), StoreError> {
        if self.privilege == Privilege::Core {
            return Ok(());
        }
        if self.ground.catalog.is_protected(entity_type) {
            return self.protected(format!("type {entity_type}"));
        }
        self.check_source(namespace)
    }

    pub(super) fn check_source(&self, namespace: &Namespace) -> Result<(), StoreError> {
        if self.privilege == Privilege::Generic && namespace.source == Namespace::DURWARD {
            return self.protected(format!("source {}", Namespace::DURWARD));
        }
        Ok(())
    }

    /// A generic write must not touch this object.
    pub(super) fn check_unprotected(&self, handle: Handle) -> Result<(), StoreError> {
        if self.privilege == Privilege::Core {
            return Ok(());
        }
        match handle {
            Handle::Entity(entity) if self.is_protected_entity(entity) => {
                self.protected(format!("type {}", self.view().type_name(entity.type_id)))
            }
            Handle::Edge(edge) if self.is_protected_edge(edge, DEPTH_MAX) => {
                self.protected("a relationship of a protected object")
            }
            // What this draft made was checked when it was made.
            _ => Ok(()),
        }
    }

    fn is_protected_entity(&self, entity: EntityRef) -> bool {
        let view = self.view();
        self.ground
            .catalog
            .is_protected(view.type_name(entity.type_id))
            || view.namespace(entity).source == Namespace::DURWARD
    }

    fn is_protected_edge(&self, edge: EdgeRef, depth: u32) -> bool {
        let view = self.view();
        if view.edge_namespace(edge).source == Namespace::DURWARD {
            return true;
        }
        let Some((from, to)) = view.edge_ends(edge) else {
            return true;
        };
        [from, to]
            .into_iter()
            .any(|end| match end.as_relationship() {
                None => self.is_protected_entity(end),
                Some(number) => match (view.edge_of(number), depth.checked_sub(1)) {
                    (Some(inner), Some(rest)) => self.is_protected_edge(inner, rest),
                    _ => true,
                },
            })
    }
}
