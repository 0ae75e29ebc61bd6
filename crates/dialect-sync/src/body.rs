// SPDX-License-Identifier: Apache-2.0
//! Request bodies: bounded, and unpacked where they are compressed.

use std::io::Read;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use durward_budget::Lease;
use durward_budget::body::{self, BodyLimits};
use flate2::read::MultiGzDecoder;

use crate::error::SyncError;

/// Largest body, before and after unpacking (64 MiB).
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;
/// How much is unpacked at once.
const PIECE_BYTES: usize = 64 << 10;
/// How much of a body is kept; what is refused is read on by [`crate::drain`].
const LIMITS: BodyLimits = BodyLimits {
    bytes_max: BODY_BYTES_MAX,
    drained_bytes_max: 0,
};

/// Reads a whole body. What it takes is charged to `lease`.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    lease: &Arc<Lease>,
) -> Result<Bytes, SyncError> {
    let gzip = match headers
        .get(CONTENT_ENCODING)
        .map(|value| value.to_str().unwrap_or("?"))
    {
        None | Some("" | "identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(other) => return Err(SyncError::UnsupportedBody(format!("encoding {other}"))),
    };
    let bytes = body::read(body, LIMITS, lease).await?;
    if !gzip {
        return Ok(bytes);
    }
    let lease = Arc::clone(lease);
    let unpack = tokio::task::spawn_blocking(move || unpack(&bytes, &lease));
    unpack.await.map_err(|_| SyncError::Interrupted)?
}

fn unpack(packed: &[u8], lease: &Lease) -> Result<Bytes, SyncError> {
    let mut bytes = Vec::new();
    let mut reader = MultiGzDecoder::new(packed);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = reader.read(&mut piece).map_err(|error| {
            SyncError::BadRequest(format!("the body is not valid gzip: {error}"))
        })?;
        if read == 0 {
            break;
        }
        if bytes.len() + read > BODY_BYTES_MAX {
            return Err(SyncError::TooLarge {
                max: BODY_BYTES_MAX,
            });
        }
        if bytes.len() + read > bytes.capacity() {
            let more = bytes.capacity().max(PIECE_BYTES);
            lease.add(more as u64)?;
            bytes.reserve_exact(more);
        }
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
    Ok(Bytes::from(bytes))
}

/// Refuses bodies that are known not to be JSON.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), SyncError> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match kind.as_str() {
        "text/csv" | "application/csv" | "application/yaml" | "application/x-yaml"
        | "text/yaml" => Err(SyncError::UnsupportedBody(kind)),
        _ => Ok(()),
    }
}
