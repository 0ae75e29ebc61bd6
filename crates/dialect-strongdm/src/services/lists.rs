// SPDX-License-Identifier: Apache-2.0
//! Lists that are worked out: effective access, permissions, histories, activities.

use durward_policy::Action;

use super::activities::Activities;
use super::history::{self, WriteObject};
use super::{access_history, account_permissions, account_resources, activities, role_resources};
use crate::contract::Verb;
use crate::dispatch::Reply;
use crate::page::Walk;
use crate::status::Status;

/// Answers a list that is worked out; `None` when the method is none of them.
pub(crate) fn list_derived(
    walk: &Walk<'_>,
    index: &Activities,
    write: &WriteObject<'_>,
) -> Option<Result<Reply, Status>> {
    let method = walk.call().method;
    if method.verb == Verb::List
        && let Some(subject) = history::subject(&method.service)
    {
        return Some(history::list(walk, &subject, write));
    }
    Some(match method.signed_name.as_str() {
        "Activities.List" => activities::list(walk, index),
        "AccountResourcesHistory.List" => access_history::of_accounts(walk),
        "RoleResourcesHistory.List" => access_history::of_roles(walk),
        "AccountResources.List" => account_resources::list(walk),
        "RoleResources.List" => role_resources::list(walk),
        "AccountPermissions.List" => account_permissions::list(walk),
        _ => return None,
    })
}

/// Refuses callers who may not take an action.
pub(crate) fn require(walk: &Walk<'_>, action: Action) -> Result<(), Status> {
    let allowed = walk.caller().require_any(action.rights());
    allowed.map_err(|error| Status::of(&error))
}

/// Refuses an order where rows have but their own.
pub(crate) fn refuse_order(walk: &Walk<'_>) -> Result<(), Status> {
    match walk.request.order_by.trim() {
        "" => Ok(()),
        other => Err(Status::invalid(format!(
            "lists cannot be ordered by {other:?} here"
        ))),
    }
}
