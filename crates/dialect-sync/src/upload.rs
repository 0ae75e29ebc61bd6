// SPDX-License-Identifier: Apache-2.0
//! Taking uploads in: read, checked and on the disk before they are answered.
//!
//! From its first byte on an upload is known to its job. One that is refused, breaks off or is
//! still running when the job is finalized is noted in the job's record, so that a DIFF does not
//! take what it named for absent.

use std::sync::Arc;

use bytes::Bytes;
use durward_graph::bulk::staging::{PartWriter, body_fingerprint};
use durward_graph::bulk::{BodyKind, ItemRules, Part, PartialTypes, Rejections, read_body};
use serde::Deserialize;

use crate::error::SyncError;
use crate::jobs::{Job, Jobs};
use crate::record::{JobStatus, Refusal};

/// Most bytes that the uploads of a job take on the disk (8 GiB).
const STAGED_BYTES_MAX: u64 = 8 << 30;

/// The flags in the query string of an upload.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UploadFlags {
    ignore_duplicates: bool,
    ignore_illegal_properties: bool,
}

/// The hash of the name that a client gives an upload, the same when it tries again.
pub(crate) fn name_hash(name: &[u8]) -> u64 {
    if name.is_empty() {
        0
    } else {
        (body_fingerprint(name) as u64).max(1)
    }
}

/// An upload on its way. When it is dropped without having been staged, it broke off.
#[derive(Debug)]
pub(crate) struct Incoming {
    job: Arc<Job>,
    /// Where its part goes, until it went there.
    writer: Option<PartWriter>,
    place: (u32, u64),
}

/// How an upload went wrong, and what is known of it.
struct Failure {
    fingerprint: Option<u128>,
    types: PartialTypes,
    error: SyncError,
}

impl From<SyncError> for Box<Failure> {
    fn from(error: SyncError) -> Self {
        Self::new(Failure {
            fingerprint: None,
            types: PartialTypes::all(),
            error,
        })
    }
}

impl Job {
    /// Begins an upload of this name (its hash). Blocks shortly.
    pub(crate) fn begin_upload(self: &Arc<Self>, name: u64) -> Result<Incoming, SyncError> {
        let mut state = self.state.lock();
        let status = state.record.status;
        let closed = SyncError::NotAwaitingUploads(status);
        if status != JobStatus::AwaitingUploads {
            return Err(closed);
        }
        let writer = state.staging.as_mut().ok_or(closed)?.reserve(name);
        let place = (writer.number(), name);
        state.incoming.insert(place.0, place.1);
        drop(state);
        if let Err(error) = writer.announce() {
            // Where the disk takes no note of it either, the job knows while it is in memory.
            let error = SyncError::from(error);
            note(self, writer, None, &PartialTypes::all(), &error);
            return Err(error);
        }
        Ok(Incoming {
            job: Arc::clone(self),
            writer: Some(writer),
            place,
        })
    }
}

impl Job {
    /// Notes that an upload was refused before anything of it was read. Blocks.
    pub(crate) fn refuse_unread(&self, name: u64, error: SyncError) -> SyncError {
        let mut state = self.state.lock();
        let mut known = state.record.refusals.iter();
        // Once everything is partial and remains so, a flood of refusals has nothing to add.
        if state.record.status == JobStatus::AwaitingUploads
            && !known.any(Refusal::is_for_good)
            && let Some(staging) = state.staging.as_mut()
        {
            let place = (staging.reserve(name).number(), name);
            drop(state);
            record(self, place, None, &PartialTypes::all(), &error);
        }
        error
    }
}

impl Incoming {
    /// Notes that the upload was refused. Blocks.
    pub(crate) fn refuse(mut self, error: &SyncError) {
        if let Some(writer) = self.writer.take() {
            note(&self.job, writer, None, &PartialTypes::all(), error);
        }
    }

    /// Stages a body; gives the items that were left out. A body that was staged already changes
    /// nothing, so that a client may repeat an upload whose answer it did not get. Blocks.
    pub(crate) fn stage(
        mut self,
        jobs: &Jobs,
        body: &Bytes,
        kind: BodyKind,
        flags: UploadFlags,
    ) -> Result<Rejections, SyncError> {
        let Some(writer) = self.writer.take() else {
            return Err(SyncError::Interrupted);
        };
        let mut writer = Some(writer);
        let result = self.try_stage(jobs, body, kind, flags, &mut writer);
        let failure = match result {
            Ok(rejected) => {
                self.job.state.lock().incoming.remove(&self.place.0);
                return Ok(rejected);
            }
            Err(failure) => failure,
        };
        let Failure {
            fingerprint,
            types,
            error,
        } = *failure;
        let is_noted = if matches!(error, SyncError::AllRejected(_)) {
            // Its items were noted one by one.
            self.job.state.lock().incoming.remove(&self.place.0);
            true
        } else {
            record(&self.job, self.place, fingerprint, &types, &error)
        };
        if let Some(writer) = writer.filter(|_| is_noted) {
            give_up(writer);
        }
        Err(error)
    }

