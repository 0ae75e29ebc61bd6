// SPDX-License-Identifier: Apache-2.0
//! The synchronization jobs of one organization. Each has a folder with its record and its staged
//! parts; all of them survive a restart.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durward_graph::bulk::staging::Staging;
use durward_graph::store::Store;
use durward_model::transaction::Origin;
use durward_model::{Catalog, Clock, Instant};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::watch;

use crate::error::SyncError;
use crate::record::{Counts, JobEvent, JobMode, JobRecord, JobSource, JobStatus};

/// Most open jobs of an organization.
pub const OPEN_JOBS_MAX: usize = 100;
/// How many jobs that are over are kept to be asked about.
const OVER_JOBS_KEPT: usize = 200;
/// An open job that is older is given up when the next one starts.
const OPEN_SECONDS_MAX: i64 = 7 * 24 * 3600;
/// Longest name of a scope or an instance in bytes.
const SCOPE_BYTES_MAX: usize = 512;
/// Most events that a job keeps.
const EVENTS_MAX: usize = 1000;

/// What fills a buffer with random bytes.
pub type FillRandom = dyn Fn(&mut [u8]) + Send + Sync;

/// A source of random bytes.
#[derive(Clone)]
pub struct RandomSource(pub Arc<FillRandom>);

impl fmt::Debug for RandomSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RandomSource(..)")
    }
}

impl RandomSource {
    /// Sixteen random bytes in the form of a UUID of version 4.
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = [0u8; 16];
        (self.0)(&mut bytes);
        let bits = u128::from_be_bytes(bytes);
        let bits = bits & !(0xf << 76) | (4 << 76);
        let bits = bits & !(0b11 << 62) | (0b10 << 62);
        let hex = format!("{bits:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32),
        ]
        .join("-")
    }
}

/// What the jobs of an organization need.
#[derive(Clone, Debug)]
pub struct JobOptions {
    /// Folder of the jobs, made if it is not there.
    pub folder: PathBuf,
    /// The organization's graph.
    pub store: Arc<Store>,
    /// What is protected.
    pub catalog: Arc<Catalog>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// For ids of jobs and upload URLs.
    pub random: RandomSource,
}

/// The jobs of one organization.
#[derive(Debug)]
pub struct Jobs {
    pub(crate) options: JobOptions,
    jobs: Mutex<BTreeMap<String, Arc<Job>>>,
}

/// One job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) folder: PathBuf,
    pub(crate) state: Mutex<JobState>,
    /// Whether a finalization runs.
    pub(crate) running: watch::Sender<bool>,
}

#[derive(Debug)]
pub(crate) struct JobState {
    pub(crate) record: JobRecord,
    /// The staged parts, while the job is open.
    pub(crate) staging: Option<Staging>,
}

/// What starts a job.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartRequest {
    source: String,
    scope: Option<String>,
    sync_mode: Option<String>,
    integration_instance_id: Option<String>,
    integration_job_id: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

impl StartRequest {
    /// Refuses a job that is not of the one instance that a credential is for.
    pub(crate) fn check_instance(&self, instance: &str) -> Result<(), SyncError> {
        let is_own = self.source.starts_with("integration-")
            && self.integration_instance_id.as_deref() == Some(instance);
        if is_own {
            Ok(())
        } else {
            Err(SyncError::Forbidden(
                "this credential may synchronize its own integration instance only",
            ))
        }
    }
}

/// Parts of a job live here inside its folder.
fn parts_folder(folder: &Path) -> PathBuf {
    folder.join("parts")
}

