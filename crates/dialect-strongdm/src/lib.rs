// SPDX-License-Identifier: Apache-2.0
//! StrongDM's gRPC interface: the contract, the wire, and the door to the services behind it.

pub mod contract;

pub use contract::{Contract, ContractError, FieldFlags, Method, Verb};
