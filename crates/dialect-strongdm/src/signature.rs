// SPDX-License-Identifier: Apache-2.0
//! Signatures of calls.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_identity::{AuthError, Caller, Organizations, Presented};
use durward_model::Instant;

use crate::metadata::Signed;

const PURPOSE: &[u8] = b"sdm_api_v1";

/// Lets in whoever signed the digest of a call.
pub(crate) fn authenticate(
    organizations: &Organizations,
    presented: &Presented<'_>,
    signed: &Signed<'_>,
    digest: &[u8; 32],
    now: Instant,
) -> Result<Caller, AuthError> {
    let is_signed = |secret: &str| {
        let Ok(secret) = STANDARD.decode(secret) else {
            return false;
        };
        let date = now.to_rfc3339_millis();
        let date = date.split('T').next().unwrap_or_default();
        let key = |secret: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, secret);
        let of_day = hmac::sign(&key(&secret), date.as_bytes());
        let of_requests = hmac::sign(&key(of_day.as_ref()), PURPOSE);
        hmac::verify(&key(of_requests.as_ref()), digest, &signed.signature).is_ok()
    };
    organizations.authenticate_signature(presented, signed.access_key, is_signed, now)
}
