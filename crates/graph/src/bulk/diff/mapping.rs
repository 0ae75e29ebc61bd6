// SPDX-License-Identifier: Apache-2.0
//! Mapped relationships: finds their targets among the uploaded and the known entities, or makes
//! them.

use std::collections::BTreeMap;

use durward_model::change::{Change, Column, ColumnValues, EntityBatch};
use durward_model::{EntityNumber, Namespace, StringArena, Value};
use serde_json::{Map, Value as Json};

use super::edges::{EdgeKind, Edges};
use super::ends::{End, EndFinder, NoEnd};
use super::entities::{EntityOutcome, is_writable};
use super::gather::{Gathered, Group, NO_NUMBER};
use super::marks::has_entity;
use super::{Context, DiffError, DiffReport};
use crate::bulk::mapped::{MAPPER_SOURCE, Mapping, take_apart};
use crate::bulk::part::EndAddress;
use crate::ids::EntityRef;
use crate::rowset::RowSet;

/// An entity to be made for mapped relationships.
struct Made {
    entity_type: String,
    classes: Vec<String>,
    key: String,
    properties: Vec<(String, Value)>,
    number: u32,
}

/// Where a mapped relationship goes.
enum Target {
    Known(End),
    Made(usize),
}

struct Link {
    source: End,
    target: Target,
    forward: bool,
    verb: String,
    relationship_type: String,
    key: Option<String>,
    properties: Vec<(String, Value)>,
}

/// Adds all mapped relationships to the staged ones.
pub(crate) fn add(
    context: Context<'_>,
    gathered: &Gathered,
    outcome: &mut EntityOutcome,
    edges: &mut Edges,
    report: &mut DiffReport,
) -> Result<(), DiffError> {
    let mapped = std::mem::take(&mut outcome.mapped);
    if mapped.is_empty() {
        return Ok(());
    }
    let mut finder = EndFinder::new(context, gathered, std::mem::take(&mut edges.types));
    let mut made: Vec<Made> = Vec::new();
    let mut links = Vec::new();
    for text in &mapped {
        let object = serde_json::from_str::<Map<String, Json>>(text).unwrap_or_default();
        let linked = link(context, gathered, outcome, &finder, &mut made, &object);
        match linked {
            Ok(Some(link)) => links.push(link),
            Ok(None) => {}
            Err(problem) => {
                report.mapped.create_errors += 1;
                report.message(|| format!("mapped relationship: {problem}"));
            }
        }
    }
    number(&mut made, outcome)?;
    report.entities.created += made.len() as u64;
    for link in links {
        let target = match link.target {
            Target::Known(end) => end,
            Target::Made(at) => {
                let Some(made) = made.get(at) else { continue };
                End {
                    type_at: finder.types.number(&made.entity_type),
                    number: made.number,
                }
            }
        };
        let (from, to) = if link.forward {
            (link.source, target)
        } else {
            (target, link.source)
        };
        let at = edges.kind(EdgeKind {
            from_type: from.type_at,
            verb: link.verb,
            to_type: to.type_at,
            relationship_type: link.relationship_type,
            conventional: link.key.is_none(),
            mapped: true,
        });
        if let Some(rows) = edges.rows.get_mut(at) {
            rows.push(from.number, to.number, link.key.as_deref(), link.properties);
        }
    }
    edges.types = finder.types;
    Ok(())
}

/// The relationship of one mapping; none when its target is missing and must not be made.
fn link(
    context: Context<'_>,
    gathered: &Gathered,
    outcome: &EntityOutcome,
    finder: &EndFinder<'_>,
    made: &mut Vec<Made>,
    object: &Map<String, Json>,
) -> Result<Option<Link>, String> {
    let mapping = take_apart(object).map_err(|error| error.to_string())?;
    let source = finder
        .find(outcome, &EndAddress::default(), mapping.source_key)
        .map_err(|problem| format!("entity {:?} {}", mapping.source_key, problem.text()))?;
    let mut properties = Vec::new();
    for (name, json) in object.iter().filter(|(name, _)| !name.starts_with('_')) {
        let value = Value::from_json(json).map_err(|error| format!("property {name}: {error}"))?;
        properties.push((name.clone(), value));
    }
    let target = match find_target(context, gathered, outcome, finder, made, &mapping)? {
        Some(target) => target,
        None if mapping.skip_creation => return Ok(None),
        None => make_target(context, outcome, finder, made, &mapping)?,
    };
    Ok(Some(Link {
        source,
        target,
        forward: mapping.forward,
        verb: mapping.verb,
        relationship_type: mapping.relationship_type.to_owned(),
        key: mapping.key.map(str::to_owned),
        properties,
    }))
}

