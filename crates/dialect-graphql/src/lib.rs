// SPDX-License-Identifier: Apache-2.0
//! The GraphQL dialects: one generic engine, and one module for each schema that it serves.
//!
//! For: decoding GraphQL requests, validating them against a contract of `contracts/graphql`,
//! executing them and writing the JSON answer. Not for: business rules, authorization decisions
//! or state, which live in the crates below; nor HTTP, which the binary speaks. It is the only
//! crate that sees apollo-compiler.
//!
//! Start reading at [`service`], then [`engine`].

pub mod context;
pub mod contracts;
pub mod deferred;
pub mod engine;
pub mod jupiterone;
pub mod native;
pub mod opencti;
pub mod service;
pub mod sonrai;

pub use context::{RequestContext, Services};
pub use deferred::{Deferred, DeferredResults};
pub use service::{Answer, ClientHints, Cost, GraphQl, SchemaName};
