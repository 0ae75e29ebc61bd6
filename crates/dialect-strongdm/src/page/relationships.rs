// SPDX-License-Identifier: Apache-2.0
//! Lists of relationships: attachments, grants, memberships.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use durward_access::access::Sight;
use durward_access::{Kind, effective, reader};
use durward_catalog::StrongdmName;
use durward_catalog::kinds::ValueKind;
use durward_graph::{Direction, EdgeRef, EntityRef, ObjectRef, View};
use durward_model::{Instant, ObjectId};

use super::{Page, Walk};
use crate::dispatch::Reply;
use crate::filter::{Cell, CellKind, RowField, RowFilter, Terms, folded};
use crate::services::objects::id_prefix;
use crate::status::Status;

/// Which value of a relationship a field shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Id,
    From,
    To,
    Property(&'static str),
    Time(&'static str),
    Created,
}

type Column = (RowField, Part);

/// The fields of a kind by which its lists are filtered and ordered: its id, its ends, what the
/// catalog names, and when it was made.
fn columns(kind: Kind, name: &'static StrongdmName) -> Vec<Column> {
    let mut columns: Vec<Column> = vec![(("id", CellKind::Id(&name.prefix)), Part::Id)];
    if let Some(ends) = kind.ends() {
        let cell = |kinds| CellKind::Id(id_prefix(kinds));
        columns.push(((&name.start_field, cell(&ends.from)), Part::From));
        columns.push(((&name.end_field, cell(&ends.to)), Part::To));
    }
    for (property, entry) in &kind.entry().properties {
        let (cell, part) = match entry.value {
            Some(ValueKind::Text) => (CellKind::Text, Part::Property(property)),
            Some(ValueKind::Instant) => (CellKind::Time, Part::Time(property)),
            None => continue,
        };
        columns.push(((&entry.strongdm, cell), part));
    }
    columns.push((("created_at", CellKind::Time), Part::Created));
    columns
}

/// One page of a list of relationships of a kind; `write` appends the message of one as
/// the field of a number, or answers that it is left out. `name` is how the service calls the kind.
///
/// # Errors
/// When the request is wrong.
pub fn relationships(
    walk: &Walk<'_>,
    kind: Kind,
    name: &'static StrongdmName,
    mut write: impl FnMut(&mut Vec<u8>, u32, &View, EdgeRef) -> Result<bool, Status>,
) -> Result<Reply, Status> {
    let found = walk.remembered("relationships", || find(walk, kind, name))?;
    Page::of_rows(walk, &found, |out, number, edge| {
        write(out, number, &walk.view, *edge)
    })
}

fn find(walk: &Walk<'_>, kind: Kind, name: &'static StrongdmName) -> Result<Vec<EdgeRef>, Status> {
    let view = &walk.view;
    let columns = columns(kind, name);
    let fields: Vec<RowField> = columns.iter().map(|(field, _)| *field).collect();
    let filter = RowFilter::of(&Terms::of(&walk.filter), &fields);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let sight = Sight::of(walk.caller(), view);
    let mut found = Vec::new();
    let mut tally = walk.tally();
    let candidates = candidates(view, kind, &filter);
    // They, what is found of them, and what orders them.
    tally.bytes(candidates.len().saturating_mul(4 * size_of::<ObjectRef>()))?;
    for edge in candidates {
        tally.row()?;
        // What has ended by itself is no grant any more; the past shows it while it held.
        let is_over = kind == Kind::GRANT && effective::is_over(view, edge, walk.valid_at);
        if is_over || !sight.sees(ObjectRef::Edge(edge)) {
            continue;
        }
        let row = Row::of(view, edge, &columns);
        if filter.fits(|position| row.cell(position)) {
            found.push(edge);
        }
    }
    order(view, &columns, &walk.request.order_by, &mut found)?;
    Ok(found)
}

/// The living relationships among which those lie that fit.
fn candidates(view: &View, kind: Kind, filter: &RowFilter) -> Vec<EdgeRef> {
    let edges_of = |ids: &[ObjectId], direction: Direction| {
        let mut edges = BTreeSet::new();
        for id in ids {
            if let Some(ObjectRef::Entity(entity)) = view.resolve(*id) {
                edges_at(view, kind, entity, direction, &mut edges);
            }
        }
        edges.into_iter().collect::<Vec<_>>()
    };
    let mut edges = if let Some(ids) = filter.ids(0) {
        let found = ids.iter().filter_map(|id| reader::find(view, kind, *id));
        let edges = found.filter_map(|object| match object {
            ObjectRef::Edge(edge) => Some(edge),
            ObjectRef::Entity(_) => None,
        });
        edges.collect()
    } else if let Some(ids) = filter.ids(1) {
        edges_of(ids, Direction::Out)
    } else if let Some(ids) = filter.ids(2) {
        edges_of(ids, Direction::In)
    } else {
        let all = durward_access::access::living(view, kind).into_iter();
        let edges = all.filter_map(|object| match object {
            ObjectRef::Edge(edge) => Some(edge),
            ObjectRef::Entity(_) => None,
        });
        return edges.collect();
    };
    edges.sort_by_key(|edge| view.edge_number(*edge));
    edges
}

fn edges_at(
    view: &View,
    kind: Kind,
    entity: EntityRef,
    direction: Direction,
    found: &mut BTreeSet<EdgeRef>,
) {
    for triple in reader::triples(view, kind) {
        let Some(meta) = view.triple(triple) else {
            continue;
        };
        let end = match direction {
            Direction::Out => meta.from,
            Direction::In => meta.to,
        };
        if end == entity.type_id {
            let adjacency = view.adjacency(triple, direction);
            adjacency.for_each_edge(entity.row, |_, edge| {
                found.insert(EdgeRef { triple, edge });
            });
        }
    }
}

struct Row {
    cells: Vec<Owned>,
}

#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Empty,
    Id(ObjectId),
    Text(String),
    Time(Instant),
}

