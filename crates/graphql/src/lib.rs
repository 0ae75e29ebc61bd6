// SPDX-License-Identifier: Apache-2.0
//! The GraphQL engine, and what all dialects of it share.
//!
//! For: decoding GraphQL requests, validating them against a contract, executing them and writing
//! the JSON answer; choosing among the dialects of a server. Not for: what a dialect's fields mean,
//! which the crates `dialect-*` know; business rules, authorization decisions or state, which live
//! in the crates above; nor HTTP, which the binary speaks. It is the only crate that sees
//! apollo-compiler.
//!
//! Start reading at [`service`], then [`endpoint`] and [`engine`].

pub mod context;
pub mod deferred;
pub mod endpoint;
pub mod engine;
pub mod service;

pub use context::{RequestContext, Services};
pub use deferred::{Deferred, DeferredResults};
pub use endpoint::{Answer, Endpoint, Served};
pub use service::{Cost, GraphQl};
