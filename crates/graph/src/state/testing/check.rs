// SPDX-License-Identifier: Apache-2.0
//! Compares everything that a view tells with a model.

use std::collections::{BTreeMap, BTreeSet};

use durward_model::change::EndType;
use durward_model::{EntityNumber, ObjectNumber, RelationshipNumber, Value};

use super::{Model, ModelEdge};
use crate::ids::{Direction, EntityRef, ObjectRef, TypeId};
use crate::rowset::RowSet;
use crate::view::{ClassCover, ColumnView, ValueRef, View};

pub(crate) fn check(view: &View, model: &Model) {
    check_entities(view, model);
    check_types(view, model);
    check_keys(view, model);
    check_edges(view, model);
    check_triples(view, model);
    check_aliases(view, model);
}

fn entity_ref(view: &View, number: usize) -> EntityRef {
    view.entity_of(EntityNumber(number as u32)).unwrap()
}

fn named(view: &View, values: Vec<(crate::PropertyId, Value)>) -> BTreeMap<String, Value> {
    let name = |(id, value)| (view.property_name(id).to_owned(), value);
    values.into_iter().map(name).collect()
}

fn check_entities(view: &View, model: &Model) {
    for (number, expected) in model.entities.iter().enumerate() {
        let entity = entity_ref(view, number);
        let live = expected.life.ended.is_none();
        assert_eq!(view.type_name(entity.type_id), expected.entity_type);
        assert_eq!(view.is_live(entity), live, "entity {number}");
        assert!(view.clone().include_deleted().is_live(entity));
        assert_eq!(view.key(entity), expected.key);
        assert_eq!(view.namespace(entity), expected.namespace);
        assert_eq!(view.created_at(entity), expected.life.created);
        assert_eq!(
            view.updated_at(entity),
            expected.life.updated,
            "entity {number}"
        );
        assert_eq!(
            view.version(entity),
            expected.life.version,
            "entity {number}"
        );
        assert_eq!(
            view.ended_at(entity),
            expected.life.ended,
            "entity {number}"
        );
        assert_eq!(
            named(view, view.entity_properties(entity)),
            expected.values,
            "entity {number}"
        );
        let classes = view.classes(entity);
        let classes: Vec<_> = classes
            .iter()
            .map(|class| view.class_name(*class))
            .collect();
        assert_eq!(classes, expected.classes);
        let id = view.entity_id(entity);
        assert_eq!(view.resolve(id), live.then_some(ObjectRef::Entity(entity)));
    }
}

fn check_types(view: &View, model: &Model) {
    let names: BTreeSet<&str> = model
        .entities
        .iter()
        .map(|entity| &*entity.entity_type)
        .collect();
    let types = view.types();
    assert_eq!(
        types
            .iter()
            .map(|id| view.type_name(*id))
            .collect::<BTreeSet<_>>(),
        names
    );
    for id in types {
        let name = view.type_name(id);
        let all: Vec<_> = model
            .entities
            .iter()
            .filter(|e| e.entity_type == name)
            .collect();
        assert_eq!(view.rows(id) as usize, all.len());
        let live: Vec<u32> = (0u32..)
            .zip(&all)
            .filter(|(_, entity)| entity.life.ended.is_none())
            .map(|(row, _)| row)
            .collect();
        assert_eq!(view.live_rows(id).iter().collect::<Vec<_>>(), live);
        assert_eq!(view.live_count(id), live.len() as u64);
        for property in view.properties_of_type(id) {
            let column = view.column(id, property).unwrap();
            let name = view.property_name(property);
            let null = Value::Null;
            let values: Vec<&Value> = all
                .iter()
                .map(|entity| entity.values.get(name).unwrap_or(&null))
                .collect();
            check_column(&column, &values);
        }
        for class in view.class_ids() {
            let carries = |row: u32| {
                let classes = &all[row as usize].classes;
                classes.iter().any(|name| name == view.class_name(class))
            };
            let expected: Vec<u32> = (0..all.len() as u32).filter(|row| carries(*row)).collect();
            let found = view.types_with_class(class);
            let cover = found
                .into_iter()
                .find(|(of, _)| *of == id)
                .map(|(_, cover)| cover);
            let rows = match cover {
                None => Vec::new(),
                Some(ClassCover::All) => (0..all.len() as u32).collect(),
                Some(ClassCover::Some(rows)) => rows.iter().collect(),
            };
            assert_eq!(rows, expected);
        }
        check_search(view, id, &live, &all);
    }
}

