// SPDX-License-Identifier: Apache-2.0
//! The immutable part of the relationships of one triple: sorted neighbours both ways.
#![expect(clippy::indexing_slicing, reason = "positions come from offsets over the same arrays")]

use std::ops::Range;

use super::offsets::Offsets;

/// Slot of an edge row that is not in the base.
const NONE: u32 = u32::MAX;

/// A relationship by its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) edge: u32,
}

/// Neighbours both ways. A slot is a position in the forward neighbours.
#[derive(Debug, Default)]
pub(crate) struct Base {
    pub(crate) forward: Offsets,
    pub(crate) forward_others: Vec<u32>,
    pub(crate) backward: Offsets,
    pub(crate) backward_others: Vec<u32>,
    /// Every edge row below this is in the base or ended.
    pub(crate) edge_limit: u32,
    /// Which edge row each slot is; `None` while slot and edge row are the same.
    pub(crate) order: Option<Order>,
}

/// Slots and edge rows, where they differ.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) edges: Vec<u32>,
    slots: Vec<u32>,
    pub(crate) backward_edges: Vec<u32>,
    late: Vec<Late>,
}

/// How many marks of late rows are kept: for the newest half of the edge rows, the newest quarter,
/// and so on.
const LATE_LEVELS: u32 = 6;

/// Which rows have relationships of edge rows from `since` on, either way.
#[derive(Debug)]
struct Late {
    since: u32,
    from: Vec<u64>,
    to: Vec<u64>,
}

impl Late {
    fn levels(forward: &Offsets, others: &[u32], edges: &[u32], limit: u32) -> Vec<Self> {
        let words = others.iter().max().map_or(0, |to| *to as usize / 64 + 1);
        let from_words = match others.len().checked_sub(1) {
            Some(last) => forward.row_of(last) as usize / 64 + 1,
            None => 0,
        };
        let level = |level| Self {
            since: limit - (limit >> level),
            from: vec![0; from_words],
            to: vec![0; words],
        };
        let mut levels: Vec<Self> = (1..=LATE_LEVELS).map(level).collect();
        let mut slot = 0usize;
        for (from, count) in forward.counts() {
            for _ in 0..count {
                let fits = levels.iter().take_while(|level| level.since <= edges[slot]).count();
                if let Some(level) = fits.checked_sub(1) {
                    levels[level].from[from as usize / 64] |= 1 << (from % 64);
                    let to = others[slot];
                    levels[level].to[to as usize / 64] |= 1 << (to % 64);
                }
                slot += 1;
            }
        }
        // What is late for a level is late for all wider ones.
        for level in (1..levels.len()).rev() {
            let (wider, narrower) = levels.split_at_mut(level);
            let (wide, narrow) = (&mut wider[level - 1], &narrower[0]);
            wide.from.iter_mut().zip(&narrow.from).for_each(|(word, more)| *word |= more);
            wide.to.iter_mut().zip(&narrow.to).for_each(|(word, more)| *word |= more);
        }
        levels
    }
}

impl Order {
    /// The level whose marks hold for reads that see edge rows below `limit`.
    pub(crate) fn late_level(&self, limit: u32) -> Option<usize> {
        self.late.iter().rposition(|late| late.since <= limit)
    }

    /// Whether a row has relationships that such a read must leave out, or may have.
    #[inline]
    pub(crate) fn is_late(&self, level: usize, row: u32, outwards: bool) -> bool {
        let Some(late) = self.late.get(level) else { return true };
        let words = if outwards { &late.from } else { &late.to };
        words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    fn bytes(&self) -> usize {
        let late = self.late.iter().map(|late| (late.from.len() + late.to.len()) * 8);
        let arrays =
            self.edges.capacity() + self.slots.capacity() + self.backward_edges.capacity();
        arrays * 4 + late.sum::<usize>()
    }
}

fn nodes(rows: impl Iterator<Item = u32>) -> usize {
    rows.max().map_or(0, |row| row as usize + 1)
}

impl Base {
    /// A base of these relationships, which must be sorted.
    pub(crate) fn build(edges: &[Edge], edge_limit: u32) -> Self {
        let mut counts = vec![0u32; nodes(edges.last().into_iter().map(|edge| edge.from))];
        edges.iter().for_each(|edge| counts[edge.from as usize] += 1);
        let forward = Offsets::from_counts(counts);
        let forward_others: Vec<u32> = edges.iter().map(|edge| edge.to).collect();
        let same = edges.len() == edge_limit as usize
            && edges.iter().zip(0u32..).all(|(edge, slot)| edge.edge == slot);
        let numbers = (!same).then(|| edges.iter().map(|edge| edge.edge).collect());
        Self::from_forward(forward, forward_others, numbers, edge_limit)
    }

