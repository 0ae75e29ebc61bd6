// SPDX-License-Identifier: Apache-2.0
//! A relationship of the graph as OpenCTI shows it: a STIX relationship, a sighting, or an embedded
//! reference.

use std::sync::Arc;

use durward_catalog::ids;
use durward_catalog::stix;
use durward_graph::{EdgeRef, EntityRef, ObjectRef, View};
use durward_intel::kinds;
use durward_model::Value;
use serde_json::Map;

use crate::connection::Shown;
use crate::shown::{self, Required};
use crate::{fit, links, names, values};
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, Node, Object};

type Context = RequestContext;

/// Verbs that embedded references become, and OpenCTI's names for them.
pub(super) const REFERENCE_VERBS: [(&str, &str); 6] = [
    (kinds::REFERS, "external-reference"),
    (kinds::IN_PHASE, "kill-chain-phase"),
    (kinds::LABELED, "object-label"),
    (kinds::MARKED, "object-marking"),
    (kinds::CREATED_BY, "created-by"),
    (kinds::CONTAINS, "object"),
];

/// What sort of relationship it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EdgeSort {
    /// A STIX relationship.
    Core,
    /// A sighting.
    Sighting,
    /// An embedded reference.
    Reference,
}

/// A relationship that OpenCTI can show.
#[derive(Clone, Debug)]
pub(super) struct EdgeNode {
    pub(super) edge: EdgeRef,
    from: EntityRef,
    to: EntityRef,
    sort: EdgeSort,
}

/// The sort of the relationships of a verb; `has_type` says whether they carry STIX's
/// `relationship_type`.
pub(super) fn sort_of(verb: &str, has_type: bool) -> EdgeSort {
    if verb == kinds::SIGHTED {
        EdgeSort::Sighting
    } else if has_type {
        EdgeSort::Core
    } else {
        EdgeSort::Reference
    }
}

impl EdgeNode {
    /// The node of a live relationship whose ends OpenCTI can show and the caller may see.
    pub(super) fn visible(context: &Context, edge: EdgeRef) -> Option<Shown> {
        Self::new(context, edge).map(|node| Arc::new(node) as Shown)
    }

    pub(super) fn new(context: &Context, edge: EdgeRef) -> Option<Self> {
        let view = &context.view;
        if !view.is_edge_live(edge) || !context.sees_edge(edge) {
            return None;
        }
        let (from, to) = view.edge_ends(edge)?;
        let is_known = |end: EntityRef| {
            end.type_id == durward_graph::TypeId::RELATIONSHIP
                || stix::of_entity_type(view.type_name(end.type_id)).is_some()
        };
        if !is_known(from) || !is_known(to) {
            return None;
        }
        let triple = view.triple(edge.triple)?;
        let has_type = !value(view, edge, "relationship_type").is_null();
        let sort = sort_of(view.verb_name(triple.verb), has_type);
        Some(Self {
            edge,
            from,
            to,
            sort,
        })
    }

    pub(super) fn sort(&self) -> EdgeSort {
        self.sort
    }

