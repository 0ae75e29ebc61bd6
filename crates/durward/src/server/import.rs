// SPDX-License-Identifier: Apache-2.0
//! Imports over HTTP.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::request;
use axum::{Json, extract};
use durward_intel::{import_bundle, parse_bundle};
use durward_model::ErrorKind;
use durward_policy::Right;
use serde::Deserialize;

use crate::offline::report_json;
use crate::server::problem::Problem;
use crate::server::{Server, authenticate};

/// Parameters of `POST /import/stix`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StixParameters {
    /// Scope of the namespace in which the objects are written.
    #[serde(default)]
    scope: String,
}

/// Imports a STIX 2.1 bundle. Broken objects are named in the answer; the others arrive.
pub(crate) async fn stix(
    State(server): State<Arc<Server>>,
    parts: PartsOnly,
    Query(parameters): Query<StixParameters>,
    body: Bytes,
) -> Result<Json<serde_json::Value>, Problem> {
    let caller = authenticate::require(&server, &parts.0)?;
    caller.require(Right::SYNCHRONIZE).map_err(|error| Problem::of(&error))?;
    let task = move || {
        let bundle = parse_bundle(&body)
            .map_err(|error| Problem::new(error.kind(), error.to_string()))?;
        drop(body);
        let store = caller.organization().store();
        let origin = caller.origin("STIX bundle imported");
        import_bundle(store, origin, &parameters.scope, bundle)
            .map(|report| report_json(&report))
            .map_err(|error| Problem::of(&error))
    };
    let result = tokio::task::spawn_blocking(task).await;
    let failed = || Problem::new(ErrorKind::Internal, "the import ended abnormally");
    result.map_err(|_| failed())?.map(Json)
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
