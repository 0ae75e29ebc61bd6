// SPDX-License-Identifier: Apache-2.0
//! Uploads that do not arrive whole, and finalizations that do not live to their end.
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

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use durward_dialect_sync::set_aside_in;
use serde_json::{Value as Json, json};
use support::{World, counters, entity, link, record_of, rewrite};

fn cat(key: &str) -> Json {
    json!({"_key": key, "_type": "cat", "_class": "Animal"})
}

/// A scope with two boxes, two cats and a relationship.
async fn filled(world: &World) {
    let upload = json!({
        "entities": [entity("a", "A"), entity("b", "B"), cat("c"), cat("d")],
        "relationships": [link("a", "b")],
    });
    let start = json!({"source": "api", "scope": "s"});
    let job = world.run(start, upload, json!({})).await;
    assert_eq!(counters(&job), [4, 0, 0, 1, 0, 0]);
}

/// Ends a process, as far as a test can.
fn end(world: World) {
    world.store.close().unwrap();
    drop(world);
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

fn upload(id: &str, name: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let path = format!("/persister/synchronization/jobs/{id}/entities");
    let mut request = Request::post(path);
    if let Some(name) = name {
        request = request.header("JupiterOne-Correlation-Id", name);
    }
    request.body(body.into()).unwrap()
}

/// The beginning of a body, and then nothing.
fn endless(begins: &'static str) -> Body {
    let stream = tokio_util::io::ReaderStream::new(Stuck(Some(begins)));
    Body::from_stream(stream)
}

struct Stuck(Option<&'static str>);

impl tokio::io::AsyncRead for Stuck {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        match self.0.take() {
            Some(text) => {
                buffer.put_slice(text.as_bytes());
                std::task::Poll::Ready(Ok(()))
            }
            None => std::task::Poll::Pending,
        }
    }
}

fn assert_nothing_went(job: &Json, because: &str) {
    assert_eq!(job["status"], "FINISHED");
    assert_eq!(counters(job), [0; 6], "{because}");
    let partial = &job["partialDatasets"];
    assert_eq!(partial["allTypes"], true, "{because}: {partial}");
    let reason = partial["reasons"][0].as_str().unwrap();
    assert!(reason.contains(because), "{reason}");
    let warning = job["warnings"][0].as_str().unwrap();
    assert!(warning.contains("is deleted for being absent"), "{warning}");
}

#[tokio::test]
async fn what_a_refused_upload_named_is_not_taken_for_absent() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    filled(&world).await;
    let packed = |body: &'static str| {
        let mut request = upload("", None, body);
        request
            .headers_mut()
            .insert("content-encoding", "gzip".parse().unwrap());
        request
    };
    let csv = || {
        let mut request = upload("", None, "_key");
        request
            .headers_mut()
            .insert("content-type", "text/csv".parse().unwrap());
        request
    };
    let large = || upload("", None, vec![b' '; (64 << 20) + 1]);
    let cut = || upload("", None, "{\"entities\":[{\"_key\":\"b\",\"_ty");
    let cases: [(Request<Body>, StatusCode, &str); 4] = [
        (packed("no gzip"), StatusCode::BAD_REQUEST, "gzip"),
        (csv(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "text/csv"),
        (large(), StatusCode::PAYLOAD_TOO_LARGE, "larger than"),
        (cut(), StatusCode::BAD_REQUEST, "not a valid object"),
    ];
    for (mut request, refused, because) in cases {
        let id = begun(&world).await;
        let path = format!("/persister/synchronization/jobs/{id}/entities");
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(world.send(request).await.0, refused, "{because}");
        assert_nothing_went(&finalized(&world, &id).await, because);
    }
    // Without a refusal, they are absent.
    let id = begun(&world).await;
    let job = finalized(&world, &id).await;
    assert_eq!(counters(&job), [0, 0, 3, 0, 0, 1]);
    assert_eq!(job["partialDatasets"]["allTypes"], false);
}

