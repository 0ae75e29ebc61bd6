// SPDX-License-Identifier: Apache-2.0
//! Tokens: accounts to StrongDM, access keys of an account to everybody else.

use std::collections::BTreeMap;

use durward_access::Properties;
use durward_access::object::TAG_PREFIX;
use durward_catalog::kinds::property;
use durward_identity::{CredentialKind, CredentialSummary, CredentialUpdate, NewCredential};
use durward_model::{Instant, Value};
use durward_policy::{Rights, Vocabulary};

use super::answer::Answer;
use super::shown::permission_keys;
use super::{Context, Shown, refused};
use crate::codec::Item;
use crate::codec::decode::Given;
use crate::dispatch::Reply;
use crate::status::Status;

/// The branch of accounts that tokens are.
pub(super) const BRANCH: &str = "token";
/// Sort of a token for which the client named none.
const API: &str = "api";
/// The sorts that are made: both are an access key with its secret.
const TYPES: &[&str] = &[API, "admin-token"];
const SECOND_MICROS: i64 = 1_000_000;

/// What the message of a token shows.
pub(super) fn properties(known: &CredentialSummary) -> Properties {
    let mut properties = Properties::new();
    let mut set = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    set(property::DISPLAY_NAME, Value::from(known.name.as_str()));
    set(property::SUSPENDED, Value::Bool(false));
    let account_type = known.account_type.as_deref().unwrap_or(API);
    set("accountType", Value::from(account_type));
    let keys = permission_keys(known).into_iter().map(Value::from);
    set("permissions", Value::List(keys.collect()));
    if let Some(rekeyed) = known.rekeyed_at {
        set("rekeyed", Value::Instant(rekeyed));
    }
    if let Some(deadline) = known.expires_at {
        set("deadline", Value::Instant(deadline));
        set(
            "duration",
            Value::Int(seconds_between(known.created_at, deadline)),
        );
    }
    for (name, value) in &known.tags {
        set(&format!("{TAG_PREFIX}{name}"), Value::from(value.as_str()));
    }
    properties
}

/// Whole seconds, rounded up: a token is made a moment after its deadline was worked out.
fn seconds_between(start: Instant, end: Instant) -> i64 {
    let micros = end.as_micros().saturating_sub(start.as_micros());
    micros
        .saturating_add(SECOND_MICROS - 1)
        .div_euclid(SECOND_MICROS)
}

pub(super) fn item<'p>(known: &CredentialSummary, properties: &'p Properties) -> Item<'p> {
    Item {
        id: known.id,
        ends: None,
        created_at: known.created_at,
        properties,
        branch: BRANCH,
    }
}

/// Makes a token of the caller's account.
pub(super) fn create(context: &Context<'_>, given: Given) -> Result<Reply, Status> {
    let call = context.call;
    let wish = Wish::read(given)?;
    let account_type = match wish.account_type.as_str() {
        "" => API,
        known if TYPES.contains(&known) => known,
        other => {
            return Err(Status::unsupported(&format!(
                "a token of the type {other:?}"
            )));
        }
    };
    let deadline = match (wish.duration_micros, wish.deadline) {
        (Some(duration), _) => Some(call.now.plus_micros(duration)),
        (None, deadline) => deadline,
    };
    let (kind, organization) = (CredentialKind::StrongdmKey, call.caller.organization());
    let own = NewCredential::own(call.caller, kind, &wish.name);
    let issued = own.and_then(|own| {
        let new = NewCredential {
            account_type: Some(account_type.to_owned()),
            rights: Some(wish.permissions),
            expires_at: deadline,
            tags: wish.tags,
            ..own
        };
        organization.create_own_credential(call.caller, new)
    });
    let issued = issued.map_err(|error| refused(&error))?;
    let known = &issued.summary;
    let message = Shown::new(context.services.codec()).token(known);
    let message = message.ok_or_else(|| context.not_found())?;
    let answer = Answer::of(call.method)
        .noun(&message)
        .text("access_key", known.public_id.as_deref().unwrap_or_default())
        .text("secret_key", issued.secret.expose());
    Ok(answer.reply())
}

