// SPDX-License-Identifier: Apache-2.0
//! `organization` and `head`.

use durward_catalog::ORGANIZATION;
use durward_catalog::kinds::property;
use durward_graph::EntityRef;
use durward_identity::Caller;
use durward_model::transaction::Sequence;
use durward_model::{Instant, Namespace};
use serde_json::{Value as Json, json};

use super::discovery::visible_edges;
use super::moment::Moment;
use super::{Answer, Context, errors};
use durward_graphql::context::Reading;
use durward_graphql::engine::{Call, FieldError, JsonObject, Node};

/// `organization`
pub(super) async fn organization(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let moment = Moment::asked(&call)?;
    let entity = moment.view.find_by_key(&Namespace::durward(), ORGANIZATION);
    let entity = entity.ok_or_else(|| errors::not_found("organization at this instant"))?;
    let selects = |name: &str| call.lookahead().selects(&[name]);
    let with = Selected {
        entities: selects("entityCount"),
        relationships: selects("relationshipCount"),
        committed: selects("committedAt"),
    };
    let caller = context.caller().map_err(|error| errors::of(error))?.clone();
    let read = move |reading: &Reading| summary(&moment, entity, &caller, with, reading);
    let summary = context.read(read).await?;
    let members = summary.as_object().cloned().unwrap_or_default();
    Ok(Node::object(JsonObject::new("Organization", members)))
}

/// What costs something, and is only worked out where it is selected.
#[derive(Clone, Copy, Debug)]
struct Selected {
    entities: bool,
    relationships: bool,
    committed: bool,
}

fn summary(
    moment: &Moment,
    entity: EntityRef,
    caller: &Caller,
    with: Selected,
    reading: &Reading,
) -> Result<Json, FieldError> {
    let view = &moment.view;
    let committed = if with.committed {
        committed_at(caller, moment)?
    } else {
        None
    };
    let name = view
        .property_id(property::DISPLAY_NAME)
        .map(|property| view.value(entity, property));
    let entities = if with.entities {
        view.types()
            .into_iter()
            .map(|type_id| moment.rows(type_id).len() as u64)
            .sum()
    } else {
        0_u64
    };
    let mut relationships = 0_u64;
    if with.relationships {
        for triple in view.triples() {
            relationships = relationships.saturating_add(visible_edges(moment, triple, reading)?);
        }
    }
    Ok(json!({
        "id": caller.organization().id().to_string(),
        "name": name.as_ref().and_then(|name| name.as_str()).unwrap_or_default(),
        "createdAt": view.created_at(entity).to_string(),
        "sequence": view.sequence().0,
        "committedAt": committed.map(|instant| instant.to_string()),
        "entityCount": entities,
        "relationshipCount": relationships,
    }))
}

/// When the newest transaction of a moment was committed.
fn committed_at(caller: &Caller, moment: &Moment) -> Result<Option<Instant>, FieldError> {
    let (view, sequence) = (&moment.view, moment.view.sequence());
    if sequence == Sequence(0) {
        return Ok(None);
    }
    if !view.is_past() {
        return Ok(Some(view.instant()));
    }
    let found = caller.organization().store().transactions(sequence, 1);
    let mut found = found.map_err(|error| errors::of(&error))?.into_iter();
    let found = found.find(|transaction| transaction.sequence == sequence);
    Ok(found.map(|transaction| transaction.committed_at))
}

/// `head`
pub(super) async fn head(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let moment = Moment::asked(&call)?;
    let caller = context.caller().map_err(|error| errors::of(error))?.clone();
    let read = move |_: &Reading| {
        let store = caller.organization().store();
        let sequence = moment.view.sequence();
        let hash = store
            .hash_at(sequence)
            .map_err(|error| errors::of(&error))?;
        let hash = hash.ok_or_else(|| errors::not_found("transaction at this instant"))?;
        let committed = committed_at(&caller, &moment)?;
        Ok(json!({
            "sequence": sequence.0,
            "hash": durward_vault::digest::hex(&hash),
            "committedAt": committed.map(|instant| instant.to_string()),
        }))
    };
    let head = context.read(read).await?;
    let members = head.as_object().cloned().unwrap_or_default();
    Ok(Node::object(JsonObject::new("Head", members)))
}
