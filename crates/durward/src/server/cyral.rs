// SPDX-License-Identifier: Apache-2.0
//! The Cyral dialect: every path that no other route takes and that is its own.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{header, request};
use axum::response::{IntoResponse as _, Response};
use durward_dialect_cyral::{Answer, Asked, CyralApi};
use http_body_util::BodyExt as _;

use crate::server::authenticate::{self, Source};
use crate::server::router::BODY_BYTES_MAX;
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

async fn read(server: &Server, parts: &request::Parts, mut body: Body) -> Result<Vec<u8>, Answer> {
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let limit = server.cyral.reading(method, path).body_bytes_max;
    let unreadable = |is_too_large| server.cyral.unreadable(method, path, is_too_large);
    let (mut kept, mut size) = (Vec::new(), 0usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| unreadable(false))?;
        let Ok(part) = frame.into_data() else {
            continue;
        };
        size = size.saturating_add(part.len());
        if size <= limit {
            kept.extend_from_slice(&part);
        } else {
            // What is too large is read on and thrown away: a client that still writes would see
            // a broken connection instead of the answer.
            kept = Vec::new();
        }
        if size > BODY_BYTES_MAX {
            break;
        }
    }
    if size > limit {
        Err(unreadable(true))
    } else {
        Ok(kept)
    }
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
