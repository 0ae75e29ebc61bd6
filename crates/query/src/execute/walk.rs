// SPDX-License-Identifier: Apache-2.0
//! Paths, one at a time: depth first, in an order that depends on nothing but the plan and the
//! instant, so that a walk can be taken up again after any path.

mod optional;

use std::ops::ControlFlow;

use durward_graph::{EdgeRef, EntityRef};

use super::binding::Binding;
use super::chain::{Chain, Op, StepOp, WithoutOp};
use super::check::Check;
use super::engine::Engine;
use super::formula::Row;
use super::sets::TypedSet;
use crate::error::QueryError;
use crate::plan::{Repeat, Slot};
use optional::{Forced, SkippedBlock};

/// One choice on the way to a path. Choices at one place are made in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    /// The start: type and row.
    Start(u16, u32),
    /// Along which hop of the step, to which row, over which of several parallel relationships.
    Hop(u16, u32, u32),
    /// An optional block is walked; a repeated step ends here.
    Taken,
    /// An optional block is left out; a repeated step goes on.
    Skipped,
}

/// Whether to go on.
pub(crate) type Flow = Result<ControlFlow<()>, QueryError>;

/// Receives paths.
pub(crate) type Sink<'s> = dyn FnMut(&[Binding], &[Choice]) -> Flow + 's;

const GO_ON: Flow = Ok(ControlFlow::Continue(()));

/// Receives the neighbours of a node: how they are chosen, what they are, over which relationship.
type Visit<'v, 'e> = dyn FnMut(&mut Walker<'e>, Choice, EntityRef, Option<EdgeRef>) -> Flow + 'v;

/// Walks the paths of a chain.
pub(crate) struct Walker<'e> {
    engine: &'e Engine,
    checks: &'e [Check],
    /// Whether relationships are told apart (else their slots stay empty).
    with_edges: bool,
    bindings: Vec<Binding>,
    used: Vec<EdgeRef>,
    trail: Vec<Choice>,
    resume: Vec<Choice>,
    is_resuming: bool,
    skipped: Vec<SkippedBlock<'e>>,
    /// While a row is compared with one in which a block is walked: what that row bound, and the
    /// slots that are free.
    forced: Option<Forced>,
}

/// What follows the ops at hand.
#[derive(Clone)]
enum Next<'e> {
    End,
    Then(std::rc::Rc<Continuation<'e>>),
}

struct Continuation<'e> {
    reached: Option<Slot>,
    ops: &'e [Op],
    next: Next<'e>,
}

impl<'e> Walker<'e> {
    pub(crate) fn new(
        engine: &'e Engine,
        slots: usize,
        checks: &'e [Check],
        with_edges: bool,
    ) -> Self {
        Self {
            engine,
            checks,
            with_edges,
            bindings: vec![Binding::Empty; slots],
            used: Vec::new(),
            trail: Vec::new(),
            resume: Vec::new(),
            is_resuming: false,
            skipped: Vec::new(),
            forced: None,
        }
    }

    /// Goes on after the path with these choices.
    pub(crate) fn resume_after(&mut self, choices: Vec<Choice>) {
        self.is_resuming = !choices.is_empty();
        self.resume = choices;
    }

