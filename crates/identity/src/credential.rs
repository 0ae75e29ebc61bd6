// SPDX-License-Identifier: Apache-2.0
//! Credentials: their kinds, and how they lie in the graph.

use std::collections::BTreeMap;

use durward_catalog::Kind;
use durward_catalog::credentials::{self, CredentialEntry, Secret};
use durward_graph::{CoreReader, EntityRef, View};
use durward_model::{Instant, ObjectId};
use durward_policy::Rights;
use durward_vault::digest;

use crate::bindings;
use crate::record::stored_rights;

/// Type of credential entities.
pub const CREDENTIAL_TYPE: &str = "credential";
/// Verb between an account and its credential.
pub const OWNS: &str = "OWNS";
/// Start of the properties that are tags.
pub(crate) use durward_graph::core_reader::TAG_PREFIX;

/// Names of the properties of credential entities.
pub(crate) mod property {
    pub(crate) const NAME: &str = "displayName";
    pub(crate) const KIND: &str = "kind";
    pub(crate) const CATEGORY: &str = "category";
    pub(crate) const ACCOUNT_TYPE: &str = "accountType";
    pub(crate) const POLICY: &str = "policy";
    pub(crate) const BOUNDED_BY: &str = "boundedBy";
    /// Id of the credential that made it.
    pub(crate) const MADE_BY: &str = "madeBy";
    pub(crate) const RIGHTS: &str = "rights";
    pub(crate) const PUBLIC_ID: &str = "publicId";
    pub(crate) const EXPIRES_ON: &str = "expiresOn";
    pub(crate) const REVOKED: &str = "revoked";
    pub(crate) const REVOKED_ON: &str = "revokedOn";
    pub(crate) const LAST_USED_ON: &str = "lastUsedOn";
    pub(crate) const REKEYED_ON: &str = "rekeyedOn";
    /// Drawn anew whenever the secret is replaced: tokens granted for an earlier one end.
    pub(crate) const GENERATION: &str = "generation";
    pub(crate) const SECRET_HASH: &str = "secretHash";
    pub(crate) const SEALED_SECRET: &str = "sealedSecret";
}

/// What sort of client a credential is for. What distinguishes the kinds is in the catalog; these
/// are the names of those that some code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CredentialKind {
    /// Bearer token of the native interface and of `durward` commands (JWT).
    ApiToken,
    /// JupiterOne API key (bearer token) with a JSON policy.
    JupiteroneApiKey,
    /// OpenCTI token (bearer token in the form of a UUID).
    OpenctiToken,
    /// Sonrai user token (JWT with that client's claims).
    SonraiToken,
    /// StrongDM access key with an HMAC secret.
    StrongdmKey,
    /// Cyral client id and secret.
    CyralClient,
    /// Access token that was granted to a Cyral client. Never stored: it lives and ends with the
    /// client.
    CyralAccess,
    /// Bearer token of a service account, as StrongDM shows it once.
    ServiceToken,
    /// Bearer token of a node. No interface for people or scripts accepts it.
    NodeToken,
}

/// The kinds that are stored.
pub(crate) const KINDS: [CredentialKind; 8] = [
    CredentialKind::ApiToken,
    CredentialKind::JupiteroneApiKey,
    CredentialKind::OpenctiToken,
    CredentialKind::SonraiToken,
    CredentialKind::StrongdmKey,
    CredentialKind::CyralClient,
    CredentialKind::ServiceToken,
    CredentialKind::NodeToken,
];

impl CredentialKind {
    /// The name under which it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiToken => "api_token",
            Self::JupiteroneApiKey => "jupiterone_api_key",
            Self::OpenctiToken => "opencti_token",
            Self::SonraiToken => "sonrai_token",
            Self::StrongdmKey => "strongdm_key",
            Self::CyralClient => "cyral_client",
            Self::CyralAccess => "cyral_access",
            Self::ServiceToken => "service_token",
            Self::NodeToken => "node_token",
        }
    }

    /// The stored kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What the catalog says about it.
    pub fn entry(self) -> &'static CredentialEntry {
        credentials::named(self.as_str())
    }

    /// Whether the secret alone is the credential, sent as a bearer token.
    pub fn is_bearer(self) -> bool {
        self.entry().secret != Secret::Pair
    }

    /// Kinds whose objects may own one.
    pub fn owners(self) -> &'static [Kind] {
        &self.entry().owners
    }
}

/// A credential as lists show it: everything but the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialSummary {
    /// Its id.
    pub id: ObjectId,
    /// The account, service or node that owns it.
    pub account: ObjectId,
    /// Its kind.
    pub kind: CredentialKind,
    /// Its name.
    pub name: String,
    /// The credential that made it; none for the first ones and for those of the operator.
    pub made_by: Option<ObjectId>,
    /// Category, where its maker gave one.
    pub category: Option<String>,
    /// What sort of token it is in the words of its dialect, where its maker said.
    pub account_type: Option<String>,
    /// What it is for. Its owner may have less by now.
    pub rights: Rights,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Text of its policy, where it has one.
    pub policy: Option<String>,
    /// Public half: access key or client id, where the kind has one.
    pub public_id: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed, its use included.
    pub updated_at: Instant,
    /// When its secret was last replaced.
    pub rekeyed_at: Option<Instant>,
    /// When it ends.
    pub expires_at: Option<Instant>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
    /// When it was last used, to the hour.
    pub last_used_at: Option<Instant>,
}

