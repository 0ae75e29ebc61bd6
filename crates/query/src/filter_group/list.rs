// SPDX-License-Identifier: Apache-2.0
//! Lists of objects by filters, search and order, page by page.

use std::sync::Arc;

use durward_graph::View;
use durward_model::Instant;

use super::lower::{Lowering, Target, first_of};
use super::search::{self, SearchFields};
use super::{FilterGroup, KeyMeaning, KeyTable};
use crate::error::QueryError;
use crate::execute::{ObjectPage, open_cursor, run_objects};
use crate::limits::Meter;
use crate::plan::{
    Condition, EdgePattern, Expression, Function, NodePattern, Output, Part, Plan, Property,
    Repeat, Slot, SlotInfo, SlotKind, SortKey, Source, Step, Way,
};
use crate::result::RunOptions;

/// What a list is of.
#[derive(Clone, Debug)]
pub enum ListSubject {
    /// Entities of any of these graph types.
    Entities(Vec<String>),
    /// Relationships of any of these verbs; none for all verbs.
    Relationships(Vec<String>),
}

/// A list as a client asks for it.
#[derive(Clone, Debug)]
pub struct ListRequest<'r> {
    /// What it is of.
    pub subject: ListSubject,
    /// What the objects must fulfil.
    pub filters: Option<&'r FilterGroup>,
    /// What must occur in them.
    pub search: Option<&'r str>,
    /// What a search ranks by.
    pub search_fields: &'r SearchFields,
    /// Keys to order by, and whether the largest comes first. Without any, a search orders by how
    /// well the objects fit.
    pub order: &'r [(String, bool)],
    /// What the keys mean.
    pub table: &'r KeyTable,
}

/// One page of a list: `first` objects after the cursor in `options`.
pub fn list(
    view: &View,
    request: &ListRequest<'_>,
    options: &RunOptions,
    first: u64,
) -> Result<ObjectPage, QueryError> {
    let (view, position, cursor) = open_cursor(view, options)?;
    let now = cursor.map_or(options.now, |cursor| cursor.now);
    let meter = Meter::new(&options.limits);
    let plan = request.plan(&view, now, &meter)?;
    run_objects(&view, plan, meter, options, &position, now, first)
}

impl ListRequest<'_> {
    /// The plan of the list, counted by `meter`.
    fn plan(&self, view: &View, now: Instant, meter: &Meter) -> Result<Plan, QueryError> {
        let (mut plan, target, searched) = match &self.subject {
            ListSubject::Entities(types) => entities(types),
            ListSubject::Relationships(verbs) => relationships(verbs),
        };
        let mut conditions = Vec::new();
        if let Some(group) = self.filters {
            let lowering = Lowering {
                view,
                table: self.table,
                now,
                meter,
            };
            conditions.push(lowering.group(group, target)?);
        }
        let parts = self.search.map(search::parts).unwrap_or_default();
        if !parts.is_empty() {
            conditions.push(search::condition(&searched, &parts));
        }
        if !conditions.is_empty() {
            plan.path_filter = Some(Condition::All(conditions));
        }
        for (key, descending) in self.order {
            for value in self.order_values(key, target)? {
                plan.order.push(SortKey {
                    value,
                    descending: *descending,
                });
            }
        }
        if self.order.is_empty() && !parts.is_empty() {
            let rank = Arc::new(search::rank(&parts, self.search_fields));
            let value = Expression::SearchRank(target.slot(), rank);
            plan.order.push(SortKey {
                value,
                descending: false,
            });
        }
        Ok(plan)
    }

    /// What a key orders by: more than one value where objects are equal in the first.
    fn order_values(&self, key: &str, target: Target) -> Result<Vec<Expression>, QueryError> {
        let slot = target.slot();
        let property = |name: &String| Expression::Property(slot, Property::of(name));
        let value = match self.table.keys.get(key) {
            Some(KeyMeaning::Properties(names)) => match names.as_slice() {
                [name] => property(name),
                names => {
                    let names = names.iter().map(property).collect();
                    Expression::Call(Function::Coalesce, names)
                }
            },
            Some(KeyMeaning::FirstOf {
                properties,
                otherwise,
            }) => first_of(slot, properties, otherwise),
            Some(KeyMeaning::EntityType) => {
                let of_type = Expression::Property(slot, Property::of("_type"));
                let within = &self.table.within;
                let is_told = matches!(target, Target::Entity(_)) && !within.kinds.is_empty();
                let within = is_told.then(|| property(&within.property));
                return Ok([of_type].into_iter().chain(within).collect());
            }
            Some(KeyMeaning::RelationshipType) => {
                Expression::Property(slot, Property::of("_class"))
            }
            Some(KeyMeaning::Ids) => Expression::Property(slot, Property::of("_id")),
            Some(_) => return Err(QueryError::unsupported(format!("an order by {key}"))),
            None => {
                return Err(QueryError::UnknownKey {
                    key: key.to_owned(),
                });
            }
        };
        Ok(vec![value])
    }
}

fn slot_info(kind: SlotKind) -> SlotInfo {
    SlotInfo { kind, name: None }
}

fn entities(types: &[String]) -> (Plan, Target, Vec<Slot>) {
    let mut plan = Plan::list(Source::Any);
    plan.start.sources = types
        .iter()
        .map(|name| Source::Type(name.clone()))
        .collect();
    (plan, Target::Entity(Slot(0)), vec![Slot(0)])
}

/// Paths of one relationship, from its start to its end.
fn relationships(verbs: &[String]) -> (Plan, Target, Vec<Slot>) {
    let (from, edge, to) = (Slot(0), Slot(1), Slot(2));
    let node = |slot| NodePattern {
        slot,
        sources: vec![Source::Any],
        filter: None,
    };
    let step = Step {
        edge: EdgePattern {
            slot: edge,
            verbs: (!verbs.is_empty()).then(|| verbs.to_vec()),
            way: Way::Out,
            filter: None,
        },
        node: node(to),
        repeat: Repeat::ONCE,
    };
    let mut plan = Plan::list(Source::Any);
    plan.slots = vec![
        slot_info(SlotKind::Node),
        slot_info(SlotKind::Edge),
        slot_info(SlotKind::Node),
    ];
    plan.parts = vec![Part::Step(step)];
    plan.output = Output::List(vec![edge]);
    (
        plan,
        Target::Relationship { edge, from, to },
        vec![edge, from, to],
    )
}
