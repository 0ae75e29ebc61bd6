// SPDX-License-Identifier: Apache-2.0
//! Liveness, readiness, metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use durward_policy::Right;

use crate::server::import::PartsOnly;
use crate::server::problem::Problem;
use crate::server::{Server, authenticate};

/// The process runs.
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// Reads are possible. The listener serves only after every organization was opened, so reaching
/// this is the proof. A part that ended takes it back: the process is about to end.
pub(crate) async fn ready(State(server): State<Arc<Server>>) -> Response {
    if server.organizations.all().is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, "no organization is open\n").into_response();
    }
    if server.ended_part().is_some() {
        let reason = "a part of the server ended; it stops\n";
        return (StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    }
    "ready\n".into_response()
}

/// Metrics in the Prometheus text format: for callers on this machine, and for credentials that may
/// see the organization.
pub(crate) async fn metrics(
    State(server): State<Arc<Server>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    parts: PartsOnly,
) -> Result<Response, Problem> {
    if !peer.ip().is_loopback() {
        let caller = authenticate::require(&server, &parts.0)?;
        caller
            .require(Right::READ_ORGANIZATION)
            .map_err(|error| Problem::of(&error))?;
    }
    let mut entities = 0u64;
    for organization in server.organizations.all() {
        let view = organization.store().view(None);
        let counts = view
            .types()
            .into_iter()
            .map(|type_id| view.live_count(type_id));
        entities = entities.saturating_add(counts.sum());
    }
    metrics::gauge!("durward_graph_entities").set(entities as f64);
    let text = server.metrics.render();
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}
