// SPDX-License-Identifier: Apache-2.0
//! Sidecars, which are nodes of the core.

use serde_json::json;

use super::Call;
use crate::Answer;
use crate::error::ApiError;

/// `GET /v1/sidecars`
pub(crate) fn list(_: &Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::json(&json!([])))
}

/// `GET /v2/sidecars/{id}/certificate/ca`: asked without a credential, so it must not tell which
/// sidecars there are.
pub(crate) fn certificate() -> Result<Answer, ApiError> {
    let message = "NotFound: no sidecar has reported a certificate authority";
    Err(ApiError::not_found(message))
}
