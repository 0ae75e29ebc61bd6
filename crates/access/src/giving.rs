// SPDX-License-Identifier: Apache-2.0
//! What gives anybody more reach needs the right to give it, whichever command does so.
//!
//! Grants, memberships and assignments are commands of their own, with rights of their own. What a
//! role reaches also follows from the types and tags of resources: whoever may only change these
//! must not come to a resource, or bring others to it, by a tag. Nor by a change after which a
//! policy that forbade a resource speaks of it no more.

use durward_catalog::kinds::verb::ALLOWS;
use durward_graph::View;
use durward_graph::store::{Operation, Target};
use durward_identity::Caller;
use durward_policy::Action;

use crate::{Access, AccessError, Kind, reader};

/// Any of these lets a role reach more.
const TO_A_ROLE: [Action; 2] = [Action::RoleUpdate, Action::GrantWrite];

/// Any of these frees somebody of a policy.
const OF_A_POLICY: [Action; 2] = [Action::PolicyWrite, Action::GrantWrite];

/// What a role that is made may reach, it reaches for nobody yet.
const TO_A_NEW_ROLE: [Action; 3] = [Action::RoleCreate, Action::RoleUpdate, Action::GrantWrite];

impl Access {
    /// Refuses operations that let a role reach what it did not reach before, unless the caller may
    /// give it that. Operations and `view` are of one plan: nobody writes in between.
    pub(crate) fn require_giving(
        &self,
        caller: &Caller,
        view: &View,
        operations: &[Operation],
    ) -> Result<(), AccessError> {
        let mut widened = operations
            .iter()
            .filter_map(|operation| widened(view, operation));
        match widened.next() {
            Some(Target::Result(_)) => require(caller, "a role", &TO_A_NEW_ROLE)?,
            Some(_) => require(caller, "a role", &TO_A_ROLE)?,
            None => {}
        }
        if self.frees_somebody(view, operations) {
            require(caller, "somebody", &OF_A_POLICY)?;
        }
        Ok(())
    }

    /// Whether operations change a resource so that a policy forbids it to somebody no longer.
    fn frees_somebody(&self, view: &View, operations: &[Operation]) -> bool {
        operations.iter().any(|operation| match operation {
            Operation::PatchEntity {
                target: Target::Id(id),
                set,
                ..
            } => {
                let resource = reader::entity(view, *id, &[Kind::RESOURCE]);
                resource.is_some_and(|resource| self.frees(view, resource, set))
            }
            _ => false,
        })
    }
}

/// Refuses a caller that may take none of the actions that give somebody more reach.
fn require(caller: &Caller, whom: &str, actions: &[Action]) -> Result<(), AccessError> {
    let decision = caller.authorize_actions(actions);
    if decision.allowed {
        return Ok(());
    }
    let why = format!(
        "this lets {whom} reach more than before, which needs the right to give that. {}",
        decision.explanation()
    );
    Err(caller.deny(why).into())
}

/// The role that an operation lets reach what it does not reach yet.
fn widened(view: &View, operation: &Operation) -> Option<Target> {
    let Operation::PutRelationship { from, verb, to, .. } = operation else {
        return None;
    };
    if verb != ALLOWS {
        return None;
    }
    let Target::Id(role) = from else {
        // Grants start at accounts and groups that are there: what is made here is a role.
        return Some(from.clone());
    };
    let role = reader::entity(view, *role, &[Kind::ROLE])?;
    if let Target::Id(resource) = to
        && let Some(resource) = reader::entity(view, *resource, &[Kind::RESOURCE])
    {
        let reached = reader::links_in(view, resource, ALLOWS, Kind::ROLE);
        if reached.iter().any(|link| link.other == role) {
            return None;
        }
    }
    Some(from.clone())
}
