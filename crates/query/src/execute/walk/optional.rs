// SPDX-License-Identifier: Apache-2.0
//! Optional blocks: walked and left out, and dropped where the same path exists with them walked.

use std::ops::ControlFlow;
use std::rc::Rc;

use durward_graph::{Direction, EntityRef};

use super::{Choice, Continuation, Flow, GO_ON, Next, Sink, Walker};
use crate::error::QueryError;
use crate::execute::binding::Binding;
use crate::execute::chain::{Hop, Op, OptionalOp, StepOp};
use crate::plan::Slot;

/// A block that the present path left out.
#[derive(Clone)]
pub(super) struct SkippedBlock<'e> {
    block: &'e OptionalOp,
    from: EntityRef,
    used: usize,
    rest: Next<'e>,
}

pub(super) struct Forced {
    bindings: Vec<Binding>,
    free: Vec<Slot>,
}

impl<'e> Walker<'e> {
    pub(super) fn walk_optional(
        &mut self,
        optional: &'e OptionalOp,
        rest: &'e [Op],
        next: &Next<'e>,
        at: EntityRef,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let (may_take, may_skip) = self.forced_choice(optional);
        if may_take && self.choose(Choice::Taken) {
            let then = Continuation {
                reached: optional.reached,
                ops: rest,
                next: next.clone(),
            };
            let then = Next::Then(Rc::new(then));
            let flow = self.walk(&optional.ops, &then, at, sink);
            self.unchoose();
            if flow?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if may_skip && self.choose(Choice::Skipped) {
            let rest_then = Continuation {
                reached: optional.reached,
                ops: rest,
                next: next.clone(),
            };
            self.skipped.push(SkippedBlock {
                block: optional,
                from: at,
                used: self.used.len(),
                rest: Next::Then(Rc::new(rest_then)),
            });
            let flow = self.reaching(optional.reached, at, |walker| {
                walker.walk(rest, next, at, sink)
            });
            self.skipped.pop();
            self.unchoose();
            return flow;
        }
        GO_ON
    }

    /// Whether the same path exists with a block walked that this one left out.
    pub(super) fn has_row_with(&mut self, skipped: &SkippedBlock<'e>) -> Result<bool, QueryError> {
        let mut free = skipped.block.slots.clone();
        free.extend(skipped.block.reached);
        let mut other = Walker::new(self.engine, self.bindings.len(), &[], true);
        other.forced = Some(Forced {
            bindings: self.bindings.clone(),
            free,
        });
        other.used = self.used.iter().take(skipped.used).copied().collect();
        let flow = other.walk(
            &skipped.block.ops,
            &skipped.rest,
            skipped.from,
            &mut |_, _| Ok(ControlFlow::Break(())),
        );
        Ok(flow?.is_break())
    }

    /// The relationship that a step has to take, while a row is compared.
    pub(super) fn forced_edge(&self, step: &StepOp) -> Option<Binding> {
        let forced = self.forced.as_ref()?;
        if forced.free.contains(&step.edge_slot) {
            return None;
        }
        forced.bindings.get(step.edge_slot.0 as usize).copied()
    }

    /// Whether a block may be walked and may be left out, while a row is compared.
    fn forced_choice(&self, optional: &OptionalOp) -> (bool, bool) {
        let Some(forced) = &self.forced else {
            return (true, true);
        };
        let Some(slot) = optional.slots.first() else {
            return (true, true);
        };
        if forced.free.contains(slot) {
            return (true, true);
        }
        let bound = |slot: &Slot| {
            !matches!(
                forced.bindings.get(slot.0 as usize),
                None | Some(Binding::Empty)
            )
        };
        let is_taken = optional.slots.iter().any(bound);
        (is_taken, !is_taken)
    }

    pub(super) fn walk_forced(
        &mut self,
        step: &'e StepOp,
        rest: &'e [Op],
        next: &Next<'e>,
        at: EntityRef,
        binding: Binding,
        sink: &mut Sink<'_>,
    ) -> Flow {
        let Binding::Edge(edge) = binding else {
            return GO_ON;
        };
        let Some((from, to)) = self.engine.view.edge_ends(edge) else {
            return GO_ON;
        };
        let slot = step.gate.slot.0 as usize;
        let wanted = self
            .forced
            .as_ref()
            .and_then(|forced| forced.bindings.get(slot))
            .copied();
        let leads_on = |hop: &&Hop| {
            let (near, far) = ends_along(hop, from, to);
            hop.triple == edge.triple
                && near == at
                && wanted == Some(Binding::node(&self.engine.view, far))
        };
        let Some(hop) = step.hops.iter().find(leads_on) else {
            return GO_ON;
        };
        let (_, other) = ends_along(hop, from, to);
        self.enter(
            step,
            Choice::Hop(0, other.row, 0),
            other,
            Some(edge),
            |walker| walker.walk(rest, next, other, sink),
        )
    }
}

fn ends_along(hop: &Hop, from: EntityRef, to: EntityRef) -> (EntityRef, EntityRef) {
    match hop.direction {
        Direction::Out => (from, to),
        Direction::In => (to, from),
    }
}
