// SPDX-License-Identifier: Apache-2.0
//! Whole entities and relationships as JSON, in JupiterOne's shape.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use durward_graph::{ColumnView, EdgeRef, EntityRef, TripleId, TypeId, ValueRef};
use durward_model::Value;

use super::binding::{Binding, metadata_value};
use super::engine::Engine;
use crate::json::{ObjectWriter, write_string, write_value};
use crate::plan::Metadata;

/// Name of the one property that stands with the metadata.
const DISPLAY_NAME: &str = "displayName";

/// Metadata of an entity, in the order in which it is shown.
const ENTITY_METADATA: [(&str, Metadata); 12] = [
    ("_id", Metadata::Id),
    ("_key", Metadata::Key),
    ("_type", Metadata::Type),
    ("_class", Metadata::Class),
    ("_source", Metadata::Source),
    ("_scope", Metadata::Scope),
    ("_accountId", Metadata::AccountId),
    ("_version", Metadata::Version),
    ("_createdOn", Metadata::CreatedOn),
    ("_beginOn", Metadata::BeginOn),
    ("_endOn", Metadata::EndOn),
    ("_deleted", Metadata::Deleted),
];

type Columns = Rc<Vec<(String, ColumnView)>>;

/// Writes whole objects; knows the columns of each type once it has met it.
#[derive(Debug)]
pub(crate) struct ObjectJson<'e> {
    engine: &'e Engine,
    types: RefCell<HashMap<TypeId, Columns>>,
    triples: RefCell<HashMap<TripleId, Columns>>,
}

