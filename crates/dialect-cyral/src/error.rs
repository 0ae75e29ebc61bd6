// SPDX-License-Identifier: Apache-2.0
//! Errors as this dialect's clients know them: a status, and a body of code, message and details
//! in the manner of gRPC gateways.

use durward_access::AccessError;
use durward_identity::{AuthError, IdentityError};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use http::{StatusCode, header};
use serde_json::json;

use crate::Answer;

/// An error that a route answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// An error from below, in the words that may be shown.
    pub(crate) fn of(error: &dyn ClientMessage) -> Self {
        Self::new(error.kind(), error.client_message())
    }

    pub(crate) fn answer(&self) -> Answer {
        let body = json!({"code": code(self.kind), "message": self.message, "details": []});
        let answer = Answer::with_status(status(self.kind), &body);
        if self.kind == ErrorKind::Unauthenticated {
            return answer.with_header(header::WWW_AUTHENTICATE, "Bearer");
        }
        answer
    }
}

impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        if ClientMessage::kind(&error) == ErrorKind::Internal {
            tracing::error!(%error, "a request failed");
        }
        Self::of(&error)
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        if error.kind() == ErrorKind::Internal {
            tracing::error!(%error, "a request failed");
        }
        Self::of(&error)
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        Self::of(&error)
    }
}

/// The gRPC code of a kind.
pub(crate) fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Invalid => 3,
        ErrorKind::Timeout => 4,
        ErrorKind::NotFound => 5,
        ErrorKind::AlreadyExists => 6,
        ErrorKind::Forbidden => 7,
        ErrorKind::RateLimited => 8,
        ErrorKind::Conflict => 10,
        ErrorKind::Unsupported => 12,
        ErrorKind::Internal => 13,
        ErrorKind::Unavailable => 14,
        ErrorKind::Unauthenticated => 16,
    }
}

/// The HTTP status of a kind.
pub(crate) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
    }
}
