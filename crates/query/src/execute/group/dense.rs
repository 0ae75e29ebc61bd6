// SPDX-License-Identifier: Apache-2.0
//! Groups by the objects of one slot, aggregates over the objects of another: no hash sets, one
//! "last seen" stamp for each group (or for each object), whichever side is cheaper to start from.

mod neighbours;

use std::collections::HashMap;
use std::ops::ControlFlow;

use durward_graph::{Adjacency, ColumnCodes, EntityRef, RowSet, TypeId};
use durward_model::Value;

use neighbours::{Stamps, each_neighbour};

use super::accumulate::Accumulator;
use super::{Group, Keys, group_bytes};
use crate::error::QueryError;
use crate::execute::binding::Binding;
use crate::execute::chain::StepOp;
use crate::execute::compare::write_canonical;
use crate::execute::engine::Engine;
use crate::execute::formula::{Formula, Row};
use crate::execute::pairs::Pairs;
use crate::execute::rows::Prepared;
use crate::execute::sets::TypedSet;
use crate::plan::{Expression, Item, Plan, Property, Slot, Table};

/// A code whose group is not known yet.
const UNKNOWN: u32 = u32::MAX;
/// Room for this many groups at most is made before any is met.
const RESERVED_MAX: usize = 1 << 16;
/// The groups of a table, where they can be had this way.
pub(crate) fn grouped(
    engine: &Engine,
    plan: &Plan,
    table: &Table,
    keys: &Keys,
    prepared: &Prepared,
) -> Result<Option<Vec<Group>>, QueryError> {
    let Some((key_slot, counted)) = shape(plan, table, keys, prepared) else {
        return Ok(None);
    };
    let first = prepared.first_step(engine, [key_slot.unwrap_or(counted), counted])?;
    if let (Some((step, left, right)), Some(key_slot)) = (first, key_slot) {
        let mut work = Dense::new(engine, table, keys, prepared.chain.slots);
        work.adjacent(step, &left, &right, key_slot == prepared.chain.start.slot)?;
        return Ok(Some(work.finish()));
    }
    let starts = prepared.reduce(engine)?;
    let steps = prepared.chain.steps();
    let place = |slot: Slot| {
        if slot == prepared.chain.start.slot {
            Some(0)
        } else {
            steps
                .iter()
                .position(|step| step.gate.slot == slot)
                .map(|found| found + 1)
        }
    };
    let Some(counted_place) = place(counted) else {
        return Ok(None);
    };
    let mut work = Dense::new(engine, table, keys, prepared.chain.slots);
    let Some(key_slot) = key_slot.filter(|slot| *slot != counted) else {
        let set = prepared.forward(engine, &starts, counted_place)?;
        engine.note(|| format!("groups of a set of {} nodes", set.len()));
        for entity in set.iter() {
            engine.meter.tick(1)?;
            let group = work.group_of(entity)?;
            work.add(group, entity)?;
        }
        return Ok(Some(work.finish()));
    };
    let Some(key_place) = place(key_slot) else {
        return Ok(None);
    };
    let low = counted_place.min(key_place);
    let high = counted_place.max(key_place);
    let left = prepared.forward(engine, &starts, low)?;
    let inner: Vec<&StepOp> = steps.into_iter().take(high).skip(low).collect();
    let keep = inner
        .last()
        .and_then(|step| step.keep.borrow().clone())
        .unwrap_or_default();
    let key_is_low = key_place < counted_place;
    if let [step] = inner.as_slice() {
        work.adjacent(step, &left, &keep, key_is_low)?;
    } else {
        work.distant(&Pairs::new(&inner), &left, key_is_low)?;
    }
    Ok(Some(work.finish()))
}

