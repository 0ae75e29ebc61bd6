// SPDX-License-Identifier: Apache-2.0
//! The synchronization jobs of one organization. Each has a folder with its record and its staged
//! parts; all of them survive a restart. What cannot be read at the start is set aside.

mod aside;
mod home;
mod start;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durward_catalog::Catalog;
use durward_graph::bulk::PartialTypes;
use durward_graph::bulk::staging::Staging;
use durward_graph::store::Store;
use durward_journal::FileSeal;
use durward_model::transaction::Origin;
use durward_model::{Clock, Instant};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::error::SyncError;
use crate::record::{Counts, JobEvent, JobRecord, JobStatus, RECORD_BYTES_MAX, Refusal};

/// Most open jobs of an organization.
pub const OPEN_JOBS_MAX: usize = 100;
/// How many jobs that are over are kept to be asked about.
const OVER_JOBS_KEPT: usize = 200;
/// An open job that is older is given up when the next one starts.
const OPEN_SECONDS_MAX: i64 = 7 * 24 * 3600;
/// Most events that a job keeps.
pub(crate) const EVENTS_MAX: usize = 1000;
/// Most bytes of events that a job keeps: half of what its record may have.
const EVENTS_BYTES_MAX: usize = RECORD_BYTES_MAX as usize / 2;

pub use self::aside::{SetAside, set_aside_in};
pub(crate) use self::home::JobHome;
pub(crate) use self::start::StartRequest;
use self::start::record_of;

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
    /// Makes the codes of all files of jobs, with the organization's key.
    pub seal: Arc<dyn FileSeal>,
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
    pub(crate) home: JobHome,
    pub(crate) state: Mutex<JobState>,
    /// Whether a finalization runs.
    pub(crate) running: watch::Sender<bool>,
}

#[derive(Debug)]
pub(crate) struct JobState {
    pub(crate) record: JobRecord,
    /// The staged parts, while the job is open.
    pub(crate) staging: Option<Staging>,
    /// Uploads that are on their way: place and name of each.
    pub(crate) incoming: BTreeMap<u32, u64>,
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
            if !folder.is_dir() || aside::is_aside(&folder) {
                continue;
            }
            let home = JobHome {
                folder,
                seal: Arc::clone(&options.seal),
            };
            match open_job(&home) {
                Ok(Some(job)) => {
                    let id = job.state.lock().record.id.clone();
                    jobs.insert(id, job);
                }
                Ok(None) => {}
                Err(reason) => aside::set_aside(&home.folder, &reason),
            }
        }
        Ok(Self {
            options,
            jobs: Mutex::new(jobs),
        })
    }

    /// Takes up the finalizations that the end of an earlier process interrupted. Blocks.
    pub fn take_up(&self) {
        for job in self.list().iter().filter(|job| job.is_interrupted()) {
            if !job.running.send_replace(true) {
                job.run(self);
            }
        }
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
        let home = JobHome {
            folder: self.options.folder.join(&record.id),
            seal: Arc::clone(&self.options.seal),
        };
        let id = record.id.clone();
        let failed = |source| SyncError::Files {
            id: id.clone(),
            source,
        };
        let staging = home.staging()?;
        save(&record, &home)?;
        sync_folder(&self.options.folder).map_err(failed)?;
        let job = Job::new(home, record, Some(staging));
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
            if let Err(error) = fs::remove_dir_all(&job.home.folder) {
                tracing::warn!(%error, job = %id, "an old synchronization job cannot be removed");
            }
        }
    }
}

/// Opens the job in a folder, if there is one; the error is the sentence about what is wrong.
fn open_job(home: &JobHome) -> Result<Option<Arc<Job>>, String> {
    let Some(mut record) = JobRecord::load(home).map_err(|error| error.to_string())? else {
        let parts = fs::read_dir(home.parts_folder());
        if parts.is_ok_and(|mut parts| parts.next().is_some()) {
            return Err("its record is not there, and its uploads are".to_owned());
        }
        // A job whose start was never answered.
        return match fs::remove_dir_all(&home.folder) {
            Ok(()) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
    };
    if home.id() != record.id {
        return Err("its record is that of another job".to_owned());
    }
    if record.status.is_final() {
        return Ok(Some(Job::new(home.clone(), record, None)));
    }
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let mut staging = home.staging().map_err(|error| failed(&error))?;
    if !staging.lost().is_empty() {
        for lost in staging.lost() {
            let reason = "an upload was cut off by the end of the server, or its file was altered";
            let place = (lost.number, lost.name);
            record.refuse(Refusal::of_upload(
                place,
                None,
                &PartialTypes::all(),
                reason,
            ));
        }
        record.save(home).map_err(|error| failed(&error))?;
        staging.forget_lost().map_err(|error| failed(&error))?;
    }
    Ok(Some(Job::new(home.clone(), record, Some(staging))))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn save(record: &JobRecord, home: &JobHome) -> Result<(), SyncError> {
    record.save(home).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => SyncError::RecordTooLarge,
        _ => SyncError::Files {
            id: record.id.clone(),
            source,
        },
    })
}

