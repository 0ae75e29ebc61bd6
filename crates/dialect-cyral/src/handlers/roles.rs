// SPDX-License-Identifier: Apache-2.0
//! Permissions, and roles that hold them. Clients call permissions `roles` and roles `groups`.

use durward_access::property;
use durward_access::verb::ASSIGNED;
use durward_access::{Kind, NewObject, Object, ObjectChange, Properties, reader};
use durward_graph::ObjectRef;
use durward_model::Value;
use durward_policy::{Rights, Vocabulary};
use serde_json::{Value as Json, json};

use super::Call;
use crate::Answer;
use crate::core::{self, new_id, setting};
use crate::error::ApiError;
use crate::fields;
use crate::permission;

/// Property with the mappings to groups of identity providers.
const MAPPINGS: &str = "cyralSsoMappings";

/// `GET /v1/users/roles`
#[expect(clippy::unnecessary_wraps, reason = "all handlers have one form")]
pub(crate) fn permissions(_: &Call<'_>) -> Result<Answer, ApiError> {
    let rows: Vec<Json> = Vocabulary::Cyral.words().map(permission_row).collect();
    Ok(Answer::json(&json!({"roles": rows})))
}

fn permission_row(name: &str) -> Json {
    json!({"id": permission::id(name), "name": name, "description": name})
}

/// `GET /v1/users/groups`
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let all = call.core().list(Kind::ROLE)?;
    let row = |role: &Object| {
        let held = permissions_of(call, role);
        json!({
            "id": role.id.to_hex(),
            "name": role.text(property::DISPLAY_NAME),
            "description": role.text("description"),
            "roles": held.into_iter().map(permission::id).collect::<Vec<_>>(),
            "members": members(call, role),
            "mappings": core::entries(role, MAPPINGS),
        })
    };
    let rows: Vec<Json> = all.iter().map(row).collect();
    Ok(Answer::json(&json!({"groups": rows})))
}

/// `POST /v1/users/groups`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let name = fields::required(&body, "name")?;
    let description = fields::text(&body, "description")?;
    let mut properties = Properties::from([(property::DISPLAY_NAME.to_owned(), Value::from(name))]);
    if !description.is_empty() {
        properties.insert("description".to_owned(), Value::from(description));
    }
    let new = NewObject {
        rights: Some(given_permissions(&body, "roles")?),
        ..NewObject::entity(Kind::ROLE, properties)
    };
    Ok(Answer::json(&shown(call, &call.core().create_new(new)?)))
}

/// `GET /v1/users/groups/{id}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let role = call.core().get(Kind::ROLE, call.parameters.get("id"))?;
    Ok(Answer::json(&shown(call, &role)))
}

/// `PUT /v1/users/groups/{id}`: rights of the role that are no permissions here stay.
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (body, id) = (call.object()?, call.parameters.get("id"));
    call.core().change(Kind::ROLE, id, |before| {
        let mut change = ObjectChange::default();
        if body.contains_key("name") {
            let name = fields::required(&body, "name")?;
            let properties = &mut change.properties;
            properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(name));
        }
        if body.contains_key("description") {
            let description = Value::from(fields::text(&body, "description")?);
            change
                .properties
                .insert("description".to_owned(), description);
        }
        if body.contains_key("roles") {
            let given = given_permissions(&body, "roles")?;
            change.rights = Some(
                Vocabulary::Cyral
                    .untold(&rights_of(call, before))
                    .union(given),
            );
        }
        Ok((change, ()))
    })?;
    let role = call.core().get(Kind::ROLE, id)?;
    Ok(Answer::json(&shown(call, &role)))
}

/// `DELETE /v1/users/groups/{id}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.core().delete(Kind::ROLE, call.parameters.get("id"))?;
    Ok(Answer::empty())
}

/// `GET /v1/users/groups/{id}/mappings`
pub(crate) fn mappings(call: &Call<'_>) -> Result<Answer, ApiError> {
    let role = call.core().get(Kind::ROLE, call.parameters.get("id"))?;
    Ok(Answer::json(
        &json!({"mappings": core::entries(&role, MAPPINGS)}),
    ))
}

