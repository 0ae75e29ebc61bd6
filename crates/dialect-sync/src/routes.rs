// SPDX-License-Identifier: Apache-2.0
//! The routes.

mod exports;
mod files;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, Path, Query};
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use durward_budget::{Lease, Share, Turn};
use durward_graph::bulk::{BodyKind, Rejections};
use durward_model::limits::NAME_BYTES_MAX;
use durward_policy::{Route, RouteError, Routes};
use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json_, json};

use crate::access::SyncAccess;
use crate::body;
use crate::drain;
use crate::error::SyncError;
use crate::finalize::FinalizeRequest;
use crate::job_json::{job_json, rejected_json};
use crate::jobs::{EVENTS_MAX, Job, Jobs, StartRequest};
use crate::record::{JobEvent, JobStatus, Outcome, RejectedItem};
use crate::upload::{Incoming, UploadFlags, name_hash};

/// How long a finalize call waits for the end before it answers that the job is being finalized.
const FINALIZE_WAIT: Duration = Duration::from_secs(25);
/// Most types that a client may call partial.
const PARTIAL_TYPES_MAX: usize = 1000;
/// The JSON of a small body takes so many times its text at the most, one name or text in a few
/// bytes.
const JSON_GROWTH: u64 = 24;
/// By which a client names an upload: the same when it tries again.
const CORRELATION: &str = "jupiterone-correlation-id";
const CONTRACT: &str = include_str!("../../../contracts/routes/synchronization.toml");
type Answer = Result<Json<Json_>, SyncError>;
type Access = Option<Extension<SyncAccess>>;

#[derive(Clone, Debug)]
struct Shared {
    urls: Arc<Mutex<BTreeMap<String, files::UploadUrl>>>,
}

/// The routes of this dialect and who may ask each.
///
/// # Errors
/// When the contract does not say so.
pub fn contract() -> Result<Routes, RouteError> {
    Routes::parse(CONTRACT)
}

/// The routes of this dialect. All but the one of upload URLs expect [`SyncAccess`] as a request
/// extension and answer 401 without. `guard` puts before each what gives it that.
///
/// # Errors
/// When the contract and what is executed differ.
pub fn router(guard: impl Fn(&Route, MethodRouter) -> MethodRouter) -> Result<Router, RouteError> {
    let shared = Shared {
        urls: Arc::new(Mutex::new(BTreeMap::new())),
    };
    let mut router = Router::new();
    for (route, handler) in contract()?.with_handlers(handlers())? {
        let handler = handler
            .route_layer(axum::middleware::from_fn(drain::finish_body))
            .route_layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(shared.clone());
        router = router.route(&route.path, guard(&route, handler));
    }
    Ok(router)
}

/// What answers each route.
fn handlers() -> Vec<(&'static str, &'static str, MethodRouter<Shared>)> {
    let upload = |kind: BodyKind| post(upload).layer(Extension(kind));
    vec![
        ("GET", "/persister/synchronization/jobs", get(list)),
        ("POST", "/persister/synchronization/jobs", post(start)),
        ("GET", "/persister/synchronization/jobs/", get(list)),
        ("POST", "/persister/synchronization/jobs/", post(start)),
        ("GET", "/persister/synchronization/jobs/{id}", get(read)),
        (
            "POST",
            "/persister/synchronization/jobs/{id}/entities",
            upload(BodyKind::Entities),
        ),
        (
            "POST",
            "/persister/synchronization/jobs/{id}/relationships",
            upload(BodyKind::Relationships),
        ),
        (
            "POST",
            "/persister/synchronization/jobs/{id}/upload",
            upload(BodyKind::Upload),
        ),
        (
            "POST",
            "/persister/synchronization/jobs/{id}/events",
            post(events),
        ),
        (
            "POST",
            "/persister/synchronization/jobs/{id}/uploadUrl",
            post(files::upload_url),
        ),
        (
            "POST",
            "/persister/synchronization/jobs/{id}/finalize",
            post(finalize),
        ),
        (
            "POST",
            "/persister/synchronization/jobs/{id}/abort",
            post(abort),
        ),
        (
            "PUT",
            "/persister/synchronization/files/{token}",
            put(files::upload_file),
        ),
        ("GET", "/entities", get(exports::entities)),
        ("GET", "/relationships", get(exports::relationships)),
    ]
}

