// SPDX-License-Identifier: Apache-2.0
//! Bindings of repositories to listeners of a sidecar: a list in a document of the node.

use durward_access::{Kind, Object};
use serde_json::{Value as Json, json};

use super::{Call, listeners};
use crate::Answer;
use crate::core::{self, new_id, setting};
use crate::error::ApiError;
use crate::fields;

const BINDINGS: &str = "cyralBindings";
/// Rows of a page of composed bindings, unless the request says otherwise, and at most.
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1000;

/// The bindings of a sidecar.
pub(super) fn of(node: &Object) -> Vec<fields::Object> {
    core::entries(node, BINDINGS)
}

/// The binding that uses a listener of its sidecar.
pub(super) fn using_listener(node: &Object, listener: &str) -> Option<String> {
    let uses = |binding: &&fields::Object| listener_ids(binding).any(|id| id == listener);
    let all = of(node);
    all.iter()
        .find(uses)
        .map(|binding| id_of(binding).to_owned())
}

/// `GET /v1/sidecars/{id}/bindings`
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let node = call.core().get(Kind::NODE, call.parameters.get("id"))?;
    Ok(Answer::json(&json!({"bindings": of(&node)})))
}

/// `POST /v1/sidecars/{id}/bindings`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = new_id()?;
    let body = call.object()?;
    call.core()
        .change(Kind::NODE, call.parameters.get("id"), |node| {
            let mut all = of(node);
            all.push(checked(call, node, &body, &id)?);
            Ok((setting(BINDINGS, json!(all)), ()))
        })?;
    Ok(Answer::json(&json!({"bindingId": id})))
}

/// `GET /v1/sidecars/{id}/bindings/{bid}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let node = call.core().get(Kind::NODE, call.parameters.get("id"))?;
    let (all, position) = located(&node, call.parameters.get("bid"))?;
    Ok(Answer::json(&json!({"binding": all.get(position)})))
}

/// `PUT /v1/sidecars/{id}/bindings/{bid}`
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (body, bid) = (call.object()?, call.parameters.get("bid"));
    let binding = call
        .core()
        .change(Kind::NODE, call.parameters.get("id"), |node| {
            let (mut all, position) = located(node, bid)?;
            let binding = checked(call, node, &body, bid)?;
            if let Some(place) = all.get_mut(position) {
                place.clone_from(&binding);
            }
            Ok((setting(BINDINGS, json!(all)), binding))
        })?;
    Ok(Answer::json(&json!({"binding": binding})))
}

/// `DELETE /v1/sidecars/{id}/bindings/{bid}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.core()
        .change(Kind::NODE, call.parameters.get("id"), |node| {
            let (mut all, position) = located(node, call.parameters.get("bid"))?;
            all.remove(position);
            Ok((setting(BINDINGS, json!(all)), ()))
        })?;
    Ok(Answer::empty())
}

/// `POST /v1/sidecars/{id}/composedBindings/filter`: bindings with their listeners, in pages.
pub(crate) fn composed(call: &Call<'_>) -> Result<Answer, ApiError> {
    let node = call.core().get(Kind::NODE, call.parameters.get("id"))?;
    let (all, listeners) = (of(&node), listeners::of(&node));
    let size = call.page_size(PAGE_DEFAULT, PAGE_MAX)?;
    let start = match call.query("pageAfter") {
        None => 0,
        Some(after) => located(&node, &after)?.1.saturating_add(1),
    };
    let rows = all.iter().skip(start).take(size).map(|binding| {
        let used = listener_ids(binding).filter_map(|id| {
            let is_it = |listener: &&fields::Object| id_of(listener) == id;
            listeners.iter().find(is_it)
        });
        json!({"binding": binding, "listeners": used.collect::<Vec<_>>()})
    });
    let rows: Vec<Json> = rows.collect();
    Ok(Answer::json(
        &json!({"composedBindings": rows, "totalCount": all.len()}),
    ))
}

fn located(node: &Object, bid: &str) -> Result<(Vec<fields::Object>, usize), ApiError> {
    let all = of(node);
    match all.iter().position(|binding| id_of(binding) == bid) {
        Some(position) => Ok((all, position)),
        None => Err(ApiError::not_found(
            "NotFound: the sidecar has no such binding",
        )),
    }
}

fn id_of(object: &fields::Object) -> &str {
    object.get("id").and_then(Json::as_str).unwrap_or_default()
}

fn listener_ids(binding: &fields::Object) -> impl Iterator<Item = &str> {
    let items = binding.get("listenerBindings").and_then(Json::as_array);
    let items = items.map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.get("listenerId")?.as_str())
}

/// The binding of a body, with its id; its repository and its listeners must be there.
fn checked(
    call: &Call<'_>,
    node: &Object,
    body: &fields::Object,
    id: &str,
) -> Result<fields::Object, ApiError> {
    let given = fields::wrapped(body, "binding")?;
    let repo = fields::required(given, "repoId")?;
    if !call.core().has(Kind::RESOURCE, repo) {
        return Err(ApiError::invalid(format!(
            "there is no repository {repo:?}"
        )));
    }
    let mut used = Vec::new();
    let known = listeners::of(node);
    for item in fields::objects(given, "listenerBindings")? {
        let listener = fields::required(item, "listenerId")?;
        if !known.iter().any(|known| id_of(known) == listener) {
            return Err(ApiError::invalid(format!(
                "the sidecar has no listener {listener:?}"
            )));
        }
        used.push(fields::only(item, &["listenerId", "nodeIndex"]));
    }
    let mut binding = fields::Object::new();
    binding.insert("id".to_owned(), json!(id));
    binding.insert("repoId".to_owned(), json!(repo));
    binding.insert(
        "enabled".to_owned(),
        json!(fields::flag(given, "enabled", false)?),
    );
    binding.insert("listenerBindings".to_owned(), json!(used));
    Ok(binding)
}
