// SPDX-License-Identifier: Apache-2.0
//! Around every request: an id, a span, metrics, headers that browsers heed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use durward_dialect_cyral::CyralApi;
use durward_dialect_strongdm::{Code, Outcome};
use tracing::Instrument as _;

use crate::server::Server;

/// Header with the id of a request; a client may send its own.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a client may send.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Id of a request, as the log, the audit log and the answer have it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Gives a request its id and span, and counts it.
pub(crate) async fn request(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let wire = wire(request.uri().path());
    let method = request.method().clone();
    let begun = server.clock.now();
    let span = tracing::info_span!("request", request_id = %id, %method, wire);
    let mut response = next.run(request).instrument(span).await;
    let micros = server
        .clock
        .now()
        .as_micros()
        .saturating_sub(begun.as_micros())
        .max(0);
    let status = response.status().as_u16();
    let class = outcome(&response);
    metrics::counter!("durward_http_requests_total", "wire" => wire, "outcome" => class)
        .increment(1);
    metrics::histogram!("durward_http_request_seconds", "wire" => wire)
        .record(micros as f64 / 1_000_000.0);
    tracing::debug!(request_id = %id, wire, status, micros, "request answered");
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert_with(|| HeaderValue::from_static("no-store"));
    response
}

/// How a request ended, for metrics. A gRPC call that fails has the HTTP status 200 all the same.
fn outcome(response: &Response) -> &'static str {
    match response.extensions().get::<Outcome>().map(|end| end.code) {
        Some(Code::Internal | Code::Unavailable | Code::DeadlineExceeded) => return "failed",
        None | Some(Code::Ok) => {}
        Some(_) => return "refused",
    }
    match response.status().as_u16() {
        0..=299 => "success",
        300..=399 => "redirect",
        400..=499 => "refused",
        _ => "failed",
    }
}

/// The id that the client sent, if it is a plain word, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let sent = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let is_plain = |text: &&str| {
        !text.is_empty()
            && text.len() <= REQUEST_ID_BYTES_MAX
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
    };
    sent.filter(is_plain).map_or_else(
        || durward_vault::random::hex::<8>().unwrap_or_else(|_| "unknown".to_owned()),
        str::to_owned,
    )
}

/// The interface that a path belongs to; a bounded set, for metrics.
fn wire(path: &str) -> &'static str {
    match path {
        "/" | "/graphql" | "/rules/graphql" => "graphql",
        "/durward/graphql" => "durward",
        "/opencti/graphql" => "opencti",
        "/healthz" | "/readyz" | "/metrics" => "health",
        _ if path.starts_with("/v1.") => "strongdm",
        _ if path.starts_with("/grpc.") => "grpc",
        _ if path.starts_with("/jupiterone/") => "jupiterone",
        _ if path.starts_with("/persister/") => "synchronization",
        _ if path.starts_with("/import/") => "import",
        _ if path.starts_with("/audit/") => "audit",
        _ if CyralApi::owns(path) => "cyral",
        _ => "other",
    }
}