fn check_search(view: &View, id: TypeId, live: &[u32], all: &[&super::ModelEntity]) {
    for words in [
        &["NAME"][..],
        &["e 1", "red"],
        &["größe"],
        &["GRÖSSE"],
        &["k|"],
        &["green|h"],
    ] {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let contains = |row: &&u32| {
            let entity = all[**row as usize];
            words.iter().all(|word| {
                let has = |text: &str| text.to_lowercase().contains(&word.to_lowercase());
                has(&entity.key)
                    || entity.values.values().any(|value| match value {
                        Value::String(text) => has(text),
                        Value::List(items) => items.iter().filter_map(Value::as_str).any(has),
                        _ => false,
                    })
            })
        };
        let expected: Vec<u32> = live.iter().filter(contains).copied().collect();
        assert_eq!(
            view.search_text(id, &words).iter().collect::<Vec<_>>(),
            expected,
            "{words:?}"
        );
    }
}

/// Checks a column against its values, by every way to look at it.
pub(crate) fn check_column(column: &ColumnView, values: &[&Value]) {
    let universe = values.len() as u32;
    let codes = column.codes_or_build();
    let mut groups: BTreeMap<u32, &Value> = BTreeMap::new();
    for (row, value) in values.iter().enumerate() {
        assert_eq!(column.get(row as u32), **value, "row {row}");
        let code = codes.code(row as u32);
        let before = groups.entry(code).or_insert(value);
        assert!(
            before.total_cmp(value).is_eq(),
            "{before:?} and {value:?} have one code"
        );
        assert!(codes.value(code).total_cmp(value).is_eq());
        assert_eq!(code == 0, value.is_null());
        assert!((code as usize) < codes.len());
    }
    let mut distinct: Vec<&Value> = values.to_vec();
    distinct.sort_by(|left, right| left.total_cmp(right));
    distinct.dedup_by(|left, right| left.total_cmp(right).is_eq());
    assert_eq!(groups.len(), distinct.len());
    let mut asked = distinct.into_iter().cloned().collect::<Vec<Value>>();
    asked.extend([
        Value::Null,
        Value::Float(2.0),
        Value::Int(3),
        Value::from("red"),
    ]);
    asked.truncate(24);
    let halves = RowSet::from_sorted((0..universe).filter(|row| row % 2 == 0).collect(), universe);
    for rows in [RowSet::full(universe), halves] {
        for value in &asked {
            let expected: Vec<u32> = rows
                .iter()
                .filter(|row| ValueRef::from(values[*row as usize]).matches(value))
                .collect();
            let found = column.select_equal(&rows, value);
            assert_eq!(
                found.iter().collect::<Vec<_>>(),
                expected,
                "equal to {value:?}"
            );
        }
        let test = |value: ValueRef<'_>| match value {
            ValueRef::Null | ValueRef::Bool(true) => true,
            ValueRef::String(text) => text.len() % 2 == 0,
            other => other.as_number().is_some_and(|number| number > 2.0),
        };
        let expected: Vec<u32> = rows
            .iter()
            .filter(|row| test(ValueRef::from(values[*row as usize])))
            .collect();
        assert_eq!(
            column.select(&rows, test).iter().collect::<Vec<_>>(),
            expected
        );
    }
}

