// SPDX-License-Identifier: Apache-2.0
//! Signatures of calls.

use durward_identity::{AuthError, Caller, Organizations, Presented};
use durward_model::Instant;

use crate::metadata::Signed;

/// Lets in whoever signed the digest of a call.
pub(crate) fn authenticate(
    organizations: &Organizations,
    presented: &Presented<'_>,
    signed: &Signed<'_>,
    digest: &[u8; 32],
    now: Instant,
) -> Result<Caller, AuthError> {
    organizations.authenticate_signed(presented, signed.access_key, digest, &signed.signature, now)
}
