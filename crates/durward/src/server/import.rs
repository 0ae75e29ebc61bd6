// SPDX-License-Identifier: Apache-2.0
//! Imports over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Query, Request, State};
use axum::http::request;
use axum::{Extension, Json, extract};
use durward_budget::body::{self, BodyLimits};
use durward_identity::Caller;
use durward_intel::{ImportError, Room, import_bundle};
use durward_model::ErrorKind;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::offline::report_json;
use crate::server::Server;
use crate::server::problem::Problem;
use crate::server::router::BODY_BYTES_MAX;

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
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Json<serde_json::Value>, Problem> {
    let (parts, body) = request.into_parts();
    let parameters: StixParameters = match parameters(&parts) {
        Ok(parameters) => parameters,
        Err(refused) => {
            let lease = server.budget.strangers().lease();
            drop(body::read(body, BodyLimits::STRANGER, &lease).await);
            return Err(refused);
        }
    };
    let is_given_up = GivenUp::default();
    let share = caller.share();
    let lease = share.lease();
    let limits = BodyLimits::known(BODY_BYTES_MAX);
    let body = body::read(body, limits, &lease)
        .await
        .map_err(|error| Problem::body(&error))?;
    let turn = share.turn().await;
    let turn = turn.map_err(|error| Problem::exhausted(&error))?;
    let room = Room::new(&share, Arc::clone(&is_given_up.0));
    let task = move || {
        let _held = (turn, lease);
        let store = caller.organization().store();
        let origin = caller.origin("STIX bundle imported");
        import_bundle(store, origin, &parameters.scope, &body, &room)
            .map(|report| report_json(&report))
            .map_err(|error| problem(&error))
    };
    let result = tokio::task::spawn_blocking(task).await;
    let failed = || Problem::new(ErrorKind::Internal, "the import ended abnormally");
    result.map_err(|_| failed())?.map(Json)
}

/// Ends an import at its next step when it is dropped: the client is gone, or the answer is there.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The answer to an import that wrote nothing.
fn problem(error: &ImportError) -> Problem {
    match error.exhausted() {
        Some(exhausted) => Problem::exhausted(&exhausted),
        None => Problem::of(error),
    }
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