fn check_keys(view: &View, model: &Model) {
    for (number, expected) in model.entities.iter().enumerate() {
        let lives = |(_, other): &(usize, &super::ModelEntity)| {
            other.life.ended.is_none() && other.key == expected.key
        };
        let all: Vec<_> = model.entities.iter().enumerate().filter(lives).collect();
        let any: Vec<EntityRef> = all.iter().map(|(n, _)| entity_ref(view, *n)).collect();
        assert_eq!(view.find_by_key_any_namespace(&expected.key), any);
        let here = all
            .iter()
            .find(|(_, other)| other.namespace == expected.namespace);
        let here = here.map(|(n, _)| entity_ref(view, *n));
        assert_eq!(
            view.find_by_key(&expected.namespace, &expected.key),
            here,
            "entity {number}"
        );
        let many = view.find_by_keys(&expected.namespace, ["nobody", &expected.key].into_iter());
        assert_eq!(many, [None, here]);
        let newest = model
            .entities
            .iter()
            .rposition(|other| other.key == expected.key && other.namespace == expected.namespace);
        let deleted = view.clone().include_deleted();
        let found = deleted.find_by_key(&expected.namespace, &expected.key);
        assert_eq!(found, newest.map(|n| entity_ref(view, n)));
    }
}

fn end_row(view: &View, end: &EndType, number: u32) -> EntityRef {
    match end {
        EndType::Entity(_) => entity_ref(view, number as usize),
        EndType::Relationship => EntityRef::relationship(RelationshipNumber(number)),
    }
}

fn check_edges(view: &View, model: &Model) {
    for (number, expected) in model.edges.iter().enumerate() {
        let edge = view.edge_of(RelationshipNumber(number as u32)).unwrap();
        let live = expected.life.ended.is_none();
        assert_eq!(view.is_edge_live(edge), live);
        let from = end_row(view, &expected.triple.from, expected.from);
        let to = end_row(view, &expected.triple.to, expected.to);
        assert_eq!(
            view.edge_ends(edge),
            Some((from, to)),
            "relationship {number}"
        );
        assert_eq!(view.edge_type(edge), expected.edge_type);
        assert_eq!(view.edge_namespace(edge), expected.namespace);
        assert_eq!(view.edge_created_at(edge), expected.life.created);
        assert_eq!(view.edge_updated_at(edge), expected.life.updated);
        assert_eq!(view.edge_version(edge), expected.life.version);
        assert_eq!(view.edge_ended_at(edge), expected.life.ended);
        assert_eq!(named(view, view.edge_properties(edge)), expected.values);
        let id = view.edge_id(edge);
        assert_eq!(view.resolve(id), live.then_some(ObjectRef::Edge(edge)));
        assert_eq!(view.edge_key_is_conventional(edge), expected.key.is_none());
        let key = view.edge_key(edge);
        if let Some(own) = &expected.key {
            assert_eq!(key, *own);
        }
        let found = view.find_edge_by_key(&expected.namespace, &key);
        if live {
            let found = found.unwrap();
            assert_eq!(view.edge_key(found), key);
            assert_eq!(view.edge_namespace(found), expected.namespace);
            assert!(view.edges_of(from).contains(&edge) && view.edges_of(to).contains(&edge));
        }
        if let Some(found) = found {
            assert!(view.is_edge_live(found));
        }
    }
}

