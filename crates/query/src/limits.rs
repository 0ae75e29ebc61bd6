// SPDX-License-Identifier: Apache-2.0
//! Limits that end a query, and the meter that watches them.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_budget::{Lease, Share};
use durward_model::{Clock, Instant, Value};

use crate::error::QueryError;

/// What a query may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest run in milliseconds.
    pub time_ms: u64,
    /// Most paths that may be walked.
    pub paths: u64,
    /// Most memory that intermediate results may take.
    pub bytes: u64,
    /// What measures the time; without a clock the time is not limited.
    pub clock: Option<Arc<dyn Clock>>,
    /// Set from outside when the client goes away.
    pub cancelled: Option<Arc<AtomicBool>>,
    /// Whose part of the budget the memory is taken from, while the query runs; without one only
    /// [`Limits::bytes`] counts.
    pub budget: Option<Share>,
}

/// Longest run of a query unless said otherwise (30 s).
pub const TIME_MS_DEFAULT: u64 = 30_000;
/// Most paths of a query unless said otherwise.
pub const PATHS_DEFAULT: u64 = 10_000_000;
/// Most memory of a query unless said otherwise (512 MiB).
pub const BYTES_DEFAULT: u64 = 512 << 20;
/// Most steps that one query may have, nested ones included.
pub const STEPS_MAX: usize = 64;
/// After how many visited neighbours the clock and the cancellation flag are looked at.
const TICKS_BETWEEN_CHECKS: u64 = 8192;
/// The budget is asked for this much at once, so that it is asked seldom.
const CHARGED_AT_ONCE: u64 = 64 << 10;
/// Most bytes of one value that a function makes (16 MiB).
pub(crate) const COMPUTED_BYTES_MAX: usize = 16 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: TIME_MS_DEFAULT,
            paths: PATHS_DEFAULT,
            bytes: BYTES_DEFAULT,
            clock: None,
            cancelled: None,
            budget: None,
        }
    }
}

/// Ends what runs with [`Limits::cancelled`] when it is dropped: the client went away, or the
/// answer is there.
#[derive(Debug)]
pub struct CancelGuard(Option<Arc<AtomicBool>>);

