// SPDX-License-Identifier: Apache-2.0
//! Sets of nodes in place of paths: which nodes can be reached, and from which the rest can be
//! walked.
//!
//! A step goes by *push* (walk the relationships of the nodes at hand) or by *pull* (ask each
//! candidate at the other end whether one of its neighbours is at hand), whichever is cheaper.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use durward_graph::{Adjacency, RowSet, RowSetBuilder, TypeId};

use super::chain::{Chain, Hop, Op, StepOp};
use super::engine::Engine;
use super::gate::Gate;
use super::sets::TypedSet;
use crate::error::QueryError;
use crate::plan::{Part, Repeat};

/// Up to this many nodes the cost of a push is counted exactly.
const EXACT_COST_ROWS: usize = 4096;
/// Asking a candidate costs about as much as walking this many relationships.
const PULL_COST: u64 = 2;
/// How much smaller than the candidates a push must be to be made before they are worked out.
const FORWARD_SHARE: u64 = 8;
/// Longer lists are probed as bits.
const PROBE_LIST_MAX: usize = 8;
/// Larger universes are not made into bits for a list.
const PROBE_UNIVERSE_MAX: u32 = 1 << 27;
/// A push over more relationships than this share of the rows collects bits from the start.
const BITMAP_SHARE: u32 = 32;
/// A push below this is always made.
const FORWARD_MIN: u64 = 256;

/// What may be at the other end of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Candidates<'a> {
    Gate(&'a Gate),
    Set(&'a TypedSet),
}

impl Candidates<'_> {
    fn at_most(self, engine: &Engine, type_id: TypeId) -> u64 {
        match self {
            Self::Gate(gate) => gate.at_most(engine, type_id),
            Self::Set(set) => set.get(type_id).map_or(0, |rows| rows.len() as u64),
        }
    }

    fn is_open(self, engine: &Engine, type_id: TypeId) -> bool {
        match self {
            Self::Gate(gate) => gate.is_open(engine, type_id),
            Self::Set(_) => false,
        }
    }
}

/// About how many relationships lead away from some rows.
fn push_cost(adjacency: &Adjacency, rows: &RowSet) -> u64 {
    if rows.is_full() {
        return adjacency.edges() as u64;
    }
    let sum = |rows: &mut dyn Iterator<Item = u32>| -> u64 {
        rows.map(|row| adjacency.degree(row) as u64).sum()
    };
    if rows.len() <= EXACT_COST_ROWS {
        return sum(&mut rows.iter());
    }
    let stride = rows.len() / EXACT_COST_ROWS + 1;
    sum(&mut rows.iter().step_by(stride)).saturating_mul(stride as u64)
}

impl Engine {
    /// The candidates at the far end of `hop` that have a neighbour among `from`.
    fn extend(
        &self,
        hop: &Hop,
        step: &StepOp,
        from: &RowSet,
        candidates: Candidates<'_>,
    ) -> Result<RowSet, QueryError> {
        let universe = if hop.to.is_relationship() {
            u32::MAX
        } else {
            self.view.rows(hop.to)
        };
        if from.is_empty() {
            return Ok(RowSet::empty(universe));
        }
        let edges = match &step.edge_gate {
            Some(gate) => Some(gate.full(self, hop.triple)?),
            None => None,
        };
        let edges = edges.as_deref();
        let forward = hop.forward(self);
        let push = push_cost(forward, from);
        let most = candidates.at_most(self, hop.to);
        let is_cheap = push <= most / FORWARD_SHARE || push <= FORWARD_MIN;
        if is_cheap || hop.to.is_relationship() {
            self.meter.tick(push)?;
            let reached = pushed(forward, from, edges, universe, push);
            return self.admitted(reached, hop.to, candidates);
        }
        if candidates.is_open(self, hop.to) && from.is_full() && edges.is_none() {
            return self.with_neighbours(hop, universe);
        }
        let full;
        let wanted = match candidates {
            Candidates::Set(set) => match set.get(hop.to) {
                Some(rows) => rows,
                None => return Ok(RowSet::empty(universe)),
            },
            Candidates::Gate(gate) => {
                full = gate.full(self, hop.to)?;
                &full
            }
        };
        let mean = forward.edges() as u64 / u64::from(universe.max(1)) + 1;
        let until_hit = forward.edges() as u64 / push.max(1) + 1;
        let pull = (wanted.len() as u64).saturating_mul(PULL_COST.max(mean.min(until_hit)));
        self.note_cost(|| {
            let how = if pull < push { "pull" } else { "push" };
            format!(
                "{how} over triple {}: push {push}, pull {pull}",
                hop.triple.0
            )
        });
        if pull < push {
            self.meter.tick(pull)?;
            Ok(pulled(hop.backward(self), from, edges, wanted))
        } else {
            self.meter.tick(push)?;
            Ok(pushed(forward, from, edges, universe, push).intersect(wanted))
        }
    }

