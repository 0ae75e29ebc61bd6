// SPDX-License-Identifier: Apache-2.0
//! Liveness, readiness, metrics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::server::Server;

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

/// Metrics in the Prometheus text format: for credentials that may see the organization, and, where
/// it is configured, for anybody on this machine.
pub(crate) async fn metrics(State(server): State<Arc<Server>>) -> Response {
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
    let caches = server.budget.caches().used_bytes();
    let results = server.services.deferred.held_bytes();
    let all = server.budget.used_bytes();
    let requests = all.saturating_sub(caches).saturating_sub(results);
    for (part, bytes) in [
        ("requests", requests),
        ("caches", caches),
        ("results", results),
    ] {
        metrics::gauge!("durward_budget_bytes", "part" => part).set(bytes as f64);
    }
    let (strangers, known) = server.connections.counts();
    metrics::gauge!("durward_connections", "peer" => "stranger").set(strangers as f64);
    metrics::gauge!("durward_connections", "peer" => "known").set(known as f64);
    let text = server.metrics.render();
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}
