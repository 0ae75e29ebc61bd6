// SPDX-License-Identifier: Apache-2.0
//! The journal: the ordered log of transactions in which all truth lives.
//!
//! Three layers, each unaware of the one above. [`codec`] turns a transaction into records and
//! back, and ties each transaction to the one before by a hash. A [`Journal`] keeps records in
//! order and durably, without looking into them: [`SqliteJournal`] is the embedded engine,
//! [`MemoryJournal`] serves tests; both pass one conformance suite. [`verify()`] recomputes the
//! whole chain. [`erasure`] says which missing contents are right, [`file_seal`] and [`private`]
//! are how every other file of a data folder is written.
//!
//! What a transaction means is no business of this crate; the graph folds them.

pub mod backup;
pub mod codec;
pub mod engine;
pub mod erasure;
pub mod error;
pub mod file_seal;
mod finding;
pub mod folder_lock;
pub mod head;
pub mod memory;
pub mod private;
pub mod salt;
pub mod sqlite;
pub mod verify;

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod faults;

pub use codec::{CodecError, EncodedTransaction, Encoder, Envelope, Inspected, Opened};
pub use engine::{Batch, FencingToken, Journal, Lease, ReadLimit, StoredTransaction, WRITER_LEASE};
pub use erasure::{Erasure, ErasureRecord, Erasures};
pub use error::JournalError;
pub use file_seal::FileSeal;
pub use finding::{Finding, FindingKind};
pub use folder_lock::FolderLock;
pub use head::{Head, HeadSigner, SignedHead};
pub use memory::MemoryJournal;
pub use salt::{SaltSource, SystemSalts};
pub use sqlite::SqliteJournal;
pub use verify::{ChainCursor, VerifyOptions, VerifyReport, verify};
