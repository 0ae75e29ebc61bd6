// SPDX-License-Identifier: Apache-2.0
//! The neighbours along one triple in one direction at one instant.
#![expect(
    clippy::indexing_slicing,
    reason = "ranges come from offsets over the same arrays"
)]

use std::ops::Range;
use std::sync::Arc;

use crate::ids::Direction;
use crate::state::base::Base;
use crate::state::edges::Edges;
use crate::state::ended_edges::EndedEdges;
use crate::state::row_pages::{Row, RowPages};
use crate::state::timeline::Tick;

/// Neighbours along one triple, one way, at the instant of the view it came from.
#[derive(Clone, Debug)]
pub struct Adjacency {
    base: Arc<Base>,
    pages: RowPages,
    has_pages: bool,
    outwards: bool,
    edges: usize,
    past: Option<Past>,
}

/// What differs from the present at a past instant.
#[derive(Clone, Debug)]
struct Past {
    tick: Tick,
    /// Edge rows from here on were created later.
    limit: u32,
    /// Whether all of the base had been created.
    base_visible: bool,
    /// Which marks of later rows hold for the limit.
    late_level: Option<usize>,
    /// What has ended since, if anything.
    ended: Option<EndedEdges>,
}

impl Adjacency {
    pub(crate) fn empty() -> Self {
        Self::new(&Edges::default(), Direction::Out, None)
    }

    /// `at` is a past tick and the edge rows created by then.
    pub(crate) fn new(edges: &Edges, direction: Direction, at: Option<(Tick, u32)>) -> Self {
        let outwards = direction == Direction::Out;
        let pages = if outwards { &edges.out } else { &edges.into };
        let past = at.and_then(|(tick, limit)| {
            let ended = edges.ended.ended_by(tick) < edges.ended.len();
            (ended || limit < edges.edge_rows()).then(|| Past {
                tick,
                limit,
                base_visible: edges.base.edge_limit <= limit,
                late_level: edges
                    .base
                    .order
                    .as_ref()
                    .and_then(|order| order.late_level(limit)),
                ended: ended.then(|| edges.ended.clone()),
            })
        });
        let count = edges.live()
            + past.as_ref().map_or(0, |past| {
                edges.ended.len() - edges.ended.ended_by(past.tick)
            });
        Self {
            base: Arc::clone(&edges.base),
            has_pages: !pages.is_empty(),
            pages: pages.clone(),
            outwards,
            edges: count,
            past,
        }
    }

    #[inline]
    fn base_range(&self, row: u32) -> Range<usize> {
        if self.outwards {
            self.base.forward.range(row)
        } else {
            self.base.backward.range(row)
        }
    }

    #[inline]
    fn base_others(&self) -> &[u32] {
        if self.outwards {
            &self.base.forward_others
        } else {
            &self.base.backward_others
        }
    }

    #[inline]
    fn replaced(&self, row: u32) -> Option<&Row> {
        if self.has_pages {
            self.pages.get(row)
        } else {
            None
        }
    }

    /// How many neighbours a row has at most (parallel relationships counted each).
    #[inline]
    pub fn degree(&self, row: u32) -> usize {
        let now = match self.replaced(row) {
            None => self.base_range(row).len(),
            Some(Row::Whole { others, .. }) => others.len(),
            Some(Row::Beside { removed, added }) => {
                self.base_range(row).len() + added.len() - removed.len()
            }
        };
        match &self.past {
            Some(Past {
                ended: Some(ended),
                tick,
                ..
            }) => now + ended.count(row, self.outwards, *tick),
            _ => now,
        }
    }

    /// How many relationships there are at most.
    pub fn edges(&self) -> usize {
        self.edges
    }

    /// Whether the base's row holds relationships created after the instant, or may.
    #[inline]
    fn may_be_late(&self, past: &Past, row: u32) -> bool {
        if past.base_visible {
            return false;
        }
        match (&self.base.order, past.late_level) {
            (Some(order), Some(level)) => order.is_late_row(level, row, self.outwards),
            _ => true,
        }
    }