fn check_triples(view: &View, model: &Model) {
    for meta in view.triples() {
        let name = |id: TypeId| match id {
            TypeId::RELATIONSHIP => EndType::Relationship,
            id => EndType::Entity(view.type_name(id).to_owned()),
        };
        let is_here = |edge: &&ModelEdge| {
            edge.triple.from == name(meta.from)
                && edge.triple.verb == view.verb_name(meta.verb)
                && edge.triple.to == name(meta.to)
        };
        let here: Vec<(u32, &ModelEdge)> = (0..).zip(model.edges.iter().filter(is_here)).collect();
        let live = here.iter().filter(|(_, edge)| edge.life.ended.is_none());
        assert_eq!(view.edge_count(meta.id), live.clone().count() as u64);
        assert_eq!(view.edge_rows(meta.id) as usize, here.len());
        let rows = view.live_edge_rows(meta.id);
        assert!(rows.iter().eq(live.clone().map(|(row, _)| *row)));
        for direction in [Direction::Out, Direction::In] {
            let mut expected: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
            for (row, edge) in live.clone() {
                let from = end_row(view, &edge.triple.from, edge.from).row;
                let to = end_row(view, &edge.triple.to, edge.to).row;
                let (at, other) = if direction == Direction::Out {
                    (from, to)
                } else {
                    (to, from)
                };
                expected.entry(at).or_default().push((other, *row));
            }
            check_adjacency(view, meta.id, direction, expected);
        }
        for property in view.properties_of_triple(meta.id) {
            let name = view.property_name(property);
            let null = Value::Null;
            let values: Vec<&Value> = here
                .iter()
                .map(|(_, edge)| edge.values.get(name).unwrap_or(&null))
                .collect();
            check_column(&view.edge_column(meta.id, property).unwrap(), &values);
        }
    }
}

fn check_adjacency(
    view: &View,
    id: crate::TripleId,
    direction: Direction,
    mut expected: BTreeMap<u32, Vec<(u32, u32)>>,
) {
    let adjacency = view.adjacency(id, direction);
    assert!(adjacency.edges() >= view.edge_count(id) as usize);
    let end = expected.keys().max().copied().unwrap_or(0) + 70;
    for row in 0..end {
        let mut own = expected.remove(&row).unwrap_or_default();
        own.sort_unstable();
        let mut found = Vec::new();
        adjacency.for_each_edge(row, |other, edge| found.push((other, edge)));
        assert_eq!(found, own, "{direction:?} of row {row}");
        let mut others = Vec::new();
        adjacency.for_each(row, |other| others.push(other));
        assert!(others.iter().eq(own.iter().map(|(other, _)| other)));
        let mut unordered = Vec::new();
        adjacency.for_each_unordered(row, |other| unordered.push(other));
        unordered.sort_unstable();
        assert_eq!(unordered, others);
        if let Some(slice) = adjacency.slice(row) {
            assert_eq!(slice, others);
        }
        assert!(adjacency.degree(row) >= own.len());
        let mut any = Vec::new();
        assert!(!adjacency.any_edge(row, |other, edge| {
            any.push((other, edge));
            false
        }));
        any.sort_unstable();
        assert_eq!(any, own);
        for (other, _) in &own {
            assert!(adjacency.any(row, |this| this == *other));
            let mut between = Vec::new();
            adjacency.find(row, *other, |edge| between.push(edge));
            between.sort_unstable();
            let all = own
                .iter()
                .filter(|(this, _)| this == other)
                .map(|(_, edge)| *edge);
            assert!(between.iter().copied().eq(all));
        }
        adjacency.find(row, u32::MAX - 7, |edge| {
            panic!("edge row {edge} leads nowhere")
        });
    }
    assert!(expected.is_empty());
}

fn check_aliases(view: &View, model: &Model) {
    for turn in 0..50 {
        let alias = format!("alias {turn}");
        let owner = model
            .aliases
            .iter()
            .find(|(name, _)| *name == alias)
            .map(|(_, owner)| *owner);
        let object = owner.map(|owner| match owner {
            ObjectNumber::Entity(number) => ObjectRef::Entity(view.entity_of(number).unwrap()),
            ObjectNumber::Relationship(number) => ObjectRef::Edge(view.edge_of(number).unwrap()),
        });
        let lives = |object: &ObjectRef| match object {
            ObjectRef::Entity(entity) => view.is_live(*entity),
            ObjectRef::Edge(edge) => view.is_edge_live(*edge),
        };
        assert_eq!(view.find_alias(&alias), object.filter(lives));
        if let (Some(object), Some(_)) = (object, owner) {
            assert!(view.aliases(object).contains(&alias));
        }
    }
}
