// SPDX-License-Identifier: Apache-2.0
//! Lists page by page: one walk sees one instant, however the objects change meanwhile.
//!
//! A list is worked out once, for its first page; what it found is remembered while the walk goes
//! on, and worked out again (the same, since the cursor fixes the instant) when it was forgotten.
//! So a walk costs what its list costs, not that times its pages. [`Walk`] is one call for a page,
//! and [`Page`] gathers its rows.

mod entities;
mod relationships;
mod request;
mod walk;
mod writer;

pub use entities::entities;
pub(crate) use entities::require_each;
pub use relationships::relationships;
pub(crate) use request::text;
pub use request::{PageRequest, snapshot_at};
pub use walk::Walk;
pub use writer::Page;

/// Rows of a page when the client does not say. The vendor documents 50; ours is larger, since the
/// same walk then needs 20 times fewer calls, and the byte cap keeps pages within what clients
/// receive.
pub const PAGE_ROWS_DEFAULT: usize = 1000;
/// Most rows of a page, whatever the client asks.
pub const PAGE_ROWS_MAX: usize = 10_000;
/// Most bytes of the rows of a page: clients receive 4 MiB, and what else an answer holds is small.
pub const PAGE_BYTES_MAX: usize = 3 << 20;
