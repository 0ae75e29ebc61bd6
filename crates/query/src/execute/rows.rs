// SPDX-License-Identifier: Apache-2.0
//! Where the rows of a result come from: sets where the result depends on single nodes, a part of
//! the path where the rest only has to exist, whole paths otherwise.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use durward_graph::EntityRef;

use super::binding::Binding;
use super::chain::{Chain, Op, StepOp};
use super::check::Check;
use super::engine::Engine;
use super::pairs::Pairs;
use super::sets::TypedSet;
use super::walk::{Choice, Flow, Sink, Walker};
use crate::error::QueryError;
use crate::plan::{Plan, Repeat, Slot};

/// What a result needs of the rows.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    /// The slots that it looks at.
    pub(crate) slots: Vec<Slot>,
    /// Whether equal rows count once, so that rows may be left out that differ elsewhere only.
    pub(crate) distinct: bool,
}

/// A plan made ready to give rows.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) chain: Chain,
    pub(crate) checks: Vec<Check>,
    /// Slots that the checks look at.
    check_slots: Vec<Slot>,
}

/// The way chosen to get rows.
#[derive(Debug)]
pub(crate) enum RowPlan {
    /// One row for each node of a set.
    Set { slot: Slot, set: TypedSet },
    /// One row for each node of a set that has a path by the ops.
    Tried {
        slot: Slot,
        set: TypedSet,
        ops: Vec<Op>,
    },
    /// Paths of these ops, which are a part of the chain.
    Segment {
        slot: Slot,
        starts: TypedSet,
        ops: Vec<Op>,
        with_edges: bool,
    },
    /// Distinct pairs of the nodes at the ends of these steps.
    Pairs {
        slot: Slot,
        starts: TypedSet,
        pairs: Pairs,
    },
    /// All paths of the chain.
    Paths { starts: TypedSet, with_edges: bool },
}

impl Prepared {
    pub(crate) fn new(engine: &Engine, plan: &Plan) -> Result<Self, QueryError> {
        let chain = Chain::new(engine, plan)?;
        let (checks, check_slots) = match &plan.path_filter {
            None => (Vec::new(), Vec::new()),
            Some(filter) => (
                vec![Check::new(&engine.view, filter, engine)?],
                filter.slots(),
            ),
        };
        Ok(Self {
            chain,
            checks,
            check_slots,
        })
    }

    /// The start nodes worth walking from; fills the sets of the steps.
    pub(crate) fn reduce(&self, engine: &Engine) -> Result<TypedSet, QueryError> {
        let all = self.all_starts(engine)?;
        let starts = engine.starts(&self.chain.ops, all, None)?;
        engine.note(|| format!("start: {} nodes after reduction", starts.len()));
        Ok(starts)
    }

    /// The first step of the chain with the nodes at its two ends, when these are all that is asked
    /// for: what follows only has to exist, and the ends need not be matched to each other.
    pub(crate) fn first_step(
        &self,
        engine: &Engine,
        slots: [Slot; 2],
    ) -> Result<Option<(&StepOp, TypedSet, TypedSet)>, QueryError> {
        let Some((Op::Step(step), rest)) = self.chain.ops.split_first() else {
            return Ok(None);
        };
        let ends = [self.chain.start.slot, step.gate.slot];
        let [one, two] = slots;
        if one == two || !slots.iter().all(|slot| ends.contains(slot)) {
            return Ok(None);
        }
        let left = self.all_starts(engine)?;
        let right = engine.ends_of_step(step, &left)?;
        let right = engine.starts(rest, right, None)?;
        Ok(Some((step, left, right)))
    }

    fn all_starts(&self, engine: &Engine) -> Result<TypedSet, QueryError> {
        let mut all = TypedSet::default();
        for type_id in self.chain.start.types() {
            engine.meter.tick(1)?;
            let full = self.chain.start.full(engine, type_id)?;
            all.add(type_id, durward_graph::RowSet::clone(&full));
        }
        engine.meter.bytes(all.held_bytes())?;
        engine.note(|| format!("start: {} nodes", all.len()));
        Ok(all)
    }

    /// Whether sets give exactly the nodes of valid paths.
    pub(crate) fn sets_suffice(&self) -> bool {
        self.checks.is_empty() && self.chain.sets_are_exact()
    }

    /// Place of a slot in a linear chain: 0 for the start, n for the end of the n-th step.
    fn place(&self, slot: Slot) -> Option<usize> {
        if slot == self.chain.start.slot {
            return Some(0);
        }
        let steps = self.chain.steps();
        steps
            .iter()
            .position(|step| step.gate.slot == slot)
            .map(|position| position + 1)
    }

    fn edge_place(&self, slot: Slot) -> Option<usize> {
        self.chain
            .steps()
            .iter()
            .position(|step| step.edge_slot == slot)
    }