    /// The neighbours of a row as they lie in memory, ascending, where nothing lies beside them;
    /// `None` where [`Adjacency::for_each`] must be asked.
    #[inline]
    pub fn slice(&self, row: u32) -> Option<&[u32]> {
        let replaced = self.replaced(row);
        if let Some(past) = &self.past
            && (replaced.is_some()
                || self.may_be_late(past, row)
                || past
                    .ended
                    .as_ref()
                    .is_some_and(|ended| ended.touches(row, self.outwards)))
        {
            return None;
        }
        match replaced {
            None => Some(&self.base_others()[self.base_range(row)]),
            Some(Row::Whole { others, .. }) => Some(others),
            Some(Row::Beside { .. }) => None,
        }
    }

    /// Calls `visit` with every neighbour of a row, ascending, once for each relationship.
    #[inline]
    pub fn for_each(&self, row: u32, mut visit: impl FnMut(u32)) {
        if let Some(others) = self.slice(row) {
            for other in others {
                visit(*other);
            }
            return;
        }
        self.for_each_edge(row, |other, _| visit(other));
    }

    /// As [`Adjacency::for_each`], in any order, which is faster at past instants.
    #[inline]
    pub fn for_each_unordered(&self, row: u32, mut visit: impl FnMut(u32)) {
        self.any(row, |other| {
            visit(other);
            false
        });
    }

    /// Whether any neighbour of a row passes the test; any order.
    #[inline]
    pub fn any(&self, row: u32, mut test: impl FnMut(u32) -> bool) -> bool {
        let Some(past) = &self.past else {
            return match self.slice(row) {
                Some(others) => others.iter().any(|other| test(*other)),
                None => self.any_edge(row, |other, _| test(other)),
            };
        };
        let now = if self.replaced(row).is_some() {
            self.any_now(row, |other, _| test(other))
        } else {
            self.any_in_base(past, row, &mut test)
        };
        now || self.any_gone(past, row, |other, _| test(other))
    }

    /// Neighbours in the base's row that had been created by the instant.
    #[inline]
    fn any_in_base(&self, past: &Past, row: u32, mut test: impl FnMut(u32) -> bool) -> bool {
        let range = self.base_range(row);
        let others = &self.base_others()[range.clone()];
        if !self.may_be_late(past, row) {
            return others.iter().any(|other| test(*other));
        }
        if let (Some(order), Some(level)) = (&self.base.order, past.late_level) {
            return range.zip(others).any(|(position, other)| {
                !order.is_hidden(level, position, past.limit, self.outwards) && test(*other)
            });
        }
        self.any_now(row, |other, _| test(other))
    }

    /// Neighbours that have ended since the instant.
    #[inline]
    fn any_gone(&self, past: &Past, row: u32, mut test: impl FnMut(u32, u32) -> bool) -> bool {
        let Some(ended) = &past.ended else {
            return false;
        };
        ended.touches(row, self.outwards)
            && ended.any_after(row, self.outwards, past.tick, |other, edge| {
                edge < past.limit && test(other, edge)
            })
    }

    /// As [`Adjacency::for_each`], with the edge row of each relationship; parallel ones come in
    /// the order of their edge rows.
    pub fn for_each_edge(&self, row: u32, mut visit: impl FnMut(u32, u32)) {
        let mut gone = Gone::default();
        if let Some(Past {
            ended: Some(ended),
            tick,
            limit,
            ..
        }) = &self.past
            && ended.touches(row, self.outwards)
        {
            ended.any_after(row, self.outwards, *tick, |other, edge| {
                if edge < *limit {
                    gone.push((other, edge));
                }
                false
            });
        }
        let gone = gone.sorted();
        if gone.is_empty() {
            self.any_now(row, |other, edge| {
                visit(other, edge);
                false
            });
            return;
        }
        let mut gone = gone.iter().peekable();
        self.any_now(row, |other, edge| {
            while let Some((before, its)) = gone.next_if(|pair| **pair < (other, edge)) {
                visit(*before, *its);
            }
            visit(other, edge);
            false
        });
        gone.for_each(|(other, edge)| visit(*other, *edge));
    }