    fn admitted(
        &self,
        rows: RowSet,
        type_id: TypeId,
        candidates: Candidates<'_>,
    ) -> Result<RowSet, QueryError> {
        match candidates {
            Candidates::Gate(gate) => gate.narrow(self, type_id, rows),
            Candidates::Set(set) => Ok(match set.get(type_id) {
                Some(wanted) => rows.intersect(wanted),
                None => RowSet::empty(rows.universe()),
            }),
        }
    }

    /// All nodes at the far end that have any neighbour at all.
    fn with_neighbours(&self, hop: &Hop, universe: u32) -> Result<RowSet, QueryError> {
        self.meter.tick(u64::from(universe))?;
        let backward = hop.backward(self);
        let rows = (0..universe)
            .filter(|row| backward.any(*row, |_| true))
            .collect();
        Ok(RowSet::from_sorted(rows, universe))
    }

    /// The nodes at the end of a step that starts at `from`.
    pub(crate) fn neighbours(
        &self,
        step: &StepOp,
        from: &TypedSet,
        candidates: Candidates<'_>,
    ) -> Result<TypedSet, QueryError> {
        if step.repeat != Repeat::ONCE {
            let reached = self.closure(step, from, false)?;
            return match candidates {
                Candidates::Set(set) => Ok(reached.intersect(set)),
                Candidates::Gate(gate) => self.through(gate, &reached),
            };
        }
        let mut reached = TypedSet::default();
        for hop in &step.hops {
            if let Some(rows) = from.get(hop.from) {
                reached.add(hop.to, self.extend(hop, step, rows, candidates)?);
            }
        }
        Ok(reached)
    }

    /// The nodes among `candidates` from which a step leads to `to`.
    pub(crate) fn origins(
        &self,
        step: &StepOp,
        to: &TypedSet,
        candidates: Candidates<'_>,
    ) -> Result<TypedSet, QueryError> {
        if step.repeat != Repeat::ONCE {
            let reached = self.closure(step, to, true)?;
            return match candidates {
                Candidates::Set(set) => Ok(reached.intersect(set)),
                Candidates::Gate(gate) => self.through(gate, &reached),
            };
        }
        let mut found = TypedSet::default();
        for hop in &step.hops {
            if let Some(rows) = to.get(hop.to) {
                let reversed = hop.reversed();
                found.add(hop.from, self.extend(&reversed, step, rows, candidates)?);
            }
        }
        Ok(found)
    }

    fn through(&self, gate: &Gate, set: &TypedSet) -> Result<TypedSet, QueryError> {
        let mut passed = TypedSet::default();
        for (type_id, rows) in set.parts() {
            passed.add(type_id, gate.narrow(self, type_id, rows.clone())?);
        }
        Ok(passed)
    }

