// SPDX-License-Identifier: Apache-2.0
//! Making credentials: the secret, and the operations that store its traces.

use std::collections::BTreeMap;

use durward_catalog::credentials::{self, Alphabet, Kept, Public, Secret as Sort};
use durward_graph::store::{Operation, PutMode, Target};
use durward_model::{Instant, Namespace, ObjectId, Value};
use durward_policy::Rights;
use durward_vault::{Secret, VaultError, digest, random};
use serde_json::{Map, json};

use crate::credential::{
    CREDENTIAL_TYPE, CredentialKind, OWNS, TAG_PREFIX, bearer_key, property, public_key,
};
use crate::{Caller, IdentityError, Organization, OrganizationId};

/// Start of opaque bearer tokens; the id of the organization follows.
pub(crate) const OPAQUE_PREFIX: &str = "durward_";

/// A credential to be made: [`Organization::draw_credential`] draws its secret.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Its kind.
    pub kind: CredentialKind,
    /// Who will own it: an account, a service or a node, there already or made by an earlier
    /// operation of the same draft.
    pub owner: Target,
    /// Its name.
    pub name: String,
    /// Category, where there is one.
    pub category: Option<String>,
    /// What sort of token it is in the words of its dialect (StrongDM: `api`, `admin-token`).
    pub account_type: Option<String>,
    /// Text of a JSON policy that bounds it.
    pub policy: Option<String>,
    /// What it is for; `None` is all that its owner and its maker both may.
    pub rights: Option<Rights>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Instant>,
    /// How long it lives from when it is made, in place of an end.
    pub life_seconds: Option<i64>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A drawn credential, not stored yet.
pub struct DrawnCredential {
    /// Access key or client id, where the kind has one.
    pub public_id: Option<String>,
    /// The secret, or the whole token. It is here once and nowhere else.
    pub secret: Secret<String>,
    /// Store the credential and its owner; the first makes the credential.
    pub operations: Vec<Operation>,
}

impl std::fmt::Debug for DrawnCredential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("DrawnCredential");
        debug
            .field("public_id", &self.public_id)
            .finish_non_exhaustive()
    }
}

/// What the credential that makes another leaves on it.
#[derive(Debug, Default)]
pub(crate) struct Maker {
    /// The credential.
    pub(crate) credential: Option<ObjectId>,
    /// Its policies, which bound what it makes.
    pub(crate) policies: Vec<String>,
}

impl NewCredential {
    /// A credential for everything that its owner and its maker both may, without an end.
    pub fn new(kind: CredentialKind, owner: Target, name: &str) -> Self {
        Self {
            kind,
            owner,
            name: name.to_owned(),
            category: None,
            account_type: None,
            policy: None,
            rights: None,
            expires_at: None,
            life_seconds: None,
            tags: BTreeMap::new(),
        }
    }

    /// As [`NewCredential::new`], of the caller's own account.
    ///
    /// # Errors
    /// When the caller is the operator, who has none.
    pub fn own(caller: &Caller, kind: CredentialKind, name: &str) -> Result<Self, IdentityError> {
        let missing = || IdentityError::input("the operator", "has no account to own a credential");
        let account = caller.account().ok_or_else(missing)?;
        Ok(Self::new(kind, Target::Id(account), name))
    }

