// SPDX-License-Identifier: Apache-2.0
//! All routes of the listener.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::server::{
    Server, audit, cyral, graphql, grpc, health, import, observe, problem, results, synchronization,
};

/// Largest request body in bytes (64 MiB).
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

/// The router over everything. `tests/authorization.rs` reads the routes from here, and wants a row
/// for each.
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
        .route("/{schema}/graphql", post(graphql::of_schema))
        .route("/jupiterone/results/{token}", get(results::fetch))
        .route("/import/stix", post(import::stix))
        .route("/audit/verify", get(audit::verify))
        .route("/audit/export", get(audit::export))
        .fallback(cyral::or_nothing)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::clone(&server));
    own.merge(synchronization)
        .method_not_allowed_fallback(problem::no_method)
        .layer(from_fn_with_state(Arc::clone(&server), grpc::answer))
        .layer(from_fn_with_state(server, observe::request))
}
