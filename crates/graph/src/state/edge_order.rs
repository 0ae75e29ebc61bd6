// SPDX-License-Identifier: Apache-2.0
//! Which edge row lies in which slot of a base, and which slots hold the newest edge rows.
#![expect(
    clippy::indexing_slicing,
    reason = "slots and rows are below the checked lengths"
)]

use super::chunk::bit;
use super::offsets::Offsets;

/// Slot of an edge row that is not in the base.
const NONE: u32 = u32::MAX;
/// How many marks of late edge rows are kept: for the newest half of the edge rows, the newest
/// quarter, and so on.
const LATE_LEVELS: u32 = 6;

/// Slots and edge rows, where they differ.
#[derive(Debug)]
pub(crate) struct Order {
    /// Edge row of each slot.
    pub(crate) edges: Vec<u32>,
    slots: Vec<u32>,
    /// Edge row of each position in the backward neighbours.
    pub(crate) backward_edges: Vec<u32>,
    late: Vec<Late>,
}

/// What belongs to edge rows from `since` on: rows and positions, forwards and backwards.
#[derive(Debug)]
struct Late {
    since: u32,
    rows: [Vec<u64>; 2],
    positions: [Vec<u64>; 2],
}

/// Where edge rows end, and where many of them began to be added at once: reads at past instants
/// mostly see edge rows up to one of these.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits<'b> {
    pub(crate) edge_limit: u32,
    pub(crate) bulks: &'b [u32],
}

impl Limits<'_> {
    /// The first edge row of the newest `1 / 2^level` of all, or the next beginning of a bulk.
    fn since(&self, level: u32) -> u32 {
        let exact = self.edge_limit - (self.edge_limit >> level);
        let next = self.bulks.partition_point(|bulk| *bulk < exact);
        self.bulks
            .get(next)
            .copied()
            .unwrap_or(exact)
            .min(self.edge_limit)
    }
}

fn side(outwards: bool) -> usize {
    usize::from(!outwards)
}

fn mark(words: &mut [u64], position: usize) {
    words[position / 64] |= 1 << (position % 64);
}

impl Order {
    pub(crate) fn new(
        edges: Vec<u32>,
        backward_edges: Vec<u32>,
        forward: &Offsets,
        others: &[u32],
        limits: &Limits<'_>,
    ) -> Self {
        let mut slots = vec![NONE; limits.edge_limit as usize];
        for (slot, edge) in edges.iter().enumerate() {
            slots[*edge as usize] = slot as u32;
        }
        let late = Late::levels(&edges, &backward_edges, forward, others, limits);
        Self {
            edges,
            slots,
            backward_edges,
            late,
        }
    }

    /// The slot of an edge row.
    pub(crate) fn slot(&self, edge: u32) -> Option<usize> {
        let slot = *self.slots.get(edge as usize)?;
        (slot != NONE).then_some(slot as usize)
    }

    /// The level whose marks hold for reads that see edge rows below `limit`.
    pub(crate) fn late_level(&self, limit: u32) -> Option<usize> {
        self.late.iter().rposition(|late| late.since <= limit)
    }

    /// Whether a row has relationships that such a read must leave out, or may have.
    #[inline]
    pub(crate) fn is_late_row(&self, level: usize, row: u32, outwards: bool) -> bool {
        self.late
            .get(level)
            .is_none_or(|late| bit(&late.rows[side(outwards)], row as usize))
    }

    /// Whether the relationship at a position must be left out by a read of this level and limit.
    /// The marks are small and stay in the cache; edge rows are looked at only where one is set.
    #[inline]
    pub(crate) fn is_hidden(
        &self,
        level: usize,
        position: usize,
        limit: u32,
        outwards: bool,
    ) -> bool {
        let Some(late) = self.late.get(level) else {
            return true;
        };
        bit(&late.positions[side(outwards)], position)
            && (late.since == limit
                || self
                    .edges_of(outwards)
                    .get(position)
                    .is_none_or(|edge| *edge >= limit))
    }

    /// Edge rows by position, either way.
    #[inline]
    pub(crate) fn edges_of(&self, outwards: bool) -> &[u32] {
        if outwards {
            &self.edges
        } else {
            &self.backward_edges
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let words = |two: &[Vec<u64>; 2]| two.iter().map(|words| words.len() * 8).sum::<usize>();
        let late = self
            .late
            .iter()
            .map(|late| words(&late.rows) + words(&late.positions));
        let arrays = self.edges.capacity() + self.slots.capacity() + self.backward_edges.capacity();
        arrays * 4 + late.sum::<usize>()
    }
}

impl Late {
    fn levels(
        edges: &[u32],
        backward_edges: &[u32],
        forward: &Offsets,
        others: &[u32],
        limits: &Limits<'_>,
    ) -> Vec<Self> {
        let to_words = others.iter().max().map_or(0, |to| *to as usize / 64 + 1);
        let last = others.len().checked_sub(1);
        let from_words = last.map_or(0, |last| forward.row_of(last) as usize / 64 + 1);
        let words = others.len().div_ceil(64);
        let level = |level| Self {
            since: limits.since(level),
            rows: [vec![0; from_words], vec![0; to_words]],
            positions: [vec![0; words], vec![0; words]],
        };
        let mut levels: Vec<Self> = (1..=LATE_LEVELS).map(level).collect();
        let since: Vec<u32> = levels.iter().map(|level| level.since).collect();
        let level_of = |edge: u32| since.iter().take_while(|since| **since <= edge).count();
        let mut slot = 0usize;
        for (from, count) in forward.counts() {
            for _ in 0..count {
                if let Some(level) = level_of(edges[slot]).checked_sub(1) {
                    mark(&mut levels[level].positions[0], slot);
                    mark(&mut levels[level].rows[0], from as usize);
                    mark(&mut levels[level].rows[1], others[slot] as usize);
                }
                slot += 1;
            }
        }
        for (position, edge) in backward_edges.iter().enumerate() {
            if let Some(level) = level_of(*edge).checked_sub(1) {
                mark(&mut levels[level].positions[1], position);
            }
        }
        // What is late for a level is late for all wider ones.
        for level in (1..levels.len()).rev() {
            let (wider, narrower) = levels.split_at_mut(level);
            let (wide, narrow) = (&mut wider[level - 1], &narrower[0]);
            let wide = wide.rows.iter_mut().chain(&mut wide.positions).flatten();
            let narrow = narrow.rows.iter().chain(&narrow.positions).flatten();
            wide.zip(narrow).for_each(|(word, more)| *word |= more);
        }
        levels
    }
}
