// SPDX-License-Identifier: Apache-2.0
//! What only resources have.

use durward_policy::Action;

use super::answer::{Answer, request_text};
use super::{Context, failed, refused};
use crate::dispatch::Reply;
use crate::status::Status;

/// `Healthcheck`: answers at once. Whether a resource is healthy is told by the nodes that reach
/// it; without one nothing is known, and `healthy` stays as it is.
pub(super) fn healthcheck(context: &Context<'_>) -> Result<Reply, Status> {
    let call = context.call;
    let allowed = call
        .caller
        .require_any(Action::ResourceHealthcheck.rights());
    allowed.map_err(|error| refused(&error))?;
    let id = context.id(&request_text(call, "id"))?;
    let view = context.access.view(None);
    let found = context.access.get(call.caller, &view, context.kind(), id);
    found.map_err(|error| failed(&error))?;
    Ok(Answer::of(call.method).reply())
}
