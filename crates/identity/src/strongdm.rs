// SPDX-License-Identifier: Apache-2.0
//! StrongDM's tokens: access keys with permissions of their own.

use std::collections::BTreeMap;

use durward_model::Instant;
use durward_policy::Rights;

use crate::commands::own_credential;
use crate::control::{Act, managing_own, require_within};
use crate::{Caller, CredentialKind, IdentityError, IssuedCredential, NewCredential, Organization};

impl Organization {
    /// Makes an access key of the caller's account. Permissions that the caller lacks are refused.
    pub fn create_strongdm_key(
        &self,
        caller: &Caller,
        name: &str,
        account_type: &str,
        permissions: Rights,
        tags: BTreeMap<String, String>,
        deadline: Option<Instant>,
    ) -> Result<IssuedCredential, IdentityError> {
        let kind = CredentialKind::StrongdmKey;
        let may = move |caller: &Caller| {
            caller.require_any(&managing_own(kind, Act::Make))?;
            require_within(caller, permissions)
        };
        may(caller)?;
        let new = NewCredential {
            account_type: (!account_type.is_empty()).then(|| account_type.to_owned()),
            rights: permissions,
            expires_at: deadline,
            tags,
            ..own_credential(caller, kind, name)?
        };
        self.issue(caller, new, may)
    }
}
