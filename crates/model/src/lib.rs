// SPDX-License-Identifier: Apache-2.0
//! The vocabulary of Durward: ids, values, changes, transactions, and the error kinds.
//!
//! No input or output happens here and nothing is asynchronous. Start with [`Value`], then
//! [`change::Change`] (what a transaction holds) and [`transaction::Transaction`].

pub mod arena;
pub mod change;
pub mod clock;
pub mod document;
pub mod error;
pub mod id;
pub mod instant;
pub mod limits;
pub mod namespace;
pub mod number;
pub mod record;
pub mod transaction;
pub mod value;

pub use arena::StringArena;
pub use clock::{Clock, ManualClock, SystemClock};
pub use document::Document;
pub use error::ErrorKind;
pub use id::{EntityNumber, IdCipher, ObjectId, ObjectNumber, RelationshipNumber};
pub use instant::Instant;
pub use namespace::Namespace;
pub use number::Number;
pub use value::Value;
