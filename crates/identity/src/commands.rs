// SPDX-License-Identifier: Apache-2.0
//! Commands on credentials: make, list, revoke.

use durward_graph::View;
use durward_graph::store::{Operation, Target};
use durward_model::{Instant, ObjectId, Value};
use durward_policy::{AccessPolicy, Right, Rights, RowAccess};
use durward_vault::Secret;

use crate::credential::{CREDENTIAL_TYPE, CredentialSummary, property};
use crate::failures::shortened;
use crate::graph_reader::CoreReader;
use crate::issue::NewCredential;
use crate::{Caller, CredentialKind, IdentityError, Organization, names};

/// Longest category in characters.
const CATEGORY_CHARACTERS_MAX: usize = 200;
/// Most policies that may bound one credential: its own and those of its makers.
const POLICIES_MAX: usize = 8;
/// Shortest life of a Sonrai token in seconds (2 hours).
pub(crate) const SONRAI_SECONDS_MIN: i64 = 7_200;
/// Longest life of a Sonrai token in seconds (30 days).
pub(crate) const SONRAI_SECONDS_MAX: i64 = 2_592_000;

/// How much shorter a life may be by the time the command runs: clients ask for the shortest one to
/// the second.
const SONRAI_DELAY_SECONDS_MAX: i64 = 60;

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

/// Which credentials a list shows. Each part narrows it.
#[derive(Clone, Debug, Default)]
pub struct CredentialFilter {
    /// Only of these kinds; empty for all.
    pub kinds: Vec<CredentialKind>,
    /// Only the caller's own.
    pub own: bool,
    /// Only those whose name holds this text, in whatever case; empty for all.
    pub search: String,
    /// Whether revoked ones are left out.
    pub usable_only: bool,
}

impl Organization {
    /// Makes a JupiterOne API key that its policy and the rights of the caller bound.
    pub fn create_api_key(
        &self,
        caller: &Caller,
        new: NewApiKey,
    ) -> Result<IssuedCredential, IdentityError> {
        caller.require(Right::MANAGE_CREDENTIALS)?;
        let category = new.category.filter(|category| !category.trim().is_empty());
        if category
            .as_ref()
            .is_some_and(|text| text.chars().count() > CATEGORY_CHARACTERS_MAX)
        {
            return Err(IdentityError::input("the category", "is too long"));
        }
        let kind = CredentialKind::JupiteroneApiKey;
        let policy = Some(new.policy);
        self.issue(caller, kind, &new.name, category, policy, new.expires_at)
    }

    /// Makes a credential of the caller's own account, with the rights that the caller has.
    pub fn create_own_credential(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        name: &str,
        expires_at: Option<Instant>,
    ) -> Result<IssuedCredential, IdentityError> {
        caller.require(Right::MANAGE_OWN_CREDENTIALS)?;
        if kind == CredentialKind::SonraiToken {
            check_sonrai_life(self.now(), expires_at)?;
        }
        self.issue(caller, kind, name, None, None, expires_at)
    }

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
        if caller.account() == Some(known.account) {
            caller.require_any(&[Right::MANAGE_OWN_CREDENTIALS, Right::MANAGE_CREDENTIALS])?;
        } else {
            caller.require(Right::MANAGE_CREDENTIALS)?;
        }
        let patch = Operation::PatchEntity {
            target: Target::Id(id),
            set: vec![
                (property::REVOKED.to_owned(), Value::from(true)),
                (property::REVOKED_ON.to_owned(), Value::from(self.now())),
            ],
            classes: None,
            expected_version: None,
        };
        let mut origin = caller.origin("credential revoked");
        origin.detail = shortened(reason);
        self.submit(origin, vec![patch])?;
        self.credential(caller, id)
    }

    /// One credential: one's own, or any with the right to manage credentials.
    pub fn credential(
        &self,
        caller: &Caller,
        id: ObjectId,
    ) -> Result<CredentialSummary, IdentityError> {
        let known = read(&self.head(), id)?;
        if caller.account() == Some(known.account) || caller.may(Right::MANAGE_CREDENTIALS) {
            return Ok(known);
        }
        Err(IdentityError::NotFound { what: "credential" })
    }

    /// Credentials in order of creation: the caller's own, and with the right to manage
    /// credentials those of all accounts.
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
        caller.require_any(&[Right::MANAGE_OWN_CREDENTIALS, Right::MANAGE_CREDENTIALS])?;
        let only_own = filter.own || !caller.may(Right::MANAGE_CREDENTIALS);
        let search = filter.search.trim().to_lowercase();
        let reader = CoreReader::new(view);
        let shown = |known: &CredentialSummary| {
            (filter.kinds.is_empty() || filter.kinds.contains(&known.kind))
                && (!only_own || caller.account() == Some(known.account))
                && !(filter.usable_only && known.revoked)
                && known.name.to_lowercase().contains(&search)
        };
        let all = reader.live(CREDENTIAL_TYPE).into_iter();
        Ok(all
            .filter_map(|row| CredentialSummary::read(view, row))
            .filter(shown)
            .collect())
    }

    fn issue(
        &self,
        caller: &Caller,
        kind: CredentialKind,
        name: &str,
        category: Option<String>,
        policy: Option<String>,
        expires_at: Option<Instant>,
    ) -> Result<IssuedCredential, IdentityError> {
        let now = self.now();
        let account = caller.account().ok_or_else(|| {
            IdentityError::input("the operator", "has no account to own a credential")
        })?;
        if expires_at.is_some_and(|end| end <= now) {
            return Err(IdentityError::input("the expiry", "must lie in the future"));
        }
        let bounded_by = bounds(caller, policy.as_deref())?;
        let new = NewCredential {
            kind,
            account,
            name: names::name("the name of the credential", name)?,
            category,
            policy,
            bounded_by,
            rights: Rights::ALL.intersect(caller.principal().credential_rights),
            expires_at,
        };
        let drawn = new.draw(self, 0, now)?;
        let receipt = self.submit(caller.origin("credential created"), drawn.operations)?;
        let id = receipt.results.first().map(|result| result.id);
        let id = id.ok_or(IdentityError::NotFound { what: "credential" })?;
        Ok(IssuedCredential {
            summary: read(&self.head(), id)?,
            secret: drawn.secret,
        })
    }
}

fn read(view: &View, id: ObjectId) -> Result<CredentialSummary, IdentityError> {
    let found = CoreReader::new(view).by_id(id, &[CREDENTIAL_TYPE]);
    let summary = found.and_then(|row| CredentialSummary::read(view, row));
    summary.ok_or(IdentityError::NotFound { what: "credential" })
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

fn check_sonrai_life(now: Instant, expires_at: Option<Instant>) -> Result<(), IdentityError> {
    let life = expires_at.map(|end| (end.as_micros() - now.as_micros()) / 1_000_000);
    let shortest = SONRAI_SECONDS_MIN - SONRAI_DELAY_SECONDS_MAX;
    if life.is_some_and(|life| (shortest..=SONRAI_SECONDS_MAX).contains(&life)) {
        return Ok(());
    }
    let reason = format!("must be {SONRAI_SECONDS_MIN} to {SONRAI_SECONDS_MAX} seconds from now");
    Err(IdentityError::input("the expiry of the token", reason))
}
