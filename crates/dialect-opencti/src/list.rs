// SPDX-License-Identifier: Apache-2.0
//! Lists: filters, search, order, pages.

use std::sync::Arc;

use durward_catalog::stix::Root;
use durward_graph::{ObjectRef, View};
use durward_query::filter_group::{
    Filter, FilterGroup, FilterMode, FilterOperator, ListRequest, ListSubject, SearchFields, list,
};
use durward_query::{PageSize, RunOptions};
use serde_json::{Value as Json, json};

use crate::connection::{Connection, Shown};
use crate::entity::StixNode;
use crate::keys;
use crate::relationship::{EdgeNode, EdgeSort};
use crate::user::{UserNode, user_types};
use crate::{errors, names, shown};
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, Node};

type Answer<'a> = Result<Node<'a, RequestContext>, FieldError>;

/// Objects of a page unless the client asks for another number.
const FIRST_DEFAULT: i64 = 500;
/// Most objects of a page.
const FIRST_MAX: i64 = 5000;

/// `attackPatterns`, `malwares` and all the others.
pub(super) fn entities<'a>(call: &Call<'a, RequestContext>, root: &'static Root) -> Answer<'a> {
    let mut groups = vec![filters(call)?];
    let is_told = names::told_apart().any(|(_, name)| name == root.of);
    let own = is_told.then(|| vec![root.of.clone()]);
    for types in own.into_iter().chain([texts(call, "types")]) {
        let types: Vec<Json> = types.into_iter().map(Json::from).collect();
        if !types.is_empty() {
            let of_types = keys::filter("entity_type", FilterOperator::Eq, FilterMode::Or, types);
            groups.push(FilterGroup {
                filters: vec![of_types],
                ..FilterGroup::default()
            });
        }
    }
    let show = |view: &View, object: ObjectRef| match object {
        ObjectRef::Entity(entity) => {
            StixNode::new(view, entity).map(|node| Arc::new(node) as Shown)
        }
        ObjectRef::Edge(_) => None,
    };
    let list = List {
        connection: &root.connection,
        subject: ListSubject::Entities(names::graph_types(&root.of)),
        types_of_rows: &shown::contract_types(&root.of),
    };
    listed(call, list, &keys::all(groups), &show)
}

/// Arguments of relationship lists that are filters of the same name.
const KEY_ARGUMENTS: [&str; 7] = [
    "fromId",
    "toId",
    "fromOrToId",
    "fromTypes",
    "toTypes",
    "elementWithTargetTypes",
    "relationship_type",
];
/// Arguments of relationship lists that bound a moment.
const MOMENT_ARGUMENTS: [(&str, &str, FilterOperator); 8] = [
    ("startTimeStart", "start_time", FilterOperator::Gte),
    ("startTimeStop", "start_time", FilterOperator::Lte),
    ("stopTimeStart", "stop_time", FilterOperator::Gte),
    ("stopTimeStop", "stop_time", FilterOperator::Lte),
    ("firstSeenStart", "first_seen", FilterOperator::Gte),
    ("firstSeenStop", "first_seen", FilterOperator::Lte),
    ("lastSeenStart", "last_seen", FilterOperator::Gte),
    ("lastSeenStop", "last_seen", FilterOperator::Lte),
];

/// `stixCoreRelationships` and `stixSightingRelationships`.
pub(super) fn relationships<'a>(call: &Call<'a, RequestContext>, sort: EdgeSort) -> Answer<'a> {
    let context = call.context;
    let mut own = FilterGroup::default();
    for argument in KEY_ARGUMENTS {
        let values: Vec<Json> = texts(call, argument).into_iter().map(Json::from).collect();
        if !values.is_empty() {
            own.filters.push(keys::filter(
                argument,
                FilterOperator::Eq,
                FilterMode::Or,
                values,
            ));
        }
    }
    for (argument, key, operator) in MOMENT_ARGUMENTS {
        if let Some(value) = call.argument(argument) {
            own.filters.push(keys::filter(
                key,
                operator,
                FilterMode::Or,
                vec![value.clone()],
            ));
        }
    }
    let is_stix = (keys::STIX_RELATIONSHIP, FilterOperator::NotNil);
    own.filters.push(keys::filter(
        is_stix.0,
        is_stix.1,
        FilterMode::Or,
        Vec::new(),
    ));
    own.filters.extend(ends_are_shown());
    let (operator, row, connection) = match sort {
        EdgeSort::Sighting => (
            FilterOperator::Eq,
            "StixSightingRelationship",
            "StixSightingRelationshipConnection",
        ),
        _ => (
            FilterOperator::NotEq,
            "StixCoreRelationship",
            "StixCoreRelationshipConnection",
        ),
    };
    let sighting = vec!["stix-sighting-relationship".into()];
    own.filters.push(keys::filter(
        "relationship_type",
        operator,
        FilterMode::Or,
        sighting,
    ));
    let show = |_: &View, object: ObjectRef| match object {
        ObjectRef::Edge(edge) => {
            let node = EdgeNode::new(context, edge).filter(|node| node.sort() == sort);
            node.map(|node| Arc::new(node) as Shown)
        }
        ObjectRef::Entity(_) => None,
    };
    let group = keys::all(vec![own, filters(call)?]);
    let list = List {
        connection,
        subject: ListSubject::Relationships(Vec::new()),
        types_of_rows: &[row],
    };
    listed(call, list, &group, &show)
}

