// SPDX-License-Identifier: Apache-2.0
//! People.

use durward_access::accounts;
use serde_json::json;

use super::Call;
use crate::Answer;
use crate::error::ApiError;

/// `GET /v1/users/users/_self`
pub(crate) fn own(call: &Call<'_>) -> Result<Answer, ApiError> {
    let Some(id) = call.caller.account() else {
        return Err(ApiError::not_found("the caller has no account"));
    };
    let account = accounts::get(call.caller, &call.access.view(None), id)?;
    Ok(Answer::json(&json!({
        "id": id.to_hex(),
        "email": account.email,
        "name": account.display_name,
        "enabled": !account.suspended,
    })))
}
