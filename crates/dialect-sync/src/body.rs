// SPDX-License-Identifier: Apache-2.0
//! Request bodies: bounded, and unpacked where they are compressed.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use flate2::read::MultiGzDecoder;

use crate::error::SyncError;

/// Largest body, before and after unpacking (64 MiB).
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;
/// How long a body may take to arrive.
const BODY_TIME_MAX: Duration = Duration::from_mins(2);

/// Reads a whole body.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, SyncError> {
    let too_large = SyncError::TooLarge {
        max: BODY_BYTES_MAX,
    };
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large);
    }
    let gzip = match headers
        .get(CONTENT_ENCODING)
        .map(|value| value.to_str().unwrap_or("?"))
    {
        None | Some("" | "identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(other) => return Err(SyncError::UnsupportedBody(format!("encoding {other}"))),
    };
    let read = axum::body::to_bytes(body, BODY_BYTES_MAX + 1);
    let bytes = tokio::time::timeout(BODY_TIME_MAX, read)
        .await
        .map_err(|_| SyncError::CutOff)?;
    let bytes = match bytes {
        Ok(bytes) if bytes.len() > BODY_BYTES_MAX => return Err(too_large),
        Ok(bytes) => bytes,
        Err(error) if is_length_limit(&error) => return Err(too_large),
        Err(_) => return Err(SyncError::CutOff),
    };
    if !gzip {
        return Ok(bytes);
    }
    let unpack = tokio::task::spawn_blocking(move || unpack(&bytes));
    unpack.await.map_err(|_| SyncError::Interrupted)?
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().contains("length limit exceeded") {
            return true;
        }
        source = error.source();
    }
    false
}

fn unpack(packed: &[u8]) -> Result<Bytes, SyncError> {
    let mut bytes = Vec::new();
    let mut reader = MultiGzDecoder::new(packed).take(BODY_BYTES_MAX as u64 + 1);
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| SyncError::BadRequest(format!("the body is not valid gzip: {error}")))?;
    if bytes.len() > BODY_BYTES_MAX {
        Err(SyncError::TooLarge {
            max: BODY_BYTES_MAX,
        })
    } else {
        Ok(Bytes::from(bytes))
    }
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
