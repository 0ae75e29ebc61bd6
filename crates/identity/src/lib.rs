// SPDX-License-Identifier: Apache-2.0
//! Organizations, accounts and credentials: who is there, and who is asking.
//!
//! [`init`] makes a data folder, [`Organizations`] opens it and answers
//! [`Organizations::authenticate`] with a [`Caller`], through which every later decision goes.
//! Commands that change accounts and credentials are methods of [`Organization`]; they write with
//! the privilege of the core, after asking `durward_policy`.
//!
//! Secrets that are only compared are kept as digests (passwords under argon2), those that must be
//! recovered are sealed by the vault. A secret is returned once, by the command that made it.

mod accounts;
mod administrators;
pub mod authenticate;
mod bindings;
pub mod caller;
mod changes;
mod commands;
mod commit;
mod control;
pub mod credential;
mod cyral;
mod data_folder;
mod effective;
pub mod error;
mod failures;
mod first;
mod folder_backup;
mod heads;
mod issue;
mod lists;
pub mod names;
pub mod organization;
pub mod organization_id;
mod organizations;
pub mod password;
pub mod rate_limit;
mod record;
mod retire;
pub mod roles;
mod strongdm;
mod tally;
#[cfg(feature = "testing")]
pub mod testing;

pub use accounts::{AccountSummary, NewAccount};
pub use administrators::require_administrator_beside;
pub use authenticate::{AuthError, Presented};
pub use caller::Caller;
pub use changes::CredentialUpdate;
pub use commands::{IssuedCredential, NewApiKey};
pub use commit::Planned;
pub use credential::{CredentialKind, CredentialSummary};
pub use cyral::cyral_permissions;
pub use cyral::grant::{ACCESS_SECONDS, GrantError, REFRESH_SECONDS, TokenGrant};
pub use effective::effective_rights;
pub use error::IdentityError;
pub use first::{InitOptions, InitOutput, init};
pub use folder_backup::{BackedUp, backup_folder, restore_folder};
pub use heads::HeadOptions;
pub use issue::{DrawnCredential, NewCredential};
pub use lists::CredentialFilter;
pub use organization::Organization;
pub use organization_id::OrganizationId;
pub use organizations::{OpenOptions, OrganizationSummary, Organizations};
pub use password::PasswordCost;
pub use rate_limit::{RateCost, RateLimits, RatePlan, RateVerdict};
pub use retire::{RetiredKey, SigningKey};

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may panic"
)]
mod tests;
