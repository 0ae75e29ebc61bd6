// SPDX-License-Identifier: Apache-2.0
//! Reads beside J1QL: one vertex or edge, counts, names of properties.

use std::collections::{BTreeMap, BTreeSet};

use durward_graph::{Direction, EntityRef, ObjectRef};
use durward_policy::Right;
use serde_json::{Map, Value as Json, json};

use crate::context::RequestContext;
use crate::engine::{Call, FieldError, Node};
use crate::jupiterone::{errors, objects};

type Context = RequestContext;
type Answer<'n> = Result<Node<'n, Context>, FieldError>;

/// Deepest neighbourhood that `vertex` shows.
const DEPTH_MAX: i64 = 5;
/// Most vertices of one neighbourhood.
const NEIGHBOURS_MAX: usize = 10_000;

/// `vertex`: one entity, with its neighbourhood where it is selected.
pub(super) fn vertex<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let context = call.context;
    context.require(Right::READ_GRAPH)?;
    for filter in ["filters", "propertyFilters"] {
        if call.argument(filter).is_some() {
            return Err(FieldError::unsupported(&format!("vertex({filter}:)")));
        }
    }
    let view = &context.view;
    let id = call.text_argument("id").and_then(|text| view.id_cipher().parse_uuid(text));
    let Some(ObjectRef::Entity(entity)) = id.and_then(|id| view.resolve(id)) else {
        return Ok(Node::Null);
    };
    if !context.sees_entity(entity) {
        return Ok(Node::Null);
    }
    let mut answer = objects::vertex(view, &context.account_id(), entity);
    let selects = |name: &str| call.lookahead().selects(&[name]);
    if let Some(members) = answer.as_object_mut()
        && (selects("neighbors") || selects("edges")) {
            let depth = neighbour_depth(call)?;
            let (vertices, edges) = neighbourhood(context, entity, depth)?;
            members.insert("edges".to_owned(), edges.clone().into());
            let neighbours = json!({"vertices": vertices, "edges": edges});
            members.insert("neighbors".to_owned(), neighbours);
        }
    Ok(Node::json(answer))
}

fn neighbour_depth(call: &Call<'_, Context>) -> Result<i64, FieldError> {
    let depth = match call.lookahead().child("neighbors") {
        Some(neighbours) => neighbours.arguments()?.get("depth").and_then(Json::as_i64).unwrap_or(1),
        None => 1,
    };
    if (1..=DEPTH_MAX).contains(&depth) {
        return Ok(depth);
    }
    Err(errors::invalid(format!("depth must be between 1 and {DEPTH_MAX}")))
}

/// Everything within some steps of an entity, along relationships of any direction.
fn neighbourhood(
    context: &Context,
    start: EntityRef,
    depth: i64,
) -> Result<(Vec<Json>, Vec<Json>), FieldError> {
    let view = &context.view;
    let account = context.account_id();
    let mut seen = BTreeSet::from([start]);
    let mut edges = BTreeMap::new();
    let mut frontier = vec![start];
    for _ in 0..depth {
        let mut next = Vec::new();
        for entity in frontier {
            for (other, edge) in edges_of(context, entity) {
                edges.entry(edge).or_insert_with(|| objects::edge(view, &account, edge));
                if seen.insert(other) {
                    next.push(other);
                }
            }
            if seen.len() > NEIGHBOURS_MAX || edges.len() > NEIGHBOURS_MAX {
                return Err(errors::invalid(format!(
                    "the neighbourhood has more than {NEIGHBOURS_MAX} objects; ask a query with \
                     LIMIT instead"
                )));
            }
        }
        frontier = next;
    }
    seen.remove(&start);
    let vertices = seen.into_iter().map(|entity| objects::vertex(view, &account, entity));
    Ok((vertices.collect(), edges.into_values().collect()))
}

