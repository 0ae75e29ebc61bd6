// SPDX-License-Identifier: Apache-2.0
//! Random steps and what they do to the model and to the real state.

use std::collections::BTreeMap;

use durward_model::change::{
    ABSENT_CODE, Cell, Change, Column, ColumnValues, EndType, EntityBatch, EntityPatch,
    PatchColumn, RelationshipBatch, RelationshipKeys, RelationshipPatch, Triple,
};
use durward_model::{
    EntityNumber, Instant, Namespace, ObjectNumber, RelationshipNumber, StringArena, Value,
};
use proptest::prelude::*;

use super::{Life, ModelEdge, ModelEntity, World};

/// One random step; what it does follows from the numbers and the model.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: u8,
    pub(crate) a: u16,
    pub(crate) b: u16,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0u8..14, any::<u16>(), any::<u16>()).prop_map(|(kind, a, b)| Step { kind, a, b });
    prop::collection::vec(step, 1..70)
}

const TYPES: [&str; 3] = ["user", "group", "host"];
const CLASSES: [&[&str]; 4] = [&["User"], &["UserGroup", "Group"], &[], &["Host", "User"]];
const VERBS: [&str; 2] = ["HAS", "USES"];
const TAGS: [&str; 4] = ["red", "Green|HAS|", "blau", "größe"];

fn namespace(seed: usize) -> Namespace {
    Namespace::new(["api", "import"][seed % 2], ["", "one"][seed / 2 % 2])
}

fn text(seed: usize) -> String {
    format!("Name {} {}", seed % 900, TAGS[seed % 4])
}

/// A value of a property that suits its usual kind, sometimes not, sometimes none.
fn value(property: &str, seed: usize) -> Value {
    if seed.is_multiple_of(11) {
        return Value::Null;
    }
    if seed.is_multiple_of(13) {
        return Value::from(TAGS[seed % 4]);
    }
    match property {
        "flag" => Value::Bool(seed.is_multiple_of(3)),
        "count" => Value::Int(seed as i64 % 7),
        "name" => Value::String(text(seed)),
        "tag" => Value::from(TAGS[seed % 4]),
        "when" => Value::Instant(Instant::from_millis(seed as i64 % 5)),
        _ => match seed % 6 {
            0 => Value::Float(seed as f64 / 2.0),
            1 => Value::from(vec!["a", TAGS[seed % 4]]),
            2 => Value::Document(serde_json::json!({"deep": [seed]}).into()),
            3 => Value::String("long ".repeat(200)),
            4 => Value::Bytes(vec![seed as u8; 3]),
            _ => Value::Int(2),
        },
    }
}

const PROPERTIES: [&str; 6] = ["flag", "count", "name", "tag", "when", "other"];

/// A column of a batch in the form that its property suggests, and its values.
fn column(property: &str, rows: usize, seed: usize) -> Column {
    let each = |row: usize| seed.wrapping_mul(31).wrapping_add(row * 7);
    let values = match property {
        "flag" => ColumnValues::Bools((0..rows).map(|row| (each(row) % 3) as u8).collect()),
        "count" => ColumnValues::Ints((0..rows).map(|row| each(row) as i64 % 9).collect()),
        "name" => {
            let mut arena = StringArena::new();
            (0..rows).for_each(|row| {
                arena.push(&text(each(row))).unwrap();
            });
            ColumnValues::Texts(arena)
        }
        "tag" => ColumnValues::Coded {
            codes: (0..rows)
                .map(|row| [0, 1, 2, ABSENT_CODE][each(row) % 4])
                .collect(),
            dictionary: vec![Value::from("red"), Value::Bool(true), Value::Int(5)],
        },
        "when" => ColumnValues::Floats((0..rows).map(|row| each(row) as f64 % 4.0).collect()),
        _ => ColumnValues::Mixed((0..rows).map(|row| value("other", each(row))).collect()),
    };
    Column {
        property: property.to_owned(),
        values,
    }
}

fn put(values: &mut BTreeMap<String, Value>, property: &str, value: Value) {
    match value {
        Value::Null => drop(values.remove(property)),
        value => drop(values.insert(property.to_owned(), value)),
    }
}