    /// Whether relationships have to be told apart while paths are walked.
    fn must_track_edges(&self, slots: &[Slot]) -> bool {
        let is_edge = |slot: &Slot| self.edge_place(*slot).is_some();
        !self.chain.sets_are_exact()
            || !self.chain.is_linear()
            || slots.iter().any(is_edge)
            || self.check_slots.iter().any(is_edge)
    }

    /// Chooses how to get rows.
    pub(crate) fn choose(&self, engine: &Engine, need: &Need) -> Result<RowPlan, QueryError> {
        let starts = self.reduce(engine)?;
        let start = self.chain.start.slot;
        let with_edges = self.must_track_edges(&need.slots);
        let paths = |starts| Ok(RowPlan::Paths { starts, with_edges });
        if !need.distinct {
            return paths(starts);
        }
        let wanted = need.slots.iter().copied();
        let distinct: std::collections::BTreeSet<Slot> = wanted.collect();
        let only = match distinct.len() {
            0 => Some(start),
            1 => distinct.first().copied(),
            _ => None,
        };
        if only == Some(start) {
            return Ok(if self.sets_suffice() {
                RowPlan::Set {
                    slot: start,
                    set: starts,
                }
            } else {
                RowPlan::Tried {
                    slot: start,
                    set: starts,
                    ops: Vec::new(),
                }
            });
        }
        if !self.chain.is_linear() || starts.is_empty() {
            return paths(starts);
        }
        if !self.sets_suffice() {
            return match only.and_then(|slot| self.rerooted(slot, &starts)) {
                Some(rerooted) => Ok(rerooted),
                None => paths(starts),
            };
        }
        match self.segment(engine, &distinct, &starts)? {
            Some(segment) => Ok(segment),
            None => paths(starts),
        }
    }

    /// A walk that starts in the middle of the chain, for one slot of paths that have to be tried.
    fn rerooted(&self, slot: Slot, starts: &TypedSet) -> Option<RowPlan> {
        let tied = |op: &Op| matches!(op, Op::Without(without) if without.is_tied);
        let plain = self
            .chain
            .ops
            .iter()
            .all(|op| !tied(op) && !matches!(op, Op::Reached(_)));
        let steps = self.chain.steps();
        let place = self.place(slot).filter(|_| plain)?;
        let keep = |position: usize| match position.checked_sub(1) {
            None => Some(Rc::new(starts.clone())),
            Some(step) => steps.get(step).and_then(|step| step.keep.borrow().clone()),
        };
        let mut ops = Vec::new();
        for position in (0..place).rev() {
            let step = steps.get(position)?;
            if step.repeat != Repeat::ONCE {
                return None;
            }
            let gate = match position.checked_sub(1).and_then(|before| steps.get(before)) {
                Some(before) => &before.gate,
                None => &self.chain.start,
            };
            ops.push(Op::Step(Box::new(step.reversed(gate, keep(position)))));
        }
        ops.push(Op::Jump(slot));
        for step in steps.iter().skip(place) {
            ops.push(Op::Step(Box::new(step.towards(step.keep.borrow().clone()))));
        }
        let set = keep(place)?;
        Some(RowPlan::Tried {
            slot,
            set: TypedSet::clone(&set),
            ops,
        })
    }

    /// The nodes at each place up to `place` that are on a path.
    pub(crate) fn forward(
        &self,
        engine: &Engine,
        starts: &TypedSet,
        place: usize,
    ) -> Result<TypedSet, QueryError> {
        let mut set = starts.clone();
        for step in self.chain.steps().into_iter().take(place) {
            let keep = step.keep.borrow().clone().unwrap_or_default();
            set = engine.neighbours(step, &set, super::reduce::Candidates::Set(&keep))?;
        }
        Ok(set)
    }

    /// The shortest part of a linear chain that holds all needed slots.
    fn segment(
        &self,
        engine: &Engine,
        slots: &std::collections::BTreeSet<Slot>,
        starts: &TypedSet,
    ) -> Result<Option<RowPlan>, QueryError> {
        let (mut first, mut last) = (usize::MAX, 0);
        let mut edges = false;
        for slot in slots {
            let (low, high) = match (self.place(*slot), self.edge_place(*slot)) {
                (Some(place), _) => (place, place),
                (None, Some(step)) => {
                    edges = true;
                    (step, step + 1)
                }
                (None, None) => return Ok(None),
            };
            first = first.min(low);
            last = last.max(high);
        }
        let left = self.forward(engine, starts, first)?;
        let steps = self.chain.steps();
        let slot = match first.checked_sub(1) {
            None => self.chain.start.slot,
            Some(step) => steps
                .get(step)
                .map_or(self.chain.start.slot, |step| step.gate.slot),
        };
        if first == last {
            return Ok(Some(RowPlan::Set { slot, set: left }));
        }
        let inner: Vec<_> = steps.into_iter().take(last).skip(first).collect();
        let between = inner.split_last().map_or(&[][..], |(_, between)| between);
        let all_needed = between.iter().all(|step| slots.contains(&step.gate.slot));
        if !edges && !all_needed && slots.len() == 2 {
            let pairs = Pairs::new(&inner);
            return Ok(Some(RowPlan::Pairs {
                slot,
                starts: left,
                pairs,
            }));
        }
        let ops = inner
            .iter()
            .map(|step| Op::Step(Box::new(step.towards(step.keep.borrow().clone()))));
        Ok(Some(RowPlan::Segment {
            slot,
            starts: left,
            ops: ops.collect(),
            with_edges: edges,
        }))
    }
}

