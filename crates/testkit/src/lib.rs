// SPDX-License-Identifier: Apache-2.0
//! What tests of several crates share: a real `durward` process in a folder of its own, and the
//! folders that tests read.
//!
//! It is a dev-dependency only and holds no rule of the product. Start at [`Server::start`].
//! Two checks of the whole repository live in its `tests/`: the direction of dependencies, and
//! tidiness. What the load client and the siege share stands in
//! [`connection`], [`grpc`], [`protobuf`] and [`times`].

mod binary;
mod client;
pub mod connection;
mod folders;
pub mod grpc;
pub mod protobuf;
mod server;
pub mod times;

pub use binary::durward_binary;
pub use client::{Answer, Client};
pub use folders::{repository, shared};
pub use server::{Credentials, Options, Server};