impl CancelGuard {
    /// Sets this flag when it is dropped; without one it does nothing.
    pub fn new(flag: Option<Arc<AtomicBool>>) -> Self {
        Self(flag)
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if let Some(flag) = &self.0 {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

/// Counts what a running query costs, and takes its memory from the budget; what was taken is given
/// back when the meter is dropped.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    lease: Option<Lease>,
    /// Bytes that the lease covers.
    charged: Cell<u64>,
    /// What went wrong where nothing could be returned; every further count ends the query.
    failure: RefCell<Option<QueryError>>,
    deadline: Option<Instant>,
    ticks: Cell<u64>,
    next_check: Cell<u64>,
    paths: Cell<u64>,
    bytes: Cell<u64>,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Self {
        let micros = i64::try_from(limits.time_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
        let deadline = limits
            .clock
            .as_ref()
            .map(|clock| clock.now().plus_micros(micros));
        Self {
            limits: limits.clone(),
            lease: limits.budget.as_ref().map(Share::lease),
            charged: Cell::new(0),
            failure: RefCell::new(None),
            deadline,
            ticks: Cell::new(0),
            next_check: Cell::new(TICKS_BETWEEN_CHECKS),
            paths: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    /// Counts `count` visited neighbours or rows.
    #[inline]
    pub(crate) fn tick(&self, count: u64) -> Result<(), QueryError> {
        let ticks = self.ticks.get().saturating_add(count);
        self.ticks.set(ticks);
        if ticks < self.next_check.get() {
            Ok(())
        } else {
            self.check()
        }
    }

    /// Looks at the clock and the flag now.
    #[cold]
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        self.next_check
            .set(self.ticks.get().saturating_add(TICKS_BETWEEN_CHECKS));
        if let Some(failure) = &*self.failure.borrow() {
            return Err(failure.clone());
        }
        if self
            .limits
            .cancelled
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
        {
            return Err(QueryError::Cancelled);
        }
        match (&self.limits.clock, self.deadline) {
            (Some(clock), Some(deadline)) if clock.now() >= deadline => Err(QueryError::Time {
                seconds: self.limits.time_ms.div_ceil(1000),
            }),
            _ => Ok(()),
        }
    }

    /// Counts one path.
    #[inline]
    pub(crate) fn path(&self) -> Result<(), QueryError> {
        let paths = self.paths.get().saturating_add(1);
        self.paths.set(paths);
        if paths > self.limits.paths {
            return Err(QueryError::Paths {
                paths: self.limits.paths,
            });
        }
        self.tick(1)
    }

    /// Counts memory that stays in use until it is released, or the query ends. To be called before
    /// the memory is taken where that is possible.
    #[inline]
    pub(crate) fn bytes(&self, count: usize) -> Result<(), QueryError> {
        let bytes = self.bytes.get().saturating_add(count as u64);
        if bytes > self.limits.bytes {
            return Err(QueryError::Bytes {
                bytes: self.limits.bytes,
            });
        }
        if bytes > self.charged.get() {
            self.charge(bytes)?;
        }
        self.bytes.set(bytes);
        #[cfg(test)]
        crate::tests::note_held(bytes);
        Ok(())
    }

    #[cold]
    fn charge(&self, bytes: u64) -> Result<(), QueryError> {
        let wanted = bytes.next_multiple_of(CHARGED_AT_ONCE);
        if let Some(lease) = &self.lease {
            lease.set(wanted)?;
        }
        self.charged.set(wanted);
        Ok(())
    }

    /// Gives back memory that was counted.
    pub(crate) fn release(&self, count: usize) {
        let left = self.bytes.get().saturating_sub(count as u64);
        self.bytes.set(left);
        let keep = left
            .saturating_add(CHARGED_AT_ONCE)
            .next_multiple_of(CHARGED_AT_ONCE);
        if keep < self.charged.get() {
            // A lease never refuses to shrink.
            let shrunk = self.lease.as_ref().map_or(Ok(()), |lease| lease.set(keep));
            if shrunk.is_ok() {
                self.charged.set(keep);
            }
        }
    }

    /// Counts memory for as long as the guard lives.
    pub(crate) fn hold(&self, count: usize) -> Result<Held<'_>, QueryError> {
        self.bytes(count)?;
        Ok(Held { meter: self, count })
    }

    /// Counts memory where no error can be returned: the next check ends the query.
    pub(crate) fn bytes_or_fail(&self, count: usize) -> bool {
        match self.bytes(count) {
            Ok(()) => true,
            Err(error) => {
                self.fail(error);
                false
            }
        }
    }

    /// Ends the query at the next check.
    pub(crate) fn fail(&self, error: QueryError) {
        self.failure.borrow_mut().get_or_insert(error);
        self.next_check.set(0);
    }

    pub(crate) fn paths_walked(&self) -> u64 {
        self.paths.get()
    }

    pub(crate) fn ticks_counted(&self) -> u64 {
        self.ticks.get()
    }
}

/// Counted memory that is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Held<'m> {
    meter: &'m Meter,
    count: usize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.meter.release(self.count);
    }
}

/// Bytes that an allocation takes besides what is asked for.
const ALLOCATION_BYTES: usize = 16;

/// Bytes that a value takes, its own place included.
pub(crate) fn held_bytes(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Instant(_) => 0,
        Value::String(text) => text.len().saturating_add(ALLOCATION_BYTES),
        Value::Bytes(bytes) => bytes.len().saturating_add(ALLOCATION_BYTES),
        Value::List(items) => {
            let items = items.iter().map(held_bytes);
            items.fold(ALLOCATION_BYTES, usize::saturating_add)
        }
        // A node of a document takes many times what it is written with.
        document @ Value::Document(_) => document.byte_size().saturating_mul(8),
    };
    inside.saturating_add(size_of::<Value>())
}

/// Bytes that several values take.
pub(crate) fn held_by_all(values: &[Value]) -> usize {
    let bytes = values.iter().map(held_bytes);
    bytes.fold(ALLOCATION_BYTES, usize::saturating_add)
}
