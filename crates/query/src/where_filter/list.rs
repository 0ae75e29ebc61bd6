// SPDX-License-Identifier: Apache-2.0
//! Lists of entities by a `where` object and an order, by offset and limit.

use durward_graph::{EntityRef, ObjectRef, View};

use super::{FieldTable, condition};
use crate::error::QueryError;
use crate::execute::objects_from;
use crate::plan::{Condition, Plan, Slot, SortKey, Source};
use crate::result::RunOptions;

/// A list as a client asks for it.
#[derive(Clone, Debug)]
pub struct ListQuery<'q> {
    /// What it is of.
    pub sources: Vec<Source>,
    /// What all objects of the list fulfil.
    pub among: Option<Condition>,
    /// What the client asks of them.
    pub filter: Option<&'q serde_json::Value>,
    /// Fields to order by, and whether the largest comes first.
    pub order: &'q [(String, bool)],
    /// What the fields mean.
    pub table: &'q FieldTable,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    /// The entities.
    pub entities: Vec<EntityRef>,
    /// How many there are on all pages together.
    pub count: u64,
}

/// The entities of a list from an offset on, `limit` at most.
///
/// # Errors
/// When the filter or the order makes no sense, or the query is too costly.
pub fn list(
    view: &View,
    query: &ListQuery<'_>,
    options: &RunOptions,
    offset: u64,
    limit: u64,
) -> Result<ListPage, QueryError> {
    let slot = Slot(0);
    let mut plan = Plan::list(Source::Any);
    plan.start.sources.clone_from(&query.sources);
    let asked = condition(
        query.filter,
        query.table,
        slot,
        options.now,
        &options.limits,
    )?;
    let among = query.among.clone().unwrap_or(Condition::All(Vec::new()));
    plan.path_filter = Some(among.and(asked.condition));
    for (name, descending) in query.order {
        let (value, turned) = query.table.order(name, slot)?;
        plan.order.push(SortKey {
            value,
            descending: *descending != turned,
        });
    }
    let (objects, count) = objects_from(view, plan, asked.meter, options, offset, limit)?;
    let entities = objects.into_iter().filter_map(|object| match object {
        ObjectRef::Entity(entity) => Some(entity),
        ObjectRef::Edge(_) => None,
    });
    Ok(ListPage {
        entities: entities.collect(),
        count,
    })
}
