// SPDX-License-Identifier: Apache-2.0
//! The Cyral dialect: every path that no other route takes and that is its own.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header, request};
use axum::response::{IntoResponse as _, Response};
use durward_budget::body::{self, BodyError, BodyLimits};
use durward_budget::{Exhausted, Share};
use durward_dialect_cyral::{Answer, Asked, CyralApi};
use durward_identity::{AuthError, Caller};

use crate::server::authenticate::{self, Source};
use crate::server::paced::Leased;
use crate::server::rates;
use crate::server::tokens::Tokens;
use crate::server::{Server, problem};

/// Answers a request that no other route takes.
pub(crate) async fn or_nothing(State(server): State<Arc<Server>>, request: Request) -> Response {
    if !CyralApi::owns(request.uri().path()) {
        return problem::no_route(&request).into_response();
    }
    let (parts, body) = request.into_parts();
    match serve(&server, parts, body).await {
        Ok(response) => response,
        Err(error) => response(CyralApi::later(&error, error.retry_after_seconds())),
    }
}

async fn serve(
    server: &Arc<Server>,
    parts: request::Parts,
    body: Body,
) -> Result<Response, Exhausted> {
    let wanted = server
        .cyral
        .reading(parts.method.as_str(), parts.uri.path());
    let source = Source::of(&parts);
    let caller = if wanted.needs_caller {
        authenticate::caller(server, &parts.headers, &source)
    } else {
        Err(AuthError::Missing)
    };
    let (share, limits) = match &caller {
        Ok(caller) => (caller.share(), BodyLimits::known(wanted.body_bytes_max)),
        Err(_) => (server.budget.strangers(), BodyLimits::STRANGER),
    };
    if let Ok(caller) = &caller {
        let verdict = rates::count_one(server, caller);
        if !verdict.allowed {
            drop(body::read(body, BodyLimits::STRANGER, &share.lease()).await);
            let error = rates::TooMany(verdict.retry_after_seconds);
            return Ok(response(CyralApi::later(&error, error.0)));
        }
    }
    let lease = share.lease();
    let bytes = match body::read(body, limits, &lease).await {
        Ok(bytes) => bytes,
        Err(BodyError::Exhausted(error)) => return Err(error),
        // Whoever is not let in is told that, and not how much fits.
        Err(BodyError::TooLarge { .. }) if wanted.needs_caller && caller.is_err() => Bytes::new(),
        Err(error) => {
            let is_too_large = matches!(error, BodyError::TooLarge { .. });
            let (method, path) = (parts.method.as_str(), parts.uri.path());
            return Ok(response(server.cyral.unreadable(
                method,
                path,
                is_too_large,
            )));
        }
    };
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    let is_write = !is_read && caller.is_ok();
    let work = Work {
        server: Arc::clone(server),
        parts,
        source,
        caller,
    };
    let answer = in_turn(&share, is_write, move || {
        let answer = work.answer(&bytes);
        // What was read is gone; the answer is held until it is sent.
        drop(bytes);
        answer
    })
    .await?;
    let size = answer.body.len() as u64;
    // What was done is told, even where there is no room for it any more.
    let _ = lease.set(size);
    let lease = Arc::new(lease);
    Ok(headed(answer, |body| {
        Leased::body(Bytes::from(body), lease)
    }))
}

async fn in_turn(
    share: &Share,
    is_write: bool,
    work: impl FnOnce() -> Answer + Send + 'static,
) -> Result<Answer, Exhausted> {
    let turn = if is_write {
        share.write_turn().await?
    } else {
        share.turn().await?
    };
    let task = move || {
        let answer = work();
        drop(turn);
        answer
    };
    let answer = tokio::task::spawn_blocking(task).await;
    Ok(answer.unwrap_or_else(|_| CyralApi::broken()))
}

/// A request whose body is there.
struct Work {
    server: Arc<Server>,
    parts: request::Parts,
    source: Source,
    caller: Result<Caller, AuthError>,
}

impl Work {
    fn answer(&self, body: &[u8]) -> Answer {
        let authorization = self.parts.headers.get(header::AUTHORIZATION);
        let tokens = Tokens {
            server: &self.server,
            source: &self.source,
        };
        self.server.cyral.answer(&Asked {
            method: self.parts.method.as_str(),
            path: self.parts.uri.path(),
            query: self.parts.uri.query().unwrap_or_default(),
            authorization: authorization.and_then(|value| value.to_str().ok()),
            body,
            caller: self.caller.as_ref(),
            accesses: &self.server.accesses,
            tokens: &tokens,
        })
    }
}

fn response(answer: Answer) -> Response {
    headed(answer, Body::from)
}

fn headed(answer: Answer, body: impl FnOnce(Vec<u8>) -> Body) -> Response {
    let mut response = (answer.status, body(answer.body)).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    response
}