fn allowed(access: Access) -> Result<SyncAccess, SyncError> {
    let access = permitted(access)?;
    match access.too_many {
        Some(seconds) => Err(SyncError::TooMany(seconds)),
        None => Ok(access),
    }
}

/// As [`allowed`], for a caller who may be asking too often.
fn permitted(access: Access) -> Result<SyncAccess, SyncError> {
    let Extension(access) = access.ok_or(SyncError::Unauthenticated)?;
    if access.is_allowed {
        Ok(access)
    } else {
        Err(SyncError::Forbidden("this credential may not synchronize"))
    }
}

/// A job that this caller may see; others do not exist for it.
fn job_of(access: &SyncAccess, id: &str) -> Result<Arc<Job>, SyncError> {
    let job = access.jobs.find(id)?;
    if let Some(instance) = &access.integration_instance {
        let state = job.state.lock();
        let is_own = state.record.source.is_integration()
            && state.record.integration_instance_id.as_ref() == Some(instance);
        if !is_own {
            return Err(SyncError::NoJob(id.chars().take(64).collect()));
        }
    }
    if job.is_interrupted() {
        run_in_background(access, &job);
    }
    Ok(job)
}

fn answer(access: &SyncAccess, job: &Job) -> Json<Json_> {
    Json(json!({"job": job_json(job, &access.account)}))
}

/// The JSON of a small body. What it takes is given back when the call is answered, with `lease`.
async fn json_body<T: DeserializeOwned + Default>(
    headers: &HeaderMap,
    body: Body,
    lease: &Arc<Lease>,
) -> Result<T, SyncError> {
    let bytes = body::read(headers, body, lease).await?;
    lease.add((bytes.len() as u64).saturating_mul(JSON_GROWTH))?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| SyncError::BadRequest(format!("the body is not what it must be: {error}")))
}

async fn list(access: Access) -> Answer {
    let access = allowed(access)?;
    let jobs = access.jobs.list();
    let shown = jobs.iter().filter_map(|job| {
        let id = job.state.lock().record.id.clone();
        job_of(&access, &id)
            .ok()
            .map(|job| job_json(&job, &access.account))
    });
    Ok(Json(json!({"jobs": shown.collect::<Vec<_>>()})))
}

async fn start(access: Access, headers: HeaderMap, body: Body) -> Answer {
    let access = allowed(access)?;
    let lease = Arc::new(access.share.lease());
    let request: Option<StartRequest> = json_body(&headers, body, &lease).await?;
    let request =
        request.ok_or_else(|| SyncError::BadStart("the body must name a source".to_owned()))?;
    if let Some(instance) = &access.integration_instance {
        request.check_instance(instance)?;
    }
    let jobs = Arc::clone(&access.jobs);
    let origin = access.origin.clone();
    let job = blocking(move || jobs.start(request, &origin)).await?;
    Ok(answer(&access, &job))
}

async fn read(access: Access, Path(id): Path<String>) -> Answer {
    let access = allowed(access)?;
    let job = job_of(&access, &id)?;
    Ok(answer(&access, &job))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SyncError> + Send + 'static,
) -> Result<T, SyncError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| SyncError::Interrupted)?
}

async fn upload(
    Extension(kind): Extension<BodyKind>,
    access: Access,
    Path(id): Path<String>,
    Query(flags): Query<UploadFlags>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let access = permitted(access)?;
    let job = job_of(&access, &id)?;
    if let Some(seconds) = access.too_many {
        let name = name_of(&headers);
        let error = SyncError::TooMany(seconds);
        return Err(blocking(move || Ok(job.refuse_unread(name, error))).await?);
    }
    let (jobs, share) = (&access.jobs, &access.share);
    let rejected = take_in(jobs, &job, share, (headers, body), kind, flags).await?;
    Ok(Json(uploaded(&job, &access.account, &rejected)))
}

