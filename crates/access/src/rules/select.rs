// SPDX-License-Identifier: Apache-2.0
//! Which resources rules reach.

use durward_catalog::Kind;
use durward_catalog::kinds::property;
use durward_graph::{EntityRef, ObjectRef, RowSet, TypeId, View};
use durward_model::{ObjectId, Value};

use super::{AccessRule, AccessRules, TagQuery};
use crate::object::TAG_PREFIX;

/// What rules look at of one resource.
pub(crate) struct Facts<'a> {
    pub(crate) id: Option<ObjectId>,
    pub(crate) kind: &'a str,
    pub(crate) tag: &'a dyn Fn(&str) -> Option<String>,
}

/// Whether any rule reaches a resource.
pub(crate) fn role_fits(rules: &AccessRules, resource: &Facts<'_>) -> bool {
    rules.rules.iter().any(|rule| match rule {
        AccessRule::Ids(ids) => resource.id.is_some_and(|id| ids.contains(&id)),
        AccessRule::Match {
            resource_kind,
            tags,
            query,
        } => {
            let has_tag = |(name, value): &(String, String)| {
                let found = (resource.tag)(name);
                found.is_some_and(|found| value == "*" || found == *value)
            };
            resource_kind.is_none_or(|kind| kind == resource.kind)
                && tags.iter().all(has_tag)
                && query
                    .as_ref()
                    .is_none_or(|query| query.holds(&|name: &str| (resource.tag)(name)))
        }
    })
}

/// The living resources that rules reach.
pub(crate) fn resources_of(view: &View, rules: &AccessRules) -> RowSet {
    let Some(type_id) = view.type_id(Kind::RESOURCE.type_name()) else {
        return RowSet::empty(0);
    };
    let all = view.live_rows(type_id);
    let mut reached = RowSet::empty(view.rows(type_id));
    for rule in &rules.rules {
        let rows = match rule {
            AccessRule::Ids(ids) => {
                let rows = ids.iter().filter_map(|id| match view.resolve(*id)? {
                    ObjectRef::Entity(entity) if entity.type_id == type_id => Some(entity.row),
                    _ => None,
                });
                let mut rows: Vec<u32> = rows.collect();
                rows.sort_unstable();
                RowSet::from_sorted(rows, view.rows(type_id))
            }
            AccessRule::Match {
                resource_kind,
                tags,
                query,
            } => {
                let mut rows = all.clone();
                if let Some(kind) = resource_kind {
                    rows = equal(view, type_id, &rows, property::KIND, kind);
                }
                for (name, value) in tags {
                    rows = tagged(view, type_id, &rows, name, Some(value));
                }
                match query {
                    Some(query) => queried(view, type_id, &rows, query),
                    None => rows,
                }
            }
        };
        reached = reached.union(&rows);
    }
    reached
}

fn equal(view: &View, type_id: TypeId, rows: &RowSet, property: &str, value: &str) -> RowSet {
    let property = view.property_id(property);
    let column = property.and_then(|property| view.column(type_id, property));
    column.map_or_else(
        || RowSet::empty(rows.universe()),
        |column| column.select_equal(rows, &Value::from(value)),
    )
}

fn tagged(view: &View, type_id: TypeId, rows: &RowSet, name: &str, value: Option<&str>) -> RowSet {
    let property = format!("{TAG_PREFIX}{name}");
    if let Some(value) = value.filter(|value| *value != "*") {
        return equal(view, type_id, rows, &property, value);
    }
    let property = view.property_id(&property);
    let column = property.and_then(|property| view.column(type_id, property));
    column.map_or_else(
        || RowSet::empty(rows.universe()),
        |column| column.select(rows, |value| !value.is_null()),
    )
}

fn queried(view: &View, type_id: TypeId, rows: &RowSet, query: &TagQuery) -> RowSet {
    match query {
        TagQuery::Tag(name, value) => tagged(view, type_id, rows, name, value.as_deref()),
        TagQuery::Not(inner) => rows.difference(&queried(view, type_id, rows, inner)),
        TagQuery::And(left, right) => {
            let left = queried(view, type_id, rows, left);
            queried(view, type_id, &left, right)
        }
        TagQuery::Or(left, right) => {
            let left = queried(view, type_id, rows, left);
            left.union(&queried(view, type_id, rows, right))
        }
    }
}

/// A resource in the graph as rules look at it.
pub(crate) fn tag_of(view: &View, resource: EntityRef, name: &str) -> Option<String> {
    let property = view.property_id(&format!("{TAG_PREFIX}{name}"))?;
    match view.value(resource, property) {
        Value::String(text) => Some(text),
        _ => None,
    }
}
