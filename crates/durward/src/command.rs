// SPDX-License-Identifier: Apache-2.0
//! One module a command.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod config;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod org;
pub(crate) mod query;
pub(crate) mod schema;
pub(crate) mod serve;