#[tokio::test]
async fn an_upload_that_breaks_off_or_still_runs_is_no_absence() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    filled(&world).await;
    // The client goes away: the task that answers it is dropped.
    let id = begun(&world).await;
    let broken = world.send(upload(&id, None, endless("{\"entities\":[")));
    let gone = tokio::time::timeout(Duration::from_millis(200), broken).await;
    assert!(gone.is_err());
    let job = finalized(&world, &id).await;
    assert_eq!(counters(&job), [0; 6]);
    assert_eq!(job["partialDatasets"]["allTypes"], true, "{job}");

    let id = begun(&world).await;
    {
        let running = world.send(upload(&id, None, endless("{\"entities\":[")));
        tokio::pin!(running);
        let still = tokio::time::timeout(Duration::from_millis(200), &mut running).await;
        assert!(still.is_err());
        assert_nothing_went(&finalized(&world, &id).await, "still running");
    }

    // The server goes away: the next one finds that an upload had begun.
    let id = begun(&world).await;
    let (jobs, kept) = (folder.path().join("jobs"), folder.path().join("kept"));
    {
        let lost = world.send(upload(&id, Some("u-1"), endless("{\"entities\":[")));
        tokio::pin!(lost);
        let still = tokio::time::timeout(Duration::from_millis(200), &mut lost).await;
        assert!(still.is_err());
        copy(&jobs, &kept);
    }
    end(world);
    std::fs::remove_dir_all(&jobs).unwrap();
    std::fs::rename(&kept, &jobs).unwrap();
    let next = World::open(folder.path());
    assert_eq!(next.job(&id).await["partialDatasets"]["allTypes"], true);
    // It comes again under its name.
    let body = json!({"entities": [entity("b", "B"), cat("c"), cat("d")]}).to_string();
    let (status, _) = next.send(upload(&id, Some("u-1"), body)).await;
    assert_eq!(status, StatusCode::OK);
    let job = finalized(&next, &id).await;
    assert_eq!(counters(&job), [0, 0, 0, 0, 0, 1]);
    assert_eq!(job["partialDatasets"]["allTypes"], false);
}

#[tokio::test]
async fn a_wrong_item_is_named_and_its_neighbours_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = world.start_diff("s").await;
    let path = format!("/{id}/entities");
    let long = "k".repeat(5000);
    let wrong = [
        json!({"_key": "b", "_class": "Host"}),
        json!({"_key": 7, "_type": "box", "_class": "Host"}),
        json!({"_key": long, "_type": "box", "_class": "Host"}),
        json!({"_key": "c", "_type": "box", "_class": 1}),
        json!({"_key": "d", "_type": "box", "_class": "Host", "x": {"y": 1}}),
        json!({"_key": "e", "_type": "box", "_class": "Host", "x": [1, "2"]}),
        json!({"_key": "f", "_type": "account", "_class": "User"}),
        json!("box"),
    ];
    let mut items: Vec<Json> = (0..242).map(|n| entity(&format!("n{n}"), "N")).collect();
    for (at, item) in wrong.iter().enumerate() {
        items.insert(at * 30, item.clone());
    }
    let answer = world
        .done(&path, json!({"entities": items}).to_string())
        .await;
    let rejected = answer["rejected"].as_array().unwrap();
    let places: Vec<&Json> = rejected.iter().map(|item| &item["index"]).collect();
    assert_eq!(places, [0, 30, 60, 90, 120, 150, 180, 210]);
    assert_eq!(
        rejected[0],
        json!({"code": "ERROR_BAD_DATA", "list": "entities", "index": 0, "key": "b",
            "reason": "_type is missing"})
    );
    assert!(
        rejected[6]["reason"]
            .as_str()
            .unwrap()
            .contains("protected")
    );
    let job = &answer["job"];
    assert_eq!(
        (&job["numEntitiesUploaded"], &job["numEntityCreateErrors"]),
        (&json!(242), &json!(8))
    );
    // The same again: nothing is counted twice.
    let again = world
        .done(&path, json!({"entities": items}).to_string())
        .await;
    assert_eq!(again, answer);

    let (status, answer) = world.post(&path, r#"{"entities":{"_key":"a"}}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["error"]["code"], "ENTITY_IS_NOT_ARRAY");
    for protected in ["account", "access_role", "credential"] {
        let item = json!({"entities": [{"_key": "p", "_type": protected, "_class": "User"}]});
        let (status, answer) = world.post(&path, item.to_string()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(answer["error"]["code"], "ERROR_BAD_DATA");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("protected"), "{answer}");
        assert_eq!(answer["rejected"][0]["key"], "p");
    }
    let bad_link = json!({"_key": "l", "_type": "box_has_box", "_class": "HAS",
        "_fromEntityKey": "n0", "_toEntityKey": "n1", "x": []});
    let links = json!({"relationships": [bad_link, link("n0", "n1")]});
    world
        .done(&format!("/{id}/relationships"), links.to_string())
        .await;
    let job = world.done(&format!("/{id}/finalize"), "{}").await["job"].clone();
    assert_eq!(
        (&job["status"], counters(&job)),
        (&json!("FINISHED"), [242, 0, 0, 1, 0, 0])
    );
    assert_eq!(job["numEntityCreateErrors"], 11);
    assert_eq!(job["numRelationshipCreateErrors"], 1);
    assert_eq!(job["numRejected"], 12);
    assert_eq!(
        job["errors"][0],
        "item 0 of entities (_key \"b\"): _type is missing"
    );
}

