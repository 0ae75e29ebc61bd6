// SPDX-License-Identifier: Apache-2.0
//! Checkpoints, written in the background from published snapshots.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use durward_journal::{FileSeal, Head};
use durward_model::transaction::Sequence;

use super::draft::Receipt;
use super::error::StoreError;
use super::idempotency::Window;
use super::lifeline::{Lifeline, Lives, guarded};
use super::options::OnCheckpoint;
use super::work::Reply;
use crate::checkpoint::{self, CheckpointExtra};
use crate::state::Snapshot;

/// Where checkpoints go, what seals them, and what is done after each.
pub(super) struct CheckpointFile {
    pub(super) path: PathBuf,
    pub(super) seal: Arc<dyn FileSeal>,
    pub(super) then: Option<OnCheckpoint>,
}

/// Decides when a checkpoint is due and has it written.
#[derive(Debug)]
pub(super) struct Checkpointer {
    thread: Option<(SyncSender<Order>, JoinHandle<()>)>,
    lives: Lives,
    transactions_max: u64,
    bytes_max: u64,
    /// Sequence of the newest checkpoint, written or ordered.
    covered: Sequence,
    bytes: u64,
}

#[derive(Debug)]
struct Order {
    snapshot: Arc<Snapshot>,
    extra: CheckpointExtra,
    head: Head,
    reply: Option<Reply>,
}

impl Checkpointer {
    /// Starts the thread that writes the file; without one nothing is ever written.
    pub(super) fn start(
        file: Option<CheckpointFile>,
        (transactions_max, bytes_max): (u64, u64),
        covered: Sequence,
    ) -> Result<Self, StoreError> {
        let lives = Lives::default();
        let thread = match file {
            None => None,
            Some(file) => {
                let (sender, orders) = sync_channel(1);
                let line = lives.line("checkpointer");
                let handle = std::thread::Builder::new()
                    .name("durward-checkpoint".to_owned())
                    .spawn(move || write_all(&file, &orders, line))
                    .map_err(|source| StoreError::System {
                        action: "start the checkpoint thread",
                        source,
                    })?;
                Some((sender, handle))
            }
        };
        Ok(Self {
            thread,
            lives,
            transactions_max,
            bytes_max,
            covered,
            bytes: 0,
        })
    }

    /// Where the threads of the store are noted that end abnormally.
    pub(super) fn lives(&self) -> Lives {
        self.lives.clone()
    }

    /// Counts what was appended, and orders a checkpoint when it is due and the thread is free.
    pub(super) fn after_append(
        &mut self,
        bytes: u64,
        head: &Head,
        snapshot: &Arc<Snapshot>,
        window: &Window,
    ) {
        self.bytes = self.bytes.saturating_add(bytes);
        let transactions = head.sequence.0.saturating_sub(self.covered.0);
        if transactions >= self.transactions_max || self.bytes >= self.bytes_max {
            self.order(head, snapshot, window, None);
        }
    }

    /// Orders a checkpoint now; the reply comes when it is written.
    pub(super) fn write_now(
        &mut self,
        head: &Head,
        snapshot: &Arc<Snapshot>,
        window: &Window,
        reply: Reply,
    ) {
        if self.thread.is_none() || head.sequence == Sequence(0) {
            reply.answer(Ok(receipt(head)));
            return;
        }
        self.order(head, snapshot, window, Some(reply));
    }

    fn order(
        &mut self,
        head: &Head,
        snapshot: &Arc<Snapshot>,
        window: &Window,
        reply: Option<Reply>,
    ) {
        let Some((sender, _)) = &self.thread else {
            return;
        };
        let must_wait = reply.is_some();
        let extra = CheckpointExtra {
            head: head.hash,
            more: window.to_bytes(),
        };
        let order = Order {
            snapshot: Arc::clone(snapshot),
            extra,
            head: *head,
            reply,
        };
        let is_ordered = if must_wait {
            sender.send(order).is_ok()
        } else {
            // Busy: the next append tries again.
            sender.try_send(order).is_ok()
        };
        if is_ordered {
            self.covered = head.sequence;
            self.bytes = 0;
        }
    }

    /// Writes what is not covered yet, and ends the thread.
    pub(super) fn close(mut self, head: &Head, snapshot: &Arc<Snapshot>, window: &Window) {
        if self.covered < head.sequence {
            let (sender, done) = sync_channel(1);
            let reply = Reply::new(move |result| drop(sender.send(result)));
            self.write_now(head, snapshot, window, reply);
            drop(done.recv());
        }
        if let Some((sender, handle)) = self.thread.take() {
            drop(sender);
            drop(handle.join());
        }
    }
}

fn receipt(head: &Head) -> Receipt {
    Receipt {
        sequence: head.sequence,
        committed_at: head.committed_at,
        results: Vec::new(),
    }
}

fn write_all(file: &CheckpointFile, orders: &Receiver<Order>, line: Lifeline) {
    while let Ok(order) = orders.recv() {
        let writing = || {
            checkpoint::write(&order.snapshot, &file.path, &order.extra, &*file.seal)?;
            if let Some(then) = &file.then {
                then(&order.head);
            }
            Ok(())
        };
        let result = guarded("writing the checkpoint", writing).and_then(
            |written: Result<(), checkpoint::CheckpointError>| written.map_err(StoreError::from),
        );
        if let Err(error) = &result {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "writing a checkpoint failed; the next start replays more of the journal"
            );
        }
        if let Some(reply) = order.reply {
            reply.answer(result.map(|()| receipt(&order.head)));
        }
    }
    line.let_go();
}
