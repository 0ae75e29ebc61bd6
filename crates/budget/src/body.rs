// SPDX-License-Identifier: Apache-2.0
//! Reading request bodies under a lease.

use std::future::poll_fn;
use std::pin::{Pin, pin};

use bytes::{Bytes, BytesMut};
use http_body::Body;

use crate::exhausted::Exhausted;
use crate::lease::Lease;
use crate::room::{Place, WaitingRoom};

/// Most bytes of a body from a caller who has not proven anything (64 KiB).
pub const STRANGER_BODY_BYTES_MAX: usize = 64 << 10;

/// How much of a body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Most bytes that are kept.
    pub bytes_max: usize,
    /// Most bytes of a refused body that are read on and thrown away, so that a client that still
    /// writes sees the answer and not a broken connection.
    pub drained_bytes_max: usize,
}

impl BodyLimits {
    /// For callers who have not proven anything.
    pub const STRANGER: Self = Self {
        bytes_max: STRANGER_BODY_BYTES_MAX,
        drained_bytes_max: 1 << 20,
    };

    /// For callers with a credential; a refused body is read on up to twice what is wanted.
    pub const fn known(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            drained_bytes_max: bytes_max.saturating_mul(2),
        }
    }
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than is wanted.
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge {
        /// Most bytes.
        bytes_max: usize,
    },
    /// It did not come whole, or too slowly.
    #[error("the body broke off, or came too slowly")]
    BrokenOff,
    /// A share is used up.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// Reads a whole body. Its bytes stay charged to `lease`. When the share of strangers is used up,
/// the oldest of their unfinished bodies gives way to the others.
///
/// # Errors
/// Why there is no body; what came of it is given up then.
pub async fn read<B: Body<Data = Bytes>>(
    body: B,
    limits: BodyLimits,
    lease: &Lease,
) -> Result<Bytes, BodyError> {
    let mut body = pin!(body);
    let announced = body.size_hint().lower();
    let held_before = lease.used_bytes();
    let refused = if announced > limits.bytes_max as u64 {
        BodyError::TooLarge {
            bytes_max: limits.bytes_max,
        }
    } else {
        let place = lease.share().waiting_room().map(WaitingRoom::enter);
        let kept = keep(body.as_mut(), limits.bytes_max, lease, place.as_ref());
        let kept = match &place {
            None => kept.await,
            Some(place) => {
                tokio::select! {
                    kept = kept => kept,
                    // Not read on: what it holds is wanted now.
                    () = place.must_leave() => {
                        return Err(lease.share().strangers_exhausted().into());
                    }
                }
            }
        };
        match kept {
            Ok(bytes) => return Ok(bytes),
            Err(BodyError::BrokenOff) => return Err(BodyError::BrokenOff),
            Err(refused) => refused,
        }
    };
    // What came of it is gone.
    lease.release(lease.used_bytes().saturating_sub(held_before));
    if announced <= limits.drained_bytes_max as u64 {
        drain(body, limits.drained_bytes_max).await;
    }
    Err(refused)
}

/// Reads a body and throws it away, up to so many bytes.
pub async fn drain<B: Body<Data = Bytes>>(mut body: Pin<&mut B>, bytes_max: usize) {
    let mut seen = 0usize;
    while let Ok(Some(part)) = next(body.as_mut()).await {
        seen = seen.saturating_add(part.len());
        if seen > bytes_max {
            return;
        }
    }
}

async fn keep<B: Body<Data = Bytes>>(
    mut body: Pin<&mut B>,
    bytes_max: usize,
    lease: &Lease,
    place: Option<&Place<'_>>,
) -> Result<Bytes, BodyError> {
    let Some(first) = next(body.as_mut()).await? else {
        return Ok(Bytes::new());
    };
    let is_all = body.is_end_stream();
    let mut kept = BytesMut::new();
    let mut part = Some(first);
    while let Some(bytes) = part {
        if kept.len().saturating_add(bytes.len()) > bytes_max {
            return Err(BodyError::TooLarge { bytes_max });
        }
        if is_all {
            charge(lease, bytes.len() as u64, place).await?;
            return Ok(bytes);
        }
        if let Some(room) = wanted_room(&kept, bytes.len(), body.size_hint().exact()) {
            let more = room.saturating_sub(kept.capacity());
            charge(lease, more as u64, place).await?;
            let mut larger = BytesMut::with_capacity(room);
            larger.extend_from_slice(&kept);
            kept = larger;
        }
        kept.extend_from_slice(&bytes);
        part = next(body.as_mut()).await?;
    }
    Ok(kept.freeze())
}

/// How large a buffer must become for so many bytes more; none when they fit. It at most doubles,
/// and is never larger than what was announced.
fn wanted_room(kept: &BytesMut, more: usize, outstanding: Option<u64>) -> Option<usize> {
    let wanted = kept.len().saturating_add(more);
    if wanted <= kept.capacity() {
        return None;
    }
    let announced = outstanding
        .and_then(|bytes| usize::try_from(bytes).ok())
        .map_or(usize::MAX, |bytes| wanted.saturating_add(bytes));
    let room = wanted.max(kept.capacity().saturating_mul(2));
    Some(room.min(announced).max(wanted))
}

/// Charges bytes; for that, others of the waiting room may have to go.
async fn charge(lease: &Lease, bytes: u64, place: Option<&Place<'_>>) -> Result<(), Exhausted> {
    let Some(place) = place else {
        return lease.add(bytes);
    };
    loop {
        let mut given_back = pin!(place.given_back());
        given_back.as_mut().enable();
        match lease.add(bytes) {
            Err(error) if !place.send_oldest_away() => return Err(error),
            Err(_) => given_back.await,
            Ok(()) => return Ok(()),
        }
    }
}

/// The next piece of data; none at the end.
async fn next<B: Body<Data = Bytes>>(mut body: Pin<&mut B>) -> Result<Option<Bytes>, BodyError> {
    loop {
        match poll_fn(|task| body.as_mut().poll_frame(task)).await {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::BrokenOff),
            Some(Ok(frame)) => {
                if let Ok(part) = frame.into_data() {
                    return Ok(Some(part));
                }
            }
        }
    }
}
