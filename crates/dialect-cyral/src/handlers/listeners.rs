// SPDX-License-Identifier: Apache-2.0
//! Listeners of sidecars: a list in a document of the node, in order of creation.

use durward_access::{Kind, Object};
use serde_json::{Value as Json, json};

use super::{Call, bindings, repos};
use crate::Answer;
use crate::core::{self, new_id, setting};
use crate::error::ApiError;
use crate::fields;

const LISTENERS: &str = "cyralListeners";
const SETTINGS: [&str; 4] = [
    "mysqlSettings",
    "s3Settings",
    "dynamoDbSettings",
    "sqlServerSettings",
];

/// The listeners of a sidecar.
pub(super) fn of(node: &Object) -> Vec<fields::Object> {
    core::entries(node, LISTENERS)
}

/// `GET /v1/sidecars/{id}/listeners`
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let node = call.core().get(Kind::NODE, call.parameters.get("id"))?;
    Ok(Answer::json(&json!({"listenerConfigs": of(&node)})))
}

/// `POST /v1/sidecars/{id}/listeners`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = new_id()?;
    let listener = checked(call, &id)?;
    call.core()
        .change(Kind::NODE, call.parameters.get("id"), |node| {
            let mut all = of(node);
            all.push(listener.clone());
            Ok((setting(LISTENERS, json!(all)), ()))
        })?;
    Ok(Answer::json(&json!({"listenerId": id})))
}

/// `GET /v1/sidecars/{id}/listeners/{lid}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let node = call.core().get(Kind::NODE, call.parameters.get("id"))?;
    let (all, position) = located(call, &node)?;
    Ok(Answer::json(&json!({"listenerConfig": all.get(position)})))
}

/// `PUT /v1/sidecars/{id}/listeners/{lid}`
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let listener = checked(call, call.parameters.get("lid"))?;
    call.core()
        .change(Kind::NODE, call.parameters.get("id"), |node| {
            let (mut all, position) = located(call, node)?;
            if let Some(place) = all.get_mut(position) {
                place.clone_from(&listener);
            }
            Ok((setting(LISTENERS, json!(all)), ()))
        })?;
    Ok(Answer::json(&json!({"listenerConfig": listener})))
}

/// `DELETE /v1/sidecars/{id}/listeners/{lid}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    let lid = call.parameters.get("lid");
    call.core()
        .change(Kind::NODE, call.parameters.get("id"), |node| {
            let (mut all, position) = located(call, node)?;
            if let Some(binding) = bindings::using_listener(node, lid) {
                let why = format!("the listener is used by the binding {binding:?}");
                return Err(ApiError::invalid(why));
            }
            all.remove(position);
            Ok((setting(LISTENERS, json!(all)), ()))
        })?;
    Ok(Answer::empty())
}

/// All listeners of a sidecar, and the position of the one that the path names.
fn located(call: &Call<'_>, node: &Object) -> Result<(Vec<fields::Object>, usize), ApiError> {
    let (all, lid) = (of(node), call.parameters.get("lid"));
    let is_it = |listener: &fields::Object| listener.get("id").and_then(Json::as_str) == Some(lid);
    match all.iter().position(is_it) {
        Some(position) => Ok((all, position)),
        None => Err(ApiError::not_found(
            "NotFound: the sidecar has no such listener",
        )),
    }
}

/// The listener of a body, with its id.
fn checked(call: &Call<'_>, id: &str) -> Result<fields::Object, ApiError> {
    let body = call.object()?;
    let given = fields::wrapped(&body, "listenerConfig")?;
    let types = fields::choices(given, "repoTypes", &repos::TYPES)?;
    if types.is_empty() {
        return Err(ApiError::invalid(
            "the field \"repoTypes\" must name a type",
        ));
    }
    let address = fields::wrapped(given, "address")?;
    let port = fields::port(address, "port")?;
    if port == 0 {
        return Err(ApiError::invalid(
            "the field \"port\" of the address is missing",
        ));
    }
    let host = fields::text(address, "host")?;
    let mut listener = fields::Object::new();
    listener.insert("id".to_owned(), json!(id));
    listener.insert("repoTypes".to_owned(), json!(types));
    let mut shown = json!({"port": port});
    if let (false, Some(shown)) = (host.is_empty(), shown.as_object_mut()) {
        shown.insert("host".to_owned(), json!(host));
    }
    listener.insert("address".to_owned(), shown);
    for name in SETTINGS {
        if let Some(settings) = fields::object(given, name)? {
            listener.insert(name.to_owned(), Json::Object(settings.clone()));
        }
    }
    Ok(listener)
}
