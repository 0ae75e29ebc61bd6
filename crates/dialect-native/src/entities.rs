// SPDX-License-Identifier: Apache-2.0
//! `entity` and `entities`.

use std::sync::Arc;

use durward_graph::{ClassCover, EntityRef, ObjectRef, RowSet, TypeId};

use super::moment::Moment;
use super::objects::EntityNode;
use super::page::{self, Cursor, FIRST_MAX, Page};
use super::{Answer, Context, errors};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node};
use durward_listing::Effort as _;

/// Name of the list in its cursors.
const LIST: &str = "entities";
/// Longest search text in characters.
const SEARCH_CHARACTERS_MAX: usize = 1000;

/// `entity`: one entity by id or key. What is not there, or not visible, is null.
pub(super) fn entity<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let moment = Moment::asked(call)?;
    let found = match (call.text_argument("id"), call.text_argument("key")) {
        (Some(id), None) => match moment.find(id) {
            Some(ObjectRef::Entity(entity)) => Some(entity),
            _ => None,
        },
        (None, Some(key)) => by_key(&moment, key)?,
        _ => return Err(errors::invalid("name the entity by `id` or by `key`")),
    };
    Ok(found.map_or(Node::Null, |entity| {
        Node::object(EntityNode { moment, entity })
    }))
}

/// The visible entity with a key. Keys are unique inside a namespace only.
fn by_key(moment: &Moment, key: &str) -> Result<Option<EntityRef>, FieldError> {
    let mut found = moment.view.find_by_key_any_namespace(key);
    found.retain(|entity| moment.sees_entity(*entity));
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let namespace = |entity: &EntityRef| {
                let namespace = moment.view.namespace(*entity);
                format!("{} ({})", moment.entity_id(*entity), namespace.source)
            };
            let ids: Vec<String> = several.iter().take(5).map(namespace).collect();
            Err(errors::invalid(format!(
                "{} entities have this key, in different sources or scopes; ask by `id`: {}",
                several.len(),
                ids.join(", ")
            )))
        }
    }
}

/// Which entities are asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) entity_type: Option<String>,
    pub(super) class: Option<String>,
    /// Words that must all occur.
    pub(super) words: Vec<String>,
}

/// `entities`, by type name and then in order of creation.
pub(super) async fn entities(call: Call<'_, Context>) -> Answer<'_> {
    let search = call.text_argument("search").unwrap_or_default();
    if search.chars().count() > SEARCH_CHARACTERS_MAX {
        return Err(errors::invalid(format!(
            "`search` may have {SEARCH_CHARACTERS_MAX} characters at most"
        )));
    }
    let wanted = Wanted {
        entity_type: call.text_argument("type").map(str::to_owned),
        class: call.text_argument("class").map(str::to_owned),
        words: search.split_whitespace().map(str::to_owned).collect(),
    };
    let first = page::first(&call, FIRST_MAX)?;
    let cursor = Cursor::asked(&call, LIST)?;
    let moment = page::moment(&call, cursor.as_ref())?;
    let after = match &cursor {
        None => None,
        Some(cursor) => match moment.find(&cursor.last) {
            Some(ObjectRef::Entity(entity)) => Some(entity),
            _ => return Err(page::foreign_cursor()),
        },
    };
    let read = Arc::clone(&moment);
    let (found, total) = call
        .context
        .read(move |reading| list(&read, &wanted, after, first, reading))
        .await?;
    let end = (found.len() > first)
        .then(|| found.get(first.saturating_sub(1)))
        .flatten();
    let end = end.map(|entity| Cursor {
        list: LIST,
        instant: moment.view.instant(),
        last: moment.entity_id(*entity),
    });
    let nodes = found.into_iter().take(first);
    let nodes = nodes.map(|entity| EntityNode {
        moment: Arc::clone(&moment),
        entity,
    });
    Ok(Node::object(
        Page::new("EntityPage", nodes, end).with_total(total),
    ))
}

/// At most one more than `first` of the entities that come after one, and how many there are.
fn list(
    moment: &Moment,
    wanted: &Wanted,
    after: Option<EntityRef>,
    first: usize,
    reading: &Reading,
) -> Result<(Vec<EntityRef>, u64), FieldError> {
    let view = &moment.view;
    let passed = after.map(|entity| (view.type_name(entity.type_id), entity.row));
    let mut found = Vec::new();
    let mut total = 0_u64;
    for (name, type_id) in types_by_name(moment) {
        if wanted
            .entity_type
            .as_ref()
            .is_some_and(|wanted| wanted != name)
        {
            continue;
        }
        reading.check()?;
        let rows = matching(moment, wanted, type_id);
        total = total.saturating_add(rows.len() as u64);
        if passed.is_some_and(|(passed, _)| name < passed) {
            continue;
        }
        let is_ahead =
            |row: &u32| passed.is_none_or(|(passed, last)| name != passed || *row > last);
        let room = first.saturating_add(1).saturating_sub(found.len());
        let ahead = rows.iter().filter(is_ahead).take(room);
        found.extend(ahead.map(|row| EntityRef { type_id, row }));
    }
    Ok((found, total))
}

/// The types at this instant by name.
pub(super) fn types_by_name(moment: &Moment) -> Vec<(&str, TypeId)> {
    let view = &moment.view;
    let mut types: Vec<(&str, TypeId)> = view
        .types()
        .into_iter()
        .map(|type_id| (view.type_name(type_id), type_id))
        .collect();
    types.sort_unstable();
    types
}

/// The visible entities of a type that fit.
fn matching(moment: &Moment, wanted: &Wanted, type_id: TypeId) -> Arc<RowSet> {
    let view = &moment.view;
    let rows = moment.rows(type_id);
    let rows = match &wanted.class {
        None => rows,
        Some(class) => Arc::new(with_class(moment, class, type_id, &rows)),
    };
    if wanted.words.is_empty() || rows.is_empty() {
        return rows;
    }
    Arc::new(rows.intersect(&view.search_text(type_id, &wanted.words)))
}

/// Those of some rows of a type that carry a class.
pub(super) fn with_class(moment: &Moment, class: &str, type_id: TypeId, rows: &RowSet) -> RowSet {
    let view = &moment.view;
    let types = view
        .class_id(class)
        .map(|class| view.types_with_class(class));
    let of_type = types
        .unwrap_or_default()
        .into_iter()
        .find(|(own, _)| *own == type_id);
    match of_type {
        None => RowSet::empty(rows.universe()),
        Some((_, ClassCover::All)) => rows.clone(),
        Some((_, ClassCover::Some(members))) => rows.intersect(&members),
    }
}