fn edges_of(context: &Context, entity: EntityRef) -> Vec<(EntityRef, durward_graph::EdgeRef)> {
    let view = &context.view;
    let mut found = Vec::new();
    let directions = [
        (Direction::Out, view.triples_matching(Some(entity.type_id), None, None)),
        (Direction::In, view.triples_matching(None, None, Some(entity.type_id))),
    ];
    for (direction, triples) in directions {
        for triple in triples {
            let other = if direction == Direction::Out { triple.to } else { triple.from };
            if other == durward_graph::TypeId::RELATIONSHIP {
                continue;
            }
            view.adjacency(triple.id, direction).for_each_edge(entity.row, |row, edge| {
                let other = EntityRef { type_id: other, row };
                if context.sees_entity(other) {
                    found.push((other, durward_graph::EdgeRef { triple: triple.id, edge }));
                }
            });
        }
    }
    found
}

/// `edge`: one relationship.
pub(super) fn edge<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let context = call.context;
    context.require(Right::READ_GRAPH)?;
    let view = &context.view;
    let id = call.text_argument("id").and_then(|text| view.id_cipher().parse_uuid(text));
    match id.and_then(|id| view.resolve(id)) {
        Some(ObjectRef::Edge(edge)) if context.sees_edge(edge) => {
            Ok(Node::json(objects::edge(view, &context.account_id(), edge)))
        }
        _ => Ok(Node::Null),
    }
}

/// Visible entities by type and by class.
struct Counts {
    total: u64,
    types: BTreeMap<String, u64>,
    classes: BTreeMap<String, u64>,
}

fn counts(context: &Context) -> Result<Counts, FieldError> {
    context.require(Right::READ_GRAPH)?;
    let view = &context.view;
    let mut counts = Counts { total: 0, types: BTreeMap::new(), classes: BTreeMap::new() };
    for type_id in view.types() {
        let visible = context.visible_rows(type_id);
        if visible.is_empty() {
            continue;
        }
        counts.total = counts.total.saturating_add(visible.len() as u64);
        counts.types.insert(view.type_name(type_id).to_owned(), visible.len() as u64);
        for class in view.class_ids() {
            let of_type = view.types_with_class(class).into_iter();
            let Some((_, cover)) = of_type.into_iter().find(|(own, _)| *own == type_id) else {
                continue;
            };
            let members = match cover {
                durward_graph::ClassCover::All => visible.len(),
                durward_graph::ClassCover::Some(rows) => visible.intersect(&rows).len(),
            };
            let count = counts.classes.entry(view.class_name(class).to_owned()).or_default();
            *count = count.saturating_add(members as u64);
        }
    }
    counts.classes.retain(|_, count| *count > 0);
    Ok(counts)
}

/// `entityCount`
pub(super) fn entity_count<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    Ok(Node::Int(i64::try_from(counts(call.context)?.total).unwrap_or(i64::MAX)))
}

/// `typeCounts`
pub(super) fn type_counts<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    Ok(Node::json(json!(counts(call.context)?.types)))
}

/// `allEntityCounts`
pub(super) fn all_entity_counts<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let counts = counts(call.context)?;
    Ok(Node::json(json!({"typeCounts": counts.types, "classCounts": counts.classes})))
}

/// `getEntityCounts`: the counts of the classes and types that are asked for; all without any.
pub(super) fn entity_counts<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let counts = counts(call.context)?;
    let pick = |argument: &str, all: &BTreeMap<String, u64>| -> Map<String, Json> {
        let wanted = call.argument(argument).and_then(Json::as_array);
        match wanted {
            None => all.iter().map(|(name, count)| (name.clone(), (*count).into())).collect(),
            Some(names) => names
                .iter()
                .filter_map(Json::as_str)
                .map(|name| (name.to_owned(), all.get(name).copied().unwrap_or(0).into()))
                .collect(),
        }
    };
    let types = pick("types", &counts.types);
    let classes = pick("classes", &counts.classes);
    Ok(Node::json(json!({"types": types, "classes": classes})))
}

/// `getAllAssetProperties`: names of the properties that visible entities have.
pub(super) fn property_names<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let context = call.context;
    context.require(Right::READ_GRAPH)?;
    let view = &context.view;
    let mut names = BTreeSet::new();
    for type_id in view.types() {
        if !context.visible_rows(type_id).is_empty() {
            let properties = view.properties_of_type(type_id).into_iter();
            names.extend(properties.map(|property| view.property_name(property).to_owned()));
        }
    }
    Ok(Node::json(json!(names)))
}
