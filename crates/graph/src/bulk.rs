// SPDX-License-Identifier: Apache-2.0
//! Bulk loads: from upload bodies to one transaction that makes a part of the graph equal to them.
//!
//! An upload is read into columns ([`body`], [`part`]) and staged on disk ([`staging`]). Finalizing
//! compares all staged parts with the graph ([`diff`]) and yields the changes.

pub mod body;
mod columns;
pub mod diff;
mod encode;
pub mod item;
mod mapped;
pub mod part;
pub mod partial;
pub mod rejected;
pub mod scan;
pub mod staging;

pub use body::{BodyError, BodyKind, read_body, read_lines};
pub use item::{ItemError, ItemRules};
pub use part::{Part, PartCounts};
pub use partial::PartialTypes;
pub use rejected::{RejectedItem, Rejections};
