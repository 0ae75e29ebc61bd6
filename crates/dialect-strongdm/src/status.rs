// SPDX-License-Identifier: Apache-2.0
//! How a call fails: gRPC status codes, and the details that SDKs build their errors from.
//!
//! This file alone maps kinds of errors to codes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use durward_budget::Exhausted;
use durward_identity::RateVerdict;
use durward_identity::rate_limit::BucketKind;
use durward_listing::ListError;
use durward_model::error::ClientMessage;
use durward_model::{ErrorKind, Instant};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::wire::{put_bytes, put_integer};

/// Longest message, in bytes: clients take a few kilobytes of trailers, and it stands there twice.
const MESSAGE_BYTES_MAX: usize = 1024;
const RATE_LIMIT_TYPE: &str = "type.googleapis.com/v1.RateLimitMetadata";
/// What `grpc-message` may not hold as it is, beside what is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// A status code of gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It went well.
    Ok = 0,
    /// The request is wrong.
    InvalidArgument = 3,
    /// Time ran out.
    DeadlineExceeded = 4,
    /// No such thing.
    NotFound = 5,
    /// It is there already.
    AlreadyExists = 6,
    /// The caller may not.
    PermissionDenied = 7,
    /// Too many requests.
    ResourceExhausted = 8,
    /// The state is not the expected one.
    FailedPrecondition = 9,
    /// Not supported.
    Unimplemented = 12,
    /// A defect.
    Internal = 13,
    /// Try again later.
    Unavailable = 14,
    /// Who is asking?
    Unauthenticated = 16,
}

impl Code {
    /// The code as it stands in `grpc-status` and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "0",
            Self::InvalidArgument => "3",
            Self::DeadlineExceeded => "4",
            Self::NotFound => "5",
            Self::AlreadyExists => "6",
            Self::PermissionDenied => "7",
            Self::ResourceExhausted => "8",
            Self::FailedPrecondition => "9",
            Self::Unimplemented => "12",
            Self::Internal => "13",
            Self::Unavailable => "14",
            Self::Unauthenticated => "16",
        }
    }

    /// Clients repeat a call that was answered with `ResourceExhausted`, `Internal` or
    /// `Unavailable`, some without end: a failure that will stay needs another code.
    fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Invalid => Self::InvalidArgument,
            ErrorKind::Unauthenticated => Self::Unauthenticated,
            ErrorKind::Forbidden => Self::PermissionDenied,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::AlreadyExists => Self::AlreadyExists,
            ErrorKind::Conflict => Self::FailedPrecondition,
            ErrorKind::Unsupported => Self::Unimplemented,
            // Without its detail `ResourceExhausted` is no rate limit to clients: see
            // `Status::rate_limited`.
            ErrorKind::Unavailable | ErrorKind::RateLimited => Self::Unavailable,
            ErrorKind::Timeout => Self::DeadlineExceeded,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// Why a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    code: Code,
    message: String,
    /// An encoded `RateLimitMetadata`.
    rate_limit: Option<Vec<u8>>,
}

