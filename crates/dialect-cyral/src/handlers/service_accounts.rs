// SPDX-License-Identifier: Apache-2.0
//! API client credentials: a client id and a secret with permissions.

use durward_identity::{
    CredentialFilter, CredentialKind, CredentialSummary, CredentialUpdate, IssuedCredential,
    NewCredential, cyral_permissions,
};
use durward_policy::{Rights, Vocabulary};
use serde_json::{Map, Value as Json, json};

use super::{Call, sidecar_accounts};
use crate::Answer;
use crate::error::ApiError;
use crate::fields;
use crate::permission;

const KIND: CredentialKind = CredentialKind::CyralClient;

/// `GET /v1/users/serviceAccounts`
pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    let filter = CredentialFilter {
        kinds: vec![KIND],
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
    let new = NewCredential {
        rights: Some(rights(&body)?),
        ..NewCredential::own(call.caller, KIND, name)?
    };
    let organization = call.caller.organization();
    let made = organization.create_own_credential(call.caller, new)?;
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
    let update = CredentialUpdate {
        name: name.map(str::to_owned),
        tags: None,
        rights: has("roleIds").then(|| rights(&body)).transpose()?,
    };
    let organization = call.caller.organization();
    let changed = organization.update_credential(call.caller, client.id, update)?;
    Ok(Answer::json(&Json::Object(shown(&changed))))
}

/// `POST /v1/users/serviceAccounts/{clientId}/rotateSecret`
pub(crate) fn rotate(call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = find(call)?.id;
    let organization = call.caller.organization();
    Ok(with_secret(
        &organization.rekey_credential(call.caller, id)?,
    ))
}

/// `DELETE /v1/users/serviceAccounts/{clientId}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    let id = find(call)?.id;
    let organization = call.caller.organization();
    organization.delete_credential(call.caller, id)?;
    Ok(Answer::empty())
}

/// The client that the path names; one that was revoked is none any more.
fn find(call: &Call<'_>) -> Result<CredentialSummary, ApiError> {
    let id = call.parameters.get("clientId");
    let organization = call.caller.organization();
    let found = organization.credential_named(call.caller, KIND, id);
    let found = found.filter(|found| !found.revoked && !sidecar_accounts::is_one(call, found));
    found.ok_or_else(|| ApiError::not_found("there is no such client"))
}

/// The permissions whose ids a body holds.
fn rights(body: &fields::Object) -> Result<Rights, ApiError> {
    let ids = fields::texts(body, "roleIds")?;
    if ids.is_empty() {
        return Err(ApiError::invalid(
            "the field \"roleIds\" must name a permission",
        ));
    }
    let mut rights = Rights::NONE;
    for id in ids {
        let known = permission::named(&id).and_then(|name| Vocabulary::Cyral.meaning(name));
        let unknown = || ApiError::invalid(format!("there is no permission {id:?}"));
        rights = rights.union(known.ok_or_else(unknown)?);
    }
    Ok(rights)
}

fn shown(client: &CredentialSummary) -> Map<String, Json> {
    let ids = cyral_permissions(client.rights)
        .into_iter()
        .map(permission::id);
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
