// SPDX-License-Identifier: Apache-2.0
//! Finalizing: what was staged becomes one transaction, and its counters are answered ever after.

use std::sync::Arc;

use durward_graph::bulk::PartialTypes;
use durward_graph::bulk::diff::{DiffReport, JobSpec};
use durward_graph::store::StoreError;
use durward_model::ErrorKind;
use durward_model::transaction::Origin;

use crate::commit::{Commit, NotePlan};
use crate::error::SyncError;
use crate::jobs::{Job, Jobs};
use crate::record::{JobRecord, JobStatus, Outcome, Refusal};

/// How often a finalization is begun that never comes to an end: it may be what ends the process.
const ATTEMPTS_MAX: u32 = 3;

/// What a finalize call asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct FinalizeRequest {
    /// Types that the client calls partial.
    pub(crate) partial_types: Vec<String>,
    /// Whether it calls all of them so.
    pub(crate) all_types: bool,
}

impl Job {
    /// Takes a request to finalize. Answers whether there is work to be run by [`Job::run`]: not
    /// when the job is done, or being done, already.
    pub(crate) fn request_finalize(
        &self,
        request: FinalizeRequest,
        origin: &Origin,
    ) -> Result<bool, SyncError> {
        let mut state = self.state.lock();
        match state.record.status {
            JobStatus::AwaitingUploads => {
                let mut refusals = state.open_refusals();
                refusals.extend(state.still_running());
                if request.all_types {
                    let (reason, all) = ("the client calls its data partial", PartialTypes::all());
                    refusals.push(Refusal::of_upload((u32::MAX, 0), None, &all, reason));
                }
                state.change(&self.home, |record| {
                    record.requested_by = origin.into();
                    record.partial_types = request.partial_types;
                    record.refusals = refusals;
                    record.status = JobStatus::FinalizePending;
                })?;
            }
            JobStatus::FinalizePending if *self.running.borrow() => return Ok(false),
            // Interrupted by a restart: taken up again as it was asked for then.
            JobStatus::FinalizePending => {}
            // What the first call came to is answered again.
            JobStatus::Finished | JobStatus::ErrorBadData | JobStatus::ErrorUnexpectedFailure => {
                return Ok(false);
            }
            status => return Err(SyncError::Over(status)),
        }
        Ok(!self.running.send_replace(true))
    }

