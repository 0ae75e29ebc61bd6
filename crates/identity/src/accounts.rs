// SPDX-License-Identifier: Apache-2.0
//! Accounts and their roles.

use durward_catalog::Kind;
use durward_catalog::kinds::verb::ASSIGNED;
use durward_graph::store::{Operation, PutMode, Target};
use durward_graph::{CoreReader, EdgeRef, EntityRef, Link, ObjectRef, View};
use durward_model::{Instant, Namespace, ObjectId, Value};
use durward_policy::{Action, Right, Rights};
use durward_vault::{Secret, random};

use crate::administrators::require_administrator_beside;
use crate::bindings;
use crate::credential::property;
use crate::effective::{account_rights, is_suspended, unsuspended_level};
use crate::issue::named;
use crate::password::{PASSWORD_CHARACTERS_MIN, is_password_of};
use crate::record::stored_rights;
use crate::{Caller, IdentityError, Organization, Planned, names};

/// Type of the entity that stands for the organization.
pub(crate) const ORGANIZATION_TYPE: &str = "organization";
/// Natural key of that entity.
pub(crate) const ORGANIZATION_KEY: &str = "organization";
/// Property that says whether an account or organization is suspended.
pub(crate) const SUSPENDED: &str = "suspended";
const JUPITERONE_ACCOUNT: &str = "jupiterone_account";
const EMAIL: &str = "email";
const PASSWORD_HASH: &str = "passwordHash";
/// Property of objects that a new organization has.
pub(crate) const BUILT_IN: &str = "builtIn";

/// An account to be made.
#[derive(Clone)]
pub struct NewAccount {
    /// E-mail address, unique in the organization.
    pub email: String,
    /// Name that people see; the address when empty.
    pub display_name: String,
    /// Password; without one the account cannot log in with a password.
    pub password: Option<Secret<String>>,
    /// Name of its role.
    pub role: String,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("NewAccount");
        debug
            .field("email", &self.email)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// An account as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSummary {
    /// Its id.
    pub id: ObjectId,
    /// Its e-mail address; empty for services.
    pub email: String,
    /// Name that people see.
    pub display_name: String,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Names of the roles that it is assigned itself.
    pub roles: Vec<String>,
    /// What its roles, those of its groups and its permission level let it do.
    pub rights: Rights,
    /// When it was made.
    pub created_at: Instant,
}

impl Organization {
    /// Makes an account. The caller must have every right that the role gives.
    pub fn create_account(
        &self,
        caller: &Caller,
        new: &NewAccount,
    ) -> Result<AccountSummary, IdentityError> {
        may_create(caller)?;
        role_within(caller, &self.head(), &new.role)?;
        let put = account_operation(new, self.password_cost())?;
        let role = new.role.clone();
        let (receipt, ()) = caller.commit(move |caller, view| {
            may_create(caller)?;
            let role = role_within(caller, view, &role)?;
            let assign = assign(Target::Result(0), Target::Id(role), PutMode::Create);
            planned(caller, "account created", vec![put, assign])
        })?;
        let id = receipt.results.first().map(|result| result.id);
        let id = id.ok_or(IdentityError::NotFound { what: "account" })?;
        read_account(&self.head(), id)
    }

    /// Suspends or resumes an account. Its credentials are refused from the next request on.
    pub fn set_account_suspended(
        &self,
        caller: &Caller,
        account: ObjectId,
        suspended: bool,
    ) -> Result<AccountSummary, IdentityError> {
        caller.commit(move |caller, view| {
            caller.require_action(Action::UserSuspend)?;
            if suspended && caller.account() == Some(account) {
                return Err(IdentityError::input("the account", "cannot suspend itself"));
            }
            require_all(caller, read_account(view, account)?.rights)?;
            let found = CoreReader::new(view).by_id(account, &Kind::ACCOUNTS.map(Kind::type_name));
            let mut set = vec![(SUSPENDED, Value::from(suspended))];
            if let Some(found) = found.filter(|_| suspended) {
                require_administrator_beside(view, &[ObjectRef::Entity(found)])?;
            } else {
                set.extend(found.and_then(|found| unsuspended_level(view, found)));
            }
            let activity = if suspended {
                "account suspended"
            } else {
                "account reinstated"
            };
            planned(caller, activity, vec![patch(account, set)])
        })?;
        read_account(&self.head(), account)
    }

