// SPDX-License-Identifier: Apache-2.0
//! What only resources have.

use super::answer::{Answer, request_text};
use super::{Context, failed};
use crate::dispatch::Reply;
use crate::status::Status;

/// `Healthcheck`: answers at once. Whether a resource is healthy is told by the nodes that reach
/// it; without one nothing is known, and `healthy` stays as it is.
pub(super) fn healthcheck(context: &Context<'_>) -> Result<Reply, Status> {
    let call = context.call;
    let id = context.id(&request_text(call, "id"))?;
    let view = context.access.view(None);
    let found = context.access.get(call.caller, &view, context.kind(), id);
    found.map_err(|error| failed(&error))?;
    Ok(Answer::of(call.method).reply())
}
