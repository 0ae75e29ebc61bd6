// SPDX-License-Identifier: Apache-2.0
//! Lists over the graph: `count` and `items(limit, offset, orderBy)`.

use std::sync::OnceLock;

use durward_catalog::ids;
use durward_graph::{Direction, EntityRef};
use durward_model::{Instant, Value};
use durward_query::plan::{Condition, Slot, Source, Way};
use durward_query::where_filter::{FieldKind, ListPage, ListQuery, condition, list};
use durward_query::{PageSize, RunOptions};
use serde_json::Value as Json;

use super::arguments::Page;
use super::specs::{Column, From, Relation, Spec};
use super::{Answer, Context, directives, errors, users};
use durward_graphql::engine::{Call, FieldError, Node, Object};

/// A list; nothing is read before a field asks.
pub(super) struct GraphList<'l> {
    spec: &'static Spec,
    filter: Option<&'l Json>,
    /// Only these, where it is a list of related objects.
    of: Option<Vec<EntityRef>>,
    count: OnceLock<u64>,
}

impl<'l> GraphList<'l> {
    pub(super) fn new(spec: &'static Spec, filter: Option<&'l Json>) -> Self {
        Self {
            spec,
            filter,
            of: None,
            count: OnceLock::new(),
        }
    }

    /// Refuses a filter that makes no sense before any field of the list answers.
    pub(super) fn check(&self, context: &Context) -> Result<(), FieldError> {
        let table = self.spec.table(&context.account_id());
        let (now, limits) = (context.now(), context.limits_of_request());
        let checked = condition(self.filter, &table, Slot(0), now, &limits);
        checked.map(|_| ()).map_err(|error| errors::of(&error))
    }

    fn read(&self, context: &Context, page: &Page) -> Result<ListPage, FieldError> {
        let table = self.spec.table(&context.account_id());
        let sources = match &self.of {
            None => {
                let types = self.spec.types().into_iter();
                types.map(|name| Source::Type(name.to_owned())).collect()
            }
            Some(entities) => {
                let ids = entities.iter().map(|each| context.view.entity_id(*each));
                vec![Source::Ids(ids.collect())]
            }
        };
        let any = self.spec.needs.iter().map(|property| {
            Condition::Not(Box::new(Condition::equals(Slot(0), property, Value::Null)))
        });
        let query = ListQuery {
            sources,
            among: (!self.spec.needs.is_empty()).then(|| Condition::Any(any.collect())),
            filter: self.filter,
            order: &page.order,
            table: &table,
        };
        let options = RunOptions {
            row_condition: context.listed_condition(),
            limits: context.limits_of_request(),
            page: PageSize::Whole,
            account_id: context.account_id(),
            ..RunOptions::new(context.now(), context.cursor_key())
        };
        let found = list(&context.view, &query, &options, page.offset, page.fetched());
        let found = found.map_err(|error| errors::of(&error))?;
        // The count is the same whatever page is asked for.
        let _ = self.count.set(found.count);
        Ok(found)
    }

    fn count(&self, context: &Context) -> Result<u64, FieldError> {
        if let Some(count) = self.count.get() {
            return Ok(*count);
        }
        let nothing = Page {
            limit: Some(0),
            ..Page::default()
        };
        Ok(self.read(context, &nothing)?.count)
    }
}

impl Object<Context> for GraphList<'_> {
    fn type_name(&self) -> &str {
        self.spec.connection
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        directives::refuse(call)?;
        match call.name() {
            "count" => {
                let count = self.count(call.context)?;
                Ok(Node::Int(i64::try_from(count).unwrap_or(i64::MAX)))
            }
            "items" => {
                let page = Page::asked(call)?;
                let found = self.read(call.context, &page)?.entities;
                page.check(found.len() as u64)?;
                let spec = self.spec;
                let items = found.into_iter();
                Ok(Node::lazy(items.map(move |entity| {
                    Node::object(GraphItem { spec, entity })
                })))
            }
            other => Err(FieldError::unsupported(other)),
        }
    }
}

/// One entity of a list.
struct GraphItem {
    spec: &'static Spec,
    entity: EntityRef,
}

impl GraphItem {
    fn value(&self, context: &Context, property: &str) -> Value {
        let view = &context.view;
        if property == "_id" {
            return view.id_cipher().uuid_of(view.entity_id(self.entity)).into();
        }
        let property = view.property_id(property);
        property.map_or(Value::Null, |property| view.value(self.entity, property))
    }

    fn leaf(&self, context: &Context, column: &Column) -> Json {
        let value = match column.from {
            From::Property(name) => self.value(context, name),
            From::Texts(name) => match self.value(context, name) {
                Value::Null => Value::List(Vec::new()),
                value => value,
            },
            From::Either([first, second]) => match self.value(context, first) {
                Value::Null => self.value(context, second),
                value => value,
            },
            From::Srn(kind) => {
                let (view, own) = (&context.view, context.account_id());
                let id = view.entity_id(self.entity);
                ids::srn(view.id_cipher(), &own, kind.sonrai(), id).into()
            }
            From::Always => Value::Bool(true),
            From::NotFlag(name) => Value::Bool(self.value(context, name) != Value::Bool(true)),
        };
        shown(column.kind, &value)
    }

    /// The objects at the other end of a relationship.
    fn related(&self, context: &Context, relation: &'static Relation) -> GraphList<'static> {
        let view = &context.view;
        let mut found = Vec::new();
        for other in relation.to.types() {
            let (Some(other), Some(verb)) = (view.type_id(other), view.verb_id(relation.verb))
            else {
                continue;
            };
            let own = self.entity.type_id;
            let (from, to, direction) = match relation.way {
                Way::In => (other, own, Direction::In),
                _ => (own, other, Direction::Out),
            };
            for triple in view.triples_matching(Some(from), Some(verb), Some(to)) {
                let adjacency = view.adjacency(triple.id, direction);
                adjacency.for_each(self.entity.row, |row| {
                    found.push(EntityRef {
                        type_id: other,
                        row,
                    });
                });
            }
        }
        GraphList {
            of: Some(found),
            ..GraphList::new(relation.to, None)
        }
    }
}

impl Object<Context> for GraphItem {
    fn type_name(&self) -> &str {
        self.spec.item
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let context = call.context;
        if let Some(column) = self.spec.column(call.name()) {
            let leaf = self.leaf(context, column);
            return directives::apply(call, leaf).map(Node::json);
        }
        if let Some(relation) = self.spec.relation(call.name()) {
            directives::refuse(call)?;
            return Ok(Node::object(self.related(context, relation)));
        }
        match call.name() {
            // Nobody owns a scope yet, and the import does not tell who has a console.
            "owners" => Ok(Node::list([])),
            "isConsoleEnabled" => Ok(Node::Null),
            "lastLogin" => {
                let last = users::last_login(context, self.entity);
                let leaf = last.map_or(Json::Null, |last| last.to_rfc3339_millis().into());
                directives::apply(call, leaf).map(Node::json)
            }
            other => Err(FieldError::unsupported(other)),
        }
    }
}

/// A value as the contract declares it. Imported dates are milliseconds in the graph.
pub(super) fn shown(kind: FieldKind, value: &Value) -> Json {
    match (kind, value) {
        (FieldKind::Moment, Value::Int(millis)) => {
            Instant::from_millis(*millis).to_rfc3339_millis().into()
        }
        (_, Value::Instant(instant)) => instant.to_rfc3339_millis().into(),
        (_, value) => value.to_json(),
    }
}
