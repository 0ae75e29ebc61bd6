// SPDX-License-Identifier: Apache-2.0
//! Accounts as lists show them, of people and of machines: one's own always, others to whoever may
//! list their kind and see them.

use durward_catalog::kinds::verb::ASSIGNED;
use durward_graph::{CoreReader, EntityRef, ObjectRef, View};
use durward_identity::{Caller, is_suspended};
use durward_model::{Instant, ObjectId};

use crate::access::{Sight, living};
use crate::{AccessError, Kind, action, reader};

/// An account, with the roles that it is assigned.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSummary {
    /// Its id.
    pub id: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// Its e-mail address; empty for services.
    pub email: String,
    /// Name that people see.
    pub display_name: String,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Names of the roles that it is assigned itself.
    pub roles: Vec<String>,
    /// When it was made.
    pub created_at: Instant,
}

impl AccountSummary {
    /// The living account of this id. Whether a caller may see it is not asked.
    pub fn find(view: &View, id: ObjectId) -> Option<Self> {
        reader::entity(view, id, &Kind::ACCOUNTS).map(|account| Self::read(view, account))
    }

    fn read(view: &View, account: EntityRef) -> Self {
        let roles = reader::links_out(view, account, ASSIGNED, Kind::ROLE);
        let roles = roles.into_iter();
        Self {
            id: view.entity_id(account),
            kind: kind_of(view, account),
            email: reader::text(view, account, "email"),
            display_name: reader::text(view, account, "displayName"),
            suspended: is_suspended(CoreReader::new(view), account),
            roles: roles
                .map(|role| reader::text(view, role.other, "displayName"))
                .collect(),
            created_at: view.created_at(account),
        }
    }
}

/// The accounts in `view` that the caller may see, people first, in order of creation.
///
/// # Errors
/// When the caller may not list them.
pub fn list(caller: &Caller, view: &View) -> Result<Vec<AccountSummary>, AccessError> {
    let sight = Sight::of(caller, view);
    let mut accounts = Vec::new();
    for kind in Kind::ACCOUNTS {
        caller.require_action(action::read(kind))?;
        let seen = living(view, kind).into_iter().filter_map(|found| {
            let ObjectRef::Entity(account) = found else {
                return None;
            };
            (sight.sees(found) || is_own(caller, view, account)).then_some(account)
        });
        accounts.extend(seen.map(|account| AccountSummary::read(view, account)));
    }
    Ok(accounts)
}

/// One account, as it is in `view`.
///
/// # Errors
/// When there is none that the caller may see.
pub fn get(caller: &Caller, view: &View, id: ObjectId) -> Result<AccountSummary, AccessError> {
    let is_seen = |account: &EntityRef| {
        let kind = kind_of(view, *account);
        is_own(caller, view, *account)
            || caller.allows(action::read(kind))
                && Sight::of(caller, view).sees(ObjectRef::Entity(*account))
    };
    let found = reader::entity(view, id, &Kind::ACCOUNTS).filter(is_seen);
    let found = found.ok_or(AccessError::NotFound { what: "account" })?;
    Ok(AccountSummary::read(view, found))
}

pub(crate) fn kind_of(view: &View, account: EntityRef) -> Kind {
    if reader::is_of_kind(view, account, Kind::SERVICE) {
        Kind::SERVICE
    } else {
        Kind::USER
    }
}

fn is_own(caller: &Caller, view: &View, account: EntityRef) -> bool {
    caller.account() == Some(view.entity_id(account))
}
