// SPDX-License-Identifier: Apache-2.0
//! StrongDM's gRPC interface: the contract as data, the wire, and the door to the services.
//!
//! The contract is generated text (`contracts/proto`, `contracts/strongdm/facts.tsv`), compiled to
//! descriptors by the build script. No code is generated from it: requests are decoded into
//! `prost_reflect::DynamicMessage`, answers are written as bytes.
//!
//! One [`Engine`] answers every request whose content type is gRPC's. It takes the message out of
//! its frame, authenticates the caller by the signature over the raw bytes, counts the call against
//! the rate limits, decodes it and hands a [`Call`] to a [`Dispatch`], which answers with a
//! [`Reply`] or a [`Status`]. The engine adds `meta` and `rate_limit` to answers that lack them,
//! refuses answers that clients would choke on, and puts every failure into the one form that all
//! SDKs understand. The engine asks whether the caller may what the contract names for a
//! method, before its service sees the call.
//!
//! - A service is written against [`Dispatch`], [`Call`], [`Contract`] and [`Method`]. A method
//!   that is not built answers [`Status::unsupported`]; errors of other crates become a status by
//!   [`Status::of`]. Which code a kind of error gets is decided in `status.rs` alone.
//! - [`wire`] has the few forms of protobuf that are written by hand.
//!
//! Start reading at [`Engine::answer`], or at [`Dispatch`] to write a service.

mod actions;
mod answer;
pub mod codec;
mod complete;
pub mod contract;
pub mod dispatch;
pub mod engine;
pub mod filter;
mod foreign;
pub mod frame;
mod health;
pub mod mapping;
mod metadata;
pub mod page;
mod reflection;
mod replay;
mod request;
pub mod services;
mod signature;
pub mod status;
mod stream;
mod weight;
pub mod wire;

pub use answer::{AnswerBody, Outcome, SignedFor};
pub use contract::{Contract, ContractError, FieldFlags, Method, Verb};
pub use dispatch::{Call, Dispatch, Reply, Unsupported};
pub use engine::{Engine, EngineParts, Source};
pub use foreign::accept_foreign_bytes;
pub use request::{decode, is_grpc};
pub use services::Services;
pub use status::{Code, Status};
