// SPDX-License-Identifier: Apache-2.0
//! Reads beside J1QL: one vertex or edge, counts, names of properties.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use durward_budget::json::weight;
use durward_graph::{ClassCover, Direction, EdgeRef, EntityRef, PropertyId, RowSet, TypeId, View};
use serde_json::{Value as Json, json};

use crate::filters::Filters;
use crate::{errors, objects};
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, Node};

type Context = RequestContext;
type Answer<'n> = Result<Node<'n, Context>, FieldError>;

/// Deepest neighbourhood that `vertex` shows.
const DEPTH_MAX: i64 = 5;
/// Most vertices of one neighbourhood.
const NEIGHBOURS_MAX: usize = 10_000;

/// `vertex`: one entity, with its neighbourhood where it is selected.
pub(super) fn vertex<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let context = call.context;
    let filters = Filters::of(call)?;
    let view = &context.view;
    let found = filters.entities(context, call.text_argument("id"));
    let Some(entity) = found.ok_or_else(unnamed)?.into_iter().next() else {
        return Ok(Node::Null);
    };
    let mut answer = objects::vertex(view, &context.account_id(), entity);
    let selects = |name: &str| call.lookahead().selects(&[name]);
    let Some(members) = answer.as_object_mut() else {
        return Ok(Node::json(answer));
    };
    if selects("edges") {
        let (_, edges) = neighbourhood(context, entity, 1)?;
        members.insert("edges".to_owned(), edges.into());
    }
    if selects("neighbors") {
        let (vertices, edges) = neighbourhood(context, entity, neighbour_depth(call)?)?;
        members.insert(
            "neighbors".to_owned(),
            json!({"vertices": vertices, "edges": edges}),
        );
    }
    Ok(Node::json(answer))
}

fn unnamed() -> FieldError {
    errors::invalid("name the object by `id`, or in `filters` by _id or _key")
}

fn neighbour_depth(call: &Call<'_, Context>) -> Result<i64, FieldError> {
    let depth = match call.lookahead().child("neighbors") {
        Some(neighbours) => neighbours
            .arguments()?
            .get("depth")
            .and_then(Json::as_i64)
            .unwrap_or(1),
        None => 1,
    };
    if (1..=DEPTH_MAX).contains(&depth) {
        return Ok(depth);
    }
    Err(errors::invalid(format!(
        "depth must be between 1 and {DEPTH_MAX}"
    )))
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
            for (other, edge) in edges_of(context, entity)? {
                if let Entry::Vacant(slot) = edges.entry(edge) {
                    let shown = objects::edge(view, &account, edge);
                    context.hold(weight(&shown))?;
                    slot.insert(shown);
                }
                if seen.insert(other) {
                    next.push(other);
                }
            }
            if seen.len() > NEIGHBOURS_MAX || edges.len() > NEIGHBOURS_MAX {
                return Err(too_many());
            }
        }
        frontier = next;
    }
    seen.remove(&start);
    let vertices = seen.into_iter().map(|entity| {
        let shown = objects::vertex(view, &account, entity);
        context.hold(weight(&shown))?;
        Ok(shown)
    });
    let vertices = vertices.collect::<Result<_, FieldError>>()?;
    Ok((vertices, edges.into_values().collect()))
}

fn too_many() -> FieldError {
    errors::invalid(format!(
        "the neighbourhood has more than {NEIGHBOURS_MAX} objects; ask a query with LIMIT instead"
    ))
}

/// The visible relationships of an entity with other entities.
fn edges_of(context: &Context, entity: EntityRef) -> Result<Vec<(EntityRef, EdgeRef)>, FieldError> {
    let view = &context.view;
    let mut found = Vec::new();
    let directions = [
        (
            Direction::Out,
            view.triples_matching(Some(entity.type_id), None, None),
        ),
        (
            Direction::In,
            view.triples_matching(None, None, Some(entity.type_id)),
        ),
    ];
    for (direction, triples) in directions {
        for triple in triples {
            let type_id = if direction == Direction::Out {
                triple.to
            } else {
                triple.from
            };
            if type_id.is_relationship() {
                continue;
            }
            view.adjacency(triple.id, direction)
                .for_each_edge(entity.row, |row, edge| {
                    let edge = EdgeRef {
                        triple: triple.id,
                        edge,
                    };
                    // One more than may be is enough to know that there are too many.
                    if found.len() <= NEIGHBOURS_MAX && context.sees_edge(edge) {
                        found.push((EntityRef { type_id, row }, edge));
                    }
                });
            if found.len() > NEIGHBOURS_MAX {
                return Err(too_many());
            }
        }
    }
    Ok(found)
}