    /// Gives an account one role in place of those it has.
    pub fn set_account_role(
        &self,
        caller: &Caller,
        account: ObjectId,
        role: &str,
    ) -> Result<AccountSummary, IdentityError> {
        let role = role.to_owned();
        caller.commit(move |caller, view| {
            caller.require_action(Action::RoleAssign)?;
            require_all(caller, read_account(view, account)?.rights)?;
            let role = role_within(caller, view, &role)?;
            let put = assign(Target::Id(account), Target::Id(role), PutMode::Upsert);
            let assigned = assignments(view, account).into_iter();
            let others = assigned.filter(|link| view.entity_id(link.other) != role);
            let gone: Vec<EdgeRef> = others.map(|link| link.edge).collect();
            let edges: Vec<ObjectRef> = gone.iter().copied().map(ObjectRef::Edge).collect();
            require_administrator_beside(view, &edges)?;
            let ended = gone.iter().map(|edge| Operation::DeleteRelationship {
                target: view.edge_id(*edge),
            });
            let operations = std::iter::once(put).chain(ended).collect();
            planned(caller, "account role set", operations)
        })?;
        read_account(&self.head(), account)
    }

    /// Sets the password of an account: one's own, or anybody's for whoever may do that.
    pub fn set_password(
        &self,
        caller: &Caller,
        account: ObjectId,
        password: &Secret<String>,
    ) -> Result<(), IdentityError> {
        check_password_of(caller, &self.head(), account)?;
        let hash = self.hash_password(password)?;
        caller.commit(move |caller, view| {
            check_password_of(caller, view, account)?;
            let patch = patch(account, vec![(PASSWORD_HASH, Value::from(hash))]);
            planned(caller, "password set", vec![patch])
        })?;
        Ok(())
    }

    /// The hash of a password in the form in which accounts keep it, after a check of its length.
    /// It takes tens of milliseconds on purpose.
    pub fn hash_password(&self, password: &Secret<String>) -> Result<String, IdentityError> {
        check_password(password)?;
        Ok(self.password_cost().hash(password.expose())?)
    }

    /// All accounts, in order of creation.
    pub fn accounts(&self, caller: &Caller) -> Result<Vec<AccountSummary>, IdentityError> {
        self.accounts_in(caller, &self.head())
    }

    /// As [`Organization::accounts`], as they are in a view of this organization's graph.
    pub fn accounts_in(
        &self,
        caller: &Caller,
        view: &View,
    ) -> Result<Vec<AccountSummary>, IdentityError> {
        caller.require_action(Action::UserList)?;
        let reader = CoreReader::new(view);
        let mut accounts = reader.live(Kind::USER.type_name());
        accounts.extend(reader.live(Kind::SERVICE.type_name()));
        accounts
            .into_iter()
            .map(|account| read(view, account))
            .collect()
    }

    /// What the roles of an account let it do, in a view of this organization's graph.
    pub fn rights_of_account(
        &self,
        view: &View,
        account: EntityRef,
    ) -> Result<Rights, IdentityError> {
        account_rights(CoreReader::new(view), account)
    }

    /// What a role lets its holders do, in a view of this organization's graph.
    pub fn rights_of_role(&self, view: &View, role: EntityRef) -> Result<Rights, IdentityError> {
        stored_rights(CoreReader::new(view), role, "role")
    }

    /// One account: one's own always, others for whoever may list people.
    pub fn account(&self, caller: &Caller, id: ObjectId) -> Result<AccountSummary, IdentityError> {
        self.account_in(caller, &self.head(), id)
    }

