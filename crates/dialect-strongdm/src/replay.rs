// SPDX-License-Identifier: Apache-2.0
//! Answers to creations that are sent again.
//!
//! Clients repeat a call whose answer they did not get, and the answer may hold a secret that is
//! shown once. So the same credential that sends the same bytes again within two minutes gets the
//! first answer, as long as what was made is there and unchanged. That is asked only for objects
//! with a unique name: no other could come of the same request. Everything else is done again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use durward_model::{ErrorKind, Instant, ObjectId};
use durward_vault::Secret;
use parking_lot::{Condvar, Mutex};

use crate::status::Status;

/// How long an answer is kept.
const KEPT_SECONDS: i64 = 120;
/// Most answers that are kept.
const ANSWERS_MAX: usize = 4096;
/// Most bytes of answers that are kept.
const BYTES_MAX: usize = 16 << 20;
/// How long an equal request waits for the one that is under way.
const WAIT: Duration = Duration::from_secs(30);

/// Who sent what: the credential, and the digest of the method's name and the bytes.
pub(crate) type Key = (ObjectId, [u8; 32]);

/// What a creation made and answered.
pub(crate) struct Made {
    /// The encoded answer.
    pub(crate) answer: Vec<u8>,
    /// The object.
    pub(crate) object: ObjectId,
    /// Its version.
    pub(crate) version: u32,
}

/// The answers that are kept. They are in memory only: after a restart everything is done again.
#[derive(Default)]
pub(crate) struct Replays {
    slots: Mutex<Slots>,
    ended: Condvar,
}

#[derive(Default)]
struct Slots {
    by_key: HashMap<Key, Slot>,
    /// Keys of kept answers, the oldest first.
    order: VecDeque<(Instant, Key)>,
    bytes: usize,
}

enum Slot {
    Running,
    Kept(Kept),
}

#[derive(Clone)]
struct Kept {
    at: Instant,
    answer: Secret<Vec<u8>>,
    object: ObjectId,
    version: u32,
}

impl std::fmt::Debug for Replays {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = self.slots.lock().by_key.len();
        formatter
            .debug_struct("Replays")
            .field("kept", &kept)
            .finish_non_exhaustive()
    }
}

/// Frees a key that runs, however the run ends.
struct Running<'r> {
    replays: &'r Replays,
    key: Key,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut slots = self.replays.slots.lock();
        if matches!(slots.by_key.get(&self.key), Some(Slot::Running)) {
            slots.by_key.remove(&self.key);
        }
        drop(slots);
        self.replays.ended.notify_all();
    }
}

impl Replays {
    /// Makes something, or answers as when it was made. `is_current` says whether an object is
    /// there in this version, and whether the caller could still make it.
    pub(crate) fn once(
        &self,
        key: Key,
        now: Instant,
        is_current: impl Fn(ObjectId, u32) -> Result<bool, Status>,
        make: impl FnOnce() -> Result<Made, Status>,
    ) -> Result<Vec<u8>, Status> {
        if let Some(kept) = self.kept_or_begin(key, now)? {
            if is_current(kept.object, kept.version)? {
                return Ok(kept.answer.expose().clone());
            }
            self.begin_anew(key, &kept)?;
        }
        let running = Running { replays: self, key };
        let made = make()?;
        self.keep(key, now, &made);
        drop(running);
        Ok(made.answer)
    }

    /// The kept answer; without one the key is marked as running, and the caller is to make it.
    fn kept_or_begin(&self, key: Key, now: Instant) -> Result<Option<Kept>, Status> {
        let mut slots = self.slots.lock();
        slots.forget(now);
        loop {
            match slots.by_key.get(&key) {
                Some(Slot::Kept(kept)) => return Ok(Some(kept.clone())),
                Some(Slot::Running) => {
                    if self.ended.wait_for(&mut slots, WAIT).timed_out() {
                        return Err(busy());
                    }
                }
                None => {
                    slots.by_key.insert(key, Slot::Running);
                    return Ok(None);
                }
            }
        }
    }

    /// Marks a key as running whose kept answer holds no more; another may have been quicker.
    fn begin_anew(&self, key: Key, old: &Kept) -> Result<(), Status> {
        let mut slots = self.slots.lock();
        let is_old = match slots.by_key.get(&key) {
            Some(Slot::Kept(kept)) => kept.object == old.object && kept.version == old.version,
            Some(Slot::Running) => false,
            None => true,
        };
        if !is_old {
            return Err(busy());
        }
        slots.remove(&key);
        slots.by_key.insert(key, Slot::Running);
        Ok(())
    }

    fn keep(&self, key: Key, now: Instant, made: &Made) {
        if made.answer.len() > BYTES_MAX / 4 {
            return;
        }
        let kept = Kept {
            at: now,
            answer: Secret::new(made.answer.clone()),
            object: made.object,
            version: made.version,
        };
        let mut slots = self.slots.lock();
        slots.bytes += made.answer.len();
        slots.order.push_back((now, key));
        slots.by_key.insert(key, Slot::Kept(kept));
        slots.forget(now);
    }
}

impl Slots {
    /// Removes what is too old, and the oldest of what is too much.
    fn forget(&mut self, now: Instant) {
        while let Some((at, key)) = self.order.front().copied() {
            let is_old = at.plus_seconds(KEPT_SECONDS) < now;
            let is_full = self.order.len() > ANSWERS_MAX || self.bytes > BYTES_MAX;
            if !is_old && !is_full {
                return;
            }
            self.order.pop_front();
            if matches!(self.by_key.get(&key), Some(Slot::Kept(kept)) if kept.at == at) {
                self.remove(&key);
            }
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(Slot::Kept(kept)) = self.by_key.remove(key) {
            self.bytes = self.bytes.saturating_sub(kept.answer.expose().len());
        }
    }
}

fn busy() -> Status {
    Status::new(
        ErrorKind::Unavailable,
        "the same request is under way; try again",
    )
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "tests may panic, and stand in for what may fail"
)]
mod tests;
