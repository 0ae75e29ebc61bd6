// SPDX-License-Identifier: Apache-2.0
//! A STIX object of the graph as OpenCTI shows it.
//!
//! A field is the property of its name; what is computed, renamed or linked is listed here.

use std::sync::Arc;

use durward_catalog::stix::{self, Sort, StixType};
use durward_catalog::{OPENCTI_TYPE, ids};
use durward_graph::{Direction, EntityRef, ObjectRef, View};
use durward_intel::kinds;
use durward_model::Value;
use serde_json::{Map, json};

use crate::connection::{Connection, Shown};
use crate::shown::{self, Required};
use crate::{fit, links, names, observable, values};
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, JsonObject, Node, Object};

type Context = RequestContext;
type Answer<'a> = Result<Node<'a, Context>, FieldError>;

/// An entity of a type that OpenCTI has.
#[derive(Clone, Debug)]
pub(super) struct StixNode {
    pub(super) entity: EntityRef,
    pub(super) kind: &'static StixType,
    /// Name of its type in OpenCTI.
    pub(super) opencti: &'static str,
}

impl StixNode {
    /// The node of an entity, or `None` when OpenCTI has no such type.
    pub(super) fn new(view: &View, entity: EntityRef) -> Option<Self> {
        let kind = stix::of_entity_type(view.type_name(entity.type_id))?;
        let told = kind.told.as_ref().and(view.property_id(OPENCTI_TYPE));
        let told = told.map(|property| view.value(entity, property));
        let opencti = kind.opencti_name(told.as_ref().and_then(Value::as_str));
        Some(Self {
            entity,
            kind,
            opencti,
        })
    }

    /// The same as something that can be shown, if the caller may see it.
    pub(super) fn visible(context: &Context, entity: EntityRef) -> Option<Shown> {
        if !context.sees_entity(entity) {
            return None;
        }
        Self::new(&context.view, entity).map(|node| Arc::new(node) as Shown)
    }

    fn value(&self, context: &Context, name: &str) -> Value {
        let property = context.view.property_id(name);
        property.map_or(Value::Null, |property| {
            context.view.value(self.entity, property)
        })
    }

    /// The value of a source of fields.
    fn read(&self, context: &Context, source: &str) -> Value {
        let view = &context.view;
        match source {
            shown::STANDARD_ID => Value::String(self.standard_id(view)),
            shown::CREATED_AT => Value::Instant(view.created_at(self.entity)),
            shown::UPDATED_AT => Value::Instant(view.updated_at(self.entity)),
            name => self.value(context, name),
        }
    }

    /// Deterministic STIX id: the key, or for an entity that did not come as STIX one made of its
    /// id.
    pub(super) fn standard_id(&self, view: &View) -> String {
        standard_id(view, self.entity, self.kind)
    }

    /// What the object is called.
    fn name(&self, context: &Context) -> Value {
        if self.kind.sort == Sort::Observable {
            return observable::value(context, self).into();
        }
        shown::value("name", Some(Required::Text), |source| {
            self.read(context, source)
        })
    }

    fn computed<'a>(&'a self, call: &Call<'a, Context>) -> Option<Node<'a, Context>> {
        let view = &call.context.view;
        Some(match call.name() {
            "id" => Node::text(view.id_cipher().uuid_of(view.entity_id(self.entity))),
            "standard_id" => Node::text(self.standard_id(view)),
            "entity_type" => Node::text(self.opencti),
            "parent_types" => {
                let parents = self.kind.parents.iter();
                Node::list(parents.map(|name| Node::text(name.as_str())))
            }
            "created_at" => Node::text(view.created_at(self.entity).to_rfc3339_millis()),
            "updated_at" => Node::text(view.updated_at(self.entity).to_rfc3339_millis()),
            "x_opencti_stix_ids" => self.other_ids(view),
            "representative" => Node::object(JsonObject::new(
                "Representative",
                values::object(&[
                    ("main", self.name(call.context)),
                    ("secondary", self.value(call.context, "description")),
                ]),
            )),
            "toStix" => Node::text(self.to_stix(call.context).to_string()),
            "hashes" => values::hashes(&self.value(call.context, "hashes")),
            "observable_value" => Node::text(observable::value(call.context, self)),
            "importFiles" => Node::object(Connection::empty("FileConnection")),
            "x_opencti_observable_values" => Node::json(observable::pattern_values(
                &self.value(call.context, "pattern"),
            )),
            _ => return None,
        })
    }

    fn other_ids<'n>(&self, view: &View) -> Node<'n, Context> {
        let own = self.standard_id(view);
        let aliases = view.aliases(ObjectRef::Entity(self.entity)).into_iter();
        Node::list(
            aliases
                .filter(|alias| *alias != own && alias.contains("--"))
                .map(Node::text),
        )
    }

