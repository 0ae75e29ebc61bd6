// SPDX-License-Identifier: Apache-2.0
//! The bulk export: all entities or relationships, page by page, as they were at one instant.

use durward_budget::Lease;
use durward_graph::{EdgeRef, EntityRef, RowSet, TripleId, TypeId, View};
use durward_model::transaction::Sequence;
use durward_model::{Instant, Value};
use durward_query::ListCursor;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::access::SyncAccess;
use crate::error::SyncError;

/// Items of a page when the client names no number.
const PAGE_ITEMS: usize = 250;
/// Most items of a page.
const PAGE_ITEMS_MAX: usize = 4000;
/// Largest page (bytes of values, approximately).
const PAGE_BYTES_MAX: usize = 16 << 20;

/// What a field of an item takes beside its value, approximately.
const FIELD_BYTES: u64 = 128;

/// The query string of a page.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageRequest {
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    include_deleted: bool,
}

/// Where a page begins: instant of the walk, type or triple, row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    sequence: Sequence,
    at: Instant,
    group: u32,
    row: u32,
}

/// A list with its cursors, which fit no other list and no other caller.
struct Walk<'w> {
    access: &'w SyncAccess,
    what: &'static str,
}

impl Walk<'_> {
    fn open(&self, text: &str) -> Result<Cursor, SyncError> {
        let bad = || SyncError::BadRequest("the cursor is not one of this list".to_owned());
        let cursor = ListCursor::open(text, &self.access.cursor_key, self.what);
        let cursor = cursor.map_err(|_| bad())?;
        Ok(Cursor {
            sequence: cursor.sequence,
            at: cursor.instant,
            group: u32::try_from(cursor.part).map_err(|_| bad())?,
            row: u32::try_from(cursor.offset).map_err(|_| bad())?,
        })
    }

    fn seal(&self, cursor: Cursor) -> String {
        let cursor = ListCursor {
            sequence: cursor.sequence,
            instant: cursor.at,
            now: cursor.at,
            part: cursor.group.into(),
            offset: cursor.row.into(),
        };
        cursor.seal(&self.access.cursor_key, self.what)
    }
}

/// A page under construction.
struct Page<'p> {
    /// Charged with what the page holds.
    lease: &'p Lease,
    items: Vec<Json>,
    limit: usize,
    bytes: usize,
}

impl Page<'_> {
    fn push(&mut self, item: Map<String, Json>, bytes: usize) -> Result<(), SyncError> {
        self.bytes += bytes;
        if self.bytes > PAGE_BYTES_MAX && !self.items.is_empty() {
            return Err(SyncError::PageTooLarge {
                max: PAGE_BYTES_MAX,
            });
        }
        let fields = FIELD_BYTES.saturating_mul(item.len() as u64);
        self.lease.add(fields.saturating_add(bytes as u64))?;
        self.items.push(Json::Object(item));
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.limit
    }

    fn answer(self, next: Option<(&Walk<'_>, Cursor)>) -> Json {
        match next {
            Some((walk, next)) => json!({"items": self.items, "endCursor": walk.seal(next)}),
            None => json!({"items": self.items}),
        }
    }
}

fn begin<'p>(
    walk: &Walk<'_>,
    request: &PageRequest,
    lease: &'p Lease,
) -> Result<(View, Page<'p>, Cursor), SyncError> {
    let cursor = request
        .cursor
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(|text| walk.open(text));
    let cursor = cursor.transpose()?;
    let view = walk
        .access
        .jobs
        .options
        .store
        .view(cursor.map(|cursor| cursor.at));
    let cursor = cursor.unwrap_or(Cursor {
        sequence: view.sequence(),
        at: view.instant(),
        group: 0,
        row: 0,
    });
    let limit = match request.limit {
        None => PAGE_ITEMS,
        Some(limit @ 1..=PAGE_ITEMS_MAX) => limit,
        Some(_) => {
            return Err(SyncError::BadRequest(format!(
                "limit must be 1 to {PAGE_ITEMS_MAX}"
            )));
        }
    };
    let view = if request.include_deleted {
        view.include_deleted()
    } else {
        view
    };
    Ok((
        view,
        Page {
            lease,
            items: Vec::new(),
            limit,
            bytes: 0,
        },
        cursor,
    ))
}

fn rows_from(rows: &RowSet, first: u32) -> impl Iterator<Item = u32> + '_ {
    rows.iter().skip_while(move |row| *row < first)
}

/// A page of entities.
pub(crate) fn entities(
    access: &SyncAccess,
    request: &PageRequest,
    lease: &Lease,
) -> Result<Json, SyncError> {
    let walk = Walk {
        access,
        what: if request.include_deleted {
            "exported entities, deleted ones too"
        } else {
            "exported entities"
        },
    };
    let (view, mut page, cursor) = begin(&walk, request, lease)?;
    let mut types = view.types();
    types.sort_unstable();
    for type_id in types
        .into_iter()
        .filter(|type_id| u32::from(type_id.0) >= cursor.group)
    {
        let group = u32::from(type_id.0);
        let first = if group == cursor.group { cursor.row } else { 0 };
        for row in rows_from(&view.live_rows(type_id), first) {
            if page.is_full() {
                let next = Cursor {
                    group,
                    row,
                    ..cursor
                };
                return Ok(page.answer(Some((&walk, next))));
            }
            let (item, bytes) = entity(&view, access, EntityRef { type_id, row });
            page.push(item, bytes)?;
        }
    }
    Ok(page.answer(None))
}

