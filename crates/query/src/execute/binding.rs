// SPDX-License-Identifier: Apache-2.0
//! What a slot of a path holds, and how properties of it are read.

use std::cell::RefCell;

use durward_graph::{
    ColumnView, EdgeRef, EntityRef, ObjectRef, PropertyId, TripleId, TypeId, ValueRef, View,
};
use durward_model::{Namespace, Value};

use crate::limits::Meter;
use crate::plan::{Metadata, Property, Slot};

/// The object in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Binding {
    /// Nothing: a part that was left out.
    Empty,
    /// An entity.
    Entity(EntityRef),
    /// A relationship.
    Edge(EdgeRef),
}

impl Binding {
    /// The binding of a node; one that is a relationship is bound as such.
    pub(crate) fn node(view: &View, node: EntityRef) -> Self {
        match node.as_relationship() {
            None => Self::Entity(node),
            Some(number) => view.edge_of(number).map_or(Self::Empty, Self::Edge),
        }
    }

    pub(crate) fn object(self) -> Option<ObjectRef> {
        match self {
            Self::Empty => None,
            Self::Entity(entity) => Some(ObjectRef::Entity(entity)),
            Self::Edge(edge) => Some(ObjectRef::Edge(edge)),
        }
    }

    /// Public id as a plain number, by which ties are ordered; an empty slot comes first.
    pub(crate) fn id_number(self, view: &View) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Entity(entity) => view.entity_id(entity).0,
            Self::Edge(edge) => view.edge_id(edge).0,
        }
    }

    /// Public id as UUID.
    pub(crate) fn uuid(self, view: &View) -> Option<String> {
        match self {
            Self::Empty => None,
            Self::Entity(entity) => Some(view.id_cipher().uuid_of(view.entity_id(entity))),
            Self::Edge(edge) => Some(view.id_cipher().uuid_of(view.edge_id(edge))),
        }
    }
}

/// Reads one property of whatever is in one slot. Columns are looked up once for each type.
#[derive(Debug)]
pub(crate) struct Accessor {
    pub(crate) slot: Slot,
    pub(crate) property: Property,
    id: Option<PropertyId>,
    columns: RefCell<Vec<(TypeId, Option<ColumnView>)>>,
    edge_columns: RefCell<Vec<(TripleId, Option<ColumnView>)>>,
}

impl Accessor {
    pub(crate) fn new(view: &View, slot: Slot, property: Property) -> Self {
        let id = match &property {
            Property::Named(name) => view.property_id(name),
            Property::Metadata(_) => None,
        };
        Self {
            slot,
            property,
            id,
            columns: RefCell::default(),
            edge_columns: RefCell::default(),
        }
    }

    /// Calls `read` with the value of the property.
    #[inline]
    pub(crate) fn read<R>(
        &self,
        source: Source<'_>,
        binding: Binding,
        read: impl FnOnce(ValueRef<'_>) -> R,
    ) -> R {
        if let Property::Metadata(metadata) = self.property {
            let value = metadata_value(source, binding, metadata);
            return read(ValueRef::from(&value));
        }
        let Some(id) = self.id else {
            return read(ValueRef::Null);
        };
        match binding {
            Binding::Empty => read(ValueRef::Null),
            Binding::Entity(entity) => {
                let mut columns = self.columns.borrow_mut();
                let column = cached(source, &mut columns, entity.type_id, |of| {
                    source.view.column(of, id)
                });
                read(column.map_or(ValueRef::Null, |column| column.at(entity.row)))
            }
            Binding::Edge(edge) => {
                let mut columns = self.edge_columns.borrow_mut();
                let column = cached(source, &mut columns, edge.triple, |of| {
                    source.view.edge_column(of, id)
                });
                read(column.map_or(ValueRef::Null, |column| column.at(edge.edge)))
            }
        }
    }

    pub(crate) fn value(&self, source: Source<'_>, binding: Binding) -> Value {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is not general enough in its lifetime"
        )]
        self.read(source, binding, |value| value.to_value())
    }
}

/// Where values come from: the graph, the name of the organization, and what counts memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) view: &'a View,
    pub(crate) account_id: &'a str,
    pub(crate) meter: &'a Meter,
}