    fn verb<'v>(&self, view: &'v View) -> &'v str {
        view.triple(self.edge.triple)
            .map_or("", |triple| view.verb_name(triple.verb))
    }

    fn relationship_type(&self, view: &View) -> String {
        match self.sort {
            EdgeSort::Sighting => "stix-sighting-relationship".to_owned(),
            EdgeSort::Core => match value(view, self.edge, "relationship_type") {
                Value::String(name) => name,
                _ => String::new(),
            },
            EdgeSort::Reference => {
                let verb = self.verb(view);
                let known = REFERENCE_VERBS.iter().find(|(own, _)| *own == verb);
                known.map_or_else(
                    || verb.to_lowercase().replace('_', "-"),
                    |(_, name)| (*name).to_owned(),
                )
            }
        }
    }

    fn standard_id(&self, view: &View) -> String {
        let key = view.edge_key(self.edge);
        let prefix = match self.sort {
            EdgeSort::Sighting => "sighting",
            _ => "relationship",
        };
        let is_stix = key
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with("--"));
        if is_stix {
            key
        } else {
            ids::stix(view.id_cipher(), prefix, view.edge_id(self.edge))
        }
    }

    fn parents(&self) -> &'static [&'static str] {
        match self.sort {
            EdgeSort::Core => &names::RELATIONSHIP_PARENTS,
            EdgeSort::Sighting => &names::SIGHTING_PARENTS,
            EdgeSort::Reference => &names::REFERENCE_PARENTS,
        }
    }

    fn end<'n>(context: &Context, end: EntityRef) -> Node<'n, Context> {
        links::shown(context, end).map_or(Node::Null, links::shared)
    }

    /// The value of a source of fields.
    fn read(&self, view: &View, source: &str) -> Value {
        match source {
            shown::STANDARD_ID => Value::String(self.standard_id(view)),
            shown::CREATED_AT => Value::Instant(view.edge_created_at(self.edge)),
            shown::UPDATED_AT => Value::Instant(view.edge_updated_at(self.edge)),
            name => value(view, self.edge, name),
        }
    }

    /// The value of a leaf.
    fn leaf(&self, call: &Call<'_, Context>) -> Value {
        let required = Required::of(call.field.declared_type());
        let required = required.filter(|_| call.field.is_required());
        shown::value(call.name(), required, |source| {
            self.read(&call.context.view, source)
        })
    }

    /// The relationship as STIX 2.1.
    pub(super) fn to_stix(&self, context: &Context) -> serde_json::Value {
        let view = &context.view;
        let end_id = |end: EntityRef| {
            let kind = stix::of_entity_type(view.type_name(end.type_id))?;
            Some(serde_json::Value::from(super::entity::standard_id(
                view, end, kind,
            )))
        };
        let mut members = Map::new();
        let is_sighting = self.sort == EdgeSort::Sighting;
        let stix_type = if is_sighting {
            "sighting"
        } else {
            "relationship"
        };
        members.insert("id".to_owned(), self.standard_id(view).into());
        members.insert("type".to_owned(), stix_type.into());
        members.insert("spec_version".to_owned(), "2.1".into());
        for (property, value) in view.edge_properties(self.edge) {
            let name = view.property_name(property);
            if name != "displayName" && !(is_sighting && name == "relationship_type") {
                members.insert(name.to_owned(), values::stix(&value));
            }
        }
        let (from, to) = (end_id(self.from), end_id(self.to));
        if is_sighting {
            members.extend(from.map(|id| ("sighting_of_ref".to_owned(), id)));
            let places = to.map(|id| serde_json::Value::from(vec![id]));
            members.extend(places.map(|ids| ("where_sighted_refs".to_owned(), ids)));
        } else {
            members.extend(from.map(|id| ("source_ref".to_owned(), id)));
            members.extend(to.map(|id| ("target_ref".to_owned(), id)));
        }
        links::stix_references(context, ObjectRef::Edge(self.edge), &mut members);
        serde_json::Value::Object(members)
    }
}

fn value(view: &View, edge: EdgeRef, name: &str) -> Value {
    view.property_id(name)
        .map_or(Value::Null, |property| view.edge_value(edge, property))
}

impl Object<Context> for EdgeNode {
    fn type_name(&self) -> &str {
        match self.sort {
            EdgeSort::Core => "StixCoreRelationship",
            EdgeSort::Sighting => "StixSightingRelationship",
            EdgeSort::Reference => "StixRefRelationship",
        }
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Result<Node<'a, Context>, FieldError> {
        let context = call.context;
        let view = &context.view;
        let own = ObjectRef::Edge(self.edge);
        if let Some(node) = links::references(context, own, call.name()) {
            return Ok(node);
        }
        Ok(match call.name() {
            "id" => Node::text(view.id_cipher().uuid_of(view.edge_id(self.edge))),
            "standard_id" => Node::text(self.standard_id(view)),
            "entity_type" | "relationship_type" => Node::text(self.relationship_type(view)),
            "parent_types" => Node::list(self.parents().iter().map(|name| Node::text(*name))),
            "from" => Self::end(context, self.from),
            "to" => Self::end(context, self.to),
            "fromId" | "toId" => Node::Null,
            "created_at" => Node::text(view.edge_created_at(self.edge).to_rfc3339_millis()),
            "updated_at" => Node::text(view.edge_updated_at(self.edge).to_rfc3339_millis()),
            "x_opencti_stix_ids" => Node::list(view.aliases(own).into_iter().map(Node::text)),
            "toStix" => Node::text(self.to_stix(context).to_string()),
            "status" | "customFieldValues" | "objectOrganization" | "coverage_information" => {
                Node::Null
            }
            _ => fit::node(call.field, self.leaf(call)),
        })
    }

    fn instead<'a>(&'a self, call: &Call<'a, Context>) -> Option<Node<'a, Context>> {
        let value = self.leaf(call);
        fit::instead(call, &value, |required| {
            let (sources, otherwise) = required.sources();
            shown::first(sources, otherwise, |source| {
                self.read(&call.context.view, source)
            })
        })
    }
}
