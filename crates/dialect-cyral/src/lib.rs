// SPDX-License-Identifier: Apache-2.0
//! The Cyral dialect: the REST interface of that control plane.
//!
//! Which routes there are, who may ask them and which of them are executed is data:
//! `contracts/routes/cyral.toml`. [`CyralApi::answer`] serves all of them; start reading there.
//! Repositories are core resources, sidecars are core nodes, roles are core roles: what only this
//! dialect knows of them is kept beside in document properties of the same entity.

mod answer;
mod api;
mod contract;
mod core;
mod error;
mod fields;
mod handlers;
mod permission;
mod query;
mod routing;
pub mod token;

pub use answer::Answer;
pub use api::{Asked, CyralApi, Reading};
pub use contract::{Contract, ContractError, Group, Route, RouteState};
pub use permission::permissions;
