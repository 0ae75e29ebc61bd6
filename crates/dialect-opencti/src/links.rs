// SPDX-License-Identifier: Apache-2.0
//! What objects are linked with: markings, labels, references, creators, containers.

use durward_catalog::stix;
use durward_graph::{Direction, EdgeRef, EntityRef, ObjectRef, TypeId};
use durward_intel::kinds;
use serde_json::{Map, Value as Json, json};

use crate::connection::{Connection, Shown};
use crate::entity::{StixNode, standard_id};
use crate::relationship::EdgeNode;
use durward_graphql::context::RequestContext;
use durward_graphql::engine::Node;

type Context = RequestContext;

/// Reference fields that every STIX object and relationship has, or `None` for other fields.
pub(super) fn references<'n>(
    context: &Context,
    end: ObjectRef,
    field: &str,
) -> Option<Node<'n, Context>> {
    Some(match field {
        "objectMarking" => list(context, end, kinds::MARKED, Direction::Out),
        "objectLabel" => list(context, end, kinds::LABELED, Direction::Out),
        "killChainPhases" => list(context, end, kinds::IN_PHASE, Direction::Out),
        "createdBy" => first(neighbours(context, end, kinds::CREATED_BY, Direction::Out)),
        "externalReferences" => {
            let found = neighbours(context, end, kinds::REFERS, Direction::Out);
            Node::object(Connection::whole("ExternalReferenceConnection", found))
        }
        "creators" => Node::list([]),
        _ => return None,
    })
}

/// The ends of all live relationships of a verb from or to an object that the caller may see.
pub(super) fn edges(
    context: &Context,
    end: ObjectRef,
    verb: &str,
    direction: Direction,
) -> Vec<(EntityRef, EdgeRef)> {
    let view = &context.view;
    let Some(verb) = view.verb_id(verb) else {
        return Vec::new();
    };
    let (type_id, row) = match end {
        ObjectRef::Entity(entity) => (entity.type_id, entity.row),
        ObjectRef::Edge(edge) => (TypeId::RELATIONSHIP, view.edge_number(edge).0),
    };
    let triples = match direction {
        Direction::Out => view.triples_matching(Some(type_id), Some(verb), None),
        Direction::In => view.triples_matching(None, Some(verb), Some(type_id)),
    };
    let mut found = Vec::new();
    for triple in triples {
        let other_type = if direction == Direction::Out {
            triple.to
        } else {
            triple.from
        };
        view.adjacency(triple.id, direction)
            .for_each_edge(row, |other, edge| {
                let entity = EntityRef {
                    type_id: other_type,
                    row: other,
                };
                found.push((
                    entity,
                    EdgeRef {
                        triple: triple.id,
                        edge,
                    },
                ));
            });
    }
    found
}

/// The visible objects at the other ends.
pub(super) fn neighbours(
    context: &Context,
    end: ObjectRef,
    verb: &str,
    direction: Direction,
) -> Vec<Shown> {
    neighbours_of_type(context, end, verb, direction, None)
}

/// The visible objects at the other ends that are entities of one type.
pub(super) fn neighbours_of_type(
    context: &Context,
    end: ObjectRef,
    verb: &str,
    direction: Direction,
    entity_type: Option<&str>,
) -> Vec<Shown> {
    let wanted = entity_type.map(|name| context.view.type_id(name));
    edges(context, end, verb, direction)
        .into_iter()
        .filter(|(other, _)| wanted.is_none_or(|wanted| wanted == Some(other.type_id)))
        .filter_map(|(other, _)| shown(context, other))
        .collect()
}

/// An end of a relationship as something to show: an entity, or a relationship where the end is
/// one.
pub(super) fn shown(context: &Context, end: EntityRef) -> Option<Shown> {
    if end.type_id == TypeId::RELATIONSHIP {
        let edge = context
            .view
            .edge_of(durward_model::RelationshipNumber(end.row))?;
        return EdgeNode::visible(context, edge);
    }
    StixNode::visible(context, end)
}

/// A list of the visible objects at the other ends.
pub(super) fn list<'n>(
    context: &Context,
    end: ObjectRef,
    verb: &str,
    direction: Direction,
) -> Node<'n, Context> {
    let found = neighbours(context, end, verb, direction);
    Node::rows(found.into_iter().map(shared))
}

/// The first of some objects, or null.
pub(super) fn first<'n>(found: Vec<Shown>) -> Node<'n, Context> {
    found.into_iter().next().map_or(Node::Null, shared)
}

/// A shown object as a node.
pub(super) fn shared<'n>(object: Shown) -> Node<'n, Context> {
    Node::Object(durward_graphql::engine::Handle::Shared(object))
}

/// What a container holds.
pub(super) fn contained<'n>(context: &Context, entity: EntityRef) -> Node<'n, Context> {
    let end = ObjectRef::Entity(entity);
    let found = neighbours(context, end, kinds::CONTAINS, Direction::Out);
    Node::object(Connection::whole(
        "StixObjectOrStixRelationshipRefConnection",
        found,
    ))
}

/// Adds the reference members of a STIX object: `*_ref`, `*_refs`, labels, phases, references.
pub(super) fn stix_references(context: &Context, end: ObjectRef, members: &mut Map<String, Json>) {
    let view = &context.view;
    let targets = |verb: &str| -> Vec<EntityRef> {
        let found = edges(context, end, verb, Direction::Out).into_iter();
        found
            .map(|(other, _)| other)
            .filter(|other| other.type_id != TypeId::RELATIONSHIP && context.sees_entity(*other))
            .collect()
    };
    let ids = |verb: &str| -> Vec<Json> {
        let id = |entity: EntityRef| {
            let kind = stix::of_entity_type(view.type_name(entity.type_id))?;
            Some(Json::from(standard_id(view, entity, kind)))
        };
        targets(verb).into_iter().filter_map(id).collect()
    };
    let text = |entity: EntityRef, name: &str| {
        let property = view.property_id(name);
        property.map_or(Json::Null, |property| {
            view.value(entity, property).to_json()
        })
    };
    let mut put = |name: &str, items: Vec<Json>| {
        if !items.is_empty() {
            members.insert(name.to_owned(), items.into());
        }
    };
    put("object_marking_refs", ids(kinds::MARKED));
    put("object_refs", ids(kinds::CONTAINS));
    put(
        "labels",
        targets(kinds::LABELED)
            .into_iter()
            .map(|label| text(label, "value"))
            .collect(),
    );
    let phase = |phase: EntityRef| {
        json!({"kill_chain_name": text(phase, "kill_chain_name"),
            "phase_name": text(phase, "phase_name")})
    };
    put(
        "kill_chain_phases",
        targets(kinds::IN_PHASE).into_iter().map(phase).collect(),
    );
    let reference = |reference: EntityRef| {
        let fields = ["source_name", "description", "url", "external_id"];
        let parts = fields
            .iter()
            .map(|name| ((*name).to_owned(), text(reference, name)));
        Json::Object(parts.filter(|(_, value)| !value.is_null()).collect())
    };
    put(
        "external_references",
        targets(kinds::REFERS).into_iter().map(reference).collect(),
    );
    if let Some(creator) = ids(kinds::CREATED_BY).into_iter().next() {
        members.insert("created_by_ref".to_owned(), creator);
    }
}
