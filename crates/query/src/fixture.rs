// SPDX-License-Identifier: Apache-2.0
//! Graphs for tests: written as plain lists, folded into a real state, and kept as plain lists too,
//! so that what a query gives can be compared with what is plainly there.

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_catalog::Catalog;
use durward_graph::{Snapshot, StateWriter};
use durward_model::change::{
    Cell, Change, Column, ColumnValues, EntityBatch, EntityPatch, PatchColumn, RelationshipBatch,
    RelationshipKeys, Triple,
};
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{
    EntityNumber, IdCipher, Instant, Namespace, RelationshipNumber, StringArena, Value,
};

pub(crate) type Properties = Vec<(String, Value)>;

/// A living entity.
#[derive(Clone, Debug)]
pub(crate) struct PlainEntity {
    pub(crate) number: u32,
    pub(crate) key: String,
    pub(crate) scope: &'static str,
    pub(crate) entity_type: String,
    pub(crate) classes: Vec<String>,
    pub(crate) properties: BTreeMap<String, Value>,
}

/// A living relationship.
#[derive(Clone, Debug)]
pub(crate) struct PlainEdge {
    pub(crate) number: u32,
    pub(crate) from: u32,
    pub(crate) verb: String,
    pub(crate) to: u32,
    pub(crate) properties: BTreeMap<String, Value>,
}

/// Everything that lives at one moment.
#[derive(Clone, Default)]
pub(crate) struct Plain {
    pub(crate) entities: Vec<PlainEntity>,
    pub(crate) edges: Vec<PlainEdge>,
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for entity in &self.entities {
            let PlainEntity {
                number,
                entity_type,
                properties,
                ..
            } = entity;
            writeln!(formatter, "{number}: {entity_type} {properties:?}")?;
        }
        for edge in &self.edges {
            let PlainEdge {
                number,
                from,
                verb,
                to,
                properties,
            } = edge;
            writeln!(formatter, "e{number}: {from} {verb} {to} {properties:?}")?;
        }
        Ok(())
    }
}

/// One change of a test graph.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Create {
        key: String,
        entity_type: String,
        classes: Vec<String>,
        properties: Properties,
    },
    Patch {
        number: u32,
        properties: Properties,
    },
    Delete {
        number: u32,
    },
    Relate {
        from: u32,
        verb: String,
        to: u32,
        properties: Properties,
    },
    Unrelate {
        number: u32,
    },
}

/// A graph under construction.
#[derive(Debug)]
pub(crate) struct Fixture {
    writer: StateWriter,
    sequence: u64,
    pub(crate) plain: Plain,
    pub(crate) snapshot: Arc<Snapshot>,
    namespace: Namespace,
}

/// Commit instant of the n-th transaction.
pub(crate) fn committed_at(sequence: u64) -> Instant {
    Instant::from_millis(1_767_000_000_000).plus_seconds(sequence as i64)
}

/// Every fifth entity is in a scope of its own.
fn scope_of(number: u32) -> &'static str {
    if number % 5 == 4 { "other" } else { "test" }
}

fn column(name: &str, value: Value) -> Column {
    Column {
        property: name.to_owned(),
        values: ColumnValues::Mixed(vec![value]),
    }
}

fn columns(properties: &Properties) -> Vec<Column> {
    properties
        .iter()
        .map(|(name, value)| column(name, value.clone()))
        .collect()
}