impl World {
    /// Takes a step in the model and in the real state.
    pub(crate) fn take(&mut self, step: &Step) {
        self.now = self.now.plus_micros(10);
        let (a, b) = (usize::from(step.a), usize::from(step.b));
        let changes = match step.kind {
            0 | 1 => vec![self.create(a, b, 1 + b % 6)],
            2 | 3 => self.patch(a, b),
            4 => self.delete(a),
            5 | 6 => self.relate(a, b, 1 + b % 4),
            7 => self.relate(a, b, 8 + b % 12),
            8 => self.patch_edges(a, b),
            9 => self.end_edges(a, b),
            10 => self.relate_edge(a, b),
            11 => self.alias(a, b),
            12 => self.unalias(a),
            _ => {
                let mut changes = vec![self.create(a, b, 1 + a % 3), self.create(b, a, 2)];
                changes.extend(self.relate(b, a, 10));
                changes.extend(self.patch(b, a));
                changes.extend(self.end_edges(a, b));
                changes.extend(self.relate(a, a, 2));
                changes
            }
        };
        self.commit(changes);
    }

    fn create(&mut self, a: usize, b: usize, rows: usize) -> Change {
        let (entity_type, classes) = (TYPES[a % 3], CLASSES[b % 4]);
        let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
        let namespace = namespace(a / 3);
        let first = self.model.entities.len();
        let wanted = PROPERTIES
            .iter()
            .enumerate()
            .filter(|(at, _)| (a + b) >> at & 1 == 1);
        let columns: Vec<Column> = wanted
            .map(|(at, property)| column(property, rows, b + at))
            .collect();
        let mut keys = StringArena::new();
        for row in 0..rows {
            // Keys come again after their owner has ended, and in other namespaces.
            let mut key = format!("k{}", (b + row) % 40);
            let taken = |key: &str| {
                self.model.entities.iter().any(|other| {
                    other.life.ended.is_none() && other.key == key && other.namespace == namespace
                })
            };
            if taken(&key) {
                key = format!("k|{}", self.model.entities.len());
            }
            keys.push(&key).unwrap();
            let mut values = BTreeMap::new();
            for column in &columns {
                put(&mut values, &column.property, column.values.get(row));
            }
            self.model.entities.push(ModelEntity {
                entity_type: entity_type.to_owned(),
                classes: classes.clone(),
                namespace: namespace.clone(),
                key,
                values,
                life: Life::new(self.now),
            });
        }
        Change::CreateEntities(EntityBatch {
            entity_type: entity_type.to_owned(),
            classes,
            namespace,
            first: EntityNumber(first as u32),
            keys,
            columns,
        })
    }

    fn patch(&mut self, a: usize, b: usize) -> Vec<Change> {
        let live = self.model.live_entities();
        let of_type = live
            .into_iter()
            .filter(|number| self.model.entities[*number as usize].entity_type == TYPES[a % 3]);
        let chosen: Vec<u32> = of_type
            .filter(|number| (*number as usize + b).is_multiple_of(3))
            .collect();
        if chosen.is_empty() {
            return Vec::new();
        }
        let classes = (b.is_multiple_of(5)).then(|| {
            CLASSES[a % 4]
                .iter()
                .map(|class| (*class).to_owned())
                .collect::<Vec<String>>()
        });
        let mut columns = Vec::new();
        for (at, property) in PROPERTIES.iter().enumerate() {
            if (a ^ b) >> at & 1 == 1 {
                continue;
            }
            let cell = |number: &u32| match (*number as usize + a) % 4 {
                0 => Cell::Keep,
                _ => Cell::Set(value(property, *number as usize * 3 + b + at)),
            };
            let cells = chosen.iter().map(cell).collect();
            columns.push(PatchColumn {
                property: (*property).to_owned(),
                cells,
            });
        }
        for (position, number) in chosen.iter().enumerate() {
            let entity = &mut self.model.entities[*number as usize];
            entity.life.change(self.now);
            if let Some(classes) = &classes {
                entity.classes.clone_from(classes);
            }
            for column in &columns {
                if let Cell::Set(value) = &column.cells[position] {
                    put(&mut entity.values, &column.property, value.clone());
                }
            }
        }
        vec![Change::PatchEntities(EntityPatch {
            entity_type: TYPES[a % 3].to_owned(),
            entities: chosen.into_iter().map(EntityNumber).collect(),
            columns,
            classes,
        })]
    }