impl<'e> ObjectJson<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            types: RefCell::default(),
            triples: RefCell::default(),
        }
    }

    fn columns_of_type(&self, type_id: TypeId) -> Columns {
        let view = &self.engine.view;
        let mut types = self.types.borrow_mut();
        let columns = types.entry(type_id).or_insert_with(|| {
            let named = view
                .properties_of_type(type_id)
                .into_iter()
                .filter_map(|property| {
                    let column = view.column(type_id, property)?;
                    Some((view.property_name(property).to_owned(), column))
                });
            sorted(named.collect())
        });
        Rc::clone(columns)
    }

    fn columns_of_triple(&self, triple: TripleId) -> Columns {
        let view = &self.engine.view;
        let mut triples = self.triples.borrow_mut();
        let columns = triples.entry(triple).or_insert_with(|| {
            let named = view
                .properties_of_triple(triple)
                .into_iter()
                .filter_map(|property| {
                    let column = view.edge_column(triple, property)?;
                    Some((view.property_name(property).to_owned(), column))
                });
            sorted(named.collect())
        });
        Rc::clone(columns)
    }

    fn columns(&self, binding: Binding) -> Option<(Columns, u32)> {
        match binding {
            Binding::Empty => None,
            Binding::Entity(entity) => Some((self.columns_of_type(entity.type_id), entity.row)),
            Binding::Edge(edge) => Some((self.columns_of_triple(edge.triple), edge.edge)),
        }
    }

    fn metadata(&self, binding: Binding, wanted: Metadata) -> Value {
        metadata_value(self.engine.source(), binding, wanted)
    }

    /// The object as one member of a list.
    pub(crate) fn write(&self, binding: Binding, out: &mut Vec<u8>) {
        match binding {
            Binding::Entity(entity) => self.write_entity(entity, out),
            Binding::Edge(edge) => self.write_edge(edge, out),
            Binding::Empty => out.extend_from_slice(b"null"),
        }
    }

    /// `{id, entity: {...}, properties: {...}}`
    fn write_entity(&self, entity: EntityRef, out: &mut Vec<u8>) {
        let binding = Binding::Entity(entity);
        let id = binding.uuid(&self.engine.view).unwrap_or_default();
        let mut whole = ObjectWriter::open(out);
        whole.text("id", &id);
        let mut core = ObjectWriter::open(whole.name("entity"));
        for (name, metadata) in ENTITY_METADATA {
            let value = self.metadata(binding, metadata);
            if !value.is_null() {
                write_value(ValueRef::from(&value), core.name(name));
            }
        }
        self.write_columns(binding, true, &mut core);
        core.close();
        let mut properties = ObjectWriter::open(whole.name("properties"));
        self.write_columns(binding, false, &mut properties);
        properties.close();
        whole.close();
    }

    /// `{id, fromVertexId, toVertexId, relationship: {...}, properties: {...}}`
    fn write_edge(&self, edge: EdgeRef, out: &mut Vec<u8>) {
        let binding = Binding::Edge(edge);
        let id = binding.uuid(&self.engine.view).unwrap_or_default();
        let mut whole = ObjectWriter::open(out);
        whole.text("id", &id);
        for (name, metadata) in [
            ("fromVertexId", Metadata::FromId),
            ("toVertexId", Metadata::ToId),
        ] {
            write_value(
                ValueRef::from(&self.metadata(binding, metadata)),
                whole.name(name),
            );
        }
        let mut core = ObjectWriter::open(whole.name("relationship"));
        let ends = [
            ("_fromEntityId", Metadata::FromId),
            ("_toEntityId", Metadata::ToId),
        ];
        for (name, metadata) in ENTITY_METADATA.into_iter().chain(ends) {
            let value = self.metadata(binding, metadata);
            if !value.is_null() {
                write_value(ValueRef::from(&value), core.name(name));
            }
        }
        if !self.write_columns(binding, true, &mut core) {
            let verb = self.metadata(binding, Metadata::Class);
            write_value(ValueRef::from(&verb), core.name(DISPLAY_NAME));
        }
        core.close();
        let mut properties = ObjectWriter::open(whole.name("properties"));
        self.write_columns(binding, false, &mut properties);
        properties.close();
        whole.close();
    }

    /// Writes either the properties that belong to the core of an object or the others. Tells
    /// whether the display name was among them.
    fn write_columns(&self, binding: Binding, core: bool, out: &mut ObjectWriter<'_>) -> bool {
        let mut named = false;
        let Some((columns, row)) = self.columns(binding) else {
            return named;
        };
        for (name, column) in columns.iter() {
            if (name.starts_with('_') || name == DISPLAY_NAME) != core {
                continue;
            }
            let value = column.at(row);
            if !value.is_null() {
                named |= name == DISPLAY_NAME;
                write_value(value, out.name(name));
            }
        }
        named
    }

    /// Every property, metadata included, as `prefix.name` columns.
    pub(crate) fn write_flat(&self, prefix: &str, binding: Binding, out: &mut ObjectWriter<'_>) {
        let mut name = String::with_capacity(prefix.len() + 16);
        let full = |suffix: &str, name: &mut String| {
            name.clear();
            name.push_str(prefix);
            name.push('.');
            name.push_str(suffix);
        };
        if binding == Binding::Empty {
            return;
        }
        let ends = [
            ("_fromEntityId", Metadata::FromId),
            ("_toEntityId", Metadata::ToId),
        ];
        for (suffix, metadata) in ENTITY_METADATA.into_iter().chain(ends) {
            let value = self.metadata(binding, metadata);
            if !value.is_null() {
                full(suffix, &mut name);
                write_value(ValueRef::from(&value), out.name(&name));
            }
        }
        let Some((columns, row)) = self.columns(binding) else {
            return;
        };
        for (suffix, column) in columns.iter() {
            let value = column.at(row);
            if !value.is_null() {
                full(suffix, &mut name);
                write_value(value, out.name(&name));
            }
        }
    }

    /// `{id, entity: {_id}}`, as rows carry it with `rowMetadata`.
    pub(crate) fn write_reference(&self, binding: Binding, out: &mut Vec<u8>) {
        match binding.uuid(&self.engine.view) {
            None => out.extend_from_slice(b"null"),
            Some(id) => {
                out.extend_from_slice(b"{\"id\":");
                write_string(&id, out);
                out.extend_from_slice(b",\"entity\":{\"_id\":");
                write_string(&id, out);
                out.extend_from_slice(b"}}");
            }
        }
    }
}

fn sorted(mut columns: Vec<(String, ColumnView)>) -> Columns {
    columns.sort_by(|left, right| left.0.cmp(&right.0));
    Rc::new(columns)
}