    /// Whether a finalization was asked for before a restart and has not been taken up yet.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.state.lock().record.status == JobStatus::FinalizePending && !*self.running.borrow()
    }

    /// What the job would change, without changing anything. Blocks.
    pub(crate) fn dry_run(
        &self,
        jobs: &Jobs,
        request: FinalizeRequest,
    ) -> Result<Outcome, SyncError> {
        let mut commit = self.prepared()?;
        commit.spec.partial.types.extend(request.partial_types);
        commit.spec.partial.all |= request.all_types;
        let report = commit.compare(&jobs.options.store, &jobs.options.catalog)?;
        Ok(report.into())
    }

    fn prepared(&self) -> Result<Commit, SyncError> {
        let state = self.state.lock();
        let record = &state.record;
        let staging = state
            .staging
            .as_ref()
            .ok_or(SyncError::Over(record.status))?;
        let mut refusals = state.open_refusals();
        if record.status == JobStatus::AwaitingUploads {
            refusals.extend(state.still_running());
        }
        let mut origin = record.requested_by.origin();
        origin.detail = format!("job {}", record.id);
        Ok(Commit {
            spec: JobSpec {
                namespace: record.namespace(),
                mode: record.mode.sync_mode(),
                partial: record.partial(&refusals),
                stamp: record.stamp(),
            },
            parts: staging.parts().to_vec(),
            origin,
            idempotency_key: format!("synchronization {}", record.id),
        })
    }

    /// Runs a finalization that was asked for, to its end. Blocks.
    pub(crate) fn run(self: &Arc<Self>, jobs: &Jobs) {
        // What cannot be noted now cannot be ended either: the job is taken up again later.
        let result = self.count_attempt().map(|is_allowed| {
            if is_allowed {
                self.commit(jobs)
            } else {
                self.outcome_of_the_lost(jobs)
            }
        });
        let mut state = self.state.lock();
        let closed = result.and_then(|result| {
            if let Err(error) = &result {
                tracing::warn!(job = %state.record.id, %error, "a synchronization job failed");
            }
            let status = result
                .as_ref()
                .map_or_else(status_after, |_| JobStatus::Finished);
            let note = |record: &mut JobRecord| note_end(record, &result, status);
            if status.is_final() {
                state.close(status, jobs.now(), &self.home, note)
            } else {
                state.change(&self.home, note)
            }
        });
        if let Err(error) = closed {
            tracing::error!(job = %state.record.id, ?error, "the end of a job cannot be recorded");
        }
        drop(state);
        self.running.send_replace(false);
    }

    /// Counts an attempt, durably, before it begins. False when there were enough of them.
    fn count_attempt(&self) -> Result<bool, SyncError> {
        let mut state = self.state.lock();
        if state.record.attempts >= ATTEMPTS_MAX {
            return Ok(false);
        }
        state.change(&self.home, |record| record.attempts += 1)?;
        Ok(true)
    }

    /// What a finalization came to that is not begun again: the journal tells whether an attempt
    /// went that far.
    fn outcome_of_the_lost(&self, jobs: &Jobs) -> Result<Outcome, SyncError> {
        let planned = self.state.lock().record.planned.clone();
        match planned {
            Some(planned) if self.prepared()?.is_in_journal(&jobs.options.store)? => Ok(planned),
            _ => Err(SyncError::NeverEnded(ATTEMPTS_MAX)),
        }
    }

    fn commit(self: &Arc<Self>, jobs: &Jobs) -> Result<Outcome, SyncError> {
        let (store, catalog) = (&jobs.options.store, &jobs.options.catalog);
        let job = Arc::clone(self);
        let note_plan: Arc<NotePlan> = Arc::new(move |report: &DiffReport| {
            let outcome = Outcome::from(report.clone());
            let mut state = job.state.lock();
            state.change(&job.home, |record| record.planned = Some(outcome))
        });
        let planned = self.state.lock().record.planned.clone();
        let report = match &planned {
            None => Some(self.prepared()?.run(store, catalog, &note_plan)?),
            // An earlier run came as far as the journal: whether it is in there, the journal tells.
            Some(_) => self.prepared()?.run_once(store, catalog, &note_plan)?,
        };
        let outcome = report.map(Outcome::from).or(planned);
        Ok(outcome.unwrap_or_default())
    }

    /// Waits until no finalization runs.
    pub(crate) async fn settled(self: &Arc<Self>) {
        let mut running = self.running.subscribe();
        // An error means that the job is gone, and nothing runs.
        let _ = running.wait_for(|running| !running).await;
    }
}

/// What a record says after an attempt, whatever it came to.
fn note_end(record: &mut JobRecord, result: &Result<Outcome, SyncError>, status: JobStatus) {
    match result {
        Ok(outcome) => {
            if outcome.twins > 0 {
                let twins = outcome.twins;
                record.warn(&format!("{twins} objects were uploaded more than once"));
            }
            record.result = Some(outcome.clone());
        }
        Err(error) => {
            record.reason = Some(match error.kind() {
                ErrorKind::Internal => "the server failed; its log says why".to_owned(),
                _ => error.to_string(),
            });
        }
    }
    // Where it may be in the journal, the next run asks there, and the plan is the answer.
    if status != JobStatus::FinalizePending {
        record.planned = None;
    }
    record.status = status;
    // One that ended is not counted, whatever it came to.
    record.attempts = match status {
        JobStatus::FinalizePending => record.attempts.saturating_sub(1),
        _ => 0,
    };
}

/// Where a job stands when its finalization failed.
fn status_after(error: &SyncError) -> JobStatus {
    match (error, error.kind()) {
        (_, ErrorKind::Invalid | ErrorKind::Forbidden) => JobStatus::ErrorBadData,
        (SyncError::Store(StoreError::OutcomeUnknown { .. } | StoreError::Closed), _) => {
            JobStatus::FinalizePending
        }
        // The same call may succeed later: the job stays as it is.
        (_, ErrorKind::Unavailable | ErrorKind::Timeout) => JobStatus::AwaitingUploads,
        _ => JobStatus::ErrorUnexpectedFailure,
    }
}