    fn delete(&mut self, a: usize) -> Vec<Change> {
        let live = self.model.live_entities();
        let Some(number) = live.get(a % live.len().max(1)).copied() else {
            return Vec::new();
        };
        let mut changes = self.end_at(&[super::entity(number)]);
        let entity = &mut self.model.entities[number as usize];
        entity.life.ended = Some(self.now);
        changes.push(Change::DeleteEntities {
            entity_type: entity.entity_type.clone(),
            entities: vec![EntityNumber(number)],
        });
        changes
    }

    /// Ends every relationship at these objects, and those at the ended ones, and so on.
    fn end_at(&mut self, objects: &[ObjectNumber]) -> Vec<Change> {
        let mut doomed: Vec<u32> = Vec::new();
        let mut objects = objects.to_vec();
        while let Some(object) = objects.pop() {
            for number in self.model.live_edges() {
                let edge = &self.model.edges[number as usize];
                let at = |end: &EndType, of: u32| match end {
                    EndType::Entity(_) => super::entity(of),
                    EndType::Relationship => super::relationship(of),
                };
                let touched = at(&edge.triple.from, edge.from) == object
                    || at(&edge.triple.to, edge.to) == object;
                if touched && !doomed.contains(&number) {
                    doomed.push(number);
                    objects.push(super::relationship(number));
                }
            }
        }
        self.end(doomed)
    }

    fn end(&mut self, doomed: Vec<u32>) -> Vec<Change> {
        let mut by_triple: BTreeMap<Triple, Vec<RelationshipNumber>> = BTreeMap::new();
        for number in doomed {
            let edge = &mut self.model.edges[number as usize];
            edge.life.ended = Some(self.now);
            by_triple
                .entry(edge.triple.clone())
                .or_default()
                .push(RelationshipNumber(number));
        }
        let change = |(triple, mut relationships): (Triple, Vec<RelationshipNumber>)| {
            relationships.sort_unstable();
            Change::DeleteRelationships {
                triple,
                relationships,
            }
        };
        by_triple.into_iter().map(change).collect()
    }

    fn relate(&mut self, a: usize, b: usize, count: usize) -> Vec<Change> {
        let live = self.model.live_entities();
        let of = |name: &str| -> Vec<u32> {
            let is = |number: &u32| self.model.entities[*number as usize].entity_type == name;
            live.iter().copied().filter(is).collect()
        };
        let (from, to) = (TYPES[a % 3], TYPES[b % 3]);
        let (starts, ends) = (of(from), of(to));
        if starts.is_empty() || ends.is_empty() {
            return Vec::new();
        }
        let triple = Triple::entities(from, VERBS[(a + b) % 2], to);
        let mut pairs: Vec<(u32, u32)> = (0..count)
            .map(|turn| {
                // Few starts, so that some become hubs.
                let start = starts[(a / 3 + turn / 5) % starts.len()];
                (start, ends[(b / 3 + turn * 2) % ends.len()])
            })
            .collect();
        if !a.is_multiple_of(4) {
            pairs.sort_unstable();
        }
        self.connect(triple, &pairs, a, b)
    }

    fn relate_edge(&mut self, a: usize, b: usize) -> Vec<Change> {
        let (edges, entities) = (self.model.live_edges(), self.model.live_entities());
        if edges.is_empty() || entities.is_empty() {
            return Vec::new();
        }
        let edge = edges[a % edges.len()];
        let entity = entities[b % entities.len()];
        let name = self.model.entities[entity as usize].entity_type.clone();
        let (from, to, pair) = match a % 2 {
            0 => (EndType::Relationship, EndType::Entity(name), (edge, entity)),
            _ => (EndType::Entity(name), EndType::Relationship, (entity, edge)),
        };
        self.connect(
            Triple {
                from,
                verb: "MARKED".to_owned(),
                to,
            },
            &[pair],
            a,
            b,
        )
    }

