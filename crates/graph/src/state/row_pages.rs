// SPDX-License-Identifier: Apache-2.0
//! Rows of neighbours that replace or amend those of the base, found by row through shared pages.

use std::sync::Arc;

/// How large things may grow before another form takes over; small in tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// Longest row that is replaced as a whole.
    pub(crate) whole_max: usize,
    /// Longest list beside a row before everything is merged.
    pub(crate) beside_max: usize,
    /// Changes beside the base that never cause a merge.
    pub(crate) pending_min: usize,
    /// New relationships in one change from which the base is built anew at once.
    pub(crate) bulk_min: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            whole_max: 1024,
            beside_max: 16_384,
            pending_min: 1_024,
            bulk_min: 2_048,
        }
    }
}

/// The neighbours of a row as they are now, by (other, edge row) ascending.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    /// All of them, in place of the base's.
    Whole { others: Vec<u32>, edges: Vec<u32> },
    /// For hubs: positions in the base's row that are gone, and what is new.
    Beside {
        removed: Vec<u32>,
        added: Vec<(u32, u32)>,
    },
}

#[derive(Clone, Debug, Default)]
struct Leaf {
    bits: u64,
    rows: Vec<Arc<Row>>,
}

type Middle = Vec<Option<Arc<Leaf>>>;

const LEAVES: usize = 64;

/// Replaced rows of one triple in one direction.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowPages {
    top: Arc<Vec<Option<Arc<Middle>>>>,
}

impl RowPages {
    pub(crate) fn is_empty(&self) -> bool {
        self.top.is_empty()
    }

    #[inline]
    pub(crate) fn get(&self, row: u32) -> Option<&Row> {
        let middle = self.top.get(row as usize >> 12)?.as_ref()?;
        let leaf = middle.get(row as usize >> 6 & (LEAVES - 1))?.as_ref()?;
        if leaf.bits >> (row & 63) & 1 == 0 {
            return None;
        }
        let rank = (leaf.bits & ((1 << (row & 63)) - 1)).count_ones();
        leaf.rows.get(rank as usize).map(|row| &**row)
    }

    /// The replaced row, made from `make` if the row has not been replaced yet.
    pub(crate) fn get_mut(&mut self, row: u32, make: impl FnOnce() -> Row) -> Option<&mut Row> {
        let top = Arc::make_mut(&mut self.top);
        if top.len() <= row as usize >> 12 {
            top.resize((row as usize >> 12) + 1, None);
        }
        let middle = top.get_mut(row as usize >> 12)?;
        let middle = middle.get_or_insert_with(|| Arc::new(vec![None; LEAVES]));
        let leaf = Arc::make_mut(middle).get_mut(row as usize >> 6 & (LEAVES - 1))?;
        let leaf = Arc::make_mut(leaf.get_or_insert_with(Arc::default));
        let rank = (leaf.bits & ((1 << (row & 63)) - 1)).count_ones() as usize;
        if leaf.bits >> (row & 63) & 1 == 0 {
            leaf.bits |= 1 << (row & 63);
            leaf.rows.insert(rank, Arc::new(make()));
        }
        leaf.rows.get_mut(rank).map(Arc::make_mut)
    }

    /// The rows that are replaced, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> {
        let middles = self
            .top
            .iter()
            .zip(0u32..)
            .filter_map(|(middle, at)| Some((middle.as_ref()?, at)));
        let leaves = middles.flat_map(|(middle, high)| {
            middle.iter().zip(0u32..).filter_map(move |(leaf, at)| {
                Some((leaf.as_ref()?.bits, high * LEAVES as u32 + at))
            })
        });
        leaves.flat_map(|(bits, high)| {
            (0..64)
                .filter(move |bit| bits >> bit & 1 == 1)
                .map(move |bit| high * 64 + bit)
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        let rows = self.rows().filter_map(|row| self.get(row));
        let each = rows.map(|row| {
            88 + match row {
                Row::Whole { others, edges } => (others.capacity() + edges.capacity()) * 4,
                Row::Beside { removed, added } => removed.capacity() * 4 + added.capacity() * 8,
            }
        });
        each.sum::<usize>() + self.top.len() * 8
    }
}

impl Row {
    /// Adds a neighbour.
    pub(crate) fn add(&mut self, other: u32, edge: u32) {
        match self {
            Self::Whole { others, edges } => {
                let at = others.partition_point(|before| *before <= other);
                others.insert(at, other);
                edges.insert(at, edge);
            }
            Self::Beside { added, .. } => {
                let at = added.partition_point(|before| *before < (other, edge));
                added.insert(at, (other, edge));
            }
        }
    }

    /// Removes a neighbour that was added or, in a whole row, that is there. Answers whether it
    /// was.
    pub(crate) fn remove(&mut self, other: u32, edge: u32) -> bool {
        match self {
            Self::Whole { others, edges } => {
                let mut at = others.partition_point(|before| *before < other);
                while others.get(at) == Some(&other) {
                    if edges.get(at) == Some(&edge) {
                        others.remove(at);
                        edges.remove(at);
                        return true;
                    }
                    at += 1;
                }
                false
            }
            Self::Beside { added, .. } => {
                let found = added.binary_search(&(other, edge));
                found.map(|at| added.remove(at)).is_ok()
            }
        }
    }

    /// Marks a position of the base's row as gone.
    pub(crate) fn remove_base(&mut self, position: u32) {
        if let Self::Beside { removed, .. } = self
            && let Err(at) = removed.binary_search(&position)
        {
            removed.insert(at, position);
        }
    }

    /// How long the lists of the row are.
    pub(crate) fn list_len(&self) -> usize {
        match self {
            Self::Whole { others, .. } => others.len(),
            Self::Beside { removed, added } => removed.len() + added.len(),
        }
    }
}
