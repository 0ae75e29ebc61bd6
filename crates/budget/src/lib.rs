// SPDX-License-Identifier: Apache-2.0
//! What callers may make the process hold and do: bytes and turns, shared out to organizations and
//! credentials.
//!
//! One [`Budget`] stands for everything beside the graph. Whoever works for a caller takes that
//! caller's [`Share`] and opens a [`Lease`] on it; the lease grows with what is held (bodies, JSON
//! nodes, state of queries, answers not yet sent) and gives it back when it is dropped. No
//! credential gets more than a quarter, no organization more than half, and all callers who have
//! not proven anything together only a small part, so that nobody can take the room of the others.
//! A refusal is an [`Exhausted`], which each dialect answers in its own way.
//!
//! Processors are shared the same way: heavy work takes a [`Turn`] of its organization first.
//!
//! What this crate is not for: rate limits (`identity`), limits of one query (`query`), and the
//! graph itself, which is not counted.
//!
//! Start reading at [`Budget`].

pub mod body;
mod budget;
mod exhausted;
pub mod json;
mod lease;
mod room;
mod share;
mod turn;

#[cfg(test)]
mod tests;

pub use budget::{Budget, BudgetLimits, TOTAL_BYTES_DEFAULT};
pub use exhausted::{Exhausted, Scope};
pub use lease::Lease;
pub use share::Share;
pub use turn::Turn;
