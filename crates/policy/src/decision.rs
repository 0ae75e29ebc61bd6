// SPDX-License-Identifier: Apache-2.0
//! The decision and its reasons.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use durward_model::{Instant, ObjectId};

use crate::access_policy::Verdict;
use crate::{AccessPolicy, Right, Rights, RowAccess, TooManyAlternatives};

/// Who asks: an account through one of its credentials, as they are at this moment.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The account.
    pub account: ObjectId,
    /// Whether the account is suspended.
    pub account_suspended: bool,
    /// What the account may do.
    pub account_rights: Rights,
    /// What the credential was made for; never more than the account may do.
    pub credential_rights: Rights,
    /// Policies of the credential and of the credentials by which it was made: all must allow.
    pub policies: Vec<Arc<AccessPolicy>>,
    /// When the credential ends.
    pub expires_at: Option<Instant>,
    /// Id of the organization, as policies name it.
    pub organization: String,
}

/// What is acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object<'a> {
    /// The organization as a whole: its graph, its accounts, its log.
    Organization,
    /// One thing that policies can name, such as a dashboard.
    Named {
        /// Its kind, such as `dashboard`.
        kind: &'a str,
        /// Its id.
        id: &'a str,
    },
}

/// The circumstances.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The moment of the decision.
    pub now: Instant,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// Why: one sentence each. A refusal names everything that stands in the way.
    pub why: Vec<Reason>,
}

/// A sentence that explains a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The account is suspended.
    AccountSuspended,
    /// The credential ended.
    CredentialExpired(Instant),
    /// The account has not the right.
    AccountLacks(Right),
    /// The credential was not made for it.
    CredentialLacks(Right),
    /// A statement of a policy of the credential denies it.
    PolicyDenies {
        /// The right.
        right: Right,
        /// The statement, from 1.
        statement: usize,
    },
    /// No statement of a policy of the credential allows it.
    PolicySilent(Right),
    /// Whoever is let in may.
    Everybody,
    /// The account and the credential have the right.
    RightHeld(Right),
    /// A statement of a policy of the credential allows it.
    PolicyAllows {
        /// The right.
        right: Right,
        /// The statement, from 1.
        statement: usize,
    },
}

/// Decides whether a principal may use a right on an object.
pub fn authorize(
    principal: &Principal,
    right: Right,
    object: Object<'_>,
    context: &Context,
) -> Decision {
    let mut against = ended(principal, *context);
    if !principal.account_rights.contains(right) {
        against.push(Reason::AccountLacks(right));
    }
    if !principal.credential_rights.contains(right) {
        against.push(Reason::CredentialLacks(right));
    }
    let mut in_favour = vec![Reason::RightHeld(right)];
    let resource = principal.resource(object);
    for policy in &principal.policies {
        match policy.verdict(right, &resource) {
            Verdict::Allowed { statement } => {
                in_favour.push(Reason::PolicyAllows { right, statement });
            }
            Verdict::Denied { statement } => {
                against.push(Reason::PolicyDenies { right, statement });
            }
            Verdict::Silent => against.push(Reason::PolicySilent(right)),
        }
    }
    let allowed = against.is_empty();
    Decision {
        allowed,
        why: if allowed { in_favour } else { against },
    }
}

/// What ends whatever a principal may.
fn ended(principal: &Principal, context: Context) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if principal.account_suspended {
        reasons.push(Reason::AccountSuspended);
    }
    if let Some(end) = principal.expires_at.filter(|end| *end <= context.now) {
        reasons.push(Reason::CredentialExpired(end));
    }
    reasons
}

/// Decides whether a principal may do what asks for no right.
pub(crate) fn authorize_everybody(principal: &Principal, context: Context) -> Decision {
    let against = ended(principal, context);
    let allowed = against.is_empty();
    Decision {
        allowed,
        why: if allowed {
            vec![Reason::Everybody]
        } else {
            against
        },
    }
}

/// Decides whether a principal may use any of some rights on an object. Without any right to ask
/// for, it may not.
pub fn authorize_any(
    principal: &Principal,
    rights: &[Right],
    object: Object<'_>,
    context: &Context,
) -> Decision {
    let mut refused = Vec::new();
    for right in rights {
        let decision = authorize(principal, *right, object, context);
        if decision.allowed {
            return decision;
        }
        for reason in decision.why {
            if !refused.contains(&reason) {
                refused.push(reason);
            }
        }
    }
    Decision {
        allowed: false,
        why: refused,
    }
}

impl Principal {
    /// What of the graph it may read, as one condition for lists and queries.
    pub fn row_access(&self) -> Result<RowAccess, TooManyAlternatives> {
        let held = self.account_rights.intersect(self.credential_rights);
        if !held.contains(Right::READ_GRAPH) {
            return Ok(RowAccess::Nothing);
        }
        self.core_row_access()
    }

    /// Which core objects it may see among those of kinds that it has the right to list. That
    /// right needs no other one beside it: a key that may list roles need not read the graph.
    pub fn core_row_access(&self) -> Result<RowAccess, TooManyAlternatives> {
        if self.account_suspended {
            return Ok(RowAccess::Nothing);
        }
        let resource = self.resource(Object::Organization);
        self.policies
            .iter()
            .try_fold(RowAccess::Everything, |access, policy| {
                access.intersect(&policy.row_access(&resource))
            })
    }

    fn resource<'a>(&self, object: Object<'a>) -> Cow<'a, str> {
        // A principal without policies names no resources.
        if self.policies.is_empty() {
            return Cow::Borrowed("");
        }
        match object {
            Object::Organization => Cow::Owned(format!("account:{}", self.organization)),
            Object::Named { kind, id } => Cow::Owned(format!("{kind}:{id}")),
        }
    }
}

impl Decision {
    /// All reasons as one text.
    pub fn explanation(&self) -> String {
        self.why
            .iter()
            .map(Reason::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountSuspended => formatter.write_str("The account is suspended."),
            Self::CredentialExpired(end) => write!(formatter, "The credential expired at {end}."),
            Self::AccountLacks(right) => {
                write!(formatter, "The account does not have the right {right}.")
            }
            Self::CredentialLacks(right) => {
                write!(
                    formatter,
                    "The credential was not made for the right {right}."
                )
            }
            Self::PolicyDenies { right, statement } => {
                let action = action_name(*right);
                write!(
                    formatter,
                    "Statement {statement} of the policy denies {action}."
                )
            }
            Self::PolicySilent(right) => {
                write!(
                    formatter,
                    "No statement of the policy allows {}.",
                    action_name(*right)
                )
            }
            Self::Everybody => formatter.write_str("Everybody who is let in may."),
            Self::RightHeld(right) => {
                write!(
                    formatter,
                    "The account and the credential have the right {right}."
                )
            }
            Self::PolicyAllows { right, statement } => {
                let action = action_name(*right);
                write!(
                    formatter,
                    "Statement {statement} of the policy allows {action}."
                )
            }
        }
    }
}

fn action_name(right: Right) -> &'static str {
    right.jupiterone_action().unwrap_or(right.name())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests;