/// The slot of the keys (if any) and the slot of the aggregates, where each is only one.
fn shape(
    plan: &Plan,
    table: &Table,
    keys: &Keys,
    prepared: &Prepared,
) -> Option<(Option<Slot>, Slot)> {
    let plain = prepared.chain.is_linear()
        && prepared.sets_suffice()
        && table.unwinds.is_empty()
        && table
            .items
            .iter()
            .all(|item| matches!(item, Item::Value { .. }));
    if !plain {
        return None;
    }
    let is_node = |slot: Slot| {
        slot == prepared.chain.start.slot
            || prepared
                .chain
                .steps()
                .iter()
                .any(|step| step.gate.slot == slot)
    };
    let mut counted = None;
    for aggregate in &table.aggregates {
        let slots = aggregate.argument.as_ref().map(Expression::slots)?;
        let [slot] = slots.as_slice() else {
            return None;
        };
        if counted.is_some_and(|before| before != *slot) || !is_node(*slot) {
            return None;
        }
        counted = Some(*slot);
    }
    let counted = counted?;
    let mut key_slots: Vec<Slot> = Vec::new();
    for item in &table.items {
        if let Item::Value { value, .. } = item {
            key_slots.extend(value.slots());
        }
    }
    let ordered = plan.order.iter().flat_map(|key| key.value.slots());
    key_slots.extend(ordered);
    key_slots.sort_unstable();
    key_slots.dedup();
    if keys.formulas.is_empty() {
        return key_slots.is_empty().then_some((None, counted));
    }
    match key_slots.as_slice() {
        [] => Some((None, counted)),
        [slot] if is_node(*slot) => Some((Some(*slot), counted)),
        _ => None,
    }
}

/// The codes of a key property, and the group of each code.
type CodedGroups = (ColumnCodes, Vec<u32>);

struct Dense<'d> {
    engine: &'d Engine,
    keys: &'d Keys,
    slots: usize,
    by_key: HashMap<Vec<u8>, u32>,
    groups: Vec<Group>,
    /// How many objects each group has. A group that has none is not in the result.
    counts: Vec<u64>,
    only_counts: bool,
    /// What the aggregates of a new group begin with.
    fresh: Vec<Accumulator>,
    codes: Vec<(TypeId, Option<CodedGroups>)>,
}

impl<'d> Dense<'d> {
    fn new(engine: &'d Engine, table: &'d Table, keys: &'d Keys, slots: usize) -> Self {
        let all: Vec<Accumulator> = accumulators(engine, table);
        Self {
            engine,
            keys,
            slots,
            by_key: HashMap::new(),
            groups: Vec::new(),
            counts: Vec::new(),
            only_counts: all.iter().all(|one| matches!(one, Accumulator::Counted(_))),
            fresh: all,
            codes: Vec::new(),
        }
    }

    /// The group that an object of the key slot belongs to.
    #[inline]
    fn group_of(&mut self, entity: EntityRef) -> Result<u32, QueryError> {
        if self.keys.formulas.is_empty() && !self.groups.is_empty() {
            return Ok(0);
        }
        let known = self
            .codes
            .iter()
            .position(|(known, _)| *known == entity.type_id);
        let position = if let Some(position) = known {
            position
        } else {
            let codes = self.load_codes(entity.type_id);
            if let Some((codes, _)) = &codes {
                self.engine.meter.bytes(codes.len() * size_of::<u32>())?;
            }
            self.codes.push((entity.type_id, codes));
            self.codes.len() - 1
        };
        let code = match self.codes.get(position) {
            Some((_, Some((codes, groups)))) => {
                let code = codes.code(entity.row);
                match groups.get(code as usize) {
                    Some(group) if *group != UNKNOWN => return Ok(*group),
                    _ => Some(code),
                }
            }
            _ => None,
        };
        let group = self.group_by_key(entity)?;
        if let (Some(code), Some((_, Some((_, groups))))) = (code, self.codes.get_mut(position))
            && let Some(place) = groups.get_mut(code as usize)
        {
            *place = group;
        }
        Ok(group)
    }

    /// The codes of the one key property, where there is one and its column has codes.
    fn load_codes(&self, type_id: TypeId) -> Option<CodedGroups> {
        let [Formula::Property(accessor)] = self.keys.formulas.as_slice() else {
            return None;
        };
        let Property::Named(name) = &accessor.property else {
            return None;
        };
        let view = &self.engine.view;
        let codes = view.column(type_id, view.property_id(name)?)?.codes()?;
        let groups = vec![UNKNOWN; codes.len()];
        Some((codes, groups))
    }

