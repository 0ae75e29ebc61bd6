// SPDX-License-Identifier: Apache-2.0
//! Transactions for tests: fixed ones and random ones.

use durward_model::change::{
    ABSENT_CODE, Cell, Change, Column, ColumnValues, EndType, EntityBatch, EntityPatch,
    PatchColumn, RelationshipBatch, RelationshipKeys, RelationshipPatch, Triple,
};
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{
    EntityNumber, Instant, Namespace, ObjectId, ObjectNumber, RelationshipNumber, StringArena,
    Value,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

fn arena<S: AsRef<str>>(texts: &[S]) -> StringArena {
    let mut arena = StringArena::new();
    for text in texts {
        arena.push(text.as_ref()).unwrap();
    }
    arena
}

fn column(property: &str, values: ColumnValues) -> Column {
    Column {
        property: property.to_owned(),
        values,
    }
}

/// One change of every kind, with every kind of column and value.
pub(crate) fn every_change() -> Vec<Change> {
    let document = json!({"a": [1, -2, 18_446_744_073_709_551_615_u64, 0.1, null, true], "b": {}});
    let values = vec![
        Value::Null,
        Value::List(vec![Value::from("x"), Value::from("y")]),
        Value::Document(document.into()),
    ];
    let columns = vec![
        column("bools", ColumnValues::Bools(vec![0, 1, 2])),
        column("ints", ColumnValues::Ints(vec![i64::MIN, 0, i64::MAX])),
        column("floats", ColumnValues::Floats(vec![0.1, -0.0, f64::MAX])),
        column("texts", ColumnValues::Texts(arena(&["", "ö", "long"]))),
        column(
            "coded",
            ColumnValues::Coded {
                codes: vec![1, ABSENT_CODE, 0],
                dictionary: vec![Value::Int(4), Value::Bytes(vec![0, 255])],
            },
        ),
        column("mixed", ColumnValues::Mixed(values)),
    ];
    let triple = Triple::entities("host", "HAS", "user");
    let meta = Triple {
        from: EndType::Relationship,
        verb: "MARKED".to_owned(),
        to: EndType::Entity("marking".to_owned()),
    };
    vec![
        Change::CreateEntities(EntityBatch {
            entity_type: "host".to_owned(),
            classes: vec!["Host".to_owned(), "Device".to_owned()],
            namespace: Namespace::new("api", "scope"),
            first: EntityNumber(10),
            keys: arena(&["one", "two", "three"]),
            columns: columns.clone(),
        }),
        Change::CreateRelationships(RelationshipBatch {
            triple: triple.clone(),
            relationship_type: "host_has_user".to_owned(),
            namespace: Namespace::new("api", ""),
            first: RelationshipNumber(0),
            from: vec![10, 10, 9],
            to: vec![5, 3, u32::MAX],
            keys: RelationshipKeys::Explicit(arena(&["a", "b", "c"])),
            columns,
        }),
        Change::CreateRelationships(RelationshipBatch {
            triple: meta,
            relationship_type: "marked".to_owned(),
            namespace: Namespace::new("stix", ""),
            first: RelationshipNumber(3),
            from: vec![0],
            to: vec![12],
            keys: RelationshipKeys::Conventional,
            columns: Vec::new(),
        }),
        Change::PatchEntities(EntityPatch {
            entity_type: "host".to_owned(),
            entities: vec![EntityNumber(10), EntityNumber(12)],
            columns: vec![PatchColumn {
                property: "ints".to_owned(),
                cells: vec![
                    Cell::Keep,
                    Cell::Set(Value::Instant(Instant::from_micros(-1))),
                ],
            }],
            classes: Some(vec!["Host".to_owned()]),
        }),
        Change::PatchRelationships(RelationshipPatch {
            triple: triple.clone(),
            relationships: vec![RelationshipNumber(1)],
            columns: vec![PatchColumn {
                property: "texts".to_owned(),
                cells: vec![Cell::Set(Value::Null)],
            }],
        }),
        Change::AddAlias {
            object: ObjectNumber::Entity(EntityNumber(11)),
            alias: "malware--1".to_owned(),
        },
        Change::RemoveAlias {
            object: ObjectNumber::Relationship(RelationshipNumber(2)),
            alias: "relationship--2".to_owned(),
        },
        Change::DeleteRelationships {
            triple,
            relationships: vec![RelationshipNumber(0), RelationshipNumber(2)],
        },
        Change::DeleteEntities {
            entity_type: "host".to_owned(),
            entities: vec![EntityNumber(10)],
        },
    ]
}

/// Many entities with one column of each sort.
pub(crate) fn wide_batch(rows: u32) -> Change {
    let names: Vec<String> = (0..rows).map(|row| format!("name {row}")).collect();
    let dictionary = (0..300)
        .map(|code| Value::from(format!("value {code}")))
        .collect();
    Change::CreateEntities(EntityBatch {
        entity_type: "wide".to_owned(),
        classes: vec!["Record".to_owned()],
        namespace: Namespace::new("integration-external", "s"),
        first: EntityNumber(100),
        keys: arena(&names),
        columns: vec![
            column("ints", ColumnValues::Ints((0..i64::from(rows)).collect())),
            column("texts", ColumnValues::Texts(arena(&names))),
            column(
                "coded",
                ColumnValues::Coded {
                    codes: (0..rows).map(|row| row % 300).collect(),
                    dictionary,
                },
            ),
        ],
    })
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-1e300..1e300f64).prop_map(Value::Float),
        ".{0,12}".prop_map(Value::String),
        any::<i64>().prop_map(|micros| Value::Instant(Instant::from_micros(micros))),
        vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
    ]
}

