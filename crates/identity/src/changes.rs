// SPDX-License-Identifier: Apache-2.0
//! Commands that change credentials or end them.

use std::collections::BTreeMap;

use durward_graph::View;
use durward_graph::store::{Operation, Target};
use durward_model::{ObjectId, Value};
use durward_policy::Rights;
use durward_vault::{Secret, VaultError, random};

use crate::commands::read;
use crate::commit::planned;
use crate::control::{
    Act, require_act, require_no_gain, require_no_longer_life, require_same_bounds, require_within,
};
use crate::credential::{CredentialSummary, TAG_PREFIX, property};
use crate::failures::shortened;
use crate::issue::{pair_secret, secret_trace};
use crate::{Caller, IdentityError, IssuedCredential, Organization, Planned, names};

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
        self.revoke_credential_because(caller, id, "", false)
    }

    /// As [`Organization::revoke_credential`], with a reason for the audit log, and with the
    /// credentials that it made, and those that these made, if that is wished: all of them or none.
    pub fn revoke_credential_because(
        &self,
        caller: &Caller,
        id: ObjectId,
        reason: &str,
        with_descendants: bool,
    ) -> Result<CredentialSummary, IdentityError> {
        let now = self.now();
        let reason = shortened(reason);
        caller.commit(move |caller, view| {
            let known = caller.organization().credential_in(caller, view, id)?;
            let mut all = vec![known];
            if with_descendants {
                let made = CredentialSummary::descendants(view, id).into_iter();
                all.extend(made.filter_map(|id| CredentialSummary::find(view, id)));
            }
            let mut operations = Vec::new();
            for known in all.iter().filter(|known| !known.revoked) {
                require_act(caller, view, known, Act::Delete)?;
                let set = vec![
                    (property::REVOKED.to_owned(), Value::from(true)),
                    (property::REVOKED_ON.to_owned(), Value::from(now)),
                ];
                operations.push(patch(known.id, set));
            }
            let mut origin = caller.origin("credential revoked");
            origin.detail = reason;
            Ok::<_, IdentityError>(Planned::core(origin, operations, ()))
        })?;
        self.credential(caller, id)
    }

    /// Deletes a credential: it is refused from the next request on and leaves the lists; history
    /// and audit keep it. Returns what it was.
    pub fn delete_credential(
        &self,
        caller: &Caller,
        id: ObjectId,
    ) -> Result<CredentialSummary, IdentityError> {
        let (_, known) = caller.commit(move |caller, view| {
            let known = read(view, id)?;
            require_act(caller, view, &known, Act::Delete)?;
            let target = Target::Id(id);
            let operations = vec![Operation::DeleteEntity { target }];
            let origin = caller.origin("credential deleted");
            Ok::<_, IdentityError>(Planned::core(origin, operations, known))
        })?;
        Ok(known)
    }

    /// Changes name, tags or rights of a credential.
    pub fn update_credential(
        &self,
        caller: &Caller,
        id: ObjectId,
        update: CredentialUpdate,
    ) -> Result<CredentialSummary, IdentityError> {
        caller.commit(move |caller, view| {
            let known = read(view, id)?;
            require_act(caller, view, &known, Act::Change)?;
            let set = changed(caller, view, &known, update)?;
            planned(caller, "credential updated", vec![patch(id, set)])
        })?;
        read(&self.head(), id)
    }

    /// Gives an access key or a client a new secret, shown once; the old one ends at once, and so
    /// do tokens that were granted for it.
    pub fn rekey_credential(
        &self,
        caller: &Caller,
        id: ObjectId,
    ) -> Result<IssuedCredential, IdentityError> {
        let known = read(&self.head(), id)?;
        require_rekey(caller, &self.head(), &known)?;
        let Some(public) = &known.kind.entry().public else {
            let reason = "is its own name: delete it and make another";
            return Err(IdentityError::input("a bearer token", reason));
        };
        let secret = Secret::new(pair_secret(public)?);
        let (name, trace) = secret_trace(self, known.kind, known.public_id.as_deref(), &secret)?;
        let set = vec![
            (name.to_owned(), trace),
            (property::REKEYED_ON.to_owned(), Value::from(self.now())),
            (property::GENERATION.to_owned(), Value::from(generation()?)),
        ];
        caller.commit(move |caller, view| {
            require_rekey(caller, view, &read(view, id)?)?;
            planned(caller, "credential rekeyed", vec![patch(id, set)])
        })?;
        Ok(IssuedCredential {
            summary: read(&self.head(), id)?,
            secret,
        })
    }
}

/// Refuses a caller that may not have the secret of a credential.
fn require_rekey(
    caller: &Caller,
    view: &View,
    known: &CredentialSummary,
) -> Result<(), IdentityError> {
    require_act(caller, view, known, Act::Change)?;
    require_no_gain(caller, view, known)?;
    require_no_longer_life(caller, known.kind, known.expires_at)
}

/// The properties that an update changes, if the caller may.
fn changed(
    caller: &Caller,
    view: &View,
    known: &CredentialSummary,
    update: CredentialUpdate,
) -> Result<Vec<(String, Value)>, IdentityError> {
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
            require_same_bounds(caller, view, known)?;
        }
        let rights = rights.intersect(caller.rights().union(known.rights));
        set.push((property::RIGHTS.to_owned(), Value::from(rights.names())));
    }
    Ok(set)
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