/// `PATCH /v1/users/groups/{id}/mappings`: the body is a bare list of what is added.
pub(crate) fn add_mappings(call: &Call<'_>) -> Result<Answer, ApiError> {
    let wrapped = fields::Object::from_iter([("mappings".to_owned(), call.json()?)]);
    let mut given = Vec::new();
    for mapping in fields::objects(&wrapped, "mappings")? {
        let group = fields::required(mapping, "groupName")?;
        let alias = fields::required(mapping, "connectionAlias")?;
        given.push((group, alias));
    }
    let id = call.parameters.get("id");
    let all = call.core().change(Kind::ROLE, id, |role| {
        let mut all = core::entries(role, MAPPINGS);
        for (group, alias) in &given {
            let is_known = |known: &fields::Object| {
                known.get("groupName") == Some(&json!(group))
                    && known.get("connectionAlias") == Some(&json!(alias))
            };
            if !all.iter().any(is_known) {
                let mapping = json!({"id": new_id()?, "groupName": group,
                    "connectionAlias": alias, "connectionName": alias});
                all.extend(mapping.as_object().cloned());
            }
        }
        Ok((setting(MAPPINGS, json!(all)), all))
    })?;
    Ok(Answer::json(&json!({"mappings": all})))
}

/// `DELETE /v1/users/groups/{id}/mappings`: the body is a bare list of ids.
pub(crate) fn remove_mappings(call: &Call<'_>) -> Result<Answer, ApiError> {
    let wrapped = fields::Object::from_iter([("mappings".to_owned(), call.json()?)]);
    let ended = fields::texts(&wrapped, "mappings")?;
    call.core()
        .change(Kind::ROLE, call.parameters.get("id"), |role| {
            let mut all = core::entries(role, MAPPINGS);
            let is_ended = |mapping: &fields::Object| {
                let id = mapping.get("id").and_then(Json::as_str);
                ended.iter().any(|ended| Some(ended.as_str()) == id)
            };
            all.retain(|mapping| !is_ended(mapping));
            Ok((setting(MAPPINGS, json!(all)), ()))
        })?;
    Ok(Answer::empty())
}

/// A role as clients see it alone.
fn shown(call: &Call<'_>, role: &Object) -> Json {
    let held = permissions_of(call, role).into_iter();
    json!({
        "id": role.id.to_hex(),
        "name": role.text(property::DISPLAY_NAME),
        "description": role.text("description"),
        "roles": held.map(permission_row).collect::<Vec<_>>(),
    })
}

/// The permissions that a role holds, in the order of the table.
fn permissions_of(call: &Call<'_>, role: &Object) -> Vec<&'static str> {
    Vocabulary::Cyral.words_of(&rights_of(call, role))
}

/// What a role lets its holders do.
fn rights_of(call: &Call<'_>, role: &Object) -> Rights {
    let view = call.access.view(None);
    let Some(ObjectRef::Entity(entity)) = reader::find(&view, Kind::ROLE, role.id) else {
        return Rights::NONE;
    };
    let rights = call.access.organization().rights_of_role(&view, entity);
    rights.unwrap_or(Rights::NONE)
}

/// The rights behind the permissions that a body names, by id or by name.
pub(super) fn given_permissions(body: &fields::Object, field: &str) -> Result<Rights, ApiError> {
    let mut rights = Rights::NONE;
    for text in fields::texts(body, field)? {
        let given = permission::named(&text).and_then(|name| Vocabulary::Cyral.meaning(name));
        let given =
            given.ok_or_else(|| ApiError::invalid(format!("there is no permission {text:?}")))?;
        rights = rights.union(given);
    }
    Ok(rights)
}

/// The accounts and groups that have a role: addresses of people, names of the others.
fn members(call: &Call<'_>, role: &Object) -> Vec<Json> {
    let view = call.access.view(None);
    let Some(ObjectRef::Entity(entity)) = reader::find(&view, Kind::ROLE, role.id) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (kind, shown) in [
        (Kind::USER, property::EMAIL),
        (Kind::SERVICE, property::DISPLAY_NAME),
        (Kind::GROUP, property::DISPLAY_NAME),
    ] {
        for link in reader::links_in(&view, entity, ASSIGNED, kind) {
            found.push(json!(reader::text(&view, link.other, shown)));
        }
    }
    found
}
