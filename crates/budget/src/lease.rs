// SPDX-License-Identifier: Apache-2.0
//! Bytes that are held for one piece of work.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::exhausted::Exhausted;
use crate::share::Share;

/// Least that is taken from the share at once.
const STEP_BYTES_MIN: u64 = 4 << 10;
/// A lease takes this part of what it has in advance, so that the shared counters are touched
/// seldom.
const STEP_PART: u64 = 8;

/// Bytes held for one piece of work; given back when dropped. It may be used from several threads.
#[derive(Debug)]
pub struct Lease {
    share: Share,
    /// Bytes that the work holds.
    used: AtomicU64,
    /// Bytes taken from the share: at least `used`.
    taken: AtomicU64,
}

impl Lease {
    pub(crate) fn new(share: Share) -> Self {
        Self {
            share,
            used: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        }
    }

    /// The share that it draws on.
    pub fn share(&self) -> &Share {
        &self.share
    }

    /// Notes that the work holds so many bytes more. Ask before you allocate.
    ///
    /// # Errors
    /// When a share is used up; nothing is noted then.
    pub fn add(&self, bytes: u64) -> Result<(), Exhausted> {
        let used = self.used.fetch_add(bytes, Ordering::AcqRel);
        let wanted = used.saturating_add(bytes);
        let taken = self.taken.load(Ordering::Acquire);
        if wanted <= taken {
            return Ok(());
        }
        // Two threads may both take here: then more is taken than needed, and all of it given back.
        let missing = wanted - taken;
        let ahead = (taken / STEP_PART).max(STEP_BYTES_MIN);
        let granted = if missing < ahead && self.share.take(ahead).is_ok() {
            ahead
        } else if let Err(error) = self.share.take(missing) {
            self.used.fetch_sub(bytes, Ordering::AcqRel);
            return Err(error);
        } else {
            missing
        };
        self.taken.fetch_add(granted, Ordering::AcqRel);
        Ok(())
    }

    /// Notes that the work let go of so many bytes, which it had added before.
    pub fn release(&self, bytes: u64) {
        let before = self
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                Some(used.saturating_sub(bytes))
            });
        let left = before.unwrap_or_default().saturating_sub(bytes);
        let keep = left
            .saturating_add(STEP_BYTES_MIN)
            .saturating_add(left / STEP_PART);
        let taken = self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken > keep).then_some(keep)
            });
        if let Ok(taken) = taken {
            self.share.give_back(taken.saturating_sub(keep));
        }
    }

    /// Says how many bytes the work holds now, where that is easier to tell than differences.
    ///
    /// # Errors
    /// When it is more than before and a share is used up.
    pub fn set(&self, bytes: u64) -> Result<(), Exhausted> {
        let used = self.used_bytes();
        if bytes >= used {
            self.add(bytes - used)
        } else {
            self.release(used - bytes);
            Ok(())
        }
    }

    /// Bytes that the work holds.
    pub fn used_bytes(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    /// Bytes that the share has given to it: those that the work holds, and some in advance.
    pub fn taken_bytes(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }

    /// The same bytes on another share: once a caller has proven who it is, what was held for a
    /// stranger is its own.
    ///
    /// # Errors
    /// When the other share is used up; the bytes are given back then.
    pub fn moved_to(self, share: &Share) -> Result<Self, Exhausted> {
        let moved = share.lease();
        moved.add(self.used_bytes())?;
        Ok(moved)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.share.give_back(*self.taken.get_mut());
    }
}