/// `edge`: one relationship.
pub(super) fn edge<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let context = call.context;
    let filters = Filters::of(call)?;
    let found = filters.edge(context, call.text_argument("id"));
    Ok(found.map_or(Node::Null, |edge| {
        Node::json(objects::edge(&context.view, &context.account_id(), edge))
    }))
}

/// Visible entities by type and by class.
struct Counts {
    total: u64,
    types: BTreeMap<String, u64>,
    classes: BTreeMap<String, u64>,
}

/// Those of some entities of a type that carry a class.
pub(super) fn with_class(view: &View, class: &str, type_id: TypeId, rows: &RowSet) -> RowSet {
    let types = view
        .class_id(class)
        .map(|class| view.types_with_class(class));
    let mut types = types.unwrap_or_default().into_iter();
    match types.find(|(own, _)| *own == type_id) {
        None => RowSet::empty(rows.universe()),
        Some((_, ClassCover::All)) => rows.clone(),
        Some((_, ClassCover::Some(members))) => rows.intersect(&members),
    }
}

/// Counts the visible entities that the filters of a call let through.
fn counts(call: &Call<'_, Context>, with_classes: bool) -> Result<Counts, FieldError> {
    let context = call.context;
    let filters = Filters::of(call)?;
    let view = &context.view;
    let mut counts = Counts {
        total: 0,
        types: BTreeMap::new(),
        classes: BTreeMap::new(),
    };
    if let Some(named) = filters.entities(context, None) {
        for entity in named {
            counts.add(view.type_name(entity.type_id), 1);
        }
        return Ok(counts);
    }
    for type_id in view.types() {
        let rows = filters.of_type(view, type_id, context.visible_rows(type_id));
        if rows.is_empty() {
            continue;
        }
        counts.add(view.type_name(type_id), rows.len() as u64);
        for class in view.class_ids().into_iter().filter(|_| with_classes) {
            let name = view.class_name(class);
            let members = with_class(view, name, type_id, &rows).len() as u64;
            if members > 0 {
                let count = counts.classes.entry(name.to_owned()).or_default();
                *count = count.saturating_add(members);
            }
        }
    }
    Ok(counts)
}

impl Counts {
    fn add(&mut self, type_name: &str, count: u64) {
        self.total = self.total.saturating_add(count);
        let of_type = self.types.entry(type_name.to_owned()).or_default();
        *of_type = of_type.saturating_add(count);
    }
}

/// `entityCount`
pub(super) fn entity_count<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    Ok(Node::Int(
        i64::try_from(counts(call, false)?.total).unwrap_or(i64::MAX),
    ))
}

/// `typeCounts`
pub(super) fn type_counts<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    Ok(Node::json(json!(counts(call, false)?.types)))
}

/// `allEntityCounts`
pub(super) fn all_entity_counts<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let counts = counts(call, true)?;
    Ok(Node::json(
        json!({"typeCounts": counts.types, "classCounts": counts.classes}),
    ))
}

/// `getEntityCounts`
pub(super) fn entity_counts<'n>(call: &Call<'_, Context>) -> Answer<'n> {
    let counts = counts(call, true)?;
    Ok(Node::json(
        json!({"types": counts.types, "classes": counts.classes}),
    ))
}

/// `getAllAssetProperties`: names of the properties that visible entities have.
pub(super) fn property_names<'n>(call: &Call<'_, Context>) -> Node<'n, Context> {
    let context = call.context;
    let view = &context.view;
    let mut names = BTreeSet::new();
    for type_id in view.types() {
        let rows = context.visible_rows(type_id);
        // What only others of the type have is not told: its name may be the secret.
        let is_held = |property: &PropertyId| {
            let column = view.column(type_id, *property);
            column.is_some_and(|column| !column.select(&rows, |value| !value.is_null()).is_empty())
        };
        let held = view.properties_of_type(type_id).into_iter().filter(is_held);
        names.extend(held.map(|property| view.property_name(property).to_owned()));
    }
    Node::json(json!(names))
}
