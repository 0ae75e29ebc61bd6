// SPDX-License-Identifier: Apache-2.0
//! Columns of many chunks, by every form and every way of changing them, and hubs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

use std::sync::Arc;

use durward_catalog::Catalog;
use durward_model::change::{
    ABSENT_CODE, Cell, Change, Column as BatchColumn, ColumnValues, EntityBatch, EntityPatch,
    PatchColumn, RelationshipBatch, RelationshipKeys, Triple,
};
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{
    EntityNumber, IdCipher, Instant, Namespace, RelationshipNumber, StringArena, Value,
};

use super::chunk::Chunk;
use super::column::Column;
use super::testing::check_column;
use super::timeline::Tick;
use super::{Snapshot, StateWriter};
use crate::ids::Direction;
use crate::rowset::RowSet;
use crate::view::ColumnView;

fn texts(values: impl Iterator<Item = String>) -> ColumnValues {
    let mut arena = StringArena::new();
    for value in values {
        arena.push(&value).unwrap();
    }
    ColumnValues::Texts(arena)
}

fn forms(column: &Column) -> (usize, usize) {
    let coded = |chunk: &&Arc<Chunk>| matches!(&***chunk, Chunk::Codes(_));
    let coded = column.chunks().iter().filter(coded).count();
    (coded, column.chunks().len() - coded)
}

#[test]
fn repeating_values_stay_in_the_dictionary_and_unique_ones_leave_it() {
    for batch in [1usize, 200, 5_000, 40_000] {
        let rows = 40_000usize.min(batch * 40_000);
        let (mut repeating, mut unique) = (Column::new(1, false), Column::new(1, false));
        for first in (0..rows).step_by(batch) {
            // 5,000 values: nearly all of the first 4,000 rows differ.
            let value = |row: usize| format!("value {}", row * 7_919 % 5_000);
            repeating.append(first as u32, &texts((first..first + batch).map(value)));
            let value = |row: usize| format!("unique {row}");
            unique.append(first as u32, &texts((first..first + batch).map(value)));
        }
        assert_eq!(forms(&repeating).1, 0, "batches of {batch}");
        assert_eq!(forms(&unique).0, 0, "batches of {batch}");
        for row in (0..rows).step_by(997) {
            let expected = format!("value {}", row * 7_919 % 5_000);
            assert_eq!(repeating.at(row as u32).as_str(), Some(&*expected));
            let expected = format!("unique {row}");
            assert_eq!(unique.at(row as u32).as_str(), Some(&*expected));
        }
    }
}

/// A column of each form over two and a half chunks, changed at several ticks, looked at by every
/// method at every tick.
#[test]
fn every_form_is_right_at_every_tick() {
    const ROWS: usize = 10_000;
    let coded = ColumnValues::Coded {
        codes: (0..ROWS)
            .map(|row| [0, 1, 2, ABSENT_CODE][row / 7 % 4])
            .collect(),
        dictionary: vec![
            Value::from("red"),
            Value::Int(2),
            Value::from(vec!["red", "blue"]),
        ],
    };
    let all = [
        ColumnValues::Bools((0..ROWS).map(|row| (row / 3 % 3) as u8).collect()),
        ColumnValues::Ints((0..ROWS).map(|row| row as i64 * 3).collect()),
        ColumnValues::Floats((0..ROWS).map(|row| row as f64 / 2.0).collect()),
        texts((0..ROWS).map(|row| format!("text {}", row * 31 % 9_000))),
        coded,
        ColumnValues::Mixed(vec![
            Value::Document(serde_json::json!({"a": 1}).into());
            ROWS
        ]),
    ];
    for values in all {
        let mut column = Column::new(9, false);
        column.append(0, &values);
        let mut model: Vec<Value> = (0..ROWS).map(|row| values.get(row)).collect();
        let mut history = vec![(Tick(1), model.clone())];
        for tick in 2..9u32 {
            let step = [1_501, 97, 3, 2_000, 1, 411, 5][tick as usize - 2];
            let patches: Vec<(u32, Value)> = (0..ROWS)
                .step_by(step)
                .map(|row| {
                    let value = match (row / step + tick as usize) % 6 {
                        0 => Value::Null,
                        1 => Value::Bool(row % 2 == 0),
                        2 => Value::String(format!("changed {row}")),
                        3 => Value::from("red"),
                        4 => values.get(row),
                        _ => Value::Float(2.0),
                    };
                    (row as u32, value)
                })
                .collect();
            let changes: Vec<(u32, &Value)> =
                patches.iter().map(|(row, value)| (*row, value)).collect();
            column.patch(&changes, Tick(tick));
            for (row, value) in patches {
                model[row as usize] = value;
            }
            history.push((Tick(tick), model.clone()));
        }
        for (tick, model) in history {
            let view = ColumnView::new(&column, ROWS as u32, Some(tick), false);
            let values: Vec<&Value> = model.iter().collect();
            check_column(&view, &values);
            for row in (0..ROWS).step_by(333) {
                let single = column.read_at(row as u32, tick, usize::MAX).unwrap();
                let indexed = column.cache().read_at(&column, row as u32, tick);
                assert_eq!(indexed.to_value(), single.to_value());
                assert_eq!(single.to_value(), model[row]);
            }
        }
    }
}

