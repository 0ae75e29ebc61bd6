// SPDX-License-Identifier: Apache-2.0
//! Accounts and roles as the platform's users and roles.

use durward_catalog::kinds::{property, verb};
use durward_catalog::{CREDENTIAL, Kind, ids};
use durward_graph::{Direction, EntityRef, ObjectRef};
use durward_model::{Instant, ObjectId, Value};
use durward_policy::Rights;
use durward_query::where_filter::FieldKind;

use super::row_list::{Fields, Row, RowList};
use super::{Answer, Context, errors};
use durward_graphql::engine::{Call, Node};

const USER_FIELDS: Fields = &[
    ("email", FieldKind::Text),
    ("isActive", FieldKind::Boolean),
    ("name", FieldKind::Text),
    ("resourceId", FieldKind::Text),
    ("srn", FieldKind::Text),
];
const ROLE_FIELDS: Fields = &[
    ("expandedPermissions", FieldKind::Text),
    ("name", FieldKind::Text),
    ("srn", FieldKind::Text),
];

/// Organization in the names of what every organization has.
const BUILT_IN: &str = "supersonrai";

/// Name of an account.
pub(super) fn srn_of(context: &Context, account: ObjectId) -> String {
    let cipher = context.view.id_cipher();
    ids::srn(cipher, &context.account_id(), Kind::USER.sonrai(), account)
}

/// When a credential of an account was last used, as far as the caller may know of it.
pub(super) fn last_login(context: &Context, account: EntityRef) -> Option<Instant> {
    let view = &context.view;
    let credential = view.type_id(CREDENTIAL)?;
    let owns = view.verb_id(verb::OWNS)?;
    let used = view.property_id(property::LAST_USED_ON)?;
    let mut last = None;
    let triples = view.triples_matching(Some(account.type_id), Some(owns), Some(credential));
    for triple in triples {
        let adjacency = view.adjacency(triple.id, Direction::Out);
        adjacency.for_each(account.row, |row| {
            let owned = EntityRef {
                type_id: credential,
                row,
            };
            if context.sees_entity(owned)
                && let Value::Instant(instant) = view.value(owned, used)
            {
                last = last.max(Some(instant));
            }
        });
    }
    last
}

fn text(context: &Context, entity: EntityRef, property: &str) -> String {
    match value(context, entity, property) {
        Value::String(text) => text,
        _ => String::new(),
    }
}

fn value(context: &Context, entity: EntityRef, property: &str) -> Value {
    let view = &context.view;
    let property = view.property_id(property);
    property.map_or(Value::Null, |property| view.value(entity, property))
}

/// `SonraiCurrentUsers`: the account that asks, whatever else it may see.
pub(super) fn current<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let context = call.context;
    let caller = context.caller().map_err(|error| errors::of(error))?;
    let mut rows = Vec::new();
    if let Some(id) = caller.account()
        && let Some(ObjectRef::Entity(entity)) = context.view.resolve(id)
    {
        let row = Row::new("SonraiUser")
            .text("email", &text(context, entity, property::EMAIL))
            .text("name", caller.account_name())
            // A suspended account does not get here.
            .with("isActive", true)
            .with("resourceId", context.view.id_cipher().uuid_of(id))
            .with("srn", srn_of(context, id));
        rows.push(match last_login(context, entity) {
            Some(last) => row.with("lastLogin", last),
            None => row,
        });
    }
    let list = RowList::new("SonraiUserConnection", USER_FIELDS, rows, None, context)?;
    Ok(Node::object(list))
}

/// The names of all rights that a role gives; what is stored may stand for several.
fn expanded(stored: &Value) -> Value {
    let Value::List(names) = stored else {
        return Value::List(Vec::new());
    };
    let rights = Rights::from_names(names.iter().filter_map(Value::as_str)).unwrap_or(Rights::NONE);
    Value::from(rights.names_one_by_one())
}

/// `SonraiRoles`
pub(super) fn roles<'a>(call: &Call<'a, Context>) -> Answer<'a> {
    let context = call.context;
    let sight = context.sight()?;
    let entities = context.view.type_id(Kind::ROLE.type_name()).map(|type_id| {
        let rows = context.view.live_rows(type_id);
        let entities = rows.iter().map(|row| EntityRef { type_id, row });
        let seen = entities.filter(|entity| sight.sees(ObjectRef::Entity(*entity)));
        seen.collect::<Vec<_>>()
    });
    let own = context.account_id();
    let rows = entities.into_iter().flatten().map(|entity| {
        let name = text(context, entity, property::DISPLAY_NAME);
        let is_built_in = value(context, entity, property::BUILT_IN) == Value::Bool(true);
        let prefix = if is_built_in {
            ids::srn_prefix(BUILT_IN, Kind::ROLE.sonrai())
        } else {
            ids::srn_prefix(&own, Kind::ROLE.sonrai())
        };
        let permissions = expanded(&value(context, entity, property::RIGHTS));
        Row::new("SonraiRole")
            .with("srn", format!("{prefix}{name}"))
            .with("name", name)
            .with("expandedPermissions", permissions)
    });
    let filter = call.argument("where");
    let rows = rows.collect();
    let list = RowList::new("SonraiRoleConnection", ROLE_FIELDS, rows, filter, context)?;
    Ok(Node::object(list))
}
