// SPDX-License-Identifier: Apache-2.0
//! Bodies that come and go in time: what a client sends has to move, and what it is sent is handed
//! out in pieces, so that it can be told whether the client takes them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use durward_budget::Lease;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::server::connections::OpenRequest;

/// How long a client may send nothing of a body.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// How long a body may take altogether, beside what its size allows.
const GRACE: Duration = Duration::from_secs(20);
/// Slowest pace of a body, in bytes a second.
const PACE_MIN: u64 = 2 << 10;
/// Largest piece of an answer that is handed to the connection at once.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// The client sends too slowly.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body comes too slowly")]
struct TooSlow;

/// A request body that must move. Only the time in which the server waits for the client counts.
pub(crate) struct Paced<B> {
    inner: B,
    received: u64,
    waited: Duration,
    /// Since when, and until when at most, the server waits for the client.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Paced<B> {
    pub(crate) fn new(inner: B) -> Self {
        Self {
            inner,
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    fn patience(&self) -> Duration {
        let allowed = GRACE + Duration::from_secs(self.received / PACE_MIN);
        allowed.saturating_sub(self.waited).min(SILENCE_MAX)
    }
}

impl<B> hyper::body::Body for Paced<B>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            if let Some((since, _)) = self.waiting.take() {
                self.waited += since.elapsed();
            }
            if let Some(Ok(data)) = frame
                .as_ref()
                .map(|frame| frame.as_ref().map(Frame::data_ref))
            {
                self.received += data.map_or(0, Bytes::len) as u64;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = self.patience();
        let (_, sleep) = self.waiting.get_or_insert_with(|| {
            let sleep = Box::pin(tokio::time::sleep(patience));
            (Instant::now(), sleep)
        });
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An answer on its way to the client, in pieces.
pub(crate) struct Sent {
    inner: Body,
    rest: Bytes,
    request: OpenRequest,
}

impl Sent {
    pub(crate) fn new(inner: Body, mut request: OpenRequest) -> Self {
        // Streams without an end of their own (health, reflection) may be silent for long.
        if inner.size_hint().exact().is_some() {
            request.sends();
        }
        Self {
            inner,
            rest: Bytes::new(),
            request,
        }
    }
}

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Ok(Ok(data))) => self.rest = data,
            }
        }
        self.request.moved();
        let bytes = self.rest.len().min(PIECE_BYTES_MAX);
        let piece = self.rest.split_to(bytes);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let rest = self.rest.len() as u64;
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

/// A whole answer that stays charged to its caller until it is sent.
pub(crate) struct Leased {
    bytes: Bytes,
    _lease: Arc<Lease>,
}

impl Leased {
    /// An answer and what is held for it.
    pub(crate) fn body(bytes: Bytes, lease: Arc<Lease>) -> Body {
        Body::new(Self {
            bytes,
            _lease: lease,
        })
    }
}

impl hyper::body::Body for Leased {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}
