// SPDX-License-Identifier: Apache-2.0
//! The state of an organization: everything its journal says, in memory.
//!
//! A [`Snapshot`] is a tree of shared parts. Cloning one copies a few pointers; the writer changes
//! its own clone, and what a published snapshot still shares is copied in small chunks first.

pub(crate) mod aliases;
mod apply;
mod apply_edges;
pub(crate) mod base;
pub(crate) mod chunk;
mod chunked;
pub(crate) mod codes;
pub(crate) mod column;
pub(crate) mod column_cache;
#[cfg(test)]
mod column_tests;
mod compare;
mod derive;
pub(crate) mod dictionary;
pub(crate) mod edge_order;
pub(crate) mod edges;
pub(crate) mod ended_edges;
mod extents;
pub(crate) mod key_arena;
mod key_index;
mod memory;
pub(crate) mod offsets;
pub(crate) mod records;
pub(crate) mod row_pages;
mod sparse;
pub(crate) mod tables;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text_chunk;
pub(crate) mod timeline;
mod undo_index;
mod unique;
pub(crate) mod value_hash;
pub(crate) mod value_index;
pub(crate) mod work;
mod writer;

use std::sync::Arc;

use durward_catalog::Catalog;
use durward_model::transaction::Sequence;
use durward_model::{EntityNumber, ErrorKind, IdCipher, Instant, RelationshipNumber};
use hashbrown::HashMap;

use crate::ids::NextNumbers;
use crate::symbols::Symbols;
use crate::view::View;

pub(crate) use aliases::Aliases;
pub(crate) use extents::NumberMap;
pub(crate) use key_index::KeyIndex;
pub use memory::MemoryUse;
pub use writer::StateWriter;

/// One immutable, consistent state, with all of its past.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) cipher: IdCipher,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) key_seed: u64,
    pub(crate) symbols: Symbols,
    pub(crate) timeline: timeline::Timeline,
    pub(crate) sequence: Sequence,
    pub(crate) committed_at: Instant,
    /// By type id.
    pub(crate) types: Arc<Vec<Arc<tables::TypeTable>>>,
    /// By triple id.
    pub(crate) triples: Arc<Vec<Arc<tables::TripleTable>>>,
    pub(crate) triple_ids: Arc<HashMap<(u16, u16, u16), u32>>,
    pub(crate) entities: NumberMap,
    pub(crate) relationships: NumberMap,
    pub(crate) key_index: KeyIndex,
    pub(crate) edge_key_index: KeyIndex,
    pub(crate) aliases: Aliases,
    pub(crate) tuning: row_pages::Tuning,
    /// Whether the writer may still take parts of this state back.
    pub(crate) is_draft: bool,
}

/// A transaction that does not fit the state, which means that the journal and the state differ.
#[derive(Debug, thiserror::Error)]
#[error("transaction {sequence} does not fit the state: {reason}")]
pub struct StateError {
    /// Sequence of the transaction.
    pub sequence: u64,
    /// What does not fit.
    pub reason: String,
}

impl StateError {
    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

impl Snapshot {
    /// The state before the first transaction, with nothing secret and a fixed hash seed.
    pub fn empty(cipher: IdCipher) -> Self {
        Self::new(cipher, Arc::new(Catalog::default()), 0)
    }

    /// The state before the first transaction. The catalog says which properties are secret; the
    /// seed should be random and stay with the data folder, so that nobody can choose keys that
    /// collide.
    pub fn new(cipher: IdCipher, catalog: Arc<Catalog>, key_seed: u64) -> Self {
        Self {
            cipher,
            catalog,
            key_seed,
            symbols: Symbols::default(),
            timeline: timeline::Timeline::default(),
            sequence: Sequence(0),
            committed_at: Instant::MIN,
            types: Arc::default(),
            triples: Arc::default(),
            triple_ids: Arc::default(),
            entities: NumberMap::default(),
            relationships: NumberMap::default(),
            key_index: KeyIndex::new(key_seed),
            edge_key_index: KeyIndex::new(key_seed.rotate_left(32)),
            aliases: Aliases::new(key_seed),
            tuning: row_pages::Tuning::default(),
            is_draft: false,
        }
    }

    /// Sequence of the last transaction in it.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// When that was committed.
    pub fn committed_at(&self) -> Instant {
        self.committed_at
    }

    /// The state as it was at an instant; `None` or a future instant is the head.
    pub fn view(self: &Arc<Self>, at: Option<Instant>) -> View {
        View::new(Arc::clone(self), at)
    }

    /// Numbers that the next objects get.
    pub fn next_numbers(&self) -> NextNumbers {
        NextNumbers {
            entity: EntityNumber(self.entities.next()),
            relationship: RelationshipNumber(self.relationships.next()),
        }
    }
}
