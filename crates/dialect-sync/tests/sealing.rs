// SPDX-License-Identifier: Apache-2.0
//! Files of jobs that were altered, or are those of another job or organization: each is noticed,
//! and nothing of it is applied.
#![allow(clippy::type_complexity, reason = "a table of places")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "tests may panic, and their support is not a public API"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use durward_dialect_sync::set_aside_in;
use durward_model::Value;
use serde_json::{Value as Json, json};
use support::{SECRET, World, counters, entity, record_of, seal_record};
use tempfile::TempDir;

const RECORD: &str = "job.json";
const PART: &str = "parts/000000.part";

/// Two open jobs over a scope of one box, each with an upload of its own, and a finished job.
struct Scene {
    folder: TempDir,
    /// What `job` uploaded is `b`, and what `other` did is `c`.
    job: String,
    other: String,
}

/// Lets a world go the way a stopped server does.
fn end(world: World) {
    world.store.close().unwrap();
    drop(world);
}

async fn begun(world: &World, key: &str) -> String {
    let id = world.start_diff("s").await;
    let body = json!({"entities": [entity(key, key)]}).to_string();
    world.done(&format!("/{id}/entities"), body).await;
    id
}

impl Scene {
    async fn new(secret: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::open_with(folder.path(), secret);
        let start = json!({"source": "api", "scope": "s"});
        let upload = json!({"entities": [entity("a", "a")]});
        world.run(start, upload, json!({})).await;
        let (job, other) = (begun(&world, "b").await, begun(&world, "c").await);
        end(world);
        Self { folder, job, other }
    }

    fn file(&self, id: &str, name: &str) -> PathBuf {
        self.folder.path().join("jobs").join(id).join(name)
    }

    fn world(&self) -> World {
        World::open(self.folder.path())
    }
}

fn has(world: &World, key: &str) -> bool {
    let namespace = durward_model::Namespace::new("api", "s");
    world.view().find_by_key(&namespace, key).is_some()
}

/// The job is set aside for this reason, it changed nothing, and the others go on.
async fn assert_set_aside(scene: &Scene, because: &str) {
    let world = scene.world();
    let head = world.store.head();
    let path = format!("/{}/finalize", scene.job);
    assert_eq!(world.post(&path, "{}").await.0, StatusCode::NOT_FOUND);
    assert_eq!(world.store.head(), head);
    assert!(has(&world, "a") && !has(&world, "b"));
    let aside = set_aside_in(&scene.folder.path().join("jobs"));
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(aside[0].folder.to_string_lossy().contains(&scene.job));
    let reason = &aside[0].reason;
    assert!(reason.contains(because), "{reason}");
    assert!(reason.contains("upload anew"), "{reason}");
    let job = finalized(&world, &scene.other).await;
    assert_eq!(counters(&job), [1, 0, 1, 0, 0, 0]);
    end(world);
}

async fn finalized(world: &World, id: &str) -> Json {
    world.done(&format!("/{id}/finalize"), "{}").await["job"].clone()
}

#[tokio::test]
async fn a_record_that_was_altered_is_set_aside() {
    let scene = Scene::new(SECRET).await;
    let file = scene.file(&scene.job, RECORD);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut bytes = fs::read(&file).unwrap();
    let at = text(&bytes[40..]).find("\"scope\":\"s\"").unwrap() + 40;
    bytes[at + 9] = b't';
    assert!(text(&bytes[40..]).contains("\"scope\":\"t\""));
    fs::write(&file, bytes).unwrap();
    assert_set_aside(&scene, "not written by this organization").await;
}

#[tokio::test]
async fn a_record_without_a_seal_is_set_aside() {
    let scene = Scene::new(SECRET).await;
    let record = record_of(scene.folder.path(), &scene.job);
    fs::write(scene.file(&scene.job, RECORD), record.to_string()).unwrap();
    assert_set_aside(&scene, "not a sealed file").await;
}

#[tokio::test]
async fn a_record_of_another_job_or_organization_is_set_aside() {
    let scene = Scene::new(SECRET).await;
    let to = scene.file(&scene.job, RECORD);
    fs::copy(scene.file(&scene.other, RECORD), to).unwrap();
    assert_set_aside(&scene, "not written by this organization for this purpose").await;

    // The same job in another organization: only the key tells them apart.
    let scene = Scene::new(SECRET).await;
    let record = record_of(scene.folder.path(), &scene.job);
    seal_record(scene.folder.path(), &scene.job, &record, SECRET + 1);
    assert_set_aside(&scene, "not written by this organization").await;
}

