// SPDX-License-Identifier: Apache-2.0
//! Errors of Durward's own HTTP interface, as problem details (RFC 9457).

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use durward_budget::Exhausted;
use durward_budget::body::BodyError;
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use serde_json::json;

/// An error answer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: ErrorKind,
    detail: String,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after_seconds: None,
        }
    }

    /// As it was, with a hint when to try again.
    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after_seconds: Some(seconds),
            ..self
        }
    }

    /// The answer to a caller whose share is used up.
    pub(crate) fn exhausted(error: &Exhausted) -> Self {
        Self::of(error).retry_after(error.retry_after_seconds())
    }

    /// The answer to a body that cannot be taken.
    pub(crate) fn body(error: &BodyError) -> Self {
        match error {
            BodyError::Exhausted(error) => Self::exhausted(error),
            other => Self::new(ErrorKind::Invalid, other.to_string()),
        }
    }

    /// The answer to an error that may be shown to a client.
    pub(crate) fn of(error: &dyn ClientMessage) -> Self {
        Self::new(error.kind(), error.client_message())
    }
}

/// The HTTP status of an error kind.
pub(crate) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = answer(status(self.kind), self.kind, &self.detail);
        if let Some(seconds) = self.retry_after_seconds {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn answer(status: StatusCode, kind: ErrorKind, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": kind.as_str(),
        "status": status.as_u16(),
        "detail": detail,
    });
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, content_type);
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// A path that does not exist.
pub(crate) fn no_route(request: &Request) -> Problem {
    let detail = format!("there is nothing at {}", request.uri().path());
    Problem::new(ErrorKind::NotFound, detail)
}

/// A path that exists, asked with a method that it does not take.
pub(crate) async fn no_method(request: Request) -> Response {
    let detail = format!(
        "{} is not possible at {}",
        request.method(),
        request.uri().path()
    );
    answer(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::Invalid, &detail)
}
