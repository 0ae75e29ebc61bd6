// SPDX-License-Identifier: Apache-2.0
//! Creating, changing and deleting entities and relationships one by one.

use std::collections::BTreeSet;

use durward_graph::store::{Operation, PutMode, Receipt, Target};
use durward_graph::{EdgeRef, EntityRef, ObjectRef, View};
use durward_model::{Instant, Namespace, ObjectId, Value};
use durward_policy::Action;
use serde_json::{Value as Json, json};

use crate::{errors, objects};
use durward_graphql::context::RequestContext;
use durward_graphql::engine::{Call, FieldError, Node};

type Context = RequestContext;
type Answer<'a> = Result<Node<'a, Context>, FieldError>;

/// Source of what is written by these mutations.
const SOURCE: &str = "api";

/// Arguments, and the metadata of objects in which they are shown.
const SHOWN_AS: [(&str, &str); 8] = [
    ("entityKey", "_key"),
    ("entityType", "_type"),
    ("entityClass", "_class"),
    ("relationshipKey", "_key"),
    ("relationshipType", "_type"),
    ("relationshipClass", "_class"),
    ("fromEntityId", "_fromEntityId"),
    ("toEntityId", "_toEntityId"),
];

/// Metadata of entities that the second versions may repeat.
const METADATA: [&str; 17] = [
    "_id",
    "_key",
    "_type",
    "_class",
    "_source",
    "_scope",
    "_accountId",
    "_version",
    "_createdOn",
    "_beginOn",
    "_endOn",
    "_deleted",
    "_integrationInstanceId",
    "_integrationDefinitionId",
    "_integrationName",
    "_integrationType",
    "_integrationClass",
];

/// `createEntity`, `createEntityV2`
pub(super) async fn create_entity<'n>(call: Call<'_, Context>) -> Answer<'n> {
    let input = &Input::of(&call);
    let properties = input.properties()?;
    let classes = input.texts("entityClass", "_class")?;
    let operation = Operation::PutEntity {
        entity_type: input.text("entityType", "_type")?,
        classes: Some(classes),
        namespace: Namespace::new(SOURCE, ""),
        key: input.text("entityKey", "_key")?,
        properties,
        aliases: Vec::new(),
        mode: PutMode::Upsert,
    };
    let receipt = write(call.context, "entity created", operation, input.timestamp()).await?;
    let view = call.context.store()?.view(None);
    let entity = written_entity(&view, &receipt)?;
    Ok(entity_answer(call.context, &view, entity, input))
}

/// `updateEntity`, `updateEntityV2`
pub(super) async fn update_entity<'n>(call: Call<'_, Context>) -> Answer<'n> {
    let input = &Input::of(&call);
    let id = entity_argument(call.context, &input.text("entityId", "_id")?)?;
    let classes = input
        .member("_class", "_class")
        .map(|_| input.texts("_class", "_class"));
    let operation = Operation::PatchEntity {
        target: Target::Id(id),
        set: input.properties()?,
        classes: classes.transpose()?,
        expected_version: None,
    };
    write(call.context, "entity updated", operation, input.timestamp()).await?;
    let view = call.context.store()?.view(None);
    match view.resolve(id) {
        Some(ObjectRef::Entity(entity)) => Ok(entity_answer(call.context, &view, entity, input)),
        _ => Err(errors::no_entity()),
    }
}

/// `deleteEntity`, `deleteEntityV2`
pub(super) async fn delete_entity<'n>(call: Call<'_, Context>) -> Answer<'n> {
    let input = &Input::of(&call);
    let context = call.context;
    let id = entity_argument(context, &input.text("entityId", "_id")?)?;
    let Some(ObjectRef::Entity(entity)) = context.view.resolve(id) else {
        return Err(errors::no_entity());
    };
    let operation = Operation::DeleteEntity {
        target: Target::Id(id),
    };
    write(context, "entity deleted", operation, input.timestamp()).await?;
    let view = context.store()?.view(None).include_deleted();
    Ok(entity_answer(context, &view, entity, input))
}

/// `createRelationship`
pub(super) async fn create_relationship<'n>(call: Call<'_, Context>) -> Answer<'n> {
    let input = &Input::of(&call);
    let end = |name: &str| {
        let id = entity_argument(call.context, &input.text(name, name)?)?;
        Ok::<_, FieldError>(Target::Id(id))
    };
    let verb = input.text("relationshipClass", "_class")?;
    let operation = Operation::PutRelationship {
        from: end("fromEntityId")?,
        verb: verb.to_uppercase(),
        to: end("toEntityId")?,
        relationship_type: input.text("relationshipType", "_type")?,
        namespace: Namespace::new(SOURCE, ""),
        key: Some(input.text("relationshipKey", "_key")?),
        properties: input.properties()?,
        mode: PutMode::Upsert,
    };
    let receipt = write(
        call.context,
        "relationship created",
        operation,
        input.timestamp(),
    )
    .await?;
    let view = call.context.store()?.view(None);
    let id = receipt.results.first().map(|result| result.id);
    match id.and_then(|id| view.resolve(id)) {
        Some(ObjectRef::Edge(edge)) => Ok(edge_answer(call.context, &view, edge, input)),
        _ => Err(errors::no_relationship()),
    }
}