#[test]
fn an_index_answers_and_follows_changes() {
    const ROWS: u32 = 20_000;
    let mut column = Column::new(9, false);
    column.append(
        0,
        &texts((0..ROWS).map(|row| format!("mail{row}@example.com"))),
    );
    let ask = |column: &Column, text: &str| {
        let view = ColumnView::new(column, ROWS, None, false);
        let found = view.select_equal(&RowSet::full(ROWS), &Value::from(text));
        found.iter().collect::<Vec<_>>()
    };
    for row in 0..10 {
        assert_eq!(ask(&column, &format!("mail{row}@example.com")), [row]);
    }
    assert!(
        column.cache().index.lock().is_some(),
        "ten scans are worth an index"
    );
    let before = column.clone();
    let (new, gone) = (Value::from("mail5@example.com"), Value::Null);
    column.patch(&[(5, &gone), (6_000, &new), (19_999, &new)], Tick(2));
    assert_eq!(ask(&column, "mail5@example.com"), [6_000, 19_999]);
    assert_eq!(ask(&column, "mail6000@example.com"), Vec::<u32>::new());
    assert_eq!(ask(&before, "mail5@example.com"), [5]);
    let past = ColumnView::new(&column, ROWS, Some(Tick(1)), false);
    let found = past.select_equal(&RowSet::full(ROWS), &new);
    assert_eq!(found.iter().collect::<Vec<_>>(), [5]);
}

fn commit(writer: &mut StateWriter, changes: Vec<Change>) -> Arc<Snapshot> {
    let before = writer.publish();
    let sequence = before.sequence().next();
    let transaction = Transaction {
        sequence,
        committed_at: Instant::from_micros(sequence.0 as i64 * 1_000),
        origin: Origin::default(),
        idempotency_key: String::new(),
        changes,
    };
    writer.apply_owned(transaction).unwrap();
    writer.publish()
}

fn create(entity_type: &str, first: u32, count: u32, columns: Vec<BatchColumn>) -> Change {
    let mut keys = StringArena::new();
    (0..count).for_each(|turn| {
        keys.push(&format!("{entity_type}:{}", first + turn))
            .unwrap();
    });
    Change::CreateEntities(EntityBatch {
        entity_type: entity_type.to_owned(),
        classes: Vec::new(),
        namespace: Namespace::new("api", ""),
        first: EntityNumber(first),
        keys,
        columns,
    })
}

