// SPDX-License-Identifier: Apache-2.0
//! Commands that make credentials.

use durward_graph::store::Target;
use durward_graph::{CoreReader, View};
use durward_model::{Instant, ObjectId};
use durward_policy::{AccessPolicy, Action, Rights, RowAccess};
use durward_vault::Secret;

use crate::accounts::{planned, require_all};
use crate::control::{Act, is_renewal, managing_own, require_no_longer_life, require_within};
use crate::credential::CredentialSummary;
use crate::effective::account_rights;
use crate::issue::Maker;
use crate::{
    Caller, CredentialKind, DrawnCredential, IdentityError, NewCredential, Organization, names,
};

/// Longest category in characters.
const CATEGORY_CHARACTERS_MAX: usize = 200;
/// Most policies that may bound one credential: its own and those of its makers.
const POLICIES_MAX: usize = 8;
/// Shortest life of a Sonrai token in seconds (2 hours).
pub(crate) const SONRAI_SECONDS_MIN: i64 = 7_200;
/// Longest life of a Sonrai token in seconds (30 days).
pub(crate) const SONRAI_SECONDS_MAX: i64 = 2_592_000;

/// A JupiterOne API key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewApiKey {
    /// Its name.
    pub name: String,
    /// Its category, where there is one.
    pub category: Option<String>,
    /// Text of its JSON policy.
    pub policy: String,
    /// When it ends; `None` for never.
    pub expires_at: Option<Instant>,
}

/// A credential just made. The secret is here once and nowhere else.
pub struct IssuedCredential {
    /// What lists will show of it.
    pub summary: CredentialSummary,
    /// The token, or the secret that goes with [`CredentialSummary::public_id`].
    pub secret: Secret<String>,
}

impl std::fmt::Debug for IssuedCredential {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("IssuedCredential");
        debug
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

impl Organization {
    /// Makes a JupiterOne API key that its policy and the rights of the caller bound.
    pub fn create_api_key(
        &self,
        caller: &Caller,
        new: NewApiKey,
    ) -> Result<IssuedCredential, IdentityError> {
        caller.require_action(Action::TokenCreate)?;
        let new = NewCredential {
            category: new.category,
            policy: Some(new.policy),
            expires_at: new.expires_at,
            ..own_credential(caller, CredentialKind::JupiteroneApiKey, &new.name)?
        };
        self.issue(caller, new, |caller| {
            caller.require_action(Action::TokenCreate)
        })
    }

    /// Makes a credential of the caller's own account, with the rights that the caller has.
    pub fn create_own_credential(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        name: &str,
        expires_at: Option<Instant>,
    ) -> Result<IssuedCredential, IdentityError> {
        if kind == CredentialKind::SonraiToken {
            check_sonrai_life(self.seconds_until(expires_at))?;
        }
        self.create_own(caller, kind, name, expires_at)
    }

    /// Makes a Sonrai token of the caller's own account that lives for some seconds from now.
    /// Clients ask for the shortest life to the second; whoever adds it to an instant of their own
    /// comes too late for [`Organization::create_own_credential`].
    pub fn create_sonrai_token(
        &self,
        caller: &Caller,
        name: &str,
        life_seconds: i64,
    ) -> Result<IssuedCredential, IdentityError> {
        check_sonrai_life(Some(life_seconds))?;
        let end = self.now().plus_seconds(life_seconds);
        self.create_own(caller, CredentialKind::SonraiToken, name, Some(end))
    }

    fn seconds_until(&self, end: Option<Instant>) -> Option<i64> {
        let now = self.now().as_micros();
        end.map(|end| end.as_micros().saturating_sub(now).div_euclid(1_000_000))
    }

    fn create_own(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        name: &str,
        expires_at: Option<Instant>,
    ) -> Result<IssuedCredential, IdentityError> {
        let may = move |caller: &Caller| {
            // A token of Sonrai may always be renewed: its successor may do the same.
            if is_renewal(caller, kind) {
                return Ok(());
            }
            caller.require_any(&managing_own(kind, Act::Make))
        };
        may(caller)?;
        let new = NewCredential {
            expires_at,
            ..own_credential(caller, kind, name)?
        };
        self.issue(caller, new, may)
    }

    /// Makes a credential of any account that has no more rights than the caller. Without `rights`
    /// it may do what its account may, as far as the caller may do that.
    pub fn create_credential_for(
        &self,
        caller: &Caller,
        account: ObjectId,
        kind: CredentialKind,
        name: &str,
        rights: Option<Rights>,
        expires_at: Option<Instant>,
    ) -> Result<IssuedCredential, IdentityError> {
        caller.require_action(Action::TokenCreate)?;
        if kind == CredentialKind::SonraiToken {
            check_sonrai_life(self.seconds_until(expires_at))?;
        }
        if let Some(rights) = rights {
            require_within(caller, rights)?;
        }
        let new = NewCredential {
            rights: rights.unwrap_or(Rights::ALL),
            expires_at,
            ..NewCredential::new(kind, Target::Id(account), name)
        };
        self.issue(caller, new, move |caller| {
            caller.require_action(Action::TokenCreate)?;
            rights.map_or(Ok(()), |rights| require_within(caller, rights))
        })
    }

