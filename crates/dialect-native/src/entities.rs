// SPDX-License-Identifier: Apache-2.0
//! `entity` and `entities`.

use std::sync::Arc;

use durward_graph::{ClassCover, EntityRef, ObjectRef, RowSet, TypeId};

use super::moment::Moment;
use super::objects::EntityNode;
use super::page::{self, FIRST_MAX, Page};
use super::{Answer, Context, errors};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node};
use durward_listing::entities::Selection;
use durward_listing::{Asker, Walk};

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

/// `entities`, by type name and then in order of creation.
pub(super) async fn entities(call: Call<'_, Context>) -> Answer<'_> {
    let search = call.text_argument("search").unwrap_or_default();
    if search.chars().count() > SEARCH_CHARACTERS_MAX {
        return Err(errors::invalid(format!(
            "`search` may have {SEARCH_CHARACTERS_MAX} characters at most"
        )));
    }
    let wanted = Selection {
        entity_type: call.text_argument("type").map(str::to_owned),
        class: call.text_argument("class").map(str::to_owned),
        words: search.split_whitespace().map(str::to_owned).collect(),
    };
    let first = page::first(&call, FIRST_MAX)?;
    let at = Moment::instant_asked(&call)?;
    let after = call.text_argument("after").map(str::to_owned);
    let caller = call.context.caller().map_err(|error| errors::of(error))?;
    let caller = caller.clone();
    let access = call.context.services.accesses.of(caller.organization());
    let walks = Arc::clone(&call.context.services.walks);
    let read = move |reading: &Reading| {
        let asker = Asker {
            caller: &caller,
            access: &access,
            effort: reading,
            walks: &walks,
        };
        let what = format!("{LIST} {wanted:?}");
        let walk = Walk::open(asker, &what, at, after.as_deref()).map_err(page::of_walk)?;
        Ok((walk.entities(&wanted, first)?, walk.view))
    };
    let (found, view) = call.context.read(read).await?;
    let moment = Moment::of(call.context, view);
    let nodes = found.rows.into_iter().map(|entity| EntityNode {
        moment: Arc::clone(&moment),
        entity,
    });
    let page = Page::sealed("EntityPage", nodes, found.next);
    Ok(Node::object(page.with_total(found.total)))
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
