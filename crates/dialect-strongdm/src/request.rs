// SPDX-License-Identifier: Apache-2.0
//! Reading requests: what is a call at all, and the bytes of its body.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use durward_budget::Lease;
use durward_budget::body::{self, BodyError, BodyLimits, STRANGER_BODY_BYTES_MAX};
use durward_model::{ErrorKind, Instant};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use prost_reflect::DynamicMessage;

use crate::answer::{AnswerBody, no_call};
use crate::contract;
use crate::frame::{FrameError, HEAD_BYTES};
use crate::status::Status;
use crate::weight;

const GRPC: &str = "application/grpc";
/// How long a client may take to send the body of a call.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);
/// Most bytes of a body that is too large that are read on and thrown away.
const DRAINED_BYTES_MAX: usize = 1 << 20;
/// Largest request when it is decoded: 4 MiB of text, and much more of anything else than a
/// request of any client has.
const DECODED_BYTES_MAX: u64 = 16 << 20;
/// How often what was decoded is there at once: a list takes it to pieces.
const DECODED_COPIES: u64 = 2;

/// Whether a request means to be a gRPC call, by its content type.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(GRPC.as_bytes()))
}

/// The plain HTTP answer to what cannot be a call.
pub(crate) fn unusable<B>(request: &Request<B>) -> Option<Response<AnswerBody>> {
    if request.version() < Version::HTTP_2 {
        let why = "gRPC needs HTTP/2; this connection speaks HTTP/1.1\n";
        return Some(no_call(StatusCode::HTTP_VERSION_NOT_SUPPORTED, why));
    }
    if request.method() != Method::POST {
        let why = "gRPC calls are POST requests\n";
        return Some(no_call(StatusCode::METHOD_NOT_ALLOWED, why));
    }
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|text| text.split(';').next());
    let essence = essence.map(|text| text.trim().to_ascii_lowercase());
    if !matches!(essence.as_deref(), Some(GRPC | "application/grpc+proto")) {
        let why = "only application/grpc and application/grpc+proto are supported\n";
        return Some(no_call(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    None
}

/// All bytes of a body, if its message has not more than so many. They stay charged to `lease`.
pub(crate) async fn whole<B>(
    body: B,
    bytes_max: usize,
    lease: &Lease,
    now: Instant,
) -> Result<Bytes, Status>
where
    B: Body<Data = Bytes>,
{
    let limits = BodyLimits {
        bytes_max: HEAD_BYTES + bytes_max,
        drained_bytes_max: DRAINED_BYTES_MAX,
    };
    let late = || Status::new(ErrorKind::Timeout, "the request took too long to arrive");
    let read = tokio::time::timeout(BODY_TIMEOUT, body::read(body, limits, lease)).await;
    read.map_err(|_| late())?.map_err(|error| match error {
        BodyError::TooLarge { .. } => Status::of(&FrameError::TooLarge { bytes_max }),
        BodyError::BrokenOff => Status::invalid("the request broke off"),
        BodyError::Exhausted(error) => Status::exhausted(&error, now),
    })
}

/// Reads a small body of somebody who is refused in any case: left unread it would disturb the
/// connection.
pub(crate) async fn throw_away<B>(body: B)
where
    B: Body<Data = Bytes>,
{
    let body = pin!(body);
    let drained = body::drain(body, STRANGER_BODY_BYTES_MAX);
    drop(tokio::time::timeout(BODY_TIMEOUT, drained).await);
}

/// What a request of a method will take in memory.
///
/// # Errors
/// `INVALID_ARGUMENT` when that is more than any request needs.
pub(crate) fn weigh(method: &contract::Method, message: &[u8]) -> Result<u64, Status> {
    let bytes = weight::decoded_bytes(&method.input, message);
    if bytes > DECODED_BYTES_MAX {
        return Err(Status::invalid(
            "the message has more parts than a request may have",
        ));
    }
    Ok(bytes.saturating_mul(DECODED_COPIES))
}

/// The decoded request of a method. Fields that the contract does not have are tolerated.
///
/// # Errors
/// `INVALID_ARGUMENT` for bytes that are not such a message, or that would become too large.
pub fn decode(method: &contract::Method, message: Bytes) -> Result<DynamicMessage, Status> {
    weigh(method, &message)?;
    DynamicMessage::decode(method.input.clone(), message).map_err(|error| {
        let name = method.input.name();
        Status::invalid(format!("the message is not a valid {name}: {error}"))
    })
}
