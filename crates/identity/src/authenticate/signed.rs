// SPDX-License-Identifier: Apache-2.0
//! StrongDM's signatures: a key for each UTC day is derived from the secret, and signs the digest
//! of the request.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_graph::CoreReader;
use durward_model::{Instant, Value};
use durward_vault::MacKey;

use super::known::Known;
use super::{AuthError, CREDENTIAL_BYTES_MAX, Presented};
use crate::credential::property;
use crate::issue::sealed_context;
use crate::record::CredentialRecord;
use crate::{Caller, CredentialKind, IdentityError, Organizations};

/// What the day's key signs to become the key of requests.
const PURPOSE: &[u8] = b"sdm_api_v1";
const DAY_MICROS: i64 = 86_400_000_000;
/// How far clocks may be apart at midnight: for so long the neighbouring day is accepted too.
const MIDNIGHT_MICROS: i64 = 300_000_000;
/// Most days for which a credential keeps a key: one, and its neighbour at midnight.
const DAYS_MAX: usize = 2;

/// The key of one credential for one day.
#[derive(Debug)]
pub(super) struct DayKey {
    /// Days since the epoch.
    day: i64,
    /// Version of the credential that held the secret.
    version: u32,
    key: MacKey,
}

impl Organizations {
    /// Whether there is a living access key of this name. It proves nothing: whoever knows the name
    /// may send more than a stranger before the signature is judged.
    pub fn knows_access_key(&self, access_key: &str, now: Instant) -> bool {
        if access_key.is_empty() || access_key.len() > CREDENTIAL_BYTES_MAX {
            return false;
        }
        let found = self.find_named(CredentialKind::StrongdmKey, access_key);
        let record = found.ok().flatten().and_then(|known| known.record().ok());
        record.is_some_and(|record| {
            let principal = &record.principal;
            let is_over = principal.expires_at.is_some_and(|end| end <= now);
            let is_suspended = principal.account_suspended || record.organization_suspended;
            !record.revoked && !is_over && !is_suspended
        })
    }

    /// Finds out who is asking, from an access key and the signature of a request's digest.
    pub fn authenticate_signed(
        &self,
        presented: &Presented<'_>,
        access_key: &str,
        digest: &[u8; 32],
        signature: &[u8],
        now: Instant,
    ) -> Result<Caller, AuthError> {
        let kind = CredentialKind::StrongdmKey;
        let known = self.named_credential(presented, kind, access_key, now)?;
        let is_secret = |record: &CredentialRecord| {
            for day in days(now).into_iter().flatten() {
                let keys = known.day_keys(record, access_key, day)?;
                let mut keys = keys.iter();
                if keys.any(|held| held.day == day && held.key.is_code_of(digest, signature)) {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        known.admit(presented, is_secret, now)
    }
}

impl Known {
    /// The keys that are kept for a credential, the one of this day among them.
    fn day_keys(
        &self,
        record: &CredentialRecord,
        access_key: &str,
        day: i64,
    ) -> Result<Arc<Vec<DayKey>>, AuthError> {
        let held = self.day_keys.load();
        let is_of_record = |key: &&DayKey| key.version == record.version;
        if held.iter().filter(is_of_record).any(|key| key.day == day) {
            return Ok(Arc::clone(&held));
        }
        let request_key = self.request_key(access_key, day)?;
        let mut keys = vec![DayKey {
            day,
            version: record.version,
            key: request_key,
        }];
        // The neighbour of midnight stays; what was made from an earlier secret goes.
        let others = held.iter().filter(is_of_record).take(DAYS_MAX - 1);
        keys.extend(others.map(|key| DayKey {
            day: key.day,
            version: key.version,
            key: key.key.clone(),
        }));
        let keys = Arc::new(keys);
        self.day_keys.store(Arc::clone(&keys));
        Ok(keys)
    }

    /// Opens the secret and derives the key of a day.
    fn request_key(&self, access_key: &str, day: i64) -> Result<MacKey, AuthError> {
        let view = self.organization.head();
        let sealed = CoreReader::new(&view).secret(self.credential, property::SEALED_SECRET);
        let Value::Bytes(sealed) = sealed else {
            return Err(AuthError::Unknown);
        };
        let context = sealed_context(CredentialKind::StrongdmKey, access_key);
        let opened = self.organization.vault().unseal(&context, &sealed);
        let text = opened.map_err(|error| AuthError::Unusable(error.into()))?;
        let secret = STANDARD.decode(text.expose()).map_err(|_| {
            AuthError::Unusable(IdentityError::Damaged {
                what: "credential",
                reason: "its secret is not base64".to_owned(),
            })
        })?;
        let date = Instant::from_micros(day.saturating_mul(DAY_MICROS)).to_rfc3339_millis();
        let date = date.split('T').next().unwrap_or_default();
        let of_day = MacKey::new(&secret).sign(date.as_bytes());
        Ok(MacKey::new(&MacKey::new(&of_day).sign(PURPOSE)))
    }
}

/// The days that a client's clock may show: this one, and its neighbour close to midnight.
fn days(now: Instant) -> [Option<i64>; 2] {
    let day = now.as_micros().div_euclid(DAY_MICROS);
    let time = now.as_micros().rem_euclid(DAY_MICROS);
    let neighbour = if time < MIDNIGHT_MICROS {
        Some(day - 1)
    } else if time >= DAY_MICROS - MIDNIGHT_MICROS {
        Some(day + 1)
    } else {
        None
    };
    [Some(day), neighbour]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_days_count_for_five_minutes() {
        let at = |seconds: i64| days(Instant::from_micros(10 * DAY_MICROS + seconds * 1_000_000));
        assert_eq!(at(0), [Some(10), Some(9)]);
        assert_eq!(at(299), [Some(10), Some(9)]);
        assert_eq!(at(300), [Some(10), None]);
        assert_eq!(at(86_400 - 301), [Some(10), None]);
        assert_eq!(at(86_400 - 300), [Some(10), Some(11)]);
        assert_eq!(at(-1), [Some(9), Some(10)]);
    }
}
