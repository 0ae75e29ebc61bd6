// SPDX-License-Identifier: Apache-2.0
//! What authentication needs to know of one credential, as of one snapshot.

use std::sync::Arc;

use durward_graph::{CoreReader, EntityRef, View};
use durward_model::{Instant, Value};
use durward_policy::{AccessPolicy, Principal, Rights, RowAccess};
use durward_query::RowCondition;

use crate::bindings;
use crate::credential::{CREDENTIAL_TYPE, CredentialKind, property};
use crate::effective::{RoleRights, SUSPENDED, is_suspended};
use crate::organization::{ORGANIZATION_KEY, ORGANIZATION_TYPE};
use crate::{IdentityError, Organization};

/// One credential with its account, its rights and its policies.
#[derive(Debug)]
pub(crate) struct CredentialRecord {
    pub(crate) id: durward_model::ObjectId,
    pub(crate) kind: CredentialKind,
    pub(crate) name: String,
    pub(crate) account_name: String,
    pub(crate) organization_name: String,
    pub(crate) organization_suspended: bool,
    pub(crate) revoked: bool,
    /// Mark of the present secret.
    pub(crate) generation: i64,
    pub(crate) secret_hash: Vec<u8>,
    pub(crate) last_used_at: Option<Instant>,
    pub(crate) created_at: Instant,
    pub(crate) principal: Principal,
    role_rights: RoleRights,
    pub(crate) row_condition: Option<RowCondition>,
    pub(crate) core_condition: Option<RowCondition>,
    /// Texts of all policies, the credential's own first.
    pub(crate) policy_texts: Vec<String>,
    /// Key that binds cursors to the credential.
    pub(crate) cursor_key: [u8; 32],
    /// Version of the credential entity.
    pub(crate) version: u32,
}

/// A credential that lives less than this is a temporary one, in seconds: an hour, less the moment
/// between when its end is worked out and when it is stored.
const TEMPORARY_SECONDS: i64 = 3600 - 10;

impl CredentialRecord {
    /// When it ends, if it was made for less than an hour.
    pub(crate) fn temporary_until(&self) -> Option<Instant> {
        let end = self.principal.expires_at?;
        (end < self.created_at.plus_seconds(TEMPORARY_SECONDS)).then_some(end)
    }

    /// Reads a credential; `None` when it does not live, is none, or has no owner. What an earlier
    /// record says about an unchanged credential is taken over.
    pub(crate) fn read(
        organization: &Organization,
        view: &View,
        credential: EntityRef,
        earlier: Option<&Self>,
    ) -> Result<Option<Self>, IdentityError> {
        let reader = CoreReader::new(view);
        if !view.is_live(credential) || view.type_id(CREDENTIAL_TYPE) != Some(credential.type_id) {
            return Ok(None);
        }
        let Some(owner) = bindings::owner_of(reader, credential) else {
            return Ok(None);
        };
        let version = view.version(credential);
        let own = match earlier.filter(|earlier| earlier.version == version) {
            Some(earlier) => Own::from_earlier(earlier),
            None => Own::read(organization, view, credential)?,
        };
        let tenant = reader.by_key(ORGANIZATION_TYPE, ORGANIZATION_KEY);
        let mut roles = RoleRights::from(earlier.map(|earlier| &earlier.role_rights));
        let principal = Principal {
            account: view.entity_id(owner),
            account_suspended: is_suspended(reader, owner),
            account_rights: roles.of_account(reader, owner)?,
            credential_rights: own.rights,
            policies: own.policies,
            expires_at: own.expires_at,
            organization: organization.id().to_string(),
        };
        let row_access = principal.row_access()?;
        let core_access = principal.core_row_access()?;
        Ok(Some(Self {
            id: view.entity_id(credential),
            kind: own.kind,
            name: own.name,
            account_name: reader.text(owner, property::NAME).unwrap_or_default(),
            organization_name: tenant
                .and_then(|tenant| reader.text(tenant, property::NAME))
                .unwrap_or_default(),
            organization_suspended: tenant.is_none_or(|tenant| reader.flag(tenant, SUSPENDED)),
            revoked: own.revoked,
            generation: own.generation,
            secret_hash: own.secret_hash,
            last_used_at: own.last_used_at,
            created_at: view.created_at(credential),
            row_condition: RowAccess::to_condition(&row_access),
            core_condition: RowAccess::to_condition(&core_access),
            principal,
            role_rights: roles,
            policy_texts: own.policy_texts,
            cursor_key: own.cursor_key,
            version,
        }))
    }
}

pub(crate) fn stored_rights(
    reader: CoreReader<'_>,
    entity: EntityRef,
    what: &'static str,
) -> Result<Rights, IdentityError> {
    let names = reader.texts(entity, property::RIGHTS);
    Rights::from_names(names.iter().map(String::as_str)).map_err(|error| IdentityError::Damaged {
        what,
        reason: error.to_string(),
    })
}

/// What the credential entity itself says.
struct Own {
    kind: CredentialKind,
    name: String,
    rights: Rights,
    policies: Vec<Arc<AccessPolicy>>,
    policy_texts: Vec<String>,
    expires_at: Option<Instant>,
    revoked: bool,
    generation: i64,
    secret_hash: Vec<u8>,
    last_used_at: Option<Instant>,
    cursor_key: [u8; 32],
}

impl Own {
    fn from_earlier(earlier: &CredentialRecord) -> Self {
        Self {
            kind: earlier.kind,
            name: earlier.name.clone(),
            rights: earlier.principal.credential_rights,
            policies: earlier.principal.policies.clone(),
            policy_texts: earlier.policy_texts.clone(),
            expires_at: earlier.principal.expires_at,
            revoked: earlier.revoked,
            generation: earlier.generation,
            secret_hash: earlier.secret_hash.clone(),
            last_used_at: earlier.last_used_at,
            cursor_key: earlier.cursor_key,
        }
    }

    fn read(
        organization: &Organization,
        view: &View,
        credential: EntityRef,
    ) -> Result<Self, IdentityError> {
        let reader = CoreReader::new(view);
        let damaged = |reason: &str| IdentityError::Damaged {
            what: "credential",
            reason: reason.to_owned(),
        };
        let kind = reader.text(credential, property::KIND).unwrap_or_default();
        let own = reader.text(credential, property::POLICY);
        let bounds = reader.texts(credential, property::BOUNDED_BY);
        let policy_texts: Vec<String> = own.into_iter().chain(bounds).collect();
        let policies = policy_texts
            .iter()
            .map(|text| AccessPolicy::parse(text).map(Arc::new));
        let purpose = format!("cursors of {}", view.entity_id(credential));
        Ok(Self {
            kind: CredentialKind::named(&kind).ok_or_else(|| damaged("its kind is unknown"))?,
            name: reader.text(credential, property::NAME).unwrap_or_default(),
            rights: stored_rights(reader, credential, "credential")?,
            policies: policies.collect::<Result<_, _>>()?,
            policy_texts,
            expires_at: reader.instant(credential, property::EXPIRES_ON),
            revoked: reader.flag(credential, property::REVOKED),
            generation: reader.number(credential, property::GENERATION),
            secret_hash: match reader.secret(credential, property::SECRET_HASH) {
                Value::Bytes(bytes) => bytes,
                _ => Vec::new(),
            },
            last_used_at: reader.instant(credential, property::LAST_USED_ON),
            cursor_key: organization.vault().derive_key(&purpose),
        })
    }
}
