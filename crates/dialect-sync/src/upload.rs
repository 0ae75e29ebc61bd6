// SPDX-License-Identifier: Apache-2.0
//! Taking uploads in: read, checked and on the disk before they are answered.

use bytes::Bytes;
use durward_graph::bulk::staging::body_fingerprint;
use durward_graph::bulk::{BodyKind, ItemRules, read_body};
use serde::Deserialize;

use crate::error::SyncError;
use crate::jobs::{Job, Jobs};
use crate::record::JobStatus;

/// The flags in the query string of an upload.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UploadFlags {
    ignore_duplicates: bool,
    ignore_illegal_properties: bool,
}

impl Job {
    /// Refuses uploads when the job takes none.
    pub(crate) fn check_awaiting(&self) -> Result<(), SyncError> {
        match self.state.lock().record.status {
            JobStatus::AwaitingUploads => Ok(()),
            status => Err(SyncError::NotAwaitingUploads(status)),
        }
    }

    /// Stages a body. A body that was staged already changes nothing, so that a client may repeat
    /// an upload whose answer it did not get. Blocks.
    pub(crate) fn upload(
        &self,
        jobs: &Jobs,
        body: &Bytes,
        kind: BodyKind,
        flags: UploadFlags,
    ) -> Result<(), SyncError> {
        let fingerprint = body_fingerprint(body);
        let mode = {
            let state = self.state.lock();
            if state.record.status != JobStatus::AwaitingUploads {
                return Err(SyncError::NotAwaitingUploads(state.record.status));
            }
            if state
                .staging
                .as_ref()
                .is_some_and(|staging| staging.holds(fingerprint))
            {
                return Ok(());
            }
            state.record.mode
        };
        let rules = ItemRules {
            catalog: &jobs.options.catalog,
            patch: mode.is_patch(),
            ignore_illegal_properties: flags.ignore_illegal_properties,
        };
        let part = read_body(body, kind, rules).map_err(SyncError::BadUpload)?;
        let counts = part.counts();
        if let Some(refusal) = mode.refusal(&counts) {
            return Err(SyncError::BadRequest(refusal.to_owned()));
        }
        if counts.is_empty() {
            return Ok(());
        }
        let writer = {
            let mut state = self.state.lock();
            let status = state.record.status;
            let staging = state
                .staging
                .as_mut()
                .ok_or(SyncError::NotAwaitingUploads(status))?;
            staging.reserve(fingerprint, flags.ignore_duplicates)
        };
        let staged = writer.write(&part)?;
        let mut state = self.state.lock();
        if state.record.status != JobStatus::AwaitingUploads {
            // Finalized or aborted meanwhile: the part stays out, and goes with the folder.
            staged.discard()?;
            return Err(SyncError::NotAwaitingUploads(state.record.status));
        }
        let known = state.record.warnings.len();
        part.warnings
            .into_iter()
            .for_each(|warning| state.record.warn(warning));
        if state.record.warnings.len() > known {
            state.save(&self.folder)?;
        }
        if let Some(staging) = state.staging.as_mut() {
            staging.add(staged)?;
        }
        Ok(())
    }
}
