// SPDX-License-Identifier: Apache-2.0
//! A store, its jobs and the router over them, without a network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::{Extension, Router};
use durward_catalog::Catalog;
use durward_dialect_sync::jobs::RandomSource;
use durward_dialect_sync::{JobOptions, Jobs, StillAllowed, SyncAccess, router};
use durward_graph::View;
use durward_graph::store::{Store, StoreOptions};
use durward_journal::HeadSigner;
use durward_journal::file_seal::{self, TestSeal};
use durward_model::transaction::{Origin, Sequence};
use durward_model::{Instant, ManualClock, Namespace, Value};
use http_body_util::BodyExt;
use serde_json::{Value as Json, json};
use tower::ServiceExt;

#[derive(Debug)]
struct Unsigned;

impl HeadSigner for Unsigned {
    fn key_id(&self) -> String {
        "none".to_owned()
    }

    fn sign(&self, _message: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn verify(&self, _key_id: &str, _at: Sequence, _message: &[u8], _signature: &[u8]) -> bool {
        true
    }
}

/// One organization and its routes.
pub struct World {
    pub store: Arc<Store>,
    pub access: SyncAccess,
    pub router: Router,
    pub clock: Arc<ManualClock>,
}

/// Key of the files of an organization.
pub const SECRET: u64 = 1;

static DRAWN: AtomicU64 = AtomicU64::new(1);

impl World {
    /// A new organization in a folder, or the one that is there.
    pub fn open(folder: &Path) -> Self {
        Self::open_with(folder, SECRET)
    }

    /// The same, with another key for its files.
    pub fn open_with(folder: &Path, secret: u64) -> Self {
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let clock = Arc::new(ManualClock::new(Instant::from_millis(1_800_000_000_000)));
        let graph = folder.join("graph");
        let options = StoreOptions::new(
            graph.clone(),
            clock.clone(),
            Arc::clone(&catalog),
            [7; 32],
            Arc::new(Unsigned),
        );
        let store = if graph.exists() {
            Store::open(options)
        } else {
            Store::create(options)
        };
        let store = Arc::new(store.unwrap());
        let random = RandomSource(Arc::new(|bytes| {
            let drawn = DRAWN.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            for (byte, drawn) in bytes.iter_mut().zip(drawn.iter().cycle()) {
                *byte = *drawn;
            }
        }));
        let jobs = JobOptions {
            folder: folder.join("jobs"),
            store: Arc::clone(&store),
            catalog,
            clock: clock.clone(),
            random,
            seal: Arc::new(TestSeal(secret)),
        };
        let access = SyncAccess {
            share: durward_budget::Budget::unlimited().strangers(),
            base_url: "http://test.example".to_owned(),
            jobs: Arc::new(Jobs::open(jobs).unwrap()),
            account: "acme".to_owned(),
            origin: Origin::default(),
            is_allowed: true,
            still_allowed: StillAllowed(Arc::new(|| Ok(()))),
            integration_instance: None,
            too_many: None,
            cursor_key: durward_query::CursorKey::new(b"one"),
        };
        Self {
            store,
            access,
            router: router(|_, handler| handler).unwrap(),
            clock,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Json) {
        self.send_as(Some(self.access.clone()), request).await
    }

    pub async fn send_as(
        &self,
        access: Option<SyncAccess>,
        request: Request<Body>,
    ) -> (StatusCode, Json) {
        let router = match access {
            Some(access) => self.router.clone().layer(Extension(access)),
            None => self.router.clone(),
        };
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> (StatusCode, Json) {
        let path = format!("/persister/synchronization/jobs{path}");
        self.send(Request::post(path).body(body.into()).unwrap())
            .await
    }

    /// As [`World::post`], and it must go well.
    pub async fn done(&self, path: &str, body: impl Into<Body>) -> Json {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Json) {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn job(&self, id: &str) -> Json {
        let (status, answer) = self
            .get(&format!("/persister/synchronization/jobs/{id}"))
            .await;
        assert_eq!(status, StatusCode::OK);
        answer["job"].clone()
    }

    pub async fn start(&self, request: Json) -> String {
        let answer = self.done("", request.to_string()).await;
        answer["job"]["id"].as_str().unwrap().to_owned()
    }

    pub async fn start_diff(&self, scope: &str) -> String {
        self.start(json!({"source": "api", "scope": scope})).await
    }

    /// A whole job; the answer to its finalization.
    pub async fn run(&self, start: Json, upload: Json, finalize: Json) -> Json {
        let id = self.start(start).await;
        self.done(&format!("/{id}/upload"), upload.to_string())
            .await;
        self.done(&format!("/{id}/finalize"), finalize.to_string())
            .await["job"]
            .clone()
    }

    pub fn view(&self) -> View {
        self.store.view(None)
    }

    pub fn value(&self, scope: &str, key: &str, property: &str) -> Value {
        let view = self.view();
        let entity = view
            .find_by_key(&Namespace::new("api", scope), key)
            .unwrap();
        view.property_id(property)
            .map_or(Value::Null, |property| view.value(entity, property))
    }
}

fn record_file(folder: &Path, id: &str) -> PathBuf {
    folder.join("jobs").join(id).join("job.json")
}

fn purpose(id: &str) -> String {
    format!("synchronization job {id}")
}

/// The record of a job as it lies on the disk.
pub fn record_of(folder: &Path, id: &str) -> Json {
    let (file, seal) = (record_file(folder, id), TestSeal(SECRET));
    let bytes = file_seal::read(&file, &seal, &purpose(id), 16 << 20).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Changes it, as only the holder of the key can.
pub fn rewrite(folder: &Path, id: &str, change: impl Fn(&mut Json)) {
    let mut record = record_of(folder, id);
    change(&mut record);
    seal_record(folder, id, &record, SECRET);
}

/// Puts a record there that is sealed with this key.
pub fn seal_record(folder: &Path, id: &str, record: &Json, secret: u64) {
    let (file, text) = (record_file(folder, id), record.to_string());
    file_seal::write(&file, &TestSeal(secret), &purpose(id), text.as_bytes()).unwrap();
}

pub fn entity(key: &str, name: &str) -> Json {
    json!({"_key": key, "_type": "box", "_class": ["Host"], "name": name})
}

pub fn link(from: &str, to: &str) -> Json {
    json!({"_key": format!("{from}|HAS|{to}"), "_type": "box_has_box", "_class": "HAS",
        "_fromEntityKey": from, "_toEntityKey": to})
}

/// Counters by their short names.
pub fn counters(job: &Json) -> [u64; 6] {
    [
        "EntitiesCreated",
        "EntitiesUpdated",
        "EntitiesDeleted",
        "RelationshipsCreated",
        "RelationshipsUpdated",
        "RelationshipsDeleted",
    ]
    .map(|name| job[format!("num{name}")].as_u64().unwrap())
}
