// SPDX-License-Identifier: Apache-2.0
//! The temporal graph of one organization, kept in memory and folded from its journal.
//!
//! Readers take a [`Snapshot`] and look at it through a [`View`]: a snapshot at one instant. The
//! one writer of an organization drives a [`StateWriter`] and publishes snapshots. Nothing here
//! decides who may see what; start reading with [`View`].

pub mod bulk;
pub mod checkpoint;
pub mod core_reader;
pub mod ids;
pub mod rowset;
mod state;
pub mod store;
mod symbols;
mod view;

pub use core_reader::{CoreReader, Link};
pub use ids::{
    ClassId, Direction, EdgeRef, EntityRef, NextNumbers, ObjectRef, PropertyId, TripleId, TypeId,
    VerbId,
};
pub use rowset::{RowSet, RowSetBuilder};
pub use state::{MemoryUse, Snapshot, StateError, StateWriter};
pub use view::{Adjacency, ClassCover, ColumnCodes, ColumnView, TripleMeta, ValueRef, View};
