// SPDX-License-Identifier: Apache-2.0
//! Making credentials: the secret, and the operations that store its traces.

use durward_graph::store::{Operation, PutMode, Target};
use durward_model::{Instant, Namespace, ObjectId, Value};
use durward_policy::Rights;
use durward_vault::{Secret, VaultError, digest, random};
use serde_json::{Map, json};

use crate::credential::{
    CREDENTIAL_TYPE, CredentialKind, OWNS, OWNS_TYPE, bearer_key, property, public_key,
};
use crate::{IdentityError, Organization};

/// Start of opaque bearer tokens; the id of the organization follows.
pub(crate) const OPAQUE_PREFIX: &str = "durward_";
/// Issuer and audience of native tokens.
const ISSUER: &str = "durward";
/// Issuer that Sonrai's clients expect.
const SONRAI_ISSUER: &str = "Sonrai";
const SONRAI_ENVIRONMENT: &str = "production";
const SONRAI_AUDIENCE: &str = "production-graphql-server.sonraisecurity.com";
/// Claim that names the organization in Sonrai's tokens.
pub(crate) const SONRAI_ORGANIZATION_CLAIM: &str = "https://sonraisecurity.com/org";
/// Claim that names the organization in native tokens.
pub(crate) const ORGANIZATION_CLAIM: &str = "org";

/// A credential to be made.
#[derive(Debug)]
pub(crate) struct NewCredential {
    pub(crate) kind: CredentialKind,
    pub(crate) account: ObjectId,
    pub(crate) name: String,
    pub(crate) category: Option<String>,
    pub(crate) policy: Option<String>,
    /// Policies of the credential that makes it: it must never do more than that one.
    pub(crate) bounded_by: Vec<String>,
    pub(crate) rights: Rights,
    pub(crate) expires_at: Option<Instant>,
}

/// What a made credential is, before it is stored.
pub(crate) struct Drawn {
    /// Access key or client id, where the kind has one.
    pub(crate) public_id: Option<String>,
    /// The secret, or the whole token.
    pub(crate) secret: Secret<String>,
    /// Stores the credential and its owner; the first operation makes the credential.
    pub(crate) operations: Vec<Operation>,
}

impl NewCredential {
    /// Draws the secret. `position` is the number of operations before these in the draft.
    pub(crate) fn draw(
        self,
        organization: &Organization,
        position: usize,
        now: Instant,
    ) -> Result<Drawn, IdentityError> {
        // Tokens carry whole seconds; what is stored must say the same.
        let expires_at = self
            .expires_at
            .map(|end| Instant::from_millis(seconds(end) * 1000));
        let (public_id, secret) = self.secret(organization, now, expires_at)?;
        let key = match &public_id {
            Some(public_id) => public_key(self.kind, public_id),
            None => bearer_key(secret.expose()),
        };
        let is_sealed = self.kind == CredentialKind::StrongdmKey;
        let trace = if let (true, Some(public_id)) = (is_sealed, &public_id) {
            let context = sealed_context(self.kind, public_id);
            let sealed = organization
                .vault()
                .seal(&context, secret.expose().as_bytes())?;
            (property::SEALED_SECRET, Value::Bytes(sealed))
        } else {
            let hash = digest::sha256(secret.expose().as_bytes());
            (property::SECRET_HASH, Value::Bytes(hash.to_vec()))
        };
        let text = |value: Option<String>| value.map_or(Value::Null, Value::String);
        let properties = [
            (property::NAME, Value::String(self.name)),
            (property::KIND, Value::from(self.kind.as_str())),
            (property::CATEGORY, text(self.category)),
            (property::POLICY, text(self.policy)),
            (property::BOUNDED_BY, list_or_null(self.bounded_by)),
            (property::RIGHTS, Value::from(self.rights.names())),
            (property::PUBLIC_ID, text(public_id.clone())),
            (
                property::EXPIRES_ON,
                expires_at.map_or(Value::Null, Value::from),
            ),
            (property::REVOKED, Value::from(false)),
            trace,
        ];
        let operations = vec![
            Operation::PutEntity {
                entity_type: CREDENTIAL_TYPE.to_owned(),
                classes: None,
                namespace: Namespace::durward(),
                key,
                properties: named(properties),
                aliases: Vec::new(),
                mode: PutMode::Create,
            },
            Operation::PutRelationship {
                from: Target::Id(self.account),
                verb: OWNS.to_owned(),
                to: Target::Result(position),
                relationship_type: OWNS_TYPE.to_owned(),
                namespace: Namespace::durward(),
                key: None,
                properties: Vec::new(),
                mode: PutMode::Create,
            },
        ];
        Ok(Drawn {
            public_id,
            secret,
            operations,
        })
    }

