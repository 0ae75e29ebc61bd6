// SPDX-License-Identifier: Apache-2.0
//! Finalizing: what was staged becomes one transaction.

use std::sync::Arc;

use durward_graph::bulk::diff::JobSpec;
use durward_model::ErrorKind;
use durward_model::transaction::Origin;

use crate::commit::Commit;
use crate::error::SyncError;
use crate::jobs::{Job, Jobs};
use crate::record::{JobStatus, Outcome};

/// What a finalize call asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct FinalizeRequest {
    pub(crate) partial_types: Vec<String>,
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
                state.record.requested_by = origin.into();
                state.record.partial_types = request.partial_types;
                state.record.status = JobStatus::FinalizePending;
                state.save(&self.folder)?;
            }
            JobStatus::FinalizePending if *self.running.borrow() => return Ok(false),
            // Interrupted by a restart: taken up again as it was asked for then.
            JobStatus::FinalizePending => {}
            JobStatus::Finished => return Ok(false),
            status => return Err(SyncError::Over(status)),
        }
        Ok(!self.running.send_replace(true))
    }

    /// Whether a finalization was asked for before a restart and has not been taken up yet.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.state.lock().record.status == JobStatus::FinalizePending && !*self.running.borrow()
    }

    /// What the job would change, without changing anything. Blocks.
    pub(crate) fn dry_run(&self, jobs: &Jobs, partial: Vec<String>) -> Result<Outcome, SyncError> {
        let mut commit = self.prepared()?;
        commit.spec.partial_types.extend(partial);
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
        let mut origin = record.requested_by.origin();
        origin.detail = format!("job {}", record.id);
        Ok(Commit {
            spec: JobSpec {
                namespace: record.namespace(),
                mode: record.mode.sync_mode(),
                partial_types: record.partial_types.iter().cloned().collect(),
            },
            parts: staging.parts().to_vec(),
            origin,
            idempotency_key: format!("synchronization {}", record.id),
        })
    }

    /// Runs a finalization that was asked for, to its end. Blocks.
    pub(crate) fn run(&self, jobs: &Jobs) {
        let result = self.commit(jobs);
        let now = jobs.now();
        let mut state = self.state.lock();
        let status = match &result {
            Ok(outcome) => {
                if outcome.twins > 0 {
                    let twins = outcome.twins;
                    state
                        .record
                        .warn(format!("{twins} objects were uploaded more than once"));
                }
                state.record.result = Some(outcome.clone());
                JobStatus::Finished
            }
            Err(error) => {
                tracing::warn!(job = %state.record.id, %error, "a synchronization job failed");
                let bad_data = matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Forbidden);
                state.record.reason = Some(match error.kind() {
                    ErrorKind::Internal => "the server failed; its log says why".to_owned(),
                    _ => error.to_string(),
                });
                match (bad_data, error.kind()) {
                    (true, _) => JobStatus::ErrorBadData,
                    // The same call may succeed later: the job stays as it is.
                    (_, ErrorKind::Unavailable | ErrorKind::Timeout) => JobStatus::AwaitingUploads,
                    _ => JobStatus::ErrorUnexpectedFailure,
                }
            }
        };
        let closed = if status.is_final() {
            state.close(status, now, &self.folder)
        } else {
            state.record.status = status;
            state.save(&self.folder)
        };
        if let Err(error) = closed {
            tracing::error!(job = %state.record.id, ?error, "the end of a job cannot be recorded");
        }
        drop(state);
        self.running.send_replace(false);
    }

    fn commit(&self, jobs: &Jobs) -> Result<Outcome, SyncError> {
        let report = self
            .prepared()?
            .run(&jobs.options.store, &jobs.options.catalog, &|| ())?;
        Ok(report.into())
    }

    /// Waits until no finalization runs.
    pub(crate) async fn settled(self: &Arc<Self>) {
        let mut running = self.running.subscribe();
        // An error means that the job is gone, and nothing runs.
        let _ = running.wait_for(|running| !running).await;
    }
}
