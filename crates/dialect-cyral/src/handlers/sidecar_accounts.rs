// SPDX-License-Identifier: Apache-2.0
//! Credentials of sidecars: clients without any permission, owned by the node itself, so that
//! they end with it.

use durward_access::property;
use durward_access::{Kind, reader};
use durward_graph::store::{Operation, Target};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::{CredentialKind, CredentialSummary, NewCredential};
use durward_model::ObjectId;
use durward_policy::Rights;
use serde_json::json;

use super::Call;
use crate::Answer;
use crate::error::ApiError;
use crate::fields;

/// Property of a credential with its client id.
const CLIENT_ID: &str = "publicId";

/// Whether a client belongs to a sidecar.
pub(super) fn is_one(call: &Call<'_>, client: &CredentialSummary) -> bool {
    let view = call.access.view(None);
    reader::entity(&view, client.account, &[Kind::NODE]).is_some()
}

/// `POST /v1/users/sidecarAccounts`
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, ApiError> {
    let body = call.object()?;
    let id = fields::required(&body, "sidecarId")?;
    let node = call.core().get(Kind::NODE, id)?;
    let new = NewCredential {
        rights: Some(Rights::NONE),
        ..NewCredential::new(
            CredentialKind::CyralClient,
            Target::Id(node.id),
            &format!("sidecar {}", node.text(property::DISPLAY_NAME)),
        )
    };
    let organization = call.caller.organization();
    let drawn = organization.draw_credential(call.caller, new, 0)?;
    call.core()
        .write("sidecar credential created", drawn.operations)?;
    Ok(Answer::json(&json!({
        "sidecarId": node.id.to_hex(),
        "clientId": drawn.public_id,
        "clientSecret": drawn.secret.expose(),
    })))
}

/// `GET /v1/users/sidecarAccounts/{clientId}`
pub(crate) fn get(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (sidecar, _) = find(call)?;
    Ok(Answer::json(&json!({
        "sidecarId": sidecar.to_hex(),
        "clientId": call.parameters.get("clientId"),
    })))
}

/// `DELETE /v1/users/sidecarAccounts/{clientId}`
pub(crate) fn delete(call: &Call<'_>) -> Result<Answer, ApiError> {
    let (_, credential) = find(call)?;
    let end = Operation::DeleteEntity {
        target: Target::Id(credential),
    };
    call.core().write("sidecar credential deleted", vec![end])?;
    Ok(Answer::empty())
}

/// The sidecar and the credential of the client that the path names.
fn find(call: &Call<'_>) -> Result<(ObjectId, ObjectId), ApiError> {
    let view = call.access.view(None);
    let wanted = call.parameters.get("clientId");
    for node in call.access.list(call.caller, &view, Kind::NODE)? {
        let ObjectRef::Entity(node) = node else {
            continue;
        };
        if let Some(credential) = client_of(&view, node, wanted) {
            return Ok((view.entity_id(node), view.entity_id(credential)));
        }
    }
    Err(ApiError::not_found(
        "NotFound: there is no such client of a sidecar",
    ))
}

fn client_of(view: &View, node: EntityRef, wanted: &str) -> Option<EntityRef> {
    let mut clients = reader::credentials_of(view, node).into_iter();
    clients.find(|credential| reader::text(view, *credential, CLIENT_ID) == wanted)
}
