// SPDX-License-Identifier: Apache-2.0
//! Lists, page by page: what every dialect needs between the graph and its own words.
//!
//! For: one walk over a list sees one instant of the graph and of validity, shows only what its
//! caller may see, ends when nobody waits or a share is used up, and goes on by a sealed cursor
//! that is good for one credential and one question. Not for: what a client calls a field or a row,
//! which the dialects know; nor for queries of the graph, which `durward_query` pages itself.
//!
//! Start reading at [`walk`]. The sources: [`entities`], [`reach`], [`transactions`]; any other
//! rows are found by the dialect, remembered by [`Walk::remembered`] and cut by [`Walk::page`].

pub mod effort;
pub mod entities;
pub mod error;
pub mod reach;
pub mod transactions;
pub mod walk;
pub mod walks;

pub use effort::{Effort, Tally};
pub use error::ListError;
pub use walk::{Asker, Page, Place, Walk};
pub use walks::Walks;
