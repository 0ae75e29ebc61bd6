// SPDX-License-Identifier: Apache-2.0
//! Secrets at rest and the keys that sign.
//!
//! One **master key** per data folder wraps the **data keys** of each organization; a data key
//! seals what must be recovered later (HMAC keys, signing keys, the id secret). Only this crate
//! sees key material, and only [`random`] makes any.
//!
//! Start with [`Vault`] (one organization), then [`master::MasterKeys`] (the key file) and
//! [`token::TokenKeys`] (signed tokens). What is only compared, never recovered, does not belong
//! here: see [`digest`] for random secrets and the identity crate for passwords.

pub mod digest;
pub mod error;
mod file;
mod file_seal;
mod head;
pub mod keys;
pub mod mac;
pub mod master;
pub mod random;
mod seal;
pub mod secret;
mod ssh_key;
pub mod token;
pub mod vault;

pub use error::VaultError;
pub use head::{HandOver, HeadKeys};
pub use mac::MacKey;
pub use master::{MASTER_KEY_FILE_VARIABLE, MasterKeys};
pub use secret::Secret;
pub use ssh_key::{SshKeyPair, ssh_key_kinds, ssh_key_pair};
pub use token::{Algorithm, TokenError, TokenKeys, VerifiedToken};
pub use vault::{TokenSort, Vault};
