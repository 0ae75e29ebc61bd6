// SPDX-License-Identifier: Apache-2.0
//! Lists of objects by condition, search and order, page by page.

use std::cmp::Ordering;

use durward_graph::{EdgeRef, EntityRef, ObjectRef, TripleMeta, View};
use durward_model::Value;

use crate::error::QueryError;
use crate::execute::{
    After, ObjectPage, Position, open_cursor, select_entities, select_relationships,
};
use crate::cursor::{Cursor, fingerprint};
use crate::plan::{Condition, NodePattern, Slot};
use crate::result::RunOptions;

/// Most texts that one search looks for.
const SEARCH_TEXTS_MAX: usize = 64;

/// What a list is besides its objects.
pub struct Listed<'l> {
    /// Texts of which any must occur in an object (in an end of a relationship, too); none for no
    /// search.
    pub search: &'l [String],
    /// How the objects are ordered; by their place in the graph without.
    pub order: Option<Ordered<'l>>,
    /// How many objects a page has at most.
    pub first: usize,
    /// What a cursor is bound to: everything that makes the list what it is.
    pub mark: &'l str,
}

/// An order of objects. Absent values come last either way; ties are ordered by id.
pub struct Ordered<'l> {
    /// What is compared.
    pub value: &'l dyn Fn(ObjectRef) -> Value,
    /// Whether large values come first.
    pub descending: bool,
}

impl std::fmt::Debug for Listed<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Listed").field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ordered<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ordered").field("descending", &self.descending).finish_non_exhaustive()
    }
}

/// One page of the entities that fit a pattern, and the view that it was taken from: a cursor in
/// the options keeps to the instant of its first page.
pub fn list_entities(
    view: &View,
    pattern: &NodePattern,
    list: &Listed<'_>,
    options: &RunOptions,
) -> Result<(View, ObjectPage), QueryError> {
    let (view, position, _) = open_cursor(view, options)?;
    let mut pattern = pattern.clone();
    if let Some(search) = search(pattern.slot, list.search) {
        pattern.filter = Some(match pattern.filter.take() {
            Some(filter) => filter.and(search),
            None => search,
        });
    }
    let mut found = Vec::new();
    for (type_id, rows) in select_entities(&view, &pattern, options)? {
        found.extend(rows.iter().map(|row| ObjectRef::Entity(EntityRef { type_id, row })));
    }
    let page = page(&view, found, list, options, &position)?;
    Ok((view, page))
}

/// The same for the relationships of some triples that fulfil a condition on slot 0.
pub fn list_relationships(
    view: &View,
    is_candidate: &dyn Fn(&TripleMeta) -> bool,
    condition: &Condition,
    list: &Listed<'_>,
    options: &RunOptions,
) -> Result<(View, ObjectPage), QueryError> {
    let (view, position, _) = open_cursor(view, options)?;
    let mut found = Vec::new();
    let hits = EndSearch::new(&view, list.search);
    for (triple, rows) in select_relationships(&view, is_candidate, condition, options)? {
        let edges = rows.iter().map(|edge| EdgeRef { triple, edge });
        found.extend(edges.filter(|edge| hits.has(*edge)).map(ObjectRef::Edge));
    }
    let page = page(&view, found, list, options, &position)?;
    Ok((view, page))
}

/// An object is hit when any text occurs in it.
fn search(slot: Slot, texts: &[String]) -> Option<Condition> {
    let any = texts.iter().take(SEARCH_TEXTS_MAX);
    let any: Vec<Condition> =
        any.map(|text| Condition::Text(slot, vec![text.clone()])).collect();
    (!any.is_empty()).then_some(Condition::Any(any))
}

/// A search of relationships, which are hit by their own values and by those of their ends.
struct EndSearch<'s> {
    view: &'s View,
    texts: Vec<String>,
    ends: std::cell::RefCell<std::collections::HashMap<durward_graph::TypeId, durward_graph::RowSet>>,
}

impl<'s> EndSearch<'s> {
    fn new(view: &'s View, texts: &[String]) -> Self {
        let texts = texts.iter().take(SEARCH_TEXTS_MAX).map(|text| text.to_lowercase()).collect();
        Self { view, texts, ends: std::cell::RefCell::default() }
    }

    fn has(&self, edge: EdgeRef) -> bool {
        if self.texts.is_empty() {
            return true;
        }
        let own = self.view.edge_properties(edge);
        let contains = |value: &Value| {
            value.as_str().is_some_and(|text| {
                let text = text.to_lowercase();
                self.texts.iter().any(|wanted| text.contains(wanted.as_str()))
            })
        };
        own.iter().any(|(_, value)| contains(value))
            || self
                .view
                .edge_ends(edge)
                .is_some_and(|(from, to)| self.has_end(from) || self.has_end(to))
    }

    fn has_end(&self, end: EntityRef) -> bool {
        if end.type_id.is_relationship() {
            return false;
        }
        let mut ends = self.ends.borrow_mut();
        let rows = ends.entry(end.type_id).or_insert_with(|| {
            let none = durward_graph::RowSet::empty(self.view.rows(end.type_id));
            self.texts.iter().fold(none, |rows, text| {
                rows.union(&self.view.search_text(end.type_id, std::slice::from_ref(text)))
            })
        });
        rows.contains(end.row)
    }
}

fn page(
    view: &View,
    found: Vec<ObjectRef>,
    list: &Listed<'_>,
    options: &RunOptions,
    position: &Position,
) -> Result<ObjectPage, QueryError> {
    let mark = fingerprint(&format!(
        "{} {:?} {}",
        list.mark, options.row_condition, options.account_id
    ));
    if let Some(text) = &options.cursor
        && Cursor::open(text, &options.cursor_key)?.fingerprint != mark
    {
        return Err(QueryError::Cursor);
    }
    let ordered = in_order(view, found, list.order.as_ref());
    let offset = match position.after {
        After::Offset(offset) => usize::try_from(offset).unwrap_or(usize::MAX),
        _ => 0,
    };
    let end = offset.saturating_add(list.first);
    let mut page = ObjectPage {
        has_more: ordered.len() > end,
        total_count: ordered.len() as u64,
        ..ObjectPage::default()
    };
    for (number, object) in ordered.into_iter().enumerate().skip(offset).take(list.first) {
        let next = number as u64 + 1;
        let cursor = Cursor {
            fingerprint: mark,
            sequence: view.sequence(),
            instant: view.instant(),
            now: options.now,
            position: Position { written: next, after: After::Offset(next) },
        };
        page.cursors.push(cursor.seal(&options.cursor_key));
        page.objects.push(object);
    }
    Ok(page)
}

fn in_order(view: &View, found: Vec<ObjectRef>, order: Option<&Ordered<'_>>) -> Vec<ObjectRef> {
    let Some(order) = order else { return found };
    let id = |object: ObjectRef| match object {
        ObjectRef::Entity(entity) => view.entity_id(entity).0,
        ObjectRef::Edge(edge) => view.edge_id(edge).0,
    };
    let keyed = found.into_iter().map(|object| ((order.value)(object), id(object), object));
    let mut keyed: Vec<(Value, u64, ObjectRef)> = keyed.collect();
    keyed.sort_by(|left, right| {
        let by_value = match (left.0.is_null(), right.0.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if order.descending => right.0.total_cmp(&left.0),
            (false, false) => left.0.total_cmp(&right.0),
        };
        by_value.then_with(|| left.1.cmp(&right.1))
    });
    keyed.into_iter().map(|(.., object)| object).collect()
}
