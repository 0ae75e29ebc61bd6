// SPDX-License-Identifier: Apache-2.0
//! `relationship`, `relationships`, and the relationships of an entity.

use std::sync::Arc;

use durward_graph::{Direction, EdgeRef, EntityRef, ObjectRef, TripleMeta, TypeId};

use super::moment::Moment;
use super::objects::RelationshipNode;
use super::page::{self, Cursor, FIRST_MAX, Page};
use super::{Answer, Context, errors};
use durward_graphql::engine::{Call, FieldError, Node};

/// Name of the list in its cursors.
const LIST: &str = "relationships";

/// `relationship`: what is not there, or not visible, is null.
pub(super) fn relationship<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let moment = Moment::asked(call)?;
    let found = moment.find(call.text_argument("id").unwrap_or_default());
    let Some(ObjectRef::Edge(edge)) = found else {
        return Ok(Node::Null);
    };
    Ok(Node::object(RelationshipNode { moment, edge }))
}

/// `relationships` of the entity in the argument `of`.
pub(super) fn of_argument<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let moment = Moment::asked(call)?;
    match moment.find(call.text_argument("of").unwrap_or_default()) {
        Some(ObjectRef::Entity(entity)) => Ok(Node::object(page(&moment, entity, call)?)),
        _ => Err(errors::not_found("entity")),
    }
}

/// The page of relationships of an entity that the arguments of a field ask for.
pub(super) fn page(
    moment: &Arc<Moment>,
    entity: EntityRef,
    call: &Call<'_, Context>,
) -> Result<Page, FieldError> {
    let first = page::first(call, FIRST_MAX)?;
    let cursor = Cursor::asked(call, LIST)?;
    let moment = match &cursor {
        Some(cursor) => Moment::at(call.context, Some(cursor.instant))?,
        None => Arc::clone(moment),
    };
    let after = match &cursor {
        None => None,
        Some(cursor) => match moment.find(&cursor.last) {
            Some(ObjectRef::Edge(edge)) => Some(edge),
            _ => return Err(page::foreign_cursor()),
        },
    };
    let ways: &[Direction] = match call.text_argument("direction") {
        Some("OUT") => &[Direction::Out],
        Some("IN") => &[Direction::In],
        _ => &[Direction::Out, Direction::In],
    };
    let wanted = Wanted {
        ways,
        verb: call.text_argument("verb"),
        other: call.text_argument("type"),
    };
    let found = list(&moment, entity, &wanted, after, first);
    let end = (found.len() > first)
        .then(|| found.get(first.saturating_sub(1)))
        .flatten();
    let end = end.map(|edge| Cursor {
        list: LIST,
        instant: moment.view.instant(),
        last: moment.edge_id(*edge),
    });
    let nodes = found.into_iter().take(first);
    let nodes = nodes.map(|edge| RelationshipNode {
        moment: Arc::clone(&moment),
        edge,
    });
    Ok(Page::new("RelationshipPage", nodes, end))
}

/// Which relationships are asked for.
struct Wanted<'w> {
    ways: &'w [Direction],
    verb: Option<&'w str>,
    other: Option<&'w str>,
}

/// At most one more than `first` relationships after one, each once, by triple and creation.
fn list(
    moment: &Moment,
    entity: EntityRef,
    wanted: &Wanted<'_>,
    after: Option<EdgeRef>,
    first: usize,
) -> Vec<EdgeRef> {
    let view = &moment.view;
    let verb = match wanted.verb.map(|verb| view.verb_id(verb)) {
        Some(None) => return Vec::new(),
        Some(verb) => verb,
        None => None,
    };
    let other = match wanted.other.map(|other| view.type_id(other)) {
        Some(None) => return Vec::new(),
        Some(other) => other,
        None => None,
    };
    let mut triples = Vec::new();
    for way in wanted.ways {
        triples.extend(triples_of(moment, entity.type_id, *way, verb, other));
    }
    triples.sort_unstable_by_key(|triple| triple.id);
    triples.dedup_by_key(|triple| triple.id);
    let mut found: Vec<EdgeRef> = Vec::new();
    for triple in triples {
        if after.is_some_and(|after| triple.id < after.triple) {
            continue;
        }
        let mut edges = edges_in(moment, entity, triple, wanted);
        edges.retain(|edge| after.is_none_or(|after| *edge > after));
        let room = first.saturating_add(1).saturating_sub(found.len());
        found.extend(
            edges
                .into_iter()
                .filter(|edge| moment.sees_edge(*edge))
                .take(room),
        );
        if found.len() > first {
            break;
        }
    }
    found
}

fn triples_of(
    moment: &Moment,
    own: TypeId,
    way: Direction,
    verb: Option<durward_graph::VerbId>,
    other: Option<TypeId>,
) -> Vec<TripleMeta> {
    match way {
        Direction::Out => moment.view.triples_matching(Some(own), verb, other),
        Direction::In => moment.view.triples_matching(other, verb, Some(own)),
    }
}

/// The living relationships of an entity in one triple, ascending.
fn edges_in(
    moment: &Moment,
    entity: EntityRef,
    triple: TripleMeta,
    wanted: &Wanted<'_>,
) -> Vec<EdgeRef> {
    let mut edges = Vec::new();
    for way in wanted.ways {
        let (own, other) = match way {
            Direction::Out => (triple.from, triple.to),
            Direction::In => (triple.to, triple.from),
        };
        let fits = wanted
            .other
            .is_none_or(|wanted| moment.view.type_name(other) == wanted);
        if own == entity.type_id && fits {
            moment
                .view
                .adjacency(triple.id, *way)
                .for_each_edge(entity.row, |_, edge| {
                    edges.push(EdgeRef {
                        triple: triple.id,
                        edge,
                    });
                });
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}
