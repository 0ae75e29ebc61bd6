// SPDX-License-Identifier: Apache-2.0
//! Handing the changes of a job to the store.

use std::sync::Arc;

use durward_graph::bulk::diff::{DiffError, DiffReport, JobSpec, prepare, prepare_from};
use durward_graph::bulk::staging::StagedPart;
use durward_graph::store::{BulkCommit, Store, StoreError};
use durward_model::Catalog;
use durward_model::transaction::Origin;
use parking_lot::Mutex;

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
}

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
        before_commit: &dyn Fn(),
    ) -> Result<DiffReport, CommitError> {
        let view = store.view(None);
        let prepared =
            prepare(&view, &self.spec, &self.parts, catalog).map_err(CommitError::Diff)?;
        drop(view);
        if prepared.changes.is_empty() {
            return Ok(prepared.report);
        }
        before_commit();
        let commit = BulkCommit {
            origin: self.origin.clone(),
            idempotency_key: self.idempotency_key.clone(),
            based_on: prepared.based_on,
            changes: prepared.changes,
        };
        match store.commit_bulk(commit) {
            Ok(_) => Ok(prepared.report),
            Err(StoreError::Stale { .. }) => self.run_alone(store, catalog),
            Err(error) => Err(CommitError::Store(error)),
        }
    }

    fn run_alone(self, store: &Store, catalog: &Arc<Catalog>) -> Result<DiffReport, CommitError> {
        let report = Arc::new(Mutex::new(DiffReport::default()));
        let (slot, catalog) = (Arc::clone(&report), Arc::clone(catalog));
        let (spec, parts) = (self.spec, self.parts);
        let committed =
            store.commit_bulk_with(self.origin, self.idempotency_key, move |view, next| {
                let prepared =
                    prepare_from(view, next, &spec, &parts, &catalog).map_err(|error| {
                        let kind = error.kind();
                        StoreError::Preparation {
                            kind,
                            reason: error.to_string(),
                        }
                    })?;
                *slot.lock() = prepared.report;
                Ok(prepared.changes)
            });
        committed.map_err(CommitError::Store)?;
        Ok(std::mem::take(&mut *report.lock()))
    }
}