impl Job {
    fn new(home: JobHome, record: JobRecord, staging: Option<Staging>) -> Arc<Self> {
        let (running, _) = watch::channel(false);
        Arc::new(Self {
            home,
            state: Mutex::new(JobState {
                record,
                staging,
                incoming: BTreeMap::new(),
            }),
            running,
        })
    }

    /// Refuses when the job takes no uploads.
    pub(crate) fn check_awaiting(&self) -> Result<(), SyncError> {
        match self.state.lock().record.status {
            JobStatus::AwaitingUploads => Ok(()),
            status => Err(SyncError::NotAwaitingUploads(status)),
        }
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
        let reason = reason.map(|reason| reason.chars().take(1000).collect());
        state.close(status, now, &self.home, |record| record.reason = reason)
    }

    /// Keeps events that the client reports.
    pub(crate) fn add_events(&self, events: Vec<JobEvent>) -> Result<(), SyncError> {
        let mut state = self.state.lock();
        if state.record.status.is_final() {
            return Err(SyncError::Over(state.record.status));
        }
        let mut all = state.record.events.clone();
        all.extend(events);
        let bytes = serde_json::to_vec(&all).map_or(usize::MAX, |text| text.len());
        if all.len() > EVENTS_MAX || bytes > EVENTS_BYTES_MAX {
            return Err(SyncError::BadRequest(format!(
                "a job keeps at most {EVENTS_MAX} events, and {EVENTS_BYTES_MAX} bytes of them"
            )));
        }
        state.change(&self.home, |record| record.events = all)
    }
}

impl JobState {
    pub(crate) fn save(&self, home: &JobHome) -> Result<(), SyncError> {
        save(&self.record, home)
    }

    /// Changes the record, on the disk and then here; neither when it cannot be kept.
    pub(crate) fn change(
        &mut self,
        home: &JobHome,
        apply: impl FnOnce(&mut JobRecord),
    ) -> Result<(), SyncError> {
        let mut next = self.record.clone();
        apply(&mut next);
        save(&next, home)?;
        self.record = next;
        Ok(())
    }

    /// Uploads of which something did not arrive, and that no later one made good.
    pub(crate) fn open_refusals(&self) -> Vec<Refusal> {
        let parts = self.staging.as_ref().map(Staging::parts);
        self.record.open_refusals(parts.unwrap_or_default())
    }

    /// What finalizing notes of the uploads that are on their way.
    pub(crate) fn still_running(&self) -> Vec<Refusal> {
        let reason = "an upload was still running when the job was finalized";
        let all = PartialTypes::all();
        let running = self.incoming.iter();
        running
            .map(|(number, name)| Refusal::of_upload((*number, *name), None, &all, reason))
            .collect()
    }

    /// How much was uploaded.
    pub(crate) fn uploaded(&self) -> Counts {
        match &self.staging {
            Some(staging) => staging.counts().into(),
            None => self.record.uploaded,
        }
    }

    /// Brings the job to its end, with what `note` says of it; when that cannot be kept, it stays
    /// as it is. The staged parts are removed once the record says so.
    pub(crate) fn close(
        &mut self,
        status: JobStatus,
        now: Instant,
        home: &JobHome,
        note: impl FnOnce(&mut JobRecord),
    ) -> Result<(), SyncError> {
        let uploaded = self.uploaded();
        self.change(home, |record| {
            note(record);
            record.uploaded = uploaded;
            record.status = status;
            record.ended_at = Some(now.as_micros());
        })?;
        if let Some(staging) = self.staging.take() {
            staging.remove()?;
        }
        Ok(())
    }
}
