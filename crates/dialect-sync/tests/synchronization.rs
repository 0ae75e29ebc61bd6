// SPDX-License-Identifier: Apache-2.0
//! Synchronization jobs through the routes, over a real store.
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

use std::io::Write;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use durward_model::Value;
use serde_json::{Value as Json, json};
use support::{World, counters, entity, link};

fn api(scope: &str) -> Json {
    json!({"source": "api", "scope": scope})
}

#[tokio::test]
async fn a_diff_job_brings_a_scope_to_what_was_uploaded() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = world.start_diff("s").await;
    let entities = json!({"entities": [entity("a", "A"), entity("b", "B"), entity("c", "C")]});
    world
        .done(&format!("/{id}/entities"), entities.to_string())
        .await;
    let links = json!({"relationships": [link("a", "b"), link("b", "c"), link("a", "nobody")]});
    let uploaded = world
        .done(&format!("/{id}/relationships"), links.to_string())
        .await;
    assert_eq!(uploaded["job"]["status"], "AWAITING_UPLOADS");
    assert_eq!(uploaded["job"]["numEntitiesUploaded"], 3);
    assert_eq!(uploaded["job"]["numRelationshipsUploaded"], 3);
    let job = world.done(&format!("/{id}/finalize"), "").await["job"].clone();
    assert_eq!(
        (&job["status"], &job["done"]),
        (&json!("FINISHED"), &json!(true))
    );
    assert_eq!(counters(&job), [3, 0, 0, 2, 0, 0]);
    assert_eq!(job["numRelationshipCreateErrors"], 1);
    assert!(job["errors"][0].as_str().unwrap().contains("\"nobody\""));
    let head = world.store.head();
    let again = world.done(&format!("/{id}/finalize"), "{}").await["job"].clone();
    assert_eq!(again, job, "finalizing twice answers the same");
    let (status, answer) = world
        .post(&format!("/{id}/entities"), r#"{"entities":[]}"#)
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["error"]["code"], "JOB_NOT_AWAITING_UPLOADS");
    assert_eq!(world.store.head(), head);

    let upload = json!({"entities": [entity("a", "A2"), entity("c", "C")]});
    let job = world.run(api("s"), upload.clone(), json!({})).await;
    assert_eq!(counters(&job), [0, 1, 1, 0, 0, 2]);
    assert_eq!(world.value("s", "a", "name"), Value::from("A2"));
    let head = world.store.head();
    let job = world.run(api("s"), upload, json!({})).await;
    assert_eq!((counters(&job), world.store.head()), ([0; 6], head));
}

#[tokio::test]
async fn partial_data_sets_keep_their_absent_objects() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let all = json!({
        "entities": [entity("a", "A"), entity("b", "B")],
        "relationships": [link("a", "b")],
    });
    world.run(api("s"), all, json!({})).await;
    let some = json!({"entities": [entity("a", "A")]});
    let partial = json!({"partialDatasets": {"types": ["box", "box_has_box"]}});
    let job = world.run(api("s"), some.clone(), partial).await;
    assert_eq!(counters(&job), [0; 6]);
    let job = world.run(api("s"), some, json!({})).await;
    assert_eq!(counters(&job), [0, 0, 1, 0, 0, 1]);
}

#[tokio::test]
async fn patch_jobs_change_named_properties_only() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let start =
        json!({"entities": [{"_key": "a", "_type": "box", "_class": "Host", "x": 1, "y": 2}]});
    world.run(api("s"), start, json!({})).await;
    let patch = json!({"source": "api", "scope": "s", "syncMode": "PATCH"});
    let changes = json!({"entities": [{"_key": "a", "y": 3, "z": [1, 2]}]});
    let job = world.run(patch.clone(), changes, json!({})).await;
    assert_eq!(counters(&job), [0, 1, 0, 0, 0, 0]);
    let values = ["x", "y", "z"].map(|name| world.value("s", "a", name).to_json());
    assert_eq!(values, [json!(1), json!(3), json!([1, 2])]);
    let id = world.start(patch).await;
    let links = json!({"relationships": [link("a", "a")]}).to_string();
    let (status, answer) = world.post(&format!("/{id}/relationships"), links).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST"))
    );
    let update = json!({"source": "api", "scope": "s", "syncMode": "CREATE_OR_UPDATE"});
    let upload = json!({"entities": [entity("n", "N")], "deleteEntities": [{"_key": "a"}]});
    let job = world.run(update, upload, json!({})).await;
    assert_eq!(counters(&job), [1, 0, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = world.start_diff("s").await;
    let whole = json!({"entities": [entity("a", "A")]}).to_string();
    let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let body = Body::from_stream(tokio_util::io::ReaderStream::new(Broken(Some(half))));
    let (status, answer) = world.post(&format!("/{id}/entities"), body).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    assert_eq!(world.job(&id).await["numEntitiesUploaded"], 0);
    world.done(&format!("/{id}/entities"), whole).await;
    assert_eq!(world.job(&id).await["numEntitiesUploaded"], 1);
}

/// Bytes of a body, and then a failure.
struct Broken(Option<Bytes>);

impl tokio::io::AsyncRead for Broken {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(match self.0.take() {
            Some(bytes) => {
                buffer.put_slice(&bytes);
                Ok(())
            }
            None => Err(std::io::ErrorKind::ConnectionReset.into()),
        })
    }
}

