// SPDX-License-Identifier: Apache-2.0
//! JupiterOne's JSON policies: statements that allow or deny actions on resources.
//!
//! A policy is read strictly: an unknown member, action or resource kind is an error with its
//! position, because a statement that silently does nothing is worse than none.

mod parse;

use crate::{Right, RowAccess};

pub use parse::PolicyError;

/// Longest policy text in bytes.
pub const POLICY_BYTES_MAX: usize = 64 << 10;
/// Most statements of one policy.
pub const STATEMENTS_MAX: usize = 100;
/// Most actions, and most resources, of one statement.
pub const NAMES_MAX: usize = 200;
/// Most properties, and most values of a property, in one condition.
pub const CONDITION_ITEMS_MAX: usize = 32;

/// A parsed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    actions: Names<Right>,
    resources: Names<String>,
    /// Properties with the values of which one must be there. Only on allowing statements.
    condition: Option<Vec<(String, Vec<String>)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Names<T> {
    /// The lone `*`.
    All,
    These(Vec<T>),
}

/// What a policy says about one action on one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement (counted from 1) allows it and none denies it.
    Allowed {
        /// Which.
        statement: usize,
    },
    /// A statement denies it, whatever others say.
    Denied {
        /// Which.
        statement: usize,
    },
    /// No statement speaks of it.
    Silent,
}

impl AccessPolicy {
    /// Reads the JSON text of a policy.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::parse(text)
    }

    /// The text of the policy that allows everything.
    pub const ALLOW_ALL: &'static str =
        r#"{"permissions":[{"effect":"ALLOW","actions":["*"],"resources":["*"]}]}"#;

    /// What the policy says: any denying statement wins over all allowing ones.
    /// `resource` is the object as `kind:id`.
    pub fn verdict(&self, right: Right, resource: &str) -> Verdict {
        let mut verdict = Verdict::Silent;
        for (position, statement) in self.statements.iter().enumerate() {
            if !statement.covers(right, resource) {
                continue;
            }
            let number = position.saturating_add(1);
            match statement.effect {
                Effect::Deny => return Verdict::Denied { statement: number },
                Effect::Allow if verdict == Verdict::Silent => {
                    verdict = Verdict::Allowed { statement: number };
                }
                Effect::Allow => {}
            }
        }
        verdict
    }

    /// Which entities the policy lets its holder read.
    pub fn row_access(&self, resource: &str) -> RowAccess {
        if !matches!(
            self.verdict(Right::READ_GRAPH, resource),
            Verdict::Allowed { .. }
        ) {
            return RowAccess::Nothing;
        }
        let covering = || {
            self.statements.iter().filter(|statement| {
                statement.effect == Effect::Allow && statement.covers(Right::READ_GRAPH, resource)
            })
        };
        if covering().any(|statement| statement.condition.is_none()) {
            return RowAccess::Everything;
        }
        RowAccess::any_of(covering().filter_map(|statement| statement.condition.as_deref()))
    }
}

impl Statement {
    /// Whether the statement speaks of this right on this resource. A statement with a condition
    /// speaks of reading the graph only: for nothing else can its condition be judged.
    fn covers(&self, right: Right, resource: &str) -> bool {
        let right_fits = match &self.actions {
            _ if self.condition.is_some() && right != Right::READ_GRAPH => false,
            Names::All => true,
            Names::These(rights) => rights.contains(&right),
        };
        right_fits
            && match &self.resources {
                Names::All => true,
                Names::These(names) => names.iter().any(|name| name == resource),
            }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]
mod tests;