    /// As [`Organization::account`], as it is in a view of this organization's graph.
    pub fn account_in(
        &self,
        caller: &Caller,
        view: &View,
        id: ObjectId,
    ) -> Result<AccountSummary, IdentityError> {
        if caller.account() != Some(id) && !caller.allows(Action::UserList) {
            return Err(IdentityError::NotFound { what: "account" });
        }
        read_account(view, id)
    }

    /// The account with this address, if the password is its own and it is not suspended.
    pub fn account_of_password(&self, email: &str, password: &Secret<String>) -> Option<ObjectId> {
        let view = self.head();
        let reader = CoreReader::new(&view);
        let has_address = |account: &EntityRef| {
            let known = reader.text(*account, EMAIL).unwrap_or_default();
            names::is_same_email(&known, email.trim())
        };
        let account = reader
            .live(Kind::USER.type_name())
            .into_iter()
            .find(has_address);
        let hash = account.map(|account| reader.secret(account, PASSWORD_HASH));
        let hash = hash.as_ref().and_then(Value::as_str);
        let fits = is_password_of(hash, password.expose(), self.password_cost());
        let usable = account.filter(|account| !is_suspended(reader, *account));
        let usable = usable.filter(|_| fits && !self.is_suspended());
        usable.map(|account| view.entity_id(account))
    }
}

/// Refuses a caller that may not make an account with a role.
fn may_create(caller: &Caller) -> Result<(), IdentityError> {
    caller.require_action(Action::UserCreate)?;
    caller.require_action(Action::RoleAssign)
}

/// Refuses a caller that may not set the password of an account. Whoever knows it has all rights of
/// the account: a lesser credential of the same account must not get there.
fn check_password_of(caller: &Caller, view: &View, account: ObjectId) -> Result<(), IdentityError> {
    if caller.account() == Some(account) {
        caller.require(Right::MANAGE_OWN_CREDENTIALS)?;
    } else {
        caller.require_action(Action::UserSetPassword)?;
    }
    require_all(caller, read_account(view, account)?.rights)
}

/// A command of this crate, to be written.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is the end of plans, which may refuse"
)]
pub(crate) fn planned(
    caller: &Caller,
    activity: &str,
    operations: Vec<Operation>,
) -> Result<Planned<()>, IdentityError> {
    Ok(Planned::core(caller.origin(activity), operations, ()))
}

/// Refuses a caller that lacks any of these rights itself: nobody gives more than they have.
pub(crate) fn require_all(caller: &Caller, rights: Rights) -> Result<(), IdentityError> {
    for right in Right::all().filter(|right| rights.contains(*right)) {
        caller.require(right)?;
    }
    Ok(())
}

fn role_within(caller: &Caller, view: &View, name: &str) -> Result<ObjectId, IdentityError> {
    let reader = CoreReader::new(view);
    let named = |role: &EntityRef| reader.text(*role, property::NAME).as_deref() == Some(name);
    let role = reader.live(Kind::ROLE.type_name()).into_iter().find(named);
    let role = role.ok_or(IdentityError::NotFound { what: "role" })?;
    require_all(caller, stored_rights(reader, role, "role")?)?;
    Ok(view.entity_id(role))
}

fn read_account(view: &View, id: ObjectId) -> Result<AccountSummary, IdentityError> {
    let account = CoreReader::new(view).by_id(id, &Kind::ACCOUNTS.map(Kind::type_name));
    read(
        view,
        account.ok_or(IdentityError::NotFound { what: "account" })?,
    )
}

/// The assignments of an account: relationship and role.
fn assignments(view: &View, account: ObjectId) -> Vec<Link> {
    let reader = CoreReader::new(view);
    let found = reader.by_id(account, &Kind::ACCOUNTS.map(Kind::type_name));
    found.map_or_else(Vec::new, |account| {
        bindings::assignments_of(reader, account)
    })
}

fn read(view: &View, account: EntityRef) -> Result<AccountSummary, IdentityError> {
    let reader = CoreReader::new(view);
    let roles = bindings::roles_of(reader, account);
    Ok(AccountSummary {
        id: view.entity_id(account),
        email: reader.text(account, EMAIL).unwrap_or_default(),
        display_name: reader.text(account, property::NAME).unwrap_or_default(),
        suspended: is_suspended(reader, account),
        roles: roles
            .into_iter()
            .filter_map(|role| reader.text(role, property::NAME))
            .collect(),
        rights: account_rights(reader, account)?,
        created_at: view.created_at(account),
    })
}

