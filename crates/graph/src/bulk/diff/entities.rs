// SPDX-License-Identifier: Apache-2.0
//! Uploaded entities against the graph: which are new, which changed, which are gone.

mod update;

use std::collections::{BTreeMap, HashMap};

use durward_catalog::OPENCTI_TYPE;
use durward_model::change::{Change, Column, EntityBatch};
use durward_model::{EntityNumber, Namespace, ObjectId, StringArena};

use self::update::update;
use super::cells::Pair;
use super::gather::{Gathered, Group, NO_NUMBER};
use super::marks::{EdgeMarks, EntityMarks, cascade};
use super::parallel::map_ranges;
use super::{Context, DiffError, DiffReport, SyncMode};
use crate::bulk::columns::permuted;
use crate::ids::{EntityRef, NextNumbers, ObjectRef, TypeId};
use crate::view::View;

/// What the comparison of entities came to.
#[derive(Debug, Default)]
pub(crate) struct EntityOutcome {
    pub(crate) creations: Vec<Change>,
    /// Group and rows (all, when `None`) of each batch in `creations`; their keys are filled in
    /// last, because finding the ends of relationships still needs them.
    sources: Vec<(usize, Option<Vec<u32>>)>,
    /// Entities that mapped relationships make, keys and all.
    pub(crate) mapped_creations: Vec<Change>,
    /// Mapped relationships, as JSON objects.
    pub(crate) mapped: Vec<String>,
    pub(crate) patches: Vec<Change>,
    pub(crate) deletions: Vec<Change>,
    /// Entities that end.
    pub(crate) ended: EntityMarks,
    /// Relationships that end with them.
    pub(crate) ended_edges: EdgeMarks,
    pub(crate) next: u32,
}

impl EntityOutcome {
    /// The columns of each group whose rows are all new: they went over into its batch.
    pub(crate) fn moved_columns(&self) -> HashMap<usize, &[Column]> {
        let batches = self.sources.iter().zip(&self.creations);
        let moved = batches.filter_map(|((at, rows), change)| match (rows, change) {
            (None, Change::CreateEntities(batch)) => Some((*at, batch.columns.as_slice())),
            _ => None,
        });
        moved.collect()
    }
}

/// Finds the object that the text of an id names.
pub(crate) fn resolve_id(view: &View, text: &str) -> Option<ObjectRef> {
    let id = view
        .id_cipher()
        .parse_uuid(text)
        .or_else(|| ObjectId::parse_hex(text))?;
    view.resolve(id)
}

fn resolve_entity(view: &View, text: &str) -> Option<EntityRef> {
    match resolve_id(view, text) {
        Some(ObjectRef::Entity(entity)) => Some(entity),
        _ => None,
    }
}

/// Whether a job may write an existing entity.
pub(crate) fn is_writable(context: Context<'_>, entity: EntityRef) -> bool {
    !context
        .catalog
        .is_protected(context.view.type_name(entity.type_id))
        && (context.members.has_entity(entity)
            || context.view.namespace(entity).source != Namespace::DURWARD)
}

/// Compares all uploaded entities.
pub(crate) fn compare(
    context: Context<'_>,
    gathered: &mut Gathered,
    base: NextNumbers,
    report: &mut DiffReport,
) -> Result<EntityOutcome, DiffError> {
    let mut outcome = EntityOutcome {
        next: base.entity.0,
        ..EntityOutcome::default()
    };
    let mut seen = EntityMarks::new();
    for at in 0..gathered.groups.len() {
        let Some(group) = gathered.groups.get_mut(at) else {
            break;
        };
        compare_group(context, at, group, &mut outcome, &mut seen, report)?;
    }
    if context.spec.mode == SyncMode::Diff && !context.blank {
        end_absent(context, &seen, &mut outcome);
    }
    remove_listed(context, gathered, &mut outcome, report);
    cascade(context.view, &outcome.ended, &mut outcome.ended_edges);
    for (type_id, rows) in &outcome.ended {
        let number = |row| {
            context.view.entity_number(EntityRef {
                type_id: *type_id,
                row,
            })
        };
        let entities: Vec<EntityNumber> = rows.iter().map(number).collect();
        if entities.is_empty() {
            continue;
        }
        report.entities.deleted += entities.len() as u64;
        let entity_type = context.view.type_name(*type_id).to_owned();
        outcome.deletions.push(Change::DeleteEntities {
            entity_type,
            entities,
        });
    }
    Ok(outcome)
}