    /// Walks all paths that start in `starts`, bound to `slot`.
    pub(crate) fn walk_from(
        &mut self,
        slot: Slot,
        starts: &TypedSet,
        ops: &'e [Op],
        sink: &mut Sink<'_>,
    ) -> Flow {
        let first = match self.resume.first() {
            Some(Choice::Start(type_id, row)) if self.is_resuming => (*type_id, *row),
            _ => (0, 0),
        };
        for (type_id, rows) in starts.parts() {
            if type_id.0 < first.0 {
                continue;
            }
            for row in rows {
                if (type_id.0, row) < first {
                    continue;
                }
                self.engine.meter.tick(1)?;
                let start = EntityRef { type_id, row };
                if self.walk_one(slot, start, ops, sink)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        GO_ON
    }

    /// Walks all paths from one node.
    pub(crate) fn walk_one(
        &mut self,
        slot: Slot,
        start: EntityRef,
        ops: &'e [Op],
        sink: &mut Sink<'_>,
    ) -> Flow {
        let choice = Choice::Start(start.type_id.0, start.row);
        if !self.choose(choice) {
            return GO_ON;
        }
        self.bind(slot, Binding::node(&self.engine.view, start));
        let flow = self.walk(ops, &Next::End, start, sink);
        self.unchoose();
        flow
    }

    /// Whether any path starts at a node.
    pub(crate) fn has_path(
        &mut self,
        slot: Slot,
        start: EntityRef,
        ops: &'e [Op],
    ) -> Result<bool, QueryError> {
        let flow = self.walk_one(slot, start, ops, &mut |_, _| Ok(ControlFlow::Break(())));
        self.reset();
        Ok(flow?.is_break())
    }

    fn reset(&mut self) {
        self.used.clear();
        self.trail.clear();
        self.skipped.clear();
        self.bindings.fill(Binding::Empty);
    }

    /// Makes a choice; `false` when it lies before the place where the walk is taken up again.
    fn choose(&mut self, choice: Choice) -> bool {
        if self.is_resuming {
            match self.resume.get(self.trail.len()) {
                Some(wanted) if choice < *wanted => return false,
                Some(wanted) if choice == *wanted => {}
                _ => self.is_resuming = false,
            }
        }
        self.trail.push(choice);
        true
    }

    fn unchoose(&mut self) {
        self.trail.pop();
        self.is_resuming = false;
    }

    #[inline]
    fn bind(&mut self, slot: Slot, binding: Binding) {
        if let Some(place) = self.bindings.get_mut(slot.0 as usize) {
            *place = binding;
        }
    }

    fn walk(&mut self, ops: &'e [Op], next: &Next<'e>, at: EntityRef, sink: &mut Sink<'_>) -> Flow {
        let Some((op, rest)) = ops.split_first() else {
            return match next {
                Next::End => self.complete(sink),
                Next::Then(then) => self.reaching(then.reached, at, |walker| {
                    walker.walk(then.ops, &then.next, at, sink)
                }),
            };
        };
        match op {
            Op::Step(step) if step.repeat == Repeat::ONCE => {
                self.walk_step(step, rest, next, at, sink)
            }
            Op::Step(step) => self.walk_repeated(step, rest, next, at, 1, sink),
            Op::Without(without) => {
                if self.excludes(without, at)? {
                    return GO_ON;
                }
                self.walk(rest, next, at, sink)
            }
            Op::Optional(optional) => self.walk_optional(optional, rest, next, at, sink),
            Op::Reached(slot) => {
                self.reaching(Some(*slot), at, |walker| walker.walk(rest, next, at, sink))
            }
            Op::Jump(slot) => match self.bindings.get(slot.0 as usize).copied() {
                Some(Binding::Entity(entity)) => self.walk(rest, next, entity, sink),
                _ => GO_ON,
            },
        }
    }

    /// Goes on with a second name for the node at hand, if it has one.
    fn reaching(
        &mut self,
        slot: Option<Slot>,
        at: EntityRef,
        go_on: impl FnOnce(&mut Self) -> Flow,
    ) -> Flow {
        let Some(slot) = slot else { return go_on(self) };
        self.bind(slot, Binding::node(&self.engine.view, at));
        let flow = go_on(self);
        self.bind(slot, Binding::Empty);
        flow
    }

    /// A whole path: counted, tested, handed on.
    fn complete(&mut self, sink: &mut Sink<'_>) -> Flow {
        if self.forced.is_some() {
            return sink(&self.bindings, &self.trail);
        }
        if self.is_resuming {
            self.is_resuming = false;
            return GO_ON;
        }
        self.engine.meter.path()?;
        let row = Row {
            bindings: &self.bindings,
            ..Row::default()
        };
        for check in self.checks {
            if !self.engine.holds(check, row)? {
                return GO_ON;
            }
        }
        for position in 0..self.skipped.len() {
            if let Some(skipped) = self.skipped.get(position).cloned()
                && self.has_row_with(&skipped)?
            {
                return GO_ON;
            }
        }
        sink(&self.bindings, &self.trail)
    }

    fn walk_step(
        &mut self,
        step: &'e StepOp,
        rest: &'e [Op],
        next: &Next<'e>,
        at: EntityRef,
        sink: &mut Sink<'_>,
    ) -> Flow {
        if let Some(edge) = self.forced_edge(step) {
            return self.walk_forced(step, rest, next, at, edge, sink);
        }
        self.each_neighbour(step, at, &mut |walker, choice, other, edge| {
            if !walker.admits(step, other)? {
                return GO_ON;
            }
            walker.enter(step, choice, other, edge, |walker| {
                walker.walk(rest, next, other, sink)
            })
        })
    }

    /// Binds one relationship and the node behind it, and goes on from there.
    fn enter(
        &mut self,
        step: &'e StepOp,
        choice: Choice,
        other: EntityRef,
        edge: Option<EdgeRef>,
        go_on: impl FnOnce(&mut Self) -> Flow,
    ) -> Flow {
        if edge.is_some_and(|edge| self.used.contains(&edge)) || !self.choose(choice) {
            return GO_ON;
        }
        if let Some(edge) = edge {
            self.used.push(edge);
            self.bind(step.edge_slot, Binding::Edge(edge));
        }
        self.bind(step.gate.slot, Binding::node(&self.engine.view, other));
        let flow = go_on(self);
        self.unchoose();
        if edge.is_some() {
            self.used.pop();
            self.bind(step.edge_slot, Binding::Empty);
        }
        self.bind(step.gate.slot, Binding::Empty);
        flow
    }

    fn admits(&self, step: &StepOp, entity: EntityRef) -> Result<bool, QueryError> {
        match step.keep.borrow().as_ref() {
            Some(keep) => Ok(keep.contains(entity)),
            None => step.gate.admits(self.engine, entity),
        }
    }

    /// Calls `visit` with every relationship of a step from a node.
    fn each_neighbour(
        &mut self,
        step: &'e StepOp,
        at: EntityRef,
        visit: &mut Visit<'_, 'e>,
    ) -> Flow {
        let engine = self.engine;
        let (with_edges, is_past) = (self.with_edges, engine.view.is_past());
        for (number, hop) in step.hops.iter().enumerate() {
            if hop.from != at.type_id {
                continue;
            }
            let allowed = match &step.edge_gate {
                Some(gate) => Some(gate.full(engine, hop.triple)?),
                None => None,
            };
            let mut outcome: Flow = GO_ON;
            let mut before = (u32::MAX, 0u32);
            let mut one = |other: u32, edge: Option<u32>| -> bool {
                if hop.skip_loops && other == at.row {
                    return false;
                }
                if allowed
                    .as_ref()
                    .is_some_and(|rows| !edge.is_some_and(|e| rows.contains(e)))
                {
                    return false;
                }
                before = if before.0 == other {
                    (other, before.1 + 1)
                } else {
                    (other, 0)
                };
                let choice = Choice::Hop(number as u16, other, before.1);
                let node = EntityRef {
                    type_id: hop.to,
                    row: other,
                };
                let edge = edge.map(|edge| EdgeRef {
                    triple: hop.triple,
                    edge,
                });
                outcome = engine
                    .meter
                    .tick(1)
                    .and_then(|()| visit(self, choice, node, edge));
                !matches!(outcome, Ok(ControlFlow::Continue(())))
            };
            let forward = hop.forward(engine);
            let with_edges = with_edges || allowed.is_some();
            let stopped = match forward.slice(at.row) {
                Some(others) if !with_edges => others.iter().any(|other| one(*other, None)),
                // At past instants only a full visit keeps the order.
                _ if is_past => {
                    let mut pairs = Vec::new();
                    forward.for_each_edge(at.row, |other, edge| pairs.push((other, edge)));
                    pairs
                        .iter()
                        .any(|(other, edge)| one(*other, with_edges.then_some(*edge)))
                }
                _ if with_edges => forward.any_edge(at.row, |other, edge| one(other, Some(edge))),
                _ => forward.any(at.row, |other| one(other, None)),
            };
            if stopped {
                return outcome;
            }
        }
        GO_ON
    }

    fn walk_repeated(
        &mut self,
        step: &'e StepOp,
        rest: &'e [Op],
        next: &Next<'e>,
        at: EntityRef,
        depth: u32,
        sink: &mut Sink<'_>,
    ) -> Flow {
        self.each_neighbour(step, at, &mut |walker, choice, other, edge| {
            if !walker.engine.is_visible(other) {
                return GO_ON;
            }
            walker.enter(step, choice, other, edge, |walker| {
                let ends = depth >= step.repeat.min && walker.admits(step, other)?;
                if ends && walker.choose(Choice::Taken) {
                    let flow = walker.walk(rest, next, other, sink);
                    walker.unchoose();
                    if flow?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                if depth < step.repeat.max && walker.choose(Choice::Skipped) {
                    let flow = walker.walk_repeated(step, rest, next, other, depth + 1, sink);
                    walker.unchoose();
                    return flow;
                }
                GO_ON
            })
        })
    }

    /// Whether a path of a negated block starts at `at`, given the relationships used so far.
    fn excludes(&mut self, without: &'e WithoutOp, at: EntityRef) -> Result<bool, QueryError> {
        if let Some(excluded) = without.excluded.borrow().as_ref() {
            if !excluded.contains(at) {
                return Ok(false);
            }
            if !without.is_tied {
                return Ok(true);
            }
        }
        let mut inner = Walker::new(self.engine, self.bindings.len(), &[], true);
        inner.used.clone_from(&self.used);
        let flow = inner.walk(&without.ops, &Next::End, at, &mut |_, _| {
            Ok(ControlFlow::Break(()))
        });
        Ok(flow?.is_break())
    }
}

impl Engine {
    /// The nodes among `candidates` at which a valid path of a chain starts.
    pub(crate) fn starts_by_paths(
        &self,
        chain: &Chain,
        candidates: &TypedSet,
    ) -> Result<TypedSet, QueryError> {
        let mut walker = Walker::new(self, chain.slots, &[], true);
        let mut found = TypedSet::default();
        for (type_id, rows) in candidates.parts() {
            let mut kept = Vec::new();
            for row in rows {
                let start = EntityRef { type_id, row };
                if walker.has_path(chain.start.slot, start, &chain.ops)? {
                    kept.push(row);
                }
            }
            let rows = durward_graph::RowSet::from_sorted(kept, rows.universe());
            found.add(type_id, rows);
        }
        Ok(found)
    }
}
