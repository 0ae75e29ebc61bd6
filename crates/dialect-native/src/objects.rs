// SPDX-License-Identifier: Apache-2.0
//! Entities and relationships, field by field.

use std::sync::Arc;

use durward_graph::{EdgeRef, EntityRef, PropertyId};
use durward_model::{Namespace, Value};
use serde_json::{Map, Value as Json};

use super::moment::Moment;
use super::{Answer, Context, history, relationships, values};
use durward_graphql::engine::{Call, FieldError, Node, Object};

/// Property by which people know an object.
const DISPLAY_NAME: &str = "displayName";

/// An entity that the caller may see.
#[derive(Clone, Debug)]
pub(super) struct EntityNode {
    pub(super) moment: Arc<Moment>,
    pub(super) entity: EntityRef,
}

impl EntityNode {
    fn display_name(&self) -> Option<String> {
        let view = &self.moment.view;
        let value = view.value(self.entity, view.property_id(DISPLAY_NAME)?);
        value.as_str().map(str::to_owned)
    }
}

impl Object<Context> for EntityNode {
    fn type_name(&self) -> &'static str {
        "Entity"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let (view, entity) = (&self.moment.view, self.entity);
        Ok(match call.name() {
            "id" => Node::text(self.moment.entity_id(entity)),
            "key" => Node::text(view.key_str(entity)),
            "type" => Node::text(view.type_name(entity.type_id)),
            "classes" => {
                let classes = view.classes(entity).into_iter();
                Node::list(classes.map(|class| Node::text(view.class_name(class))))
            }
            "displayName" => Node::optional_text(self.display_name()),
            "source" => source(&view.namespace(entity)),
            "scope" => scope(&view.namespace(entity)),
            "version" => Node::Int(view.version(entity).into()),
            "createdAt" => values::instant(view.created_at(entity)),
            "updatedAt" => values::instant(view.updated_at(entity)),
            "deletedAt" => values::optional_instant(view.ended_at(entity)),
            "properties" => properties(&self.moment, view.entity_properties(entity), call),
            "relationships" => Node::object(relationships::page(&self.moment, entity, call)?),
            "history" => Node::object(history::versions(&self.moment, entity, call)?),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// A relationship that the caller may see.
#[derive(Clone, Debug)]
pub(super) struct RelationshipNode {
    pub(super) moment: Arc<Moment>,
    pub(super) edge: EdgeRef,
}

impl RelationshipNode {
    /// Either end. Who sees a relationship sees its ends.
    fn end<'a>(&self, end: Option<EntityRef>) -> Node<'a, Context> {
        let moment = Arc::clone(&self.moment);
        let Some(end) = end else { return Node::Null };
        match end.as_relationship() {
            None => Node::object(EntityNode {
                moment,
                entity: end,
            }),
            Some(number) => match moment.view.edge_of(number) {
                Some(edge) => Node::object(Self { moment, edge }),
                None => Node::Null,
            },
        }
    }

    fn verb(&self) -> &str {
        let view = &self.moment.view;
        view.triple(self.edge.triple)
            .map_or("", |triple| view.verb_name(triple.verb))
    }
}

impl Object<Context> for RelationshipNode {
    fn type_name(&self) -> &'static str {
        "Relationship"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let (view, edge) = (&self.moment.view, self.edge);
        Ok(match call.name() {
            "id" => Node::text(self.moment.edge_id(edge)),
            "key" => Node::text(view.edge_key(edge)),
            "type" => Node::text(view.edge_type_str(edge)),
            "verb" => Node::text(self.verb()),
            "from" => self.end(view.edge_ends(edge).map(|(from, _)| from)),
            "to" => self.end(view.edge_ends(edge).map(|(_, to)| to)),
            "source" => source(&view.edge_namespace(edge)),
            "scope" => scope(&view.edge_namespace(edge)),
            "version" => Node::Int(view.edge_version(edge).into()),
            "createdAt" => values::instant(view.edge_created_at(edge)),
            "updatedAt" => values::instant(view.edge_updated_at(edge)),
            "deletedAt" => values::optional_instant(view.edge_ended_at(edge)),
            "properties" => properties(&self.moment, view.edge_properties(edge), call),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

fn source<'a>(namespace: &Namespace) -> Node<'a, Context> {
    Node::optional_text(Some(namespace.source.clone()).filter(|source| !source.is_empty()))
}

fn scope<'a>(namespace: &Namespace) -> Node<'a, Context> {
    Node::optional_text(Some(namespace.scope.clone()).filter(|scope| !scope.is_empty()))
}

/// Properties as a JSON object: all, or those of the argument `names`.
fn properties<'a>(
    moment: &Moment,
    all: Vec<(PropertyId, Value)>,
    call: &Call<'_, Context>,
) -> Node<'a, Context> {
    let wanted = call.argument("names").and_then(Json::as_array);
    let is_wanted = |name: &str| {
        wanted.is_none_or(|names| names.iter().any(|wanted| wanted.as_str() == Some(name)))
    };
    let mut members = Map::new();
    for (property, value) in all {
        let name = moment.view.property_name(property);
        if is_wanted(name) {
            members.insert(name.to_owned(), values::json(&value));
        }
    }
    Node::json(members.into())
}
