// SPDX-License-Identifier: Apache-2.0
//! What an operator does with one data folder, from `init` to the end of an organization.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    unreachable_pub,
    reason = "tests may panic, and their support is not a public API"
)]

#[path = "journey/audit.rs"]
mod audit;
mod common;
#[path = "journey/copies.rs"]
mod copies;
#[path = "journey/imports.rs"]
mod imports;
#[path = "journey/keys.rs"]
mod keys;
#[path = "journey/listening.rs"]
mod listening;
#[path = "journey/organizations.rs"]
mod organizations;
#[path = "journey/queries.rs"]
mod queries;
#[path = "journey/uploads.rs"]
mod uploads;