/// What the part held is not applied, and nothing counts as absent for that.
async fn assert_lost(scene: &Scene, how: &str) {
    for _ in 0..2 {
        let world = scene.world();
        let job = world.job(&scene.job).await;
        assert_eq!(job["numEntitiesUploaded"], 0, "{how}");
        assert_eq!(job["partialDatasets"]["allTypes"], true, "{how}");
        end(world);
    }
    let world = scene.world();
    let head = world.store.head();
    let job = finalized(&world, &scene.job).await;
    assert_eq!(
        (counters(&job), world.store.head()),
        ([0; 6], head),
        "{how}"
    );
    assert_eq!(world.value("s", "a", "name"), Value::from("a"), "{how}");
    assert!(!has(&world, "b") && !has(&world, "c"), "{how}");
    end(world);
}

fn flip(file: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(file).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_part_that_was_altered_is_a_lost_upload() {
    let places: [(&str, fn(usize) -> usize); 3] = [
        ("the mark", |_| 0),
        ("the header", |_| 30),
        ("the end of the body", |length| length - 1),
    ];
    for (what, at) in places {
        let scene = Scene::new(SECRET).await;
        flip(&scene.file(&scene.job, PART), at);
        assert_lost(&scene, what).await;
    }
}

#[tokio::test]
async fn a_part_of_another_job_or_organization_is_a_lost_upload() {
    let scene = Scene::new(SECRET).await;
    let to = scene.file(&scene.job, PART);
    fs::copy(scene.file(&scene.other, PART), to).unwrap();
    assert_lost(&scene, "of another job").await;

    let (scene, foreign) = (Scene::new(SECRET).await, Scene::new(SECRET + 1).await);
    // The same job there, so that the purpose is the same too.
    let theirs = foreign.folder.path().join("jobs");
    fs::rename(theirs.join(&foreign.job), theirs.join(&scene.job)).unwrap();
    let record = record_of(scene.folder.path(), &scene.job);
    seal_record(foreign.folder.path(), &scene.job, &record, SECRET + 1);
    fs::remove_file(foreign.file(&scene.job, PART)).unwrap();
    let world = World::open_with(foreign.folder.path(), SECRET + 1);
    let body = json!({"entities": [entity("b", "b")]}).to_string();
    let path = format!("/{}/entities", scene.job);
    world.done(&path, body).await;
    end(world);
    let to = scene.file(&scene.job, PART);
    fs::copy(foreign.file(&scene.job, PART), to).unwrap();
    assert_lost(&scene, "of another organization").await;
}

#[tokio::test]
async fn a_part_that_is_added_is_a_lost_upload() {
    let scene = Scene::new(SECRET).await;
    let own = scene.file(&scene.job, PART);
    fs::copy(&own, own.with_file_name("000001.part")).unwrap();
    let world = scene.world();
    let job = world.job(&scene.job).await;
    assert_eq!(job["numEntitiesUploaded"], 1);
    assert_eq!(job["partialDatasets"]["allTypes"], true);
    let job = finalized(&world, &scene.job).await;
    assert_eq!(counters(&job), [1, 0, 0, 0, 0, 0]);
    end(world);
}

#[tokio::test]
async fn a_part_that_is_altered_while_the_server_runs_is_not_applied() {
    let scene = Scene::new(SECRET).await;
    let world = scene.world();
    let fresh = begun(&world, "d").await;
    let head = world.store.head();
    for (id, how) in [
        (&fresh, "written by this process"),
        (&scene.job, "found by it"),
    ] {
        // One that can be decoded: of the same length, from another job.
        let (from, to) = (scene.file(&scene.other, PART), scene.file(id, PART));
        let length = |file: &Path| fs::metadata(file).unwrap().len();
        assert_eq!(length(&from), length(&to));
        fs::copy(from, to).unwrap();
        let job = finalized(&world, id).await;
        assert_eq!(counters(&job), [0; 6], "{how}");
        assert_eq!(job["status"], "ERROR_UNEXPECTED_FAILURE", "{how}");
        assert_eq!(world.store.head(), head, "{how}");
    }
    finalized(&world, &scene.other).await;
    assert!(has(&world, "c") && !has(&world, "a"));
    end(world);
}