    fn try_stage(
        &self,
        jobs: &Jobs,
        body: &Bytes,
        kind: BodyKind,
        flags: UploadFlags,
        writer: &mut Option<PartWriter>,
    ) -> Result<Rejections, Box<Failure>> {
        let mode = self.job.state.lock().record.mode;
        let rules = ItemRules {
            catalog: &jobs.options.catalog,
            patch: mode.is_patch(),
            ignore_illegal_properties: flags.ignore_illegal_properties,
        };
        let fingerprint = body_fingerprint(body);
        let failed = |types: &PartialTypes, error: SyncError| {
            Box::new(Failure {
                fingerprint: Some(fingerprint),
                types: types.clone(),
                error,
            })
        };
        let part = read_body(body, kind, rules)
            .map_err(|error| failed(&PartialTypes::all(), SyncError::BadUpload(error)))?;
        let types = part.types();
        let counts = part.counts();
        if let Some(refusal) = mode.refusal(&counts) {
            return Err(failed(&types, SyncError::BadRequest(refusal.to_owned())));
        }
        let rejected = part.rejected.clone();
        let of_items = Refusal::of_items(self.place, fingerprint, &rejected);
        let is_new = self
            .take_note(fingerprint, &part, of_items)
            .map_err(|error| failed(&types, error))?;
        if counts.is_empty() || !is_new {
            if let Some(writer) = writer.take() {
                give_up(writer);
            }
            return if counts.is_empty() && !rejected.is_empty() {
                Err(failed(&types, SyncError::AllRejected(Box::new(rejected))))
            } else {
                Ok(rejected)
            };
        }
        let staged = writer
            .as_ref()
            .ok_or(SyncError::Interrupted)?
            .write(&part, fingerprint, flags.ignore_duplicates)
            .map_err(|error| failed(&types, error.into()))?;
        let mut state = self.job.state.lock();
        let status = state.record.status;
        match state.staging.as_mut() {
            Some(staging) if status == JobStatus::AwaitingUploads => {
                staging
                    .check_room(&staged, STAGED_BYTES_MAX)
                    .and_then(|()| staging.add(staged))
                    .map_err(|error| failed(&types, error.into()))?;
                // The file is the part's now.
                *writer = None;
                Ok(rejected)
            }
            _ => {
                // Finalized or aborted meanwhile: the part stays out.
                drop(state);
                staged.discard().map_err(SyncError::from)?;
                Err(failed(&types, SyncError::NotAwaitingUploads(status)))
            }
        }
    }

    /// Notes what there is to say about an upload before it counts. False when it is staged
    /// already.
    fn take_note(
        &self,
        fingerprint: u128,
        part: &Part,
        of_items: Refusal,
    ) -> Result<bool, SyncError> {
        let mut state = self.job.state.lock();
        if state.record.status != JobStatus::AwaitingUploads {
            return Err(SyncError::NotAwaitingUploads(state.record.status));
        }
        let staging = state.staging.as_ref();
        if staging.is_some_and(|staging| staging.holds(fingerprint)) {
            return Ok(false);
        }
        let mut next = state.record.clone();
        part.warnings.iter().for_each(|warning| next.warn(warning));
        if !part.rejected.is_empty() {
            next.reject(fingerprint, &part.rejected);
            next.refuse(of_items);
        }
        if next != state.record {
            state.change(&self.job.home, |record| *record = next)?;
        }
        Ok(true)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let Some(writer) = self.writer.take() else {
            return;
        };
        let job = Arc::clone(&self.job);
        let work = move || note(&job, writer, None, &PartialTypes::all(), &SyncError::CutOff);
        // The client went away, and with it the task that read its body. Until this is done the
        // upload counts as running; if it never is, its empty file tells at the next start.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(work)),
            Err(_) => work(),
        }
    }
}

fn note(
    job: &Job,
    writer: PartWriter,
    fingerprint: Option<u128>,
    types: &PartialTypes,
    error: &SyncError,
) {
    let place = (writer.number(), writer.name());
    if record(job, place, fingerprint, types, error) {
        give_up(writer);
    }
}

/// Notes a refused upload in the record of its job. False when that is not on the disk.
fn record(
    job: &Job,
    place: (u32, u64),
    fingerprint: Option<u128>,
    types: &PartialTypes,
    error: &SyncError,
) -> bool {
    let reason = format!("an upload was refused: {error}");
    let refusal = Refusal::of_upload(place, fingerprint, types, &reason);
    let mut state = job.state.lock();
    state.incoming.remove(&place.0);
    // Finalizing noted it as running already, or there is nothing to be finalized.
    if state.record.status != JobStatus::AwaitingUploads {
        return true;
    }
    state.record.refuse(refusal);
    match state.save(&job.home) {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(job = %state.record.id, ?error, "a refusal cannot be recorded");
            false
        }
    }
}

fn give_up(writer: PartWriter) {
    if let Err(error) = writer.give_up() {
        tracing::warn!(%error, "the file of a refused upload cannot be removed");
    }
}
