// SPDX-License-Identifier: Apache-2.0
//! Bodies of calls with more than one message: one answer to each message of the client, or one
//! answer now and more when something changes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use durward_model::ErrorKind;
use http::HeaderMap;
use http_body::{Body, Frame};
use tokio::sync::watch;

use crate::answer::ok_trailers;
use crate::frame::{framed, next_message};
use crate::status::Status;

/// Ends the streams when the server stops.
pub(crate) type Stopping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future that is done when the sender says so or goes.
pub(crate) fn stopping(mut receiver: watch::Receiver<bool>) -> Stopping {
    Box::pin(async move {
        drop(receiver.wait_for(|stops| *stops).await);
    })
}

/// Answers each message of a client as it comes.
pub(crate) struct Conversation<B, F> {
    body: Pin<Box<B>>,
    answer: F,
    message_bytes_max: usize,
    buffer: BytesMut,
    stopping: Stopping,
    is_over: bool,
}

impl<B, F> Conversation<B, F> {
    pub(crate) fn new(body: B, message_bytes_max: usize, stopping: Stopping, answer: F) -> Self {
        Self {
            body: Box::pin(body),
            answer,
            message_bytes_max,
            buffer: BytesMut::new(),
            stopping,
            is_over: false,
        }
    }
}

impl<B, F> Conversation<B, F>
where
    B: Body<Data = Bytes>,
    F: Fn(&Bytes) -> Result<Vec<u8>, Status>,
{
    /// The next answer; none when the client said all.
    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        loop {
            let next = next_message(&mut self.buffer, self.message_bytes_max);
            if let Some(message) = next.map_err(|error| Status::of(&error))? {
                let answer = (self.answer)(&message)?;
                return Poll::Ready(Ok(Some(framed(&answer))));
            }
            if self.stopping.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(stops()));
            }
            match ready!(self.body.as_mut().poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) => return Poll::Ready(Err(Status::invalid("the request broke off"))),
                None if self.buffer.is_empty() => return Poll::Ready(Ok(None)),
                None => {
                    let why = "the last message is shorter than its frame says";
                    return Poll::Ready(Err(Status::invalid(why)));
                }
            }
        }
    }
}

impl<B, F> Body for Conversation<B, F>
where
    B: Body<Data = Bytes>,
    F: Fn(&Bytes) -> Result<Vec<u8>, Status> + Unpin,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let frame = match ready!(self.poll_answer(context)) {
            Ok(Some(answer)) => Frame::data(answer),
            Ok(None) => {
                self.is_over = true;
                Frame::trailers(ok_trailers())
            }
            Err(status) => {
                self.is_over = true;
                Frame::trailers(trailers(&status))
            }
        };
        Poll::Ready(Some(Ok(frame)))
    }
}

/// One message now, another one and the end when the server stops.
pub(crate) struct Watch {
    first: Option<Bytes>,
    last: Option<Bytes>,
    stopping: Stopping,
    is_over: bool,
}

impl Watch {
    pub(crate) fn new(first: &[u8], last: &[u8], stopping: Stopping) -> Self {
        Self {
            first: Some(framed(first)),
            last: Some(framed(last)),
            stopping,
            is_over: false,
        }
    }
}

impl Body for Watch {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.is_over {
            return Poll::Ready(None);
        }
        if self.last.is_some() {
            ready!(self.stopping.as_mut().poll(context));
        }
        let frame = if let Some(last) = self.last.take() {
            Frame::data(last)
        } else {
            self.is_over = true;
            Frame::trailers(trailers(&stops()))
        };
        Poll::Ready(Some(Ok(frame)))
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    status.write(&mut trailers);
    trailers
}

fn stops() -> Status {
    Status::new(ErrorKind::Unavailable, "the server stops")
}
