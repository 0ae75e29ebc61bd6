// SPDX-License-Identifier: Apache-2.0
//! How much memory the parts of a state take.

use super::Snapshot;

/// Bytes of memory that the parts of a state take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Natural keys of entities, and relationship keys that are not conventional.
    pub keys: usize,
    /// Indexes of natural keys.
    pub key_index: usize,
    /// Properties.
    pub columns: usize,
    /// Neighbours both ways.
    pub adjacency: usize,
    /// Undo logs, ended objects, change logs.
    pub history: usize,
    /// Extents, class sets, namespaces, aliases, the timeline.
    pub other: usize,
}

impl MemoryUse {
    /// All of it.
    pub fn total(&self) -> usize {
        self.keys + self.key_index + self.columns + self.adjacency + self.history + self.other
    }
}

impl Snapshot {
    /// Bytes that the state takes, by part. Walks over all of it: not for every request.
    pub fn memory(&self) -> MemoryUse {
        let mut sum = MemoryUse {
            key_index: self.key_index.bytes() + self.edge_key_index.bytes(),
            other: self.aliases.bytes()
                + self.timeline.bytes()
                + self.entities.bytes()
                + self.relationships.bytes(),
            ..MemoryUse::default()
        };
        let mut add = |(columns, history, other): (usize, usize, usize)| {
            sum.columns += columns;
            sum.history += history;
            sum.other += other;
        };
        for table in self.types.iter() {
            add(table.records.bytes());
            add((0, table.class_undo.bytes(), table.classes.bytes()));
        }
        for table in self.triples.iter() {
            add(table.records.bytes());
            add((0, 0, table.types.bytes()));
        }
        for table in self.types.iter() {
            sum.keys += table.keys.bytes();
        }
        for table in self.triples.iter() {
            let (adjacency, history) = table.edges.bytes();
            sum.adjacency += adjacency;
            sum.history += history;
            sum.keys += table.keys.as_ref().map_or(0, |keys| keys.bytes().0);
        }
        sum
    }
}
