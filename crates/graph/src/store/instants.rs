// SPDX-License-Identifier: Apache-2.0
//! Commit instants: each is later than all before and than every instant that a read was answered
//! for, so that an answer about an instant stays true.
//!
//! A read of an instant announces it, then looks whether a group stamped at or before it is on its
//! way to the disk; if so it waits for that group. The writer announces its first stamp, then looks
//! which instants were answered. One of the two always sees the other.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use durward_model::{Clock, Instant};
use parking_lot::{Condvar, Mutex};

/// A read never waits longer than this for a group; the disk is broken then.
const WAIT_MAX: Duration = Duration::from_secs(5);
const NONE: i64 = i64::MAX;

/// Keeps reads and stamps apart.
#[derive(Debug)]
pub(super) struct Instants {
    answered: AtomicI64,
    first_in_flight: AtomicI64,
    lock: Mutex<()>,
    landed: Condvar,
}

impl Instants {
    pub(super) fn new() -> Self {
        Self {
            answered: AtomicI64::new(i64::MIN),
            first_in_flight: AtomicI64::new(NONE),
            lock: Mutex::new(()),
            landed: Condvar::new(),
        }
    }

    /// Prepares a read at an instant: `None` when it means the head, because it is in the future.
    pub(super) fn admit(&self, at: Instant, clock: &dyn Clock) -> Option<Instant> {
        if at > clock.now() {
            return None;
        }
        self.answered.fetch_max(at.as_micros(), Ordering::SeqCst);
        if self.is_in_flight(at) {
            let mut guard = self.lock.lock();
            let is_waiting = |(): &mut ()| self.is_in_flight(at);
            self.landed.wait_while_for(&mut guard, is_waiting, WAIT_MAX);
        }
        Some(at)
    }

    fn is_in_flight(&self, at: Instant) -> bool {
        self.first_in_flight.load(Ordering::SeqCst) <= at.as_micros()
    }

    /// The instant of the next transaction of the group, after `last`.
    pub(super) fn stamp(&self, last: Instant, clock: &dyn Clock) -> Instant {
        loop {
            let answered = self.answered.load(Ordering::SeqCst);
            let after = last.as_micros().max(answered).saturating_add(1);
            let stamp = clock.now().as_micros().max(after);
            self.first_in_flight.fetch_min(stamp, Ordering::SeqCst);
            if self.answered.load(Ordering::SeqCst) < stamp {
                return Instant::from_micros(stamp);
            }
        }
    }

    /// The group is visible, or discarded.
    pub(super) fn land(&self) {
        let guard = self.lock.lock();
        self.first_in_flight.store(NONE, Ordering::SeqCst);
        drop(guard);
        self.landed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use durward_model::ManualClock;

    use super::*;

    #[test]
    fn stamps_are_after_answers_even_when_the_clock_steps_back() {
        let at = Instant::from_micros;
        let clock = ManualClock::new(at(100));
        let instants = Instants::new();
        assert_eq!(instants.admit(at(90), &clock), Some(at(90)));
        assert_eq!(
            instants.admit(at(101), &clock),
            None,
            "the future is the head"
        );
        clock.set(at(50));
        let first = instants.stamp(at(10), &clock);
        assert_eq!(first, at(91));
        assert_eq!(instants.stamp(first, &clock), at(92));
    }

    #[test]
    fn a_read_of_a_stamped_instant_waits_for_the_group() {
        let at = Instant::from_micros;
        let clock = Arc::new(ManualClock::new(at(100)));
        let instants = Arc::new(Instants::new());
        let stamp = instants.stamp(at(10), &*clock);
        assert_eq!(
            instants.admit(at(99), &*clock),
            Some(at(99)),
            "earlier instants do not wait"
        );
        let (reader, its_clock) = (Arc::clone(&instants), Arc::clone(&clock));
        let waiting = std::thread::spawn(move || reader.admit(stamp, &*its_clock));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished(), "the group is in flight");
        instants.land();
        assert_eq!(waiting.join().ok(), Some(Some(stamp)));
    }
}
