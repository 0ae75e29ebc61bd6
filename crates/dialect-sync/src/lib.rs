// SPDX-License-Identifier: Apache-2.0
//! The synchronization dialect: the REST API through which integrations bring whole data sets in
//! as jobs (start, upload, finalize), the bulk export beside it, and the offline import that goes
//! the same way.
//!
//! Who a caller is, and whether it may take the action that the contract
//! (`contracts/routes/synchronization.toml`) names for the route, is decided before: a request
//! carries [`SyncAccess`] as an extension. What a job changes is computed below, in
//! `durward_graph::bulk`. Start reading with [`router`] and [`jobs::Jobs`].

pub mod access;
mod body;
mod commit;
mod drain;
pub mod error;
mod export;
mod finalize;
pub mod import;
mod job_json;
pub mod jobs;
mod record;
mod routes;
mod upload;

pub use access::{StillAllowed, SyncAccess};
pub use error::SyncError;
pub use import::{ImportError, ImportProgress, ImportReport, import_files};
pub use jobs::{JobOptions, Jobs, RandomSource, SetAside, set_aside_in};
pub use record::{JobMode, JobSource, JobStatus};
pub use routes::{contract, router};
