// SPDX-License-Identifier: Apache-2.0
//! What gives anybody more reach needs the right to give it, whichever command does so.
//!
//! Grants, memberships and assignments are commands of their own, with rights of their own. What a
//! role reaches also follows from the types and tags of resources: whoever may only change these
//! must not come to a resource, or bring others to it, by a tag.

use std::sync::LazyLock;

use durward_graph::View;
use durward_graph::store::{Operation, Target};
use durward_identity::Caller;
use durward_policy::{Action, Right};

use crate::kind::{ALLOWS, ROLE_TYPE};
use crate::{Access, AccessError, Kind, reader};

/// Rights any of which lets a role reach more.
static TO_A_ROLE: LazyLock<Vec<Right>> =
    LazyLock::new(|| [Action::RoleUpdate.rights(), Action::GrantWrite.rights()].concat());

/// What a role that is made may reach, it reaches for nobody yet.
static TO_A_NEW_ROLE: LazyLock<Vec<Right>> =
    LazyLock::new(|| [Action::RoleCreate.rights(), TO_A_ROLE.as_slice()].concat());

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
        let Some(role) = widened.next() else {
            return Ok(());
        };
        let rights = match &role {
            Target::Result(_) => &TO_A_NEW_ROLE,
            _ => &TO_A_ROLE,
        };
        let decision = caller.authorize_any(rights);
        if decision.allowed {
            return Ok(());
        }
        let why = format!(
            "this lets a role reach more than before, which needs the right to give that. {}",
            decision.explanation()
        );
        Err(caller.deny(why).into())
    }
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
    let role = reader::entity(view, *role, &[Kind::Role])?;
    if let Target::Id(resource) = to
        && let Some(resource) = reader::entity(view, *resource, &[Kind::Resource])
    {
        let reached = reader::links_in(view, resource, ALLOWS, ROLE_TYPE);
        if reached.iter().any(|link| link.other == role) {
            return None;
        }
    }
    Some(from.clone())
}