impl Jobs {
    /// Opens the folder and takes up the jobs in it.
    pub fn open(options: JobOptions) -> Result<Self, SyncError> {
        let failed = |source| SyncError::Files {
            id: "(all)".to_owned(),
            source,
        };
        durward_journal::private::create_folder(&options.folder).map_err(failed)?;
        let mut jobs = BTreeMap::new();
        for entry in fs::read_dir(&options.folder).map_err(failed)? {
            let folder = entry.map_err(failed)?.path();
            if !folder.is_dir() {
                continue;
            }
            let id = folder
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let id = id.to_owned();
            let failed = |source| SyncError::Files {
                id: id.clone(),
                source,
            };
            let Some(record) = JobRecord::load(&folder).map_err(failed)? else {
                fs::remove_dir_all(&folder).map_err(failed)?;
                continue;
            };
            let staging = if record.status.is_final() {
                None
            } else {
                Some(Staging::open(&parts_folder(&folder))?)
            };
            jobs.insert(id, Job::new(folder, record, staging));
        }
        Ok(Self {
            options,
            jobs: Mutex::new(jobs),
        })
    }

    /// The present.
    pub(crate) fn now(&self) -> Instant {
        self.options.clock.now()
    }

    /// A job of this organization.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Job>, SyncError> {
        let found = self.jobs.lock().get(id).cloned();
        found.ok_or_else(|| SyncError::NoJob(id.chars().take(64).collect()))
    }

    /// All jobs, newest first.
    pub(crate) fn list(&self) -> Vec<Arc<Job>> {
        let mut jobs: Vec<Arc<Job>> = self.jobs.lock().values().cloned().collect();
        jobs.sort_by_cached_key(|job| std::cmp::Reverse(job.state.lock().record.started_at));
        jobs
    }

    /// Starts a job.
    pub(crate) fn start(
        &self,
        request: StartRequest,
        origin: &Origin,
    ) -> Result<Arc<Job>, SyncError> {
        let mut record = record_of(request, self.options.random.uuid(), self.now())?;
        record.requested_by = origin.into();
        self.give_up_old();
        let mut jobs = self.jobs.lock();
        let open = jobs
            .values()
            .filter(|job| !job.state.lock().record.status.is_final())
            .count();
        if open >= OPEN_JOBS_MAX {
            return Err(SyncError::TooManyJobs(open));
        }
        let folder = self.options.folder.join(&record.id);
        let id = record.id.clone();
        let failed = |source| SyncError::Files {
            id: id.clone(),
            source,
        };
        let staging = Staging::open(&parts_folder(&folder))?;
        record.save(&folder).map_err(failed)?;
        sync_folder(&self.options.folder).map_err(failed)?;
        let job = Job::new(folder, record, Some(staging));
        jobs.insert(id, Arc::clone(&job));
        Ok(job)
    }

    /// Aborts jobs that nobody finalized, and forgets old ones that are over.
    fn give_up_old(&self) {
        let oldest = self.now().plus_seconds(-OPEN_SECONDS_MAX).as_micros();
        let mut over = Vec::new();
        for job in self.list() {
            let (status, started_at) = {
                let state = job.state.lock();
                (state.record.status, state.record.started_at)
            };
            if status == JobStatus::AwaitingUploads && started_at < oldest {
                let reason = Some("nobody finalized it for a week".to_owned());
                if let Err(error) = job.abort(reason, JobStatus::Aborted, self.now()) {
                    tracing::warn!(%error, "an old synchronization job cannot be aborted");
                }
            } else if status.is_final() {
                over.push(job);
            }
        }
        for job in over.into_iter().skip(OVER_JOBS_KEPT) {
            let id = job.state.lock().record.id.clone();
            self.jobs.lock().remove(&id);
            if let Err(error) = fs::remove_dir_all(&job.folder) {
                tracing::warn!(%error, job = %id, "an old synchronization job cannot be removed");
            }
        }
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn record_of(request: StartRequest, id: String, now: Instant) -> Result<JobRecord, SyncError> {
    let bad = |text: &str| SyncError::BadStart(text.to_owned());
    let source = match request.source.as_str() {
        "api" => JobSource::Api,
        "integration-external" => JobSource::IntegrationExternal,
        "integration-managed" => JobSource::IntegrationManaged,
        "system-internal" => JobSource::SystemInternal,
        "durward" => {
            return Err(SyncError::Forbidden(
                "objects of source durward are protected",
            ));
        }
        _ => {
            return Err(bad(
                "source must be api, integration-external, integration-managed or system-internal",
            ));
        }
    };
    let mode = match request.sync_mode.as_deref() {
        None | Some("DIFF") => JobMode::Diff,
        Some("PATCH") => JobMode::Patch,
        Some("CROSS_SCOPE") => JobMode::CrossScope,
        Some("CREATE_OR_UPDATE") => JobMode::CreateOrUpdate,
        Some(other) => {
            return Err(match other {
                "OVERRIDE" => SyncError::UnsupportedMode(other.to_owned()),
                _ => bad("syncMode must be DIFF, PATCH, CROSS_SCOPE or CREATE_OR_UPDATE"),
            });
        }
    };
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (scope, instance) = (given(request.scope), given(request.integration_instance_id));
    if [&scope, &instance, &request.integration_job_id]
        .into_iter()
        .flatten()
        .any(|text| text.len() > SCOPE_BYTES_MAX)
    {
        return Err(bad(
            "scope, integrationInstanceId and integrationJobId are too long",
        ));
    }
    match source {
        _ if source.is_integration() && instance.is_none() => {
            return Err(bad("integrationInstanceId is required for integrations"));
        }
        _ if source.is_integration() && scope.is_some() => {
            return Err(bad("scope is allowed for source api only"));
        }
        JobSource::Api if mode == JobMode::Diff && scope.is_none() => {
            return Err(bad("scope is required for source api and syncMode DIFF"));
        }
        _ => {}
    }
    let mut record = JobRecord::new(id, source, mode, now.as_micros());
    record.scope = scope;
    record.integration_instance_id = instance;
    record.integration_job_id = request.integration_job_id;
    record.dry_run = request.dry_run;
    Ok(record)
}

impl Job {
    fn new(folder: PathBuf, record: JobRecord, staging: Option<Staging>) -> Arc<Self> {
        let (running, _) = watch::channel(false);
        Arc::new(Self {
            folder,
            state: Mutex::new(JobState { record, staging }),
            running,
        })
    }

    /// Gives the job up. What was staged goes.
    pub(crate) fn abort(
        &self,
        reason: Option<String>,
        status: JobStatus,
        now: Instant,
    ) -> Result<(), SyncError> {
        let mut state = self.state.lock();
        let current = state.record.status;
        if current == JobStatus::Aborted || current == status {
            return Ok(());
        }
        if current.is_final() || *self.running.borrow() {
            return Err(SyncError::Over(current));
        }
        state.record.reason = reason.map(|reason| reason.chars().take(1000).collect());
        state.close(status, now, &self.folder)
    }

    /// Keeps events that the client reports.
    pub(crate) fn add_events(&self, events: Vec<JobEvent>) -> Result<(), SyncError> {
        let mut state = self.state.lock();
        if state.record.status.is_final() {
            return Err(SyncError::Over(state.record.status));
        }
        let room = EVENTS_MAX.saturating_sub(state.record.events.len());
        if events.len() > room {
            return Err(SyncError::BadRequest(format!(
                "a job keeps at most {EVENTS_MAX} events"
            )));
        }
        state.record.events.extend(events);
        state.save(&self.folder)
    }
}

impl JobState {
    pub(crate) fn save(&self, folder: &Path) -> Result<(), SyncError> {
        let failed = |source| SyncError::Files {
            id: self.record.id.clone(),
            source,
        };
        self.record.save(folder).map_err(failed)
    }

    /// How much was uploaded.
    pub(crate) fn uploaded(&self) -> Counts {
        match &self.staging {
            Some(staging) => staging.counts().into(),
            None => self.record.uploaded,
        }
    }

    /// Brings the job to its end. The staged parts are removed once the record says so.
    pub(crate) fn close(
        &mut self,
        status: JobStatus,
        now: Instant,
        folder: &Path,
    ) -> Result<(), SyncError> {
        self.record.uploaded = self.uploaded();
        self.record.status = status;
        self.record.ended_at = Some(now.as_micros());
        self.save(folder)?;
        if let Some(staging) = self.staging.take() {
            staging.remove()?;
        }
        Ok(())
    }
}
