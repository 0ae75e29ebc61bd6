// SPDX-License-Identifier: Apache-2.0
//! Relationships of one triple that have ended, found by either end, for reads at past instants.

use super::base::Edge;
use super::chunked::Chunked;
use super::sparse::SparseMap;
use super::timeline::Tick;

/// An ended relationship, and where the one before it at each end is noted (position plus one).
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndedEdge {
    pub(crate) edge: Edge,
    pub(crate) tick: Tick,
    before_out: u32,
    before_in: u32,
}

/// All of them, ascending by the tick at which they ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndedEdges {
    log: Chunked<EndedEdge>,
    by_from: SparseMap,
    by_to: SparseMap,
    by_edge: SparseMap,
}

impl EndedEdges {
    pub(crate) fn push(&mut self, edge: Edge, tick: Tick) {
        let position = self.log.len() as u32;
        let before_out = self.by_from.insert(edge.from, position + 1).unwrap_or(0);
        let before_in = self.by_to.insert(edge.to, position + 1).unwrap_or(0);
        self.by_edge.insert(edge.edge, position);
        self.log.push(EndedEdge { edge, tick, before_out, before_in });
    }

    /// Both ends of an ended edge row.
    pub(crate) fn ends(&self, edge: u32) -> Option<(u32, u32)> {
        let position = self.by_edge.get(edge)?;
        self.log.get(position as usize).map(|ended| (ended.edge.from, ended.edge.to))
    }

    /// How many ended at or before a tick.
    pub(crate) fn ended_by(&self, tick: Tick) -> usize {
        self.log.partition_point(|ended| ended.tick <= tick)
    }

    pub(crate) fn len(&self) -> usize {
        self.log.len()
    }

    #[inline]
    pub(crate) fn touches(&self, row: u32, outwards: bool) -> bool {
        if outwards { self.by_from.contains(row) } else { self.by_to.contains(row) }
    }

    /// Calls `visit` with the other end and edge row of everything at a row that ended after a
    /// tick, newest first, until it answers `true`.
    pub(crate) fn any_after(
        &self,
        row: u32,
        outwards: bool,
        tick: Tick,
        mut visit: impl FnMut(u32, u32) -> bool,
    ) -> bool {
        let heads = if outwards { &self.by_from } else { &self.by_to };
        let mut position = heads.get(row).unwrap_or(0);
        while let Some(ended) = (position as usize).checked_sub(1).and_then(|at| self.log.get(at)) {
            if ended.tick <= tick {
                break;
            }
            let other = if outwards { ended.edge.to } else { ended.edge.from };
            if visit(other, ended.edge.edge) {
                return true;
            }
            position = if outwards { ended.before_out } else { ended.before_in };
        }
        false
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &EndedEdge> {
        self.log.iter()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.log.bytes() + self.by_from.bytes() + self.by_to.bytes() + self.by_edge.bytes()
    }
}
