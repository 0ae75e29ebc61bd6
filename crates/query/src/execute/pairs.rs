// SPDX-License-Identifier: Apache-2.0
//! Distinct nodes some steps away from one node: sets carried from step to step, each node once.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use durward_graph::{EntityRef, TypeId};

use super::chain::{Hop, StepOp};
use super::engine::Engine;
use super::sets::TypedSet;
use super::walk::Flow;
use crate::error::QueryError;
use crate::plan::Slot;

/// The steps of a part of a chain, without hazards.
#[derive(Debug)]
pub(crate) struct Pairs {
    steps: Vec<PairStep>,
}

#[derive(Debug)]
struct PairStep {
    slot: Slot,
    step: StepOp,
    keep: Rc<TypedSet>,
}

/// For each step and type, by which start node each row was last seen.
#[derive(Debug)]
pub(crate) struct Scratch {
    seen: Vec<HashMap<TypeId, Vec<u32>>>,
    serial: u32,
}

impl Pairs {
    pub(crate) fn new(steps: &[&StepOp]) -> Self {
        let step = |step: &&StepOp| PairStep {
            slot: step.gate.slot,
            keep: step.keep.borrow().clone().unwrap_or_default(),
            step: StepOp::clone(step),
        };
        Self {
            steps: steps.iter().map(step).collect(),
        }
    }

    /// The slot of the far end.
    pub(crate) fn end_slot(&self) -> Slot {
        self.steps.last().map_or(Slot(0), |step| step.slot)
    }

    pub(crate) fn scratch(&self, engine: &Engine) -> Result<Scratch, QueryError> {
        for (type_id, _) in self.steps.iter().flat_map(|step| step.keep.parts()) {
            engine
                .meter
                .bytes(engine.view.rows(type_id) as usize * size_of::<u32>())?;
        }
        let seen = self.steps.iter().map(|step| {
            let parts = step.keep.parts();
            parts
                .map(|(id, _)| (id, vec![0; engine.view.rows(id) as usize]))
                .collect()
        });
        Ok(Scratch {
            seen: seen.collect(),
            serial: 0,
        })
    }

    /// Calls `visit` once with every node at the far end that can be reached from `start`.
    pub(crate) fn from(
        &self,
        engine: &Engine,
        start: EntityRef,
        scratch: &mut Scratch,
        visit: &mut dyn FnMut(EntityRef) -> Flow,
    ) -> Flow {
        scratch.serial += 1;
        let serial = scratch.serial;
        let mut frontier = vec![start];
        for (step, seen) in self.steps.iter().zip(&mut scratch.seen) {
            let mut next = Vec::new();
            for node in &frontier {
                for hop in step.step.hops.iter().filter(|hop| hop.from == node.type_id) {
                    reach(engine, step, hop, *node, serial, seen, &mut next)?;
                }
            }
            engine.meter.tick(next.len() as u64)?;
            frontier = next;
            frontier.sort_unstable();
        }
        for node in frontier {
            engine.meter.path()?;
            if visit(node)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The inner loop of [`Pairs::from`].
fn reach(
    engine: &Engine,
    step: &PairStep,
    hop: &Hop,
    node: EntityRef,
    serial: u32,
    seen: &mut HashMap<TypeId, Vec<u32>>,
    next: &mut Vec<EntityRef>,
) -> Result<(), QueryError> {
    let (Some(keep), Some(stamps)) = (step.keep.get(hop.to), seen.get_mut(&hop.to)) else {
        return Ok(());
    };
    let allowed = match &step.step.edge_gate {
        Some(gate) => Some(gate.full(engine, hop.triple)?),
        None => None,
    };
    let mut reach = |other: u32| {
        if let Some(stamp) = stamps.get_mut(other as usize)
            && *stamp != serial
            && keep.contains(other)
        {
            *stamp = serial;
            next.push(EntityRef {
                type_id: hop.to,
                row: other,
            });
        }
    };
    let forward = hop.forward(engine);
    engine.meter.tick(forward.degree(node.row) as u64)?;
    match allowed {
        None => forward.for_each(node.row, reach),
        Some(allowed) => forward.for_each_edge(node.row, |other, edge| {
            if allowed.contains(edge) {
                reach(other);
            }
        }),
    }
    Ok(())
}