    fn connect(&mut self, triple: Triple, pairs: &[(u32, u32)], a: usize, b: usize) -> Vec<Change> {
        let first = self.model.edges.len();
        let namespace = namespace(b);
        let taken = |pair: &(u32, u32)| {
            self.model.edges.iter().any(|edge| {
                edge.life.ended.is_none()
                    && edge.triple == triple
                    && (edge.from, edge.to) == *pair
                    && edge.key.is_none()
            })
        };
        let distinct: std::collections::BTreeSet<_> = pairs.iter().collect();
        let conventional =
            !b.is_multiple_of(3) && distinct.len() == pairs.len() && !pairs.iter().any(taken);
        let mut keys = StringArena::new();
        let columns = match a % 3 {
            0 => Vec::new(),
            _ => vec![
                column("tag", pairs.len(), a),
                column("other", pairs.len(), b),
            ],
        };
        for (row, (from, to)) in pairs.iter().enumerate() {
            let key = format!("edge:{}", self.model.edges.len());
            keys.push(&key).unwrap();
            let mut values = BTreeMap::new();
            for column in &columns {
                put(&mut values, &column.property, column.values.get(row));
            }
            self.model.edges.push(ModelEdge {
                triple: triple.clone(),
                from: *from,
                to: *to,
                edge_type: format!("type_{}", a % 2),
                namespace: namespace.clone(),
                key: (!conventional).then_some(key),
                values,
                life: Life::new(self.now),
            });
        }
        vec![Change::CreateRelationships(RelationshipBatch {
            triple,
            relationship_type: format!("type_{}", a % 2),
            namespace,
            first: RelationshipNumber(first as u32),
            from: pairs.iter().map(|(from, _)| *from).collect(),
            to: pairs.iter().map(|(_, to)| *to).collect(),
            keys: if conventional {
                RelationshipKeys::Conventional
            } else {
                RelationshipKeys::Explicit(keys)
            },
            columns,
        })]
    }

    fn patch_edges(&mut self, a: usize, b: usize) -> Vec<Change> {
        let live = self.model.live_edges();
        let Some(number) = live.get(a % live.len().max(1)).copied() else {
            return Vec::new();
        };
        let triple = self.model.edges[number as usize].triple.clone();
        let same = |other: &u32| {
            self.model.edges[*other as usize].triple == triple
                && (*other as usize + b).is_multiple_of(2)
        };
        let chosen: Vec<u32> = live.iter().copied().filter(same).collect();
        let cell = |number: &u32| Cell::Set(value("other", *number as usize + b));
        let cells: Vec<Cell> = chosen.iter().map(cell).collect();
        for (number, cell) in chosen.iter().zip(&cells) {
            let edge = &mut self.model.edges[*number as usize];
            edge.life.change(self.now);
            if let Cell::Set(value) = cell {
                put(&mut edge.values, "other", value.clone());
            }
        }
        let relationships = chosen.into_iter().map(RelationshipNumber).collect();
        let columns = vec![PatchColumn {
            property: "other".to_owned(),
            cells,
        }];
        vec![Change::PatchRelationships(RelationshipPatch {
            triple,
            relationships,
            columns,
        })]
    }

    fn end_edges(&mut self, a: usize, b: usize) -> Vec<Change> {
        let live = self.model.live_edges();
        let chosen: Vec<u32> = live
            .into_iter()
            .filter(|number| (*number as usize + a).is_multiple_of(2 + b % 5))
            .collect();
        // First what hangs on the chosen ones, then these.
        let objects: Vec<ObjectNumber> = chosen
            .iter()
            .map(|number| super::relationship(*number))
            .collect();
        let mut changes = self.end_at(&objects);
        let rest = chosen.into_iter();
        let rest: Vec<u32> = rest
            .filter(|number| self.model.edges[*number as usize].life.ended.is_none())
            .collect();
        changes.extend(self.end(rest));
        changes
    }

    fn alias(&mut self, a: usize, b: usize) -> Vec<Change> {
        let (entities, edges) = (self.model.live_entities(), self.model.live_edges());
        let object = match a % 3 {
            0 => edges
                .get(b % edges.len().max(1))
                .map(|number| super::relationship(*number)),
            _ => entities
                .get(b % entities.len().max(1))
                .map(|number| super::entity(*number)),
        };
        let Some(object) = object else {
            return Vec::new();
        };
        let alias = format!("alias {}", a % 50);
        let taken = self.model.aliases.iter().any(|(other, _)| *other == alias);
        if taken {
            return Vec::new();
        }
        self.model.aliases.insert((alias.clone(), object));
        vec![Change::AddAlias { object, alias }]
    }

    fn unalias(&mut self, a: usize) -> Vec<Change> {
        let count = self.model.aliases.len().max(1);
        let Some((alias, object)) = self.model.aliases.iter().nth(a % count).cloned() else {
            return Vec::new();
        };
        self.model.aliases.remove(&(alias.clone(), object));
        vec![Change::RemoveAlias { object, alias }]
    }
}
