// SPDX-License-Identifier: Apache-2.0
//! HTTP responses as gRPC clients read them.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use durward_budget::Lease;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};

use crate::frame::framed;
use crate::status::{Code, Status};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// How a call ended, among the extensions of its response: for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The status; for a stream the one that it begins with.
    pub code: Code,
    /// Why authentication failed, if it did.
    pub refused: Option<&'static str>,
}

/// The organization whose credential signed a call, among the extensions of its response: whoever
/// keeps the connection knows then whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFor(pub String);

/// Body of a response.
pub struct AnswerBody(Kind);

type Stream = Pin<Box<dyn Body<Data = Bytes, Error = Infallible> + Send>>;

enum Kind {
    Text(Option<Bytes>),
    Unary { frame: Option<Bytes>, is_open: bool },
    Stream(Stream),
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("AnswerBody").finish_non_exhaustive()
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Kind::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Kind::Unary { frame, is_open } => {
                if let Some(frame) = frame.take() {
                    return Poll::Ready(Some(Ok(Frame::data(frame))));
                }
                let trailers = std::mem::take(is_open).then(|| Ok(Frame::trailers(ok_trailers())));
                Poll::Ready(trailers)
            }
            Kind::Stream(stream) => stream.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Text(text) => text.is_none(),
            Kind::Unary { frame, is_open } => frame.is_none() && !is_open,
            Kind::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, |t| t.len() as u64)),
            Kind::Unary { frame, .. } => {
                SizeHint::with_exact(frame.as_ref().map_or(0, |frame| frame.len() as u64))
            }
            Kind::Stream(stream) => stream.size_hint(),
        }
    }
}

/// Trailers of a call that went well.
pub(crate) fn ok_trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(Code::Ok.as_str()));
    trailers
}

/// A frame that stays charged until the last of it is sent.
struct Charged {
    frame: Bytes,
    _lease: Arc<Lease>,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

/// One message, then trailers that say it went well.
pub(crate) fn success(message: &[u8], lease: Option<Arc<Lease>>) -> Response<AnswerBody> {
    let frame = framed(message);
    let frame = match lease {
        None => frame,
        Some(lease) => Bytes::from_owner(Charged {
            frame,
            _lease: lease,
        }),
    };
    let body = Kind::Unary {
        frame: Some(frame),
        is_open: true,
    };
    grpc(body, Code::Ok)
}

/// Messages and trailers as they come.
pub(crate) fn stream(stream: Stream) -> Response<AnswerBody> {
    grpc(Kind::Stream(stream), Code::Ok)
}

/// Trailers only.
pub(crate) fn failure(status: &Status) -> Response<AnswerBody> {
    let mut response = grpc(Kind::Text(None), status.code());
    status.write(response.headers_mut());
    response
}

/// As [`failure`], for a caller who was not let in.
pub(crate) fn refusal(status: &Status, reason: &'static str) -> Response<AnswerBody> {
    let mut response = failure(status);
    response.extensions_mut().insert(Outcome {
        code: status.code(),
        refused: Some(reason),
    });
    response
}

/// A plain HTTP error for what is no gRPC call at all.
pub(crate) fn no_call(status: StatusCode, sentence: &'static str) -> Response<AnswerBody> {
    let text = Bytes::from_static(sentence.as_bytes());
    let mut response = Response::new(AnswerBody(Kind::Text(Some(text))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, PLAIN_TEXT);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn grpc(body: Kind, code: Code) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, CONTENT_TYPE);
    let refused = None;
    response.extensions_mut().insert(Outcome { code, refused });
    response
}
