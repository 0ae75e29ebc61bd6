// SPDX-License-Identifier: Apache-2.0
//! Deferred results, fetched by an unguessable address without a credential.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use durward_graphql::Deferred;
use durward_model::ErrorKind;

use crate::server::Server;
use crate::server::problem::Problem;

/// The document of a deferred query: its state, and its data once it is done.
pub(crate) async fn fetch(
    State(server): State<Arc<Server>>,
    Path(token): Path<String>,
) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    match server.services.deferred.get(&token, server.clock.now()) {
        Some(Deferred::Running) => (headers, r#"{"status":"IN_PROGRESS"}"#).into_response(),
        Some(Deferred::Done(document)) => {
            (headers, Body::from(Bytes::from_owner(document))).into_response()
        }
        None => {
            let detail = "there is no such result, or it has expired";
            Problem::new(ErrorKind::NotFound, detail).into_response()
        }
    }
}