impl Status {
    /// A failure of some kind, with one clear sentence for the client.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: Code::of(kind),
            message: shortened(message.into()),
            rate_limit: None,
        }
    }

    /// The answer to an error that may be shown to a client.
    pub fn of(error: &dyn ClientMessage) -> Self {
        Self::new(error.kind(), error.client_message())
    }

    /// `INVALID_ARGUMENT`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// `UNIMPLEMENTED`, for what this server does not do.
    pub fn unsupported(what: &str) -> Self {
        Self::new(ErrorKind::Unsupported, format!("{what} is not supported"))
    }

    /// `RESOURCE_EXHAUSTED` with its detail.
    pub(crate) fn rate_limited(verdict: &RateVerdict, now: Instant) -> Self {
        let seconds = verdict.retry_after_seconds;
        Self {
            code: Code::ResourceExhausted,
            message: format!("too many requests; try again in {seconds} seconds"),
            rate_limit: Some(rate_limit(verdict, now)),
        }
    }

    /// The answer to a caller whose share of the server's memory or processors is used up. For its
    /// own share that is `RESOURCE_EXHAUSTED` with its detail, which clients wait for.
    pub(crate) fn exhausted(error: &Exhausted, now: Instant) -> Self {
        let mut status = Self::of(error);
        if error.is_own() {
            let reset_at = now.plus_seconds(i64::from(error.retry_after_seconds()));
            status.code = Code::ResourceExhausted;
            status.rate_limit = Some(limit_metadata((1, 0), reset_at, error.scope.as_str()));
        }
        status
    }

    /// The answer to a list that is not answered.
    fn of_list(error: &ListError) -> Self {
        match error {
            ListError::Exhausted { error, at } => Self::exhausted(error, *at),
            other => Self::of(other),
        }
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Its sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The serialized `google.rpc.Status`: the only thing that some SDKs read.
    fn details(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_integer(&mut out, 1, self.code as i64);
        put_bytes(&mut out, 2, self.message.as_bytes());
        if let Some(rate_limit) = &self.rate_limit {
            let mut any = Vec::new();
            put_bytes(&mut any, 1, RATE_LIMIT_TYPE.as_bytes());
            put_bytes(&mut any, 2, rate_limit);
            put_bytes(&mut out, 3, &any);
        }
        out
    }

    /// Puts the status into headers or trailers.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let message = utf8_percent_encode(&self.message, ESCAPED).to_string();
        let details = STANDARD_NO_PAD.encode(self.details());
        headers.insert("grpc-status", HeaderValue::from_static(self.code.as_str()));
        // Both are plain ASCII by now.
        for (name, value) in [
            ("grpc-message", message),
            ("grpc-status-details-bin", details),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

impl From<ListError> for Status {
    fn from(error: ListError) -> Self {
        Self::of_list(&error)
    }
}

/// What every answer says about rate limits: the bucket in which the fewest requests still fit.
pub(crate) fn rate_limit(verdict: &RateVerdict, now: Instant) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(tightest) = verdict.tightest() else {
        // Nothing is limited; some clients would take a zero for "none left".
        put_integer(&mut out, 1, i64::from(i32::MAX));
        put_integer(&mut out, 2, i64::from(i32::MAX));
        put_bytes(&mut out, 4, b"unlimited");
        return out;
    };
    let wait = match verdict.retry_after_seconds {
        0 => tightest.reset_seconds,
        seconds => seconds,
    };
    let reset_at = now.plus_seconds(i64::from(wait));
    let bucket = match tightest.kind {
        BucketKind::Organization => "organization",
        BucketKind::Credential => "credential",
        BucketKind::Queries => "queries",
    };
    let limit = i64::from(tightest.quota.requests);
    limit_metadata((limit, i64::from(tightest.remaining)), reset_at, bucket)
}

fn limit_metadata((limit, remaining): (i64, i64), reset_at: Instant, bucket: &str) -> Vec<u8> {
    let micros = reset_at.as_micros();
    let mut timestamp = Vec::new();
    put_integer(&mut timestamp, 1, micros.div_euclid(1_000_000));
    put_integer(&mut timestamp, 2, micros.rem_euclid(1_000_000) * 1000);
    let mut out = Vec::new();
    put_integer(&mut out, 1, limit);
    put_integer(&mut out, 2, remaining);
    put_bytes(&mut out, 3, &timestamp);
    put_bytes(&mut out, 4, bucket.as_bytes());
    out
}

fn shortened(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        let mut end = MESSAGE_BYTES_MAX;
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push_str("...");
    }
    message
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_status_stands_in_three_headers() {
        let mut headers = HeaderMap::new();
        let status = Status::new(ErrorKind::NotFound, "kein Köter: 100 %\n");
        status.write(&mut headers);
        let get = |name| headers.get(name).unwrap().to_str().unwrap();
        assert_eq!(get("grpc-status"), "5");
        assert_eq!(get("grpc-message"), "kein K%C3%B6ter: 100 %25%0A");
        let details = STANDARD_NO_PAD
            .decode(get("grpc-status-details-bin"))
            .unwrap();
        assert_eq!(details.get(..4).unwrap(), [0x08, 5, 0x12, 19]);
        assert_eq!(details.get(4..).unwrap(), "kein Köter: 100 %\n".as_bytes());
    }

    #[test]
    fn a_long_message_is_cut_where_a_character_ends() {
        let status = Status::invalid("ö".repeat(5000));
        let cut = status.message();
        assert!(cut.len() <= MESSAGE_BYTES_MAX + 3 && cut.ends_with("ö..."));
        let mut headers = HeaderMap::new();
        Status::invalid(format!("x{}", "ö".repeat(5000))).write(&mut headers);
        let bytes: usize = headers.values().map(HeaderValue::len).sum();
        assert!(bytes < 5000, "{bytes}");
    }
}
