// SPDX-License-Identifier: Apache-2.0
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use durward_catalog::Catalog;
use durward_journal::file_seal::TestSeal;
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{IdCipher, Instant, Namespace, Value};

use super::{DiffError, DiffReport, JobSpec, SyncMode, prepare};
use crate::bulk::staging::Staging;
use crate::bulk::{BodyKind, ItemRules, PartialTypes, read_body};
use crate::state::{Snapshot, StateWriter};
use crate::view::View;

mod mapped;
mod told;

struct World {
    catalog: Arc<Catalog>,
    writer: StateWriter,
    snapshot: Arc<Snapshot>,
    folder: tempfile::TempDir,
    jobs: u32,
    stamp: Vec<(String, Value)>,
}

impl World {
    fn new() -> Self {
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let first = Snapshot::new(IdCipher::new(&[3; 32]), Arc::clone(&catalog), 7);
        let mut writer = StateWriter::new(first);
        let snapshot = writer.publish();
        let folder = tempfile::tempdir().unwrap();
        Self {
            catalog,
            writer,
            snapshot,
            folder,
            jobs: 0,
            stamp: Vec::new(),
        }
    }

    fn view(&self) -> View {
        self.snapshot.view(None)
    }

    fn run(
        &mut self,
        mode: SyncMode,
        scope: &str,
        bodies: &[&str],
    ) -> Result<DiffReport, DiffError> {
        self.run_with(mode, scope, bodies, &[], false)
    }

    fn run_with(
        &mut self,
        mode: SyncMode,
        scope: &str,
        bodies: &[&str],
        partial: &[&str],
        ignore_duplicates: bool,
    ) -> Result<DiffReport, DiffError> {
        self.jobs += 1;
        let folder = self.folder.path().join(self.jobs.to_string());
        let mut staging = Staging::open(&folder, Arc::new(TestSeal(1)), "job").unwrap();
        let rules = ItemRules {
            catalog: &self.catalog,
            patch: mode == SyncMode::Patch,
            ignore_illegal_properties: false,
        };
        for (at, body) in bodies.iter().enumerate() {
            let part = read_body(body.as_bytes(), BodyKind::Upload, rules).unwrap();
            assert_eq!(part.rejected.items, []);
            let writer = staging.reserve(0);
            let part = writer.write(&part, at as u128, ignore_duplicates);
            staging.add(part.unwrap()).unwrap();
        }
        let spec = JobSpec {
            namespace: Namespace::new("api", scope),
            mode,
            partial: PartialTypes {
                all: false,
                types: partial.iter().map(ToString::to_string).collect(),
            },
            stamp: self.stamp.clone(),
        };
        let prepared = prepare(&self.view(), &spec, staging.parts(), &self.catalog)?;
        if !prepared.changes.is_empty() {
            let sequence = self.snapshot.sequence().next();
            let transaction = Transaction {
                sequence,
                committed_at: Instant::from_millis(1000 * sequence.0 as i64),
                origin: Origin::default(),
                idempotency_key: String::new(),
                changes: prepared.changes,
            };
            self.writer.apply(&transaction).unwrap();
            self.snapshot = self.writer.publish();
        }
        Ok(prepared.report)
    }

    fn value(&self, scope: &str, key: &str, property: &str) -> Value {
        let view = self.view();
        let entity = view
            .find_by_key(&Namespace::new("api", scope), key)
            .expect(key);
        let Some(property) = view.property_id(property) else {
            return Value::Null;
        };
        view.value(entity, property)
    }

    /// Keys of all live relationships.
    fn edges(&self) -> BTreeSet<String> {
        let view = self.view();
        let mut keys = BTreeSet::new();
        for triple in view.triples() {
            for edge in &view.live_edge_rows(triple.id) {
                keys.insert(view.edge_key(crate::EdgeRef {
                    triple: triple.id,
                    edge,
                }));
            }
        }
        keys
    }

    fn has(&self, scope: &str, key: &str) -> bool {
        self.view()
            .find_by_key(&Namespace::new("api", scope), key)
            .is_some()
    }
}