#[tokio::test]
async fn repeated_uploads_count_once_and_twins_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = world.start_diff("s").await;
    let body = json!({"entities": [entity("a", "A")]}).to_string();
    world.done(&format!("/{id}/entities"), body.clone()).await;
    let repeated = world.done(&format!("/{id}/entities"), body).await;
    assert_eq!(repeated["job"]["numEntitiesUploaded"], 1);
    let twin = json!({"entities": [entity("a", "A"), entity("b", "B")]}).to_string();
    world.done(&format!("/{id}/entities"), twin).await;
    let job = world.done(&format!("/{id}/finalize"), "{}").await["job"].clone();
    assert_eq!(
        (counters(&job)[0], &job["numDuplicatesMerged"]),
        (2, &json!(1))
    );
    assert!(
        job["warnings"][0]
            .as_str()
            .unwrap()
            .contains("more than once")
    );

    let id = world.start_diff("s").await;
    let different = json!({"entities": [entity("a", "A"), entity("a", "Other")]}).to_string();
    world
        .done(&format!("/{id}/entities"), different.clone())
        .await;
    let (status, answer) = world.post(&format!("/{id}/finalize"), "{}").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("\"a\""),
        "{answer}"
    );
    assert_eq!(world.job(&id).await["status"], "ERROR_BAD_DATA");
    let id = world.start_diff("s").await;
    world
        .done(&format!("/{id}/entities?ignoreDuplicates=true"), different)
        .await;
    world.done(&format!("/{id}/finalize"), "{}").await;
    assert_eq!(world.value("s", "a", "name"), Value::from("Other"));
}

#[tokio::test]
async fn gzip_is_unpacked_and_large_bodies_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = world.start_diff("s").await;
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let path = format!("/persister/synchronization/jobs/{id}/entities");
    let request = |body: Vec<u8>| {
        Request::post(&path)
            .header("content-encoding", "gzip")
            .body(Body::from(body))
            .unwrap()
    };
    let body = json!({"entities": [entity("a", "A")]}).to_string();
    let (status, answer) = world.send(request(packed(body.as_bytes()))).await;
    assert_eq!(
        (status, &answer["job"]["numEntitiesUploaded"]),
        (StatusCode::OK, &json!(1))
    );
    let (status, _) = world.send(request(b"no gzip".to_vec())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, answer) = world.send(request(packed(&vec![b' '; 65 << 20]))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer["error"]["code"], "RequestEntityTooLargeException");
    let plain = Request::post(&path)
        .body(Body::from(vec![b' '; (64 << 20) + 1]))
        .unwrap();
    assert_eq!(world.send(plain).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let csv = Request::post(&path)
        .header("content-type", "text/csv")
        .body(Body::from("_key"));
    assert_eq!(
        world.send(csv.unwrap()).await.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
}

#[tokio::test]
async fn an_open_job_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (open, finished) = {
        let world = World::open(folder.path());
        let job = world
            .run(api("x"), json!({"entities": [entity("a", "A")]}), json!({}))
            .await;
        let id = world.start_diff("s").await;
        let body = json!({"entities": [entity("a", "A"), entity("b", "B")]}).to_string();
        world.done(&format!("/{id}/entities"), body).await;
        world.store.close().unwrap();
        (id, job)
    };
    let world = World::open(folder.path());
    let id = finished["id"].as_str().unwrap();
    assert_eq!(world.job(id).await, finished);
    assert_eq!(world.job(&open).await["numEntitiesUploaded"], 2);
    let more = json!({"relationships": [link("a", "b")]}).to_string();
    world.done(&format!("/{open}/relationships"), more).await;
    let job = world.done(&format!("/{open}/finalize"), "{}").await["job"].clone();
    assert_eq!(counters(&job), [2, 0, 0, 1, 0, 0]);
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let head = world.store.head();
    let id = world.start_diff("s").await;
    let body = json!({"entities": [entity("a", "A")]}).to_string();
    world.done(&format!("/{id}/entities"), body).await;
    let job = world
        .done(&format!("/{id}/finalize?dryRun=true"), "{}")
        .await["job"]
        .clone();
    assert_eq!((counters(&job)[0], &job["dryRun"]), (1, &json!(true)));
    assert_eq!(
        (&job["status"], world.store.head()),
        (&json!("AWAITING_UPLOADS"), head)
    );
    let job = world.done(&format!("/{id}/finalize"), "{}").await["job"].clone();
    assert_eq!((counters(&job)[0], &job["dryRun"]), (1, &json!(false)));
}

