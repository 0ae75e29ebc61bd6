// SPDX-License-Identifier: Apache-2.0
//! Reading request bodies.

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use durward_model::ErrorKind;

use crate::server::problem::Problem;
use crate::server::router::BODY_BYTES_MAX;

/// Bodies up to this many bytes are read before it is decided whether they are wanted.
const SMALL_BYTES_MAX: u64 = 64 << 10;

/// Reads a small body to its end and leaves a larger one as it is. A refusal that leaves a body
/// unread closes the connection, under the hands of a client that is about to use it again.
///
/// # Errors
/// When the body breaks off.
pub(crate) async fn small_first(body: Body) -> Result<Body, axum::Error> {
    match body.size_hint().exact() {
        Some(bytes) if bytes <= SMALL_BYTES_MAX => {
            Ok(Body::from(to_bytes(body, SMALL_BYTES_MAX as usize).await?))
        }
        _ => Ok(body),
    }
}

/// A whole body, however large it may be.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Problem> {
    let too_large = || {
        let why = format!("the body is larger than {BODY_BYTES_MAX} bytes");
        Problem::new(ErrorKind::Invalid, why)
    };
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    match to_bytes(body, BODY_BYTES_MAX.saturating_add(1)).await {
        Ok(bytes) if bytes.len() <= BODY_BYTES_MAX => Ok(bytes),
        Ok(_) => Err(too_large()),
        Err(_) => Err(broken()),
    }
}

/// The answer to a body that did not come whole.
pub(crate) fn broken() -> Problem {
    let why = format!("the body broke off, or is larger than {BODY_BYTES_MAX} bytes");
    Problem::new(ErrorKind::Invalid, why)
}
