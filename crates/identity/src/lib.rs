// SPDX-License-Identifier: Apache-2.0
//! Organizations and credentials: who is asking, and what they may.
//!
//! [`init`] makes a data folder, [`Organizations`] opens it and answers
//! [`Organizations::authenticate`] with a [`Caller`], through which every later decision goes.
//! Commands that change credentials are methods of [`Organization`]; they write with the privilege
//! of the core, after asking `durward_policy`. Accounts, groups and roles are changed by the crate
//! above; what lies here of them is what a decision needs, and the first ones of an organization.
//!
//! Secrets that are only compared are kept as digests (passwords under argon2), those that must be
//! recovered are sealed by the vault. A secret is returned once, by the command that made it.

pub mod authenticate;
mod bindings;
pub mod caller;
mod changes;
mod commands;
mod commit;
mod control;
pub mod credential;
mod data_folder;
mod effective;
pub mod error;
mod failures;
mod first;
mod folder_backup;
mod grant;
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
mod tally;
#[cfg(feature = "testing")]
pub mod testing;

pub use authenticate::{AuthError, Presented};
pub use caller::Caller;
pub use changes::CredentialUpdate;
pub use commands::IssuedCredential;
pub use commit::Planned;
pub use credential::{CredentialKind, CredentialSummary};
pub use effective::{effective_rights, is_suspended};
pub use error::IdentityError;
pub use first::{InitOptions, InitOutput, init};
pub use folder_backup::{BackedUp, backup_folder, restore_folder};
pub use grant::{ACCESS_SECONDS, GrantError, REFRESH_SECONDS, TokenGrant, cyral_permissions};
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