fn find_target(
    context: Context<'_>,
    gathered: &Gathered,
    outcome: &EntityOutcome,
    finder: &EndFinder<'_>,
    made: &[Made],
    mapping: &Mapping<'_>,
) -> Result<Option<Target>, String> {
    for names in &mapping.filters {
        let mut wanted = Vec::new();
        for name in names {
            let Some(json) = mapping.target.get(*name).filter(|json| !json.is_null()) else {
                break;
            };
            let value = Value::from_json(json).map_err(|error| format!("{name}: {error}"))?;
            wanted.push((*name, value));
        }
        if wanted.len() < names.len() {
            continue;
        }
        if let Some(end) = find_staged(gathered, finder, &wanted) {
            return Ok(Some(Target::Known(end)));
        }
        if let Some(entity) = find_known(context, outcome, &wanted)
            && let Ok(end) = finder.known(outcome, entity)
        {
            return Ok(Some(Target::Known(end)));
        }
        if let Some(at) = made.iter().position(|made| made.matches(&wanted)) {
            return Ok(Some(Target::Made(at)));
        }
    }
    Ok(None)
}

impl Made {
    fn matches(&self, wanted: &[(&str, Value)]) -> bool {
        wanted.iter().all(|(name, value)| match *name {
            "_key" => value.as_str() == Some(&self.key),
            "_type" => value.as_str() == Some(&self.entity_type),
            "_class" => has_classes(&self.classes, value),
            name => self
                .properties
                .iter()
                .any(|(known, held)| known == name && held == value),
        })
    }
}

/// Whether classes hold the class, or all classes, of a value.
fn has_classes(classes: &[String], value: &Value) -> bool {
    let has = |value: &Value| classes.iter().any(|class| value.as_str() == Some(class));
    match value {
        Value::List(items) => items.iter().all(has),
        other => has(other),
    }
}

fn find_staged(
    gathered: &Gathered,
    finder: &EndFinder<'_>,
    wanted: &[(&str, Value)],
) -> Option<End> {
    for (at, group) in gathered.groups.iter().enumerate() {
        let of_kind = wanted.iter().all(|(name, value)| match *name {
            "_type" => value.as_str() == Some(&group.entity_type),
            "_class" => has_classes(group.classes.as_deref().unwrap_or_default(), value),
            _ => true,
        });
        if !of_kind || group.by_id {
            continue;
        }
        let row = (0..group.numbers.len() as u32).find(|row| staged_matches(group, *row, wanted));
        if let Some(row) = row {
            return finder.staged(at as u32, row);
        }
    }
    None
}

fn staged_matches(group: &Group, row: u32, wanted: &[(&str, Value)]) -> bool {
    group
        .numbers
        .get(row as usize)
        .is_some_and(|number| *number != NO_NUMBER)
        && wanted.iter().all(|(name, value)| match *name {
            "_key" => group.keys.get(row as usize) == value.as_str(),
            "_type" | "_class" => true,
            name => group
                .columns
                .iter()
                .any(|column| column.property == name && column.values.get(row as usize) == *value),
        })
}

fn find_known(
    context: Context<'_>,
    outcome: &EntityOutcome,
    wanted: &[(&str, Value)],
) -> Option<EntityRef> {
    let view = context.view;
    let usable =
        |entity: &EntityRef| is_writable(context, *entity) && !has_entity(&outcome.ended, *entity);
    let text_of = |wanted_name: &str| {
        let found = wanted.iter().find(|(name, _)| *name == wanted_name);
        found.map(|(_, value)| value.as_str().unwrap_or_default())
    };
    let class_fits = |entity: &EntityRef| {
        let classes = view.classes(*entity).into_iter();
        let classes: Vec<String> = classes
            .map(|class| view.class_name(class).to_owned())
            .collect();
        wanted
            .iter()
            .all(|(name, value)| *name != "_class" || has_classes(&classes, value))
    };
    let types = view
        .types()
        .into_iter()
        .filter(|type_id| text_of("_type").is_none_or(|name| view.type_name(*type_id) == name));
    let by_key = text_of("_key").map(|key| view.find_by_key_any_namespace(key));
    for type_id in types {
        let mut rows = match &by_key {
            Some(entities) => {
                let of_type = entities.iter().filter(|entity| entity.type_id == type_id);
                let mut rows: Vec<u32> = of_type.map(|entity| entity.row).collect();
                rows.sort_unstable();
                RowSet::from_sorted(rows, view.rows(type_id))
            }
            None => view.live_rows(type_id),
        };
        for (name, value) in wanted.iter().filter(|(name, _)| !name.starts_with('_')) {
            let property = view.property_id(name);
            rows = match property.and_then(|property| view.column(type_id, property)) {
                Some(column) => column.select_equal(&rows, value),
                None => RowSet::empty(view.rows(type_id)),
            };
        }
        let entities = rows.iter().map(|row| EntityRef { type_id, row });
        if let Some(entity) = entities.filter(usable).find(class_fits) {
            return Some(entity);
        }
    }
    None
}