impl Row {
    fn of(view: &View, edge: EdgeRef, columns: &[Column]) -> Self {
        let ends = view.edge_ends(edge);
        let cells = columns.iter().map(|(_, part)| match part {
            Part::Id => Owned::Id(view.edge_id(edge)),
            Part::From => ends.map_or(Owned::Empty, |(from, _)| Owned::Id(view.entity_id(from))),
            Part::To => ends.map_or(Owned::Empty, |(_, to)| Owned::Id(view.entity_id(to))),
            Part::Created => Owned::Time(view.edge_created_at(edge)),
            Part::Time(name) => {
                let moment = reader::edge_instant(view, edge, name);
                moment.map_or(Owned::Empty, Owned::Time)
            }
            Part::Property(name) => {
                let property = view.property_id(name);
                let value = property.map(|property| view.edge_value(edge, property));
                match value {
                    Some(durward_model::Value::String(text)) => Owned::Text(text),
                    _ => Owned::Empty,
                }
            }
        });
        Self {
            cells: cells.collect(),
        }
    }

    fn cell(&self, position: usize) -> Cell<'_> {
        match self.cells.get(position) {
            None | Some(Owned::Empty) => Cell::Empty,
            Some(Owned::Id(id)) => Cell::Id(*id),
            Some(Owned::Text(text)) => Cell::Text(text),
            Some(Owned::Time(moment)) => Cell::Time(*moment),
        }
    }
}

fn order(
    view: &View,
    columns: &[Column],
    order_by: &str,
    edges: &mut Vec<EdgeRef>,
) -> Result<(), Status> {
    let order_by = order_by.trim();
    if order_by.is_empty() {
        return Ok(());
    }
    let (descending, name) = match order_by.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, order_by),
    };
    let mut all = columns.iter();
    let Some(column) = all.find(|((field, _), _)| folded(field) == folded(name)) else {
        let message = format!("lists cannot be ordered by {order_by:?} here");
        return Err(Status::invalid(message));
    };
    let column = std::slice::from_ref(column);
    let mut keyed: Vec<(Row, EdgeRef)> = edges
        .drain(..)
        .map(|edge| (Row::of(view, edge, column), edge))
        .collect();
    keyed.sort_by(|(left, _), (right, _)| {
        let ordering = compare(left.cell(0), right.cell(0));
        if descending {
            ordering.reverse()
        } else {
            ordering
        }
    });
    edges.extend(keyed.into_iter().map(|(_, edge)| edge));
    Ok(())
}

fn compare(left: Cell<'_>, right: Cell<'_>) -> Ordering {
    match (left, right) {
        (Cell::Id(left), Cell::Id(right)) => left.cmp(&right),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (Cell::Time(left), Cell::Time(right)) => left.cmp(&right),
        (Cell::Empty, Cell::Empty) => Ordering::Equal,
        (Cell::Empty, _) => Ordering::Less,
        _ => Ordering::Greater,
    }
}