    fn secret(
        &self,
        organization: &Organization,
        now: Instant,
        expires_at: Option<Instant>,
    ) -> Result<(Option<String>, Secret<String>), VaultError> {
        let (public_id, secret) = match self.kind {
            CredentialKind::ApiToken | CredentialKind::SonraiToken => {
                let claims = self.claims(organization, now, expires_at)?;
                (None, organization.vault().token_keys().sign(&claims)?)
            }
            CredentialKind::JupiteroneApiKey => {
                let secret = random::base64_url::<32>()?;
                (
                    None,
                    format!("{OPAQUE_PREFIX}{}_{secret}", organization.id()),
                )
            }
            CredentialKind::OpenctiToken => (None, random::uuid_v4()?),
            CredentialKind::StrongdmKey => (
                Some(format!("auth-{}", random::hex::<8>()?)),
                random::base64::<32>()?,
            ),
            CredentialKind::CyralClient => (
                Some(format!("sa/default/{}", random::hex::<8>()?)),
                random::base64_url::<32>()?,
            ),
        };
        Ok((public_id, Secret::new(secret)))
    }

    fn claims(
        &self,
        organization: &Organization,
        now: Instant,
        expires_at: Option<Instant>,
    ) -> Result<Map<String, serde_json::Value>, VaultError> {
        let organization = organization.id().as_str();
        let mut claims = Map::new();
        let mut claim = |name: &str, value: serde_json::Value| {
            claims.insert(name.to_owned(), value);
        };
        claim("sub", self.account.to_hex().into());
        claim("jti", random::hex::<8>()?.into());
        claim("iat", seconds(now).into());
        claim("nbf", seconds(now).into());
        claim(
            "exp",
            expires_at.map_or(i64::MAX / 1_000_000, seconds).into(),
        );
        if self.kind == CredentialKind::SonraiToken {
            claim("iss", SONRAI_ISSUER.into());
            claim("aud", SONRAI_AUDIENCE.into());
            claim(SONRAI_ORGANIZATION_CLAIM, organization.into());
            claim("https://sonraisecurity.com/orgs", json!([organization]));
            claim("https://sonraisecurity.com/env", SONRAI_ENVIRONMENT.into());
        } else {
            claim("iss", ISSUER.into());
            claim("aud", ISSUER.into());
            claim(ORGANIZATION_CLAIM, organization.into());
        }
        Ok(claims)
    }
}

/// Context under which a recoverable secret is sealed.
pub(crate) fn sealed_context(kind: CredentialKind, public_id: &str) -> String {
    format!("credential {} {public_id}", kind.as_str())
}

pub(crate) fn named<const N: usize>(properties: [(&str, Value); N]) -> Vec<(String, Value)> {
    let present = properties.into_iter().filter(|(_, value)| !value.is_null());
    present
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn list_or_null(items: Vec<String>) -> Value {
    if items.is_empty() {
        Value::Null
    } else {
        Value::from(items)
    }
}

fn seconds(instant: Instant) -> i64 {
    instant.as_micros().div_euclid(1_000_000)
}
