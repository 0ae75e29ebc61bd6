// SPDX-License-Identifier: Apache-2.0
//! The store: one open organization. Readers take snapshots; writers hand in drafts.
//!
//! One thread validates drafts against the head and the pending group, appends the group to the
//! journal with one flush, **then** publishes it, then answers. A failed append discards the group.

mod activity;
pub mod audit;
mod build;
mod checkpointer;
mod draft;
mod error;
mod idempotency;
mod instants;
mod lifeline;
mod options;
mod refold;
mod replay;
mod trail;
mod unique;
mod work;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use durward_catalog::Catalog;
use durward_journal::{
    FolderLock, Head, HeadSigner, Journal, ReadLimit, SqliteJournal, backup, codec,
};
use durward_model::transaction::{Hash, Origin, Sequence};
use durward_model::{Clock, Instant};
use parking_lot::Mutex;

pub use draft::{
    BulkCommit, Draft, Operation, OperationResult, Outcome, Privilege, PutMode, Receipt, Target,
};
pub use error::StoreError;
pub use options::{OnCheckpoint, StoreOptions};
pub use refold::StateCheck;
pub use trail::{AuditReport, Content, ERASED_ACTIVITY, Told};
pub use work::{Plan, Prepare};

use self::activity::ActivityLimit;
use self::instants::Instants;
use self::lifeline::Lives;
use self::trail::KnownErasures;
use self::work::{Reply, Work};
use self::writer::Writer;
use crate::state::Snapshot;
use crate::view::View;

/// How many writes may wait; more are refused with a hint when to retry.
pub const QUEUE_MAX: usize = 4096;
/// The hint when the queue is full.
const RETRY_AFTER_MS: u64 = 100;
/// Most transactions that one call of [`Store::transactions`] gives.
pub const TRANSACTIONS_MAX: usize = 10_000;

/// One open organization.
pub struct Store {
    shared: Arc<Shared>,
    queue: SyncSender<Work>,
    activities: Mutex<ActivityLimit>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lives: Lives,
    sqlite: Option<Arc<SqliteJournal>>,
    erasures: KnownErasures,
    /// Held while the journal is folded anew.
    auditing: Mutex<()>,
    discarded: Option<String>,
    _lock: FolderLock,
}

/// What readers and the writer share.
#[derive(Debug)]
struct Shared {
    journal: Arc<dyn Journal>,
    signer: Arc<dyn HeadSigner>,
    clock: Arc<dyn Clock>,
    catalog: Arc<Catalog>,
    instants: Instants,
    snapshot: ArcSwap<Snapshot>,
    head: Mutex<Head>,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Store")
            .field("head", &*self.shared.head.lock())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Makes a store in a new or empty place and opens it.
    pub fn create(options: StoreOptions) -> Result<Self, StoreError> {
        replay::create(&options)?;
        Self::open(options)
    }

