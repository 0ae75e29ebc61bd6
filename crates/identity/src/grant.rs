// SPDX-License-Identifier: Apache-2.0
//! The token service: short access tokens and reusable refresh tokens for clients.
//!
//! What is granted is not stored. A token names its client and the generation of the client's
//! secret; a new secret, or the client's end, ends it.

use durward_model::{ErrorKind, Instant};
use durward_policy::{Right, Rights};
use durward_vault::{Secret, random};
use serde_json::{Map, Value, json};

use crate::authenticate::AuthError;
use crate::failures::shortened;
use crate::issue::{said_claims, seconds};
use crate::{Caller, CredentialKind, IdentityError, Organizations, Presented};

/// How long access tokens are valid, in seconds.
pub const ACCESS_SECONDS: i64 = 300;
/// How long refresh tokens are valid, in seconds.
pub const REFRESH_SECONDS: i64 = 36_000;
const SCOPE: &str = "email profile";
/// Activity of a grant in the audit log.
const GRANTED: &str = "token granted";

/// Claim that tells access tokens from refresh tokens.
const TYPE_CLAIM: &str = "typ";
const ACCESS: &str = "Bearer";
const REFRESH: &str = "Refresh";
const CLIENT_CLAIM: &str = "azp";
const SESSION_CLAIM: &str = "sid";
const GENERATION_CLAIM: &str = "gen";

/// What a client is granted. Both tokens are here once.
pub struct TokenGrant {
    /// Bearer token of the interfaces.
    pub access_token: Secret<String>,
    /// Gets further access tokens, any number of times until it ends.
    pub refresh_token: Secret<String>,
    /// How long the access token is valid.
    pub access_seconds: i64,
    /// How long the refresh token is valid.
    pub refresh_seconds: i64,
    /// Id of the session: a refreshed grant keeps it.
    pub session: String,
    /// What the grant is said to be for.
    pub scope: &'static str,
    /// Cyral's names of the permissions that the client has now.
    pub permissions: Vec<&'static str>,
}

impl std::fmt::Debug for TokenGrant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("TokenGrant");
        debug
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Why nothing is granted. The causes are those of RFC 6749, section 5.2.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The request lacks a part.
    #[error("the request has no {missing}")]
    InvalidRequest {
        /// The parameter.
        missing: &'static str,
    },
    /// The client is unknown, or the secret is not its own, or it may not enter.
    #[error("the client is not accepted")]
    InvalidClient(#[source] AuthError),
    /// The refresh token is not this client's, or ended.
    #[error("the refresh token is not valid: {0}")]
    InvalidGrant(#[source] AuthError),
    /// The server failed.
    #[error("the token cannot be made")]
    Failed(#[source] IdentityError),
}

impl GrantError {
    /// The error code of RFC 6749; none for a failure of the server.
    pub fn oauth_code(&self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest { .. } => Some("invalid_request"),
            Self::InvalidClient(_) => Some("invalid_client"),
            Self::InvalidGrant(_) => Some("invalid_grant"),
            Self::Failed(_) => None,
        }
    }

    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidRequest { .. } | Self::InvalidGrant(_) => ErrorKind::Invalid,
            Self::InvalidClient(_) => ErrorKind::Unauthenticated,
            Self::Failed(error) => error.kind(),
        }
    }

    /// The sentence for clients, which tells no more than they know.
    pub fn description(&self) -> String {
        match self {
            Self::InvalidRequest { .. } => self.to_string(),
            Self::InvalidClient(_) => "the client id or the secret is wrong".to_owned(),
            Self::InvalidGrant(_) => "the refresh token is not valid".to_owned(),
            Self::Failed(_) => "an internal error occurred".to_owned(),
        }
    }
}

/// Cyral's names of the permissions in a set of rights, in the order of Cyral's list.
pub fn cyral_permissions(rights: Rights) -> Vec<&'static str> {
    Right::all()
        .filter(|right| rights.contains(*right))
        .filter_map(Right::cyral_name)
        .collect()
}

/// What an access token says of itself.
pub(crate) struct AccessClaims {
    pub(crate) client_id: String,
    pub(crate) generation: i64,
    pub(crate) expires_at: Instant,
}

impl Organizations {
    /// Grants tokens for a client id and its secret.
    pub fn grant_client_credentials(
        &self,
        client_id: &str,
        secret: &str,
        presented: &Presented<'_>,
        now: Instant,
    ) -> Result<TokenGrant, GrantError> {
        let caller = self.client(client_id, secret, presented, now)?;
        let session = random::uuid_v4().map_err(|error| GrantError::Failed(error.into()))?;
        grant(&caller, client_id, session, "client credentials", now)
    }

