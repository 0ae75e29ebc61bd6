// SPDX-License-Identifier: Apache-2.0
//! Signed tokens (JWT): what clients may decode and must not be able to make.
//!
//! A set of keys issues one algorithm and accepts that one only, whatever a token's header says;
//! the key is the one that the header names, among this organization's own.

mod pair;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use durward_model::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::pair::Pair;
use crate::{Secret, VaultError, digest};

pub use self::pair::Algorithm;

/// Longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8192;
const KEY_ID_BYTES: usize = 8;
/// How far the clock of another machine that issued a token may be ahead.
const NOT_BEFORE_LEEWAY_SECONDS: i64 = 30;

/// The token keys of an organization: the newest signs, all verify.
pub struct TokenKeys {
    algorithm: Algorithm,
    keys: Vec<TokenKey>,
}

struct TokenKey {
    id: String,
    pair: Pair,
    public: Vec<u8>,
}

/// The content of a token whose signature and times are good.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedToken {
    /// Name of the key that signed it.
    pub key_id: String,
    /// Its claims.
    pub claims: Map<String, Value>,
}

/// Why a token is not accepted. Callers learn no more than [`TokenError::PUBLIC_MESSAGE`]; the
/// variants are for the audit record and the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not three base64 parts with JSON in the first two.
    #[error("the token is malformed: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// Its header asks for an algorithm that is not issued.
    #[error("the token names the algorithm {algorithm:?}")]
    Algorithm {
        /// What the header says, shortened.
        algorithm: String,
    },
    /// Its header names no key of this organization.
    #[error("the token names an unknown key")]
    UnknownKey,
    /// The signature is not that of the named key.
    #[error("the signature of the token is wrong")]
    Signature,
    /// Its time is over.
    #[error("the token expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
}

impl TokenError {
    /// The one answer for all reasons.
    pub const PUBLIC_MESSAGE: &'static str = "the token is not valid";
}

#[derive(Serialize)]
struct IssuedHeader<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

#[derive(Deserialize)]
struct ReceivedHeader {
    alg: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
}

impl TokenKeys {
    /// A new key in PKCS#8 form, to be sealed.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Secret<Vec<u8>>, VaultError> {
        algorithm.generate()
    }

    /// Keys from their PKCS#8 forms, oldest first.
    pub(crate) fn from_pkcs8<'a>(
        algorithm: Algorithm,
        documents: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, VaultError> {
        let mut keys = Vec::new();
        for document in documents {
            let pair = Pair::from_pkcs8(algorithm, document)?;
            let public = pair.public();
            keys.push(TokenKey {
                id: key_id(&public),
                pair,
                public,
            });
        }
        Ok(Self { algorithm, keys })
    }

    /// Name of the key that signs.
    pub fn current_key_id(&self) -> &str {
        self.keys.last().map_or("", |key| key.id.as_str())
    }

    /// Public halves by key name, oldest first: PKCS#1 DER of RSA keys, the 32 bytes of Ed25519
    /// keys.
    pub fn public_keys(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.keys
            .iter()
            .map(|key| (key.id.as_str(), key.public.as_slice()))
    }

    /// Signs claims. They must hold `exp` in seconds since the epoch, or verification will refuse.
    pub fn sign(&self, claims: &Map<String, Value>) -> Result<String, VaultError> {
        let failed = VaultError::Crypto {
            action: "sign a token",
        };
        let Some(key) = self.keys.last() else {
            return Err(failed);
        };
        let header = IssuedHeader {
            alg: self.algorithm.name(),
            kid: &key.id,
            typ: "JWT",
        };
        let (Ok(header), Ok(claims)) = (serde_json::to_vec(&header), serde_json::to_vec(claims))
        else {
            return Err(failed);
        };
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = key.pair.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Checks form, algorithm, key, signature and times, in this order.
    pub fn verify(&self, token: &str, now: Instant) -> Result<VerifiedToken, TokenError> {
        let parts = Parts::split(token)?;
        let header: ReceivedHeader = decode_json(parts.header, "its header is not JSON")?;
        let algorithm = header.alg.unwrap_or_default();
        if algorithm != self.algorithm.name() {
            return Err(TokenError::Algorithm {
                algorithm: algorithm.chars().take(16).collect(),
            });
        }
        if header.crit.is_some() {
            return Err(TokenError::Malformed {
                reason: "it has critical header extensions",
            });
        }
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let key = self
            .keys
            .iter()
            .find(|key| key.id == kid)
            .ok_or(TokenError::UnknownKey)?;
        let signature =
            URL_SAFE_NO_PAD
                .decode(parts.signature)
                .map_err(|_| TokenError::Malformed {
                    reason: "its signature is not base64",
                })?;
        let signed = parts.signed.as_bytes();
        if !self.algorithm.is_signed_by(&key.public, signed, &signature) {
            return Err(TokenError::Signature);
        }
        let claims: Map<String, Value> = decode_json(parts.claims, "its claims are not JSON")?;
        check_times(&claims, now)?;
        Ok(VerifiedToken {
            key_id: kid,
            claims,
        })
    }
}

/// Claims of a token without any check, to find out which organization to ask. Nothing may be
/// believed because it stands here.
pub fn unverified_claims(token: &str) -> Option<Map<String, Value>> {
    let parts = Parts::split(token).ok()?;
    decode_json(parts.claims, "").ok()
}

/// The algorithm that the header of a token names, without any check: it says which keys to ask,
/// and they accept their own algorithm only.
pub fn named_algorithm(token: &str) -> Option<Algorithm> {
    let parts = Parts::split(token).ok()?;
    let header: ReceivedHeader = decode_json(parts.header, "").ok()?;
    let algorithms = [Algorithm::Rs256, Algorithm::EdDsa];
    let is_named = |known: &Algorithm| header.alg.as_deref() == Some(known.name());
    algorithms.into_iter().find(is_named)
}

/// Whether a text has the shape of a signed token.
pub fn has_token_shape(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Name of a key: the start of the hash of its public half.
pub(crate) fn key_id(public: &[u8]) -> String {
    digest::hex(
        digest::sha256(public)
            .get(..KEY_ID_BYTES)
            .unwrap_or_default(),
    )
}

struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
    signed: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, TokenError> {
        let malformed = TokenError::Malformed {
            reason: "it is not of three parts",
        };
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed {
                reason: "it is too long",
            });
        }
        let Some((signed, signature)) = token.rsplit_once('.') else {
            return Err(malformed);
        };
        let Some((header, claims)) = signed.split_once('.') else {
            return Err(malformed);
        };
        if claims.contains('.') {
            return Err(malformed);
        }
        Ok(Self {
            header,
            claims,
            signature,
            signed,
        })
    }
}

fn decode_json<T: serde::de::DeserializeOwned>(
    part: &str,
    reason: &'static str,
) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed { reason })?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed { reason })
}

fn check_times(claims: &Map<String, Value>, now: Instant) -> Result<(), TokenError> {
    let malformed = TokenError::Malformed {
        reason: "its times are not numbers",
    };
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| malformed.clone()),
    };
    let (expires, not_before) = (seconds("exp")?, seconds("nbf")?);
    let expires = expires.ok_or(TokenError::Malformed {
        reason: "it does not say when it ends",
    })?;
    let now = now.as_micros().div_euclid(1_000_000);
    if now >= expires {
        return Err(TokenError::Expired);
    }
    if not_before.is_some_and(|start| now.saturating_add(NOT_BEFORE_LEEWAY_SECONDS) < start) {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        formatter
            .debug_struct("TokenKeys")
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]
mod tests;