const BASE: &str = r#"{"entities":[
    {"_key":"u1","_type":"user","_class":["User"],"name":"One","age":1,"tags":["a","b"]},
    {"_key":"u2","_type":"user","_class":["User"],"name":"Two","on":true},
    {"_key":"g1","_type":"team","_class":"UserGroup","name":"G"}],
  "relationships":[
    {"_key":"g1|HAS|u1","_type":"team_has_user","_class":"HAS",
     "_fromEntityKey":"g1","_toEntityKey":"u1"},
    {"_key":"own","_type":"team_has_user","_class":"HAS",
     "_fromEntityKey":"g1","_toEntityKey":"u2","w":1}]}"#;

fn counts(report: &DiffReport) -> [[u64; 4]; 2] {
    let four = |counts: &super::Outcomes| {
        [
            counts.created,
            counts.updated,
            counts.deleted,
            counts.create_errors,
        ]
    };
    [four(&report.entities), four(&report.relationships)]
}

#[test]
fn diff_creates_keeps_changes_and_deletes() {
    let mut world = World::new();
    let report = world.run(SyncMode::Diff, "s", &[BASE]).unwrap();
    assert_eq!(counts(&report), [[3, 0, 0, 0], [2, 0, 0, 0]]);
    assert_eq!(world.value("s", "u1", "tags"), Value::from(vec!["a", "b"]));
    assert_eq!(
        world.edges(),
        ["g1|HAS|u1", "own"].map(str::to_owned).into()
    );
    let before = world.snapshot.sequence();
    let again = world.run(SyncMode::Diff, "s", &[BASE]).unwrap();
    assert_eq!(counts(&again), [[0; 4], [0; 4]]);
    assert_eq!(
        (again.entities.unchanged, again.relationships.unchanged),
        (3, 2)
    );
    assert_eq!(world.snapshot.sequence(), before);
    let changed = r#"{"entities":[
        {"_key":"u1","_type":"user","_class":["User"],"name":"Uno","tags":["a","b"],"new":2.5},
        {"_key":"g1","_type":"team","_class":["UserGroup","Group"],"name":"G"},
        {"_key":"u3","_type":"user","_class":["User"]}],
      "relationships":[
        {"_key":"g1|HAS|u1","_type":"team_has_user","_class":"HAS",
         "_fromEntityKey":"g1","_toEntityKey":"u1","since":7},
        {"_key":"own","_type":"team_has_user","_class":"HAS",
         "_fromEntityKey":"g1","_toEntityKey":"u3","w":1}]}"#;
    let report = world.run(SyncMode::Diff, "s", &[changed]).unwrap();
    assert_eq!(counts(&report), [[1, 2, 1, 0], [1, 1, 1, 0]]);
    assert_eq!(world.value("s", "u1", "name"), Value::from("Uno"));
    assert_eq!(world.value("s", "u1", "age"), Value::Null);
    assert_eq!(world.value("s", "u1", "new"), Value::Float(2.5));
    assert!(!world.has("s", "u2") && world.has("s", "u3"));
    let view = world.view();
    let group = view.find_by_key(&Namespace::new("api", "s"), "g1").unwrap();
    let classes: Vec<&str> = view
        .classes(group)
        .into_iter()
        .map(|c| view.class_name(c))
        .collect();
    assert_eq!(classes, ["UserGroup", "Group"]);
    let own = view
        .find_edge_by_key(&Namespace::new("api", "s"), "own")
        .unwrap();
    assert_eq!(view.key(view.edge_ends(own).unwrap().1), "u3");
    let again = world.run(SyncMode::Diff, "s", &[changed]).unwrap();
    assert_eq!(counts(&again), [[0; 4], [0; 4]]);
}

