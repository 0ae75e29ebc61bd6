// SPDX-License-Identifier: Apache-2.0
//! Mapped relationships: finds their targets among the uploaded and the known entities, or makes
//! them.

mod targets;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use durward_model::change::{Change, Column, ColumnValues, EntityBatch};
use durward_model::limits::KEY_BYTES_MAX;
use durward_model::{EntityNumber, Namespace, StringArena, Value};
use serde_json::{Map, Value as Json};
use xxhash_rust::xxh3::xxh3_128;

use self::targets::{Targets, Wanted};
use super::edges::{EdgeKind, Edges};
use super::ends::{End, EndFinder, NoEnd};
use super::entities::EntityOutcome;
use super::gather::{Gathered, NO_NUMBER};
use super::{Context, DiffError, DiffReport};
use crate::bulk::mapped::{MAPPER_SOURCE, Mapping, take_apart};
use crate::bulk::part::EndAddress;

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
    let parsed = mapped
        .iter()
        .map(|text| serde_json::from_str::<Map<String, Json>>(text).unwrap_or_default());
    let mut objects: Vec<Map<String, Json>> = parsed.collect();
    // Those that say most of their target come first: what they make is found by the others, in
    // whatever order they arrived.
    objects.sort_by_cached_key(|object| {
        (
            Reverse(target_size(object)),
            Json::from(object.clone()).to_string(),
        )
    });
    let mut finder = EndFinder::new(context, gathered, std::mem::take(&mut edges.types));
    let mut work = Mapper {
        context,
        outcome,
        targets: Targets::new(context, gathered, outcome, &finder),
        finder: &finder,
        made: Vec::new(),
    };
    let mut links = Vec::new();
    for object in &objects {
        match work.link(object) {
            Ok(Some(link)) => links.push(link),
            Ok(None) => {}
            Err(problem) => {
                report.mapped.create_errors += 1;
                report.message(|| format!("mapped relationship: {problem}"));
            }
        }
    }
    let mut made = work.made;
    number(&mut made, outcome)?;
    report.entities.created += made.len() as u64;
    connect(links, &made, &mut finder, edges);
    edges.types = finder.types;
    Ok(())
}

/// Puts the links among the relationships.
fn connect(links: Vec<Link>, made: &[Made], finder: &mut EndFinder<'_>, edges: &mut Edges) {
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
}

/// How much a mapped relationship says of its target.
fn target_size(object: &Map<String, Json>) -> usize {
    let mapping = object.get("_mapping");
    let target = mapping.and_then(|mapping| mapping.get("targetEntity"));
    target.and_then(Json::as_object).map_or(0, Map::len)
}

/// Links mapped relationships one after the other.
struct Mapper<'m> {
    context: Context<'m>,
    outcome: &'m EntityOutcome,
    targets: Targets<'m>,
    finder: &'m EndFinder<'m>,
    made: Vec<Made>,
}

impl Mapper<'_> {
    /// The relationship of one mapping; none when its target is missing and must not be made.
    fn link(&mut self, object: &Map<String, Json>) -> Result<Option<Link>, String> {
        let mapping = take_apart(object).map_err(|error| error.to_string())?;
        let source = self
            .finder
            .find(self.outcome, &EndAddress::default(), mapping.source_key)
            .map_err(|problem| format!("entity {:?} {}", mapping.source_key, problem.text()))?;
        let mut properties = Vec::new();
        for (name, json) in object.iter().filter(|(name, _)| !name.starts_with('_')) {
            let value =
                Value::from_json(json).map_err(|error| format!("property {name}: {error}"))?;
            properties.push((name.clone(), value));
        }
        let target = match self.find_target(&mapping)? {
            Some(target) => target,
            None if mapping.skip_creation => return Ok(None),
            None => self.make_target(&mapping)?,
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

    fn find_target(&self, mapping: &Mapping<'_>) -> Result<Option<Target>, String> {
        for wanted in wanted(mapping)? {
            if let Some(target) = self.find(&wanted) {
                return Ok(Some(target));
            }
        }
        // Whatever the filters say: an entity with the target's key and type is the target.
        let named: Vec<(&str, Value)> = ["_key", "_type"]
            .into_iter()
            .filter_map(|name| {
                let text = mapping.target.get(name).and_then(Json::as_str)?;
                Some((name, Value::from(text)))
            })
            .collect();
        Ok(self.find(&named).filter(|_| named.len() == 2))
    }

    fn find(&self, wanted: &Wanted<'_>) -> Option<Target> {
        if let Some(end) = self.targets.find(wanted) {
            return Some(Target::Known(end));
        }
        let at = self.made.iter().position(|made| made.matches(wanted))?;
        Some(Target::Made(at))
    }

    fn make_target(&mut self, mapping: &Mapping<'_>) -> Result<Target, String> {
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
            let value =
                Value::from_json(json).map_err(|error| format!("property {name}: {error}"))?;
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
                let key = format!("{entity_type}|{}", values.collect::<Vec<_>>().join("|"));
                if key.len() <= KEY_BYTES_MAX {
                    key
                } else {
                    format!("{entity_type}|{:032x}", xxh3_128(key.as_bytes()))
                }
            }
        };
        let namespace = Namespace::new(MAPPER_SOURCE, "");
        if let Some(entity) = self.context.view.find_by_key(&namespace, &key) {
            return match self.finder.known(self.outcome, entity) {
                Ok(end) => Ok(Target::Known(end)),
                Err(NoEnd::Protected | NoEnd::Ambiguous | NoEnd::Missing) => {
                    Err(format!("target {key:?} cannot be used"))
                }
            };
        }
        if let Some(at) = self.made.iter().position(|made| made.key == key) {
            return Ok(Target::Made(at));
        }
        self.made.push(Made {
            entity_type: entity_type.to_owned(),
            classes,
            key,
            properties,
            number: 0,
        });
        Ok(Target::Made(self.made.len() - 1))
    }
}

/// What each set of filter keys asks for; a set with a property that the target lacks asks for
/// nothing.
fn wanted<'m>(mapping: &Mapping<'m>) -> Result<Vec<Vec<(&'m str, Value)>>, String> {
    let mut sets = Vec::new();
    for names in &mapping.filters {
        let mut set = Vec::new();
        for name in names {
            let Some(json) = mapping.target.get(*name).filter(|json| !json.is_null()) else {
                break;
            };
            let value = Value::from_json(json).map_err(|error| format!("{name}: {error}"))?;
            set.push((*name, value));
        }
        if set.len() == names.len() {
            sets.push(set);
        }
    }
    Ok(sets)
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
