// SPDX-License-Identifier: Apache-2.0
//! Accounts of people and machines.

use std::collections::BTreeSet;

use durward_catalog::ids;
use durward_catalog::kinds::property;
use durward_graph::store::{Operation, Target};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::{Caller, CredentialKind, NewCredential, names as identity_names};
use durward_model::{ObjectId, Value};
use durward_policy::permission_level::{LEVEL_DEFAULT, LEVEL_SUSPENDED};
use durward_policy::{Action, PermissionLevel};

use super::create::Extra;
use super::update::Pending;
use super::{NewObject, Properties, names};
use crate::access::Planned;
use crate::administrators::require_administrator_beside;
use crate::{Access, AccessError, Kind, reader};

impl Access {
    pub(super) fn new_user(
        &self,
        caller: &Caller,
        view: &View,
        new: &mut NewObject,
        password_hash: Option<String>,
    ) -> Result<Extra, AccessError> {
        let properties = &mut new.properties;
        let email = identity_names::email(names::text(properties, property::EMAIL)?)?;
        properties.insert(property::EMAIL.to_owned(), Value::from(email.clone()));
        let given = names::text(properties, property::PERMISSION_LEVEL)?.to_owned();
        let level = if given.is_empty() && new.role.is_none() {
            LEVEL_DEFAULT.to_owned()
        } else {
            given
        };
        if !level.is_empty() && level != LEVEL_DEFAULT {
            check_level(caller, &level)?;
        }
        let is_suspended = level == LEVEL_SUSPENDED;
        let level = Some(level).filter(|level| !level.is_empty());
        properties.insert(
            property::PERMISSION_LEVEL.to_owned(),
            level.map_or(Value::Null, Value::from),
        );
        properties.insert(property::SUSPENDED.to_owned(), Value::from(is_suspended));
        let manager = names::text(properties, property::MANAGER)?;
        if !manager.is_empty() {
            manager_of(view, manager)?;
        }
        set_display_name(properties, &email)?;
        if let Some(hash) = password_hash {
            properties.insert(property::PASSWORD_HASH.to_owned(), Value::from(hash));
        }
        let role = new.role.take();
        let assigned = role.map(|name| self.first_assignment(caller, view, &name));
        Ok(Extra {
            operations: assigned.transpose()?.into_iter().collect(),
            ..Extra::default()
        })
    }

    pub(super) fn change_user(
        &self,
        caller: &Caller,
        pending: &mut Pending<'_>,
    ) -> Result<(), AccessError> {
        let is_self = caller.account() == Some(pending.before.id);
        // Of one's own account too: the credential may do less than the account.
        self.check_not_stronger(caller, pending.view, pending.entity)?;
        if pending.names(property::EMAIL) {
            let email = identity_names::email(&pending.text(property::EMAIL))?;
            pending.set(property::EMAIL, email);
        }
        change_level(caller, pending, is_self)?;
        check_manager(pending)?;
        let names = [
            property::FIRST_NAME,
            property::LAST_NAME,
            property::EMAIL,
            property::DISPLAY_NAME,
        ];
        if names.iter().any(|name| pending.changes(name)) {
            let mut names = Properties::new();
            for name in [property::FIRST_NAME, property::LAST_NAME] {
                names.insert(name.to_owned(), Value::from(pending.text(name)));
            }
            if pending.names(property::DISPLAY_NAME) {
                let shown = pending.text(property::DISPLAY_NAME);
                names.insert(property::DISPLAY_NAME.to_owned(), Value::from(shown));
            }
            let email = pending.text(property::EMAIL);
            set_display_name(&mut names, &email)?;
            if let Some(shown) = names.remove(property::DISPLAY_NAME) {
                pending.set(property::DISPLAY_NAME, shown);
            }
        }
        if let Some(hash) = pending.password_hash.take() {
            caller.require_action(Action::UserSetPassword)?;
            // Whoever knows it has all that the account may.
            let organization = self.organization();
            let rights = organization.rights_of_account(pending.view, pending.entity)?;
            caller.require_all(&rights)?;
            pending.set(property::PASSWORD_HASH, hash);
        }
        Ok(())
    }

