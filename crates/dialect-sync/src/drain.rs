// SPDX-License-Identifier: Apache-2.0
//! Lets clients finish sending what is refused, so that they read the answer instead of finding
//! their connection reset.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;

use crate::access::SyncAccess;

/// Most bytes that are read and thrown away before a refusal is answered.
const DRAINED_BYTES_MAX: u64 = 512 << 20;
/// As much of a caller without a credential.
const STRANGERS_BYTES_MAX: u64 = 64 << 10;
/// How long that may take.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(30);

/// A body that can be read on after its first reader is gone.
#[derive(Clone, Debug)]
struct SharedBody(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    body: Body,
    was_read: bool,
    is_over: bool,
}

impl HttpBody for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut state = self.0.lock();
        state.was_read = true;
        let polled = Pin::new(&mut state.body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            state.is_over = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().body.size_hint()
    }
}

impl SharedBody {
    /// Reads on to the end, or so many bytes.
    async fn drain(mut self, bytes_max: u64) {
        let mut bytes = 0u64;
        while bytes <= bytes_max {
            let frame = std::future::poll_fn(|context| Pin::new(&mut self).poll_frame(context));
            match frame.await {
                Some(Ok(frame)) => {
                    bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                None | Some(Err(_)) => return,
            }
        }
    }
}

/// Answers when the body is over. What the handler left of it is read and thrown away, within
/// limits; a client that waits to be asked for its body (`Expect`) is not asked for that.
pub(crate) async fn finish_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(EXPECT);
    let is_known = parts.extensions.get::<SyncAccess>().is_some();
    let body = SharedBody(Arc::new(Mutex::new(State {
        body,
        was_read: false,
        is_over: false,
    })));
    let request = Request::from_parts(parts, Body::new(body.clone()));
    let response = next.run(request).await;
    let (was_read, is_over) = {
        let state = body.0.lock();
        let is_over = state.is_over || state.body.is_end_stream();
        (state.was_read, is_over)
    };
    if is_over || (waits && !was_read) {
        return response;
    }
    let status = response.status();
    let is_stranger =
        !is_known && matches!(status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND);
    let bytes_max = if is_stranger {
        STRANGERS_BYTES_MAX
    } else {
        DRAINED_BYTES_MAX
    };
    // A client that is slower than this finds its connection closed after all.
    let _ = tokio::time::timeout(DRAIN_TIME_MAX, body.drain(bytes_max)).await;
    response
}