    /// Grants tokens for a refresh token. It stays valid: clients keep their first one.
    pub fn grant_refresh(
        &self,
        refresh_token: &str,
        client_id: &str,
        secret: &str,
        presented: &Presented<'_>,
        now: Instant,
    ) -> Result<TokenGrant, GrantError> {
        if refresh_token.is_empty() {
            return Err(GrantError::InvalidRequest {
                missing: "refresh_token",
            });
        }
        let caller = self.client(client_id, secret, presented, now)?;
        let session = match session_of(&caller, client_id, refresh_token, now) {
            Ok(session) => session,
            Err(error) => {
                let organization = caller.organization();
                organization.record_failure(presented, &error, Some(client_id), now);
                return Err(GrantError::InvalidGrant(error));
            }
        };
        grant(&caller, client_id, session, "refresh token", now)
    }

    fn client(
        &self,
        client_id: &str,
        secret: &str,
        presented: &Presented<'_>,
        now: Instant,
    ) -> Result<Caller, GrantError> {
        for (value, missing) in [(client_id, "client_id"), (secret, "client_secret")] {
            if value.is_empty() {
                return Err(GrantError::InvalidRequest { missing });
            }
        }
        self.authenticate_client(presented, client_id, secret, now)
            .map_err(GrantError::InvalidClient)
    }
}

/// The session of a refresh token, if it is this client's and of its present secret.
fn session_of(
    caller: &Caller,
    client_id: &str,
    refresh_token: &str,
    now: Instant,
) -> Result<String, AuthError> {
    let keys = caller.organization().vault().grant_keys();
    let verified = keys.verify(refresh_token, now);
    let claims = verified.map_err(AuthError::of_token)?.claims;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text(TYPE_CLAIM) != Some(REFRESH) {
        return Err(AuthError::Malformed {
            reason: "it is no refresh token",
        });
    }
    if text(CLIENT_CLAIM) != Some(client_id) {
        return Err(AuthError::Unknown);
    }
    if claims.get(GENERATION_CLAIM).and_then(Value::as_i64) != Some(caller.generation()) {
        return Err(AuthError::Revoked);
    }
    Ok(text(SESSION_CLAIM).unwrap_or_default().to_owned())
}

/// What a verified token says, if it is an access token.
pub(crate) fn access_claims(claims: &Map<String, Value>) -> Option<AccessClaims> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    if text(TYPE_CLAIM) != Some(ACCESS) {
        return None;
    }
    Some(AccessClaims {
        client_id: text(CLIENT_CLAIM)?.to_owned(),
        generation: number(GENERATION_CLAIM)?,
        expires_at: Instant::from_millis(number("exp")?.checked_mul(1000)?),
    })
}

fn grant(
    caller: &Caller,
    client_id: &str,
    session: String,
    how: &str,
    now: Instant,
) -> Result<TokenGrant, GrantError> {
    let permissions = cyral_permissions(caller.rights());
    let failed = |error: durward_vault::VaultError| GrantError::Failed(error.into());
    let keys = caller.organization().vault().grant_keys();
    let claims = |token_type: &str, life: i64| {
        let mut claims = common_claims(caller, client_id, &session, seconds(now));
        claims.insert(TYPE_CLAIM.to_owned(), token_type.into());
        claims.insert("exp".to_owned(), (seconds(now) + life).into());
        let id = random::hex::<16>()?;
        claims.insert("jti".to_owned(), id.into());
        Ok(claims)
    };
    let mut access = claims(ACCESS, ACCESS_SECONDS).map_err(failed)?;
    access.insert("scope".to_owned(), SCOPE.into());
    access.insert("permissions".to_owned(), json!(permissions));
    let refresh = claims(REFRESH, REFRESH_SECONDS).map_err(failed)?;
    let granted = TokenGrant {
        access_token: Secret::new(keys.sign(&access).map_err(failed)?),
        refresh_token: Secret::new(keys.sign(&refresh).map_err(failed)?),
        access_seconds: ACCESS_SECONDS,
        refresh_seconds: REFRESH_SECONDS,
        session,
        scope: SCOPE,
        permissions,
    };
    let mut origin = caller.origin(GRANTED);
    origin.detail = format!("{how}; client {}", shortened(client_id));
    caller.organization().store().record(origin);
    Ok(granted)
}

fn common_claims(
    caller: &Caller,
    client_id: &str,
    session: &str,
    issued: i64,
) -> Map<String, Value> {
    let subject = caller.account().map(durward_model::ObjectId::to_hex);
    let mut claims = said_claims(CredentialKind::CyralAccess, caller.organization().id());
    let own = [
        ("sub", Value::from(subject)),
        (CLIENT_CLAIM, client_id.into()),
        ("iat", issued.into()),
        (SESSION_CLAIM, session.into()),
        (GENERATION_CLAIM, caller.generation().into()),
    ];
    claims.extend(own.map(|(name, value)| (name.to_owned(), value)));
    claims
}
