// SPDX-License-Identifier: Apache-2.0
//! Who is asking, after authentication.

use std::sync::Arc;

use durward_budget::Share;
use durward_model::transaction::Origin;
use durward_model::{Instant, ObjectId};
use durward_policy::{
    Action, Context, Decision, Object, Principal, Right, Rights, authorize, authorize_actions,
    authorize_any,
};
use durward_query::RowCondition;

use crate::authenticate::Presented;
use crate::failures::shortened;
use crate::record::CredentialRecord;
use crate::{CredentialKind, IdentityError, Organization};

/// Activity verb of a refused command.
const DENIED: &str = "access denied";

/// A caller that authentication let in, as it was at that moment. Kept for one request.
#[derive(Clone, Debug)]
pub struct Caller {
    organization: Arc<Organization>,
    who: Who,
    request_id: String,
    source_address: String,
    user_agent: String,
}

#[derive(Clone, Debug)]
enum Who {
    /// A credential; the kind in which it was presented; the end of a token granted for it.
    Credential(Arc<CredentialRecord>, CredentialKind, Option<Instant>),
    Operator(Arc<Principal>),
}

impl Caller {
    pub(crate) fn new(
        organization: &Arc<Organization>,
        record: Arc<CredentialRecord>,
        kind: CredentialKind,
        granted_until: Option<Instant>,
        presented: &Presented<'_>,
    ) -> Self {
        Self {
            organization: Arc::clone(organization),
            who: Who::Credential(record, kind, granted_until),
            request_id: shortened(presented.request_id),
            source_address: shortened(presented.source_address),
            user_agent: shortened(presented.user_agent),
        }
    }

    /// Whoever holds the data folder and its master key: offline commands. It has every right.
    pub fn operator(organization: &Arc<Organization>) -> Self {
        let principal = Principal {
            account: ObjectId(0),
            account_suspended: false,
            account_rights: Rights::ALL,
            credential_rights: Rights::ALL,
            policies: Vec::new(),
            expires_at: None,
            organization: organization.id().to_string(),
        };
        Self {
            organization: Arc::clone(organization),
            who: Who::Operator(Arc::new(principal)),
            request_id: String::new(),
            source_address: String::new(),
            user_agent: "durward".to_owned(),
        }
    }

    /// The organization that the credential named.
    pub fn organization(&self) -> &Arc<Organization> {
        &self.organization
    }

    /// The account; none for the operator.
    pub fn account(&self) -> Option<ObjectId> {
        self.record().map(|record| record.principal.account)
    }

    /// Name of the account.
    pub fn account_name(&self) -> &str {
        self.record()
            .map_or("operator", |record| record.account_name.as_str())
    }

    /// The credential; none for the operator.
    pub fn credential(&self) -> Option<ObjectId> {
        self.record().map(|record| record.id)
    }

    /// What the caller may make the process hold and do.
    pub fn share(&self) -> Share {
        self.organization.share(self.credential())
    }

    /// Kind of the credential that was presented: an access token differs from its client.
    pub fn credential_kind(&self) -> Option<CredentialKind> {
        match &self.who {
            Who::Credential(_, kind, _) => Some(*kind),
            Who::Operator(_) => None,
        }
    }

    /// Name of the organization.
    pub fn organization_name(&self) -> String {
        self.record().map_or_else(
            || self.organization.name(),
            |record| record.organization_name.clone(),
        )
    }

    /// Id of the request.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// What the caller may do.
    pub fn principal(&self) -> &Principal {
        match &self.who {
            Who::Credential(record, ..) => &record.principal,
            Who::Operator(principal) => principal,
        }
    }

    /// Rights that the account and the credential both have. Policies may still deny: a decision
    /// is [`Caller::authorize`].
    pub fn rights(&self) -> Rights {
        let principal = self.principal();
        principal
            .account_rights
            .intersect(principal.credential_rights)
    }

    /// Which entities the caller may see; `None` is all of them. Every query must be run under it.
    pub fn row_condition(&self) -> Option<&RowCondition> {
        self.record()
            .and_then(|record| record.row_condition.as_ref())
    }

    /// Which objects the caller may see among those of kinds that an action of their own lets it
    /// list, whether or not it reads the graph; `None` is all of them.
    pub fn core_condition(&self) -> Option<&RowCondition> {
        self.record()
            .and_then(|record| record.core_condition.as_ref())
    }

    /// Key that makes cursors useless to every other credential.
    pub fn cursor_key(&self) -> [u8; 32] {
        match &self.who {
            Who::Credential(record, ..) => record.cursor_key,
            Who::Operator(_) => self
                .organization
                .vault()
                .derive_key("cursors of the operator"),
        }
    }

    /// Decides whether the caller may use a right on an object.
    pub fn authorize(&self, right: Right, object: Object<'_>) -> Decision {
        authorize(self.principal(), right, object, &self.context())
    }