fn compare_group(
    context: Context<'_>,
    at: usize,
    group: &mut Group,
    outcome: &mut EntityOutcome,
    seen: &mut EntityMarks,
    report: &mut DiffReport,
) -> Result<(), DiffError> {
    let rows = group.keys.len();
    group.numbers = vec![NO_NUMBER; rows];
    let known = known_entities(context, group);
    let mut created: Vec<u32> = Vec::new();
    let mut matched: BTreeMap<TypeId, Vec<Pair>> = BTreeMap::new();
    for row in 0..rows as u32 {
        if group.dead.contains(&row) {
            continue;
        }
        let Some(entity) = known.get(row as usize).copied().flatten() else {
            created.push(row);
            continue;
        };
        if let Some(reason) = refusal(context, group, row, entity) {
            report.entities.update_errors += 1;
            report.message(|| format!("{} {reason}", key_of(group, row)));
            continue;
        }
        let known_type = context.view.type_name(entity.type_id);
        let same_type = known_type == group.entity_type;
        if same_type || (group.entity_type.is_empty() && context.spec.mode == SyncMode::Patch) {
            seen.entry(entity.type_id).or_default().set(entity.row);
            if let Some(number) = group.numbers.get_mut(row as usize) {
                *number = context.view.entity_number(entity).0;
            }
            matched.entry(entity.type_id).or_default().push(Pair {
                staged: row,
                known: entity.row,
            });
        } else if context.spec.mode == SyncMode::Diff {
            // The key goes over to an entity of another type: another entity.
            outcome
                .ended
                .entry(entity.type_id)
                .or_default()
                .set(entity.row);
            created.push(row);
        } else {
            report.entities.update_errors += 1;
            report.message(|| {
                format!(
                    "{} has type {known_type}, which an update cannot change",
                    key_of(group, row)
                )
            });
        }
    }
    create(at, group, created, outcome, report)?;
    for (type_id, mut pairs) in matched {
        pairs.sort_unstable_by_key(|pair| pair.known);
        update(context, group, type_id, &pairs, outcome, report);
    }
    Ok(())
}

/// Why an item must not be written over a known entity.
fn refusal(context: Context<'_>, group: &Group, row: u32, entity: EntityRef) -> Option<String> {
    if !is_writable(context, entity) {
        return Some("is protected".to_owned());
    }
    // Of an item that names no type it is known only here what it may set.
    let known_type = context.view.type_name(entity.type_id);
    let is_derived = group.entity_type.is_empty() && context.catalog.telling(known_type).is_some();
    let sets = is_derived && group.sets(row, OPENCTI_TYPE);
    sets.then(|| format!("sets {OPENCTI_TYPE}, which is worked out"))
}

fn key_of(group: &Group, row: u32) -> String {
    let key = group.keys.get(row as usize).unwrap_or_default();
    format!("entity {key:?}")
}

/// The live entity of each row.
fn known_entities(context: Context<'_>, group: &Group) -> Vec<Option<EntityRef>> {
    if group.by_id {
        let entity = |text| resolve_entity(context.view, text);
        return group.keys.iter().map(entity).collect();
    }
    if context.blank {
        return Vec::new();
    }
    map_ranges(group.keys.len(), |rows| {
        let keys = rows.map(|row| group.keys.get(row).unwrap_or_default());
        context.view.find_by_keys(&context.spec.namespace, keys)
    })
}