/// `updateRelationship`
pub(super) async fn update_relationship<'n>(call: Call<'_, Context>) -> Answer<'n> {
    let input = &Input::of(&call);
    let (id, edge) = edge_argument(call.context, input)?;
    let operation = Operation::PatchRelationship {
        target: id,
        set: input.properties()?,
    };
    write(
        call.context,
        "relationship updated",
        operation,
        input.timestamp(),
    )
    .await?;
    let view = call.context.store()?.view(None);
    if !view.is_edge_live(edge) {
        return Err(errors::no_relationship());
    }
    Ok(edge_answer(call.context, &view, edge, input))
}

/// `deleteRelationship`
pub(super) async fn delete_relationship<'n>(call: Call<'_, Context>) -> Answer<'n> {
    let input = &Input::of(&call);
    let (id, edge) = edge_argument(call.context, input)?;
    let operation = Operation::DeleteRelationship { target: id };
    write(
        call.context,
        "relationship deleted",
        operation,
        input.timestamp(),
    )
    .await?;
    let view = call.context.store()?.view(None);
    Ok(edge_answer(call.context, &view, edge, input))
}

/// Arguments of a mutation. The second versions put everything into one JSON object, under the
/// metadata names that objects show.
#[derive(Debug)]
struct Input<'a> {
    arguments: &'a serde_json::Map<String, Json>,
    /// `input` or `entity` of a second version.
    inner: Option<&'a serde_json::Map<String, Json>>,
    is_second_version: bool,
}

impl<'a> Input<'a> {
    fn of(call: &Call<'a, Context>) -> Self {
        let object = |name: &str| call.argument(name).and_then(Json::as_object);
        Self {
            arguments: call.arguments,
            inner: object("input").or_else(|| object("entity")),
            is_second_version: call.name().ends_with("V2"),
        }
    }

    fn member(&self, name: &str, metadata: &str) -> Option<&'a Json> {
        let given = |members: &'a serde_json::Map<String, Json>, name: &str| {
            members.get(name).filter(|value| !value.is_null())
        };
        given(self.arguments, name).or_else(|| {
            let inner = self.inner?;
            given(inner, name).or_else(|| given(inner, metadata))
        })
    }

    fn text(&self, name: &str, metadata: &str) -> Result<String, FieldError> {
        let text = self
            .member(name, metadata)
            .and_then(Json::as_str)
            .unwrap_or_default();
        if text.is_empty() {
            return Err(errors::invalid(format!(
                "{name} must be a text that is not empty"
            )));
        }
        Ok(text.to_owned())
    }

    fn texts(&self, name: &str, metadata: &str) -> Result<Vec<String>, FieldError> {
        let texts: Vec<String> = match self.member(name, metadata) {
            Some(Json::String(text)) => vec![text.clone()],
            Some(Json::Array(items)) => items
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        if texts.is_empty() || texts.iter().any(String::is_empty) {
            return Err(errors::invalid(format!(
                "{name} must name at least one class"
            )));
        }
        Ok(texts)
    }

    /// The properties: the argument `properties`, or in a second version the other members.
    fn properties(&self) -> Result<Vec<(String, Value)>, FieldError> {
        if let Some(properties) = self.arguments.get("properties") {
            return objects::properties(Some(properties)).map_err(errors::invalid);
        }
        let Some(inner) = self.inner else {
            return Ok(Vec::new());
        };
        if let Some(properties) = inner.get("properties") {
            return objects::properties(Some(properties)).map_err(errors::invalid);
        }
        let named = [
            "entityKey",
            "entityType",
            "entityClass",
            "timestamp",
            "entityId",
        ];
        // Clients send back what they have read, with the metadata that the server gave it.
        let is_property =
            |name: &String| !METADATA.contains(&name.as_str()) && !named.contains(&name.as_str());
        let members = inner.iter().filter(|(name, _)| is_property(name));
        let members = members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        objects::properties(Some(&Json::Object(members))).map_err(errors::invalid)
    }

    /// The members that the client sent, by the names under which objects show them.
    fn sent(&self) -> BTreeSet<&str> {
        let given = self
            .arguments
            .iter()
            .chain(self.inner.into_iter().flatten());
        let mut sent = BTreeSet::new();
        for (name, value) in given {
            let shown = SHOWN_AS.iter().find(|(argument, _)| argument == name);
            sent.insert(shown.map_or(name.as_str(), |(_, shown)| *shown));
            if name == "properties" {
                let members = value.as_object().into_iter().flatten();
                sent.extend(members.map(|(name, _)| name.as_str()));
            }
        }
        sent
    }

    fn timestamp(&self) -> Option<i64> {
        self.member("timestamp", "timestamp").and_then(Json::as_i64)
    }
}

