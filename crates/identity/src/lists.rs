// SPDX-License-Identifier: Apache-2.0
//! Reading credentials: never their secrets, and only those that the caller may see.

use durward_graph::{CoreReader, View};
use durward_model::ObjectId;

use crate::commands::read;
use crate::control::{Act, is_renewal, managing_own, sees_others};
use crate::credential::{CREDENTIAL_TYPE, CredentialSummary, KINDS, public_key};
use crate::{Caller, CredentialKind, IdentityError, Organization};

/// Which credentials a list shows. Each part narrows it.
#[derive(Clone, Debug, Default)]
pub struct CredentialFilter {
    /// Only of these kinds; empty for all.
    pub kinds: Vec<CredentialKind>,
    /// Only the caller's own.
    pub own: bool,
    /// Only those whose name holds this text, in whatever case; empty for all.
    pub search: String,
    /// Whether revoked ones are left out. What only ended stays; see
    /// [`CredentialSummary::is_usable_at`].
    pub usable_only: bool,
}

impl Organization {
    /// One credential: one's own, or any with the right to manage credentials of its kind.
    pub fn credential(
        &self,
        caller: &Caller,
        id: ObjectId,
    ) -> Result<CredentialSummary, IdentityError> {
        self.credential_in(caller, &self.head(), id)
    }

    /// As [`Organization::credential`], as it is in a view of this organization's graph.
    pub fn credential_in(
        &self,
        caller: &Caller,
        view: &View,
        id: ObjectId,
    ) -> Result<CredentialSummary, IdentityError> {
        let known = read(view, id)?;
        if caller.account() == Some(known.account) || sees_others(caller, known.kind) {
            return Ok(known);
        }
        Err(IdentityError::NotFound { what: "credential" })
    }

    /// The credential of a kind with this public name: one's own, or any that the caller may list.
    pub fn credential_named(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        public_id: &str,
    ) -> Option<CredentialSummary> {
        let view = self.head();
        let key = public_key(kind, public_id);
        let found = CoreReader::new(&view).by_key(CREDENTIAL_TYPE, &key)?;
        let known = CredentialSummary::read(&view, found)?;
        let is_seen = caller.account() == Some(known.account) || sees_others(caller, kind);
        is_seen.then_some(known)
    }

    /// Credentials in order of creation: the caller's own, and with the right to manage those of a
    /// kind, all of that kind.
    pub fn credentials(
        &self,
        caller: &Caller,
        filter: &CredentialFilter,
    ) -> Result<Vec<CredentialSummary>, IdentityError> {
        self.credentials_in(caller, &self.head(), filter)
    }

    /// As [`Organization::credentials`], as they are in a view of this organization's graph.
    pub fn credentials_in(
        &self,
        caller: &Caller,
        view: &View,
        filter: &CredentialFilter,
    ) -> Result<Vec<CredentialSummary>, IdentityError> {
        let asked = |kind: &CredentialKind| filter.kinds.is_empty() || filter.kinds.contains(kind);
        let kinds: Vec<CredentialKind> = KINDS.into_iter().filter(asked).collect();
        // What may always be renewed may always list its like.
        if !filter.own || !kinds.iter().all(|kind| is_renewal(caller, *kind)) {
            let rights = kinds.iter().map(|kind| managing_own(*kind, Act::See));
            caller.require_any(&rights.collect::<Vec<_>>().concat())?;
        }
        let all_of: Vec<CredentialKind> = kinds
            .iter()
            .copied()
            .filter(|kind| !filter.own && sees_others(caller, *kind))
            .collect();
        let search = filter.search.trim().to_lowercase();
        let shown = |known: &CredentialSummary| {
            (caller.account() == Some(known.account) || all_of.contains(&known.kind))
                && !(filter.usable_only && known.revoked)
                && known.name.to_lowercase().contains(&search)
        };
        let all = CredentialSummary::all(view, &filter.kinds);
        Ok(all.into_iter().filter(shown).collect())
    }
}