/// The answer to an upload: the job, and what of the upload was left out.
fn uploaded(job: &Job, account: &str, rejected: &Rejections) -> Json_ {
    let mut shown = json!({"job": job_json(job, account)});
    if let (false, Some(members)) = (rejected.is_empty(), shown.as_object_mut()) {
        let items: Vec<RejectedItem> = rejected.items.iter().map(Into::into).collect();
        members.insert("rejected".to_owned(), rejected_json(&items));
    }
    shown
}

/// Reads the body of an upload and stages it; the job knows of it from the beginning on.
async fn take_in(
    jobs: &Arc<Jobs>,
    job: &Arc<Job>,
    share: &Share,
    (headers, body): (HeaderMap, Body),
    kind: BodyKind,
    flags: UploadFlags,
) -> Result<Rejections, SyncError> {
    let name = name_of(&headers);
    let begun = Arc::clone(job);
    let incoming = blocking(move || begun.begin_upload(name)).await?;
    match read_upload(share, &headers, body).await {
        Ok((bytes, lease, turn)) => {
            let jobs = Arc::clone(jobs);
            blocking(move || {
                let _held = (lease, turn);
                incoming.stage(&jobs, &bytes, kind, flags)
            })
            .await
        }
        Err(error) => Err(refused(incoming, error).await),
    }
}

/// The hash of the name that a client gives an upload.
fn name_of(headers: &HeaderMap) -> u64 {
    let name = headers.get(CORRELATION);
    name.map_or(0, |name| name_hash(name.as_bytes()))
}

async fn refused(incoming: Incoming, error: SyncError) -> SyncError {
    let work = tokio::task::spawn_blocking(move || {
        incoming.refuse(&error);
        error
    });
    work.await.unwrap_or(SyncError::Interrupted)
}

/// Reads an upload. Slow ones hold up nobody: only when all of it is there it waits for its turn.
async fn read_upload(
    share: &Share,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Arc<Lease>, Turn), SyncError> {
    body::check_json(headers)?;
    let lease = Arc::new(share.lease());
    let bytes = body::read(headers, body, &lease).await?;
    let turn = share.turn().await?;
    // The columns that are made of it.
    lease.add(bytes.len() as u64)?;
    Ok((bytes, lease, turn))
}

#[derive(Debug, Default, Deserialize)]
struct EventsRequest {
    events: Vec<EventRequest>,
}

#[derive(Debug, Deserialize)]
struct EventRequest {
    name: String,
    #[serde(default)]
    description: String,
}