fn create(
    at: usize,
    group: &mut Group,
    created: Vec<u32>,
    outcome: &mut EntityOutcome,
    report: &mut DiffReport,
) -> Result<(), DiffError> {
    if created.is_empty() {
        return Ok(());
    }
    let Some(classes) = group
        .classes
        .clone()
        .filter(|_| !group.by_id && !group.entity_type.is_empty())
    else {
        let count = created.len() as u64;
        report.entities.update_errors += count;
        for row in created.iter().take(super::MESSAGES_MAX) {
            report.message(|| {
                format!(
                    "{} does not exist, and _type and _class are needed to make it",
                    key_of(group, *row)
                )
            });
        }
        return Ok(());
    };
    let first = outcome.next;
    let count = u32::try_from(created.len()).map_err(|_| DiffError::Full)?;
    outcome.next = first
        .checked_add(count)
        .filter(|next| *next < NO_NUMBER)
        .ok_or(DiffError::Full)?;
    for (number, row) in (first..).zip(&created) {
        if let Some(slot) = group.numbers.get_mut(*row as usize) {
            *slot = number;
        }
    }
    let all = created.len() == group.keys.len();
    let columns = if all {
        std::mem::take(&mut group.columns)
    } else {
        group
            .columns
            .iter()
            .map(|column| Column {
                property: column.property.clone(),
                values: permuted(&column.values, &created),
            })
            .collect()
    };
    report.entities.created += u64::from(count);
    outcome.sources.push((at, (!all).then_some(created)));
    outcome.creations.push(Change::CreateEntities(EntityBatch {
        entity_type: group.entity_type.clone(),
        classes,
        namespace: Namespace::default(),
        first: EntityNumber(first),
        keys: StringArena::new(),
        columns: columns
            .into_iter()
            .filter(|column| !is_absent(column))
            .collect(),
    }));
    Ok(())
}

fn is_absent(column: &Column) -> bool {
    matches!(
        &column.values,
        durward_model::change::ColumnValues::Coded { dictionary, .. } if dictionary.is_empty()
    )
}

/// Puts the keys into the batches of new entities.
pub(crate) fn fill_keys(
    gathered: &mut Gathered,
    outcome: &mut EntityOutcome,
    namespace: &Namespace,
) {
    let sources = std::mem::take(&mut outcome.sources);
    for (change, (at, rows)) in outcome.creations.iter_mut().zip(sources) {
        let (Change::CreateEntities(batch), Some(group)) = (change, gathered.groups.get_mut(at))
        else {
            continue;
        };
        batch.namespace = namespace.clone();
        match rows {
            None => batch.keys = std::mem::take(&mut group.keys),
            Some(rows) => {
                for row in rows {
                    // The rows are some of those of an arena, so that they fit into one.
                    let _ = batch
                        .keys
                        .push(group.keys.get(row as usize).unwrap_or_default());
                }
            }
        }
    }
}

/// Ends the live entities of the namespace that were not uploaded.
fn end_absent(context: Context<'_>, seen: &EntityMarks, outcome: &mut EntityOutcome) {
    let view = context.view;
    for type_id in view.types() {
        let name = view.type_name(type_id);
        if context.spec.partial.has(name) || context.catalog.is_protected(name) {
            continue;
        }
        let seen = seen.get(&type_id);
        for row in &view.live_rows(type_id) {
            if seen.is_some_and(|seen| seen.get(row)) {
                continue;
            }
            if context.members.has_entity(EntityRef { type_id, row }) {
                outcome.ended.entry(type_id).or_default().set(row);
            }
        }
    }
}

/// Ends the entities that the upload lists for removal.
fn remove_listed(
    context: Context<'_>,
    gathered: &Gathered,
    outcome: &mut EntityOutcome,
    report: &mut DiffReport,
) {
    let view = context.view;
    for removal in gathered
        .removals
        .iter()
        .filter(|removal| !removal.relationship)
    {
        let entity = if removal.by_id {
            resolve_entity(view, &removal.name)
        } else {
            view.find_by_key(&context.spec.namespace, &removal.name)
        };
        let name = &removal.name;
        match entity {
            Some(entity) if !is_writable(context, entity) => {
                report.entities.delete_errors += 1;
                report.message(|| format!("entity {name:?} is protected"));
            }
            Some(entity) if gathered.uploads(view, context, entity) => {
                report.entities.delete_errors += 1;
                report.message(|| format!("entity {name:?} is uploaded and deleted in one job"));
            }
            Some(entity) => {
                outcome
                    .ended
                    .entry(entity.type_id)
                    .or_default()
                    .set(entity.row);
            }
            // Gone already: what was asked for holds.
            None => {}
        }
    }
}

impl Gathered {
    /// Whether an existing entity is among the uploaded ones.
    fn uploads(&self, view: &View, context: Context<'_>, entity: EntityRef) -> bool {
        let number = view.entity_number(entity).0;
        let by_key = view.namespace(entity) == context.spec.namespace
            && self.find(view.key_str(entity)).is_some();
        by_key
            || self
                .groups
                .iter()
                .any(|group| group.by_id && group.numbers.contains(&number))
    }
}
