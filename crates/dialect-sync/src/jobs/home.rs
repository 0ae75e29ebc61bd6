// SPDX-License-Identifier: Apache-2.0
//! Where a job lies on the disk, and what its files are sealed with.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use durward_graph::bulk::staging::{Staging, StagingError};
use durward_journal::FileSeal;

/// The folder of a job.
#[derive(Clone, Debug)]
pub(crate) struct JobHome {
    pub(crate) folder: PathBuf,
    pub(crate) seal: Arc<dyn FileSeal>,
}

impl JobHome {
    /// The id by which the job is sealed: the name of its folder.
    pub(crate) fn id(&self) -> Cow<'_, str> {
        self.folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    }

    /// Where its staged parts live.
    pub(super) fn parts_folder(&self) -> PathBuf {
        self.folder.join("parts")
    }

    /// Its staged parts.
    pub(super) fn staging(&self) -> Result<Staging, StagingError> {
        Staging::open(&self.parts_folder(), Arc::clone(&self.seal), &self.id())
    }
}
