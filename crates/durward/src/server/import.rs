// SPDX-License-Identifier: Apache-2.0
//! Imports over HTTP.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::request;
use axum::{Json, extract};
use durward_intel::{Room, import_bundle};
use durward_model::ErrorKind;
use durward_policy::Right;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::offline::report_json;
use crate::server::problem::Problem;
use crate::server::{Server, authenticate, body};

/// Parameters of `POST /import/stix`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StixParameters {
    /// Scope of the namespace in which the objects are written.
    #[serde(default)]
    scope: String,
}

/// Imports a STIX 2.1 bundle. Broken objects are named in the answer; the others arrive. A large
/// body is read only after the caller was let in.
pub(crate) async fn stix(
    State(server): State<Arc<Server>>,
    request: Request,
) -> Result<Json<serde_json::Value>, Problem> {
    let (parts, body) = request.into_parts();
    let body = body::small_first(body).await.map_err(|_| body::broken())?;
    let caller = authenticate::require(&server, &parts)?;
    caller
        .require(Right::SYNCHRONIZE)
        .map_err(|error| Problem::of(&error))?;
    let parameters: StixParameters = parameters(&parts)?;
    let body = body::whole(body).await?;
    let task = move || {
        let store = caller.organization().store();
        let origin = caller.origin("STIX bundle imported");
        let room = Room::unlimited();
        import_bundle(store, origin, &parameters.scope, &body, &room)
            .map(|report| report_json(&report))
            .map_err(|error| Problem::of(&error))
    };
    let result = tokio::task::spawn_blocking(task).await;
    let failed = || Problem::new(ErrorKind::Internal, "the import ended abnormally");
    result.map_err(|_| failed())?.map(Json)
}

/// The parameters of a request.
///
/// # Errors
/// When one is unknown or has a wrong value.
pub(crate) fn parameters<T: DeserializeOwned>(parts: &request::Parts) -> Result<T, Problem> {
    let Query(parameters) = Query::try_from_uri(&parts.uri)
        .map_err(|error| Problem::new(ErrorKind::Invalid, error.body_text()))?;
    Ok(parameters)
}

/// The head of a request, taken without its body.
#[derive(Debug)]
pub(crate) struct PartsOnly(pub(crate) request::Parts);

impl<S: Send + Sync> extract::FromRequestParts<S> for PartsOnly {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut request::Parts,
        _state: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.clone()))
    }
}
