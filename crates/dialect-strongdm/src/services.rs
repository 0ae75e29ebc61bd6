// SPDX-License-Identifier: Apache-2.0
//! The services.

pub(crate) mod access_history;
pub(crate) mod account_permissions;
pub(crate) mod account_resources;
pub(crate) mod activities;
pub(crate) mod history;
mod lists;
pub(crate) mod role_resources;
mod timestamp;

pub(crate) use lists::{list_derived, refuse_order, require};
