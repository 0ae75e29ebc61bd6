// SPDX-License-Identifier: Apache-2.0
//! Jobs whose disk fails them, whose finalization never ends, and callers who ask for too much.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "tests may panic, and their support is not a public API"
)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use durward_budget::{Budget, BudgetLimits};
use durward_dialect_sync::{StillAllowed, SyncError};
use durward_graph::bulk::staging::StagingError;
use durward_journal::file_seal::{self, TestSeal};
use serde_json::{Value as Json, json};
use support::{SECRET, World, counters, entity};

/// A scope with two boxes.
async fn filled(world: &World) {
    let upload = json!({"entities": [entity("a", "A"), entity("b", "B")]});
    let start = json!({"source": "api", "scope": "s"});
    let job = world.run(start, upload, json!({})).await;
    assert_eq!(counters(&job)[..3], [2, 0, 0]);
}

/// A job into which one box came; its id.
async fn begun(world: &World) -> String {
    let id = world.start_diff("s").await;
    let body = json!({"entities": [entity("a", "A")]}).to_string();
    world.done(&format!("/{id}/entities"), body).await;
    id
}

async fn finalized(world: &World, id: &str) -> Json {
    world.done(&format!("/{id}/finalize"), "{}").await["job"].clone()
}

/// Keeps the record of a job from being written, until it is removed.
fn block(folder: &Path, id: &str) -> PathBuf {
    let obstacle = folder.join("jobs").join(id).join("job.json.new");
    std::fs::create_dir(&obstacle).unwrap();
    obstacle
}

/// Changes the record of a job as it lies on the disk.
fn rewrite(folder: &Path, id: &str, change: impl Fn(&mut Json)) {
    let (seal, purpose) = (TestSeal(SECRET), format!("synchronization job {id}"));
    let file = folder.join("jobs").join(id).join("job.json");
    let bytes = file_seal::read(&file, &seal, &purpose, 16 << 20).unwrap();
    let mut record: Json = serde_json::from_slice(&bytes).unwrap();
    change(&mut record);
    file_seal::write(&file, &seal, &purpose, record.to_string().as_bytes()).unwrap();
}

/// The next process, after one that was killed while it finalized a job.
fn killed(world: World, folder: &Path, id: &str, change: impl Fn(&mut Json)) -> World {
    world.store.close().unwrap();
    drop(world);
    rewrite(folder, id, |record| {
        record["status"] = json!("FINALIZE_PENDING");
        change(record);
    });
    World::open(folder)
}

async fn taken_up(world: &World) {
    let jobs = Arc::clone(&world.access.jobs);
    let work = tokio::task::spawn_blocking(move || jobs.take_up());
    work.await.unwrap();
}

#[tokio::test]
async fn a_finalization_that_never_ends_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path());
    for (attempts, status) in [(2, "FINISHED"), (3, "ERROR_UNEXPECTED_FAILURE")] {
        let id = begun(&world).await;
        world = killed(world, folder.path(), &id, |record| {
            record["attempts"] = json!(attempts);
        });
        let head = world.store.head();
        taken_up(&world).await;
        let job = world.job(&id).await;
        assert_eq!(job["status"], status, "{job}");
        if attempts == 3 {
            let reason = job["reason"].as_str().unwrap();
            assert!(reason.contains("begun 3 times"), "{reason}");
            assert_eq!(world.store.head(), head);
        }
    }
    // One that reached the journal is done, however often its end was missed.
    let id = world.start_diff("s").await;
    let body = json!({"entities": [entity("z", "Z")]}).to_string();
    world.done(&format!("/{id}/entities"), body).await;
    let first = finalized(&world, &id).await;
    assert_eq!(counters(&first)[..3], [1, 0, 1]);
    world = killed(world, folder.path(), &id, |record| {
        record["attempts"] = json!(3);
        record["planned"] = record["result"].clone();
    });
    taken_up(&world).await;
    let job = world.job(&id).await;
    assert_eq!(
        (&job["status"], counters(&job)),
        (&first["status"], counters(&first))
    );
}

#[tokio::test]
async fn what_cannot_be_kept_does_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    filled(&world).await;
    // An end that cannot be kept: the job is as open as its record on the disk.
    let id = begun(&world).await;
    let obstacle = block(folder.path(), &id);
    let aborted = world.post(&format!("/{id}/abort"), "{}").await;
    assert_eq!(aborted.0, StatusCode::INTERNAL_SERVER_ERROR);
    let job = world.job(&id).await;
    assert_eq!(
        (&job["status"], &job["reason"]),
        (&json!("AWAITING_UPLOADS"), &Json::Null)
    );
    std::fs::remove_dir(&obstacle).unwrap();
    // An attempt that cannot be counted is not begun.
    let world = killed(world, folder.path(), &id, |_| ());
    let (head, obstacle) = (world.store.head(), block(folder.path(), &id));
    taken_up(&world).await;
    assert_eq!(world.store.head(), head);
    std::fs::remove_dir(&obstacle).unwrap();
    taken_up(&world).await;
    let job = world.job(&id).await;
    assert_eq!((&job["status"], counters(&job)[2]), (&json!("FINISHED"), 1));
}

