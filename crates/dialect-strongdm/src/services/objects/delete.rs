// SPDX-License-Identifier: Apache-2.0
//! Ending objects.

use super::answer::{Answer, request_text};
use super::read::Found;
use super::{Context, failed, refused};
use crate::dispatch::Reply;
use crate::status::Status;

/// `Delete`.
pub(super) fn delete(context: &Context<'_>) -> Result<Reply, Status> {
    let call = context.call;
    let id = context.known(context.id(&request_text(call, "id")))?;
    let view = context.access.view(None);
    let answer = Answer::of(call.method);
    match context.find(&view, id)? {
        Found::Token(known) => {
            let organization = call.caller.organization();
            let ended = organization.delete_credential(call.caller, known.id);
            ended.map_err(|error| refused(&error))?;
            Ok(answer.reply())
        }
        Found::Object(kind) => {
            let last = context.access.delete(call.caller, kind, id);
            let last = last.map_err(|error| failed(&error))?;
            if call.method.output_noun.is_none() {
                return Ok(answer.reply());
            }
            let message = context.shown().object(&view, last);
            Ok(answer.noun(&message.unwrap_or_default()).reply())
        }
    }
}