    fn group_by_key(&mut self, entity: EntityRef) -> Result<u32, QueryError> {
        let row = Row::of(Binding::Entity(entity));
        let source = self.engine.source();
        let mut form = Vec::new();
        for formula in &self.keys.formulas {
            formula.read(source, row, |value| write_canonical(value, &mut form));
        }
        if let Some(group) = self.by_key.get(&form) {
            return Ok(*group);
        }
        let group = self.groups.len() as u32;
        let values: Vec<Value> = self
            .keys
            .formulas
            .iter()
            .map(|key| key.value(source, row))
            .collect();
        let bindings = if self.keys.needs_bindings {
            vec![Binding::Entity(entity); self.slots]
        } else {
            Vec::new()
        };
        let accumulators = if self.only_counts {
            Vec::new()
        } else {
            self.fresh.clone()
        };
        let bytes = group_bytes(form.len(), &values, bindings.len(), accumulators.len());
        self.engine.meter.bytes(bytes)?;
        self.groups.push(Group {
            keys: values,
            bindings,
            accumulators,
            count: None,
        });
        self.counts.push(0);
        self.by_key.insert(form, group);
        Ok(group)
    }

    /// Adds an object to a group in which it is not yet.
    #[inline]
    fn add(&mut self, group: u32, entity: EntityRef) -> Result<(), QueryError> {
        if let Some(count) = self.counts.get_mut(group as usize) {
            *count += 1;
        }
        if self.only_counts {
            return Ok(());
        }
        let row = Row::of(Binding::Entity(entity));
        let Some(group) = self.groups.get_mut(group as usize) else {
            return Ok(());
        };
        for accumulator in &mut group.accumulators {
            accumulator.add(self.engine, row)?;
        }
        Ok(())
    }

    fn finish(self) -> Vec<Group> {
        let only_counts = self.only_counts;
        let pairs = self.groups.into_iter().zip(self.counts);
        let groups = pairs
            .filter(|(_, count)| *count > 0)
            .map(|(mut group, count)| {
                group.count = only_counts.then_some(count);
                group
            });
        groups.collect()
    }

    /// Keys and counted objects one step apart.
    fn adjacent(
        &mut self,
        step: &StepOp,
        left: &TypedSet,
        right: &TypedSet,
        key_is_left: bool,
    ) -> Result<(), QueryError> {
        let (mut from_left, mut from_right) = (0u64, 0u64);
        for hop in &step.hops {
            let cost = |set: Option<&RowSet>, adjacency: &Adjacency| match set {
                Some(rows) if rows.is_full() => adjacency.edges() as u64,
                Some(rows) => rows.iter().map(|row| adjacency.degree(row) as u64).sum(),
                None => 0,
            };
            from_left += cost(left.get(hop.from), hop.forward(self.engine));
            from_right += cost(right.get(hop.to), hop.backward(self.engine));
        }
        let start_left = from_left <= from_right;
        self.engine.note_cost(|| {
            let side = if start_left == key_is_left {
                "groups"
            } else {
                "counted nodes"
            };
            format!(
                "grouped from the {side}: {} relationships",
                from_left.min(from_right)
            )
        });
        let reversed;
        let (step, outer, inner) = if start_left {
            (step, left, right)
        } else {
            reversed = step.reversed(&step.gate, None);
            (&reversed, right, left)
        };
        if start_left == key_is_left {
            self.start_at_keys(step, outer, inner)
        } else {
            self.start_at_counted(step, outer, inner)
        }
    }

