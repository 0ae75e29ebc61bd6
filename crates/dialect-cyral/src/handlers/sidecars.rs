// SPDX-License-Identifier: Apache-2.0
//! Sidecars, which are nodes of the core. No sidecar of this build runs yet: what only a running
//! one could tell is answered as unknown.

use durward_access::property;
use durward_access::{Kind, NewObject, Object, ObjectChange, Properties};
use durward_model::Value;
use serde_json::{Map, Value as Json, json};

use super::Call;
use crate::Answer;
use crate::core::{self, changing};
use crate::error::ApiError;
use crate::fields;

/// Property with what only this dialect knows of a sidecar.
const SETTINGS: &str = "cyralSidecar";
/// Property with the labels.
const LABELS: &str = "labels";
/// Property with the address under which users reach it.
const ADDRESS: &str = "address";
/// Kind of the nodes that are made here: like a sidecar, it stands for several instances.
const NODE_KIND: &str = "proxy_cluster";

/// `GET /v1/sidecars`
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let all = call.core().list(Kind::NODE)?;
    let rows = all
        .iter()
        .map(|node| json!({"id": node.id.to_hex(), "sidecar": shown(node)}));
    Ok(Answer::json(&rows.collect()))
}

/// `POST /v1/sidecars`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let mut properties = merged(None, &body)?;
    let name = fields::required(&body, "name")?;
    properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(name));
    properties.insert(property::KIND.to_owned(), Value::from(NODE_KIND));
    let new = NewObject {
        is_name_unique: true,
        ..NewObject::entity(Kind::NODE, properties)
    };
    let id = call.core().create_new(new)?.id.to_hex();
    // Clients disagree about the spelling.
    Ok(Answer::json(&json!({"ID": id, "id": id})))
}

/// `GET /v1/sidecars/{id}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let node = call.core().get(Kind::NODE, call.parameters.get("id"))?;
    Ok(Answer::json(&shown(&node)))
}

/// `GET /v2/sidecars/{id}`
pub(crate) fn get_wrapped(call: &Call<'_>) -> Result<Answer, ApiError> {
    let node = call.core().get(Kind::NODE, call.parameters.get("id"))?;
    let mut sidecar = shown(&node);
    if let Some(sidecar) = sidecar.as_object_mut() {
        // No instance has told its version.
        sidecar.insert("version".to_owned(), json!(""));
    }
    Ok(Answer::json(&json!({"sidecar": sidecar})))
}

/// `PUT /v1/sidecars/{id}`: what the body does not name stays.
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (body, id) = (call.object()?, call.parameters.get("id"));
    call.core().change(Kind::NODE, id, |before| {
        let mut properties = merged(Some(before), &body)?;
        if body.get("name").is_some_and(|name| !name.is_null()) {
            let name = fields::required(&body, "name")?;
            properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(name));
        }
        let change = ObjectChange {
            is_name_unique: true,
            ..changing(properties)
        };
        Ok((change, ()))
    })?;
    let node = call.core().get(Kind::NODE, id)?;
    Ok(Answer::json(&shown(&node)))
}

/// `DELETE /v1/sidecars/{id}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.core().delete(Kind::NODE, call.parameters.get("id"))?;
    Ok(Answer::empty())
}

/// `GET /v2/sidecars/{id}/certificate/ca`: asked without a credential, so it must not tell which
/// sidecars there are.
pub(crate) fn certificate() -> Result<Answer, ApiError> {
    let message = "NotFound: no sidecar has reported a certificate authority";
    Err(ApiError::not_found(message))
}

/// `GET /v2/sidecars/{id}/health`
pub(crate) fn health(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.core().get(Kind::NODE, call.parameters.get("id"))?;
    Ok(Answer::json(&json!({"status": "UNKNOWN"})))
}

/// `GET /v2/sidecars/{id}/instances`
pub(crate) fn instances(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.core().get(Kind::NODE, call.parameters.get("id"))?;
    Ok(Answer::json(&json!({"instances": []})))
}

/// `GET /v2/sidecars/{id}/instances/{iid}/stats`
pub(crate) fn statistics(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.core().get(Kind::NODE, call.parameters.get("id"))?;
    Err(ApiError::not_found(
        "NotFound: the sidecar has no such instance",
    ))
}

/// A sidecar as clients see it.
fn shown(node: &Object) -> Json {
    let empty = Map::new();
    let settings = core::document(node, SETTINGS)
        .and_then(Json::as_object)
        .unwrap_or(&empty);
    let part = |name: &str| settings.get(name).cloned().unwrap_or_else(|| json!({}));
    json!({
        "id": node.id.to_hex(),
        "name": node.text(property::DISPLAY_NAME),
        "labels": core::texts(node, LABELS),
        "properties": part("properties"),
        "services": part("services"),
        "userEndpoint": node.text(ADDRESS),
        // What a gateway of the core was told about itself; a sidecar reports it when it runs.
        "endpoint": node.text("listenAddress").rsplit_once(':').map_or("", |(host, _)| host),
        "certificateBundleSecrets": part("certificateBundleSecrets"),
    })
}

/// The properties that a body changes: fields that it does not name stay, and so do the settings
/// of services that it does not name.
fn merged(before: Option<&Object>, body: &fields::Object) -> Result<Properties, ApiError> {
    let mut properties = Properties::new();
    if body.contains_key("labels") {
        let labels = core::list_value(fields::texts(body, "labels")?);
        properties.insert(LABELS.to_owned(), labels);
    }
    if body.contains_key("userEndpoint") {
        let address = fields::text(body, "userEndpoint")?;
        properties.insert(ADDRESS.to_owned(), Value::from(address));
    }
    let known = before.and_then(|node| core::document(node, SETTINGS)?.as_object());
    let mut settings = known.cloned().unwrap_or_default();
    if let Some(given) = fields::object(body, "properties")? {
        settings.insert("properties".to_owned(), Json::Object(given.clone()));
    }
    if let Some(given) = fields::object(body, "services")? {
        within(&mut settings, "services", |known| {
            merge_services(known, given)
        })?;
    }
    if let Some(given) = fields::object(body, "certificateBundleSecrets")? {
        within(&mut settings, "certificateBundleSecrets", |known| {
            merge_secrets(known, given)
        })?;
    }
    let settings = Value::Document(Json::Object(settings).into());
    properties.insert(SETTINGS.to_owned(), settings);
    Ok(properties)
}

fn merge_services(known: &mut fields::Object, given: &fields::Object) -> Result<(), ApiError> {
    for name in given.keys() {
        match fields::object(given, name)? {
            Some(options) => within(known, name, |service| service.extend(options.clone())),
            None => drop(known.remove(name)),
        }
    }
    Ok(())
}

fn merge_secrets(known: &mut fields::Object, given: &fields::Object) -> Result<(), ApiError> {
    for name in given.keys() {
        match fields::object(given, name)? {
            Some(secret) if !fields::text(secret, "secretId")?.is_empty() => {
                known.insert(name.clone(), Json::Object(secret.clone()));
            }
            // An entry with empty values takes the certificate away.
            _ => drop(known.remove(name)),
        }
    }
    Ok(())
}

/// Changes the object under a name, which is made where it is missing.
fn within<T>(
    object: &mut fields::Object,
    name: &str,
    work: impl FnOnce(&mut fields::Object) -> T,
) -> T {
    let known = object.get(name).and_then(Json::as_object);
    let mut inner = known.cloned().unwrap_or_default();
    let result = work(&mut inner);
    object.insert(name.to_owned(), Json::Object(inner));
    result
}
