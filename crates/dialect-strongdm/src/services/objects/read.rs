// SPDX-License-Identifier: Apache-2.0
//! Reading one object.

use durward_access::{Kind, action, reader};
use durward_graph::View;
use durward_identity::CredentialSummary;
use durward_model::ObjectId;

use super::answer::{Answer, request_text, snapshot_at};
use super::shown::is_token;
use super::{Context, failed, refused};
use crate::contract::Verb;
use crate::dispatch::Reply;
use crate::status::Status;

/// What an id of a service names.
pub(super) enum Found {
    /// A core object of this kind; whether the caller may see it is not asked yet.
    Object(Kind),
    /// A token that the caller may see.
    Token(Box<CredentialSummary>),
}

/// `Get`: as it is, or as it was.
pub(super) fn get(context: &Context<'_>) -> Result<Reply, Status> {
    let call = context.call;
    let view = context.access.view(snapshot_at(call)?);
    let id = context.id(&request_text(call, "id"));
    let shown = context.shown();
    let id = context.known(id)?;
    let message = match context.find(&view, id)? {
        Found::Token(known) => shown.token(&known),
        Found::Object(kind) => {
            let object = context.access.get(call.caller, &view, kind, id);
            shown.object(&view, object.map_err(|error| failed(&error))?)
        }
    };
    let message = message.ok_or_else(|| context.not_found())?;
    Ok(Answer::of(call.method).noun(&message).reply())
}

impl Context<'_> {
    /// An id, once it is clear that the caller may do what it asks: whoever may not learns nothing
    /// of ids.
    pub(super) fn known(&self, id: Result<ObjectId, Status>) -> Result<ObjectId, Status> {
        if id.is_err() {
            self.require()?;
        }
        id
    }

    /// Refuses a caller that may not do to any object of the service what it asks.
    pub(super) fn require(&self) -> Result<(), Status> {
        let kind = self.kind();
        let action = match self.call.method.verb {
            Verb::Create => action::create(kind),
            Verb::Update => action::update(kind),
            Verb::Delete => action::delete(kind),
            _ => action::read(kind),
        };
        let allowed = self.call.caller.require_action(action);
        allowed.map_err(|error| refused(&error))
    }

    /// What an id names in a view.
    pub(super) fn find(&self, view: &View, id: ObjectId) -> Result<Found, Status> {
        if !self.has_tokens() {
            return Ok(Found::Object(self.kind()));
        }
        let kinds = self.service.kinds.iter().copied();
        let mut of_kind = kinds.filter(|kind| reader::find(view, *kind, id).is_some());
        if let Some(kind) = of_kind.next() {
            return Ok(Found::Object(kind));
        }
        let caller = self.call.caller;
        let known = caller.organization().credential_in(caller, view, id);
        match known {
            Ok(known) if is_token(&known) => Ok(Found::Token(Box::new(known))),
            _ => {
                self.require()?;
                Err(self.not_found())
            }
        }
    }
}
