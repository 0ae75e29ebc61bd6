// SPDX-License-Identifier: Apache-2.0
//! The parts of a plan, resolved against the triples of a graph.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use durward_graph::{Adjacency, Direction, TripleId, TripleMeta, TypeId, VerbId};

use super::check::Check;
use super::engine::Engine;
use super::gate::{EdgeGate, Gate};
use super::sets::TypedSet;
use crate::error::QueryError;
use crate::plan::{Part, Plan, Repeat, Slot, Step, Way};

/// How often the hops of a step are held: as compiled, and turned round or narrowed for a part.
const HOP_COPIES: usize = 3;

/// A plan whose names are resolved.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) start: Rc<Gate>,
    pub(crate) ops: Vec<Op>,
    pub(crate) slots: usize,
    /// Whether two steps of one path could bind the same relationship.
    pub(crate) may_repeat_edges: bool,
}

/// One resolved part.
#[derive(Debug)]
pub(crate) enum Op {
    Step(Box<StepOp>),
    Without(Box<WithoutOp>),
    Optional(Box<OptionalOp>),
    Reached(Slot),
    /// Goes on from the node in a slot.
    Jump(Slot),
}

/// One resolved step.
#[derive(Clone, Debug)]
pub(crate) struct StepOp {
    pub(crate) edge_slot: Slot,
    pub(crate) gate: Rc<Gate>,
    pub(crate) edge_gate: Option<Rc<EdgeGate>>,
    pub(crate) hops: Vec<Hop>,
    pub(crate) repeat: Repeat,
    /// The nodes at its end from which the rest can be walked, once that is worked out.
    pub(crate) keep: RefCell<Option<Rc<TypedSet>>>,
}

/// One way that a step can go: along one triple in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) from: TypeId,
    pub(crate) to: TypeId,
    pub(crate) triple: TripleId,
    pub(crate) direction: Direction,
    /// The other direction is among the hops too, so that a loop would be seen twice.
    pub(crate) skip_loops: bool,
    forward: OnceCell<Adjacency>,
    backward: OnceCell<Adjacency>,
}

/// A resolved negation.
#[derive(Debug)]
pub(crate) struct WithoutOp {
    pub(crate) ops: Vec<Op>,
    /// Whether its paths compete with the path before it for relationships, so that each path has
    /// to be tried.
    pub(crate) is_tied: bool,
    /// The nodes from which a path exists (may exist, when tied), once that is worked out.
    pub(crate) excluded: RefCell<Option<Rc<TypedSet>>>,
}

/// A resolved optional block.
#[derive(Debug)]
pub(crate) struct OptionalOp {
    pub(crate) ops: Vec<Op>,
    pub(crate) reached: Option<Slot>,
    /// Slots bound inside.
    pub(crate) slots: Vec<Slot>,
}

impl Hop {
    fn new(from: TypeId, to: TypeId, triple: TripleId, direction: Direction) -> Self {
        Self {
            from,
            to,
            triple,
            direction,
            skip_loops: false,
            forward: OnceCell::new(),
            backward: OnceCell::new(),
        }
    }

    /// Neighbours in the direction of the hop.
    #[inline]
    pub(crate) fn forward(&self, engine: &Engine) -> &Adjacency {
        self.forward
            .get_or_init(|| engine.view.adjacency(self.triple, self.direction))
    }

    /// Neighbours against the direction of the hop.
    #[inline]
    pub(crate) fn backward(&self, engine: &Engine) -> &Adjacency {
        self.backward.get_or_init(|| {
            engine
                .view
                .adjacency(self.triple, self.direction.reversed())
        })
    }

    /// The same relationships walked the other way.
    pub(crate) fn reversed(&self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            triple: self.triple,
            direction: self.direction.reversed(),
            skip_loops: self.skip_loops,
            forward: self.backward.clone(),
            backward: self.forward.clone(),
        }
    }
}

impl StepOp {
    /// The same step from its end to its start, where the nodes of `gate` are.
    pub(crate) fn reversed(&self, gate: &Rc<Gate>, keep: Option<Rc<TypedSet>>) -> Self {
        let mut hops: Vec<Hop> = self.hops.iter().map(Hop::reversed).collect();
        hops.sort_by_key(|hop| (hop.triple, hop.direction));
        Self {
            edge_slot: self.edge_slot,
            gate: Rc::clone(gate),
            edge_gate: self.edge_gate.clone(),
            hops,
            repeat: self.repeat,
            keep: RefCell::new(keep),
        }
    }

    /// The same step towards these nodes only.
    pub(crate) fn towards(&self, keep: Option<Rc<TypedSet>>) -> Self {
        Self {
            keep: RefCell::new(keep),
            ..self.clone()
        }
    }
}

