// SPDX-License-Identifier: Apache-2.0
//! Who may reach what: accounts, groups, roles, resources, nodes, policies, and what binds them.
//!
//! Dialects hand in and get back [`Object`]s: a kind and a bag of properties. [`Access`] holds the
//! commands of one organization; every one of them asks `durward_policy` first, keeps the role
//! access (`access_role ALLOWS access_resource`) in step with rules and resources in the same
//! transaction, and leaves its trace in the journal. [`effective`] answers who reaches what at an
//! instant, [`history`] what became of the objects. Credentials are not made here but in
//! `durward_identity`.

pub mod access;
pub mod accounts;
pub mod action;
mod administrators;
mod command;
pub mod effective;
pub mod error;
pub mod explain;
mod giving;
pub mod history;
pub mod intervals;
pub mod object;
mod policies;
pub mod reach;
pub mod reader;
pub mod resource_kind;
pub mod rules;

pub use access::{Access, Accesses};
pub use accounts::AccountSummary;
pub use command::{Created, NewObject, ObjectChange, Properties};
pub use durward_catalog::Kind;
pub use durward_catalog::kinds::{property, verb};
pub use effective::{AccessPath, Via};
pub use error::AccessError;
pub use history::HistoryRow;
pub use object::Object;
pub use reach::{Reached, Reaching};
pub use rules::AccessRules;

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests;
