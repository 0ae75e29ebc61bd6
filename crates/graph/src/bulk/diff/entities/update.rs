// SPDX-License-Identifier: Apache-2.0
//! Uploaded entities against those that they match: which properties and classes change.

use std::collections::BTreeMap;

use durward_model::change::{Cell, Change, Column, EntityPatch, PatchColumn};
use durward_model::{EntityNumber, Value};

use super::EntityOutcome;
use crate::bulk::diff::cells::{Absent, Pair, changed_cells, removed_cells};
use crate::bulk::diff::gather::Group;
use crate::bulk::diff::marks::Marks;
use crate::bulk::diff::{Context, DiffReport, SyncMode};
use crate::ids::{EntityRef, TypeId};
use crate::view::{ClassCover, View};

/// Compares matched rows of one type column by column.
pub(super) fn update(
    context: Context<'_>,
    group: &Group,
    type_id: TypeId,
    pairs: &[Pair],
    outcome: &mut EntityOutcome,
    report: &mut DiffReport,
) {
    let mut update = Update {
        view: context.view,
        type_id,
        pairs,
        touched: Marks::default(),
        patches: &mut outcome.patches,
    };
    let replaces = context.spec.mode == SyncMode::Diff;
    update.compare_columns(group, replaces);
    if replaces {
        update.remove_absent(&group.columns);
    }
    if let Some(classes) = &group.classes {
        update.compare_classes(classes);
    }
    let updated = update.touched.iter().count() as u64;
    report.entities.updated += updated;
    report.entities.unchanged += pairs.len() as u64 - updated;
}

/// Matched rows of one type under comparison.
struct Update<'u> {
    view: &'u View,
    type_id: TypeId,
    pairs: &'u [Pair],
    /// Positions in `pairs` of the entities that change.
    touched: Marks,
    patches: &'u mut Vec<Change>,
}

impl Update<'_> {
    /// Changes what the uploaded columns have otherwise.
    fn compare_columns(&mut self, group: &Group, replaces: bool) {
        let mut nulls: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (row, column) in &group.nulls {
            nulls.entry(*column).or_default().push(*row);
        }
        for (at, column) in group.columns.iter().enumerate() {
            let property = self.view.property_id(&column.property);
            let known =
                property.and_then(|property| self.view.secret_column(self.type_id, property));
            let given = nulls
                .get(&(at as u32))
                .map(Vec::as_slice)
                .unwrap_or_default();
            let absent = if replaces {
                Absent::Removes
            } else {
                Absent::Keeps(given)
            };
            let cells = changed_cells(&column.values, known.as_ref(), self.pairs, absent);
            self.set(&column.property, cells);
        }
    }

    /// Removes the properties that the upload has no column for.
    fn remove_absent(&mut self, uploaded: &[Column]) {
        let view = self.view;
        for property in view.stored_properties_of_type(self.type_id) {
            let name = view.property_name(property);
            if uploaded.iter().any(|column| column.property == name) {
                continue;
            }
            if let Some(known) = view.secret_column(self.type_id, property) {
                self.set(name, removed_cells(&known, self.pairs));
            }
        }
    }

    /// Gives the uploaded classes to the entities that have others.
    fn compare_classes(&mut self, classes: &[String]) {
        let changed = changed_classes(self.view, self.type_id, classes, self.pairs);
        if changed.is_empty() {
            return;
        }
        let entities = self.touch(changed.into_iter());
        self.patches.push(Change::PatchEntities(EntityPatch {
            entity_type: self.view.type_name(self.type_id).to_owned(),
            entities,
            columns: Vec::new(),
            classes: Some(classes.to_vec()),
        }));
    }

    /// Sets a property of the entities at these positions.
    fn set(&mut self, property: &str, cells: Vec<(usize, Value)>) {
        if cells.is_empty() {
            return;
        }
        let entities = self.touch(cells.iter().map(|(at, _)| *at));
        self.patches.push(Change::PatchEntities(EntityPatch {
            entity_type: self.view.type_name(self.type_id).to_owned(),
            entities,
            columns: vec![PatchColumn {
                property: property.to_owned(),
                cells: cells
                    .into_iter()
                    .map(|(_, value)| Cell::Set(value))
                    .collect(),
            }],
            classes: None,
        }));
    }

    /// Notes the positions as changed and gives the numbers of their entities.
    fn touch(&mut self, positions: impl Iterator<Item = usize>) -> Vec<EntityNumber> {
        let mut numbers = Vec::new();
        for at in positions {
            self.touched.set(at as u32);
            let row = self.pairs.get(at).map_or(0, |pair| pair.known);
            let type_id = self.type_id;
            numbers.push(self.view.entity_number(EntityRef { type_id, row }));
        }
        numbers
    }
}

/// Positions in `pairs` of the entities whose classes are others.
fn changed_classes(view: &View, type_id: TypeId, classes: &[String], pairs: &[Pair]) -> Vec<usize> {
    let mut wanted = Vec::with_capacity(classes.len());
    let mut all_known = true;
    for class in classes {
        match view.class_id(class) {
            Some(id) => wanted.push(id),
            None => all_known = false,
        }
    }
    if !all_known {
        return (0..pairs.len()).collect();
    }
    let cover = |class| {
        view.types_with_class(class)
            .into_iter()
            .find(|(id, _)| *id == type_id)
            .map(|found| found.1)
    };
    let uniform = view
        .class_ids()
        .into_iter()
        .all(|class| match cover(class) {
            Some(ClassCover::All) => wanted.contains(&class),
            Some(ClassCover::Some(_)) => false,
            None => !wanted.contains(&class),
        });
    if uniform {
        return Vec::new();
    }
    let differs = |pair: &Pair| {
        let known = view.classes(EntityRef {
            type_id,
            row: pair.known,
        });
        known.len() != wanted.len() || !known.iter().all(|class| wanted.contains(class))
    };
    pairs
        .iter()
        .enumerate()
        .filter(|(_, pair)| differs(pair))
        .map(|(at, _)| at)
        .collect()
}