/// Changes name, tags and permissions; nothing else of a token can change.
pub(super) fn update(
    context: &Context<'_>,
    known: &CredentialSummary,
    given: Given,
) -> Result<CredentialSummary, Status> {
    let wish = Wish::read(given)?;
    check_unchanged(known, &wish)?;
    // Rights that StrongDM does not know are not StrongDM's to take away.
    let others = Vocabulary::StrongDm.untold(&known.rights);
    let wished = wish.permissions.union(others);
    let is_changed = permission_keys(known) != Vocabulary::StrongDm.words_of(&wish.permissions);
    let update = CredentialUpdate {
        name: Some(wish.name),
        tags: Some(wish.tags),
        rights: is_changed.then_some(wished),
    };
    let caller = context.call.caller;
    let updated = caller
        .organization()
        .update_credential(caller, known.id, update);
    updated.map_err(|error| refused(&error))
}

fn check_unchanged(known: &CredentialSummary, wish: &Wish) -> Result<(), Status> {
    let account_type = known.account_type.as_deref().unwrap_or(API);
    if !wish.account_type.is_empty() && wish.account_type != account_type {
        return Err(Status::invalid("the type of a token cannot change"));
    }
    if wish.deadline.is_some() && wish.deadline != known.expires_at {
        return Err(Status::invalid("the deadline of a token cannot change"));
    }
    let duration = known
        .expires_at
        .map(|end| seconds_between(known.created_at, end));
    let wished = wish
        .duration_micros
        .map(|micros| micros.div_euclid(SECOND_MICROS));
    if wished.is_some() && wished != duration {
        return Err(Status::invalid("the duration of a token cannot change"));
    }
    Ok(())
}

/// A token as a client wants it.
struct Wish {
    name: String,
    account_type: String,
    permissions: Rights,
    tags: BTreeMap<String, String>,
    duration_micros: Option<i64>,
    deadline: Option<Instant>,
}

impl Wish {
    fn read(given: Given) -> Result<Self, Status> {
        let mut wish = Self {
            name: String::new(),
            account_type: String::new(),
            permissions: Rights::NONE,
            tags: BTreeMap::new(),
            duration_micros: None,
            deadline: None,
        };
        for (name, value) in given.properties {
            match (name.as_str(), value) {
                (property::DISPLAY_NAME, Value::String(text)) => wish.name = text,
                ("accountType", Value::String(text)) => wish.account_type = text,
                ("permissions", Value::List(keys)) => wish.permissions = permissions(&keys)?,
                ("deadline", Value::Instant(deadline)) => wish.deadline = Some(deadline),
                ("duration", Value::Float(seconds)) => {
                    if seconds <= 0.0 {
                        return Err(Status::invalid("the duration of a token must be positive"));
                    }
                    wish.duration_micros = Some((seconds * SECOND_MICROS as f64) as i64);
                }
                (property::SUSPENDED, Value::Bool(true)) => {
                    let why = "a token cannot be suspended: delete it, or suspend its owner";
                    return Err(Status::invalid(why));
                }
                (name, Value::String(value)) => {
                    if let Some(tag) = name.strip_prefix(TAG_PREFIX) {
                        wish.tags.insert(tag.to_owned(), value);
                    }
                }
                _ => {}
            }
        }
        Ok(wish)
    }
}

fn permissions(keys: &[Value]) -> Result<Rights, Status> {
    let mut rights = Rights::NONE;
    for key in keys.iter().filter_map(Value::as_str) {
        let given = Vocabulary::StrongDm.meaning(key);
        let given =
            given.ok_or_else(|| Status::invalid(format!("there is no permission {key:?}")))?;
        rights = rights.union(given);
    }
    Ok(rights)
}