    /// Opens a store: reads the checkpoint, verifies and replays what came after it, and starts the
    /// writer.
    pub fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let mut opened = replay::open(options)?;
        let discarded = opened.start.discarded.take();
        let shared = Arc::new(Shared {
            journal: opened.journal,
            signer: opened.signer,
            clock: opened.clock,
            catalog: opened.catalog,
            instants: Instants::new(),
            snapshot: ArcSwap::new(Arc::clone(&opened.start.snapshot)),
            head: Mutex::new(opened.start.head),
        });
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let lives = opened.start.checkpointer.lives();
        let line = lives.line("writer");
        let writer = Writer::new(
            Arc::clone(&shared),
            opened.start,
            opened.encoder,
            opened.token,
        );
        let thread = std::thread::Builder::new()
            .name("durward-writer".to_owned())
            .spawn(move || writer.run(&waiting, line))
            .map_err(|source| StoreError::System {
                action: "start the writer",
                source,
            })?;
        Ok(Self {
            shared,
            queue,
            activities: Mutex::default(),
            thread: Mutex::new(Some(thread)),
            lives,
            sqlite: opened.sqlite,
            erasures: KnownErasures::default(),
            auditing: Mutex::new(()),
            discarded,
            _lock: opened.lock,
        })
    }

    /// The published state.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// The state at an instant; `None` or a future instant is the head. What is answered about an
    /// instant stays true: later transactions get later instants.
    pub fn view(&self, at: Option<Instant>) -> View {
        let at = at.and_then(|at| self.shared.instants.admit(at, &*self.shared.clock));
        self.snapshot().view(at)
    }

    /// Writes a draft; returns when it is durable and published.
    pub fn submit(&self, draft: Draft) -> Result<Receipt, StoreError> {
        self.wait(|reply| Work::Draft {
            draft: Box::new(draft),
            reply,
        })
    }

    /// As [`Store::submit`], but calls `then` instead of waiting. It runs on the writer's thread
    /// and must not block.
    pub fn submit_then(
        &self,
        draft: Draft,
        then: impl FnOnce(Result<Receipt, StoreError>) + Send + 'static,
    ) {
        let reply = Reply::new(then);
        self.send(Work::Draft {
            draft: Box::new(draft),
            reply,
        });
    }

    /// Makes a draft on the writer's thread from the pending state, in which everything that was
    /// accepted before is seen, and writes it; returns when it is durable and published. For writes
    /// that depend on what they read. `plan` must not block or wait for this store.
    pub fn submit_planned(
        &self,
        plan: impl FnOnce(&View) -> Result<Draft, StoreError> + Send + 'static,
    ) -> Result<Receipt, StoreError> {
        let plan: Plan = Box::new(plan);
        self.wait(|reply| Work::Plan { plan, reply })
    }

    /// As [`Store::submit_planned`], but calls `then` instead of waiting. It runs on the writer's
    /// thread and must not block.
    pub fn submit_planned_then(
        &self,
        plan: impl FnOnce(&View) -> Result<Draft, StoreError> + Send + 'static,
        then: impl FnOnce(Result<Receipt, StoreError>) + Send + 'static,
    ) {
        let (plan, reply): (Plan, _) = (Box::new(plan), Reply::new(then));
        self.send(Work::Plan { plan, reply });
    }

    /// Records an activity without changes, such as a login or a denial. Does not wait for the
    /// disk. Activities beyond the rate limit are counted, and the next one recorded says how many.
    pub fn record(&self, mut origin: Origin) {
        if !self
            .activities
            .lock()
            .admit(self.shared.clock.now(), &mut origin)
        {
            return;
        }
        if self.queue.try_send(Work::Activity(origin)).is_err() {
            self.activities.lock().count_lost();
        }
    }

    /// Records an activity without changes and returns when that is durable: for what must not be
    /// done, or not be said to be done, without its record.
    pub fn note(&self, origin: Origin) -> Result<Receipt, StoreError> {
        self.wait(|reply| Work::Note { origin, reply })
    }

    /// Appends changes prepared against a state as one transaction, unless something was changed
    /// since; then [`StoreError::Stale`] asks to prepare them again.
    pub fn commit_bulk(&self, commit: BulkCommit) -> Result<Receipt, StoreError> {
        self.wait(|reply| Work::Bulk {
            commit: Box::new(commit),
            reply,
        })
    }

    /// Prepares changes on the writer's thread, while nobody else can write, and appends them.
    /// `prepare` gets the state and the numbers that follow on it.
    pub fn commit_bulk_with(
        &self,
        origin: Origin,
        idempotency_key: String,
        prepare: impl FnOnce(
            &View,
            crate::NextNumbers,
        ) -> Result<Vec<durward_model::change::Change>, StoreError>
        + Send
        + 'static,
    ) -> Result<Receipt, StoreError> {
        let prepare: Prepare = Box::new(prepare);
        self.wait(|reply| Work::BulkWith {
            origin,
            idempotency_key,
            prepare,
            reply,
        })
    }

    /// The hash of one published transaction; `None` where there is none.
    pub fn hash_at(&self, sequence: Sequence) -> Result<Option<Hash>, StoreError> {
        let (newest, hash) = self.head();
        if sequence == newest {
            return Ok(Some(hash));
        }
        if sequence > self.snapshot().sequence() {
            return Ok(None);
        }
        let one = ReadLimit {
            transactions: 1,
            bytes: 1,
        };
        let found = self.shared.journal.read(sequence, one)?;
        let Some(stored) = found.into_iter().find(|stored| stored.sequence == sequence) else {
            return Ok(None);
        };
        let damaged = |source| durward_journal::JournalError::Damaged { sequence, source };
        let (envelope, _) = codec::check(&stored.records).map_err(damaged)?;
        Ok(Some(envelope.hash))
    }

    /// Position and hash of the last transaction that is published.
    pub fn head(&self) -> (Sequence, Hash) {
        let head = *self.shared.head.lock();
        (head.sequence, head.hash)
    }

    /// Copies the journal as it is into an empty or new folder, while writes go on.
    pub fn backup(&self, target: &Path) -> Result<Head, StoreError> {
        match &self.sqlite {
            Some(journal) => Ok(backup::backup(journal, target)?),
            None => Err(StoreError::Folder {
                folder: target.to_owned(),
                problem: "cannot be filled: only embedded journals are backed up by the store",
            }),
        }
    }

    /// Writes a checkpoint now and waits for it.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.wait(|reply| Work::Checkpoint { reply }).map(drop)
    }

    /// The thread of this store that ended although nobody told it to, if one did. Then nothing can
    /// be written any more: the process should end, and a new start reads what the journal has.
    pub fn ended_thread(&self) -> Option<&'static str> {
        self.lives.ended()
    }

    /// Waits for the writes handed in so far, writes a checkpoint, and stops the writer. Writes
    /// after this are refused; reads go on.
    pub fn close(&self) -> Result<(), StoreError> {
        let mut thread = self.thread.lock();
        let Some(handle) = thread.take() else {
            return Ok(());
        };
        let (sender, receiver) = sync_channel(1);
        let reply = Reply::new(move |result| drop(sender.send(result)));
        // Blocks while the queue is full: closing must not be refused.
        if self.queue.send(Work::Close { reply }).is_err() {
            return Err(StoreError::WriterEnded);
        }
        let result = receiver.recv().unwrap_or(Err(StoreError::Closed));
        drop(handle.join());
        result.map(drop)
    }

    fn wait(&self, work: impl FnOnce(Reply) -> Work) -> Result<Receipt, StoreError> {
        let (sender, receiver) = sync_channel(1);
        self.send(work(Reply::new(move |result| drop(sender.send(result)))));
        receiver.recv().unwrap_or(Err(StoreError::Closed))
    }

    fn send(&self, work: Work) {
        match self.queue.try_send(work) {
            Ok(()) => {}
            Err(TrySendError::Full(work)) => {
                work.refuse(StoreError::Busy {
                    retry_after_ms: RETRY_AFTER_MS,
                });
            }
            Err(TrySendError::Disconnected(work)) => work.refuse(StoreError::Closed),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "closing the store failed"
            );
        }
    }
}