/// Commits one operation. The client's own timestamp goes to the audit log: what happened when is
/// for the server's clock to say.
async fn write(
    context: &Context,
    activity: &str,
    operation: Operation,
    timestamp: Option<i64>,
) -> Result<Receipt, FieldError> {
    let caller = context.caller().map_err(|error| errors::of(error))?;
    let mut origin = caller.origin(activity);
    if let Some(timestamp) = timestamp {
        let instant = Instant::from_millis(timestamp);
        origin.detail = format!("client timestamp {}", instant.to_rfc3339_millis());
    }
    let written = context.submit(Action::GraphWrite, origin, vec![operation]);
    Ok(written.await?)
}

/// The entity that an id names, if the caller may see it.
fn entity_argument(context: &Context, text: &str) -> Result<ObjectId, FieldError> {
    let id = context.view.id_cipher().parse_uuid(text);
    let found = id.and_then(|id| context.view.resolve(id));
    match (id, found) {
        (Some(id), Some(ObjectRef::Entity(entity))) if context.sees_entity(entity) => Ok(id),
        _ => Err(errors::no_entity()),
    }
}

/// The relationship that the arguments name. Ends that are named too must be its ends.
fn edge_argument(context: &Context, input: &Input<'_>) -> Result<(ObjectId, EdgeRef), FieldError> {
    let view = &context.view;
    let text = input.text("relationshipId", "_id")?;
    let id = view
        .id_cipher()
        .parse_uuid(&text)
        .ok_or_else(errors::no_relationship)?;
    let Some(ObjectRef::Edge(edge)) = view.resolve(id) else {
        return Err(errors::no_relationship());
    };
    if !context.sees_edge(edge) {
        return Err(errors::no_relationship());
    }
    let ends = view.edge_ends(edge);
    for (name, end) in [
        ("fromEntityId", ends.map(|ends| ends.0)),
        ("toEntityId", ends.map(|ends| ends.1)),
    ] {
        let Some(given) = input.member(name, name).and_then(Json::as_str) else {
            continue;
        };
        if end
            .map(|entity| objects::entity_id(view, entity))
            .as_deref()
            != Some(given)
        {
            return Err(errors::invalid(format!(
                "{name} is not an end of this relationship"
            )));
        }
    }
    Ok((id, edge))
}

fn written_entity(view: &View, receipt: &Receipt) -> Result<EntityRef, FieldError> {
    let id = receipt.results.first().map(|result| result.id);
    match id.and_then(|id| view.resolve(id)) {
        Some(ObjectRef::Entity(entity)) => Ok(entity),
        _ => Err(errors::no_entity()),
    }
}

/// What was written, as the caller may read it; else its id and what the caller sent.
fn entity_answer<'n>(
    context: &Context,
    view: &View,
    entity: EntityRef,
    input: &Input<'_>,
) -> Node<'n, Context> {
    let mut vertex = objects::vertex(view, &context.account_id(), entity);
    if !context.may_read(view, ObjectRef::Entity(entity)) {
        objects::keep_sent(&mut vertex, &input.sent());
    }
    if input.is_second_version {
        let mut flat = vertex.get("entity").cloned().unwrap_or_default();
        let properties = vertex.get("properties").and_then(Json::as_object).cloned();
        if let Some(members) = flat.as_object_mut() {
            members.extend(properties.unwrap_or_default());
        }
        return Node::json(json!({"entity": flat}));
    }
    Node::json(json!({"entity": vertex.get("entity"), "vertex": vertex}))
}

/// As [`entity_answer`], for a relationship.
fn edge_answer<'n>(
    context: &Context,
    view: &View,
    edge: EdgeRef,
    input: &Input<'_>,
) -> Node<'n, Context> {
    let may_read = context.may_read(view, ObjectRef::Edge(edge));
    let mut edge = objects::edge(view, &context.account_id(), edge);
    if !may_read {
        objects::keep_sent(&mut edge, &input.sent());
    }
    Node::json(json!({"relationship": edge.get("relationship"), "edge": edge}))
}