/// Both ends are something that OpenCTI shows: an object of a type that it has, or a relationship.
/// What would be hidden is not counted, and fills no page.
fn ends_are_shown() -> [Filter; 2] {
    let end = json!({"mode": "or", "filterGroups": [], "filters": [
        {"key": "entity_type", "values": [keys::STIX_OBJECT]},
        {"key": keys::RELATIONSHIP_END, "operator": "not_nil", "values": []},
    ]});
    ["dynamicFrom", "dynamicTo"]
        .map(|key| keys::filter(key, FilterOperator::Eq, FilterMode::Or, vec![end.clone()]))
}

/// `users`.
pub(super) fn users<'a>(call: &Call<'a, RequestContext>) -> Answer<'a> {
    let show = |_: &View, object: ObjectRef| match object {
        ObjectRef::Entity(entity) => Some(Arc::new(UserNode {
            entity,
            is_me: false,
        }) as Shown),
        ObjectRef::Edge(_) => None,
    };
    let list = List {
        connection: "UserConnection",
        subject: ListSubject::Entities(user_types().map(str::to_owned).to_vec()),
        types_of_rows: &["User"],
    };
    listed(call, list, &filters(call)?, &show)
}

type Show<'s> = dyn Fn(&View, ObjectRef) -> Option<Shown> + 's;

/// What a root field lists.
struct List<'l> {
    connection: &'l str,
    subject: ListSubject,
    /// Types of the contract.
    types_of_rows: &'l [&'l str],
}

fn listed<'a>(
    call: &Call<'a, RequestContext>,
    listed: List<'_>,
    filters: &FilterGroup,
    show: &Show<'_>,
) -> Answer<'a> {
    let context = call.context;
    let first = call.int_argument("first").unwrap_or(FIRST_DEFAULT);
    if !(0..=FIRST_MAX).contains(&first) {
        return Err(errors::functional(format!(
            "first must be between 0 and {FIRST_MAX}"
        )));
    }
    let first = u64::try_from(first).unwrap_or_default();
    let after = call
        .text_argument("after")
        .filter(|after| !after.is_empty());
    let options = RunOptions {
        row_condition: context.row_condition(),
        limits: context.limits_of_request(),
        page: PageSize::Rows(first),
        cursor: after.map(str::to_owned),
        account_id: context.account_id(),
        ..RunOptions::new(context.now(), context.cursor_key())
    };
    let descending = call.text_argument("orderMode") == Some("desc");
    let order_by = call
        .text_argument("orderBy")
        .filter(|name| *name != "_score");
    let order: Vec<(String, bool)> = order_by
        .map(|field| (field.to_owned(), descending))
        .into_iter()
        .collect();
    let search_fields = SearchFields {
        exact: ["name", "value", "displayName"].map(str::to_owned).to_vec(),
        near: ["aliases", "x_opencti_aliases", "description"]
            .map(str::to_owned)
            .to_vec(),
    };
    let request = ListRequest {
        subject: listed.subject,
        filters: Some(filters),
        search: call
            .text_argument("search")
            .filter(|text| !text.trim().is_empty()),
        search_fields: &search_fields,
        order: &order,
        table: &keys::table(context, listed.types_of_rows),
    };
    let page = list(&context.view, &request, &options, first);
    let page = page.map_err(|error| errors::of_query(&error))?;
    // A row that cannot be shown after all does not stop a walk over the pages.
    let ends = page
        .cursors
        .first()
        .cloned()
        .zip(page.cursors.last().cloned());
    let shown = page.objects.into_iter().zip(page.cursors);
    let nodes = shown.filter_map(|(object, cursor)| Some((cursor, show(&context.view, object)?)));
    Ok(Node::object(Connection::page(
        listed.connection,
        nodes.collect(),
        ends,
        // A page of nothing has no cursor with which to go on.
        page.has_more && first > 0,
        after.is_some(),
        page.total_count,
    )))
}

fn filters(call: &Call<'_, RequestContext>) -> Result<FilterGroup, FieldError> {
    let Some(json) = call.argument("filters") else {
        return Ok(FilterGroup::default());
    };
    FilterGroup::from_json(json).map_err(|error| errors::of_query(&error))
}

fn texts(call: &Call<'_, RequestContext>, argument: &str) -> Vec<String> {
    match call.argument(argument) {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(items)) => items
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}
