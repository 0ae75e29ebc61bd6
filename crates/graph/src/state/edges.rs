// SPDX-License-Identifier: Apache-2.0
//! The relationships of one triple: a base, rows that replace its rows, and what has ended.

use std::sync::Arc;

use super::base::{Base, Edge};
use super::chunked::Chunked;
use super::edge_order::Limits;
use super::ended_edges::EndedEdges;
use super::row_pages::{Row, RowPages, Tuning};
use super::timeline::Tick;
use crate::rowset::RowSetBuilder;

/// A base is built anew when changes beside it reach this part of it.
const PENDING_SHARE: usize = 64;
/// How many beginnings of bulks are remembered.
const BULKS_MAX: usize = 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct Edges {
    pub(crate) base: Arc<Base>,
    pub(crate) out: RowPages,
    pub(crate) into: RowPages,
    pub(crate) ended: EndedEdges,
    /// Ends of the edge rows from `base.edge_limit` on.
    recent: Chunked<(u32, u32)>,
    /// Relationships waiting for the end of their transaction; their edge rows come last.
    staged: Vec<Edge>,
    /// Edge rows that have ended but are still among the neighbours until the base is built anew.
    doomed: Vec<u32>,
    /// Changes since the base was built.
    pending: usize,
    /// Whether a list beside some row has grown too long.
    overgrown: bool,
    live: usize,
    /// Edge rows from which many were added at once, ascending; the newest few.
    bulks: Vec<u32>,
    pub(crate) tuning: Tuning,
}

impl Edges {
    pub(crate) fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            ..Self::default()
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// One past the last edge row.
    pub(crate) fn edge_rows(&self) -> u32 {
        self.base.edge_limit + (self.recent.len() + self.staged.len()) as u32
    }

    pub(crate) fn has_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Both ends of an edge row, live or ended.
    pub(crate) fn ends(&self, edge: u32) -> Option<(u32, u32)> {
        if let Some(recent) = edge.checked_sub(self.base.edge_limit) {
            return self.recent.get(recent as usize).copied();
        }
        self.base.ends(edge).or_else(|| self.ended.ends(edge))
    }

    /// Adds new relationships in the order of their edge rows. Many at once wait in `staged` until
    /// [`Edges::settle`].
    pub(crate) fn append(&mut self, ends: impl ExactSizeIterator<Item = (u32, u32)>) {
        let first = self.edge_rows();
        let count = ends.len();
        self.live += count;
        if count >= self.tuning.bulk_min {
            self.note_bulk(first);
        }
        let edges = (first..)
            .zip(ends)
            .map(|(edge, (from, to))| Edge { from, to, edge });
        if count >= self.tuning.bulk_min || self.has_staged() {
            self.staged.extend(edges);
            return;
        }
        for edge in edges {
            self.add_beside(edge);
        }
    }

    /// Notes that many relationships were added at once from an edge row on.
    pub(crate) fn note_bulk(&mut self, first: u32) {
        if self.bulks.len() >= BULKS_MAX {
            self.bulks.remove(0);
        }
        self.bulks.push(first);
    }