#[test]
fn hubs_change_without_being_copied_and_keep_their_past() {
    const MEMBERS: u32 = 30_000;
    let mut writer = StateWriter::new(Snapshot::empty(IdCipher::new(&[1; 32])));
    let users = create("user", 2, MEMBERS, Vec::new());
    commit(&mut writer, vec![create("group", 0, 2, Vec::new()), users]);
    let relate = |first: u32, pairs: &[(u32, u32)]| {
        Change::CreateRelationships(RelationshipBatch {
            triple: Triple::entities("group", "HAS", "user"),
            relationship_type: "group_has_user".to_owned(),
            namespace: Namespace::new("api", ""),
            first: RelationshipNumber(first),
            from: pairs.iter().map(|(from, _)| *from).collect(),
            to: pairs.iter().map(|(_, to)| *to).collect(),
            keys: RelationshipKeys::Conventional,
            columns: Vec::new(),
        })
    };
    let loaded: Vec<(u32, u32)> = (0..MEMBERS - 600).map(|user| (0, user + 2)).collect();
    let first = commit(&mut writer, vec![relate(0, &loaded)]);
    let mut expected: Vec<u32> = (0..MEMBERS - 600).collect();
    for turn in 0..300u32 {
        let user = MEMBERS - 600 + turn;
        let gone = turn * 90;
        let end = Change::DeleteRelationships {
            triple: Triple::entities("group", "HAS", "user"),
            relationships: vec![RelationshipNumber(gone)],
        };
        commit(
            &mut writer,
            vec![relate(MEMBERS - 600 + turn, &[(0, user + 2)]), end],
        );
        expected.retain(|user| *user != gone);
        expected.push(user);
    }
    let last = writer.publish();
    let table = &last.triples[0];
    assert!(
        table.edges.base.order.is_none(),
        "300 changes are no reason to copy a base"
    );
    let check = |view: &crate::View, expected: &[u32]| {
        let triple = view.triples()[0].id;
        let (out, into) = (
            view.adjacency(triple, Direction::Out),
            view.adjacency(triple, Direction::In),
        );
        let mut found = Vec::new();
        out.for_each(0, |user| found.push(user));
        assert_eq!(found, expected);
        assert!(out.degree(0) >= expected.len());
        let members = (0..MEMBERS).filter(|user| into.any(*user, |group| group == 0));
        assert!(members.eq(expected.iter().copied()));
    };
    check(&last.view(None), &expected);
    let loaded: Vec<u32> = (0..MEMBERS - 600).collect();
    check(&last.view(Some(first.committed_at())), &loaded);
    check(&first.view(None), &loaded);
}

#[test]
fn secret_properties_are_seen_by_nobody_but_who_asks_for_them() {
    let catalog = Arc::new(Catalog::built_in().unwrap());
    let snapshot = Snapshot::new(IdCipher::new(&[1; 32]), catalog, 7);
    let mut writer = StateWriter::new(snapshot);
    let column = |property: &str, text: &str| BatchColumn {
        property: property.to_owned(),
        values: texts(std::iter::once(text.to_owned())),
    };
    let columns = vec![column("secretHash", "5up3r"), column("name", "door key")];
    commit(&mut writer, vec![create("credential", 0, 1, columns)]);
    let patch = EntityPatch {
        entity_type: "credential".to_owned(),
        entities: vec![EntityNumber(0)],
        columns: vec![PatchColumn {
            property: "secretHash".to_owned(),
            cells: vec![Cell::Set(Value::from("s3cond"))],
        }],
        classes: None,
    };
    let last = commit(&mut writer, vec![Change::PatchEntities(patch)]);
    for at in [None, Some(Instant::from_micros(1_000))] {
        let view = last.view(at);
        let entity = view.entity_of(EntityNumber(0)).unwrap();
        let (kind, secret) = (entity.type_id, view.property_id("secretHash").unwrap());
        assert!(view.column(kind, secret).is_none());
        assert_eq!(view.value(entity, secret), Value::Null);
        assert_eq!(view.entity_properties(entity).len(), 1);
        assert_eq!(view.properties_of_type(kind).len(), 1);
        for word in ["5up3r", "s3cond"] {
            assert!(view.search_text(kind, &[word.to_owned()]).is_empty());
        }
        assert_eq!(view.search_text(kind, &["DOOR".to_owned()]).len(), 1);
        let expected = if at.is_some() { "5up3r" } else { "s3cond" };
        assert_eq!(view.secret_value(entity, secret), Value::from(expected));
        assert_eq!(
            view.secret_column(kind, secret).unwrap().get(0),
            Value::from(expected)
        );
        assert_eq!(view.stored_properties(entity).len(), 2);
    }
    assert_eq!(last.sequence(), Sequence(2));
}
