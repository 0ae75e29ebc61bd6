// SPDX-License-Identifier: Apache-2.0
//! Commands that make credentials.

use durward_graph::store::Target;
use durward_graph::{CoreReader, View};
use durward_model::{Instant, ObjectId};
use durward_policy::{AccessPolicy, RowAccess};
use durward_vault::Secret;

use crate::commit::planned;
use crate::control::{
    Act, is_renewal, managing, managing_own, require_no_longer_life, require_within,
};
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
    /// Makes a credential of any account that has no more rights than the caller.
    pub fn create_credential(
        &self,
        caller: &Caller,
        new: NewCredential,
    ) -> Result<IssuedCredential, IdentityError> {
        let kind = new.kind;
        self.issue(caller, new, move |caller| {
            caller.require_any(managing(kind, Act::Make))
        })
    }

    /// Makes a credential of the caller's own account.
    pub fn create_own_credential(
        &self,
        caller: &Caller,
        new: NewCredential,
    ) -> Result<IssuedCredential, IdentityError> {
        if !is_own(caller, &new.owner) {
            return Err(IdentityError::NotFound { what: "account" });
        }
        let kind = new.kind;
        self.issue(caller, new, move |caller| {
            if is_renewal(caller, kind) {
                return Ok(());
            }
            caller.require_any(&managing_own(kind, Act::Make))
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
        check_life(&new, now)?;
        if let Some(seconds) = new.life_seconds {
            new.expires_at = Some(now.plus_seconds(seconds));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(IdentityError::input("the expiry", "must lie in the future"));
        }
        require_no_longer_life(caller, new.kind, new.expires_at)?;
        let most = if is_own(caller, &new.owner) {
            // What the account may do is asked at every decision.
            caller.principal().credential_rights
        } else {
            check_owner(caller, &self.head(), &new.owner, new.kind)?;
            caller.rights()
        };
        new.rights = Some(new.rights.map_or(most, |rights| rights.intersect(most)));
        let maker = Maker {
            credential: caller.credential(),
            policies: bounds(caller, new.policy.as_deref())?,
        };
        new.draw(self, maker, position, now)
    }

    /// Makes a credential; rights that are named and that the caller lacks are refused. Secrets are
    /// drawn and tokens signed before the write is planned: others must not wait for it. There
    /// `may` decides again.
    fn issue(
        &self,
        caller: &Caller,
        new: NewCredential,
        may: impl Fn(&Caller) -> Result<(), IdentityError> + Send + 'static,
    ) -> Result<IssuedCredential, IdentityError> {
        let rights = new.rights;
        let may = move |caller: &Caller| {
            may(caller)?;
            rights.map_or(Ok(()), |rights| require_within(caller, rights))
        };
        may(caller)?;
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
    caller.require_all(&account_rights(reader, owner)?)
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

/// Refuses a life that is shorter or longer than its kind has.
fn check_life(new: &NewCredential, now: Instant) -> Result<(), IdentityError> {
    let Some((least, most)) = new.kind.entry().life_seconds else {
        return Ok(());
    };
    let until = |end: Instant| {
        let micros = end.as_micros().saturating_sub(now.as_micros());
        micros.div_euclid(1_000_000)
    };
    let seconds = new.life_seconds.or_else(|| new.expires_at.map(until));
    if seconds.is_some_and(|seconds| (least..=most).contains(&seconds)) {
        return Ok(());
    }
    let reason = format!("must be {least} to {most} seconds from now");
    Err(IdentityError::input("the expiry of the token", reason))
}