fn merge(into: &mut BTreeMap<String, Value>, properties: &Properties) {
    for (name, value) in properties {
        match value {
            Value::Null => into.remove(name),
            value => into.insert(name.clone(), value.clone()),
        };
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let snapshot = Snapshot::new(IdCipher::new(&[3; 32]), catalog, 7);
        Self {
            writer: StateWriter::new(snapshot.clone()),
            sequence: 0,
            plain: Plain::default(),
            snapshot: Arc::new(snapshot),
            namespace: Namespace::new("api", "test"),
        }
    }

    /// Commits edits in one transaction.
    pub(crate) fn commit(&mut self, edits: &[Edit]) {
        self.sequence += 1;
        let mut next = self.writer.next_numbers();
        let mut changes = Vec::new();
        for edit in edits {
            self.edit(
                edit,
                &mut next.entity.0,
                &mut next.relationship.0,
                &mut changes,
            );
        }
        let transaction = Transaction {
            sequence: Sequence(self.sequence),
            committed_at: committed_at(self.sequence),
            origin: Origin::default(),
            idempotency_key: String::new(),
            changes,
        };
        self.writer.apply(&transaction).unwrap();
        self.snapshot = self.writer.publish();
    }

    fn edit(
        &mut self,
        edit: &Edit,
        next_entity: &mut u32,
        next_edge: &mut u32,
        changes: &mut Vec<Change>,
    ) {
        match edit {
            Edit::Create {
                key,
                entity_type,
                classes,
                properties,
            } => {
                let entity = PlainEntity {
                    number: *next_entity,
                    key: key.clone(),
                    scope: scope_of(*next_entity),
                    entity_type: entity_type.clone(),
                    classes: classes.clone(),
                    properties: properties.iter().cloned().collect(),
                };
                changes.push(created(&entity, properties));
                self.plain.entities.push(entity);
                *next_entity += 1;
            }
            Edit::Patch { number, properties } => changes.push(self.patched(*number, properties)),
            Edit::Delete { number } => self.deleted(*number, changes),
            Edit::Relate {
                from,
                verb,
                to,
                properties,
            } => {
                let edge = PlainEdge {
                    number: *next_edge,
                    from: *from,
                    verb: verb.clone(),
                    to: *to,
                    properties: properties.iter().cloned().collect(),
                };
                changes.push(self.related(&edge, properties));
                self.plain.edges.push(edge);
                *next_edge += 1;
            }
            Edit::Unrelate { number } => self.unrelate(*number, changes),
        }
    }

    fn patched(&mut self, number: u32, properties: &Properties) -> Change {
        let mut entities = self.plain.entities.iter_mut();
        let entity = entities.find(|one| one.number == number).unwrap();
        merge(&mut entity.properties, properties);
        let patch = properties.iter().map(|(name, value)| PatchColumn {
            property: name.clone(),
            cells: vec![Cell::Set(value.clone())],
        });
        Change::PatchEntities(EntityPatch {
            entity_type: entity.entity_type.clone(),
            entities: vec![EntityNumber(number)],
            columns: patch.collect(),
            classes: None,
        })
    }

    fn deleted(&mut self, number: u32, changes: &mut Vec<Change>) {
        let touches = |edge: &&PlainEdge| edge.from == number || edge.to == number;
        let touching: Vec<u32> = self
            .plain
            .edges
            .iter()
            .filter(touches)
            .map(|edge| edge.number)
            .collect();
        for edge in touching {
            self.unrelate(edge, changes);
        }
        changes.push(Change::DeleteEntities {
            entity_type: self.type_of(number),
            entities: vec![EntityNumber(number)],
        });
        self.plain.entities.retain(|entity| entity.number != number);
    }

    fn related(&self, edge: &PlainEdge, properties: &Properties) -> Change {
        let (from, to) = (self.type_of(edge.from), self.type_of(edge.to));
        let mut keys = StringArena::new();
        keys.push(&format!("edge:{}", edge.number)).unwrap();
        Change::CreateRelationships(RelationshipBatch {
            relationship_type: format!("{from}_{}_{to}", edge.verb.to_lowercase()),
            triple: Triple::entities(&from, &edge.verb, &to),
            namespace: self.namespace.clone(),
            first: RelationshipNumber(edge.number),
            from: vec![edge.from],
            to: vec![edge.to],
            keys: RelationshipKeys::Explicit(keys),
            columns: columns(properties),
        })
    }

    fn unrelate(&mut self, number: u32, changes: &mut Vec<Change>) {
        let position = self
            .plain
            .edges
            .iter()
            .position(|edge| edge.number == number)
            .unwrap();
        let edge = self.plain.edges.remove(position);
        let (from, to) = (self.type_of(edge.from), self.type_of(edge.to));
        changes.push(Change::DeleteRelationships {
            triple: Triple::entities(&from, &edge.verb, &to),
            relationships: vec![RelationshipNumber(number)],
        });
    }

    fn type_of(&self, number: u32) -> String {
        let entity = self
            .plain
            .entities
            .iter()
            .find(|entity| entity.number == number);
        entity.unwrap().entity_type.clone()
    }

    /// UUID of an entity.
    pub(crate) fn entity_uuid(&self, number: u32) -> String {
        let view = self.snapshot.view(None);
        let cipher = view.id_cipher();
        cipher.uuid_of(cipher.id_of(durward_model::ObjectNumber::Entity(EntityNumber(number))))
    }

    /// UUID of a relationship.
    pub(crate) fn edge_uuid(&self, number: u32) -> String {
        let view = self.snapshot.view(None);
        let cipher = view.id_cipher();
        let number = durward_model::ObjectNumber::Relationship(RelationshipNumber(number));
        cipher.uuid_of(cipher.id_of(number))
    }
}

/// The change that makes one entity.
fn created(entity: &PlainEntity, properties: &Properties) -> Change {
    let mut keys = StringArena::new();
    keys.push(&entity.key).unwrap();
    Change::CreateEntities(EntityBatch {
        entity_type: entity.entity_type.clone(),
        classes: entity.classes.clone(),
        namespace: Namespace::new("api", entity.scope),
        first: EntityNumber(entity.number),
        keys,
        columns: columns(properties),
    })
}
