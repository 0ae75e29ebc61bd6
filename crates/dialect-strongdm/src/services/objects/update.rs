// SPDX-License-Identifier: Apache-2.0
//! Replacing objects: what a client leaves empty is cleared, what other dialects own stays.

use durward_access::{Kind, ObjectChange};
use durward_catalog::kinds::property;
use durward_model::Value;

use super::answer::{Answer, request_text};
use super::read::Found;
use super::{Context, failed, token};
use crate::codec::decode::{Given, Purpose};
use crate::dispatch::Reply;
use crate::status::Status;

/// `Update`.
pub(super) fn update(context: &Context<'_>) -> Result<Reply, Status> {
    let call = context.call;
    let given = context.given(Purpose::Replace);
    if given.is_err() {
        context.require()?;
    }
    let given = given?;
    let id = context.known(named_id(context, &given).and_then(|text| context.id(&text)))?;
    let view = context.access.view(None);
    let shown = context.shown();
    let message = match context.find(&view, id)? {
        Found::Token(known) => {
            if given.branch != token::BRANCH {
                return Err(other_branch(token::BRANCH));
            }
            shown.token(&token::update(context, &known, given)?)
        }
        Found::Object(kind) => {
            let asked = context.kind_of_branch(&given.branch)?;
            if asked != kind || given.branch == token::BRANCH {
                return Err(other_branch(kind.noun()));
            }
            let change = change(context, kind, given)?;
            let changed = context.access.update(call.caller, kind, id, change);
            let changed = changed.map_err(|error| failed(&error))?;
            shown.object(&context.access.view(None), changed)
        }
    };
    let message = message.ok_or_else(|| context.not_found())?;
    Ok(Answer::of(call.method).noun(&message).reply())
}

/// The id stands beside the object, or in it; where both say something, they say the same.
fn named_id(context: &Context<'_>, given: &Given) -> Result<String, Status> {
    let beside = request_text(context.call, "id");
    if beside.is_empty() {
        return Ok(given.id.clone());
    }
    if !given.id.is_empty() && given.id != beside {
        let why = "the id of the request and that of the object differ";
        return Err(Status::invalid(why));
    }
    Ok(beside)
}

fn change(context: &Context<'_>, kind: Kind, mut given: Given) -> Result<ObjectChange, Status> {
    let suspended = match given.properties.remove(property::SUSPENDED) {
        Some(Value::Bool(suspended)) if kind == Kind::SERVICE => Some(suspended),
        _ => None,
    };
    let ends = context.ends(kind, &given)?;
    context.name_branch(kind, &mut given);
    Ok(ObjectChange {
        ends,
        properties: given.properties,
        replace_tags: true,
        secrets: given.secrets,
        rights: None,
        password: given.password,
        suspended,
        expected_version: None,
        is_name_unique: false,
    })
}

fn other_branch(what: &str) -> Status {
    Status::invalid(format!(
        "the id is that of a {what}, which the object is not"
    ))
}
