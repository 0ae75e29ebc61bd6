// SPDX-License-Identifier: Apache-2.0
//! Lists of entities.

use durward_access::{Kind, action};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_identity::Caller;
use durward_policy::Action;
use durward_query::objects_of;
use durward_query::plan::{Plan, Source};

use super::{Page, Walk};
use crate::dispatch::Reply;
use crate::filter::Fields;
use crate::status::Status;

/// What an object takes while it is found: in a set, and in lists that are made of it.
const FINDING_BYTES: usize = 64;

/// The objects of a plan. While they are found as much is charged as all that there are could take.
///
/// # Errors
/// When the caller may not hold that, when nobody waits any more, or when the query fails.
pub(crate) fn find(walk: &Walk<'_>, plan: Plan) -> Result<Vec<ObjectRef>, Status> {
    let call = walk.call();
    call.check()?;
    let view = &walk.view;
    let at_most = plan.start.sources.iter().map(|source| match source {
        Source::Ids(ids) => ids.len(),
        Source::Type(name) => {
            let live = view.type_id(name).map(|type_id| view.live_count(type_id));
            usize::try_from(live.unwrap_or_default()).unwrap_or(usize::MAX)
        }
        _ => 0,
    });
    let charged = at_most.sum::<usize>().saturating_mul(FINDING_BYTES);
    call.charge(charged)?;
    let objects = objects_of(view, plan, &walk.options());
    let objects = objects.map_err(|error| Status::of(&error))?;
    call.release(charged);
    call.charge(objects.len().saturating_mul(size_of::<ObjectRef>()))?;
    Ok(objects)
}

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
        find(walk, plan)
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
