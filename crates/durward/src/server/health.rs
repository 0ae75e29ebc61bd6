// SPDX-License-Identifier: Apache-2.0
//! Liveness, readiness, metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
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

/// Headers by which proxies say for whom they ask.
const FORWARDING: [&str; 8] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

/// Whether a request comes from this machine and says nothing of another. A proxy may run here too
/// and say nothing either, so this opens nothing unless the configuration says so.
fn is_local(peer: SocketAddr, headers: &HeaderMap) -> bool {
    peer.ip().is_loopback() && !FORWARDING.iter().any(|name| headers.contains_key(*name))
}

/// Metrics in the Prometheus text format: for credentials that may see the organization, and, where
/// it is configured, for anybody on this machine.
pub(crate) async fn metrics(
    State(server): State<Arc<Server>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    parts: PartsOnly,
) -> Result<Response, Problem> {
    if !(server.metrics_anonymous && is_local(peer, &parts.0.headers)) {
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
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}
