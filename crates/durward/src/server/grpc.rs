// SPDX-License-Identifier: Apache-2.0
//! gRPC calls among the other requests of the listener.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use durward_dialect_strongdm as strongdm;
use strongdm::{Outcome, Source};

use crate::server::{Server, authenticate};

/// Answers gRPC calls; everything else goes on to the routes.
pub(crate) async fn answer(
    State(server): State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Response {
    if !strongdm::is_grpc(request.headers()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let known = authenticate::Source::of(&parts);
    let source = Source {
        remote_address: known.address(),
        request_id: &known.request_id,
    };
    let request = Request::from_parts(parts, body);
    let response = server.grpc.answer(request, source).await;
    if let Some(signed) = response.extensions().get::<strongdm::SignedFor>() {
        known.prove(&signed.0);
    }
    if let Some(outcome) = response.extensions().get::<Outcome>() {
        let code = outcome.code.as_str();
        metrics::counter!("durward_grpc_calls_total", "code" => code).increment(1);
        if let Some(reason) = outcome.refused {
            metrics::counter!("durward_authentication_failures_total", "reason" => reason)
                .increment(1);
        }
    }
    response.map(Body::new)
}