async fn events(access: Access, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Answer {
    const TEXT_BYTES_MAX: usize = 10_000;
    let access = allowed(access)?;
    let lease = Arc::new(access.share.lease());
    let job = job_of(&access, &id)?;
    let request: EventsRequest = json_body(&headers, body, &lease).await?;
    if request.events.len() > EVENTS_MAX {
        return Err(SyncError::BadRequest(format!(
            "a job keeps at most {EVENTS_MAX} events"
        )));
    }
    let too_long = |event: &EventRequest| {
        event.name.len() > TEXT_BYTES_MAX || event.description.len() > TEXT_BYTES_MAX
    };
    if request.events.iter().any(too_long) {
        return Err(SyncError::BadRequest(format!(
            "names and descriptions of events have at most {TEXT_BYTES_MAX} bytes"
        )));
    }
    let create_date = access.jobs.now().as_millis();
    let made: Vec<JobEvent> = request
        .events
        .into_iter()
        .map(|event| JobEvent {
            id: access.jobs.options.random.uuid(),
            name: event.name,
            description: event.description,
            create_date,
        })
        .collect();
    let shown: Vec<Json_> = made
        .iter()
        .map(|event| {
            json!({"id": event.id, "name": event.name, "description": event.description,
                "createDate": event.create_date})
        })
        .collect();
    blocking(move || job.add_events(made)).await?;
    Ok(Json(json!({"events": shown})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FinalizeBody {
    partial_datasets: Option<PartialDatasets>,
    dry_run: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
struct PartialDatasets {
    types: Vec<String>,
    /// Durward's own: nothing is known to be complete.
    all_types: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FinalizeFlags {
    dry_run: bool,
}

async fn finalize(
    access: Access,
    Path(id): Path<String>,
    Query(flags): Query<FinalizeFlags>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let access = allowed(access)?;
    let lease = Arc::new(access.share.lease());
    let job = job_of(&access, &id)?;
    let asked: FinalizeBody = json_body(&headers, body, &lease).await?;
    let PartialDatasets {
        types: partial_types,
        all_types,
    } = asked.partial_datasets.unwrap_or_default();
    if partial_types.len() > PARTIAL_TYPES_MAX
        || partial_types.iter().any(|name| name.len() > NAME_BYTES_MAX)
    {
        return Err(SyncError::BadRequest(format!(
            "partialDatasets may name at most {PARTIAL_TYPES_MAX} types of {NAME_BYTES_MAX} bytes"
        )));
    }
    let always_dry = job.state.lock().record.dry_run;
    let request = FinalizeRequest {
        partial_types,
        all_types,
    };
    if flags.dry_run || asked.dry_run || always_dry {
        return dry_run(&access, &job, request).await;
    }
    let (asked, origin) = (Arc::clone(&job), access.origin.clone());
    if blocking(move || asked.request_finalize(request, &origin)).await? {
        spawn_run(&access, &job);
    }
    // Not done by then: the client asks again, as it does for large jobs.
    let _ = tokio::time::timeout(FINALIZE_WAIT, job.settled()).await;
    let (status, reason) = {
        let state = job.state.lock();
        (state.record.status, state.record.reason.clone())
    };
    match status {
        // The work could not be done now and the job is open again.
        JobStatus::AwaitingUploads => Err(SyncError::NotNow),
        JobStatus::ErrorBadData => Err(SyncError::BadRequest(reason.unwrap_or_default())),
        _ => Ok(answer(&access, &job)),
    }
}

/// Answers the job with the counters that finalizing would give; nothing is changed.
async fn dry_run(access: &SyncAccess, job: &Arc<Job>, request: FinalizeRequest) -> Answer {
    let (jobs, work) = (Arc::clone(&access.jobs), Arc::clone(job));
    let turn = access.share.turn().await?;
    let outcome: Outcome = blocking(move || {
        let _turn = turn;
        work.dry_run(&jobs, request)
    })
    .await?;
    let mut shown = crate::job_json::job_json_with(job, &access.account, &outcome);
    if let Some(object) = shown.as_object_mut() {
        object.insert("dryRun".to_owned(), true.into());
    }
    Ok(Json(json!({"job": shown})))
}

fn spawn_run(access: &SyncAccess, job: &Arc<Job>) {
    let (jobs, job) = (Arc::clone(&access.jobs), Arc::clone(job));
    let share = access.share.clone();
    // The task ends with its job, and `settled` waits for it. It is accepted work: where too much
    // waits for a turn it goes without one.
    drop(tokio::spawn(async move {
        let turn = share.turn().await.ok();
        drop(tokio::task::spawn_blocking(move || {
            job.run(&jobs);
            drop(turn);
        }));
    }));
}

/// Takes up a finalization that a restart interrupted.
fn run_in_background(access: &SyncAccess, job: &Arc<Job>) {
    if !job.running.send_replace(true) {
        spawn_run(access, job);
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AbortRequest {
    reason: Option<String>,
    terminal_status: Option<String>,
}

async fn abort(access: Access, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Answer {
    let access = allowed(access)?;
    let lease = Arc::new(access.share.lease());
    let job = job_of(&access, &id)?;
    let request: AbortRequest = json_body(&headers, body, &lease).await?;
    let status = match request.terminal_status.as_deref() {
        None | Some("ABORTED") => JobStatus::Aborted,
        Some("ABORTED_DUE_TO_INVALID_CONFIGURATION") => JobStatus::AbortedDueToInvalidConfiguration,
        Some(_) => {
            return Err(SyncError::BadRequest(
                "terminalStatus must be ABORTED or ABORTED_DUE_TO_INVALID_CONFIGURATION".to_owned(),
            ));
        }
    };
    let now = access.jobs.now();
    let work = Arc::clone(&job);
    blocking(move || work.abort(request.reason, status, now)).await?;
    Ok(answer(&access, &job))
}