    pub(super) fn new_service(
        &self,
        caller: &Caller,
        new: &mut NewObject,
    ) -> Result<Extra, AccessError> {
        names::require_name(&mut new.properties, "the name of the service account")?;
        let name = names::text(&new.properties, property::DISPLAY_NAME)?.to_owned();
        if new.suspended {
            caller.require_action(Action::ServiceSuspend)?;
        }
        new.properties
            .insert(property::SUSPENDED.to_owned(), Value::from(new.suspended));
        let token = NewCredential::new(
            CredentialKind::ServiceToken,
            Target::Result(0),
            &format!("token of {name}"),
        );
        let drawn = self.organization().draw_credential(caller, token, 1)?;
        Ok(Extra {
            operations: drawn.operations,
            token: Some(drawn.secret),
            classes: None,
        })
    }

    pub(super) fn change_service(
        &self,
        caller: &Caller,
        pending: &mut Pending<'_>,
    ) -> Result<(), AccessError> {
        self.check_not_stronger(caller, pending.view, pending.entity)?;
        if pending.names(property::DISPLAY_NAME) {
            names::require_name(
                &mut pending.change.properties,
                "the name of the service account",
            )?;
        }
        let suspended = pending.change.suspended.take();
        let suspended =
            suspended.filter(|wanted| *wanted != pending.before.flag(property::SUSPENDED));
        if let Some(suspended) = suspended {
            caller.require_action(Action::ServiceSuspend)?;
            self.check_not_self_nor_stronger(caller, pending.view, pending.entity)?;
            check_administrator_stays(pending.view, pending.entity, suspended)?;
            pending.activity = Some(suspension(suspended).to_owned());
            pending.set(property::SUSPENDED, suspended);
        }
        Ok(())
    }

    /// Suspends or resumes an account: its credentials, grants and sessions stop at once.
    ///
    /// # Errors
    /// When the caller may not, or there is no such account.
    pub fn set_suspended(
        &self,
        caller: &Caller,
        account: ObjectId,
        suspended: bool,
    ) -> Result<(), AccessError> {
        // The plan asks for the action of the account's kind: the same may take both.
        let action = Action::UserSuspend;
        let written = self.commit(caller, action, move |access, caller, view| {
            access.plan_suspension(caller, view, account, suspended)
        });
        written.map(|_| ())
    }

    fn plan_suspension(
        &self,
        caller: &Caller,
        view: &View,
        account: ObjectId,
        suspended: bool,
    ) -> Result<Planned<()>, AccessError> {
        let found = reader::entity(view, account, &[Kind::USER, Kind::SERVICE]);
        let entity = found.ok_or(AccessError::NotFound { what: "account" })?;
        let is_user = reader::is_of_kind(view, entity, Kind::USER);
        let action = if is_user {
            Action::UserSuspend
        } else {
            Action::ServiceSuspend
        };
        caller.require_action(action)?;
        self.check_not_self_nor_stronger(caller, view, entity)?;
        check_administrator_stays(view, entity, suspended)?;
        let mut set = vec![(property::SUSPENDED.to_owned(), Value::from(suspended))];
        let was_level = reader::text(view, entity, property::PERMISSION_LEVEL) == LEVEL_SUSPENDED;
        if is_user && !suspended && was_level {
            set.push((
                property::PERMISSION_LEVEL.to_owned(),
                Value::from(LEVEL_DEFAULT),
            ));
        }
        Ok(Planned {
            activity: suspension(suspended).to_owned(),
            operations: vec![Operation::PatchEntity {
                target: Target::Id(account),
                set,
                classes: None,
                expected_version: None,
            }],
            outcome: (),
        })
    }

    pub(super) fn check_not_self_nor_stronger(
        &self,
        caller: &Caller,
        view: &View,
        account: EntityRef,
    ) -> Result<(), AccessError> {
        if caller.account() == Some(view.entity_id(account)) {
            return Err(AccessError::invalid(
                "the account",
                "cannot suspend or delete itself",
            ));
        }
        self.check_not_stronger(caller, view, account)
    }

    /// Whoever changes an account must have every right that it has, beyond what every user has:
    /// else a key that only suspends people could suspend nobody.
    pub(super) fn check_not_stronger(
        &self,
        caller: &Caller,
        view: &View,
        account: EntityRef,
    ) -> Result<(), AccessError> {
        let rights = self.organization().rights_of_account(view, account)?;
        let usual = PermissionLevel::User.rights();
        Ok(caller.require_all(&rights.beyond(&usual))?)
    }
}

/// Refuses to suspend the last administrator.
fn check_administrator_stays(
    view: &View,
    account: EntityRef,
    is_suspended: bool,
) -> Result<(), AccessError> {
    if is_suspended {
        require_administrator_beside(view, &[ObjectRef::Entity(account)])?;
    }
    Ok(())
}