fn documents() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        (-1e10..1e10f64).prop_map(|value| json!(value)),
        "[a-z]{0,5}".prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        6 => scalars(),
        2 => vec(scalars(), 0..4).prop_map(Value::List),
        1 => documents().prop_map(|json| Value::Document(json.into())),
    ]
}

fn column_values(rows: usize) -> impl Strategy<Value = ColumnValues> {
    prop_oneof![
        vec(0u8..3, rows).prop_map(ColumnValues::Bools),
        vec(any::<i64>(), rows).prop_map(ColumnValues::Ints),
        vec(-1e9..1e9f64, rows).prop_map(ColumnValues::Floats),
        vec(".{0,9}", rows).prop_map(|texts| ColumnValues::Texts(arena(&texts))),
        (
            vec(scalars(), 1..5),
            vec(any::<prop::sample::Index>(), rows)
        )
            .prop_map(|(dictionary, codes)| {
                let code = |index: prop::sample::Index| match index.index(dictionary.len() + 1) {
                    0 => ABSENT_CODE,
                    code => code as u32 - 1,
                };
                let codes = codes.into_iter().map(code).collect();
                ColumnValues::Coded { codes, dictionary }
            }),
        vec(values(), rows).prop_map(ColumnValues::Mixed),
    ]
}

fn columns(rows: usize) -> impl Strategy<Value = Vec<Column>> {
    vec(("[a-z]{1,6}", column_values(rows)), 0..4).prop_map(|columns| {
        columns
            .into_iter()
            .map(|(property, values)| Column { property, values })
            .collect()
    })
}

fn patch_columns(rows: usize) -> impl Strategy<Value = Vec<PatchColumn>> {
    let cells = prop_oneof![Just(Cell::Keep), values().prop_map(Cell::Set)];
    vec(("[a-z]{1,6}", vec(cells, rows)), 0..3).prop_map(|columns| {
        columns
            .into_iter()
            .map(|(property, cells)| PatchColumn { property, cells })
            .collect()
    })
}

fn namespaces() -> impl Strategy<Value = Namespace> {
    ("[a-z]{1,6}", "[a-z]{0,6}").prop_map(|(source, scope)| Namespace { source, scope })
}

fn triples() -> impl Strategy<Value = Triple> {
    let end = prop_oneof![
        3 => "[a-z]{1,6}".prop_map(EndType::Entity),
        1 => Just(EndType::Relationship),
    ];
    (end.clone(), "[A-Z]{1,6}", end).prop_map(|(from, verb, to)| Triple { from, verb, to })
}

