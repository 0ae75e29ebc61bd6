// SPDX-License-Identifier: Apache-2.0
//! Upload URLs: one file a job, sent without a credential to an address that cannot be guessed.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use durward_budget::Share;
use durward_graph::bulk::BodyKind;
use durward_model::Instant;
use serde_json::json;

use super::{Access, Answer, Shared, allowed, blocking, job_of, name_of, take_in, uploaded};
use crate::access::StillAllowed;
use crate::error::SyncError;
use crate::jobs::Jobs;
use crate::upload::UploadFlags;

/// How long an upload URL is valid.
const UPLOAD_URL_SECONDS: i64 = 3600;
/// Most upload URLs of one organization that are valid at one time.
const UPLOAD_URLS_MAX: usize = 1000;

#[derive(Clone, Debug)]
pub(super) struct UploadUrl {
    jobs: Arc<Jobs>,
    job: String,
    account: String,
    expires: Instant,
    /// Whether whoever asked for it may synchronize still.
    still_allowed: StillAllowed,
    share: Share,
}

pub(super) async fn upload_url(
    State(shared): State<Shared>,
    access: Access,
    Path(id): Path<String>,
) -> Answer {
    let access = allowed(access)?;
    let job = job_of(&access, &id)?;
    job.check_awaiting()?;
    let now = access.jobs.now();
    let expires = now.plus_seconds(UPLOAD_URL_SECONDS);
    let token = format!(
        "{}{}",
        access.jobs.options.random.uuid(),
        access.jobs.options.random.uuid()
    );
    let mut urls = shared.urls.lock();
    urls.retain(|_, url| url.expires > now && url.job != id);
    let own = urls.values().filter(|url| url.account == access.account);
    if own.count() >= UPLOAD_URLS_MAX {
        return Err(SyncError::TooManyJobs(UPLOAD_URLS_MAX));
    }
    let account = access.account.clone();
    urls.insert(
        token.clone(),
        UploadUrl {
            jobs: access.jobs,
            job: id,
            account,
            expires,
            still_allowed: access.still_allowed,
            share: access.share,
        },
    );
    let url = format!(
        "{}/persister/synchronization/files/{token}",
        access.base_url
    );
    Ok(Json(
        json!({"uploadUrl": url, "expiresAt": expires.as_millis()}),
    ))
}

pub(super) async fn upload_file(
    State(shared): State<Shared>,
    Path(token): Path<String>,
    Query(flags): Query<UploadFlags>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let url = shared
        .urls
        .lock()
        .get(&token)
        .cloned()
        .ok_or(SyncError::NoUploadUrl)?;
    if url.expires <= url.jobs.now() {
        return Err(SyncError::NoUploadUrl);
    }
    match (url.still_allowed.0)() {
        Ok(()) => {}
        Err(error @ SyncError::TooMany(_)) => {
            let job = url.jobs.find(&url.job)?;
            let name = name_of(&headers);
            return Err(blocking(move || Ok(job.refuse_unread(name, error))).await?);
        }
        Err(error) => return Err(error),
    }
    let job = url.jobs.find(&url.job)?;
    let body = (headers, body);
    let rejected = take_in(&url.jobs, &job, &url.share, body, BodyKind::Upload, flags).await?;
    shared.urls.lock().remove(&token);
    Ok(Json(uploaded(&job, &url.account, &rejected)))
}