    /// Decides whether the caller may use any of these rights on the organization.
    pub fn authorize_any(&self, rights: &[Right]) -> Decision {
        authorize_any(
            self.principal(),
            rights,
            Object::Organization,
            &self.context(),
        )
    }

    /// Whether the caller may use a right on the organization as a whole.
    pub fn may(&self, right: Right) -> bool {
        self.authorize(right, Object::Organization).allowed
    }

    /// Whether the caller may take an action on the organization as a whole.
    pub fn allows(&self, action: Action) -> bool {
        self.authorize_actions(&[action]).allowed
    }

    /// Decides whether the caller may take any of these actions on the organization.
    pub fn authorize_actions(&self, actions: &[Action]) -> Decision {
        authorize_actions(
            self.principal(),
            actions,
            Object::Organization,
            &self.context(),
        )
    }

    /// Like [`Caller::allows`], but a refusal is an error, and recorded.
    pub fn require_action(&self, action: Action) -> Result<(), IdentityError> {
        self.require_actions(&[action])
    }

    /// Like [`Caller::authorize_actions`], but a refusal is an error, and recorded.
    pub fn require_actions(&self, actions: &[Action]) -> Result<(), IdentityError> {
        self.require_decided(&self.authorize_actions(actions))
    }

    /// Like [`Caller::authorize_any`], but a refusal is an error, and recorded.
    pub fn require_any(&self, rights: &[Right]) -> Result<(), IdentityError> {
        self.require_decided(&self.authorize_any(rights))
    }

    fn require_decided(&self, decision: &Decision) -> Result<(), IdentityError> {
        if decision.allowed {
            return Ok(());
        }
        Err(self.deny(decision.explanation()))
    }

    /// Refuses the caller unless it may all that these rights let anybody do.
    pub fn require_all(&self, rights: &Rights) -> Result<(), IdentityError> {
        let mut held = Right::all().filter(|right| rights.contains(*right));
        held.try_for_each(|right| self.require(right))
    }

    /// Records a refusal, and is the error to answer. Of the same refusals within a minute the
    /// first is recorded, and then how many there were.
    pub fn deny(&self, why: String) -> IdentityError {
        let mut origin = self.origin(DENIED);
        origin.detail.clone_from(&why);
        let due = self.organization.refusals().note(&why, origin, self.now());
        self.organization.record_all(due);
        IdentityError::Forbidden { why }
    }

    /// Like [`Caller::require_any`] for one right.
    pub fn require(&self, right: Right) -> Result<(), IdentityError> {
        self.require_any(&[right])
    }

    /// Who, how and from where, for a transaction of this caller.
    pub fn origin(&self, activity: &str) -> Origin {
        Origin {
            actor: self.account(),
            credential: self.credential(),
            activity: activity.to_owned(),
            request_id: self.request_id.clone(),
            source_address: self.source_address.clone(),
            user_agent: self.user_agent.clone(),
            detail: String::new(),
        }
    }

    /// Whether this reading of a caller may all that an earlier one might.
    pub(crate) fn may_all_of(&self, earlier: &Self) -> bool {
        earlier.rights().is_within(&self.rights()) && self.policy_texts() == earlier.policy_texts()
    }

    /// Texts of the policies that bound the credential.
    pub(crate) fn policy_texts(&self) -> Vec<String> {
        self.record()
            .map(|record| record.policy_texts.clone())
            .unwrap_or_default()
    }

    /// Mark of the secret that the credential has now.
    pub(crate) fn generation(&self) -> i64 {
        self.record().map_or(0, |record| record.generation)
    }

    pub(crate) fn now(&self) -> Instant {
        self.organization.now()
    }

    /// When the credential ends, if it is a temporary one: a token that was granted, or one that
    /// was made for less than an hour.
    pub(crate) fn temporary_until(&self) -> Option<Instant> {
        match &self.who {
            Who::Credential(_, _, Some(end)) => Some(*end),
            Who::Credential(record, _, None) => record.temporary_until(),
            Who::Operator(_) => None,
        }
    }

    pub(crate) fn record_handle(&self) -> Option<&Arc<CredentialRecord>> {
        match &self.who {
            Who::Credential(record, ..) => Some(record),
            Who::Operator(_) => None,
        }
    }

    /// The same request with another reading of its credential.
    pub(crate) fn with_record(&self, record: Arc<CredentialRecord>) -> Self {
        let mut renewed = self.clone();
        if let Who::Credential(known, ..) = &mut renewed.who {
            *known = record;
        }
        renewed
    }

    fn record(&self) -> Option<&CredentialRecord> {
        self.record_handle().map(Arc::as_ref)
    }

    fn context(&self) -> Context {
        Context { now: self.now() }
    }
}
