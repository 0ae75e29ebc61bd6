// SPDX-License-Identifier: Apache-2.0
//! The graph at one instant, as far as the caller may see it.

use std::sync::Arc;

use durward_graph::{EdgeRef, EntityRef, ObjectRef, RowSet, TypeId, View};
use durward_model::{Instant, ObjectId};
use durward_query::{RowCondition, Visibility};

use super::{Context, errors};
use durward_graphql::engine::{Call, FieldError};

/// A view, and what the caller's row condition lets through at it.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) view: View,
    condition: Option<RowCondition>,
    account_id: String,
    visibility: Option<Visibility>,
}

impl Moment {
    fn new(view: View, condition: Option<RowCondition>, account_id: String) -> Arc<Self> {
        let visibility = condition
            .as_ref()
            .map(|condition| Visibility::new(&view, condition, &account_id));
        Arc::new(Self {
            view,
            condition,
            account_id,
            visibility,
        })
    }

    /// The instant that the argument `at` names; the present one of the request without it.
    pub(super) fn asked(call: &Call<'_, Context>) -> Result<Arc<Self>, FieldError> {
        Self::at(call.context, Self::instant_asked(call)?)
    }

    /// The instant in the argument `at`.
    pub(super) fn instant_asked(call: &Call<'_, Context>) -> Result<Option<Instant>, FieldError> {
        let at = call.text_argument("at").map(str::parse::<Instant>);
        at.transpose()
            .map_err(|error| errors::invalid(format!("at: {error}")))
    }

    /// What the caller sees of a view.
    pub(super) fn of(context: &Context, view: View) -> Arc<Self> {
        Self::new(view, context.row_condition(), context.account_id())
    }

    /// An instant, or the present one of the request.
    pub(super) fn at(context: &Context, at: Option<Instant>) -> Result<Arc<Self>, FieldError> {
        let view = match at {
            None => context.view.clone(),
            Some(_) => context.store()?.view(at),
        };
        Ok(Self::new(
            view,
            context.row_condition(),
            context.account_id(),
        ))
    }

    /// What is there now, after a write of this request.
    pub(super) fn fresh(context: &Context) -> Result<Arc<Self>, FieldError> {
        let view = context.store()?.view(None);
        Ok(Self::new(
            view,
            context.row_condition(),
            context.account_id(),
        ))
    }

    /// An earlier instant of the same snapshot.
    pub(super) fn back_to(&self, instant: Instant) -> Arc<Self> {
        let view = self.view.snapshot().view(Some(instant));
        Self::new(view, self.condition.clone(), self.account_id.clone())
    }

    /// Whether there may be objects that the caller must not see.
    pub(super) fn is_restricted(&self) -> bool {
        self.visibility.is_some()
    }

    /// Whether the caller may see a living entity, or a living relationship as an end.
    pub(super) fn sees_entity(&self, entity: EntityRef) -> bool {
        self.visibility
            .as_ref()
            .is_none_or(|visibility| visibility.sees_entity(entity))
    }

    /// Whether the caller may see a living relationship.
    pub(super) fn sees_edge(&self, edge: EdgeRef) -> bool {
        self.visibility
            .as_ref()
            .is_none_or(|visibility| visibility.sees_edge(edge))
    }

    pub(super) fn sees(&self, object: ObjectRef) -> bool {
        match object {
            ObjectRef::Entity(entity) => self.sees_entity(entity),
            ObjectRef::Edge(edge) => self.sees_edge(edge),
        }
    }

    /// The living entities of a type that the caller may see.
    pub(super) fn rows(&self, type_id: TypeId) -> Arc<RowSet> {
        match &self.visibility {
            None => Arc::new(self.view.live_rows(type_id)),
            Some(visibility) => visibility.rows(type_id),
        }
    }

    /// The visible object that a text names: an id in any spelling, or an alias.
    pub(super) fn find(&self, text: &str) -> Option<ObjectRef> {
        let view = &self.view;
        let by_id = object_id(view, text).and_then(|id| view.resolve(id));
        by_id
            .or_else(|| view.find_alias(text.trim()))
            .filter(|object| self.sees(*object))
    }

    /// The id of an object as the dialect shows it.
    pub(super) fn shown_id(&self, id: ObjectId) -> String {
        self.view.id_cipher().uuid_of(id)
    }

    pub(super) fn entity_id(&self, entity: EntityRef) -> String {
        self.shown_id(self.view.entity_id(entity))
    }

    pub(super) fn edge_id(&self, edge: EdgeRef) -> String {
        self.shown_id(self.view.edge_id(edge))
    }
}

/// The id in a text: a UUID, sixteen hexadecimal digits, or either behind a prefix of some dialect
/// (`r-00ff…`, `malware--…`).
pub(super) fn object_id(view: &View, text: &str) -> Option<ObjectId> {
    let text = text.trim();
    let uuid = text.split_once("--").map_or(text, |(_, uuid)| uuid);
    let hex = text.rsplit_once('-').map_or(text, |(_, hex)| hex);
    view.id_cipher()
        .parse_uuid(uuid)
        .or_else(|| ObjectId::parse_hex(hex))
}
