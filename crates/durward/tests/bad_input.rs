// SPDX-License-Identifier: Apache-2.0
//! Bad input at the front door: one clear error in the shape of the dialect, and nothing lost or
//! half applied.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    unreachable_pub,
    reason = "tests may panic, and their support is not a public API"
)]

#[path = "bad_input/bodies.rs"]
mod bodies;
#[path = "bad_input/budget.rs"]
mod budget;
#[path = "bad_input/command_line.rs"]
mod command_line;
mod common;
#[path = "bad_input/credentials.rs"]
mod credentials;
#[path = "bad_input/queries.rs"]
mod queries;
#[path = "bad_input/writes.rs"]
mod writes;