impl Chain {
    pub(crate) fn new(engine: &Engine, plan: &Plan) -> Result<Self, QueryError> {
        let start = Rc::new(Gate::new(engine, &plan.start)?);
        let (mut ops, _) = compile(engine, &plan.parts, &start.types().collect())?;
        prune_types(&mut ops, None);
        let may_repeat_edges = find_ties(&mut ops, &mut Vec::new());
        Ok(Self {
            start,
            ops,
            slots: plan.slots.len(),
            may_repeat_edges,
        })
    }

    /// The parts of a condition that asks for a path.
    pub(crate) fn of_parts(
        engine: &Engine,
        parts: &[Part],
        from: &BTreeSet<TypeId>,
    ) -> Result<Self, QueryError> {
        let (mut ops, _) = compile(engine, parts, from)?;
        prune_types(&mut ops, None);
        let may_repeat_edges = find_ties(&mut ops, &mut Vec::new());
        let start = Rc::new(Gate::open(Slot(0), from.iter().copied()));
        let slots = 1 + max_slot(parts);
        Ok(Self {
            start,
            ops,
            slots,
            may_repeat_edges,
        })
    }

    /// Whether there are steps only, with negations between or after them.
    pub(crate) fn is_linear(&self) -> bool {
        self.ops
            .iter()
            .all(|op| matches!(op, Op::Step(_) | Op::Without(_) | Op::Reached(_)))
    }

    /// Whether the sets of nodes that can be walked through are exact for every single slot.
    pub(crate) fn sets_are_exact(&self) -> bool {
        let tied = |op: &Op| matches!(op, Op::Without(without) if without.is_tied);
        !self.may_repeat_edges && !self.ops.iter().any(tied)
    }

    /// The steps of a linear chain.
    pub(crate) fn steps(&self) -> Vec<&StepOp> {
        let mut steps = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            if let Op::Step(step) = op {
                steps.push(step.as_ref());
            }
        }
        steps
    }
}

fn max_slot(parts: &[Part]) -> usize {
    let of_part = |part: &Part| match part {
        Part::Step(step) => step.edge.slot.0.max(step.node.slot.0) as usize,
        Part::Without(parts) => max_slot(parts),
        Part::Optional { parts, reached } => {
            max_slot(parts).max(reached.map_or(0, |slot| slot.0 as usize))
        }
        Part::Reached(slot) => slot.0 as usize,
    };
    parts.iter().map(of_part).max().unwrap_or(0)
}

/// The slots that parts bind, except inside negations.
pub(crate) fn bound_slots(parts: &[Part]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for part in parts {
        match part {
            Part::Step(step) => slots.extend([step.edge.slot, step.node.slot]),
            Part::Without(_) => {}
            Part::Optional { parts, reached } => {
                slots.extend(bound_slots(parts));
                slots.extend(*reached);
            }
            Part::Reached(slot) => slots.push(*slot),
        }
    }
    slots
}

/// Resolves parts that start at nodes of these types; also tells the types where they end.
fn compile(
    engine: &Engine,
    parts: &[Part],
    from: &BTreeSet<TypeId>,
) -> Result<(Vec<Op>, BTreeSet<TypeId>), QueryError> {
    let mut types = from.clone();
    let mut ops = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Step(step) => {
                let (op, reached) = compile_step(engine, step, &types)?;
                types = reached;
                ops.push(Op::Step(Box::new(op)));
            }
            Part::Without(parts) => {
                let (inner, _) = compile(engine, parts, &types)?;
                ops.push(Op::Without(Box::new(WithoutOp {
                    ops: inner,
                    is_tied: false,
                    excluded: RefCell::new(None),
                })));
            }
            Part::Optional { parts, reached } => {
                let (inner, ends) = compile(engine, parts, &types)?;
                types.extend(ends);
                ops.push(Op::Optional(Box::new(OptionalOp {
                    ops: inner,
                    reached: *reached,
                    slots: bound_slots(parts),
                })));
            }
            Part::Reached(slot) => ops.push(Op::Reached(*slot)),
        }
    }
    Ok((ops, types))
}

/// Adds the hops over one triple, one for each way that it can be walked.
fn add_hops(
    triple: &TripleMeta,
    way: Way,
    sources: &BTreeSet<TypeId>,
    fits: &dyn Fn(TypeId) -> bool,
    hops: &mut Vec<Hop>,
) {
    let out = way != Way::In && sources.contains(&triple.from) && fits(triple.to);
    let back = way != Way::Out && sources.contains(&triple.to) && fits(triple.from);
    if out {
        hops.push(Hop::new(triple.from, triple.to, triple.id, Direction::Out));
    }
    if back {
        let mut hop = Hop::new(triple.to, triple.from, triple.id, Direction::In);
        hop.skip_loops = out && triple.from == triple.to;
        hops.push(hop);
    }
}

