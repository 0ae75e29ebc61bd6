// SPDX-License-Identifier: Apache-2.0
//! A decorator that lets appends fail or hang at chosen points. With it a test can prove that no
//! acknowledgement leaves before the flush has returned, and that a failed append leaves nothing.

use std::sync::Arc;
use std::time::Duration;

use durward_model::Instant;
use durward_model::transaction::Sequence;
use parking_lot::{Condvar, Mutex};

use crate::{
    Batch, FencingToken, Journal, JournalError, Lease, ReadLimit, SignedHead, StoredTransaction,
};

/// Where an append can be disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Nothing is written yet.
    BeforeAppend,
    /// Everything is written and flushed, and the caller does not know yet.
    AfterFlush,
}

impl Point {
    fn name(self) -> &'static str {
        match self {
            Self::BeforeAppend => "before the append",
            Self::AfterFlush => "after the flush",
        }
    }
}

/// The decorator.
#[derive(Debug)]
pub struct FaultInjecting {
    inner: Arc<dyn Journal>,
    plan: Mutex<Plan>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    fail: Option<Point>,
    fail_head: bool,
    hold: Option<Point>,
    is_waiting: bool,
    returned: u64,
}

impl FaultInjecting {
    /// Puts the decorator around a journal.
    pub fn new(inner: Arc<dyn Journal>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            plan: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// The next append fails at this point.
    pub fn fail_next(&self, point: Point) {
        self.plan.lock().fail = Some(point);
    }

    /// The head cannot be read as long as this is set.
    pub fn fail_head(&self, fails: bool) {
        self.plan.lock().fail_head = fails;
    }

    /// Appends stop at this point until [`FaultInjecting::release`].
    pub fn hold(&self, point: Point) {
        self.plan.lock().hold = Some(point);
    }

    /// Lets held appends go on.
    pub fn release(&self) {
        self.plan.lock().hold = None;
        self.changed.notify_all();
    }

    /// Waits until an append is held; whether that happened in time.
    pub fn wait_until_held(&self, timeout: Duration) -> bool {
        let mut plan = self.plan.lock();
        self.changed
            .wait_while_for(&mut plan, |plan| !plan.is_waiting, timeout);
        plan.is_waiting
    }

    /// How many appends have returned to their caller.
    pub fn returned(&self) -> u64 {
        self.plan.lock().returned
    }

    fn pass(&self, point: Point) -> Result<(), JournalError> {
        let mut plan = self.plan.lock();
        while plan.hold == Some(point) {
            plan.is_waiting = true;
            self.changed.notify_all();
            self.changed.wait(&mut plan);
        }
        plan.is_waiting = false;
        if plan.fail == Some(point) {
            plan.fail = None;
            return Err(JournalError::Injected {
                point: point.name(),
            });
        }
        Ok(())
    }
}

impl Journal for FaultInjecting {
    fn head(&self) -> Result<Option<SignedHead>, JournalError> {
        if self.plan.lock().fail_head {
            return Err(JournalError::Injected {
                point: "reading the head",
            });
        }
        self.inner.head()
    }

    fn append(
        &self,
        expected: Sequence,
        token: FencingToken,
        batch: &Batch,
    ) -> Result<Sequence, JournalError> {
        let result = self
            .pass(Point::BeforeAppend)
            .and_then(|()| self.inner.append(expected, token, batch))
            .and_then(|sequence| self.pass(Point::AfterFlush).map(|()| sequence));
        self.plan.lock().returned += 1;
        result
    }

    fn read(
        &self,
        from: Sequence,
        limit: ReadLimit,
    ) -> Result<Vec<StoredTransaction>, JournalError> {
        self.inner.read(from, limit)
    }

    fn watch(
        &self,
        from: Sequence,
        limit: ReadLimit,
        timeout: Duration,
    ) -> Result<Vec<StoredTransaction>, JournalError> {
        self.inner.watch(from, limit, timeout)
    }

    fn lease(
        &self,
        name: &str,
        holder: &str,
        now: Instant,
        ttl: Duration,
    ) -> Result<Lease, JournalError> {
        self.inner.lease(name, holder, now, ttl)
    }

    fn compact(&self, before: Sequence) -> Result<u64, JournalError> {
        self.inner.compact(before)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.inner.meta(name)
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), JournalError> {
        self.inner.set_meta(name, value)
    }
}
