// SPDX-License-Identifier: Apache-2.0
//! Relationships of one triple that have ended, found by either end, for reads at past instants.
#![expect(
    clippy::indexing_slicing,
    reason = "ranges come from offsets over the same arrays"
)]

use std::sync::Arc;

use super::base::Edge;
use super::chunked::Chunked;
use super::offsets::Offsets;
use super::sparse::SparseMap;
use super::timeline::Tick;

/// Fewer recent ones than this are not worth sorting in.
const FREEZE_MIN: usize = if cfg!(test) { 4 } else { 256 };

/// An ended relationship and when it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndedEdge {
    pub(crate) edge: Edge,
    pub(crate) tick: Tick,
}

/// All of them: the older ones sorted by either end, the recent ones in chains.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndedEdges {
    /// Ascending by the tick at which they ended.
    log: Chunked<EndedEdge>,
    frozen: Arc<Frozen>,
    /// For entries after the frozen ones: where the one before it at each end is noted (position
    /// plus one).
    links: Chunked<(u32, u32)>,
    by_from: SparseMap,
    by_to: SparseMap,
    by_edge: SparseMap,
}

/// The first `len` entries of the log by either end, each row in the order of the log.
#[derive(Debug, Default)]
struct Frozen {
    len: usize,
    from: Side,
    to: Side,
}

/// By one end: other end, edge row and tick of what ended at each row.
#[derive(Debug, Default)]
struct Side {
    offsets: Offsets,
    entries: Vec<(u32, u32, Tick)>,
}

impl Side {
    fn build<'l>(log: impl Iterator<Item = &'l EndedEdge> + Clone, outwards: bool) -> Self {
        let ends = |edge: &Edge| {
            if outwards {
                (edge.from, edge.to)
            } else {
                (edge.to, edge.from)
            }
        };
        let nodes = log
            .clone()
            .map(|ended| ends(&ended.edge).0 as usize + 1)
            .max()
            .unwrap_or(0);
        let mut cursors = vec![0u32; nodes];
        log.clone()
            .for_each(|ended| cursors[ends(&ended.edge).0 as usize] += 1);
        let offsets = Offsets::from_counts(cursors.clone());
        let mut sum = 0;
        for cursor in &mut cursors {
            (*cursor, sum) = (sum, sum + *cursor);
        }
        let mut entries = vec![(0, 0, Tick(0)); sum as usize];
        for ended in log {
            let (row, other) = ends(&ended.edge);
            let cursor = &mut cursors[row as usize];
            entries[*cursor as usize] = (other, ended.edge.edge, ended.tick);
            *cursor += 1;
        }
        Self { offsets, entries }
    }

    fn bytes(&self) -> usize {
        self.offsets.bytes() + self.entries.capacity() * size_of::<(u32, u32, Tick)>()
    }
}

impl EndedEdges {
    pub(crate) fn push(&mut self, edge: Edge, tick: Tick) {
        let position = self.log.push(EndedEdge { edge, tick });
        let link = (position as usize - self.frozen.len) as u32 + 1;
        let before_out = self.by_from.insert(edge.from, link).unwrap_or(0);
        let before_in = self.by_to.insert(edge.to, link).unwrap_or(0);
        self.links.push((before_out, before_in));
        self.by_edge.insert(edge.edge, position);
    }

    /// Sorts the recent ones in with the older ones, if there are enough of them.
    pub(crate) fn freeze(&mut self) {
        let recent = self.links.len();
        if recent < FREEZE_MIN.max(self.frozen.len / 4) {
            return;
        }
        self.freeze_all();
    }

    pub(crate) fn freeze_all(&mut self) {
        self.frozen = Arc::new(Frozen {
            len: self.log.len(),
            from: Side::build(self.log.iter(), true),
            to: Side::build(self.log.iter(), false),
        });
        self.links = Chunked::default();
        self.by_from = SparseMap::default();
        self.by_to = SparseMap::default();
    }

    /// Both ends of an ended edge row.
    pub(crate) fn ends(&self, edge: u32) -> Option<(u32, u32)> {
        let position = self.by_edge.get(edge)?;
        self.log
            .get(position as usize)
            .map(|ended| (ended.edge.from, ended.edge.to))
    }

    /// How many ended at or before a tick.
    pub(crate) fn ended_by(&self, tick: Tick) -> usize {
        self.log.partition_point(|ended| ended.tick <= tick)
    }

    pub(crate) fn len(&self) -> usize {
        self.log.len()
    }

    #[inline]
    fn older(&self, row: u32, outwards: bool) -> &[(u32, u32, Tick)] {
        let side = if outwards {
            &self.frozen.from
        } else {
            &self.frozen.to
        };
        &side.entries[side.offsets.range(row)]
    }

    /// Whether anything ever ended at a row.
    #[inline]
    pub(crate) fn touches(&self, row: u32, outwards: bool) -> bool {
        let heads = if outwards { &self.by_from } else { &self.by_to };
        !self.older(row, outwards).is_empty() || (!heads.is_empty() && heads.contains(row))
    }

    /// How many ended at a row after a tick, or some more.
    pub(crate) fn count(&self, row: u32, outwards: bool, tick: Tick) -> usize {
        let heads = if outwards { &self.by_from } else { &self.by_to };
        let mut count = self.older(row, outwards).len();
        if !heads.is_empty() {
            self.any_recent(row, outwards, tick, |_, _| {
                count += 1;
                false
            });
        }
        count
    }

    /// Calls `visit` with the other end and edge row of everything at a row that ended after a
    /// tick, newest first, until it answers `true`.
    #[inline]
    pub(crate) fn any_after(
        &self,
        row: u32,
        outwards: bool,
        tick: Tick,
        mut visit: impl FnMut(u32, u32) -> bool,
    ) -> bool {
        if self.any_recent(row, outwards, tick, &mut visit) {
            return true;
        }
        let after = self
            .older(row, outwards)
            .iter()
            .rev()
            .take_while(|(_, _, when)| *when > tick);
        after
            .into_iter()
            .any(|(other, edge, _)| visit(*other, *edge))
    }

    fn any_recent(
        &self,
        row: u32,
        outwards: bool,
        tick: Tick,
        mut visit: impl FnMut(u32, u32) -> bool,
    ) -> bool {
        let heads = if outwards { &self.by_from } else { &self.by_to };
        let mut link = heads.get(row).unwrap_or(0) as usize;
        while let Some(at) = link.checked_sub(1) {
            let (Some(before), Some(ended)) =
                (self.links.get(at), self.log.get(self.frozen.len + at))
            else {
                break;
            };
            if ended.tick <= tick {
                break;
            }
            let other = if outwards {
                ended.edge.to
            } else {
                ended.edge.from
            };
            if visit(other, ended.edge.edge) {
                return true;
            }
            link = if outwards { before.0 } else { before.1 } as usize;
        }
        false
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &EndedEdge> {
        self.log.iter()
    }

    pub(crate) fn bytes(&self) -> usize {
        let maps = self.by_from.bytes() + self.by_to.bytes() + self.by_edge.bytes();
        self.log.bytes()
            + self.links.bytes()
            + maps
            + self.frozen.from.bytes()
            + self.frozen.to.bytes()
    }
}
