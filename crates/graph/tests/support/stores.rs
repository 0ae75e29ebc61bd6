// SPDX-License-Identifier: Apache-2.0
//! Stores and drafts for tests.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use durward_catalog::Catalog;
use durward_graph::store::{
    Draft, Operation, Outcome, Privilege, PutMode, Receipt, Store, StoreError, StoreOptions, Target,
};
use durward_graph::{EdgeRef, EntityRef, View};
use durward_journal::file_seal::TestSeal;
use durward_journal::head::TestSigner;
use durward_model::transaction::Origin;
use durward_model::{ErrorKind, Instant, ManualClock, Namespace, Value};

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Instant::from_micros(1_000_000)));
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn options(&self) -> StoreOptions {
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let clock = Arc::clone(&self.clock);
        let signer = Arc::new(TestSigner(1));
        StoreOptions {
            file_seal: Some(Arc::new(TestSeal(1))),
            ..StoreOptions::new(self.path(), clock, catalog, [7; 32], signer)
        }
    }

    pub(crate) fn create(&self) -> Store {
        Store::create(self.options()).unwrap()
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(self.options()).unwrap()
    }
}

pub(crate) fn api() -> Namespace {
    Namespace::new("api", "")
}

pub(crate) fn key(key: &str) -> Target {
    Target::Key(api(), key.to_owned())
}

pub(crate) fn properties(pairs: &[(&str, Value)]) -> Vec<(String, Value)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

pub(crate) fn put(entity_type: &str, key: &str, pairs: &[(&str, Value)]) -> Operation {
    put_in(api(), entity_type, key, pairs, PutMode::Upsert)
}

pub(crate) fn put_in(
    namespace: Namespace,
    entity_type: &str,
    key: &str,
    pairs: &[(&str, Value)],
    mode: PutMode,
) -> Operation {
    Operation::PutEntity {
        entity_type: entity_type.to_owned(),
        classes: None,
        namespace,
        key: key.to_owned(),
        properties: properties(pairs),
        aliases: Vec::new(),
        mode,
    }
}

pub(crate) fn link(from: Target, verb: &str, to: Target) -> Operation {
    Operation::PutRelationship {
        from,
        verb: verb.to_owned(),
        to,
        relationship_type: String::new(),
        namespace: api(),
        key: None,
        properties: Vec::new(),
        mode: PutMode::Upsert,
    }
}

pub(crate) fn draft(operations: Vec<Operation>) -> Draft {
    Draft {
        origin: Origin {
            activity: "tested".to_owned(),
            ..Origin::default()
        },
        idempotency_key: String::new(),
        privilege: Privilege::Generic,
        operations,
    }
}

pub(crate) fn core(operations: Vec<Operation>) -> Draft {
    Draft {
        privilege: Privilege::Core,
        ..draft(operations)
    }
}

pub(crate) fn write(store: &Store, operations: Vec<Operation>) -> Result<Receipt, StoreError> {
    store.submit(draft(operations))
}

pub(crate) fn entity(view: &View, key: &str) -> EntityRef {
    view.find_by_key(&api(), key).unwrap()
}

pub(crate) fn value(view: &View, key: &str, property: &str) -> Value {
    view.property_id(property)
        .map_or(Value::Null, |id| view.value(entity(view, key), id))
}

/// Everything that a view shows, as text.
pub(crate) fn dump(view: &View) -> String {
    let mut lines = Vec::new();
    for type_id in view.types() {
        for row in &view.live_rows(type_id) {
            lines.push(entity_line(view, EntityRef { type_id, row }));
        }
    }
    for triple in view.triples() {
        for edge in &view.live_edge_rows(triple.id) {
            lines.push(edge_line(
                view,
                EdgeRef {
                    triple: triple.id,
                    edge,
                },
            ));
        }
    }
    lines.sort();
    lines.join("\n")
}

fn entity_line(view: &View, entity: EntityRef) -> String {
    let mut line = format!(
        "{} {} {:?} {} v{}",
        view.entity_id(entity),
        view.type_name(entity.type_id),
        view.namespace(entity),
        view.key(entity),
        view.version(entity)
    );
    let (created, updated) = (view.created_at(entity), view.updated_at(entity));
    write!(line, " {} {}", created.as_micros(), updated.as_micros()).unwrap();
    for class in view.classes(entity) {
        write!(line, " {}", view.class_name(class)).unwrap();
    }
    let mut properties: Vec<String> = view
        .stored_properties(entity)
        .into_iter()
        .map(|(property, value)| format!(" {}={value:?}", view.property_name(property)))
        .collect();
    properties.sort();
    line.extend(properties);
    for alias in view.aliases(durward_graph::ObjectRef::Entity(entity)) {
        write!(line, " alias {alias}").unwrap();
    }
    line
}

fn edge_line(view: &View, edge: EdgeRef) -> String {
    let triple = view.triple(edge.triple).unwrap();
    let (from, to) = view.edge_ends(edge).unwrap();
    let mut line = format!(
        "{} {} {} {from:?} {to:?} {:?} v{}",
        view.edge_id(edge),
        view.verb_name(triple.verb),
        view.edge_key(edge),
        view.edge_namespace(edge),
        view.edge_version(edge)
    );
    let mut properties: Vec<String> = view
        .edge_properties(edge)
        .into_iter()
        .map(|(property, value)| format!(" {}={value:?}", view.property_name(property)))
        .collect();
    properties.sort();
    line.extend(properties);
    line
}

/// The kind of the error with which a write was refused.
pub(crate) fn kind_of(result: Result<Receipt, StoreError>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// What became of each operation of a draft.
pub(crate) fn outcomes(receipt: &Receipt) -> Vec<Outcome> {
    receipt
        .results
        .iter()
        .map(|result| result.outcome)
        .collect()
}
