// SPDX-License-Identifier: Apache-2.0
//! A decision told in full: everything that speaks for it and against it, as data and in sentences.
//!
//! Two sorts of questions are told alike: may a credential take an [`Action`] (rights decide), and
//! does an account reach a resource (grants decide, policies take away).

mod sentences;

use std::collections::BTreeMap;

use durward_model::Instant;
use serde::Serialize;

use crate::cedar::{CedarVerdict, StatementRef};
use crate::{Action, Context, Object, Principal, Reason, authorize_action};

/// What was asked, in words that people know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Who, such as an e-mail address.
    pub principal: String,
    /// What, such as `connect` or `role:create`.
    pub action: String,
    /// To what, such as a resource's name.
    pub object: String,
}

/// A decision with everything that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Who.
    pub principal: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// The moment of which this tells.
    pub at: String,
    /// Whether it was allowed then.
    pub allowed: bool,
    /// Whether the account was suspended.
    pub suspended: bool,
    /// When the credential ended, if it had.
    pub credential_expired_at: Option<String>,
    /// The rights of which any is enough, and who has them. Empty where grants decide.
    pub rights: Vec<RightState>,
    /// What the policies of the credential say. Empty where grants decide.
    pub credential_policies: Vec<CredentialPolicyState>,
    /// Every way from the account to the resource. Empty where rights decide.
    pub paths: Vec<PathState>,
    /// Statements of policies that forbid it.
    pub forbidden_by: Vec<PolicyState>,
    /// Statements of policies that permit it. They give no access by themselves.
    pub permitted_by: Vec<PolicyState>,
    /// The same in sentences, the answer first.
    pub why: Vec<String>,
}

/// A right that would be enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RightState {
    /// Its name.
    pub right: &'static str,
    /// Whether the account has it.
    pub account: bool,
    /// Whether the credential was made for it.
    pub credential: bool,
}

/// What a policy of the credential says about one right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialPolicyState {
    /// The right.
    pub right: &'static str,
    /// `allows`, `denies` or `silent`.
    pub effect: &'static str,
    /// The statement, from 1; none when no statement speaks of it.
    pub statement: Option<usize>,
}

/// One way from an account to a resource, as the caller found it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantPath {
    /// What lies between them, from the account on.
    pub steps: Vec<PathStep>,
    /// From when on it holds; none: always.
    pub valid_from: Option<Instant>,
    /// Until when; none: without end.
    pub valid_until: Option<Instant>,
}

/// One step of a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// What it is: `group`, `role`, `rule`, `grant`.
    pub kind: String,
    /// Its id, if it has one.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Whether a way was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PathValidity {
    /// It was.
    Open,
    /// It had not begun.
    NotYet,
    /// It had ended.
    Ended,
}

/// One way from the account to the resource, and whether it was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathState {
    /// What lies between them.
    pub steps: Vec<PathStep>,
    /// From when on it holds.
    pub valid_from: Option<String>,
    /// Until when.
    pub valid_until: Option<String>,
    /// Whether it was open.
    pub validity: PathValidity,
}

/// A statement of a policy that spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyState {
    /// Id of the policy, 16 hexadecimal digits.
    pub policy: String,
    /// Its name.
    pub name: String,
    /// The statement, from 1.
    pub statement: usize,
    /// The statement's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Why its condition could not be judged, if it could not.
    pub error: Option<String>,
}

/// What of an account matters where grants decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// Whether it is suspended.
    pub suspended: bool,
    /// When the credential ends that it uses; none without one, or without an end.
    pub credential_ends: Option<Instant>,
}

impl GrantPath {
    /// Whether it is open at a moment: the beginning belongs to it, the end does not.
    pub fn validity(&self, at: Instant) -> PathValidity {
        if self.valid_from.is_some_and(|from| at < from) {
            PathValidity::NotYet
        } else if self.valid_until.is_some_and(|until| until <= at) {
            PathValidity::Ended
        } else {
            PathValidity::Open
        }
    }
}

impl Explanation {
    fn new(question: &Question, at: Instant, account: AccountState) -> Self {
        let expired = account.credential_ends.filter(|end| *end <= at);
        Self {
            principal: question.principal.clone(),
            action: question.action.clone(),
            object: question.object.clone(),
            at: at.to_string(),
            allowed: !account.suspended && expired.is_none(),
            suspended: account.suspended,
            credential_expired_at: expired.map(|end| end.to_string()),
            rights: Vec::new(),
            credential_policies: Vec::new(),
            paths: Vec::new(),
            forbidden_by: Vec::new(),
            permitted_by: Vec::new(),
            why: Vec::new(),
        }
    }

    /// Tells whether a principal may take an action.
    pub fn of_action(
        question: &Question,
        principal: &Principal,
        action: Action,
        object: Object<'_>,
        context: &Context,
    ) -> Self {
        let account = AccountState {
            suspended: principal.account_suspended,
            credential_ends: principal.expires_at,
        };
        let decision = authorize_action(principal, action, object, context);
        let mut told = Self::new(question, context.now, account);
        told.allowed = decision.allowed;
        told.rights = action
            .rights()
            .iter()
            .map(|right| RightState {
                right: right.name(),
                account: principal.account_rights.contains(*right),
                credential: principal.credential_rights.contains(*right),
            })
            .collect();
        told.credential_policies = decision.why.iter().filter_map(policy_state).collect();
        told.why = sentences::of_action(&told);
        told
    }

    /// Tells whether an account reaches a resource, by the ways that the caller found and what
    /// the policies say.
    pub fn of_access(
        question: &Question,
        account: AccountState,
        paths: &[GrantPath],
        verdict: &CedarVerdict,
        at: Instant,
    ) -> Self {
        let mut told = Self::new(question, at, account);
        told.paths = paths
            .iter()
            .map(|path| PathState {
                steps: path.steps.clone(),
                valid_from: path.valid_from.map(|from| from.to_string()),
                valid_until: path.valid_until.map(|until| until.to_string()),
                validity: path.validity(at),
            })
            .collect();
        let state = |statement: &StatementRef| statement_state(statement, verdict);
        told.forbidden_by = verdict.forbidden_by.iter().map(state).collect();
        told.permitted_by = verdict.permitted_by.iter().map(state).collect();
        let has_path = told
            .paths
            .iter()
            .any(|path| path.validity == PathValidity::Open);
        told.allowed = told.allowed && has_path && !verdict.is_forbidden();
        told.why = sentences::of_access(&told);
        told
    }
}

fn policy_state(reason: &Reason) -> Option<CredentialPolicyState> {
    let (right, effect, statement) = match reason {
        Reason::PolicyAllows { right, statement } => (right, "allows", Some(*statement)),
        Reason::PolicyDenies { right, statement } => (right, "denies", Some(*statement)),
        Reason::PolicySilent(right) => (right, "silent", None),
        _ => return None,
    };
    Some(CredentialPolicyState {
        right: right.name(),
        effect,
        statement,
    })
}

fn statement_state(statement: &StatementRef, verdict: &CedarVerdict) -> PolicyState {
    let error = verdict
        .errors
        .iter()
        .find(|error| error.statement == *statement)
        .map(|error| error.reason.clone());
    PolicyState {
        policy: format!("{:016x}", statement.policy.0),
        name: statement.name.to_string(),
        statement: statement.statement,
        annotations: statement.annotations.as_ref().clone(),
        error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests;