fn suspension(is_suspended: bool) -> &'static str {
    if is_suspended {
        "account suspended"
    } else {
        "account reinstated"
    }
}

/// The name that people see: the given one, else the person's names, else the address.
fn set_display_name(properties: &mut Properties, email: &str) -> Result<(), AccessError> {
    let given = names::text(properties, property::DISPLAY_NAME)?.to_owned();
    let shown = if given.trim().is_empty() {
        let first = names::text(properties, property::FIRST_NAME)?.trim();
        let last = names::text(properties, property::LAST_NAME)?.trim();
        format!("{first} {last}").trim().to_owned()
    } else {
        given
    };
    let shown = if shown.is_empty() {
        email.to_owned()
    } else {
        shown
    };
    let shown = names::name("the name of the user", &shown)?;
    properties.insert(property::DISPLAY_NAME.to_owned(), Value::from(shown));
    Ok(())
}

/// Gives a user another level. The level `suspended` suspends, any other ends that: for both the
/// right to suspend is enough, unless the level gives more than the usual one.
fn change_level(
    caller: &Caller,
    pending: &mut Pending<'_>,
    is_self: bool,
) -> Result<(), AccessError> {
    if !pending.names(property::PERMISSION_LEVEL) {
        return Ok(());
    }
    let or_default = |level: String| match level.as_str() {
        "" => LEVEL_DEFAULT.to_owned(),
        _ => level,
    };
    let wanted = or_default(pending.text(property::PERMISSION_LEVEL));
    let was_suspended = pending.before.flag(property::SUSPENDED);
    // However it was suspended, that is the level that it has as long as it is.
    let known = if was_suspended {
        LEVEL_SUSPENDED.to_owned()
    } else {
        or_default(pending.before.text(property::PERMISSION_LEVEL).to_owned())
    };
    if wanted == known {
        pending.change.properties.remove(property::PERMISSION_LEVEL);
        return Ok(());
    }
    let is_suspended = wanted == LEVEL_SUSPENDED;
    if is_suspended && is_self {
        return Err(AccessError::invalid("the account", "cannot suspend itself"));
    }
    let is_return = was_suspended && wanted == LEVEL_DEFAULT;
    if !is_suspended && !is_return {
        check_level(caller, &wanted)?;
    }
    if is_suspended != was_suspended {
        caller.require_action(Action::UserSuspend)?;
        check_administrator_stays(pending.view, pending.entity, is_suspended)?;
        pending.activity = Some(suspension(is_suspended).to_owned());
    }
    pending.set(property::PERMISSION_LEVEL, wanted);
    pending.set(property::SUSPENDED, is_suspended);
    Ok(())
}

/// A manager that is named anew must be there.
fn check_manager(pending: &Pending<'_>) -> Result<(), AccessError> {
    let manager = pending.text(property::MANAGER);
    if !pending.changes(property::MANAGER) || manager.is_empty() {
        return Ok(());
    }
    let manager = manager_of(pending.view, &manager)?;
    check_no_circle(pending.view, pending.entity, manager)
}

/// Refuses a manager who reports to the account, directly or over others.
fn check_no_circle(view: &View, account: EntityRef, manager: EntityRef) -> Result<(), AccessError> {
    let mut seen = BTreeSet::new();
    let mut next = Some(manager);
    while let Some(above) = next {
        if above == account {
            let reason = "reports to this user: nobody can be above themselves";
            return Err(AccessError::invalid("the manager", reason));
        }
        if !seen.insert(above) {
            return Ok(());
        }
        next = manager_of(view, &reader::text(view, above, property::MANAGER)).ok();
    }
    Ok(())
}

/// The account that a manager id names, with StrongDM's prefix or without.
fn manager_of(view: &View, id: &str) -> Result<EntityRef, AccessError> {
    let found = ids::parse_prefixed_or_bare(Kind::USER.prefix(), id)
        .and_then(|id| reader::entity(view, id, &[Kind::USER]));
    found.ok_or_else(|| {
        AccessError::invalid("the manager", format!("{id:?} is not the id of a user"))
    })
}

/// Whether the caller may give this level: it exists, and gives nothing that the caller has not.
fn check_level(caller: &Caller, level: &str) -> Result<(), AccessError> {
    let known = PermissionLevel::named(level).ok_or_else(|| {
        AccessError::invalid("the permission level", format!("{level:?} does not exist"))
    })?;
    caller.require_action(Action::UserSetPermissionLevel)?;
    Ok(caller.require_all(&known.rights())?)
}