#[test]
fn scopes_do_not_touch_each_other_and_partial_types_stay() {
    let mut world = World::new();
    world.run(SyncMode::Diff, "a", &[BASE]).unwrap();
    world.run(SyncMode::Diff, "b", &[BASE]).unwrap();
    let team_only =
        r#"{"entities":[{"_key":"g1","_type":"team","_class":"UserGroup","name":"G"}]}"#;
    let partial = ["user", "team_has_user"];
    let report = world
        .run_with(SyncMode::Diff, "a", &[team_only], &partial, false)
        .unwrap();
    assert_eq!(counts(&report), [[0; 4], [0; 4]]);
    let report = world.run(SyncMode::Diff, "a", &[team_only]).unwrap();
    assert_eq!(counts(&report), [[0, 0, 2, 0], [0, 0, 2, 0]]);
    assert!(world.has("b", "u1") && !world.has("a", "u1"));
    assert_eq!(world.edges().len(), 2);
    let gone = world
        .run(SyncMode::Diff, "b", &[r#"{"entities":[]}"#])
        .unwrap();
    assert_eq!(counts(&gone), [[0, 0, 3, 0], [0, 0, 2, 0]]);
    let back = world.run(SyncMode::Diff, "b", &[BASE]).unwrap();
    assert_eq!(counts(&back), [[3, 0, 0, 0], [2, 0, 0, 0]]);
}

#[test]
fn a_new_type_under_an_old_key_is_another_entity() {
    let mut world = World::new();
    world.run(SyncMode::Diff, "s", &[BASE]).unwrap();
    let moved = BASE.replace(
        r#""_key":"u1","_type":"user""#,
        r#""_key":"u1","_type":"robot""#,
    );
    let report = world.run(SyncMode::Diff, "s", &[&moved]).unwrap();
    assert_eq!(counts(&report), [[1, 0, 1, 0], [1, 0, 1, 0]]);
    let view = world.view();
    let robot = view.find_by_key(&Namespace::new("api", "s"), "u1").unwrap();
    assert_eq!(view.type_name(robot.type_id), "robot");
    assert_eq!(world.edges().len(), 2);
}

#[test]
fn patch_adds_and_updates_by_key_and_id_and_removes_what_is_listed() {
    let mut world = World::new();
    world.run(SyncMode::Diff, "s", &[BASE]).unwrap();
    let id = {
        let view = world.view();
        let entity = view.find_by_key(&Namespace::new("api", "s"), "u2").unwrap();
        view.id_cipher().uuid_of(view.entity_id(entity))
    };
    let patch = format!(
        r#"{{"entities":[{{"_key":"u1","age":2,"name":null}},{{"_id":"{id}","on":false}},
            {{"_key":"u9","_type":"user","_class":"User","name":"Nine"}},{{"_key":"nobody","x":1}}],
          "relationships":[{{"_key":"g1|HAS|u1","_type":"team_has_user","_class":"HAS",
            "_fromEntityKey":"g1","_toEntityKey":"u1","z":1}}],
          "deleteEntities":[{{"_key":"g7"}}],"deleteRelationships":[{{"_key":"own"}}]}}"#
    );
    let report = world.run(SyncMode::Patch, "s", &[&patch]).unwrap();
    assert_eq!(counts(&report), [[1, 2, 0, 0], [0, 1, 1, 0]]);
    assert_eq!(report.entities.update_errors, 1);
    assert_eq!(world.value("s", "u1", "age"), Value::Int(2));
    assert_eq!(world.value("s", "u1", "name"), Value::Null);
    assert_eq!(world.value("s", "u1", "tags"), Value::from(vec!["a", "b"]));
    assert_eq!(world.value("s", "u2", "on"), Value::Bool(false));
    assert_eq!(world.value("s", "u9", "name"), Value::from("Nine"));
    let remove = r#"{"deleteEntities":[{"_key":"g1"}]}"#;
    let report = world.run(SyncMode::Patch, "s", &[remove]).unwrap();
    assert_eq!(counts(&report), [[0, 0, 1, 0], [0, 0, 1, 0]]);
    assert!(world.edges().is_empty());
}

#[test]
fn twins_count_once_and_different_ones_are_errors() {
    let mut world = World::new();
    let one = r#"{"entities":[{"_key":"a","_type":"t","_class":"C","n":1}],
        "relationships":[{"_type":"r","_class":"IS","_fromEntityKey":"a","_toEntityKey":"a"}]}"#;
    let two = r#"{"entities":[{"_key":"a","_type":"t","_class":"C","n":2}]}"#;
    let report = world.run(SyncMode::Diff, "s", &[one, one]).unwrap();
    assert_eq!(
        (counts(&report), report.twins),
        ([[1, 0, 0, 0], [1, 0, 0, 0]], 2)
    );
    let error = world.run(SyncMode::Diff, "s", &[one, two]).unwrap_err();
    assert!(matches!(error, DiffError::Duplicates { count: 1, ref key } if key == "a"));
    let report = world
        .run_with(SyncMode::Diff, "s", &[one, two], &[], true)
        .unwrap();
    assert_eq!(counts(&report), [[0, 1, 0, 0], [0, 0, 0, 0]]);
    assert_eq!(world.value("s", "a", "n"), Value::Int(2));
}

