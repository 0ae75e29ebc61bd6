// SPDX-License-Identifier: Apache-2.0
//! From what a request carries to a [`Caller`].
//!
//! A bearer token is found by its hash. What was found is remembered and looked at again whenever
//! the graph has moved on, so that suspension and revocation act on the next request.

mod error;
mod known;
mod signed;

use std::sync::Arc;

use durward_graph::CoreReader;
use durward_model::Instant;
use durward_vault::token::{has_token_shape, named_algorithm, unverified_claims};
use durward_vault::{Algorithm, digest};

pub use self::error::AuthError;
pub(crate) use self::known::Remembered;
use self::known::{Granted, Known};
use crate::credential::{CREDENTIAL_TYPE, CredentialKind, bearer_key, public_key};
use crate::grant::access_claims;
use crate::issue::{OPAQUE_PREFIX, claimed_organization};
use crate::record::CredentialRecord;
use crate::{Caller, Organization, OrganizationId, Organizations};

/// Longest credential that is looked at, in bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 8192;
/// What a request carries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presented<'a> {
    /// Value of the `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Values of the headers that name an organization (`JupiterOne-Account`, `LifeOmic-Account`,
    /// `sonraisecurity-com-org`): each must name the credential's own, by id or name.
    pub accounts: &'a [&'a str],
    /// Value of the `User-Agent` header.
    pub user_agent: &'a str,
    /// Address of the client.
    pub source_address: &'a str,
    /// Id of the request.
    pub request_id: &'a str,
}

impl Organizations {
    /// Finds out who is asking, from a bearer token.
    pub fn authenticate(
        &self,
        presented: &Presented<'_>,
        now: Instant,
    ) -> Result<Caller, AuthError> {
        let token = bearer(presented.authorization)?;
        let hash = digest::sha256(token.as_bytes());
        let known = if let Some(known) = self.remembered().get(&hash) {
            known
        } else if let Some(granted) = self.remembered().granted(&hash) {
            return granted.admit(presented, now);
        } else if named_algorithm(token) == Some(Algorithm::EdDsa) {
            let granted = Arc::new(self.find_granted(presented, token, now)?);
            self.remembered()
                .insert_granted(hash, Arc::clone(&granted), now);
            return granted.admit(presented, now);
        } else {
            let found = Arc::new(self.find_bearer(presented, token, now)?);
            self.remembered().insert(hash, Arc::clone(&found));
            found
        };
        let is_secret = |record: &CredentialRecord| Ok(digest::equal(&record.secret_hash, &hash));
        known.admit(presented, is_secret, now)
    }

    /// Finds out who is asking, from a client id and a secret.
    pub fn authenticate_client(
        &self,
        presented: &Presented<'_>,
        client_id: &str,
        secret: &str,
        now: Instant,
    ) -> Result<Caller, AuthError> {
        let known =
            self.named_credential(presented, CredentialKind::CyralClient, client_id, now)?;
        let hash = digest::sha256(secret.as_bytes());
        let is_secret = |record: &CredentialRecord| Ok(digest::equal(&record.secret_hash, &hash));
        known.admit(presented, is_secret, now)
    }

    /// Forgets what was found, for when token keys or organizations go.
    pub(crate) fn forget_credentials(&self) {
        self.remembered().clear();
    }

    /// Looks for a bearer token where it can be: in the organization that it names, else in all.
    fn find_bearer(
        &self,
        presented: &Presented<'_>,
        token: &str,
        now: Instant,
    ) -> Result<Known, AuthError> {
        let is_signed = has_token_shape(token);
        let named = named_organization(token, is_signed);
        let candidates: Vec<Arc<Organization>> = match &named {
            Some(name) => {
                let id = OrganizationId::parse(name);
                if id.as_ref().is_some_and(|id| self.is_unavailable(Some(id))) {
                    return Err(AuthError::OrganizationUnavailable);
                }
                id.and_then(|id| self.get(&id)).into_iter().collect()
            }
            None if is_signed => return Err(AuthError::Unknown),
            None => self.all(),
        };
        let may_be_of_another = named.is_none() && self.is_unavailable(None);
        let only = if candidates.len() == 1 {
            candidates.first().cloned()
        } else {
            None
        };
        let key = bearer_key(token);
        let refused = |error: AuthError| {
            // A failure is put down where the token says it belongs; an opaque one belongs nowhere.
            let named = only.clone().or_else(|| self.named_by_header(presented));
            if let Some(organization) = named {
                organization.record_failure(presented, &error, None, now);
            }
            tracing::debug!(reason = error.reason(), "authentication failed");
            error
        };
        for organization in candidates {
            let found = CoreReader::new(&organization.head()).by_key(CREDENTIAL_TYPE, &key);
            if is_signed && let Err(error) = organization.vault().token_keys().verify(token, now) {
                return Err(refused(AuthError::of_token(error)));
            }
            if let Some(credential) = found {
                return Known::find(organization, credential);
            }
        }
        if may_be_of_another {
            return Err(AuthError::OrganizationUnavailable);
        }
        Err(refused(AuthError::Unknown))
    }

