// SPDX-License-Identifier: Apache-2.0
//! Cyral's API clients: a client id and a secret, with permissions by name.

pub(crate) mod grant;

use durward_graph::{CoreReader, View};
use durward_policy::{Right, Rights};

use crate::changes::CredentialUpdate;
use crate::commands::own_credential;
use crate::control::{Act, managing_own, require_within, sees_others};
use crate::credential::{CREDENTIAL_TYPE, CredentialSummary, public_key};
use crate::{Caller, CredentialKind, IdentityError, IssuedCredential, NewCredential, Organization};

const KIND: CredentialKind = CredentialKind::CyralClient;

impl CredentialSummary {
    /// Cyral's names of the permissions that it is for, in the order of Cyral's list.
    pub fn cyral_permissions(&self) -> Vec<&'static str> {
        cyral_permissions(self.rights)
    }
}

/// Cyral's names of the permissions in a set of rights, in the order of Cyral's list.
pub fn cyral_permissions(rights: Rights) -> Vec<&'static str> {
    Right::all()
        .filter(|right| rights.contains(*right))
        .filter_map(Right::cyral_name)
        .collect()
}

impl Organization {
    /// Makes a client of the caller's account. Permissions that the caller lacks are refused.
    pub fn create_cyral_client<'a>(
        &self,
        caller: &Caller,
        name: &str,
        permissions: impl IntoIterator<Item = &'a str>,
    ) -> Result<IssuedCredential, IdentityError> {
        caller.require_any(&managing_own(KIND, Act::Make))?;
        let rights = permissions_named(permissions)?;
        let may = move |caller: &Caller| {
            caller.require_any(&managing_own(KIND, Act::Make))?;
            require_within(caller, rights)
        };
        require_within(caller, rights)?;
        let new = NewCredential {
            rights,
            ..own_credential(caller, KIND, name)?
        };
        self.issue(caller, new, may)
    }

    /// The client of this id: one's own, or any that the caller may list.
    pub fn cyral_client(
        &self,
        caller: &Caller,
        client_id: &str,
    ) -> Result<CredentialSummary, IdentityError> {
        self.cyral_client_in(caller, &self.head(), client_id)
    }

    /// As [`Organization::cyral_client`], as it is in a view of this organization's graph.
    pub fn cyral_client_in(
        &self,
        caller: &Caller,
        view: &View,
        client_id: &str,
    ) -> Result<CredentialSummary, IdentityError> {
        let key = public_key(KIND, client_id);
        let found = CoreReader::new(view).by_key(CREDENTIAL_TYPE, &key);
        let known = found.and_then(|credential| CredentialSummary::read(view, credential));
        let visible = known.filter(|known| {
            caller.account() == Some(known.account) || sees_others(caller, known.kind)
        });
        visible.ok_or(IdentityError::NotFound { what: "client" })
    }

    /// Changes the name of a client, or all of its permissions. They count from the next request
    /// on, for tokens that were granted before too.
    pub fn update_cyral_client<'a>(
        &self,
        caller: &Caller,
        client_id: &str,
        name: Option<&str>,
        permissions: Option<impl IntoIterator<Item = &'a str>>,
    ) -> Result<CredentialSummary, IdentityError> {
        let known = self.cyral_client(caller, client_id)?;
        let update = CredentialUpdate {
            name: name.map(str::to_owned),
            tags: None,
            rights: permissions.map(permissions_named).transpose()?,
        };
        self.update_credential(caller, known.id, update)
    }

    /// Gives a client a new secret. The old one ends at once, and so does every token that was
    /// granted for it.
    pub fn rotate_cyral_client(
        &self,
        caller: &Caller,
        client_id: &str,
    ) -> Result<IssuedCredential, IdentityError> {
        let known = self.cyral_client(caller, client_id)?;
        self.rekey_credential(caller, known.id)
    }

    /// Deletes a client. Every token that was granted to it ends at once.
    pub fn delete_cyral_client(
        &self,
        caller: &Caller,
        client_id: &str,
    ) -> Result<CredentialSummary, IdentityError> {
        let known = self.cyral_client(caller, client_id)?;
        self.delete_credential(caller, known.id)
    }
}

fn permissions_named<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Rights, IdentityError> {
    let mut rights = Rights::NONE;
    for name in names {
        let right = Right::of_cyral(name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            IdentityError::input(
                "the permissions",
                format!("include {name:?}, which is none"),
            )
        })?;
        rights = rights.with(right);
    }
    if rights == Rights::NONE {
        return Err(IdentityError::input("the permissions", "must not be empty"));
    }
    Ok(rights)
}