#[test]
fn missing_and_protected_ends_are_counted_and_named() {
    let mut world = World::new();
    let body = r#"{"entities":[{"_key":"a","_type":"t","_class":"C"}],
      "relationships":[
        {"_type":"r","_class":"HAS","_fromEntityKey":"a","_toEntityKey":"nobody"},
        {"_type":"r","_class":"HAS","_fromEntityKey":"a","_toEntityId":"0123456789abcdef"},
        {"_type":"r","_class":"HAS","_fromEntityKey":"a","_toEntityKey":"a"}]}"#;
    let report = world.run(SyncMode::Diff, "s", &[body]).unwrap();
    assert_eq!(counts(&report), [[1, 0, 0, 0], [1, 0, 0, 2]]);
    assert_eq!(
        report.messages[0],
        "relationship of type r: entity \"nobody\" (_to) does not exist"
    );
}

#[test]
fn cross_scope_relationships_join_other_scopes() {
    let mut world = World::new();
    world.run(SyncMode::Diff, "a", &[BASE]).unwrap();
    world
        .run(
            SyncMode::Diff,
            "b",
            &[r#"{"entities":[{"_key":"host","_type":"host","_class":"Host"}]}"#],
        )
        .unwrap();
    let body = r#"{"relationships":[
        {"_key":"x","_type":"r","_class":"OWNS","_fromEntityKey":"u1","_toEntityKey":"host"},
        {"_key":"y","_type":"r","_class":"OWNS","_fromEntityKey":"u2","_fromEntityScope":"a",
         "_toEntityKey":"host","_toEntityScope":"b"}]}"#;
    let report = world.run(SyncMode::CrossScope, "cross", &[body]).unwrap();
    assert_eq!(counts(&report), [[0; 4], [2, 0, 0, 0]]);
    let report = world.run(SyncMode::CrossScope, "cross", &[body]).unwrap();
    assert_eq!(report.relationships.unchanged, 2);
    let gone = world
        .run(SyncMode::Diff, "b", &[r#"{"entities":[]}"#])
        .unwrap();
    assert_eq!(counts(&gone), [[0, 0, 1, 0], [0, 0, 2, 0]]);
}

#[test]
fn mapped_relationships_find_or_make_their_targets() {
    let mut world = World::new();
    world.run(SyncMode::Diff, "people", &[BASE]).unwrap();
    let mapping = |name: &str, extra: &str| {
        format!(
            r#"{{"_key":"m-{name}","_type":"m","_class":"IS",
            "_mapping":{{"relationshipDirection":"FORWARD","sourceEntityKey":"s",
            "targetFilterKeys":[["_type","name"]],{extra}
            "targetEntity":{{"_type":"user","_class":"User","name":"{name}"}}}}}}"#
        )
    };
    let body = format!(
        r#"{{"entities":[{{"_key":"s","_type":"src","_class":"C"}}],"relationships":[{},{},{}]}}"#,
        mapping("One", ""),
        mapping("Unknown", ""),
        mapping("Never", r#""skipTargetCreation":true,"#),
    );
    let report = world.run(SyncMode::Diff, "s", &[&body]).unwrap();
    assert_eq!((report.mapped.created, report.entities.created), (2, 2));
    let view = world.view();
    let made = view.find_by_key_any_namespace("user|_type=\"user\"|name=\"Unknown\"");
    assert_eq!(view.namespace(made[0]).source, "system-mapper");
    let again = world.run(SyncMode::Diff, "s", &[&body]).unwrap();
    assert_eq!((again.mapped.unchanged, again.mapped.created), (2, 0));
    assert_eq!(counts(&again), [[0; 4], [0; 4]]);
}

#[test]
fn protected_objects_are_out_of_reach() {
    let mut world = World::new();
    let spec = JobSpec {
        namespace: Namespace::durward(),
        mode: SyncMode::Diff,
        partial: PartialTypes::default(),
        stamp: Vec::new(),
    };
    let error = prepare(&world.view(), &spec, &[], &world.catalog).unwrap_err();
    assert!(matches!(error, DiffError::Protected));
    assert_eq!(world.snapshot.sequence(), Sequence(0));
    world.run(SyncMode::Diff, "s", &[BASE]).unwrap();
}