    /// As [`Adjacency::any`], with the edge row of each relationship.
    pub fn any_edge(&self, row: u32, mut test: impl FnMut(u32, u32) -> bool) -> bool {
        if self.any_now(row, &mut test) {
            return true;
        }
        self.past
            .as_ref()
            .is_some_and(|past| self.any_gone(past, row, test))
    }

    /// Calls `visit` with the edge row of every relationship between two rows.
    pub fn find(&self, row: u32, other: u32, mut visit: impl FnMut(u32)) {
        if self.outwards && self.past.is_none() && self.replaced(row).is_none() {
            let slots = self.base.slots_between(row, other);
            slots.for_each(|slot| visit(self.base.edge_of_slot(slot)));
            return;
        }
        if let (Some(others), None, None) = (self.slice(row), &self.past, self.replaced(row)) {
            // Backwards: look from the other side.
            if others.binary_search(&other).is_ok() {
                let slots = self.base.slots_between(other, row);
                slots.for_each(|slot| visit(self.base.edge_of_slot(slot)));
            }
            return;
        }
        self.for_each_edge(row, |this, edge| {
            if this == other {
                visit(edge);
            }
        });
    }

    /// What lives now and was created by the instant, ascending, until `visit` answers `true`.
    #[inline]
    fn any_now(&self, row: u32, mut visit: impl FnMut(u32, u32) -> bool) -> bool {
        let limit = self.past.as_ref().map_or(u32::MAX, |past| past.limit);
        let mut visit = |other, edge| edge < limit && visit(other, edge);
        let (removed, added): (&[u32], &[(u32, u32)]) = match self.replaced(row) {
            Some(Row::Whole { others, edges }) => {
                return others
                    .iter()
                    .zip(edges)
                    .any(|(other, edge)| visit(*other, *edge));
            }
            Some(Row::Beside { removed, added }) => (removed, added),
            None => (&[], &[]),
        };
        let mut added = added.iter().peekable();
        let start = self.base_range(row).start;
        let plain = removed.is_empty() && added.peek().is_none();
        let stopped = self.any_base(row, |at, other, edge| {
            if plain {
                return visit(other, edge);
            }
            while let Some((before, its)) = added.next_if(|pair| **pair < (other, edge)) {
                if visit(*before, *its) {
                    return true;
                }
            }
            removed.binary_search(&((at - start) as u32)).is_err() && visit(other, edge)
        });
        stopped || added.any(|(other, edge)| visit(*other, *edge))
    }

    #[inline]
    fn any_base(&self, row: u32, mut visit: impl FnMut(usize, u32, u32) -> bool) -> bool {
        let range = self.base_range(row);
        let others = &self.base_others()[range.clone()];
        match &self.base.order {
            Some(order) => {
                let edges = &order.edges_of(self.outwards)[range.clone()];
                let mut all = range.zip(others.iter().zip(edges));
                all.any(|(at, (other, edge))| visit(at, *other, *edge))
            }
            None if self.outwards => {
                let mut all = range.zip(others);
                all.any(|(slot, other)| visit(slot, *other, slot as u32))
            }
            None => self.base.backward_edges(row, visit),
        }
    }
}

/// How many ended relationships of one row are kept without an allocation.
const GONE_FEW: usize = 16;

/// Ended relationships of one row, by (other, edge row).
struct Gone {
    few: [(u32, u32); GONE_FEW],
    len: usize,
    many: Vec<(u32, u32)>,
}

impl Default for Gone {
    fn default() -> Self {
        Self {
            few: [(0, 0); GONE_FEW],
            len: 0,
            many: Vec::new(),
        }
    }
}

impl Gone {
    fn push(&mut self, pair: (u32, u32)) {
        if self.len < GONE_FEW {
            self.few[self.len] = pair;
            self.len += 1;
            return;
        }
        if self.many.is_empty() {
            self.many.extend_from_slice(&self.few);
        }
        self.many.push(pair);
    }

    fn sorted(&mut self) -> &[(u32, u32)] {
        let pairs = if self.many.is_empty() {
            &mut self.few[..self.len]
        } else {
            &mut self.many
        };
        pairs.sort_unstable();
        pairs
    }
}