#[inline]
fn cached<'c, K: Copy + PartialEq>(
    source: Source<'_>,
    columns: &'c mut Vec<(K, Option<ColumnView>)>,
    key: K,
    load: impl FnOnce(K) -> Option<ColumnView>,
) -> Option<&'c ColumnView> {
    let position = columns
        .iter()
        .position(|(known, _)| *known == key)
        .unwrap_or_else(|| {
            // Twice for the room that a growing list has ahead.
            let bytes = 2 * size_of::<(K, Option<ColumnView>)>();
            let column = if source.meter.bytes_or_fail(bytes) {
                load(key)
            } else {
                None
            };
            columns.push((key, column));
            columns.len() - 1
        });
    columns
        .get(position)
        .and_then(|(_, column)| column.as_ref())
}

/// A metadata property of an object.
pub(crate) fn metadata_value(source: Source<'_>, binding: Binding, wanted: Metadata) -> Value {
    match binding {
        Binding::Empty => Value::Null,
        Binding::Entity(entity) => entity_metadata(source, entity, wanted),
        Binding::Edge(edge) => edge_metadata(source, edge, wanted),
    }
}

fn millis(instant: durward_model::Instant) -> Value {
    Value::Int(instant.as_millis())
}

fn entity_metadata(source: Source<'_>, entity: EntityRef, wanted: Metadata) -> Value {
    let view = source.view;
    match wanted {
        Metadata::Id => Value::String(view.id_cipher().uuid_of(view.entity_id(entity))),
        Metadata::Key => Value::String(view.key(entity)),
        Metadata::Type => Value::List(vec![view.type_name(entity.type_id).into()]),
        Metadata::Class => {
            let names = view
                .classes(entity)
                .into_iter()
                .map(|class| view.class_name(class).into());
            Value::List(names.collect())
        }
        Metadata::Source => text(view.namespace(entity), |namespace| namespace.source),
        Metadata::Scope => text(view.namespace(entity), |namespace| namespace.scope),
        Metadata::AccountId => Value::from(source.account_id),
        Metadata::Version => Value::Int(i64::from(view.version(entity))),
        Metadata::CreatedOn => millis(view.created_at(entity)),
        Metadata::BeginOn => millis(view.updated_at(entity)),
        Metadata::EndOn => view.ended_at(entity).map_or(Value::Null, millis),
        Metadata::Deleted => Value::Bool(view.ended_at(entity).is_some()),
        Metadata::FromId | Metadata::ToId => Value::Null,
    }
}

fn edge_metadata(source: Source<'_>, edge: EdgeRef, wanted: Metadata) -> Value {
    let view = source.view;
    let end = |pick: fn((EntityRef, EntityRef)) -> EntityRef| {
        let node = view.edge_ends(edge).map(pick);
        let uuid = node.and_then(|node| Binding::node(view, node).uuid(view));
        uuid.map_or(Value::Null, Value::String)
    };
    match wanted {
        Metadata::Id => Value::String(view.id_cipher().uuid_of(view.edge_id(edge))),
        Metadata::Key => Value::String(view.edge_key(edge)),
        Metadata::Type => Value::String(view.edge_type(edge)),
        Metadata::Class => {
            let verb = view
                .triple(edge.triple)
                .map(|triple| view.verb_name(triple.verb).into());
            verb.unwrap_or_default()
        }
        Metadata::Source => text(view.edge_namespace(edge), |namespace| namespace.source),
        Metadata::Scope => text(view.edge_namespace(edge), |namespace| namespace.scope),
        Metadata::AccountId => Value::from(source.account_id),
        Metadata::Version => Value::Int(i64::from(view.edge_version(edge))),
        Metadata::CreatedOn => millis(view.edge_created_at(edge)),
        Metadata::BeginOn => millis(view.edge_updated_at(edge)),
        Metadata::EndOn => view.edge_ended_at(edge).map_or(Value::Null, millis),
        Metadata::Deleted => Value::Bool(view.edge_ended_at(edge).is_some()),
        Metadata::FromId => end(|(from, _)| from),
        Metadata::ToId => end(|(_, to)| to),
    }
}

/// An empty name is the absence of one.
fn text(namespace: Namespace, pick: impl Fn(Namespace) -> String) -> Value {
    let text = pick(namespace);
    if text.is_empty() {
        Value::Null
    } else {
        Value::String(text)
    }
}