fn compile_step(
    engine: &Engine,
    step: &Step,
    from: &BTreeSet<TypeId>,
) -> Result<(StepOp, BTreeSet<TypeId>), QueryError> {
    let gate = Rc::new(Gate::new(engine, &step.node)?);
    let verbs: Option<BTreeSet<VerbId>> = step.edge.verbs.as_ref().map(|names| {
        names
            .iter()
            .filter_map(|name| engine.view.verb_id(name))
            .collect()
    });
    let repeats = step.repeat != Repeat::ONCE;
    let mut sources = from.clone();
    let mut hops = Vec::new();
    loop {
        hops.clear();
        for triple in &engine.triples {
            if verbs
                .as_ref()
                .is_none_or(|verbs| verbs.contains(&triple.verb))
            {
                let fits = |type_id: TypeId| {
                    gate.has_type(type_id) || (repeats && !type_id.is_relationship())
                };
                add_hops(triple, step.edge.way, &sources, &fits, &mut hops);
            }
        }
        let before = sources.len();
        if repeats {
            sources.extend(hops.iter().map(|hop| hop.to));
        }
        if sources.len() == before {
            break;
        }
    }
    engine
        .meter
        .bytes(HOP_COPIES * size_of::<Hop>() * hops.len())?;
    let reached = hops
        .iter()
        .map(|hop| hop.to)
        .filter(|type_id| gate.has_type(*type_id))
        .collect();
    let edge_gate = match &step.edge.filter {
        Some(filter) => Some(Rc::new(EdgeGate::new(Check::new(
            &engine.view,
            filter,
            engine,
        )?))),
        None => None,
    };
    let op = StepOp {
        edge_slot: step.edge.slot,
        gate,
        edge_gate,
        hops,
        repeat: step.repeat,
        keep: RefCell::new(None),
    };
    Ok((op, reached))
}

/// Drops hops after which the rest cannot be walked, by types alone. Gives the types at which the
/// ops can start; `None` for any.
fn prune_types(ops: &mut [Op], end: Option<BTreeSet<TypeId>>) -> Option<BTreeSet<TypeId>> {
    let mut accept = end;
    for op in ops.iter_mut().rev() {
        match op {
            Op::Step(step) => {
                if step.repeat == Repeat::ONCE {
                    if let Some(accept) = &accept {
                        step.hops.retain(|hop| accept.contains(&hop.to));
                    }
                    accept = Some(step.hops.iter().map(|hop| hop.from).collect());
                } else {
                    accept = Some(step.hops.iter().map(|hop| hop.from).collect());
                }
            }
            Op::Without(without) => {
                prune_types(&mut without.ops, None);
            }
            Op::Optional(optional) => {
                let inside = prune_types(&mut optional.ops, accept.clone());
                accept = match (accept, inside) {
                    (Some(mut accept), Some(inside)) => {
                        accept.extend(inside);
                        Some(accept)
                    }
                    _ => None,
                };
            }
            Op::Reached(_) | Op::Jump(_) => {}
        }
    }
    accept
}

/// Finds the steps that could bind a relationship that a step before them bound, and marks the
/// negations with such steps. Tells whether there are any outside negations.
fn find_ties(ops: &mut [Op], before: &mut Vec<TripleId>) -> bool {
    let mut tied = false;
    for op in ops {
        match op {
            Op::Step(step) => {
                let own: BTreeSet<TripleId> = step.hops.iter().map(|hop| hop.triple).collect();
                tied |= step.repeat != Repeat::ONCE;
                tied |= own.iter().any(|triple| before.contains(triple));
                before.extend(own);
            }
            Op::Without(without) => {
                let length = before.len();
                without.is_tied = find_ties(&mut without.ops, before);
                without.is_tied |= has_tied_without(&without.ops);
                before.truncate(length);
            }
            Op::Optional(optional) => {
                tied |= find_ties(&mut optional.ops, before);
                tied |= has_tied_without(&optional.ops);
            }
            Op::Reached(_) | Op::Jump(_) => {}
        }
    }
    tied
}

fn has_tied_without(ops: &[Op]) -> bool {
    ops.iter().any(|op| match op {
        Op::Without(without) => without.is_tied || has_tied_without(&without.ops),
        Op::Optional(optional) => has_tied_without(&optional.ops),
        _ => false,
    })
}