#[tokio::test]
async fn an_upload_that_cannot_be_announced_is_no_absence() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    filled(&world).await;
    let id = begun(&world).await;
    let parts = folder.path().join("jobs").join(&id).join("parts");
    let aside = folder.path().join("aside");
    std::fs::rename(&parts, &aside).unwrap();
    let body = json!({"entities": [entity("b", "B")]}).to_string();
    let (status, _) = world.post(&format!("/{id}/entities"), body).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    std::fs::rename(&aside, &parts).unwrap();
    let job = finalized(&world, &id).await;
    assert_eq!(
        (counters(&job)[2], &job["partialDatasets"]["allTypes"]),
        (0, &json!(true))
    );
}

fn named(id: &str, name: &str, body: String) -> Request<Body> {
    let path = format!("/persister/synchronization/jobs/{id}/entities");
    let request = Request::post(path).header("JupiterOne-Correlation-Id", name);
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn a_refusal_outlives_one_that_was_made_good() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let good = json!({"entities": [entity("b", "B")]}).to_string();
    let mut hasty = world.access.clone();
    hasty.too_many = Some(1);
    for (first, second, all) in [
        ("one", "two", true),
        // One name on several refused uploads does not tell which of them came again.
        ("one", "one", true),
        ("one", "", false),
    ] {
        let id = begun(&world).await;
        for name in [first, second].into_iter().filter(|name| !name.is_empty()) {
            let refused = world.send_as(Some(hasty.clone()), named(&id, name, good.clone()));
            assert_eq!(refused.await.0, StatusCode::TOO_MANY_REQUESTS);
        }
        let again = world.send(named(&id, "one", good.clone())).await;
        assert_eq!(again.0, StatusCode::OK);
        let job = world.job(&id).await;
        assert_eq!(job["partialDatasets"]["allTypes"], all, "{first} {second}");
    }
    // Of those without a name the first says everything.
    let id = begun(&world).await;
    for _ in 0..3 {
        let refused = world.send_as(Some(hasty.clone()), named(&id, "", good.clone()));
        assert_eq!(refused.await.0, StatusCode::TOO_MANY_REQUESTS);
    }
    let job = world.job(&id).await;
    assert_eq!(
        job["partialDatasets"]["reasons"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn more_events_than_a_job_keeps_are_refused_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = world.start_diff("s").await;
    // They are counted before they are looked at.
    let event = json!({"name": "n".repeat(20_000)});
    let events = json!({"events": vec![event; 1001]}).to_string();
    let (status, answer) = world.post(&format!("/{id}/events"), events).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("at most 1000 events"), "{message}");
}

#[tokio::test]
async fn exports_and_dry_runs_wait_for_their_turn_and_pay_for_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path());
    filled(&world).await;
    let id = begun(&world).await;
    let free = world.access.share.clone();
    let mut limits = BudgetLimits::unlimited();
    limits.turns = 1;
    world.access.share = Budget::new(limits).strangers();
    let calls = [
        ("GET", "/entities".to_owned()),
        ("GET", "/relationships".to_owned()),
        (
            "POST",
            format!("/persister/synchronization/jobs/{id}/finalize?dryRun=true"),
        ),
    ];
    for (method, path) in &calls {
        let turn = world.access.share.turn().await.unwrap();
        let request = Request::builder().method(*method).uri(path);
        let asked = world.send(request.body(Body::empty()).unwrap());
        tokio::pin!(asked);
        let waits = tokio::time::timeout(Duration::from_millis(100), &mut asked).await;
        assert!(waits.is_err(), "{path}");
        drop(turn);
        assert_eq!(asked.await.0, StatusCode::OK, "{path}");
        assert_eq!(world.access.share.used_bytes(), 0, "{path}");
    }
    let mut limits = BudgetLimits::unlimited();
    limits.strangers_bytes = 1024;
    world.access.share = Budget::new(limits).strangers();
    let (status, _) = world.get("/entities").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    world.access.share = free;
    let (status, page) = world.get("/entities").await;
    assert_eq!(
        (status, page["items"].as_array().unwrap().len()),
        (StatusCode::OK, 2)
    );
}

#[tokio::test]
async fn an_upload_url_may_be_used_too_often() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::open(folder.path());
    let hasty = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&hasty);
    world.access.still_allowed = StillAllowed(Arc::new(move || {
        if asked.load(Ordering::Relaxed) {
            Err(SyncError::TooMany(7))
        } else {
            Ok(())
        }
    }));
    filled(&world).await;
    let id = begun(&world).await;
    let answer = world.done(&format!("/{id}/uploadUrl"), "").await;
    let url = answer["uploadUrl"].as_str().unwrap();
    let put = || {
        let file = json!({"entities": [entity("b", "B")]}).to_string();
        Request::put(url)
            .header("JupiterOne-Correlation-Id", "u")
            .body(Body::from(file))
            .unwrap()
    };
    let refused = world.send_as(None, put()).await.0;
    assert_eq!(refused, StatusCode::TOO_MANY_REQUESTS);
    // The job knows of it, and the address is good for another try.
    assert_eq!(world.job(&id).await["partialDatasets"]["allTypes"], true);
    hasty.store(false, Ordering::Relaxed);
    assert_eq!(world.send_as(None, put()).await.0, StatusCode::OK);
    let job = finalized(&world, &id).await;
    assert_eq!(
        (counters(&job)[2], &job["partialDatasets"]["allTypes"]),
        (0, &json!(false))
    );
}

#[test]
fn more_uploads_than_a_job_keeps_are_too_large() {
    let full = SyncError::from(StagingError::Full { max: 7 });
    assert_eq!(full.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(full.to_string().contains("at most 7 bytes"), "{full}");
}
