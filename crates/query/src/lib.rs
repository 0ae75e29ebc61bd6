// SPDX-License-Identifier: Apache-2.0
//! Queries: one plan algebra, one executor, and the front ends that are lowered to it.
//!
//! [`run`] answers a J1QL text; [`filter_group`] turns OpenCTI filters into plans and
//! [`where_filter`] those of Sonrai; [`run_plan`]
//! runs a [`plan::Plan`] that somebody else made. Nothing here decides who may ask: callers pass a
//! [`RowCondition`]. Start reading with [`plan`], then `execute`.

pub mod filter_group;
pub mod j1ql;
pub mod plan;
pub mod where_filter;

mod condition;
mod cursor;
mod dry_run;
mod error;
mod execute;
mod json;
mod limits;
mod list_cursor;
mod lower;
mod pattern;
mod result;
mod unknown;
mod visibility;

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod fixture;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests;

pub use condition::{AllOf, RowCondition};
pub use cursor::CursorKey;
pub use dry_run::check;
pub use error::QueryError;
pub use execute::{
    ObjectPage, PAGE_BYTES_DEFAULT, PAGE_ROWS_DEFAULT, PageSize, explain_plan, objects_of,
    run_plan, stream_plan,
};
pub use limits::{BYTES_DEFAULT, CancelGuard, Limits, PATHS_DEFAULT, STEPS_MAX, TIME_MS_DEFAULT};
pub use list_cursor::ListCursor;
pub use lower::{explain, lower, run, stream, warnings};
pub use result::{QueryPage, ResultKind, RunOptions};
pub use visibility::Visibility;
