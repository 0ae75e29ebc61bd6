// SPDX-License-Identifier: Apache-2.0
//! All policies of an organization, so indexed that a decision touches few of them.
//!
//! The head of a statement names at most one entity that the principal must be or be in, one of a
//! few for the action, and one for the resource. Statements with the same three lie together; a
//! request looks up each combination of what its principal, action and resource are in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{
    AuthorizationError, Authorizer, Entities, EntityUid, Policy, PolicyId, Request,
};
use durward_model::ObjectId;

use super::facts::{Closure, facts};
use super::stack;
use super::{CedarPolicy, CedarRequest, CedarVerdict, StatementError, StatementRef};

/// A policy as it is stored.
#[derive(Clone, Debug)]
pub struct NamedPolicy {
    /// Its id.
    pub id: ObjectId,
    /// Its name.
    pub name: Arc<str>,
    /// Its text, parsed.
    pub policy: Arc<CedarPolicy>,
}

/// Compiled policies.
#[derive(Default)]
pub struct PolicySet {
    statements: Vec<StatementRef>,
    /// Numbers of the entities that heads of statements name, from 1.
    names: HashMap<EntityUid, u32>,
    /// Statements by the numbers of principal, action and resource; 0 stands for any.
    groups: HashMap<[u32; 3], Group>,
    authorizer: Authorizer,
}

#[derive(Default)]
struct Group {
    forbids: cedar_policy::PolicySet,
    permits: cedar_policy::PolicySet,
    /// How deep the deepest condition nests.
    levels: usize,
}

/// Statements found, by their numbers.
#[derive(Default)]
struct Found {
    satisfied: BTreeSet<usize>,
    errors: BTreeMap<usize, String>,
}

const ANY: u32 = 0;

impl std::fmt::Debug for PolicySet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PolicySet")
            .field("statements", &self.statements.len())
            .finish_non_exhaustive()
    }
}

impl PolicySet {
    /// Compiles policies; their order is the order of what decisions name.
    pub fn compile(policies: impl IntoIterator<Item = NamedPolicy>) -> Self {
        let mut set = Self::default();
        for policy in policies {
            for (position, statement) in policy.policy.statements.iter().enumerate() {
                let number = set.statements.len();
                set.statements.push(StatementRef {
                    policy: policy.id,
                    name: Arc::clone(&policy.name),
                    statement: position.saturating_add(1),
                    annotations: Arc::clone(&statement.annotations),
                });
                let principal = set.number(statement.principal.as_ref());
                let resource = set.number(statement.resource.as_ref());
                let actions: Vec<_> = match &statement.actions {
                    None => vec![ANY],
                    Some(names) => names.iter().map(|name| set.number(Some(name))).collect(),
                };
                let numbered = statement.policy.new_id(PolicyId::new(number.to_string()));
                for action in actions {
                    let group = set.groups.entry([principal, action, resource]).or_default();
                    group.add(&numbered, statement.forbids);
                    group.levels = group.levels.max(statement.levels);
                }
            }
        }
        set
    }

    /// Whether any statement forbids something.
    pub fn has_forbids(&self) -> bool {
        let mut groups = self.groups.values();
        groups.any(|group| group.forbids.policies().next().is_some())
    }

    /// How many statements there are.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// What the policies say about a request.
    pub fn decide(&self, request: &CedarRequest<'_>) -> CedarVerdict {
        if self.statements.is_empty() {
            return CedarVerdict::default();
        }
        let Some(closure) = Closure::of(request) else {
            return CedarVerdict::default();
        };
        let groups = self.groups_of(&closure);
        if groups.is_empty() {
            return CedarVerdict::default();
        }
        let levels = groups.iter().map(|group| group.levels).max();
        stack::for_depth(levels.unwrap_or_default(), || {
            match facts(request, &closure) {
                Ok((request, entities)) => self.judge(&groups, &request, &entities),
                Err(reason) => self.cannot_judge(&groups, &reason),
            }
        })
    }

    fn number(&mut self, name: Option<&EntityUid>) -> u32 {
        let Some(name) = name else {
            return ANY;
        };
        let next =
            u32::try_from(self.names.len()).map_or(u32::MAX, |count| count.saturating_add(1));
        *self.names.entry(name.clone()).or_insert(next)
    }

    fn groups_of(&self, closure: &Closure) -> Vec<&Group> {
        let numbers = |names: &[EntityUid]| {
            let mut numbers = vec![ANY];
            numbers.extend(names.iter().filter_map(|name| self.names.get(name)));
            numbers
        };
        let actions = numbers(&closure.action);
        let resources = numbers(&closure.resource);
        let mut groups = Vec::new();
        for principal in numbers(&closure.principal) {
            for action in &actions {
                for resource in &resources {
                    groups.extend(self.groups.get(&[principal, *action, *resource]));
                }
            }
        }
        groups
    }

    fn judge(&self, groups: &[&Group], request: &Request, entities: &Entities) -> CedarVerdict {
        let mut forbids = Found::default();
        let mut permits = Found::default();
        for group in groups {
            for (policies, found) in [
                (&group.forbids, &mut forbids),
                (&group.permits, &mut permits),
            ] {
                if !policies.is_empty() {
                    let response = self.authorizer.is_authorized(request, policies, entities);
                    found.add(response.diagnostics());
                }
            }
        }
        self.verdict(forbids, permits)
    }

    /// Nothing can be judged: every forbidding statement that might speak of it counts.
    fn cannot_judge(&self, groups: &[&Group], reason: &str) -> CedarVerdict {
        let mut forbids = Found::default();
        for policy in groups.iter().flat_map(|group| group.forbids.policies()) {
            let number = number(policy.id());
            forbids.errors.insert(number, reason.to_owned());
        }
        self.verdict(forbids, Found::default())
    }

    fn verdict(&self, mut forbids: Found, permits: Found) -> CedarVerdict {
        let named = |number: &usize| self.statements.get(*number).cloned();
        let failed: Vec<_> = forbids.errors.keys().copied().collect();
        forbids.satisfied.extend(failed);
        let mut errors = forbids.errors;
        errors.extend(permits.errors);
        CedarVerdict {
            forbidden_by: forbids.satisfied.iter().filter_map(named).collect(),
            permitted_by: permits.satisfied.iter().filter_map(named).collect(),
            errors: errors
                .into_iter()
                .filter_map(|(number, reason)| {
                    let statement = named(&number)?;
                    Some(StatementError { statement, reason })
                })
                .collect(),
        }
    }
}

impl Group {
    fn add(&mut self, policy: &Policy, forbids: bool) {
        let policies = if forbids {
            &mut self.forbids
        } else {
            &mut self.permits
        };
        // The only failure is that the same statement is already here: its head may name an
        // action twice.
        let _ = policies.add(policy.clone());
    }
}

impl Found {
    fn add(&mut self, diagnostics: &cedar_policy::Diagnostics) {
        for policy in diagnostics.reason() {
            self.satisfied.insert(number(policy));
        }
        for error in diagnostics.errors() {
            let AuthorizationError::PolicyEvaluationError(error) = error;
            let reason = error.inner().to_string().replace(['\n', '\r'], " ");
            self.errors.insert(number(error.policy_id()), reason);
        }
    }
}

/// Statements are named by their numbers.
fn number(policy: &PolicyId) -> usize {
    let name: &str = policy.as_ref();
    name.parse().unwrap_or(usize::MAX)
}