    fn linked<'n>(&self, call: &Call<'_, Context>) -> Option<Node<'n, Context>> {
        let context = call.context;
        let end = ObjectRef::Entity(self.entity);
        links::references(context, end, call.name()).or_else(|| {
            Some(match call.name() {
                "objects" => links::contained(context, self.entity),
                "reports" => self.containers(context, "report", "ReportConnection"),
                "notes" => self.containers(context, "note", "NoteConnection"),
                "opinions" => self.containers(context, "opinion", "OpinionConnection"),
                "observedData" => {
                    self.containers(context, "observed_data", "ObservedDataConnection")
                }
                "tasks" => self.containers(context, "task", "TaskConnection"),
                "indicators" => {
                    let found = links::neighbours(context, end, "BASED_ON", Direction::In);
                    Node::object(Connection::whole("IndicatorConnection", found))
                }
                "observables" => {
                    let found = links::neighbours(context, end, "BASED_ON", Direction::Out);
                    Node::object(Connection::whole("StixCyberObservableConnection", found))
                }
                "samples" => links::list(context, end, "SAMPLE", Direction::Out),
                "operatingSystems" => links::list(context, end, "OPERATING_SYSTEM", Direction::Out),
                "dataSource" => {
                    let found =
                        links::neighbours(context, end, "X_MITRE_DATA_SOURCE", Direction::Out);
                    links::first(found)
                }
                _ => return None,
            })
        })
    }

    /// Containers of one type that hold this object.
    fn containers<'n>(
        &self,
        context: &Context,
        entity_type: &str,
        connection: &str,
    ) -> Node<'n, Context> {
        let end = ObjectRef::Entity(self.entity);
        let found = links::neighbours_of_type(
            context,
            end,
            kinds::CONTAINS,
            Direction::In,
            Some(entity_type),
        );
        Node::object(Connection::whole(connection, found))
    }

    /// The value of a leaf.
    fn leaf(&self, call: &Call<'_, Context>) -> Value {
        let required = Required::of(call.field.declared_type());
        let required = required.filter(|_| call.field.is_required());
        shown::value(call.name(), required, |source| {
            self.read(call.context, source)
        })
    }

    /// The object as STIX 2.1, references by standard id.
    pub(super) fn to_stix(&self, context: &Context) -> serde_json::Value {
        let view = &context.view;
        let mut members = Map::new();
        members.insert("id".to_owned(), self.standard_id(view).into());
        members.insert("type".to_owned(), self.kind.name.clone().into());
        members.insert("spec_version".to_owned(), "2.1".into());
        for (property, value) in view.written_properties(self.entity) {
            let name = view.property_name(property);
            if name != "displayName" {
                members.insert(name.to_owned(), values::stix(&value));
            }
        }
        let end = ObjectRef::Entity(self.entity);
        links::stix_references(context, end, &mut members);
        let extension = json!({
            "extension_type": "property-extension",
            "id": view.id_cipher().uuid_of(view.entity_id(self.entity)),
            "type": self.opencti,
            "created_at": view.created_at(self.entity).to_rfc3339_millis(),
            "updated_at": view.updated_at(self.entity).to_rfc3339_millis(),
        });
        let extensions = members.entry("extensions").or_insert_with(|| json!({}));
        if let Some(extensions) = extensions.as_object_mut() {
            extensions.insert(values::OPENCTI_EXTENSION.to_owned(), extension);
        }
        serde_json::Value::Object(members)
    }
}

/// Deterministic STIX id of an entity of a kind.
pub(super) fn standard_id(view: &View, entity: EntityRef, kind: &StixType) -> String {
    let key = view.key(entity);
    let is_stix = key
        .strip_prefix(&kind.name)
        .is_some_and(|rest| rest.starts_with("--"));
    if is_stix {
        return key;
    }
    ids::stix(view.id_cipher(), &kind.name, view.entity_id(entity))
}

/// Fields of OpenCTI that this build has nothing to say about: nothing was ever stored for them,
/// so they are null or empty, as they are on a platform that does not use them.
const UNUSED: [&str; 12] = [
    "status",
    "customFieldValues",
    "objectOrganization",
    "objectAssignee",
    "objectParticipant",
    "pirInformation",
    "workflowEnabled",
    "x_opencti_workflow_id",
    "coverage_information",
    "draftVersion",
    "results",
    "resultOf",
];

impl Object<Context> for StixNode {
    fn type_name(&self) -> &str {
        names::graphql_type(self.opencti)
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        if let Some(node) = self.computed(call) {
            return Ok(node);
        }
        if let Some(node) = self.linked(call) {
            return Ok(node);
        }
        if UNUSED.contains(&call.name()) {
            return Ok(Node::Null);
        }
        Ok(fit::node(call.field, self.leaf(call)))
    }

    fn instead<'a>(&'a self, call: &Call<'a, Context>) -> Option<Node<'a, Context>> {
        let value = self.leaf(call);
        fit::instead(call, &value, |required| {
            let (sources, otherwise) = required.sources();
            shown::first(sources, otherwise, |source| self.read(call.context, source))
        })
    }
}
