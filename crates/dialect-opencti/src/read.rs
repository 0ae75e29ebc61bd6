// SPDX-License-Identifier: Apache-2.0
//! Reading one object by any of its ids. What is not there, or not visible, is null.

use std::sync::Arc;

use durward_catalog::ids;
use durward_catalog::stix::{self, Root};
use durward_graph::{EdgeRef, EntityRef, ObjectRef};
use durward_intel::import::STIX_SOURCE;
use durward_intel::kinds;
use durward_model::Namespace;

use crate::connection::Shown;
use crate::entity::StixNode;
use crate::relationship::{EdgeNode, EdgeSort};
use crate::user::{UserNode, user_types};
use crate::{errors, links};
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, Node};

type Answer<'a> = Result<Node<'a, RequestContext>, FieldError>;

/// The object that an internal id, a standard id or any other STIX id names.
pub(super) fn find(context: &RequestContext, id: &str) -> Option<ObjectRef> {
    let view = &context.view;
    let id = id.trim();
    if let Some(own) = view.id_cipher().parse_uuid(id) {
        return view.resolve(own);
    }
    // The standard id of an object that did not come as STIX is made of its internal id.
    if let Some(own) = ids::parse_stix(view.id_cipher(), id) {
        return view.resolve(own);
    }
    let mut keyed = view.find_by_key_any_namespace(id);
    keyed.retain(|entity| {
        stix::of_entity_type(view.type_name(entity.type_id)).is_some()
            && context.sees_entity(*entity)
    });
    // What was imported as STIX comes before what others gave the same key.
    let is_foreign = |entity: &EntityRef| view.namespace(*entity).source != STIX_SOURCE;
    keyed
        .into_iter()
        .min_by_key(is_foreign)
        .map(ObjectRef::Entity)
        .or_else(|| view.find_alias(id))
        .or_else(|| {
            let namespace = Namespace::new(STIX_SOURCE, "");
            view.find_edge_by_key(&namespace, id).map(ObjectRef::Edge)
        })
}

fn id_argument<'a>(call: &Call<'a, RequestContext>) -> Option<&'a str> {
    call.text_argument("id").filter(|id| !id.trim().is_empty())
}

/// An entity of the type that the root field speaks of.
pub(super) fn entity<'a>(
    call: &Call<'a, RequestContext>,
    root: &'static Root,
) -> Node<'a, RequestContext> {
    let Some(id) = id_argument(call) else {
        return Node::Null;
    };
    let context = call.context;
    match find(context, id) {
        Some(ObjectRef::Entity(entity)) => entity_of(context, entity, &root.of),
        _ => Node::Null,
    }
}

fn entity_of<'n>(
    context: &RequestContext,
    entity: EntityRef,
    of: &str,
) -> Node<'n, RequestContext> {
    let node = StixNode::new(&context.view, entity);
    match node {
        Some(node) if context.sees_entity(entity) && node.kind.is_a(node.opencti, of) => {
            links::shared(Arc::new(node) as Shown)
        }
        _ => Node::Null,
    }
}

/// A STIX object or relationship.
pub(super) fn any<'a>(call: &Call<'a, RequestContext>) -> Node<'a, RequestContext> {
    let found = id_argument(call).and_then(|id| find(call.context, id));
    let shown = match found {
        Some(ObjectRef::Entity(entity)) => StixNode::visible(call.context, entity),
        Some(ObjectRef::Edge(edge)) => EdgeNode::visible(call.context, edge),
        None => None,
    };
    shown.map_or(Node::Null, links::shared)
}

/// A relationship of one sort.
pub(super) fn relationship<'a>(
    call: &Call<'a, RequestContext>,
    sort: EdgeSort,
) -> Node<'a, RequestContext> {
    let found = id_argument(call).and_then(|id| find(call.context, id));
    let Some(ObjectRef::Edge(edge)) = found else {
        return Node::Null;
    };
    let node = EdgeNode::new(call.context, edge).filter(|node| node.sort() == sort);
    node.map_or(Node::Null, |node| links::shared(Arc::new(node) as Shown))
}

/// An object as STIX 2.1, as a text that holds JSON.
pub(super) fn stix<'a>(call: &Call<'a, RequestContext>) -> Node<'a, RequestContext> {
    let context = call.context;
    let json = match id_argument(call).and_then(|id| find(context, id)) {
        Some(ObjectRef::Entity(entity)) if context.sees_entity(entity) => {
            StixNode::new(&context.view, entity).map(|node| node.to_stix(context))
        }
        Some(ObjectRef::Edge(edge)) => {
            EdgeNode::new(context, edge).map(|node| node.to_stix(context))
        }
        _ => None,
    };
    json.map_or(Node::Null, |json| Node::text(json.to_string()))
}

/// Whether a container holds an object.
pub(super) fn contains<'a>(call: &Call<'a, RequestContext>) -> Node<'a, RequestContext> {
    let context = call.context;
    let other = call.text_argument("stixObjectOrStixRelationshipId");
    let container = id_argument(call).and_then(|id| find(context, id));
    let (Some(ObjectRef::Entity(container)), Some(other)) =
        (container, other.and_then(|id| find(context, id)))
    else {
        return Node::Boolean(false);
    };
    if !context.sees_entity(container) {
        return Node::Boolean(false);
    }
    let end = ObjectRef::Entity(container);
    let held = links::edges(context, end, kinds::CONTAINS, durward_graph::Direction::Out);
    let is_other = |(entity, _): &(EntityRef, EdgeRef)| match other {
        ObjectRef::Entity(other) => *entity == other && context.sees_entity(other),
        ObjectRef::Edge(edge) => {
            entity.type_id == durward_graph::TypeId::RELATIONSHIP
                && entity.row == context.view.edge_number(edge).0
        }
    };
    Node::Boolean(held.iter().any(is_other))
}

/// The caller's own account.
pub(super) fn me<'a>(call: &Call<'a, RequestContext>) -> Answer<'a> {
    let node = super::me(call.context).ok_or_else(errors::auth_required)?;
    Ok(Node::object(node))
}

/// An account by its id.
pub(super) fn user<'a>(call: &Call<'a, RequestContext>) -> Answer<'a> {
    let context = call.context;
    let sight = context.sight()?;
    let text = id_argument(call).unwrap_or_default();
    let cipher = context.view.id_cipher();
    let id = cipher
        .parse_uuid(text)
        .or_else(|| ids::parse_stix(cipher, text));
    Ok(match id.and_then(|id| context.view.resolve(id)) {
        Some(ObjectRef::Entity(entity))
            if user_types().contains(&context.view.type_name(entity.type_id))
                && sight.sees(ObjectRef::Entity(entity)) =>
        {
            Node::object(UserNode {
                entity,
                is_me: false,
            })
        }
        _ => Node::Null,
    })
}
