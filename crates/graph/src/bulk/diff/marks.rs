// SPDX-License-Identifier: Apache-2.0
//! Sets of rows that grow, and which rows belong to a namespace.

use std::collections::BTreeMap;

use durward_model::Namespace;

use crate::ids::{Direction, EdgeRef, EntityRef, TripleId, TypeId};
use crate::view::View;

/// A set of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    words: Vec<u64>,
}

impl Marks {
    /// Adds a row; whether it is new.
    pub(crate) fn set(&mut self, row: u32) -> bool {
        let at = (row / 64) as usize;
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        let bit = 1u64 << (row % 64);
        let Some(word) = self.words.get_mut(at) else {
            return false;
        };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether a row is in it.
    pub(crate) fn get(&self, row: u32) -> bool {
        self.words
            .get((row / 64) as usize)
            .is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                if left == 0 {
                    return None;
                }
                let bit = left.trailing_zeros();
                left &= left - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// Rows by type.
pub(crate) type EntityMarks = BTreeMap<TypeId, Marks>;
/// Edge rows by triple.
pub(crate) type EdgeMarks = BTreeMap<TripleId, Marks>;

/// Whether rows are marked.
pub(crate) fn has_entity(marks: &EntityMarks, entity: EntityRef) -> bool {
    marks
        .get(&entity.type_id)
        .is_some_and(|rows| rows.get(entity.row))
}

/// Tells which objects are in a namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Members<'v> {
    view: &'v View,
    /// None when no object ever was in it.
    namespace: Option<u32>,
}

impl<'v> Members<'v> {
    pub(crate) fn new(view: &'v View, namespace: &Namespace) -> Self {
        Self {
            view,
            namespace: view.namespace_number(namespace),
        }
    }

    /// Whether an entity is in it.
    pub(crate) fn has_entity(&self, entity: EntityRef) -> bool {
        let table = self.view.type_table(entity.type_id);
        let number = table.map(|table| table.records.namespaces.get(entity.row));
        number.is_some() && number == self.namespace
    }

    /// Whether a relationship is in it.
    pub(crate) fn has_edge(&self, edge: EdgeRef) -> bool {
        let table = self.view.triple_table(edge.triple);
        let number = table.map(|table| table.records.namespaces.get(edge.edge));
        number.is_some() && number == self.namespace
    }

    /// Whether no live object is in it.
    pub(crate) fn is_empty(&self) -> bool {
        if self.namespace.is_none() {
            return true;
        }
        let entities = self.view.types().into_iter().any(|type_id| {
            let rows = self.view.live_rows(type_id);
            rows.iter()
                .any(|row| self.has_entity(EntityRef { type_id, row }))
        });
        !entities
            && !self.view.triples().into_iter().any(|triple| {
                let rows = self.view.live_edge_rows(triple.id);
                rows.iter().any(|edge| {
                    self.has_edge(EdgeRef {
                        triple: triple.id,
                        edge,
                    })
                })
            })
    }
}

/// Marks the relationships of ended entities, and those of relationships that end.
pub(crate) fn cascade(view: &View, entities: &EntityMarks, edges: &mut EdgeMarks) {
    for (type_id, rows) in entities {
        for direction in [Direction::Out, Direction::In] {
            let triples = match direction {
                Direction::Out => view.triples_matching(Some(*type_id), None, None),
                Direction::In => view.triples_matching(None, None, Some(*type_id)),
            };
            for triple in triples {
                let adjacency = view.adjacency(triple.id, direction);
                let marks = edges.entry(triple.id).or_default();
                for row in rows.iter() {
                    adjacency.for_each_edge(row, |_, edge| {
                        marks.set(edge);
                    });
                }
            }
        }
    }
    cascade_edges(view, edges);
}

/// Marks the relationships that begin or end at marked ones.
pub(crate) fn cascade_edges(view: &View, edges: &mut EdgeMarks) {
    let mut on_edges = view.triples_matching(Some(TypeId::RELATIONSHIP), None, None);
    let mut to_edges = view.triples_matching(None, None, Some(TypeId::RELATIONSHIP));
    if on_edges.is_empty() && to_edges.is_empty() {
        return;
    }
    let out = on_edges
        .drain(..)
        .map(|triple| (triple.id, view.adjacency(triple.id, Direction::Out)));
    let back = to_edges
        .drain(..)
        .map(|triple| (triple.id, view.adjacency(triple.id, Direction::In)));
    let adjacencies: Vec<_> = out.chain(back).collect();
    let mut work: Vec<EdgeRef> = edges
        .iter()
        .flat_map(|(triple, rows)| {
            rows.iter().map(|edge| EdgeRef {
                triple: *triple,
                edge,
            })
        })
        .collect();
    while let Some(ended) = work.pop() {
        let number = view.edge_number(ended).0;
        for (triple, adjacency) in &adjacencies {
            let marks = edges.entry(*triple).or_default();
            adjacency.for_each_edge(number, |_, edge| {
                if marks.set(edge) {
                    work.push(EdgeRef {
                        triple: *triple,
                        edge,
                    });
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_in_order() {
        let mut marks = Marks::default();
        assert!(marks.set(130) && marks.set(0) && marks.set(63) && !marks.set(130));
        assert_eq!(marks.iter().collect::<Vec<_>>(), [0, 63, 130]);
        assert!(marks.get(63) && !marks.get(64) && !marks.get(100_000));
    }
}