impl CredentialSummary {
    /// Reads a credential; `None` when it is none, or has no owner.
    pub fn read(view: &View, credential: EntityRef) -> Option<Self> {
        if view.type_id(CREDENTIAL_TYPE) != Some(credential.type_id) {
            return None;
        }
        let reader = CoreReader::new(view);
        let text = |name| reader.text(credential, name);
        Some(Self {
            id: view.entity_id(credential),
            account: view.entity_id(bindings::owner_of(reader, credential)?),
            kind: CredentialKind::named(&text(property::KIND)?)?,
            name: text(property::NAME).unwrap_or_default(),
            made_by: text(property::MADE_BY).and_then(|id| ObjectId::parse_hex(&id)),
            category: text(property::CATEGORY),
            account_type: text(property::ACCOUNT_TYPE),
            rights: stored_rights(reader, credential, "credential").unwrap_or_default(),
            tags: reader.tags(credential),
            policy: text(property::POLICY),
            public_id: text(property::PUBLIC_ID),
            created_at: view.created_at(credential),
            updated_at: view.updated_at(credential),
            rekeyed_at: reader.instant(credential, property::REKEYED_ON),
            expires_at: reader.instant(credential, property::EXPIRES_ON),
            revoked: reader.flag(credential, property::REVOKED),
            revoked_at: reader.instant(credential, property::REVOKED_ON),
            last_used_at: reader.instant(credential, property::LAST_USED_ON),
        })
    }

    /// The living credential of this id. Whether a caller may see it is not asked.
    pub fn find(view: &View, id: ObjectId) -> Option<Self> {
        let found = CoreReader::new(view).by_id(id, &[CREDENTIAL_TYPE])?;
        Self::read(view, found)
    }

    /// All living credentials of some kinds (all when none is named), in order of creation.
    /// Whether a caller may see them is not asked.
    pub fn all(view: &View, kinds: &[CredentialKind]) -> Vec<Self> {
        let all = CoreReader::new(view).live(CREDENTIAL_TYPE).into_iter();
        all.filter_map(|row| Self::read(view, row))
            .filter(|known| kinds.is_empty() || kinds.contains(&known.kind))
            .collect()
    }

    /// The living credentials that were made by one, by those that it made, and so on. Those that
    /// ended in between lead on.
    pub(crate) fn descendants(view: &View, ancestor: ObjectId) -> Vec<ObjectId> {
        let ever = view.clone().include_deleted();
        let reader = CoreReader::new(&ever);
        let mut made: BTreeMap<ObjectId, Vec<EntityRef>> = BTreeMap::new();
        for credential in reader.live(CREDENTIAL_TYPE) {
            let maker = reader.text(credential, property::MADE_BY);
            if let Some(maker) = maker.and_then(|id| ObjectId::parse_hex(&id)) {
                made.entry(maker).or_default().push(credential);
            }
        }
        let mut found = Vec::new();
        let mut next = vec![ancestor];
        while let Some(maker) = next.pop() {
            // A credential has one maker: taking it out ends every walk.
            for credential in made.remove(&maker).unwrap_or_default() {
                let id = ever.entity_id(credential);
                next.push(id);
                if view.is_live(credential) {
                    found.push(id);
                }
            }
        }
        found
    }

    /// Texts of all policies that bound a living credential.
    pub(crate) fn policies(view: &View, id: ObjectId) -> Vec<String> {
        let reader = CoreReader::new(view);
        let Some(credential) = reader.by_id(id, &[CREDENTIAL_TYPE]) else {
            return Vec::new();
        };
        let own = reader.text(credential, property::POLICY);
        let bounds = reader.texts(credential, property::BOUNDED_BY);
        own.into_iter().chain(bounds).collect()
    }

    /// Whether it is of use at a moment: neither revoked nor ended. Its owner may be suspended.
    pub fn is_usable_at(&self, now: Instant) -> bool {
        !self.revoked && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Natural key of the credential whose secret is a bearer token. It is made from the secret by a
/// one-way function, so that finding it needs no index of its own; secrets are random enough that
/// nobody gets back from the key to the secret.
pub(crate) fn bearer_key(token: &str) -> String {
    let mut input = b"durward credential key\0".to_vec();
    input.extend_from_slice(token.as_bytes());
    let hash = digest::sha256(&input);
    format!(
        "credential:{}",
        digest::hex(hash.get(..16).unwrap_or_default())
    )
}

/// Natural key of a credential with a public half.
pub(crate) fn public_key(kind: CredentialKind, public_id: &str) -> String {
    format!("credential:{}:{public_id}", kind.as_str())
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use std::collections::BTreeSet;

    use durward_catalog::credentials::Acts;
    use durward_policy::Action;

    use super::*;

    #[test]
    fn kinds_have_names_of_their_own() {
        for kind in KINDS {
            assert_eq!(CredentialKind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(CredentialKind::named(""), None);
    }

    #[test]
    fn every_kind_is_a_row_of_the_catalog_and_asks_for_actions_that_there_are() {
        let stored = KINDS.iter().map(|kind| kind.as_str());
        let named: BTreeSet<&str> = stored.chain(["cyral_access"]).collect();
        let rows = credentials::all().iter().map(|row| row.name.as_str());
        assert_eq!(named, rows.collect());
        assert!(KINDS.iter().all(|kind| kind.entry().kept.is_some()));
        for row in credentials::all() {
            let Acts {
                see,
                make,
                change,
                end,
            } = &row.actions;
            for action in [see, make, change, end] {
                assert!(Action::named(action).is_some(), "{}: {action}", row.name);
            }
        }
    }

    #[test]
    fn keys_do_not_hold_the_secret() {
        let key = bearer_key("secret");
        assert_eq!(key, bearer_key("secret"));
        assert_ne!(key, bearer_key("secreu"));
        assert!(!key.contains("secret"));
        assert!(!key.contains(&digest::hex(&digest::sha256(b"secret")[..8])));
    }
}
