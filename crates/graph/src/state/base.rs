// SPDX-License-Identifier: Apache-2.0
//! The immutable part of the relationships of one triple: sorted neighbours both ways.
#![expect(
    clippy::indexing_slicing,
    reason = "positions come from offsets over the same arrays"
)]

use std::ops::Range;

use super::edge_order::{Limits, Order};
use super::offsets::Offsets;

/// A relationship by its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::struct_field_names,
    reason = "an edge row is called edge everywhere"
)]
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

fn nodes(rows: impl Iterator<Item = u32>) -> usize {
    rows.max().map_or(0, |row| row as usize + 1)
}

impl Base {
    /// A base of these relationships, which must be sorted.
    pub(crate) fn build(edges: &[Edge], limits: Limits<'_>) -> Self {
        let mut counts = vec![0u32; nodes(edges.last().into_iter().map(|edge| edge.from))];
        for edge in edges {
            counts[edge.from as usize] += 1;
        }
        let forward = Offsets::from_counts(counts);
        let forward_others: Vec<u32> = edges.iter().map(|edge| edge.to).collect();
        let same = edges.len() == limits.edge_limit as usize
            && edges
                .iter()
                .zip(0u32..)
                .all(|(edge, slot)| edge.edge == slot);
        let numbers = (!same).then(|| edges.iter().map(|edge| edge.edge).collect());
        Self::from_forward(forward, forward_others, numbers, limits)
    }

    /// A base from its forward half, which must be sorted.
    pub(crate) fn from_forward(
        forward: Offsets,
        forward_others: Vec<u32>,
        edges: Option<Vec<u32>>,
        limits: Limits<'_>,
    ) -> Self {
        let mut cursors = vec![0u32; nodes(forward_others.iter().copied()) + 1];
        for to in &forward_others {
            cursors[*to as usize + 1] += 1;
        }
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
        let order = edges
            .map(|edges| Order::new(edges, backward_edges, &forward, &forward_others, &limits));
        let backward = Offsets::from_counts(cursors);
        Self {
            forward,
            forward_others,
            backward,
            backward_others,
            edge_limit: limits.edge_limit,
            order,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.forward_others.len()
    }

    /// The slot of an edge row.
    pub(crate) fn slot(&self, edge: u32) -> Option<usize> {
        match &self.order {
            None => (edge < self.edge_limit).then_some(edge as usize),
            Some(order) => order.slot(edge),
        }
    }

    #[inline]
    pub(crate) fn edge_of_slot(&self, slot: usize) -> u32 {
        self.order
            .as_ref()
            .map_or(slot as u32, |order| order.edges[slot])
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
        let parallel = row[first..]
            .iter()
            .take_while(|other| **other == to)
            .count();
        range.start + first..range.start + first + parallel
    }

    /// The position in the backward neighbours of a relationship that is in the base.
    pub(crate) fn backward_position(&self, edge: Edge) -> Option<usize> {
        let range = self.backward.range(edge.to);
        let row = &self.backward_others[range.clone()];
        let first = range.start + row.partition_point(|other| *other < edge.from);
        let slots = self.slots_between(edge.from, edge.to);
        slots
            .clone()
            .position(|slot| self.edge_of_slot(slot) == edge.edge)
            .map(|n| first + n)
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
