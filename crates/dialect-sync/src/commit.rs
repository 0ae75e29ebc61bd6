// SPDX-License-Identifier: Apache-2.0
//! Handing the changes of a job to the store.

use std::sync::Arc;

use durward_catalog::Catalog;
use durward_graph::bulk::diff::{DiffError, DiffReport, JobSpec, prepare, prepare_from};
use durward_graph::bulk::staging::StagedPart;
use durward_graph::store::{BulkCommit, Store, StoreError};
use durward_model::ErrorKind;
use durward_model::transaction::Origin;
use parking_lot::Mutex;

use crate::error::SyncError;

/// A job that is ready to be compared and committed.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) spec: JobSpec,
    pub(crate) parts: Vec<StagedPart>,
    pub(crate) origin: Origin,
    pub(crate) idempotency_key: String,
}

/// Why it fails.
#[derive(Debug)]
pub(crate) enum CommitError {
    Diff(DiffError),
    Store(StoreError),
    /// What it comes to cannot be noted.
    Plan(Box<SyncError>),
}

/// Notes what a commit comes to, durably, before it is handed to the journal: after a crash between
/// the two nothing else knows.
pub(crate) type NotePlan = dyn Fn(&DiffReport) -> Result<(), SyncError> + Send + Sync;

impl Commit {
    /// What the job would change.
    pub(crate) fn compare(
        &self,
        store: &Store,
        catalog: &Catalog,
    ) -> Result<DiffReport, CommitError> {
        let view = store.view(None);
        let prepared = prepare(&view, &self.spec, &self.parts, catalog);
        Ok(prepared.map_err(CommitError::Diff)?.report)
    }

    /// Compares beside other writers and commits; when one of them was faster, compares again while
    /// they wait.
    pub(crate) fn run(
        self,
        store: &Store,
        catalog: &Arc<Catalog>,
        note_plan: &Arc<NotePlan>,
    ) -> Result<DiffReport, CommitError> {
        let view = store.view(None);
        let prepared =
            prepare(&view, &self.spec, &self.parts, catalog).map_err(CommitError::Diff)?;
        drop(view);
        if prepared.changes.is_empty() {
            return Ok(prepared.report);
        }
        note_plan(&prepared.report).map_err(|error| CommitError::Plan(Box::new(error)))?;
        let commit = BulkCommit {
            origin: self.origin.clone(),
            idempotency_key: self.idempotency_key.clone(),
            based_on: prepared.based_on,
            changes: prepared.changes,
        };
        match store.commit_bulk(commit) {
            Ok(_) => Ok(prepared.report),
            Err(StoreError::Stale { .. }) => {
                let report = self.run_once(store, catalog, note_plan)?;
                Ok(report.unwrap_or_default())
            }
            Err(error) => Err(CommitError::Store(error)),
        }
    }

    /// Whether it is in the journal already. Nothing is compared.
    pub(crate) fn is_in_journal(&self, store: &Store) -> Result<bool, CommitError> {
        let nothing = |_: &_, _| {
            let (kind, reason) = (ErrorKind::Conflict, "it is given up".to_owned());
            Err(StoreError::Preparation { kind, reason })
        };
        let (origin, key) = (self.origin.clone(), self.idempotency_key.clone());
        match store.commit_bulk_with(origin, key, nothing) {
            Ok(_) => Ok(true),
            Err(StoreError::Preparation { .. }) => Ok(false),
            Err(error) => Err(CommitError::Store(error)),
        }
    }

    /// Compares and commits while other writers wait; none when the commit is in the journal
    /// already.
    pub(crate) fn run_once(
        self,
        store: &Store,
        catalog: &Arc<Catalog>,
        note_plan: &Arc<NotePlan>,
    ) -> Result<Option<DiffReport>, CommitError> {
        let report = Arc::new(Mutex::new(None));
        let (slot, catalog) = (Arc::clone(&report), Arc::clone(catalog));
        let (spec, parts, note_plan) = (self.spec, self.parts, Arc::clone(note_plan));
        let failed = |kind, reason| StoreError::Preparation { kind, reason };
        let committed =
            store.commit_bulk_with(self.origin, self.idempotency_key, move |view, next| {
                let prepared = prepare_from(view, next, &spec, &parts, &catalog)
                    .map_err(|error| failed(error.kind(), error.to_string()))?;
                note_plan(&prepared.report)
                    .map_err(|error| failed(error.kind(), error.to_string()))?;
                *slot.lock() = Some(prepared.report);
                Ok(prepared.changes)
            });
        committed.map_err(CommitError::Store)?;
        Ok(report.lock().take())
    }
}