    /// Verifies an access token, and finds the client to which it was granted.
    fn find_granted(
        &self,
        presented: &Presented<'_>,
        token: &str,
        now: Instant,
    ) -> Result<Granted, AuthError> {
        let named = named_organization(token, true).and_then(|name| OrganizationId::parse(&name));
        if named
            .as_ref()
            .is_some_and(|id| self.is_unavailable(Some(id)))
        {
            return Err(AuthError::OrganizationUnavailable);
        }
        let organization = named.and_then(|id| self.get(&id));
        let organization = organization.ok_or(AuthError::Unknown)?;
        let found = || {
            let verified = organization.vault().grant_keys().verify(token, now);
            let claims = verified.map_err(AuthError::of_token)?.claims;
            let claims = access_claims(&claims).ok_or(AuthError::Malformed {
                reason: "it is no access token",
            })?;
            let client = self.find_named(CredentialKind::CyralClient, &claims.client_id)?;
            let client = client.ok_or(AuthError::Unknown)?;
            if !Arc::ptr_eq(&client.organization, &organization) {
                return Err(AuthError::Unknown);
            }
            Ok(Granted {
                client,
                generation: claims.generation,
                expires_at: claims.expires_at,
            })
        };
        found().inspect_err(|error| organization.record_failure(presented, error, None, now))
    }

    fn named_by_header(&self, presented: &Presented<'_>) -> Option<Arc<Organization>> {
        presented
            .accounts
            .iter()
            .find_map(|name| self.find(name.trim()))
    }

    /// The credential of a public half, wherever it is.
    fn named_credential(
        &self,
        presented: &Presented<'_>,
        kind: CredentialKind,
        public_id: &str,
        now: Instant,
    ) -> Result<Arc<Known>, AuthError> {
        if public_id.is_empty() {
            return Err(AuthError::Missing);
        }
        if public_id.len() > CREDENTIAL_BYTES_MAX {
            return Err(AuthError::Malformed {
                reason: "its public half is too long",
            });
        }
        if let Some(known) = self.find_named(kind, public_id)? {
            return Ok(known);
        }
        // It may be of the one that cannot be opened.
        if self.is_unavailable(None) {
            return Err(AuthError::OrganizationUnavailable);
        }
        let mut all = self.all();
        let only = if all.len() == 1 { all.pop() } else { None };
        if let Some(organization) = only.or_else(|| self.named_by_header(presented)) {
            organization.record_failure(presented, &AuthError::Unknown, Some(public_id), now);
        }
        Err(AuthError::Unknown)
    }

    fn find_named(
        &self,
        kind: CredentialKind,
        public_id: &str,
    ) -> Result<Option<Arc<Known>>, AuthError> {
        if let Some(known) = self.remembered().of_public_id(kind, public_id) {
            return Ok(Some(known));
        }
        let key = public_key(kind, public_id);
        for organization in self.all() {
            let found = CoreReader::new(&organization.head()).by_key(CREDENTIAL_TYPE, &key);
            if let Some(credential) = found {
                let known = Arc::new(Known::find(organization, credential)?);
                let remembered = self.remembered();
                remembered.insert_public_id(kind, public_id, Arc::clone(&known));
                return Ok(Some(known));
            }
        }
        Ok(None)
    }
}

/// The token of a `Bearer` header.
fn bearer(authorization: Option<&str>) -> Result<&str, AuthError> {
    let header = authorization.map(str::trim).filter(|text| !text.is_empty());
    let header = header.ok_or(AuthError::Missing)?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::Malformed {
            reason: "the scheme is not Bearer",
        });
    }
    let token = token.trim();
    match token.len() {
        0 => Err(AuthError::Missing),
        1..=CREDENTIAL_BYTES_MAX => Ok(token),
        _ => Err(AuthError::Malformed {
            reason: "it is too long",
        }),
    }
}

/// The organization that a token names. Only a hint: what it says is checked there.
fn named_organization(token: &str, is_signed: bool) -> Option<String> {
    if is_signed {
        return claimed_organization(&unverified_claims(token)?).map(str::to_owned);
    }
    let (organization, _) = token.strip_prefix(OPAQUE_PREFIX)?.split_once('_')?;
    Some(organization.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn bearer_headers_are_read() {
        assert_eq!(bearer(Some("Bearer abc")).unwrap(), "abc");
        assert_eq!(bearer(Some(" bearer  abc ")).unwrap(), "abc");
        let kinds = [
            (None, "missing"),
            (Some(""), "missing"),
            (Some("Bearer"), "missing"),
            (Some("Bearer  "), "missing"),
            (Some("Basic abc"), "malformed"),
            (Some("abc"), "malformed"),
        ];
        for (header, reason) in kinds {
            assert_eq!(bearer(header).unwrap_err().reason(), reason, "{header:?}");
        }
        let long = format!("Bearer {}", "x".repeat(CREDENTIAL_BYTES_MAX + 1));
        assert_eq!(bearer(Some(&long)).unwrap_err().reason(), "malformed");
    }

    #[test]
    fn opaque_tokens_name_their_organization() {
        let named = |token| named_organization(token, false);
        assert_eq!(named("durward_0123_secret_more"), Some("0123".to_owned()));
        assert_eq!(named("3f9a1d52-0c4e-4b6a-9d3e-1a2b3c4d5e6f"), None);
        assert_eq!(named_organization("eyJ.x.y", true), None);
    }
}
