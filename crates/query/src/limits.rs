// SPDX-License-Identifier: Apache-2.0
//! Limits that end a query, and the meter that watches them.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_model::{Clock, Instant};

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

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: TIME_MS_DEFAULT,
            paths: PATHS_DEFAULT,
            bytes: BYTES_DEFAULT,
            clock: None,
            cancelled: None,
        }
    }
}

/// Counts what a running query costs.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
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

    /// Counts memory that stays in use until the end of the query.
    #[inline]
    pub(crate) fn bytes(&self, count: usize) -> Result<(), QueryError> {
        let bytes = self.bytes.get().saturating_add(count as u64);
        self.bytes.set(bytes);
        if bytes > self.limits.bytes {
            return Err(QueryError::Bytes {
                bytes: self.limits.bytes,
            });
        }
        Ok(())
    }

    pub(crate) fn paths_walked(&self) -> u64 {
        self.paths.get()
    }

    pub(crate) fn ticks_counted(&self) -> u64 {
        self.ticks.get()
    }
}
