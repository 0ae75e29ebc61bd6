// SPDX-License-Identifier: Apache-2.0
//! What the policies say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use durward_model::ObjectId;

/// Annotation of a forbidding statement: what to tell whoever is refused.
const ERROR_ANNOTATION: &str = "error";

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRef {
    /// The policy.
    pub policy: ObjectId,
    /// Its name.
    pub name: Arc<str>,
    /// The statement, from 1.
    pub statement: usize,
    /// Its annotations, such as `@error("…")` and `@justify("…")`.
    pub annotations: Arc<BTreeMap<String, String>>,
}

impl StatementRef {
    /// What its author wants whoever is refused to read.
    pub fn message(&self) -> Option<&str> {
        self.annotations.get(ERROR_ANNOTATION).map(String::as_str)
    }
}

impl fmt::Display for StatementRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "statement {} of the policy {:?}",
            self.statement, self.name
        )
    }
}

/// A statement whose condition could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementError {
    /// The statement.
    pub statement: StatementRef,
    /// Why not.
    pub reason: String,
}

/// What all policies say about a request, in the order of policies and statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CedarVerdict {
    /// Statements that forbid it, and forbidding statements that could not be judged. One is
    /// enough to refuse.
    pub forbidden_by: Vec<StatementRef>,
    /// Statements that permit it. They explain; they never give access that no grant gives.
    pub permitted_by: Vec<StatementRef>,
    /// Statements that could not be judged, forbidding and permitting ones.
    pub errors: Vec<StatementError>,
}

impl CedarVerdict {
    /// Whether a policy takes away what grants give.
    pub fn is_forbidden(&self) -> bool {
        !self.forbidden_by.is_empty()
    }
}