fn entity_batches() -> impl Strategy<Value = Change> {
    (0usize..20).prop_flat_map(|rows| {
        let parts = (
            "[a-z]{1,8}",
            vec("[A-Z][a-z]{1,5}", 0..3),
            namespaces(),
            any::<u32>(),
            vec(".{0,9}", rows),
            columns(rows),
        );
        parts.prop_map(|(entity_type, classes, namespace, first, keys, columns)| {
            Change::CreateEntities(EntityBatch {
                entity_type,
                classes,
                namespace,
                first: EntityNumber(first),
                keys: arena(&keys),
                columns,
            })
        })
    })
}

fn relationship_batches() -> impl Strategy<Value = Change> {
    (0usize..20).prop_flat_map(|rows| {
        let keys = prop_oneof![
            Just(RelationshipKeys::Conventional),
            vec(".{0,9}", rows).prop_map(|keys| RelationshipKeys::Explicit(arena(&keys))),
        ];
        let parts = (
            triples(),
            ".{0,9}",
            namespaces(),
            any::<u32>(),
            vec((0u32..5, any::<u32>()), rows),
            keys,
            columns(rows),
        );
        parts.prop_map(
            |(triple, relationship_type, namespace, first, ends, keys, columns)| {
                Change::CreateRelationships(RelationshipBatch {
                    triple,
                    relationship_type,
                    namespace,
                    first: RelationshipNumber(first),
                    from: ends.iter().map(|ends| ends.0).collect(),
                    to: ends.iter().map(|ends| ends.1).collect(),
                    keys,
                    columns,
                })
            },
        )
    })
}

fn patches() -> impl Strategy<Value = Change> {
    let of = |rows: usize| {
        let numbers = vec(any::<u32>(), rows);
        let classes = prop::option::of(vec("[A-Z][a-z]{1,5}", 0..3));
        (
            numbers,
            classes,
            patch_columns(rows),
            triples(),
            any::<bool>(),
        )
    };
    (0usize..9)
        .prop_flat_map(of)
        .prop_map(|(numbers, classes, columns, triple, is_entity)| {
            if is_entity {
                let entities = numbers.into_iter().map(EntityNumber).collect();
                let entity_type = triple.verb.to_lowercase();
                Change::PatchEntities(EntityPatch {
                    entity_type,
                    entities,
                    columns,
                    classes,
                })
            } else {
                let relationships = numbers.into_iter().map(RelationshipNumber).collect();
                Change::PatchRelationships(RelationshipPatch {
                    triple,
                    relationships,
                    columns,
                })
            }
        })
}

fn other_changes() -> impl Strategy<Value = Change> {
    (vec(any::<u32>(), 0..9), triples(), ".{0,9}", 0u8..4).prop_map(
        |(numbers, triple, text, kind)| {
            let object = ObjectNumber::Entity(EntityNumber(numbers.len() as u32));
            match kind {
                0 => Change::DeleteEntities {
                    entity_type: text,
                    entities: numbers.into_iter().map(EntityNumber).collect(),
                },
                1 => Change::DeleteRelationships {
                    triple,
                    relationships: numbers.into_iter().map(RelationshipNumber).collect(),
                },
                2 => Change::AddAlias {
                    object,
                    alias: text,
                },
                _ => Change::RemoveAlias {
                    object,
                    alias: text,
                },
            }
        },
    )
}

/// Any transaction, fitting a state or not.
pub(crate) fn transactions() -> impl Strategy<Value = Transaction> {
    let change = prop_oneof![
        entity_batches(),
        relationship_batches(),
        patches(),
        other_changes()
    ];
    let parts = (
        any::<u64>(),
        any::<i64>(),
        prop::option::of(any::<u64>()),
        vec(".{0,9}", 6),
        vec(change, 0..6),
    );
    parts.prop_map(|(sequence, at, actor, texts, changes)| {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap_or_default();
        Transaction {
            sequence: Sequence(sequence),
            committed_at: Instant::from_micros(at),
            origin: Origin {
                actor: actor.map(ObjectId),
                credential: actor.map(|id| ObjectId(!id)),
                activity: text(),
                request_id: text(),
                source_address: text(),
                user_agent: text(),
                detail: text(),
            },
            idempotency_key: text(),
            changes,
        }
    })
}