    /// What a new base has to know about edge rows.
    pub(crate) fn limits(&self, edge_limit: u32) -> Limits<'_> {
        Limits {
            edge_limit,
            bulks: &self.bulks,
        }
    }

    /// Ends live relationships. Many at once are only noted until [`Edges::settle`].
    pub(crate) fn end_all(&mut self, edges: Vec<Edge>, tick: Tick) {
        self.live -= edges.len();
        for edge in &edges {
            self.ended.push(*edge, tick);
        }
        if self.pending + edges.len() > self.pending_max() || self.has_staged() {
            self.doomed.extend(edges.into_iter().map(|edge| edge.edge));
            return;
        }
        for edge in edges {
            self.take_out(edge);
        }
    }

    fn take_out(&mut self, edge: Edge) {
        self.row_mut(edge, true, |row, base| {
            if !row.remove(edge.to, edge.edge)
                && let Some(slot) = base.slot(edge.edge)
            {
                row.remove_base((slot - base.forward.range(edge.from).start) as u32);
            }
        });
        self.row_mut(edge, false, |row, base| {
            if !row.remove(edge.from, edge.edge)
                && let Some(position) = base.backward_position(edge)
            {
                row.remove_base((position - base.backward.range(edge.to).start) as u32);
            }
        });
        self.pending += 1;
    }

    fn row_mut(&mut self, edge: Edge, outwards: bool, change: impl FnOnce(&mut Row, &Base)) {
        let base = Arc::clone(&self.base);
        let whole_max = self.tuning.whole_max;
        let (pages, at) = if outwards {
            (&mut self.out, edge.from)
        } else {
            (&mut self.into, edge.to)
        };
        if let Some(row) = pages.get_mut(at, || first_row(&base, at, outwards, whole_max)) {
            change(row, &base);
            self.overgrown |= row.list_len() > self.tuning.beside_max;
        }
    }

    fn pending_max(&self) -> usize {
        self.tuning.pending_min.max(self.base.len() / PENDING_SHARE)
    }

    /// Whether [`Edges::settle`] has something to do.
    pub(crate) fn is_due(&self) -> bool {
        self.has_staged()
            || !self.doomed.is_empty()
            || self.pending > self.pending_max()
            || self.overgrown
    }

    /// Builds the base anew if enough has piled up beside it.
    pub(crate) fn settle(&mut self) {
        let few = self.pending + self.staged.len() <= self.pending_max() / 2;
        if self.has_staged() && self.doomed.is_empty() && self.base.len() > 0 && few {
            for edge in std::mem::take(&mut self.staged) {
                self.add_beside(edge);
            }
        }
        if self.is_due() {
            self.merge();
        }
    }

    fn add_beside(&mut self, edge: Edge) {
        self.recent.push((edge.from, edge.to));
        self.row_mut(edge, true, |row, _| row.add(edge.to, edge.edge));
        self.row_mut(edge, false, |row, _| row.add(edge.from, edge.edge));
        self.pending += 1;
    }

    /// Builds a new base of everything that lives.
    fn merge(&mut self) {
        let edge_limit = self.edge_rows();
        let mut staged = std::mem::take(&mut self.staged);
        if !staged.is_sorted() {
            staged.sort_unstable();
        }
        let mut edges = if self.base.len() == 0 && self.out.is_empty() {
            staged
        } else {
            merge_sorted(self.current(), staged)
        };
        if !self.doomed.is_empty() {
            let mut doomed = RowSetBuilder::bitmap(edge_limit);
            for edge in std::mem::take(&mut self.doomed) {
                doomed.insert(edge);
            }
            edges.retain(|edge| !doomed.contains(edge.edge));
        }
        self.base = Arc::new(Base::build(&edges, self.limits(edge_limit)));
        self.out = RowPages::default();
        self.into = RowPages::default();
        self.recent = Chunked::default();
        self.pending = 0;
        self.overgrown = false;
        self.ended.freeze();
    }

    /// Everything that lives, staged relationships left out, sorted.
    pub(crate) fn current(&self) -> Vec<Edge> {
        let mut all = Vec::with_capacity(self.live);
        let mut replaced = self.out.rows().peekable();
        let mut slot = 0usize;
        for (from, count) in self.base.forward.counts() {
            while let Some(row) = replaced.next_if(|row| *row < from) {
                self.current_row(row, 0..0, &mut all);
            }
            let range = slot..slot + count as usize;
            slot = range.end;
            replaced.next_if_eq(&from);
            self.current_row(from, range, &mut all);
        }
        for row in replaced {
            self.current_row(row, 0..0, &mut all);
        }
        all
    }

    fn current_row(&self, from: u32, range: std::ops::Range<usize>, all: &mut Vec<Edge>) {
        let base = &self.base;
        let slots = range.clone().filter_map(|slot| {
            let to = *base.forward_others.get(slot)?;
            Some(Edge {
                from,
                to,
                edge: base.edge_of_slot(slot),
            })
        });
        match self.out.get(from) {
            None => all.extend(slots),
            Some(Row::Whole { others, edges }) => {
                let pairs = others.iter().zip(edges);
                all.extend(pairs.map(|(to, edge)| Edge {
                    from,
                    to: *to,
                    edge: *edge,
                }));
            }
            Some(Row::Beside { removed, added }) => {
                let start = all.len();
                let gone = |slot: usize| removed.binary_search(&((slot - range.start) as u32));
                let kept = range
                    .clone()
                    .zip(slots)
                    .filter(|(slot, _)| gone(*slot).is_err());
                all.extend(kept.map(|(_, edge)| edge));
                all.extend(added.iter().map(|(to, edge)| Edge {
                    from,
                    to: *to,
                    edge: *edge,
                }));
                if let Some(row) = all.get_mut(start..) {
                    row.sort_unstable();
                }
            }
        }
    }

    /// Puts a base in place: for reading a checkpoint.
    pub(crate) fn restore(&mut self, base: Base) {
        self.live = base.len();
        self.base = Arc::new(base);
    }

    /// Bytes of adjacency, and of history.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        let rows = self.out.bytes() + self.into.bytes() + self.recent.bytes();
        (self.base.bytes() + rows, self.ended.bytes())
    }
}

/// What a row is before its first change: a copy of the base's row, or nothing beside a long one.
fn first_row(base: &Base, at: u32, outwards: bool, whole_max: usize) -> Row {
    let offsets = if outwards {
        &base.forward
    } else {
        &base.backward
    };
    let range = offsets.range(at);
    if range.len() > whole_max {
        return Row::Beside {
            removed: Vec::new(),
            added: Vec::new(),
        };
    }
    if outwards {
        let others = base
            .forward_others
            .get(range.clone())
            .unwrap_or_default()
            .to_vec();
        return Row::Whole {
            others,
            edges: range.map(|slot| base.edge_of_slot(slot)).collect(),
        };
    }
    let (mut others, mut edges) = (Vec::new(), Vec::new());
    base.backward_edges(at, |_, from, edge| {
        others.push(from);
        edges.push(edge);
        false
    });
    Row::Whole { others, edges }
}

fn merge_sorted(left: Vec<Edge>, right: Vec<Edge>) -> Vec<Edge> {
    if right.is_empty() {
        return left;
    }
    let mut all = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(one), Some(two)) if one <= two => left.next(),
            (Some(_), None) => left.next(),
            (_, Some(_)) => right.next(),
            (None, None) => return all,
        };
        all.extend(next);
    }
}