#[tokio::test]
async fn of_a_wrong_item_only_the_type_stays() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    filled(&world).await;
    let id = world.start_diff("s").await;
    let wrong = json!({"_key": "b", "_type": "box", "_class": "Host", "name": {}});
    let body = json!({"entities": [wrong, entity("n", "N")]}).to_string();
    world.done(&format!("/{id}/entities"), body).await;
    let job = finalized(&world, &id).await;
    // The cats are absent; of the boxes, which one the wrong item is does not matter.
    assert_eq!(counters(&job), [1, 0, 2, 0, 0, 1]);
    let partial = &job["partialDatasets"];
    assert_eq!(
        (&partial["types"], &partial["allTypes"]),
        (&json!(["box"]), &json!(false))
    );
    assert!(
        partial["reasons"][0]
            .as_str()
            .unwrap()
            .contains("(_key \"b\")")
    );

    // An upload that the mode refuses tells its types, too.
    filled_again(&world).await;
    let id = world.start_diff("s").await;
    let body = json!({"entities": [cat("c")], "deleteEntities": [{"_key": "x"}]}).to_string();
    let (status, _) = world.post(&format!("/{id}/upload"), body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let job = finalized(&world, &id).await;
    assert_eq!(job["partialDatasets"]["types"], json!(["cat"]));
    assert_eq!(counters(&job), [0, 0, 2, 0, 0, 1]);
}

async fn filled_again(world: &World) {
    let upload = json!({
        "entities": [entity("a", "A"), entity("b", "B"), cat("c"), cat("d")],
        "relationships": [link("a", "b")],
    });
    world
        .run(json!({"source": "api", "scope": "s"}), upload, json!({}))
        .await;
}

