// SPDX-License-Identifier: Apache-2.0
//! Ending objects: with an entity end its relationships, and with a relationship those about it.

use durward_model::ObjectId;

use super::super::draft::{Outcome, Target};
use super::{Build, Handle, StoreError};
use crate::ids::{Direction, EdgeRef, EntityRef, TypeId};

impl Build<'_> {
    pub(super) fn delete_entity(
        &mut self,
        target: &Target,
    ) -> Result<(Handle, Outcome), StoreError> {
        let handle = self.entity_target(target)?;
        let Handle::Entity(entity) = handle else {
            return self.invalid("an entity that the same draft makes cannot be deleted by it");
        };
        self.check_unprotected(handle)?;
        self.check_not_used(handle)?;
        let edges = self.edges_at(entity);
        self.end_edges(edges)?;
        self.ended_entities.insert(entity);
        self.entity_patches.remove(&entity);
        self.forget_aliases(handle);
        Ok((handle, Outcome::Deleted))
    }

    pub(super) fn delete_relationship(
        &mut self,
        target: ObjectId,
    ) -> Result<(Handle, Outcome), StoreError> {
        let edge = self.edge_target(target)?;
        self.check_unprotected(Handle::Edge(edge))?;
        self.end_edges(vec![edge])?;
        Ok((Handle::Edge(edge), Outcome::Deleted))
    }

    /// Ends relationships, and the relationships that start or end at them, and so on.
    fn end_edges(&mut self, mut waiting: Vec<EdgeRef>) -> Result<(), StoreError> {
        let has_outer = !self
            .view()
            .triples_matching(Some(TypeId::RELATIONSHIP), None, None)
            .is_empty()
            || !self
                .view()
                .triples_matching(None, None, Some(TypeId::RELATIONSHIP))
                .is_empty();
        while let Some(edge) = waiting.pop() {
            if !self.ended_edges.insert(edge) {
                continue;
            }
            self.check_not_used(Handle::Edge(edge))?;
            self.edge_patches.remove(&edge);
            self.forget_aliases(Handle::Edge(edge));
            if has_outer {
                let end = EntityRef::relationship(self.view().edge_number(edge));
                waiting.extend(self.edges_at(end));
            }
        }
        Ok(())
    }

    /// The living relationships that start or end at an object.
    fn edges_at(&self, end: EntityRef) -> Vec<EdgeRef> {
        let view = self.view();
        let mut edges = Vec::new();
        let outward = view.triples_matching(Some(end.type_id), None, None);
        let inward = view.triples_matching(None, None, Some(end.type_id));
        let directed = outward.iter().map(|triple| (triple.id, Direction::Out));
        for (triple, direction) in directed.chain(inward.iter().map(|t| (t.id, Direction::In))) {
            view.adjacency(triple, direction)
                .for_each_edge(end.row, |_, edge| edges.push(EdgeRef { triple, edge }));
        }
        edges
    }

    /// What this draft attached to an object cannot end with it.
    fn check_not_used(&self, handle: Handle) -> Result<(), StoreError> {
        if self
            .edges
            .iter()
            .any(|edge| edge.from == handle || edge.to == handle)
        {
            return self.invalid("a relationship that the same draft makes cannot end by it");
        }
        Ok(())
    }

    fn forget_aliases(&mut self, handle: Handle) {
        self.aliases_added.retain(|_, owner| *owner != handle);
        self.aliases_removed
            .retain(|(owner, _)| Handle::from(*owner) != handle);
    }
}
