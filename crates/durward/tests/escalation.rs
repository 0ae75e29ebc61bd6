// SPDX-License-Identifier: Apache-2.0
//! Credentials that may do little, reaching for more: in every dialect each attempt is refused in
//! the dialect's own form, and leaves nothing behind but a record of it.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::string_slice,
    reason = "tests may panic, and their support is not a public API"
)]

#[path = "escalation/accounts.rs"]
mod accounts;
#[path = "escalation/administrators.rs"]
mod administrators;
mod common;
#[path = "escalation/credentials.rs"]
mod credentials;
#[path = "escalation/elsewhere.rs"]
mod elsewhere;
#[path = "escalation/graph.rs"]
mod graph;
#[path = "escalation/journal.rs"]
mod journal;
#[path = "escalation/later.rs"]
mod later;
#[path = "escalation/past.rs"]
mod past;
#[path = "escalation/reach.rs"]
mod reach;
#[path = "escalation/rows.rs"]
mod rows;
#[path = "escalation/secrets.rs"]
mod secrets;
#[path = "escalation/signatures.rs"]
mod signatures;
#[path = "common/strongdm.rs"]
mod strongdm;
#[path = "grpc/wire.rs"]
mod wire;
#[path = "escalation/world.rs"]
mod world;
