// SPDX-License-Identifier: Apache-2.0
//! Commands that change credentials or end them.

use std::collections::BTreeMap;

use durward_graph::store::{Operation, Target};
use durward_model::{ObjectId, Value};
use durward_policy::Rights;
use durward_vault::{Secret, VaultError, random};

use crate::commands::read;
use crate::control::{Act, require_act, require_no_gain, require_same_bounds, require_within};
use crate::credential::{CredentialSummary, TAG_PREFIX, property};
use crate::failures::shortened;
use crate::issue::{cyral_secret, secret_trace, strongdm_secret};
use crate::{Caller, CredentialKind, IdentityError, IssuedCredential, Organization, names};

/// What changes of a credential; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct CredentialUpdate {
    /// Its name.
    pub name: Option<String>,
    /// All of its tags.
    pub tags: Option<BTreeMap<String, String>>,
    /// What it is for: never more than the caller may.
    pub rights: Option<Rights>,
}

impl Organization {
    /// Revokes a credential: it is refused from the next request on. Again, it changes nothing.
    pub fn revoke_credential(
        &self,
        caller: &Caller,
        id: ObjectId,
    ) -> Result<CredentialSummary, IdentityError> {
        self.revoke_credential_because(caller, id, "")
    }

    /// As [`Organization::revoke_credential`], with a reason for the audit log.
    pub fn revoke_credential_because(
        &self,
        caller: &Caller,
        id: ObjectId,
        reason: &str,
    ) -> Result<CredentialSummary, IdentityError> {
        let known = self.credential(caller, id)?;
        if known.revoked {
            return Ok(known);
        }
        require_act(caller, &self.head(), &known, Act::Delete)?;
        let set = vec![
            (property::REVOKED.to_owned(), Value::from(true)),
            (property::REVOKED_ON.to_owned(), Value::from(self.now())),
        ];
        let mut origin = caller.origin("credential revoked");
        origin.detail = shortened(reason);
        self.submit(origin, vec![patch(id, set)])?;
        self.credential(caller, id)
    }

    /// Deletes a credential: it is refused from the next request on and leaves the lists; history
    /// and audit keep it. Returns what it was.
    pub fn delete_credential(
        &self,
        caller: &Caller,
        id: ObjectId,
    ) -> Result<CredentialSummary, IdentityError> {
        let view = self.head();
        let known = read(&view, id)?;
        require_act(caller, &view, &known, Act::Delete)?;
        let target = Target::Id(id);
        let operations = vec![Operation::DeleteEntity { target }];
        self.submit(caller.origin("credential deleted"), operations)?;
        Ok(known)
    }

    /// Changes name, tags or rights of a credential.
    pub fn update_credential(
        &self,
        caller: &Caller,
        id: ObjectId,
        update: CredentialUpdate,
    ) -> Result<CredentialSummary, IdentityError> {
        let view = self.head();
        let known = read(&view, id)?;
        require_act(caller, &view, &known, Act::Change)?;
        let mut set = Vec::new();
        if let Some(name) = update.name {
            let name = names::name("the name of the credential", &name)?;
            set.push((property::NAME.to_owned(), Value::from(name)));
        }
        if let Some(tags) = update.tags {
            for (name, value) in &tags {
                names::tag(name, value)?;
            }
            let gone = known.tags.keys().filter(|name| !tags.contains_key(*name));
            set.extend(gone.map(|name| (format!("{TAG_PREFIX}{name}"), Value::Null)));
            let kept = tags.into_iter();
            set.extend(kept.map(|(name, value)| (format!("{TAG_PREFIX}{name}"), value.into())));
        }
        if let Some(rights) = update.rights {
            if !rights.is_within(&known.rights) {
                require_within(caller, rights)?;
                require_same_bounds(caller, &view, &known)?;
            }
            let rights = rights.intersect(caller.rights().union(known.rights));
            set.push((property::RIGHTS.to_owned(), Value::from(rights.names())));
        }
        let origin = caller.origin("credential updated");
        self.submit(origin, vec![patch(id, set)])?;
        read(&self.head(), id)
    }

    /// Gives an access key or a client a new secret, shown once; the old one ends at once, and so
    /// do tokens that were granted for it.
    pub fn rekey_credential(
        &self,
        caller: &Caller,
        id: ObjectId,
    ) -> Result<IssuedCredential, IdentityError> {
        let view = self.head();
        let known = read(&view, id)?;
        require_act(caller, &view, &known, Act::Change)?;
        require_no_gain(caller, &view, &known)?;
        let secret = match known.kind {
            CredentialKind::StrongdmKey => strongdm_secret()?,
            CredentialKind::CyralClient => cyral_secret()?,
            _ => {
                let reason = "is its own name: delete it and make another";
                return Err(IdentityError::input("a bearer token", reason));
            }
        };
        let secret = Secret::new(secret);
        let (name, trace) = secret_trace(self, known.kind, known.public_id.as_deref(), &secret)?;
        let set = vec![
            (name.to_owned(), trace),
            (property::REKEYED_ON.to_owned(), Value::from(self.now())),
            (property::GENERATION.to_owned(), Value::from(generation()?)),
        ];
        self.submit(caller.origin("credential rekeyed"), vec![patch(id, set)])?;
        Ok(IssuedCredential {
            summary: read(&self.head(), id)?,
            secret,
        })
    }
}

/// A mark of one secret that no other has; drawn, so that two commands at once differ too.
fn generation() -> Result<i64, VaultError> {
    Ok(i64::from_be_bytes(random::bytes::<8>()?))
}

fn patch(id: ObjectId, set: Vec<(String, Value)>) -> Operation {
    Operation::PatchEntity {
        target: Target::Id(id),
        set,
        classes: None,
        expected_version: None,
    }
}
