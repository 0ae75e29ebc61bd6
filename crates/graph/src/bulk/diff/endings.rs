// SPDX-License-Identifier: Apache-2.0
//! Which relationships end.

use std::collections::BTreeSet;

use durward_model::change::{Change, EndType, Triple};
use durward_model::{Namespace, RelationshipNumber};

use super::DiffReport;
use super::entities::resolve_id;
use super::relationships::{Work, is_marked, keep_rows};
use crate::bulk::part::Removal;
use crate::ids::{EdgeRef, ObjectRef, TypeId};

impl Work<'_> {
    pub(super) fn remove_listed(&mut self, removals: &[Removal], report: &mut DiffReport) {
        let view = self.context.view;
        for removal in removals.iter().filter(|removal| removal.relationship) {
            let edge = if removal.by_id {
                match resolve_id(view, &removal.name) {
                    Some(ObjectRef::Edge(edge)) => Some(edge),
                    _ => None,
                }
            } else {
                view.find_edge_by_key(&self.context.spec.namespace, &removal.name)
            };
            let Some(edge) = edge else { continue };
            let name = &removal.name;
            if view.edge_namespace(edge).source == Namespace::DURWARD || !self.is_unprotected(edge)
            {
                report.relationships.delete_errors += 1;
                report.message(|| format!("relationship {name:?} is protected"));
            } else if is_marked(&self.seen, edge) {
                report.relationships.delete_errors += 1;
                report.message(|| {
                    format!("relationship {name:?} is uploaded and deleted in one job")
                });
            } else {
                self.ended.entry(edge.triple).or_default().set(edge.edge);
            }
        }
    }

    /// Whether no end of a relationship is of a protected type.
    fn is_unprotected(&self, edge: EdgeRef) -> bool {
        let view = self.context.view;
        let protected = |type_id| self.context.catalog.is_protected(view.type_name(type_id));
        view.triple(edge.triple)
            .is_some_and(|meta| !protected(meta.from) && !protected(meta.to))
    }

    /// Ends the live relationships of the namespace that were not uploaded.
    pub(super) fn end_absent(&mut self) {
        let view = self.context.view;
        let spec = self.context.spec;
        for triple in view.triples() {
            let seen = self.seen.get(&triple.id);
            let mut absent = Vec::new();
            for edge in &view.live_edge_rows(triple.id) {
                if seen.is_some_and(|seen| seen.get(edge)) {
                    continue;
                }
                let edge = EdgeRef {
                    triple: triple.id,
                    edge,
                };
                if self.context.members.has_edge(edge)
                    && (spec.partial.is_empty() || !spec.partial.has(view.edge_type_str(edge)))
                {
                    absent.push(edge.edge);
                }
            }
            if !absent.is_empty() {
                let ended = self.ended.entry(triple.id).or_default();
                for edge in absent {
                    ended.set(edge);
                }
            }
        }
    }

    /// Takes new relationships out that begin or end at one that ends in this job.
    pub(super) fn drop_dangling(&mut self, report: &mut DiffReport) {
        let view = self.context.view;
        let ended: BTreeSet<u32> = self
            .ended
            .iter()
            .flat_map(|(triple, rows)| {
                rows.iter().map(|edge| EdgeRef {
                    triple: *triple,
                    edge,
                })
            })
            .filter(|_| self.outcome.creations.iter().any(is_on_relationships))
            .map(|edge| view.edge_number(edge).0)
            .collect();
        for change in self
            .outcome
            .creations
            .iter_mut()
            .filter(|change| is_on_relationships(change))
        {
            let Change::CreateRelationships(batch) = change else {
                continue;
            };
            let dangles = |end: &EndType, number: u32| {
                *end == EndType::Relationship && ended.contains(&number)
            };
            let kept: Vec<u32> = (0..batch.from.len() as u32)
                .zip(batch.from.iter().zip(&batch.to))
                .filter(|(_, (from, to))| {
                    !dangles(&batch.triple.from, **from) && !dangles(&batch.triple.to, **to)
                })
                .map(|(row, _)| row)
                .collect();
            let dropped = (batch.from.len() - kept.len()) as u64;
            report.relationships.created = report.relationships.created.saturating_sub(dropped);
            report.relationships.create_errors += dropped;
            if dropped > 0 {
                keep_rows(batch, &kept);
            }
        }
        self.outcome.creations.retain(
            |change| !matches!(change, Change::CreateRelationships(batch) if batch.is_empty()),
        );
    }

    pub(super) fn write_deletions(&mut self, report: &mut DiffReport) {
        let view = self.context.view;
        for (triple, rows) in &self.ended {
            let number = |edge| {
                view.edge_number(EdgeRef {
                    triple: *triple,
                    edge,
                })
            };
            let relationships: Vec<RelationshipNumber> = rows
                .iter()
                .filter(|edge| {
                    view.is_edge_live(EdgeRef {
                        triple: *triple,
                        edge: *edge,
                    })
                })
                .map(number)
                .collect();
            let Some(meta) = view.triple(*triple).filter(|_| !relationships.is_empty()) else {
                continue;
            };
            report.relationships.deleted += relationships.len() as u64;
            let end = |type_id: TypeId| {
                if type_id.is_relationship() {
                    EndType::Relationship
                } else {
                    EndType::Entity(view.type_name(type_id).to_owned())
                }
            };
            self.outcome.deletions.push(Change::DeleteRelationships {
                triple: Triple {
                    from: end(meta.from),
                    verb: view.verb_name(meta.verb).to_owned(),
                    to: end(meta.to),
                },
                relationships,
            });
        }
    }
}

fn is_on_relationships(change: &Change) -> bool {
    matches!(change, Change::CreateRelationships(batch)
        if batch.triple.from == EndType::Relationship || batch.triple.to == EndType::Relationship)
}
