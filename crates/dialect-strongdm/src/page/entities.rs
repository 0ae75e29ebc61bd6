// SPDX-License-Identifier: Apache-2.0
//! Lists of entities.

use durward_access::{AccessError, Kind, action};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_query::objects_of;

use super::{Page, Walk};
use crate::dispatch::Reply;
use crate::filter::Fields;
use crate::status::Status;

/// One page of a list of entities. The caller must be allowed to list one of `kinds`; `write`
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
    for kind in kinds {
        let allowed = walk.caller().require_any(action::read(*kind));
        allowed.map_err(|error| Status::of(&AccessError::from(error)))?;
    }
    let found = walk.remembered("entities", || {
        let plan = fields.plan(&walk.filter, &walk.request.order_by);
        let plan = plan.map_err(|error| Status::of(&error))?;
        let objects = objects_of(&walk.view, plan, &walk.options());
        objects.map_err(|error| Status::of(&error))
    })?;
    Page::of_rows(walk, &found, |out, number, object| match object {
        ObjectRef::Entity(entity) => write(out, number, &walk.view, *entity),
        ObjectRef::Edge(_) => Ok(false),
    })
}
