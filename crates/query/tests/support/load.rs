// SPDX-License-Identifier: Apache-2.0
//! Loads graphs in synchronization-upload shape into a state, without a store.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durward_catalog::Catalog;
use durward_graph::{Snapshot, StateWriter};
use durward_model::change::{
    Change, Column, ColumnValues, EntityBatch, RelationshipBatch, RelationshipKeys, Triple,
};
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{
    EntityNumber, IdCipher, Instant, Namespace, RelationshipNumber, StringArena, Value,
};
use serde_json::{Map, Value as Json};

/// Objects of one sort that go into one batch.
#[derive(Default)]
struct Rows {
    keys: Vec<String>,
    ends: Vec<(u32, u32)>,
    properties: BTreeMap<String, Vec<Value>>,
}

impl Rows {
    fn add(&mut self, object: &Map<String, Json>) {
        let row = self.keys.len();
        self.keys.push(object["_key"].as_str().unwrap().to_owned());
        for (name, value) in object.iter().filter(|(name, _)| !name.starts_with('_')) {
            let column = self.properties.entry(name.clone()).or_default();
            column.resize(row, Value::Null);
            column.push(Value::from_json(value).unwrap());
        }
    }

    fn columns(&mut self, order: Option<&[usize]>) -> Vec<Column> {
        let rows = self.keys.len();
        let columns = std::mem::take(&mut self.properties).into_iter();
        let column = |(property, mut values): (String, Vec<Value>)| {
            values.resize(rows, Value::Null);
            if let Some(order) = order {
                values = order.iter().map(|row| values[*row].clone()).collect();
            }
            Column {
                property,
                values: ColumnValues::Mixed(values),
            }
        };
        columns.map(column).collect()
    }
}

fn lines(folder: &Path, name: &str) -> impl Iterator<Item = Map<String, Json>> {
    let plain = |ending: &str| folder.join(format!("{name}.{ending}"));
    let candidates = [plain("jsonl"), plain("ndjson"), plain("jsonl.gz")];
    let path: PathBuf = candidates.into_iter().find(|path| path.exists()).unwrap();
    let file = File::open(&path).unwrap();
    let reader: Box<dyn BufRead> = if path.extension().unwrap() == "gz" {
        Box::new(BufReader::new(flate2::read::GzDecoder::new(file)))
    } else {
        Box::new(BufReader::with_capacity(1 << 20, file))
    };
    reader
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

fn texts(json: &Json) -> Vec<String> {
    match json {
        Json::Array(items) => items.iter().flat_map(texts).collect(),
        other => vec![other.as_str().unwrap().to_owned()],
    }
}

fn arena<'t>(texts: impl Iterator<Item = &'t String>) -> StringArena {
    let mut arena = StringArena::new();
    texts.for_each(|text| {
        arena.push(text).unwrap();
    });
    arena
}

/// Everything in the files `entities` and `relationships` of a folder.
pub(crate) fn load(folder: &Path) -> Arc<Snapshot> {
    let namespace = Namespace::new("api", "data");
    let mut batches: BTreeMap<(String, Vec<String>), Rows> = BTreeMap::new();
    for object in lines(folder, "entities") {
        let entity_type = object["_type"].as_str().unwrap().to_owned();
        batches
            .entry((entity_type, texts(&object["_class"])))
            .or_default()
            .add(&object);
    }
    let mut numbers: HashMap<String, (u32, String)> = HashMap::new();
    let mut changes = Vec::new();
    let mut next = 0;
    for ((entity_type, classes), mut rows) in batches {
        let first = EntityNumber(next);
        let columns = rows.columns(None);
        let keys = arena(rows.keys.iter());
        for key in rows.keys {
            numbers.insert(key, (next, entity_type.clone()));
            next += 1;
        }
        changes.push(Change::CreateEntities(EntityBatch {
            entity_type,
            classes,
            namespace: namespace.clone(),
            first,
            keys,
            columns,
        }));
    }
    let mut edges: BTreeMap<(String, String, String, String), Rows> = BTreeMap::new();
    for object in lines(folder, "relationships") {
        let (from, from_type) = &numbers[object["_fromEntityKey"].as_str().unwrap()];
        let (to, to_type) = &numbers[object["_toEntityKey"].as_str().unwrap()];
        let verb = object["_class"].as_str().unwrap().to_owned();
        let named = object["_type"].as_str().unwrap().to_owned();
        let place = (from_type.clone(), verb, to_type.clone(), named);
        let rows = edges.entry(place).or_default();
        rows.add(&object);
        rows.ends.push((*from, *to));
    }
    let mut next = 0;
    for ((from_type, verb, to_type, relationship_type), mut rows) in edges {
        let mut order: Vec<usize> = (0..rows.ends.len()).collect();
        order.sort_by_key(|row| rows.ends[*row]);
        let columns = rows.columns(Some(&order));
        changes.push(Change::CreateRelationships(RelationshipBatch {
            triple: Triple::entities(&from_type, &verb, &to_type),
            relationship_type,
            namespace: namespace.clone(),
            first: RelationshipNumber(next),
            from: order.iter().map(|row| rows.ends[*row].0).collect(),
            to: order.iter().map(|row| rows.ends[*row].1).collect(),
            keys: RelationshipKeys::Explicit(arena(order.iter().map(|row| &rows.keys[*row]))),
            columns,
        }));
        next += order.len() as u32;
    }
    let catalog = Arc::new(Catalog::built_in().unwrap());
    let mut writer = StateWriter::new(Snapshot::new(IdCipher::new(&[5; 32]), catalog, 11));
    let transaction = Transaction {
        sequence: Sequence(1),
        committed_at: Instant::from_millis(1_700_000_000_000),
        origin: Origin::default(),
        idempotency_key: String::new(),
        changes,
    };
    writer.apply_owned(transaction).unwrap();
    writer.publish()
}
