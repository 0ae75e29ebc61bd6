// SPDX-License-Identifier: Apache-2.0
//! The Cyral dialect: every path that no other route takes and that is its own.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{header, request};
use axum::response::{IntoResponse as _, Response};
use durward_dialect_cyral::{Answer, Asked, CyralApi};

use crate::server::authenticate::{self, Source};
use crate::server::tokens::Tokens;
use crate::server::{Server, problem};

/// Answers a request that no other route takes.
pub(crate) async fn or_nothing(State(server): State<Arc<Server>>, request: Request) -> Response {
    if !CyralApi::owns(request.uri().path()) {
        return problem::no_route(&request).into_response();
    }
    let (parts, body) = request.into_parts();
    let body = match read(&server, &parts, body).await {
        Ok(body) => body,
        Err(answer) => return response(answer),
    };
    let work = tokio::task::spawn_blocking(move || answer(&server, &parts, &body));
    response(work.await.unwrap_or_else(|_| CyralApi::broken()))
}

async fn read(server: &Server, parts: &request::Parts, body: Body) -> Result<Vec<u8>, Answer> {
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let limit = server.cyral.reading(method, path).body_bytes_max;
    let unreadable = |is_too_large| server.cyral.unreadable(method, path, is_too_large);
    if body.size_hint().lower() > limit as u64 {
        return Err(unreadable(true));
    }
    match to_bytes(body, limit.saturating_add(1)).await {
        Ok(bytes) if bytes.len() <= limit => Ok(bytes.to_vec()),
        Ok(_) => Err(unreadable(true)),
        Err(error) => Err(unreadable(is_length_limit(&error))),
    }
}

/// Whether a body was cut off because it is too long.
fn is_length_limit(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn answer(server: &Server, parts: &request::Parts, body: &[u8]) -> Answer {
    let source = Source::of(parts);
    let authorization = parts.headers.get(header::AUTHORIZATION);
    let tokens = Tokens {
        server,
        source: &source,
    };
    server.cyral.answer(&Asked {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        authorization: authorization.and_then(|value| value.to_str().ok()),
        body,
        authenticate: &|| authenticate::caller(server, &parts.headers, &source),
        accesses: &server.accesses,
        tokens: &tokens,
    })
}

fn response(answer: Answer) -> Response {
    let mut response = (answer.status, answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    response
}
