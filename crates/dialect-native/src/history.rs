// SPDX-License-Identifier: Apache-2.0
//! What became of one object over time: its versions, read from past states of the graph.
//!
//! A version is listed where the caller could see the object as it was then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use durward_graph::store::audit::REDACTED;
use durward_graph::{EntityRef, ObjectRef, PropertyId};
use durward_identity::Caller;
use durward_model::transaction::Origin;
use durward_model::{Instant, ObjectNumber, Value};
use serde_json::{Map, Value as Json, json};

use super::accounts::{AccountNode, Actors};
use super::moment::{Moment, object_id};
use super::page::{self, Cursor, Page};
use super::{Answer, Context, errors, values};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, Node, Object};
use durward_listing::Effort as _;

/// Name of the lists in their cursors.
const LIST: &str = "history";
/// Largest page of versions.
const VERSIONS_MAX: usize = 100;
/// Most states that one page looks at: some may be hidden from the caller.
const STATES_MAX: usize = 1000;

/// One version of an object, or its end.
#[derive(Clone, Debug)]
struct Version {
    /// The state in which it came to be; for an end, the last state.
    moment: Arc<Moment>,
    instant: Instant,
    is_end: bool,
    is_first: bool,
}

/// Versions, the newest first, and the instant at which to go on if there may be more.
#[derive(Debug, Default)]
struct Versions {
    found: Vec<Version>,
    next: Option<Instant>,
}

fn lives(moment: &Moment, object: ObjectRef) -> bool {
    match object {
        ObjectRef::Entity(entity) => moment.view.is_live(entity),
        ObjectRef::Edge(edge) => moment.view.is_edge_live(edge),
    }
}

fn ended_at(moment: &Moment, object: ObjectRef) -> Option<Instant> {
    match object {
        ObjectRef::Entity(entity) => moment.view.ended_at(entity),
        ObjectRef::Edge(edge) => moment.view.edge_ended_at(edge),
    }
}

fn updated_at(moment: &Moment, object: ObjectRef) -> Instant {
    match object {
        ObjectRef::Entity(entity) => moment.view.updated_at(entity),
        ObjectRef::Edge(edge) => moment.view.edge_updated_at(edge),
    }
}

fn created_at(moment: &Moment, object: ObjectRef) -> Instant {
    match object {
        ObjectRef::Entity(entity) => moment.view.created_at(entity),
        ObjectRef::Edge(edge) => moment.view.edge_created_at(edge),
    }
}

fn version(moment: &Moment, object: ObjectRef) -> u32 {
    match object {
        ObjectRef::Entity(entity) => moment.view.version(entity),
        ObjectRef::Edge(edge) => moment.view.edge_version(edge),
    }
}

/// The versions up to an instant, at most `first`.
fn collect(start: Arc<Moment>, object: ObjectRef, first: usize) -> Versions {
    let mut versions = Versions::default();
    let mut here = start;
    for _ in 0..STATES_MAX {
        if let Some(instant) = ended_at(&here, object) {
            let before = here.back_to(instant.plus_micros(-1));
            if before.sees(object) {
                let moment = Arc::clone(&before);
                let version = Version {
                    moment,
                    instant,
                    is_end: true,
                    is_first: false,
                };
                versions.found.push(version);
            }
            here = before;
        } else if lives(&here, object) {
            let instant = updated_at(&here, object);
            let is_first = instant <= created_at(&here, object);
            if here.sees(object) {
                let moment = here.back_to(instant);
                versions.found.push(Version {
                    moment,
                    instant,
                    is_end: false,
                    is_first,
                });
            }
            if is_first {
                return versions;
            }
            here = here.back_to(instant.plus_micros(-1));
        } else {
            return versions;
        }
        if versions.found.len() >= first {
            break;
        }
    }
    versions.next = Some(here.view.instant());
    versions
}

