// SPDX-License-Identifier: Apache-2.0
//! The inner loop of dense groups.

use durward_graph::{EntityRef, TypeId};

use crate::error::QueryError;
use crate::execute::chain::{Hop, StepOp};
use crate::execute::engine::Engine;
use crate::execute::sets::TypedSet;

/// For each object, by whom it was seen last.
#[derive(Default)]
pub(super) struct Stamps {
    by_type: Vec<(TypeId, Vec<u32>)>,
}

impl Stamps {
    #[inline]
    pub(super) fn is_new(
        &mut self,
        engine: &Engine,
        type_id: TypeId,
        row: u32,
        serial: u32,
    ) -> bool {
        let known = self.by_type.iter().position(|(known, _)| *known == type_id);
        let position = known.unwrap_or_else(|| {
            let rows = engine.view.rows(type_id) as usize;
            self.by_type.push((type_id, vec![0; rows]));
            self.by_type.len() - 1
        });
        let stamps = self.by_type.get_mut(position).map(|(_, stamps)| stamps);
        match stamps.and_then(|stamps| stamps.get_mut(row as usize)) {
            Some(stamp) if *stamp != serial => {
                *stamp = serial;
                true
            }
            _ => false,
        }
    }
}

/// Calls `visit` with the neighbours of a node along a step that are in a set, until it fails.
#[inline]
pub(super) fn each_neighbour(
    engine: &Engine,
    step: &StepOp,
    from: EntityRef,
    within: &TypedSet,
    visit: &mut impl FnMut(&Hop, u32) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    for hop in step.hops.iter().filter(|hop| hop.from == from.type_id) {
        let Some(rows) = within.get(hop.to) else {
            continue;
        };
        let forward = hop.forward(engine);
        engine.meter.tick(forward.degree(from.row) as u64 + 1)?;
        let mut outcome = Ok(());
        if let (None, Some(others)) = (&step.edge_gate, forward.slice(from.row)) {
            if rows.is_full() {
                others.iter().try_for_each(|other| visit(hop, *other))?;
            } else if let Some(words) = rows.as_words() {
                let is_in = |other: u32| {
                    words
                        .get(other as usize / 64)
                        .is_some_and(|word| word >> (other % 64) & 1 == 1)
                };
                let inside = others.iter().filter(|other| is_in(**other));
                inside.copied().try_for_each(|other| visit(hop, other))?;
            } else {
                let inside = others.iter().filter(|other| rows.contains(**other));
                inside.copied().try_for_each(|other| visit(hop, other))?;
            }
            continue;
        }
        let allowed = match &step.edge_gate {
            Some(gate) => Some(gate.full(engine, hop.triple)?),
            None => None,
        };
        forward.any_edge(from.row, |other, edge| {
            if allowed
                .as_ref()
                .is_none_or(|allowed| allowed.contains(edge))
                && rows.contains(other)
            {
                outcome = visit(hop, other);
            }
            outcome.is_err()
        });
        outcome?;
    }
    Ok(())
}