    /// Everything within the most hops of a repeated step, whatever the number of hops. Only for
    /// pruning: it does not count hops from below nor keep relationships apart.
    fn closure(
        &self,
        step: &StepOp,
        from: &TypedSet,
        backwards: bool,
    ) -> Result<TypedSet, QueryError> {
        let types: BTreeSet<TypeId> = step
            .hops
            .iter()
            .flat_map(|hop| [hop.from, hop.to])
            .collect();
        let gate = Gate::open(step.gate.slot, types.into_iter());
        let mut reached = TypedSet::default();
        let mut frontier = from.clone();
        for _ in 0..step.repeat.max {
            let mut next = TypedSet::default();
            for hop in &step.hops {
                let hop = if backwards {
                    hop.reversed()
                } else {
                    hop.clone()
                };
                if let Some(rows) = frontier.get(hop.from) {
                    next.add(
                        hop.to,
                        self.extend(&hop, step, rows, Candidates::Gate(&gate))?,
                    );
                }
            }
            frontier = next.difference(&reached);
            if frontier.is_empty() {
                break;
            }
            reached = reached.union(&frontier);
        }
        Ok(reached)
    }

    /// The nodes among `within` at which a path of these parts starts.
    pub(crate) fn starts_of(
        &self,
        parts: &[Part],
        within: TypedSet,
    ) -> Result<TypedSet, QueryError> {
        let types = within.parts().map(|(type_id, _)| type_id).collect();
        let chain = Chain::of_parts(self, parts, &types)?;
        let candidates = self.starts(&chain.ops, within, None)?;
        if chain.sets_are_exact() {
            return Ok(candidates);
        }
        self.starts_by_paths(&chain, &candidates)
    }

    /// The nodes among `within` from which `ops` can be walked to a node in `end`, no matter
    /// whether a relationship is used twice. Leaves in every step the nodes worth walking to.
    pub(crate) fn starts(
        &self,
        ops: &[Op],
        within: TypedSet,
        end: Option<&TypedSet>,
    ) -> Result<TypedSet, QueryError> {
        self.meter.check()?;
        let Some((op, rest)) = ops.split_first() else {
            return Ok(match end {
                Some(end) => within.intersect(end),
                None => within,
            });
        };
        match op {
            Op::Reached(_) | Op::Jump(_) => self.starts(rest, within, end),
            Op::Step(step) => {
                let next = self.ends_of_step(step, &within)?;
                let good = self.starts(rest, next, end)?;
                let found = self.origins(step, &good, Candidates::Set(&within))?;
                self.note(|| format!("step to slot {}: {} nodes", step.gate.slot.0, good.len()));
                self.meter.bytes(good.held_bytes())?;
                let mut keep = step.keep.borrow_mut();
                *keep = Some(Rc::new(match keep.take() {
                    Some(before) => good.union(&before),
                    None => good,
                }));
                Ok(found)
            }
            Op::Without(without) => {
                let excluded = self.starts(&without.ops, within.clone(), None)?;
                let left = if without.is_tied {
                    within
                } else {
                    within.difference(&excluded)
                };
                self.meter.bytes(excluded.held_bytes())?;
                let mut before = without.excluded.borrow_mut();
                *before = Some(Rc::new(match before.take() {
                    Some(before) => excluded.union(&before),
                    None => excluded,
                }));
                drop(before);
                self.starts(rest, left, end)
            }
            Op::Optional(optional) => {
                let inside = self.ends(&optional.ops, &within)?;
                let good = self.starts(rest, within.clone().union(&inside), end)?;
                let taken = self.starts(&optional.ops, within.clone(), Some(&good))?;
                Ok(within.intersect(&good).union(&taken))
            }
        }
    }

    /// The nodes worth looking at after a step: those that its start can reach where that is cheap
    /// to find out, else all that fit.
    pub(crate) fn ends_of_step(
        &self,
        step: &StepOp,
        within: &TypedSet,
    ) -> Result<TypedSet, QueryError> {
        let mut cost = 0u64;
        let mut most = 0u64;
        for hop in &step.hops {
            if let Some(rows) = within.get(hop.from) {
                cost = cost.saturating_add(push_cost(hop.forward(self), rows));
                most = most.saturating_add(step.gate.at_most(self, hop.to));
            }
        }
        let is_cheap = cost <= FORWARD_MIN || cost <= most / FORWARD_SHARE;
        if is_cheap || step.repeat != Repeat::ONCE || step.gate.has_type(TypeId::RELATIONSHIP) {
            return self.neighbours(step, within, Candidates::Gate(&step.gate));
        }
        let types: BTreeSet<TypeId> = step
            .hops
            .iter()
            .filter(|hop| within.get(hop.from).is_some())
            .map(|hop| hop.to)
            .collect();
        let mut all = TypedSet::default();
        for type_id in types {
            all.add(type_id, RowSet::clone(&*step.gate.full(self, type_id)?));
        }
        Ok(all)
    }