    /// A base from its forward half, which must be sorted.
    pub(crate) fn from_forward(
        forward: Offsets,
        forward_others: Vec<u32>,
        edges: Option<Vec<u32>>,
        edge_limit: u32,
    ) -> Self {
        let mut cursors = vec![0u32; nodes(forward_others.iter().copied()) + 1];
        forward_others.iter().for_each(|to| cursors[*to as usize + 1] += 1);
        for row in 1..cursors.len() {
            cursors[row] += cursors[row - 1];
        }
        let mut backward_others = vec![0u32; forward_others.len()];
        let mut backward_edges = vec![0u32; edges.as_ref().map_or(0, Vec::len)];
        let mut slot = 0usize;
        for (from, count) in forward.counts() {
            for _ in 0..count {
                let cursor = &mut cursors[forward_others[slot] as usize];
                backward_others[*cursor as usize] = from;
                if let Some(edges) = &edges {
                    backward_edges[*cursor as usize] = edges[slot];
                }
                *cursor += 1;
                slot += 1;
            }
        }
        // Each cursor now stands at the end of its row, which is where the next one starts.
        cursors.pop();
        let mut before = 0;
        for cursor in &mut cursors {
            let end = *cursor;
            *cursor -= before;
            before = end;
        }
        let order = edges.map(|edges| {
            let mut slots = vec![NONE; edge_limit as usize];
            for (slot, edge) in edges.iter().enumerate() {
                slots[*edge as usize] = slot as u32;
            }
            let late = Late::levels(&forward, &forward_others, &edges, edge_limit);
            Order { edges, slots, backward_edges, late }
        });
        let backward = Offsets::from_counts(cursors);
        Self { forward, forward_others, backward, backward_others, edge_limit, order }
    }

    pub(crate) fn len(&self) -> usize {
        self.forward_others.len()
    }

    /// The slot of an edge row.
    pub(crate) fn slot(&self, edge: u32) -> Option<usize> {
        match &self.order {
            None => (edge < self.edge_limit).then_some(edge as usize),
            Some(order) => {
                order.slots.get(edge as usize).filter(|slot| **slot != NONE).map(|slot| *slot as usize)
            }
        }
    }

    #[inline]
    pub(crate) fn edge_of_slot(&self, slot: usize) -> u32 {
        self.order.as_ref().map_or(slot as u32, |order| order.edges[slot])
    }

    /// Both ends of an edge row in the base.
    pub(crate) fn ends(&self, edge: u32) -> Option<(u32, u32)> {
        let slot = self.slot(edge)?;
        Some((self.forward.row_of(slot), *self.forward_others.get(slot)?))
    }

    /// The slots that lead from one row to another.
    pub(crate) fn slots_between(&self, from: u32, to: u32) -> Range<usize> {
        let range = self.forward.range(from);
        let row = &self.forward_others[range.clone()];
        let first = row.partition_point(|other| *other < to);
        let parallel = row[first..].iter().take_while(|other| **other == to).count();
        range.start + first..range.start + first + parallel
    }

    /// The position in the backward neighbours of a relationship that is in the base.
    pub(crate) fn backward_position(&self, edge: Edge) -> Option<usize> {
        let range = self.backward.range(edge.to);
        let row = &self.backward_others[range.clone()];
        let first = range.start + row.partition_point(|other| *other < edge.from);
        let slots = self.slots_between(edge.from, edge.to);
        slots.clone().position(|slot| self.edge_of_slot(slot) == edge.edge).map(|n| first + n)
    }

    /// Calls `visit` with the neighbours and edge rows of a row, backwards, in order, until it
    /// answers `true`.
    pub(crate) fn backward_edges(
        &self,
        to: u32,
        mut visit: impl FnMut(usize, u32, u32) -> bool,
    ) -> bool {
        let range = self.backward.range(to);
        if let Some(order) = &self.order {
            return range
                .into_iter()
                .any(|at| visit(at, self.backward_others[at], order.backward_edges[at]));
        }
        let mut at = range.start;
        while at < range.end {
            let from = self.backward_others[at];
            let slots = self.slots_between(from, to);
            if slots.is_empty() {
                return false;
            }
            for slot in slots {
                if visit(at, from, slot as u32) {
                    return true;
                }
                at += 1;
            }
        }
        false
    }

    pub(crate) fn bytes(&self) -> usize {
        let order = self.order.as_ref().map_or(0, Order::bytes);
        let others = self.forward_others.capacity() + self.backward_others.capacity();
        self.forward.bytes() + self.backward.bytes() + others * 4 + order
    }
}