impl RowPlan {
    /// What is done, for `EXPLAIN`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Set { set, .. } => format!("set of {} nodes, no paths", set.len()),
            Self::Tried { set, .. } => {
                format!(
                    "{} candidates, each tried until its first valid path",
                    set.len()
                )
            }
            Self::Segment { starts, ops, .. } => {
                format!("paths of {} steps from {} nodes", ops.len(), starts.len())
            }
            Self::Pairs { starts, .. } => {
                format!("distinct pairs from {} nodes", starts.len())
            }
            Self::Paths { starts, with_edges } => format!(
                "all paths from {} nodes, relationships {}",
                starts.len(),
                if *with_edges {
                    "told apart"
                } else {
                    "not told apart"
                }
            ),
        }
    }

    /// Hands every row to `sink`, after the one with the choices in `resume`.
    pub(crate) fn run(
        &self,
        engine: &Engine,
        prepared: &Prepared,
        resume: Vec<Choice>,
        sink: &mut Sink<'_>,
    ) -> Result<(), QueryError> {
        self.walk(engine, prepared, resume, sink).map(|_| ())
    }

    fn walk(
        &self,
        engine: &Engine,
        prepared: &Prepared,
        resume: Vec<Choice>,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let slots = prepared.chain.slots;
        match self {
            Self::Set { slot, set } => {
                let mut bindings = vec![Binding::Empty; slots];
                each_after(set, &resume, |node| {
                    engine.meter.tick(1)?;
                    bind(&mut bindings, *slot, Binding::node(&engine.view, node));
                    sink(&bindings, &[Choice::Start(node.type_id.0, node.row)])
                })
            }
            Self::Tried { slot, set, ops } => {
                let ops = if ops.is_empty() {
                    &prepared.chain.ops
                } else {
                    ops
                };
                let mut walker = Walker::new(engine, slots, &prepared.checks, true);
                let mut bindings = vec![Binding::Empty; slots];
                each_after(set, &resume, |node| {
                    if !walker.has_path(*slot, node, ops)? {
                        return Ok(ControlFlow::Continue(()));
                    }
                    bind(&mut bindings, *slot, Binding::node(&engine.view, node));
                    sink(&bindings, &[Choice::Start(node.type_id.0, node.row)])
                })
            }
            Self::Segment {
                slot,
                starts,
                ops,
                with_edges,
            } => {
                let mut walker = Walker::new(engine, slots, &[], *with_edges);
                walker.resume_after(resume);
                walker.walk_from(*slot, starts, ops, sink)
            }
            Self::Pairs {
                slot,
                starts,
                pairs,
            } => {
                let mut bindings = vec![Binding::Empty; slots];
                let seen = RefCell::new(pairs.scratch(engine)?);
                let end = pairs.end_slot();
                each_after(starts, &[], |node| {
                    bind(&mut bindings, *slot, Binding::Entity(node));
                    let choice = Choice::Start(node.type_id.0, node.row);
                    pairs.from(engine, node, &mut seen.borrow_mut(), &mut |other| {
                        bind(&mut bindings, end, Binding::Entity(other));
                        sink(
                            &bindings,
                            &[choice, Choice::Hop(other.type_id.0, other.row, 0)],
                        )
                    })
                })
            }
            Self::Paths { starts, with_edges } => {
                let mut walker = Walker::new(engine, slots, &prepared.checks, *with_edges);
                walker.resume_after(resume);
                walker.walk_from(prepared.chain.start.slot, starts, &prepared.chain.ops, sink)
            }
        }
    }
}

fn bind(bindings: &mut [Binding], slot: Slot, binding: Binding) {
    if let Some(place) = bindings.get_mut(slot.0 as usize) {
        *place = binding;
    }
}

/// Every node of a set, after the one that `resume` names.
fn each_after(set: &TypedSet, resume: &[Choice], mut visit: impl FnMut(EntityRef) -> Flow) -> Flow {
    let after = match resume.first() {
        Some(Choice::Start(type_id, row)) => Some((*type_id, *row)),
        _ => None,
    };
    for (type_id, rows) in set.parts() {
        if after.is_some_and(|(last, _)| type_id.0 < last) {
            continue;
        }
        for row in rows {
            if after.is_some_and(|last| (type_id.0, row) <= last) {
                continue;
            }
            if visit(EntityRef { type_id, row })?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}
