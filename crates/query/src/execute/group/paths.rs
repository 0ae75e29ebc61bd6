// SPDX-License-Identifier: Apache-2.0
//! The number of paths without walking them: what a node leads to is the sum of what its
//! neighbours lead to, when no relationship can be needed twice.

use std::collections::HashMap;

use durward_graph::TypeId;

use super::accumulate::Accumulator;
use super::{Group, Keys};
use crate::error::QueryError;
use crate::execute::chain::StepOp;
use crate::execute::engine::Engine;
use crate::execute::rows::Prepared;
use crate::execute::sets::TypedSet;
use crate::plan::Table;

/// For each type and row, how many paths lead on from it.
type Counts = HashMap<TypeId, Vec<u64>>;

/// The one group of a table that only counts rows.
pub(super) fn counted(
    engine: &Engine,
    table: &Table,
    keys: &Keys,
    prepared: &Prepared,
) -> Result<Option<Group>, QueryError> {
    let only_rows = table
        .aggregates
        .iter()
        .all(|aggregate| aggregate.argument.is_none())
        && keys.formulas.is_empty()
        && table.unwinds.is_empty();
    if !only_rows || !prepared.chain.is_linear() || !prepared.sets_suffice() {
        return Ok(None);
    }
    let starts = prepared.reduce(engine)?;
    let mut counts: Option<Counts> = None;
    let steps = prepared.chain.steps();
    for position in (0..steps.len()).rev() {
        let Some(step) = steps.get(position) else {
            continue;
        };
        let from = match position.checked_sub(1).and_then(|before| steps.get(before)) {
            Some(before) => before.keep.borrow().clone().unwrap_or_default(),
            None => std::rc::Rc::new(starts.clone()),
        };
        counts = Some(sums(engine, step, &from, counts.as_ref())?);
    }
    let total = match counts {
        None => starts.len() as u64,
        Some(counts) => {
            let rows = counts.values().flatten();
            rows.fold(0u64, |sum, count| sum.saturating_add(*count))
        }
    };
    engine.note(|| format!("{total} paths counted without walking them"));
    let accumulators = table.aggregates.iter().map(|_| Accumulator::Rows(total));
    Ok(Some(Group {
        keys: Vec::new(),
        bindings: Vec::new(),
        accumulators: accumulators.collect(),
        count: None,
    }))
}

/// For each node of `from`, the sum over its neighbours; each counts one when `next` is missing.
fn sums(
    engine: &Engine,
    step: &StepOp,
    from: &TypedSet,
    next: Option<&Counts>,
) -> Result<Counts, QueryError> {
    let keep = step.keep.borrow().clone().unwrap_or_default();
    let mut counts = Counts::new();
    for hop in &step.hops {
        let (Some(rows), Some(within)) = (from.get(hop.from), keep.get(hop.to)) else {
            continue;
        };
        let allowed = match &step.edge_gate {
            Some(gate) => Some(gate.full(engine, hop.triple)?),
            None => None,
        };
        let universe = engine.view.rows(hop.from) as usize;
        if !counts.contains_key(&hop.from) {
            engine.meter.bytes(universe * size_of::<u64>())?;
        }
        let own = counts.entry(hop.from).or_insert_with(|| vec![0; universe]);
        let next = next.map(|next| next.get(&hop.to));
        let forward = hop.forward(engine);
        for row in rows {
            engine.meter.tick(forward.degree(row) as u64 + 1)?;
            let mut sum = 0u64;
            let mut add = |other: u32| {
                if !within.contains(other) || (hop.skip_loops && other == row) {
                    return;
                }
                sum = sum.saturating_add(match next {
                    None => 1,
                    Some(Some(counts)) => counts.get(other as usize).copied().unwrap_or(0),
                    Some(None) => 0,
                });
            };
            match &allowed {
                None => forward.for_each(row, add),
                Some(allowed) => forward.for_each_edge(row, |other, edge| {
                    if allowed.contains(edge) {
                        add(other);
                    }
                }),
            }
            if let Some(place) = own.get_mut(row as usize) {
                *place = place.saturating_add(sum);
            }
        }
    }
    Ok(counts)
}
