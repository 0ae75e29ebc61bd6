// SPDX-License-Identifier: Apache-2.0
//! Lists of entities.

use durward_access::{Kind, action};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_policy::Action;

use super::{Page, Walk};
use crate::dispatch::Reply;
use crate::filter::Fields;
use crate::status::Status;

/// One page of a list of entities. The caller must be allowed to list all of `kinds`; `write`
/// appends the message of an entity as the field of a number, or answers that it is left out.
///
/// # Errors
/// When the caller may not, or the request is wrong.
pub fn entities(
    walk: &Walk<'_>,
    fields: &Fields,
    kinds: &[Kind],
    mut write: impl FnMut(&mut Vec<u8>, u32, &View, EntityRef) -> Result<bool, Status>,
) -> Result<Reply, Status> {
    require_each(walk.caller(), kinds, action::read)?;
    let found = walk.remembered("entities", || {
        let plan = fields.plan(&walk.filter, &walk.request.order_by);
        let plan = plan.map_err(|error| Status::of(&error))?;
        Ok::<_, Status>(walk.objects_of_plan(plan, &walk.options())?)
    })?;
    Page::of_rows(walk, &found, |out, number, object| match object {
        ObjectRef::Entity(entity) => write(out, number, &walk.view, *entity),
        ObjectRef::Edge(_) => Ok(false),
    })
}

/// Refuses a caller that may not do something with each of the kinds of a service: one of them
/// lets it as far as here.
///
/// # Errors
/// When the caller may not.
pub(crate) fn require_each(
    caller: &Caller,
    kinds: &[Kind],
    asked: fn(Kind) -> Action,
) -> Result<(), Status> {
    let mut all = kinds.iter().map(|kind| asked(*kind));
    let allowed = all.try_for_each(|action| caller.require_action(action));
    allowed.map_err(|error| Status::of(&error))
}