    /// Draws a credential to be stored by a larger transaction, after `position` other operations
    /// of its draft. Whether the caller may make it is decided by who calls this. It never does
    /// more than the caller: its rights are cut down to the caller's, the policies of the caller
    /// bound it, and an owner that is there already must not have more rights than the caller.
    pub fn draw_credential(
        &self,
        caller: &Caller,
        mut new: NewCredential,
        position: usize,
    ) -> Result<DrawnCredential, IdentityError> {
        let now = self.now();
        new.name = names::name("the name of the credential", &new.name)?;
        new.category = new.category.filter(|text| !text.trim().is_empty());
        let category = new.category.as_deref().unwrap_or_default();
        if category.chars().count() > CATEGORY_CHARACTERS_MAX {
            return Err(IdentityError::input("the category", "is too long"));
        }
        for (name, value) in &new.tags {
            names::tag(name, value)?;
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(IdentityError::input("the expiry", "must lie in the future"));
        }
        require_no_longer_life(caller, new.kind, new.expires_at)?;
        new.rights = if is_own(caller, &new.owner) {
            // What the account may do is asked at every decision.
            new.rights.intersect(caller.principal().credential_rights)
        } else {
            check_owner(caller, &self.head(), &new.owner, new.kind)?;
            new.rights.intersect(caller.rights())
        };
        let maker = Maker {
            credential: caller.credential(),
            policies: bounds(caller, new.policy.as_deref())?,
        };
        new.draw(self, maker, position, now)
    }

    /// Makes a credential. Secrets are drawn and tokens signed before the write is planned: others
    /// must not wait for it. There `may` decides again.
    pub(crate) fn issue(
        &self,
        caller: &Caller,
        new: NewCredential,
        may: impl Fn(&Caller) -> Result<(), IdentityError> + Send + 'static,
    ) -> Result<IssuedCredential, IdentityError> {
        let (owner, kind) = (new.owner.clone(), new.kind);
        let drawn = self.draw_credential(caller, new, 0)?;
        let (asked, operations) = (caller.clone(), drawn.operations);
        let (receipt, ()) = caller.commit(move |caller, view| {
            may(caller)?;
            if !is_own(caller, &owner) {
                check_owner(caller, view, &owner, kind)?;
            }
            if !caller.may_all_of(&asked) {
                return Err(IdentityError::Changed);
            }
            planned(caller, "credential created", operations)
        })?;
        let id = receipt.results.first().map(|result| result.id);
        let id = id.ok_or(IdentityError::NotFound { what: "credential" })?;
        Ok(IssuedCredential {
            summary: read(&self.head(), id)?,
            secret: drawn.secret,
        })
    }
}

fn is_own(caller: &Caller, owner: &Target) -> bool {
    caller.account().map(Target::Id).as_ref() == Some(owner)
}

/// Refuses an owner that has a right which the caller lacks.
fn check_owner(
    caller: &Caller,
    view: &View,
    owner: &Target,
    kind: CredentialKind,
) -> Result<(), IdentityError> {
    let id = match owner {
        Target::Id(id) => *id,
        Target::Result(_) => return Ok(()),
        Target::Key(..) | Target::Alias(_) => {
            return Err(IdentityError::input("the owner", "must be named by its id"));
        }
    };
    let reader = CoreReader::new(view);
    let types: Vec<&str> = kind.owners().iter().map(|kind| kind.type_name()).collect();
    let owner = reader.by_id(id, &types);
    let owner = owner.ok_or(IdentityError::NotFound { what: "account" })?;
    require_all(caller, account_rights(reader, owner)?)
}

/// A credential of the caller's own account.
pub(crate) fn own_credential(
    caller: &Caller,
    kind: CredentialKind,
    name: &str,
) -> Result<NewCredential, IdentityError> {
    let missing = || IdentityError::input("the operator", "has no account to own a credential");
    let account = caller.account().ok_or_else(missing)?;
    Ok(NewCredential::new(kind, Target::Id(account), name))
}

pub(crate) fn read(view: &View, id: ObjectId) -> Result<CredentialSummary, IdentityError> {
    CredentialSummary::find(view, id).ok_or(IdentityError::NotFound { what: "credential" })
}

/// Policies of the caller that must bound what it makes, after a check of the new policy.
fn bounds(caller: &Caller, policy: Option<&str>) -> Result<Vec<String>, IdentityError> {
    let mut bounded_by: Vec<String> = Vec::new();
    for text in caller.policy_texts() {
        let is_new = policy != Some(text.as_str()) && !bounded_by.contains(&text);
        if is_new && text != AccessPolicy::ALLOW_ALL {
            bounded_by.push(text);
        }
    }
    if bounded_by.len() >= POLICIES_MAX {
        let reason = format!("is bounded by {POLICIES_MAX} policies already");
        return Err(IdentityError::input("the credential", reason));
    }
    let resource = format!("account:{}", caller.organization().id());
    let mut access = RowAccess::Everything;
    for text in policy
        .into_iter()
        .chain(bounded_by.iter().map(String::as_str))
    {
        access = access.intersect(&AccessPolicy::parse(text)?.row_access(&resource))?;
    }
    Ok(bounded_by)
}

fn check_sonrai_life(seconds: Option<i64>) -> Result<(), IdentityError> {
    let range = SONRAI_SECONDS_MIN..=SONRAI_SECONDS_MAX;
    if seconds.is_some_and(|seconds| range.contains(&seconds)) {
        return Ok(());
    }
    let reason = format!("must be {SONRAI_SECONDS_MIN} to {SONRAI_SECONDS_MAX} seconds from now");
    Err(IdentityError::input("the expiry of the token", reason))
}