    /// The nodes where paths of `ops` from `within` end, no matter whether a relationship is used
    /// twice.
    pub(crate) fn ends(&self, ops: &[Op], within: &TypedSet) -> Result<TypedSet, QueryError> {
        let mut set = within.clone();
        for op in ops {
            set = match op {
                Op::Step(step) => self.neighbours(step, &set, Candidates::Gate(&step.gate))?,
                Op::Without(without) if without.is_tied => set,
                Op::Without(without) => {
                    let excluded = self.starts(&without.ops, set.clone(), None)?;
                    set.difference(&excluded)
                }
                Op::Optional(optional) => {
                    let inside = self.ends(&optional.ops, &set)?;
                    set.union(&inside)
                }
                Op::Reached(_) | Op::Jump(_) => set,
            };
        }
        Ok(set)
    }
}

/// Walks the relationships of some rows.
fn pushed(
    forward: &Adjacency,
    from: &RowSet,
    edges: Option<&RowSet>,
    universe: u32,
    cost: u64,
) -> RowSet {
    let mut builder = if cost > u64::from(universe / BITMAP_SHARE) {
        RowSetBuilder::bitmap(universe)
    } else {
        RowSetBuilder::new(universe)
    };
    for row in from {
        match edges {
            None => match forward.slice(row) {
                Some(others) => others.iter().for_each(|other| builder.insert(*other)),
                None => forward.for_each_unordered(row, |other| builder.insert(other)),
            },
            Some(edges) => forward.for_each_edge(row, |other, edge| {
                if edges.contains(edge) {
                    builder.insert(other);
                }
            }),
        }
    }
    builder.finish()
}

/// Asks each candidate whether one of its neighbours is among some rows.
fn pulled(backward: &Adjacency, from: &RowSet, edges: Option<&RowSet>, wanted: &RowSet) -> RowSet {
    let Some(edges) = edges else {
        return match Probe::new(from) {
            Probe::All => filter(wanted, |row| backward.any(row, |_| true)),
            Probe::Words(words) => filter(wanted, |row| match backward.slice(row) {
                Some(others) => others.iter().any(|other| bit(&words, *other)),
                None => backward.any(row, |other| bit(&words, other)),
            }),
            Probe::Set(set) => filter(wanted, |row| backward.any(row, |other| set.contains(other))),
        };
    };
    filter(wanted, |row| {
        backward.any_edge(row, |other, edge| {
            from.contains(other) && edges.contains(edge)
        })
    })
}

fn filter(rows: &RowSet, test: impl Fn(u32) -> bool) -> RowSet {
    RowSet::from_sorted(
        rows.iter().filter(|row| test(*row)).collect(),
        rows.universe(),
    )
}

/// A set in the form in which membership is asked fastest.
#[derive(Debug)]
enum Probe<'s> {
    /// Everything is in it.
    All,
    /// One bit a row.
    Words(Cow<'s, [u64]>),
    /// Too few rows, or too large a universe, for bits.
    Set(&'s RowSet),
}

impl<'s> Probe<'s> {
    fn new(set: &'s RowSet) -> Self {
        if set.is_full() {
            return Self::All;
        }
        match set.as_words() {
            Some(words) => Self::Words(Cow::Borrowed(words)),
            None if set.len() > PROBE_LIST_MAX && set.universe() < PROBE_UNIVERSE_MAX => {
                Self::Words(Cow::Owned(set.to_words()))
            }
            None => Self::Set(set),
        }
    }
}

#[inline]
fn bit(words: &[u64], row: u32) -> bool {
    words
        .get(row as usize / 64)
        .is_some_and(|word| word >> (row % 64) & 1 == 1)
}