    /// Starts at the counted objects; a stamp for each group says whether it has the present one.
    fn start_at_counted(
        &mut self,
        step: &StepOp,
        counted: &TypedSet,
        keys: &TypedSet,
    ) -> Result<(), QueryError> {
        let mut stamps: Vec<u32> = Vec::new();
        for (serial, entity) in (1u32..).zip(counted.iter()) {
            each_neighbour(self.engine, step, entity, keys, &mut |hop, row| {
                let group = match self.known_group(hop.to, row) {
                    Some(group) => group,
                    None => self.group_of(EntityRef {
                        type_id: hop.to,
                        row,
                    })?,
                };
                if stamps.len() <= group as usize {
                    stamps.resize(group as usize + 1, 0);
                }
                match stamps.get_mut(group as usize) {
                    Some(stamp) if *stamp != serial => {
                        *stamp = serial;
                        self.add(group, entity)
                    }
                    _ => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    /// The group of a row whose code was met before.
    #[inline]
    fn known_group(&self, type_id: TypeId, row: u32) -> Option<u32> {
        let (_, codes) = self.codes.iter().find(|(known, _)| *known == type_id)?;
        let (codes, groups) = codes.as_ref()?;
        groups
            .get(codes.code(row) as usize)
            .copied()
            .filter(|group| *group != UNKNOWN)
    }

    /// Starts at the keys, group by group; a stamp for each object says whether the present group
    /// has it.
    fn start_at_keys(
        &mut self,
        step: &StepOp,
        keys: &TypedSet,
        counted: &TypedSet,
    ) -> Result<(), QueryError> {
        self.groups.reserve(keys.len().min(RESERVED_MAX));
        self.by_key.reserve(keys.len().min(RESERVED_MAX));
        self.engine
            .meter
            .bytes(keys.len() * size_of::<(u32, EntityRef)>())?;
        let mut by_group = Vec::with_capacity(keys.len());
        for entity in keys.iter() {
            by_group.push((self.group_of(entity)?, entity));
        }
        by_group.sort_unstable();
        let mut stamps = Stamps::default();
        for members in by_group.chunk_by(|left, right| left.0 == right.0) {
            // The present neighbours of one object along one triple ascend, so repeats follow each
            // other.
            let is_alone =
                members.len() == 1 && step.hops.len() == 1 && !self.engine.view.is_past();
            let mut last = None;
            for (group, key) in members {
                each_neighbour(self.engine, step, *key, counted, &mut |hop, row| {
                    let is_new = if is_alone {
                        last.replace(row) != Some(row)
                    } else {
                        stamps.is_new(self.engine, hop.to, row, group + 1)
                    };
                    if is_new {
                        self.add(
                            *group,
                            EntityRef {
                                type_id: hop.to,
                                row,
                            },
                        )
                    } else {
                        Ok(())
                    }
                })?;
            }
        }
        Ok(())
    }

    /// Keys and counted objects several steps apart; `left` is the side nearer the start.
    fn distant(
        &mut self,
        pairs: &Pairs,
        left: &TypedSet,
        key_is_left: bool,
    ) -> Result<(), QueryError> {
        let engine = self.engine;
        let mut scratch = pairs.scratch(engine)?;
        engine
            .meter
            .bytes(left.len() * size_of::<(u32, EntityRef)>())?;
        let mut order: Vec<(u32, EntityRef)> = Vec::with_capacity(left.len());
        for (serial, entity) in (0u32..).zip(left.iter()) {
            let rank = if key_is_left {
                self.group_of(entity)?
            } else {
                serial
            };
            order.push((rank, entity));
        }
        order.sort_unstable();
        engine.note(|| format!("grouped by distinct pairs from {} nodes", order.len()));
        let mut stamps = Stamps::default();
        let mut group_stamps: Vec<u32> = Vec::new();
        for (rank, start) in order {
            let _ = pairs.from(engine, start, &mut scratch, &mut |other| {
                if key_is_left {
                    if stamps.is_new(engine, other.type_id, other.row, rank + 1) {
                        self.add(rank, other)?;
                    }
                } else {
                    let group = self.group_of(other)?;
                    if group_stamps.len() <= group as usize {
                        group_stamps.resize(group as usize + 1, 0);
                    }
                    if let Some(stamp) = group_stamps.get_mut(group as usize)
                        && *stamp != rank + 1
                    {
                        *stamp = rank + 1;
                        self.add(group, start)?;
                    }
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(())
    }
}

fn accumulators(engine: &Engine, table: &Table) -> Vec<Accumulator> {
    let aggregates = table.aggregates.iter();
    aggregates
        .map(|aggregate| Accumulator::of_distinct_rows(engine, aggregate))
        .collect()
}
