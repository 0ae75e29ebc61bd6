// SPDX-License-Identifier: Apache-2.0
//! All routes of the listener.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};
use durward_policy::{RouteError, Routes};

use crate::server::{
    Server, audit, cyral, graphql, grpc, guard, health, import, observe, problem, results,
    synchronization,
};

/// Largest request body in bytes (64 MiB).
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

const CONTRACT: &str = include_str!("../../../../contracts/routes/durward.toml");

/// The router over everything. Which routes there are and who may ask them is said by the contracts
/// in `contracts/routes`; `tests/authorization.rs` wants a row for each.
///
/// # Errors
/// When a contract and what is executed differ.
pub(crate) fn router(server: Arc<Server>) -> Result<Router, RouteError> {
    let synchronization = durward_dialect_sync::router(|route, handler| {
        synchronization::guarded(&server, route, handler)
    })?;
    let mut own = Router::new();
    for (route, handler) in Routes::parse(CONTRACT)?.with_handlers(handlers())? {
        let handler = handler.with_state(Arc::clone(&server));
        own = own.route(&route.path, guard::guarded(&server, &route, handler));
    }
    let own = own
        .fallback_service(any(cyral::or_nothing).with_state(Arc::clone(&server)))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    Ok(own
        .merge(synchronization)
        .method_not_allowed_fallback(problem::no_method)
        .layer(from_fn_with_state(Arc::clone(&server), grpc::answer))
        .layer(from_fn_with_state(server, observe::request)))
}

/// What answers each route of the server itself.
fn handlers() -> Vec<(&'static str, &'static str, MethodRouter<Arc<Server>>)> {
    vec![
        ("GET", "/healthz", get(health::alive)),
        ("GET", "/readyz", get(health::ready)),
        ("GET", "/metrics", get(health::metrics)),
        ("POST", "/", post(graphql::shared)),
        ("POST", "/graphql", post(graphql::shared)),
        ("POST", "/rules/graphql", post(graphql::shared)),
        ("POST", "/{schema}/graphql", post(graphql::of_schema)),
        ("GET", "/jupiterone/results/{token}", get(results::fetch)),
        ("POST", "/import/stix", post(import::stix)),
        ("GET", "/audit/verify", get(audit::verify)),
        ("GET", "/audit/export", get(audit::export)),
    ]
}