fn check_password(password: &Secret<String>) -> Result<(), IdentityError> {
    let characters = password.expose().chars().count();
    if characters < PASSWORD_CHARACTERS_MIN {
        let reason = format!("needs at least {PASSWORD_CHARACTERS_MIN} characters");
        return Err(IdentityError::input("the password", reason));
    }
    if password.expose().len() > crate::password::PASSWORD_BYTES_MAX {
        return Err(IdentityError::input("the password", "is too long"));
    }
    Ok(())
}

/// Operations that make an account and assign its role; `position` others come before them.
pub(crate) fn account_operations(
    new: &NewAccount,
    role: Target,
    position: usize,
    cost: crate::PasswordCost,
) -> Result<Vec<Operation>, IdentityError> {
    let put = account_operation(new, cost)?;
    Ok(vec![
        put,
        assign(Target::Result(position), role, PutMode::Create),
    ])
}

/// Operation that makes an account. Hashing its password takes tens of milliseconds.
fn account_operation(
    new: &NewAccount,
    cost: crate::PasswordCost,
) -> Result<Operation, IdentityError> {
    let email = names::email(&new.email)?;
    let display_name = match new.display_name.trim() {
        "" => email.clone(),
        name => names::name("the name of the account", name)?,
    };
    let hash = match &new.password {
        Some(password) => {
            check_password(password)?;
            Value::from(cost.hash(password.expose())?)
        }
        None => Value::Null,
    };
    Ok(Operation::PutEntity {
        entity_type: Kind::USER.type_name().to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: format!("account:{}", random::hex::<8>()?),
        properties: named([
            (EMAIL, Value::from(email)),
            (property::NAME, Value::from(display_name)),
            (SUSPENDED, Value::from(false)),
            (PASSWORD_HASH, hash),
        ]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    })
}

/// Operation that makes a role.
pub(crate) fn role_operation(name: &str, rights: Rights) -> Operation {
    Operation::PutEntity {
        entity_type: Kind::ROLE.type_name().to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: format!("role:{}", name.to_lowercase()),
        properties: named([
            (property::NAME, Value::from(name)),
            (property::RIGHTS, Value::from(rights.names())),
            (BUILT_IN, Value::from(true)),
        ]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    }
}

/// Operation that makes the entity of the organization.
pub(crate) fn organization_operation(name: &str) -> Operation {
    Operation::PutEntity {
        entity_type: ORGANIZATION_TYPE.to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: ORGANIZATION_KEY.to_owned(),
        properties: named([
            (property::NAME, Value::from(name)),
            (SUSPENDED, Value::from(false)),
        ]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    }
}

/// Operation that makes the entity by which JupiterOne's clients find their account.
pub(crate) fn jupiterone_account_operation(name: &str) -> Operation {
    Operation::PutEntity {
        entity_type: JUPITERONE_ACCOUNT.to_owned(),
        classes: None,
        namespace: Namespace::durward(),
        key: JUPITERONE_ACCOUNT.to_owned(),
        properties: named([(property::NAME, Value::from(name))]),
        aliases: Vec::new(),
        mode: PutMode::Create,
    }
}

fn assign(account: Target, role: Target, mode: PutMode) -> Operation {
    Operation::PutRelationship {
        from: account,
        verb: ASSIGNED.to_owned(),
        to: role,
        relationship_type: Kind::ASSIGNMENT.type_name().to_owned(),
        namespace: Namespace::durward(),
        key: None,
        properties: Vec::new(),
        mode,
    }
}

fn patch(target: ObjectId, set: Vec<(&str, Value)>) -> Operation {
    Operation::PatchEntity {
        target: Target::Id(target),
        set: set
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        classes: None,
        expected_version: None,
    }
}
