// SPDX-License-Identifier: Apache-2.0
//! All routes of the listener.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::server::{
    Server, audit, graphql, health, import, observe, problem, results, synchronization,
};

/// Largest request body in bytes (64 MiB).
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

/// Paths and methods that are served, for the test that walks all of them. Those of the
/// synchronization dialect are listed by its own crate.
pub(crate) const ROUTES: &[(&str, &str)] = &[
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("POST", "/"),
    ("POST", "/graphql"),
    ("POST", "/rules/graphql"),
    ("POST", "/durward/graphql"),
    ("POST", "/jupiterone/graphql"),
    ("POST", "/opencti/graphql"),
    ("GET", "/jupiterone/results/{token}"),
    ("POST", "/import/stix"),
    ("GET", "/audit/verify"),
    ("GET", "/audit/export"),
];

/// The router over everything.
pub(crate) fn router(server: Arc<Server>) -> Router {
    let synchronization = durward_dialect_sync::router().layer(from_fn_with_state(
        Arc::clone(&server),
        synchronization::authorize,
    ));
    let own = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/", post(graphql::shared))
        .route("/graphql", post(graphql::shared))
        .route("/rules/graphql", post(graphql::shared))
        .route("/durward/graphql", post(graphql::durward))
        .route("/jupiterone/graphql", post(graphql::jupiterone))
        .route("/opencti/graphql", post(graphql::opencti))
        .route("/jupiterone/results/{token}", get(results::fetch))
        .route("/import/stix", post(import::stix))
        .route("/audit/verify", get(audit::verify))
        .route("/audit/export", get(audit::export))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::clone(&server));
    own.merge(synchronization)
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(from_fn(problem::refuse_grpc))
        .layer(from_fn_with_state(server, observe::request))
}