/// A page of relationships.
pub(crate) fn relationships(
    access: &SyncAccess,
    request: &PageRequest,
    lease: &Lease,
) -> Result<Json, SyncError> {
    let walk = Walk {
        access,
        what: if request.include_deleted {
            "exported relationships, deleted ones too"
        } else {
            "exported relationships"
        },
    };
    let (view, mut page, cursor) = begin(&walk, request, lease)?;
    let mut triples: Vec<TripleId> = view.triples().into_iter().map(|meta| meta.id).collect();
    triples.sort_unstable();
    for triple in triples
        .into_iter()
        .filter(|triple| triple.0 >= cursor.group)
    {
        let first = if triple.0 == cursor.group {
            cursor.row
        } else {
            0
        };
        let rows = if request.include_deleted {
            RowSet::full(view.edge_rows(triple))
        } else {
            view.live_edge_rows(triple)
        };
        for edge in rows_from(&rows, first) {
            if page.is_full() {
                let next = Cursor {
                    group: triple.0,
                    row: edge,
                    ..cursor
                };
                return Ok(page.answer(Some((&walk, next))));
            }
            if let Some((item, bytes)) = relationship(&view, access, EdgeRef { triple, edge }) {
                page.push(item, bytes)?;
            }
        }
    }
    Ok(page.answer(None))
}

fn put_properties(
    view: &View,
    item: &mut Map<String, Json>,
    properties: Vec<(durward_graph::PropertyId, Value)>,
) -> usize {
    let mut bytes = 0;
    for (property, value) in properties {
        let name = view.property_name(property);
        bytes += name.len() + value.byte_size();
        item.insert(name.to_owned(), value.to_json());
    }
    bytes
}

fn entity(view: &View, access: &SyncAccess, entity: EntityRef) -> (Map<String, Json>, usize) {
    let mut item = Map::new();
    let bytes = put_properties(view, &mut item, view.written_properties(entity));
    let namespace = view.namespace(entity);
    let classes = view.classes(entity).into_iter();
    let classes: Vec<&str> = classes.map(|class| view.class_name(class)).collect();
    let ended = view.ended_at(entity);
    let millis = |at: Instant| Json::from(at.as_millis());
    for (name, value) in [
        (
            "_id",
            Json::from(view.id_cipher().uuid_of(view.entity_id(entity))),
        ),
        ("_key", view.key(entity).into()),
        ("_type", view.type_name(entity.type_id).into()),
        ("_class", classes.into()),
        ("_source", namespace.source.into()),
        ("_scope", namespace.scope.into()),
        ("_accountId", access.account.as_str().into()),
        ("_version", view.version(entity).into()),
        ("_createdOn", millis(view.created_at(entity))),
        ("_beginOn", millis(view.updated_at(entity))),
        ("_deleted", ended.is_some().into()),
    ] {
        item.insert(name.to_owned(), value);
    }
    if let Some(ended) = ended {
        item.insert("_endOn".to_owned(), millis(ended));
    }
    (item, bytes)
}

fn relationship(
    view: &View,
    access: &SyncAccess,
    edge: EdgeRef,
) -> Option<(Map<String, Json>, usize)> {
    let mut item = Map::new();
    let bytes = put_properties(view, &mut item, view.edge_properties(edge));
    let (from, to) = view.edge_ends(edge)?;
    let verb = view.triple(edge.triple).map(|meta| meta.verb)?;
    let namespace = view.edge_namespace(edge);
    let ended = view.edge_ended_at(edge);
    let millis = |at: Instant| Json::from(at.as_millis());
    let end_id = |end: EntityRef| {
        let id = match end
            .as_relationship()
            .and_then(|number| view.edge_of(number))
        {
            Some(edge) => view.edge_id(edge),
            None => view.entity_id(end),
        };
        Json::from(view.id_cipher().uuid_of(id))
    };
    let end_key = |end: EntityRef| match end.type_id {
        TypeId::RELATIONSHIP => Json::Null,
        _ => view.key(end).into(),
    };
    for (name, value) in [
        (
            "_id",
            Json::from(view.id_cipher().uuid_of(view.edge_id(edge))),
        ),
        ("_key", view.edge_key(edge).into()),
        ("_type", view.edge_type(edge).into()),
        ("_class", view.verb_name(verb).into()),
        ("_fromEntityId", end_id(from)),
        ("_toEntityId", end_id(to)),
        ("_fromEntityKey", end_key(from)),
        ("_toEntityKey", end_key(to)),
        ("_source", namespace.source.into()),
        ("_scope", namespace.scope.into()),
        ("_accountId", access.account.as_str().into()),
        ("_version", view.edge_version(edge).into()),
        ("_createdOn", millis(view.edge_created_at(edge))),
        ("_beginOn", millis(view.edge_updated_at(edge))),
        ("_deleted", ended.is_some().into()),
    ] {
        item.insert(name.to_owned(), value);
    }
    if let Some(ended) = ended {
        item.insert("_endOn".to_owned(), millis(ended));
    }
    Some((item, bytes))
}
