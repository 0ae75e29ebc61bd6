// SPDX-License-Identifier: Apache-2.0
//! Accounts as OpenCTI shows users.

use durward_catalog::kinds::property;
use durward_catalog::{Kind, ids};
use durward_graph::EntityRef;
use durward_model::Value;
use serde_json::json;

use crate::connection::Connection;
use crate::values;
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, JsonObject, Node, Object};

type Context = RequestContext;

/// Types of the graph whose entities are users.
pub(super) fn user_types() -> [&'static str; 2] {
    Kind::ACCOUNTS.map(Kind::type_name)
}

/// Confidence of a user whom nothing limits.
const CONFIDENCE_MAX: i64 = 100;

/// An account.
#[derive(Clone, Debug)]
pub(super) struct UserNode {
    pub(super) entity: EntityRef,
    /// Whether it is shown as `MeUser`, to its owner.
    pub(super) is_me: bool,
}

impl UserNode {
    fn value(&self, context: &Context, name: &str) -> Value {
        let property = context.view.property_id(name);
        property.map_or(Value::Null, |property| {
            context.view.value(self.entity, property)
        })
    }

    fn text(&self, context: &Context, name: &str) -> String {
        match self.value(context, name) {
            Value::String(text) => text,
            _ => String::new(),
        }
    }

    fn name(&self, context: &Context) -> String {
        let name = self.text(context, property::DISPLAY_NAME);
        if name.is_empty() {
            self.text(context, property::EMAIL)
        } else {
            name
        }
    }
}

/// OpenCTI's capabilities of the caller, as objects.
fn capabilities<'n>(context: &Context) -> Node<'n, Context> {
    let item = |name: &str| json!({"id": name, "name": name, "description": name});
    Node::json(context.rights().capabilities().map(item).collect())
}

impl Object<Context> for UserNode {
    fn type_name(&self) -> &str {
        if self.is_me {
            "MeUser"
        } else {
            Kind::USER.opencti()
        }
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Result<Node<'a, Context>, FieldError> {
        let context = call.context;
        let view = &context.view;
        let uuid = || view.id_cipher().uuid_of(view.entity_id(self.entity));
        Ok(match call.name() {
            "id" => Node::text(uuid()),
            "standard_id" => {
                let id = view.entity_id(self.entity);
                let own = Kind::USER.opencti().to_lowercase();
                Node::text(ids::stix(view.id_cipher(), &own, id))
            }
            "entity_type" => Node::text(Kind::USER.opencti()),
            "parent_types" => Node::list(["Basic-Object", "Internal-Object"].map(Node::text)),
            "name" => Node::text(self.name(context)),
            "user_email" => Node::text(self.text(context, property::EMAIL)),
            "account_status" => {
                let is_suspended = self.value(context, property::SUSPENDED) == Value::Bool(true);
                Node::text(if is_suspended { "Inactive" } else { "Active" })
            }
            "created_at" => Node::text(view.created_at(self.entity).to_rfc3339_millis()),
            "updated_at" => Node::text(view.updated_at(self.entity).to_rfc3339_millis()),
            "capabilities" => capabilities(context),
            "effective_confidence_level" => Node::object(JsonObject::new(
                "EffectiveConfidenceLevel",
                serde_json::Map::from_iter([
                    ("max_confidence".to_owned(), CONFIDENCE_MAX.into()),
                    ("overrides".to_owned(), json!([])),
                ]),
            )),
            "groups" => Node::object(Connection::empty("GroupConnection")),
            "objectOrganization" => {
                let kind = if self.is_me {
                    "MeOrganizationConnection"
                } else {
                    "OrganizationConnection"
                };
                Node::object(Connection::empty(kind))
            }
            "external" => Node::Boolean(false),
            "roles"
            | "capabilitiesInDraft"
            | "administrated_organizations"
            | "sessions"
            | "api_tokens" => Node::list([]),
            "firstname" | "lastname" | "description" | "language" => {
                values::node(self.value(context, call.name()))
            }
            "theme"
            | "unit_system"
            | "individual_id"
            | "account_lock_after_date"
            | "user_confidence_level"
            | "submenu_auto_collapse"
            | "submenu_show_icons"
            | "monochrome_labels"
            | "restrict_delete" => Node::Null,
            other => return Err(FieldError::unsupported(other)),
        })
    }
}