/// The cursor behind a page. Its instant is where to go on, not that of the walk: versions do not
/// change any more.
fn cursor(versions: &Versions) -> Option<Cursor> {
    versions.next.map(|instant| Cursor {
        list: LIST,
        instant,
        last: String::new(),
    })
}

/// `Entity.history`
pub(super) fn versions(
    moment: &Arc<Moment>,
    entity: EntityRef,
    call: &Call<'_, Context>,
) -> Result<Page, FieldError> {
    let first = page::first(call, VERSIONS_MAX)?;
    let start = match Cursor::asked(call, LIST)? {
        Some(cursor) => moment.back_to(cursor.instant),
        None => Arc::clone(moment),
    };
    let versions = collect(start, ObjectRef::Entity(entity), first);
    let end = cursor(&versions);
    let nodes = versions
        .found
        .into_iter()
        .map(|version| VersionNode { version, entity });
    Ok(Page::new("EntityHistory", nodes, end))
}

/// A version of an entity.
struct VersionNode {
    version: Version,
    entity: EntityRef,
}

impl Object<Context> for VersionNode {
    fn type_name(&self) -> &'static str {
        "EntityVersion"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        let (version, view) = (&self.version, &self.version.moment.view);
        Ok(match call.name() {
            "version" => Node::Int(view.version(self.entity).into()),
            "sequence" => values::count(sequence(version)),
            "committedAt" => values::instant(version.instant),
            "deleted" => Node::Boolean(version.is_end),
            "properties" => {
                let properties = view.entity_properties(self.entity).into_iter();
                let named = |(property, value): (PropertyId, Value)| {
                    (
                        view.property_name(property).to_owned(),
                        values::json(&value),
                    )
                };
                Node::json(Json::Object(properties.map(named).collect()))
            }
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// Position of the transaction that made a version.
fn sequence(version: &Version) -> u64 {
    version
        .moment
        .view
        .snapshot()
        .view(Some(version.instant))
        .sequence()
        .0
}

/// `history`: the changes of an object, with who made them.
pub(super) async fn changes(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let first = page::first(&call, VERSIONS_MAX)?;
    let cursor = Cursor::asked(&call, LIST)?;
    let start = page::moment(&call, cursor.as_ref())?;
    let object = object_of(&start, call.text_argument("id").unwrap_or_default());
    let object = object.ok_or_else(|| errors::not_found("object"))?;
    let caller = context.caller().map_err(|error| errors::of(error))?.clone();
    let is_continued = cursor.is_some();
    let read = move |reading: &Reading| {
        let versions = collect(start, object, first);
        if versions.found.is_empty() && versions.next.is_none() && !is_continued {
            return Err(errors::not_found("object"));
        }
        let end = self::cursor(&versions);
        let nodes = nodes(&caller, object, versions.found, reading)?;
        Ok(Page::new("ChangePage", nodes, end))
    };
    Ok(Node::object(context.read(read).await?))
}

/// The object that an id names, whether it lives or not; by alias only if it lives.
fn object_of(moment: &Moment, text: &str) -> Option<ObjectRef> {
    let view = &moment.view;
    let number = object_id(view, text).and_then(|id| view.id_cipher().number_of(id));
    let by_id = number.and_then(|number| match number {
        ObjectNumber::Entity(number) => view.entity_of(number).map(ObjectRef::Entity),
        ObjectNumber::Relationship(number) => view.edge_of(number).map(ObjectRef::Edge),
    });
    by_id.or_else(|| view.find_alias(text.trim()))
}

fn nodes(
    caller: &Caller,
    object: ObjectRef,
    versions: Vec<Version>,
    reading: &Reading,
) -> Result<Vec<ChangeNode>, FieldError> {
    let store = caller.organization().store();
    let mut actors = Actors::default();
    let mut nodes = Vec::with_capacity(versions.len());
    for version in versions {
        reading.check()?;
        let sequence = sequence(&version);
        let from = durward_model::transaction::Sequence(sequence);
        let transactions = store
            .transactions(from, 1)
            .map_err(|error| errors::of(&error))?;
        let made = transactions
            .into_iter()
            .find(|transaction| transaction.sequence == from);
        let origin = made
            .map(|transaction| transaction.origin)
            .unwrap_or_default();
        let moment = &version.moment;
        let actor = origin
            .actor
            .and_then(|actor| actors.get(caller, moment, actor));
        let changes = difference(&version, object);
        let number = self::version(moment, object);
        nodes.push(ChangeNode {
            version,
            number,
            sequence,
            origin,
            actor,
            changes,
        });
    }
    Ok(nodes)
}

/// One change of an object.
struct ChangeNode {
    version: Version,
    number: u32,
    sequence: u64,
    origin: Origin,
    actor: Option<AccountNode>,
    changes: Json,
}

impl Object<Context> for ChangeNode {
    fn type_name(&self) -> &'static str {
        "ObjectChange"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        Ok(match call.name() {
            "kind" => Node::text(match &self.version {
                Version { is_end: true, .. } => "DELETED",
                Version { is_first: true, .. } => "CREATED",
                _ => "UPDATED",
            }),
            "version" => Node::Int(self.number.into()),
            "sequence" => values::count(self.sequence),
            "committedAt" => values::instant(self.version.instant),
            "activity" => Node::text(self.origin.activity.as_str()),
            "actor" => match &self.actor {
                Some(actor) => Node::object_ref(actor),
                None => Node::Null,
            },
            "actorId" => {
                let id = self
                    .origin
                    .actor
                    .map(|actor| self.version.moment.shown_id(actor));
                Node::optional_text(id)
            }
            "requestId" => values::filled(&self.origin.request_id),
            "changes" => Node::json_ref(&self.changes),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// Everything that can change about an object, by name.
#[derive(Debug, Default)]
struct State {
    values: BTreeMap<String, Value>,
    secret: BTreeSet<String>,
}

impl State {
    fn read(moment: &Moment, object: ObjectRef) -> Self {
        let view = &moment.view;
        let mut state = Self::default();
        let name = |property: PropertyId| view.property_name(property).to_owned();
        match object {
            ObjectRef::Entity(entity) => {
                let shown: BTreeSet<PropertyId> = view
                    .properties_of_type(entity.type_id)
                    .into_iter()
                    .collect();
                for (property, value) in view.stored_properties(entity) {
                    if !shown.contains(&property) {
                        state.secret.insert(name(property));
                    }
                    state.values.insert(name(property), value);
                }
                let classes = view.classes(entity).into_iter();
                let classes = classes.map(|class| Value::from(view.class_name(class)));
                state
                    .values
                    .insert("_class".to_owned(), Value::List(classes.collect()));
            }
            ObjectRef::Edge(edge) => {
                let properties = view.edge_properties(edge).into_iter();
                state
                    .values
                    .extend(properties.map(|(property, value)| (name(property), value)));
            }
        }
        state
    }

    /// A value as the answer shows it: that there is a secret, but not what it is.
    fn shown(&self, name: &str) -> Json {
        match self.values.get(name) {
            None => Json::Null,
            Some(_) if self.secret.contains(name) => REDACTED.into(),
            Some(value) => values::json(value),
        }
    }
}

/// What a version changed: `before` and `after` by property.
fn difference(version: &Version, object: ObjectRef) -> Json {
    let here = State::read(&version.moment, object);
    let (before, after) = match version {
        Version { is_end: true, .. } => (here, State::default()),
        Version { is_first: true, .. } => (State::default(), here),
        _ => {
            let earlier = version.moment.back_to(version.instant.plus_micros(-1));
            (State::read(&earlier, object), here)
        }
    };
    let names: BTreeSet<&String> = before.values.keys().chain(after.values.keys()).collect();
    let mut changes = Map::new();
    for name in names {
        if before.values.get(name) != after.values.get(name) {
            let change = json!({"before": before.shown(name), "after": after.shown(name)});
            changes.insert(name.clone(), change);
        }
    }
    changes.into()
}
