// SPDX-License-Identifier: Apache-2.0
//! Reading requests: what is a call at all, and the bytes of its body.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use durward_model::ErrorKind;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use prost_reflect::DynamicMessage;

use crate::answer::{AnswerBody, no_call};
use crate::contract;
use crate::frame::{FrameError, HEAD_BYTES};
use crate::status::Status;

const GRPC: &str = "application/grpc";
/// How long a client may take to send the body of a call.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

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

/// All bytes of a body, if its message has not more than so many.
pub(crate) async fn whole<B>(body: B, bytes_max: usize) -> Result<Bytes, Status>
where
    B: Body<Data = Bytes>,
{
    let late = || Status::new(ErrorKind::Timeout, "the request took too long to arrive");
    tokio::time::timeout(BODY_TIMEOUT, collect(body, bytes_max))
        .await
        .map_err(|_| late())?
}

async fn collect<B>(body: B, bytes_max: usize) -> Result<Bytes, Status>
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::invalid("the request broke off"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + all.len() + data.len() > HEAD_BYTES + bytes_max {
            return Err(Status::of(&FrameError::TooLarge { bytes_max }));
        }
        // Most calls come in one piece, which need not be copied.
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// The decoded request of a method. Fields that the contract does not have are tolerated.
///
/// # Errors
/// `INVALID_ARGUMENT` for bytes that are not such a message.
pub fn decode(method: &contract::Method, message: Bytes) -> Result<DynamicMessage, Status> {
    DynamicMessage::decode(method.input.clone(), message).map_err(|error| {
        let name = method.input.name();
        Status::invalid(format!("the message is not a valid {name}: {error}"))
    })
}