fn make_target(
    context: Context<'_>,
    outcome: &EntityOutcome,
    finder: &EndFinder<'_>,
    made: &mut Vec<Made>,
    mapping: &Mapping<'_>,
) -> Result<Target, String> {
    let text = |name: &str| mapping.target.get(name).and_then(Json::as_str);
    let entity_type = text("_type").filter(|name| !name.is_empty());
    let entity_type =
        entity_type.ok_or("targetEntity needs _type to be made, as no entity matches")?;
    let classes: Vec<String> = match mapping.target.get("_class") {
        Some(Json::String(class)) => vec![class.clone()],
        Some(Json::Array(classes)) => classes
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    if classes.is_empty() {
        return Err("targetEntity needs _class to be made, as no entity matches".to_owned());
    }
    let mut properties = Vec::new();
    for (name, json) in mapping
        .target
        .iter()
        .filter(|(name, _)| !name.starts_with('_'))
    {
        let value = Value::from_json(json).map_err(|error| format!("property {name}: {error}"))?;
        if !value.is_null() {
            properties.push((name.clone(), value));
        }
    }
    let key = match text("_key") {
        Some(key) if !key.is_empty() => key.to_owned(),
        _ => {
            let names = mapping
                .filters
                .first()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let values = names.iter().map(|name| {
                let json = mapping.target.get(*name).unwrap_or(&Json::Null);
                format!("{name}={json}")
            });
            format!("{entity_type}|{}", values.collect::<Vec<_>>().join("|"))
        }
    };
    let namespace = Namespace::new(MAPPER_SOURCE, "");
    if let Some(entity) = context.view.find_by_key(&namespace, &key) {
        return match finder.known(outcome, entity) {
            Ok(end) => Ok(Target::Known(end)),
            Err(NoEnd::Protected | NoEnd::Ambiguous | NoEnd::Missing) => {
                Err(format!("target {key:?} cannot be used"))
            }
        };
    }
    if let Some(at) = made.iter().position(|made| made.key == key) {
        return Ok(Target::Made(at));
    }
    made.push(Made {
        entity_type: entity_type.to_owned(),
        classes,
        key,
        properties,
        number: 0,
    });
    Ok(Target::Made(made.len() - 1))
}

/// Gives the made entities their numbers and writes them as changes.
fn number(made: &mut [Made], outcome: &mut EntityOutcome) -> Result<(), DiffError> {
    let mut kinds: BTreeMap<(String, Vec<String>), Vec<usize>> = BTreeMap::new();
    for (at, made) in made.iter().enumerate() {
        kinds
            .entry((made.entity_type.clone(), made.classes.clone()))
            .or_default()
            .push(at);
    }
    for ((entity_type, classes), members) in kinds {
        let first = outcome.next;
        let mut keys = StringArena::new();
        let mut columns: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (row, at) in members.iter().enumerate() {
            let Some(made) = made.get_mut(*at) else {
                continue;
            };
            made.number = outcome.next;
            outcome.next = outcome
                .next
                .checked_add(1)
                .filter(|next| *next < NO_NUMBER)
                .ok_or(DiffError::Full)?;
            keys.push(&made.key).map_err(|_| DiffError::Full)?;
            for (name, value) in &made.properties {
                let column = columns.entry(name.clone()).or_default();
                column.resize(row, Value::Null);
                column.push(value.clone());
            }
        }
        let columns = columns.into_iter().map(|(property, mut values)| {
            values.resize(members.len(), Value::Null);
            Column {
                property,
                values: ColumnValues::Mixed(values),
            }
        });
        outcome
            .mapped_creations
            .push(Change::CreateEntities(EntityBatch {
                entity_type,
                classes,
                namespace: Namespace::new(MAPPER_SOURCE, ""),
                first: EntityNumber(first),
                keys,
                columns: columns.collect(),
            }));
    }
    Ok(())
}