#[tokio::test]
async fn callers_get_what_they_may_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let other_folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let other = World::open(other_folder.path());
    let id = world.start_diff("s").await;
    let base = format!("/persister/synchronization/jobs/{id}");
    let calls = [
        ("GET", base.clone()),
        ("POST", format!("{base}/entities")),
        ("POST", format!("{base}/relationships")),
        ("POST", format!("{base}/upload")),
        ("POST", format!("{base}/events")),
        ("POST", format!("{base}/uploadUrl")),
        ("POST", format!("{base}/finalize")),
        ("POST", format!("{base}/abort")),
    ];
    let open = [
        ("GET", "/persister/synchronization/jobs"),
        ("POST", "/persister/synchronization/jobs"),
    ];
    let exports = [("GET", "/entities"), ("GET", "/relationships")];
    let request = |(method, path): (&str, &str)| {
        Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from("{\"events\":[]}"))
            .unwrap()
    };
    let mut denied = world.access.clone();
    denied.is_allowed = false;
    let mut instance = world.access.clone();
    instance.integration_instance = Some("i1".to_owned());
    let all = calls
        .iter()
        .map(|(method, path)| (*method, path.as_str()))
        .chain(open)
        .chain(exports);
    for call in all {
        assert_eq!(
            world.send_as(None, request(call)).await.0,
            StatusCode::UNAUTHORIZED,
            "{call:?}"
        );
        let status = world.send_as(Some(denied.clone()), request(call)).await.0;
        assert_eq!(status, StatusCode::FORBIDDEN, "{call:?}");
    }
    for (method, path) in &calls {
        for access in [&other.access, &instance] {
            let (status, _) = world
                .send_as(Some(access.clone()), request((method, path)))
                .await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
    let start = json!({"source": "api", "scope": "s"}).to_string();
    let start = Request::post("/persister/synchronization/jobs")
        .body(Body::from(start))
        .unwrap();
    assert_eq!(
        world.send_as(Some(instance), start).await.0,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn wrong_starts_are_refused_and_jobs_can_be_aborted() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    for (start, status) in [
        (json!({"source": "api"}), 400),
        (json!({"source": "elsewhere", "scope": "s"}), 400),
        (json!({"source": "durward", "scope": "s"}), 403),
        (json!({"source": "integration-managed"}), 400),
        (
            json!({"source": "integration-managed", "integrationInstanceId": "i", "scope": "s"}),
            400,
        ),
        (
            json!({"source": "api", "scope": "s", "syncMode": "OVERRIDE"}),
            400,
        ),
        (
            json!({"source": "api", "scope": "s", "syncMode": "SIDEWAYS"}),
            400,
        ),
        (json!([]), 400),
        (json!({}), 400),
    ] {
        assert_eq!(
            world.post("", start.to_string()).await.0.as_u16(),
            status,
            "{start}"
        );
    }
    let id = world
        .start(
            json!({"source": "integration-external", "integrationInstanceId": "i",
        "integrationJobId": "j"}),
        )
        .await;
    let events = json!({"events": [{"name": "step", "description": "one"}]}).to_string();
    let answer = world.done(&format!("/{id}/events"), events).await;
    assert_eq!(answer["events"][0]["name"], "step");
    assert!(answer["events"][0]["createDate"].is_i64());
    let job = world
        .done(&format!("/{id}/abort"), r#"{"reason":"enough"}"#)
        .await["job"]
        .clone();
    assert_eq!(
        (&job["status"], &job["reason"]),
        (&json!("ABORTED"), &json!("enough"))
    );
    world.done(&format!("/{id}/abort"), "").await;
    assert_eq!(
        world.post(&format!("/{id}/finalize"), "{}").await.0,
        StatusCode::BAD_REQUEST
    );
    let (_, list) = world.get("/persister/synchronization/jobs").await;
    assert_eq!(list["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_upload_url_takes_one_file_without_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path());
    let id = world.start_diff("s").await;
    let answer = world.done(&format!("/{id}/uploadUrl"), "").await;
    let url = answer["uploadUrl"]
        .as_str()
        .unwrap()
        .replace("http://localhost", "");
    let put = || {
        let file = json!({"entities": [entity("a", "A")]}).to_string();
        Request::put(&url).body(Body::from(file)).unwrap()
    };
    assert_eq!(world.send_as(None, put()).await.0, StatusCode::OK);
    assert_eq!(world.send_as(None, put()).await.0, StatusCode::NOT_FOUND);
    let job = world.done(&format!("/{id}/finalize"), "{}").await["job"].clone();
    assert_eq!(counters(&job)[0], 1);
    let id = world.start_diff("s").await;
    let answer = world.done(&format!("/{id}/uploadUrl"), "").await;
    let late = answer["uploadUrl"]
        .as_str()
        .unwrap()
        .replace("http://localhost", "");
    world.clock.advance_micros(3_601_000_000);
    let late = Request::put(&late).body(Body::from("{}")).unwrap();
    assert_eq!(world.send_as(None, late).await.0, StatusCode::NOT_FOUND);
}
