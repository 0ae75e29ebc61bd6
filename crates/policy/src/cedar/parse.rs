// SPDX-License-Identifier: Apache-2.0
//! From Cedar text to a policy.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, Effect, EntityUid, ParseErrors, Policy, PrincipalConstraint,
    ResourceConstraint,
};
use durward_model::ErrorKind;
use durward_model::error::ClientMessage;
use miette::Diagnostic;

use super::names::any_of;
use super::{rewrite, stack, tokens};

/// Longest policy text in bytes.
pub const CEDAR_BYTES_MAX: usize = 64 << 10;
/// Most statements of one policy.
pub const CEDAR_STATEMENTS_MAX: usize = 200;
/// Longest reason of an error in characters: Cedar quotes the text, which may be one long word.
const REASON_CHARS_MAX: usize = 400;

const FORBID_ALL: &str = "forbid (principal, action, resource);";

/// Why a text is not a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy is not valid at line {line}, column {column}: {reason}")]
pub struct CedarSyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, without a full stop.
    pub reason: String,
    /// Whether it is the machine that failed and not the text: it may be read another time.
    pub is_passing: bool,
}

impl CedarSyntaxError {
    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

impl ClientMessage for CedarSyntaxError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

/// A policy in the Cedar language: any number of statements that permit or forbid.
#[derive(Clone, Debug)]
pub struct CedarPolicy {
    pub(super) statements: Vec<Statement>,
}

/// One statement, ready to be put into a set.
#[derive(Clone)]
pub(super) struct Statement {
    pub(super) policy: Policy,
    pub(super) forbids: bool,
    /// What the principal must be or be in; none: anybody.
    pub(super) principal: Option<EntityUid>,
    /// What the action must be or be in one of; none: any.
    pub(super) actions: Option<Vec<EntityUid>>,
    /// What the resource must be or be in; none: anything.
    pub(super) resource: Option<EntityUid>,
    pub(super) annotations: Arc<BTreeMap<String, String>>,
    /// How deep its conditions nest.
    pub(super) levels: usize,
}

impl fmt::Debug for Statement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = if self.forbids { "forbid" } else { "permit" };
        formatter.write_str(effect)
    }
}

impl CedarPolicy {
    /// Reads the text of a policy.
    pub fn parse(text: &str) -> Result<Self, CedarSyntaxError> {
        if text.len() > CEDAR_BYTES_MAX {
            let bytes = text.len();
            return Err(at(
                text,
                CEDAR_BYTES_MAX,
                format!("the policy has {bytes} bytes; at most {CEDAR_BYTES_MAX} are allowed"),
            ));
        }
        Self::parse_on(stack::READ_BYTES, text)
    }

    /// Reads a text on a stack of that many bytes.
    pub(super) fn parse_on(bytes: usize, text: &str) -> Result<Self, CedarSyntaxError> {
        stack::on_own(bytes, || parse(text)).unwrap_or_else(|reason| {
            Err(CedarSyntaxError {
                is_passing: true,
                ..at(text, 0, reason)
            })
        })
    }

    /// What stands for a stored policy that cannot be read any more: it forbids everything, and
    /// says why. What was meant to protect must not vanish.
    pub fn unreadable(reason: &CedarSyntaxError) -> Self {
        let mut policy = Self::parse(FORBID_ALL).unwrap_or(Self {
            statements: Vec::new(),
        });
        let annotations = BTreeMap::from([("unreadable".to_owned(), reason.to_string())]);
        let annotations = Arc::new(annotations);
        for statement in &mut policy.statements {
            statement.annotations = Arc::clone(&annotations);
        }
        policy
    }

    /// How many statements it has.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }
}

fn at(text: &str, offset: usize, reason: String) -> CedarSyntaxError {
    let (line, column) = tokens::position(text, offset);
    CedarSyntaxError {
        line,
        column,
        reason,
        is_passing: false,
    }
}

fn parse(text: &str) -> Result<CedarPolicy, CedarSyntaxError> {
    let readable = tokens::check(text)?;
    let set: cedar_policy::PolicySet = readable
        .parse()
        .map_err(|errors: ParseErrors| describe(text, &errors))?;
    let mut numbered: Vec<(usize, &Policy)> = set
        .policies()
        .map(|policy| (number(policy), policy))
        .collect();
    numbered.sort_by_key(|(number, _)| *number);
    if numbered.len() > CEDAR_STATEMENTS_MAX {
        let count = numbered.len();
        let reason = format!("it has {count} statements; at most {CEDAR_STATEMENTS_MAX} may be");
        return Err(at(text, text.len(), reason));
    }
    let statements = numbered
        .into_iter()
        .map(|(_, policy)| statement(policy).map_err(|reason| at(text, 0, reason)))
        .collect::<Result<_, _>>()?;
    Ok(CedarPolicy { statements })
}

/// Cedar names the statements of a text `policy0`, `policy1` and so on.
fn number(policy: &Policy) -> usize {
    let name: &str = policy.id().as_ref();
    let digits = name.strip_prefix("policy").unwrap_or(name);
    digits.parse().unwrap_or(usize::MAX)
}

fn statement(policy: &Policy) -> Result<Statement, String> {
    let annotations = policy
        .annotations()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let (policy, levels) = rewrite::rewrite(policy)?;
    let principal = match policy.principal_constraint() {
        PrincipalConstraint::Any => None,
        PrincipalConstraint::In(entity)
        | PrincipalConstraint::Eq(entity)
        | PrincipalConstraint::IsIn(_, entity) => Some(entity),
        PrincipalConstraint::Is(kind) => Some(any_of(&kind)),
    };
    let actions = match policy.action_constraint() {
        ActionConstraint::Any => None,
        ActionConstraint::In(entities) => Some(entities),
        ActionConstraint::Eq(entity) => Some(vec![entity]),
    };
    let resource = match policy.resource_constraint() {
        ResourceConstraint::Any => None,
        ResourceConstraint::In(entity)
        | ResourceConstraint::Eq(entity)
        | ResourceConstraint::IsIn(_, entity) => Some(entity),
        ResourceConstraint::Is(kind) => Some(any_of(&kind)),
    };
    Ok(Statement {
        forbids: policy.effect() == Effect::Forbid,
        policy,
        principal,
        actions,
        resource,
        annotations: Arc::new(annotations),
        levels,
    })
}

/// The first error that has a position, in one sentence.
fn describe(text: &str, errors: &ParseErrors) -> CedarSyntaxError {
    let Some(error) = errors.iter().next() else {
        return at(text, 0, "it is not a policy".to_owned());
    };
    let label = error.labels().and_then(|mut labels| labels.next());
    let mut reason = error.to_string();
    if let Some(expected) = label.as_ref().and_then(|label| label.label()) {
        reason.push_str(": ");
        reason.push_str(expected);
    }
    if let Some(help) = error.help() {
        reason.push_str("; ");
        reason.push_str(&help.to_string());
    }
    let reason: String = reason
        .chars()
        .take(REASON_CHARS_MAX)
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect();
    at(text, label.map_or(0, |label| label.offset()), reason)
}
