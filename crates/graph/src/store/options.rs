// SPDX-License-Identifier: Apache-2.0
//! How a store is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use durward_catalog::Catalog;
use durward_journal::{FileSeal, Head, HeadSigner, Journal, SaltSource};
use durward_model::Clock;

/// What is done after each checkpoint.
pub type OnCheckpoint = Box<dyn Fn(&Head) + Send>;

/// How a store is opened.
pub struct StoreOptions {
    /// The folder of the organization.
    pub folder: PathBuf,
    /// The clock that stamps transactions.
    pub clock: Arc<dyn Clock>,
    /// What is known about types.
    pub catalog: Arc<Catalog>,
    /// Secret of the ids; always the same for one organization.
    pub id_secret: [u8; 32],
    /// Signs the head of the journal.
    pub head_signer: Arc<dyn HeadSigner>,
    /// Whether checkpoints are read and written, which needs [`StoreOptions::file_seal`] too.
    pub checkpoint: bool,
    /// What checkpoints are sealed with: without a key of the organization anybody could write one.
    pub file_seal: Option<Arc<dyn FileSeal>>,
    /// Is told the head that a checkpoint covers once that is on the disk.
    pub on_checkpoint: Option<OnCheckpoint>,
    /// A checkpoint is written after so many transactions.
    pub checkpoint_transactions: u64,
    /// A checkpoint is written after so many bytes of records.
    pub checkpoint_bytes: u64,
    /// Another journal than the SQLite file in the folder.
    pub journal: Option<Arc<dyn Journal>>,
    /// Other salts than those of the system, for tests.
    pub salts: Option<Box<dyn SaltSource>>,
}

impl StoreOptions {
    /// The usual options.
    pub fn new(
        folder: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
        catalog: Arc<Catalog>,
        id_secret: [u8; 32],
        head_signer: Arc<dyn HeadSigner>,
    ) -> Self {
        Self {
            folder: folder.into(),
            clock,
            catalog,
            id_secret,
            head_signer,
            checkpoint: true,
            file_seal: None,
            on_checkpoint: None,
            checkpoint_transactions: 100_000,
            checkpoint_bytes: 32 << 20,
            journal: None,
            salts: None,
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoreOptions")
            .field("folder", &self.folder)
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}
