// SPDX-License-Identifier: Apache-2.0
//! Lists: the distinct objects of some slots.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use durward_model::Value;

use super::binding::Binding;
use super::engine::Engine;
use super::formula::{Formula, Row};
use super::object::ObjectJson;
use super::order::{SortedRows, compare_keys};
use super::page::{After, Offer, PageWriter, Position, WrittenPage};
use super::rows::{Need, Prepared, RowPlan};
use super::walk::Choice;
use crate::error::QueryError;
use crate::limits::held_by_all;
use crate::plan::{Plan, Slot};

/// Bytes that one object takes in a set.
const OBJECT_BYTES: usize = 64;

/// Writes one page of a list; also tells how many objects the whole list has, where that is known.
pub(crate) fn write_list(
    engine: &Engine,
    plan: &Plan,
    slots: &[Slot],
    position: &Position,
    mut page: PageWriter<'_>,
) -> Result<(WrittenPage, Option<u64>), QueryError> {
    let prepared = Prepared::new(engine, plan)?;
    let json = ObjectJson::new(engine);
    if let ([slot], true) = (slots, plan.order.is_empty()) {
        let need = Need {
            slots: vec![*slot],
            distinct: true,
        };
        let rows = prepared.choose(engine, &need)?;
        engine.note(|| rows.describe());
        if matches!(rows, RowPlan::Set { .. } | RowPlan::Tried { .. }) {
            let total = match &rows {
                RowPlan::Set { set, .. } => Some(total_of(plan, set.len() as u64)),
                _ => None,
            };
            let resume = match &position.after {
                After::Path(choices) => choices.clone(),
                _ => Vec::new(),
            };
            rows.run(engine, &prepared, resume, &mut |bindings, trail| {
                offer(&mut page, &json, binding_of(bindings, *slot), trail)
            })?;
            return Ok((page.finish(true)?, total));
        }
    }
    let objects = if plan.order.is_empty() {
        collect_objects(engine, &prepared, slots)?
    } else {
        sort_objects(engine, plan, &prepared, slots)?
    };
    let total = total_of(plan, objects.len() as u64);
    for binding in objects {
        if offer(&mut page, &json, binding, &[])?.is_break() {
            break;
        }
    }
    Ok((page.finish(false)?, Some(total)))
}

/// The objects of a list in order.
pub(crate) fn ordered_objects(
    engine: &Engine,
    plan: &Plan,
    slots: &[Slot],
) -> Result<Vec<Binding>, QueryError> {
    let prepared = Prepared::new(engine, plan)?;
    if plan.order.is_empty() {
        collect_objects(engine, &prepared, slots)
    } else {
        sort_objects(engine, plan, &prepared, slots)
    }
}

fn total_of(plan: &Plan, found: u64) -> u64 {
    found
        .saturating_sub(plan.skip)
        .min(plan.limit.unwrap_or(u64::MAX))
}

fn binding_of(bindings: &[Binding], slot: Slot) -> Binding {
    bindings
        .get(slot.0 as usize)
        .copied()
        .unwrap_or(Binding::Empty)
}

fn offer(
    page: &mut PageWriter<'_>,
    json: &ObjectJson<'_>,
    binding: Binding,
    trail: &[Choice],
) -> Result<ControlFlow<()>, QueryError> {
    Ok(match page.offer(trail, |out| json.write(binding, out))? {
        Offer::Taken => ControlFlow::Continue(()),
        Offer::Full | Offer::Done => ControlFlow::Break(()),
    })
}

/// The distinct objects of all these slots, in a stable order.
fn collect_objects(
    engine: &Engine,
    prepared: &Prepared,
    slots: &[Slot],
) -> Result<Vec<Binding>, QueryError> {
    let mut objects = BTreeSet::new();
    for slot in slots {
        let need = Need {
            slots: vec![*slot],
            distinct: true,
        };
        let rows = prepared.choose(engine, &need)?;
        engine.note(|| rows.describe());
        rows.run(engine, prepared, Vec::new(), &mut |bindings, _| {
            let binding = binding_of(bindings, *slot);
            if binding != Binding::Empty && objects.insert(binding) {
                engine.meter.bytes(OBJECT_BYTES)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(objects.into_iter().collect())
}

/// The same, ordered; an object that several paths rank differently takes its first place.
fn sort_objects(
    engine: &Engine,
    plan: &Plan,
    prepared: &Prepared,
    slots: &[Slot],
) -> Result<Vec<Binding>, QueryError> {
    let keys: Vec<Formula> = plan
        .order
        .iter()
        .map(|key| Formula::new(&engine.view, &key.value))
        .collect();
    let descending: Vec<bool> = plan.order.iter().map(|key| key.descending).collect();
    let mut best: HashMap<Binding, Vec<Value>> = HashMap::new();
    for slot in slots {
        let mut needed: BTreeSet<Slot> = plan
            .order
            .iter()
            .flat_map(|key| key.value.slots())
            .collect();
        needed.insert(*slot);
        let need = Need {
            slots: needed.into_iter().collect(),
            distinct: true,
        };
        let rows = prepared.choose(engine, &need)?;
        engine.note(|| rows.describe());
        rows.run(engine, prepared, Vec::new(), &mut |bindings, _| {
            let binding = binding_of(bindings, *slot);
            if binding == Binding::Empty {
                return Ok(ControlFlow::Continue(()));
            }
            let row = Row {
                bindings,
                ..Row::default()
            };
            let values: Vec<Value> = keys
                .iter()
                .map(|key| key.value(engine.source(), row))
                .collect();
            let present = best.get(&binding);
            if present.is_none_or(|before| compare_keys(&values, before, &descending).is_lt()) {
                engine.meter.bytes(OBJECT_BYTES + held_by_all(&values))?;
                if let Some(before) = best.insert(binding, values) {
                    engine.meter.release(OBJECT_BYTES + held_by_all(&before));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let mut sorted = SortedRows::new(descending, usize::MAX);
    for (binding, values) in best {
        sorted.push(
            engine,
            values,
            vec![binding.id_number(&engine.view)],
            binding,
        )?;
    }
    Ok(sorted.finish())
}
