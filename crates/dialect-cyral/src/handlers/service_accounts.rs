// SPDX-License-Identifier: Apache-2.0
//! API client credentials: a client id and a secret with permissions.

use durward_identity::{CredentialFilter, CredentialKind, CredentialSummary, IssuedCredential};
use serde_json::{Map, Value as Json, json};

use super::{Call, sidecar_accounts};
use crate::Answer;
use crate::error::ApiError;
use crate::fields;
use crate::permission;

/// `GET /v1/users/serviceAccounts`
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let filter = CredentialFilter {
        kinds: vec![CredentialKind::CyralClient],
        usable_only: true,
        ..CredentialFilter::default()
    };
    let organization = call.caller.organization();
    let all = organization.credentials(call.caller, &filter)?;
    let shown = all
        .iter()
        .filter(|client| !sidecar_accounts::is_one(call, client))
        .map(shown);
    let rows: Vec<Json> = shown.map(Json::Object).collect();
    Ok(Answer::json(&json!({"serviceAccounts": rows})))
}

/// `POST /v1/users/serviceAccounts`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let name = fields::required(&body, "displayName")?;
    let names = names(&body)?;
    let organization = call.caller.organization();
    let made = organization.create_cyral_client(call.caller, name, names)?;
    Ok(with_secret(&made))
}

/// `GET /v1/users/serviceAccounts/{clientId}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(&Json::Object(shown(&find(call)?))))
}

/// `PATCH /v1/users/serviceAccounts/{clientId}`: what the body does not name stays.
pub(crate) fn update(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let client = find(call)?;
    let has = |field: &str| body.get(field).is_some_and(|value| !value.is_null());
    let name = has("displayName")
        .then(|| fields::required(&body, "displayName"))
        .transpose()?;
    let names = has("roleIds").then(|| names(&body)).transpose()?;
    let id = client.public_id.unwrap_or_default();
    let organization = call.caller.organization();
    let changed = organization.update_cyral_client(call.caller, &id, name, names)?;
    Ok(Answer::json(&Json::Object(shown(&changed))))
}

/// `POST /v1/users/serviceAccounts/{clientId}/rotateSecret`
pub(crate) fn rotate(call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = find(call)?.public_id.unwrap_or_default();
    let made = call
        .caller
        .organization()
        .rotate_cyral_client(call.caller, &id)?;
    Ok(with_secret(&made))
}

/// `DELETE /v1/users/serviceAccounts/{clientId}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = find(call)?.public_id.unwrap_or_default();
    call.caller
        .organization()
        .delete_cyral_client(call.caller, &id)?;
    Ok(Answer::empty())
}

/// The client that the path names; one that was revoked is none any more.
fn find(call: &Call<'_>) -> Result<CredentialSummary, ApiError> {
    let id = call.parameters.get("clientId");
    let found = call.caller.organization().cyral_client(call.caller, id)?;
    if found.revoked || sidecar_accounts::is_one(call, &found) {
        return Err(ApiError::not_found("there is no such client"));
    }
    Ok(found)
}

/// Names of the permissions whose ids a body holds.
fn names(body: &fields::Object) -> Result<Vec<&'static str>, ApiError> {
    let ids = fields::texts(body, "roleIds")?;
    if ids.is_empty() {
        return Err(ApiError::invalid(
            "the field \"roleIds\" must name a permission",
        ));
    }
    let named = ids.iter().map(|id| {
        let unknown = || ApiError::invalid(format!("there is no permission {id:?}"));
        permission::named(id).ok_or_else(unknown)
    });
    named.collect()
}

fn shown(client: &CredentialSummary) -> Map<String, Json> {
    let ids = client.cyral_permissions().into_iter().map(permission::id);
    let row = json!({
        "displayName": client.name,
        "clientId": client.public_id,
        "roleIds": ids.collect::<Vec<_>>(),
    });
    row.as_object().cloned().unwrap_or_default()
}

/// A client with its secret, which is shown this once.
fn with_secret(made: &IssuedCredential) -> Answer {
    let mut row = shown(&made.summary);
    row.insert("clientSecret".to_owned(), json!(made.secret.expose()));
    Answer::json(&Json::Object(row))
}
