// SPDX-License-Identifier: Apache-2.0
//! Making objects: once for a request that is sent again, where a unique name proves that it is
//! the same wish. Three equal nodes, tokens or grants are three wishes.

use durward_access::{AccessError, Created, Kind, NewObject, Properties, action, reader};
use durward_catalog::ids;
use durward_catalog::kinds::property;
use durward_graph::{ObjectRef, View};
use durward_model::{ErrorKind, ObjectId, Value};

use super::answer::Answer;
use super::{Context, failed, id_prefix, refused, token};
use crate::codec::decode::{Given, Purpose};
use crate::dispatch::Reply;
use crate::replay::Made;
use crate::status::Status;

/// The branch of nodes that there are none of.
const AI_ROUTER: &str = "ai_router";

/// `Create`.
pub(super) fn create(context: &Context<'_>) -> Result<Reply, Status> {
    let call = context.call;
    let given = context.given(Purpose::Create)?;
    if given.branch == token::BRANCH {
        return token::create(context, given);
    }
    let kind = context.kind_of_branch(&given.branch)?;
    let credential = call.caller.credential();
    let Some(credential) = credential.filter(|_| kind.has_unique_name()) else {
        return make(context, kind, given).map(|made| Reply::encoded(made.answer));
    };
    let is_current = |id, version| is_current(context, kind, id, version);
    let make = || make(context, kind, given);
    let key = (credential, *call.digest);
    let replays = context.services.replays(call);
    let answer = replays.once(key, call.now, is_current, make)?;
    Ok(Reply::encoded(answer))
}

/// Whether an object is there in this version, and the caller might make it now.
fn is_current(
    context: &Context<'_>,
    kind: Kind,
    id: ObjectId,
    version: u32,
) -> Result<bool, Status> {
    if version_of(&context.access.view(None), kind, id) != Some(version) {
        return Ok(false);
    }
    let allowed = context.call.caller.require_action(action::create(kind));
    allowed.map_err(|error| refused(&error))?;
    Ok(true)
}

fn version_of(view: &View, kind: Kind, id: ObjectId) -> Option<u32> {
    Some(match reader::find(view, kind, id)? {
        ObjectRef::Entity(entity) => view.version(entity),
        ObjectRef::Edge(edge) => view.edge_version(edge),
    })
}

fn make(context: &Context<'_>, kind: Kind, given: Given) -> Result<Made, Status> {
    let new = new_object(context, kind, given)?;
    let created = context.access.create(context.call.caller, new);
    let Created { object, token } = created.map_err(|error| failed(&error))?;
    let (id, version) = (object.id, object.version);
    let view = context.access.view(None);
    let message = context.shown().object(&view, object);
    let message = message.ok_or_else(|| context.not_found())?;
    let mut answer = Answer::of(context.call.method).noun(&message);
    if let Some(token) = token {
        answer = answer.text("token", token.expose());
    }
    Ok(Made {
        answer: answer.bytes(),
        object: id,
        version,
    })
}

fn new_object(context: &Context<'_>, kind: Kind, mut given: Given) -> Result<NewObject, Status> {
    if given.password.is_some() {
        let why = "the password of a user is set by an update, not when the user is made";
        return Err(Status::invalid(why));
    }
    let suspended = given.properties.remove(property::SUSPENDED) == Some(Value::Bool(true));
    if kind == Kind::GRANT {
        check_access_rule(&given.properties)?;
    }
    let ends = context.ends(kind, &given)?;
    context.name_branch(kind, &mut given);
    Ok(NewObject {
        ends,
        secrets: given.secrets,
        suspended,
        ..NewObject::entity(kind, given.properties)
    })
}

/// Grants name one resource. A rule that would grant what fits it, now and later, is refused: it is
/// what roles are for.
fn check_access_rule(properties: &Properties) -> Result<(), Status> {
    let rule = properties.get("accessRule").and_then(Value::as_str);
    let is_empty = matches!(rule.map(str::trim), None | Some("" | "{}" | "null"));
    if is_empty {
        return Ok(());
    }
    Err(Status::new(
        ErrorKind::Unsupported,
        "an access rule in a grant is not supported: name the resource, or put the rule into a role",
    ))
}

impl Context<'_> {
    /// The noun of the request.
    pub(super) fn given(&self, purpose: Purpose) -> Result<Given, Status> {
        let field = self.call.method.input_noun.as_ref();
        let field = field.filter(|field| self.call.message.has_field(field));
        let value = field.map(|field| self.call.message.get_field(field));
        self.noun.read(value.as_deref(), purpose)
    }

    /// The kind of a branch of the service's noun.
    pub(super) fn kind_of_branch(&self, branch: &str) -> Result<Kind, Status> {
        if self.kind() == Kind::NODE && branch == AI_ROUTER {
            return Err(Status::unsupported("a node of the kind AIRouter"));
        }
        let mut names = self.service.names();
        let found = names.find(|(_, name)| name.branch == branch);
        Ok(found.map_or_else(|| self.kind(), |(kind, _)| kind))
    }

    /// Puts the branch of an object among its properties, where its kind has several.
    pub(super) fn name_branch(&self, kind: Kind, given: &mut Given) {
        let name = self.service.name_of(kind);
        let property = name.map_or("", |name| &name.branch_property);
        if !property.is_empty() {
            let branch = Value::from(std::mem::take(&mut given.branch));
            given.properties.insert(property.to_owned(), branch);
        }
    }

    /// The ends of a relationship as a request names them.
    pub(super) fn ends(
        &self,
        kind: Kind,
        given: &Given,
    ) -> Result<Option<(ObjectId, ObjectId)>, Status> {
        let Some(ends) = kind.ends() else {
            return Ok(None);
        };
        let start = self.end(&ends.from, &ends.start, &given.start)?;
        let end = self.end(&ends.to, &ends.end, &given.end)?;
        Ok(Some((start, end)))
    }

    fn end(&self, kinds: &[Kind], what: &'static str, text: &str) -> Result<ObjectId, Status> {
        if text.is_empty() {
            return Err(Status::invalid(format!("the {what} id is missing")));
        }
        let prefix = id_prefix(kinds);
        let id = ids::parse_prefixed(prefix, text);
        // An object whose ids begin otherwise is not meant, even if it has this number.
        let others = kinds.iter().copied();
        let others: Vec<Kind> = others
            .filter(|kind| id_prefix(&[*kind]) != prefix)
            .collect();
        let view = self.access.view(None);
        if let Some(id) = id.filter(|id| reader::entity(&view, *id, &others).is_none()) {
            return Ok(id);
        }
        Err(failed(&AccessError::NotFound { what }))
    }
}