#[tokio::test]
async fn a_second_try_makes_a_refusal_good_if_it_is_the_only_one_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    filled(&world).await;
    let good = json!({"entities": [entity("b", "B")]}).to_string();
    let other = json!({"entities": [entity("o", "O")]}).to_string();
    for (names, all) in [
        (["one", "one", "two"], false),
        // A name of several uploads does not tell which of them came again.
        (["one", "one", "one"], true),
    ] {
        let id = begun(&world).await;
        let refused = upload(&id, Some(names[0]), "{\"entities\":[");
        assert_eq!(world.send(refused).await.0, StatusCode::BAD_REQUEST);
        for (name, body) in names.iter().skip(1).zip([&good, &other]) {
            let sent = upload(&id, Some(name), body.clone());
            assert_eq!(world.send(sent).await.0, StatusCode::OK);
        }
        let job = world.job(&id).await;
        assert_eq!(job["partialDatasets"]["allTypes"], all, "{names:?}");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_repeated_finalize_answers_the_first_counters_also_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    filled(&world).await;
    let id = begun(&world).await;
    let (kept, job_folder) = (
        folder.path().join("kept"),
        folder.path().join("jobs").join(&id),
    );
    copy(&job_folder, &kept);
    let first = finalized(&world, &id).await;
    assert_eq!(counters(&first), [0, 0, 3, 0, 0, 1]);
    assert_eq!(finalized(&world, &id).await, first);
    let head = world.store.head();
    let record = record_of(folder.path(), &id);
    end(world);
    // The process ended after the journal had the changes, and before the job had its end: the
    // parts and the plan are there.
    copy(&kept, &job_folder);
    rewrite(folder.path(), &id, |crashed| {
        crashed["status"] = json!("FINALIZE_PENDING");
        crashed["planned"] = record["result"].clone();
    });
    let world = World::open(folder.path());
    let again = finalized(&world, &id).await;
    assert_eq!(
        (counters(&again), world.store.head()),
        (counters(&first), head)
    );

    // It ended before the journal had them: the plan counts for nothing.
    filled_again(&world).await;
    let id = begun(&world).await;
    end(world);
    rewrite(folder.path(), &id, |crashed| {
        crashed["status"] = json!("FINALIZE_PENDING");
        crashed["planned"] = record["result"].clone();
        crashed["planned"]["entities"][0] = json!(77);
    });
    let world = World::open(folder.path());
    let jobs = std::sync::Arc::clone(&world.access.jobs);
    tokio::task::spawn_blocking(move || jobs.take_up())
        .await
        .unwrap();
    let job = world.job(&id).await;
    assert_eq!(
        (&job["status"], counters(&job)),
        (&json!("FINISHED"), [0, 0, 3, 0, 0, 1])
    );

    // So does a failure.
    let id = world.start_diff("s").await;
    let different = json!({"entities": [entity("a", "A"), entity("a", "Z")]}).to_string();
    world.done(&format!("/{id}/entities"), different).await;
    let first = world.post(&format!("/{id}/finalize"), "{}").await;
    assert_eq!(first.0, StatusCode::BAD_REQUEST);
    assert_eq!(world.post(&format!("/{id}/finalize"), "{}").await, first);
}

#[tokio::test]
async fn a_job_never_becomes_larger_than_what_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = begun(&world).await;
    let event = json!({"name": "n", "description": "\u{1}".repeat(10_000)});
    let events = |count: usize| json!({"events": vec![event.clone(); count]}).to_string();
    let path = format!("/{id}/events");
    let mut taken = 0;
    let refused = loop {
        let (status, answer) = world.post(&path, events(100)).await;
        if status != StatusCode::OK {
            break answer;
        }
        taken += 1;
    };
    assert!((1..9).contains(&taken), "{taken}");
    assert!(
        refused["error"]["message"]
            .as_str()
            .unwrap()
            .contains("at most")
    );
    let many = vec!["t".repeat(600); 10];
    let partial = json!({"partialDatasets": {"types": many}}).to_string();
    let (status, _) = world.post(&format!("/{id}/finalize"), partial).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    end(world);
    let world = World::open(folder.path());
    assert_eq!(finalized(&world, &id).await["status"], "FINISHED");
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_set_aside_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let (good, large, broken) = (
        begun(&world).await,
        begun(&world).await,
        begun(&world).await,
    );
    let headless = begun(&world).await;
    end(world);
    let jobs = folder.path().join("jobs");
    let file = |id: &str| jobs.join(id).join("job.json");
    std::fs::write(file(&large), vec![b' '; (16 << 20) + 41]).unwrap();
    std::fs::write(file(&broken), "{\"version\":1").unwrap();
    std::fs::remove_file(file(&headless)).unwrap();
    for _ in 0..2 {
        let world = World::open(folder.path());
        let (_, list) = world.get("/persister/synchronization/jobs").await;
        assert_eq!(list["jobs"].as_array().unwrap().len(), 1);
        let aside = set_aside_in(&jobs);
        assert_eq!(aside.len(), 3);
        let of = |id: &str| {
            let found = aside
                .iter()
                .find(|job| job.folder.display().to_string().contains(id));
            found.unwrap().reason.clone()
        };
        assert!(of(&large).contains("larger"), "{}", of(&large));
        assert!(of(&broken).contains("not a sealed file"), "{}", of(&broken));
        assert!(of(&headless).contains("is not there"), "{}", of(&headless));
        assert_eq!(world.job(&good).await["numEntitiesUploaded"], 1);
        end(world);
    }
}