    /// Draws the secret. `position` is the number of operations before these in the draft.
    pub(crate) fn draw(
        self,
        organization: &Organization,
        maker: Maker,
        position: usize,
        now: Instant,
    ) -> Result<DrawnCredential, IdentityError> {
        // Signed tokens carry whole seconds; what is stored must say the same.
        let is_signed = self.kind.entry().secret == Sort::Signed;
        let whole = |end| Instant::from_millis(seconds(end) * 1000);
        let expires_at = self
            .expires_at
            .map(|end| if is_signed { whole(end) } else { end });
        let (public_id, secret) = self.secret(organization, now, expires_at)?;
        let key = match &public_id {
            Some(public_id) => public_key(self.kind, public_id),
            None => bearer_key(secret.expose()),
        };
        let made_by = maker.credential.map(ObjectId::to_hex);
        let rights = self.rights.unwrap_or(Rights::ALL);
        let text = |value: Option<String>| value.map_or(Value::Null, Value::String);
        let mut properties = named([
            (property::NAME, Value::String(self.name)),
            (property::KIND, Value::from(self.kind.as_str())),
            (property::CATEGORY, text(self.category)),
            (property::ACCOUNT_TYPE, text(self.account_type)),
            (property::POLICY, text(self.policy)),
            (property::BOUNDED_BY, list_or_null(maker.policies)),
            (property::MADE_BY, text(made_by)),
            (property::RIGHTS, Value::from(rights.names())),
            (property::PUBLIC_ID, text(public_id.clone())),
            (
                property::EXPIRES_ON,
                expires_at.map_or(Value::Null, Value::from),
            ),
            (property::REVOKED, Value::from(false)),
            secret_trace(organization, self.kind, public_id.as_deref(), &secret)?,
        ]);
        let tags = self.tags.into_iter();
        properties.extend(tags.map(|(name, value)| (format!("{TAG_PREFIX}{name}"), value.into())));
        let operations = vec![
            Operation::PutEntity {
                entity_type: CREDENTIAL_TYPE.to_owned(),
                classes: None,
                namespace: Namespace::durward(),
                key,
                properties,
                aliases: Vec::new(),
                mode: PutMode::Create,
            },
            Operation::PutRelationship {
                from: self.owner,
                verb: OWNS.to_owned(),
                to: Target::Result(position),
                // Made of the types of the ends: accounts, services and nodes own credentials.
                relationship_type: String::new(),
                namespace: Namespace::durward(),
                key: None,
                properties: Vec::new(),
                mode: PutMode::Create,
            },
        ];
        Ok(DrawnCredential {
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
    ) -> Result<(Option<String>, Secret<String>), IdentityError> {
        let entry = self.kind.entry();
        let (public_id, secret) = match (entry.secret, &entry.public) {
            (Sort::Signed, _) => loop {
                let claims = self.claims(organization, now, expires_at)?;
                let token = organization.vault().token_keys().sign(&claims)?;
                if entry.avoided.is_empty() || !token.contains(&entry.avoided) {
                    break (None, token);
                }
            },
            (Sort::Opaque, _) => {
                let secret = random::base64_url::<32>()?;
                let organization = organization.id();
                (None, format!("{OPAQUE_PREFIX}{organization}_{secret}"))
            }
            (Sort::Uuid, _) => (None, random::uuid_v4()?),
            (Sort::Pair, Some(public)) => (
                Some(format!("{}{}", public.begins, random::hex::<8>()?)),
                pair_secret(public)?,
            ),
            (Sort::Pair | Sort::Granted, _) => {
                let reason = "of this kind are granted, not made";
                return Err(IdentityError::input("credentials", reason));
            }
        };
        Ok((public_id, Secret::new(secret)))
    }

    fn claims(
        &self,
        organization: &Organization,
        now: Instant,
        expires_at: Option<Instant>,
    ) -> Result<Map<String, serde_json::Value>, IdentityError> {
        let Target::Id(owner) = self.owner else {
            let reason = "whose token names it must be there already";
            return Err(IdentityError::input("the owner", reason));
        };
        let mut claims = said_claims(self.kind, organization.id());
        let end = expires_at.map_or(i64::MAX / 1_000_000, seconds);
        let own = [
            ("sub", owner.to_hex().into()),
            ("jti", random::hex::<8>()?.into()),
            ("iat", seconds(now).into()),
            ("nbf", seconds(now).into()),
            ("exp", end.into()),
        ];
        claims.extend(own.map(|(name, value): (&str, serde_json::Value)| (name.to_owned(), value)));
        Ok(claims)
    }
}

/// What every token of a kind says, as the catalog has it, and the organization.
pub(crate) fn said_claims(
    kind: CredentialKind,
    organization: &OrganizationId,
) -> Map<String, serde_json::Value> {
    let mut claims = Map::new();
    let Some(said) = &kind.entry().claims else {
        return claims;
    };
    let organization = organization.as_str();
    for (name, text) in &said.text {
        claims.insert(name.clone(), text.as_str().into());
    }
    claims.insert(said.organization.clone(), organization.into());
    if !said.organizations.is_empty() {
        claims.insert(said.organizations.clone(), json!([organization]));
    }
    claims
}

/// The organization that the claims of a token name, of whichever kind it is.
pub(crate) fn claimed_organization(claims: &Map<String, serde_json::Value>) -> Option<&str> {
    let mut said = credentials::all()
        .iter()
        .filter_map(|kind| kind.claims.as_ref());
    said.find_map(|said| claims.get(&said.organization)?.as_str())
}

/// A new secret of a pair: 32 bytes.
pub(crate) fn pair_secret(public: &Public) -> Result<String, VaultError> {
    match public.secret {
        Alphabet::Base64 => random::base64::<32>(),
        Alphabet::Base64Url => random::base64_url::<32>(),
    }
}

/// The property by which a secret is recognized later: sealed where it must be recovered, else its
/// digest.
pub(crate) fn secret_trace(
    organization: &Organization,
    kind: CredentialKind,
    public_id: Option<&str>,
    secret: &Secret<String>,
) -> Result<(&'static str, Value), VaultError> {
    if let (Some(Kept::Sealed), Some(public_id)) = (kind.entry().kept, public_id) {
        let context = sealed_context(kind, public_id);
        let vault = organization.vault();
        let sealed = vault.seal(&context, secret.expose().as_bytes())?;
        return Ok((property::SEALED_SECRET, Value::Bytes(sealed)));
    }
    let hash = digest::sha256(secret.expose().as_bytes());
    Ok((property::SECRET_HASH, Value::Bytes(hash.to_vec())))
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

pub(crate) fn seconds(instant: Instant) -> i64 {
    instant.as_micros().div_euclid(1_000_000)
}
