// SPDX-License-Identifier: Apache-2.0
//! Refusals in the audit log: the first ones at once, the rest as a number.
//!
//! Whoever is refused must not decide how much is written. Refusals of one sort (the same
//! credential, the same reason) share a window of a minute: the first are recorded one by one,
//! those after them are counted, and one more record tells the count when the window is over.

use std::collections::BTreeMap;

use durward_model::transaction::Origin;
use durward_model::{Instant, ObjectId};
use parking_lot::Mutex;

use crate::failures::shortened;

/// Length of a window in seconds.
const WINDOW_SECONDS: i64 = 60;
/// Most sorts of one credential that are told apart in a window.
const SORTS_MAX: usize = 32;
/// Most sorts of one organization that are told apart in a window.
const WINDOWS_MAX: usize = 1024;

/// What is counted together: whose, and which sort. The empty sort is that of everything for
/// which there was no room.
type Key = (Option<ObjectId>, String);

#[derive(Debug)]
struct Window {
    ends_at: Instant,
    recorded: u32,
    left_out: u64,
    /// The newest that was left out.
    last: Option<Origin>,
}

/// Counts refusals, so that a flood of them does not become a flood of records.
#[derive(Debug)]
pub(crate) struct Tally {
    /// How many of a sort are recorded one by one in a window.
    one_by_one: u32,
    windows: Mutex<BTreeMap<Key, Window>>,
}

impl Tally {
    pub(crate) fn new(one_by_one: u32) -> Self {
        Self {
            one_by_one,
            windows: Mutex::default(),
        }
    }

    /// Takes a refusal of a sort; gives what is to be recorded now: counts of windows that are
    /// over, and the refusal itself if it is one of the first.
    pub(crate) fn note(&self, sort: &str, origin: Origin, now: Instant) -> Vec<Origin> {
        let mut windows = self.windows.lock();
        let mut due = take_ended(&mut windows, |window| window.ends_at <= now);
        let key = key_of(&windows, origin.credential, sort);
        let window = windows.entry(key).or_insert_with(|| Window {
            ends_at: now.plus_seconds(WINDOW_SECONDS),
            recorded: 0,
            left_out: 0,
            last: None,
        });
        if window.recorded < self.one_by_one {
            window.recorded = window.recorded.saturating_add(1);
            due.push(origin);
        } else {
            window.left_out = window.left_out.saturating_add(1);
            window.last = Some(origin);
        }
        due
    }

    /// The counts of windows that are over.
    pub(crate) fn ended(&self, now: Instant) -> Vec<Origin> {
        take_ended(&mut self.windows.lock(), |window| window.ends_at <= now)
    }

    /// The counts of all windows: nothing will be noted any more.
    pub(crate) fn all(&self) -> Vec<Origin> {
        take_ended(&mut self.windows.lock(), |_| true)
    }
}

/// The window to count in: that of the sort, or of everything else when there is no room.
fn key_of(windows: &BTreeMap<Key, Window>, credential: Option<ObjectId>, sort: &str) -> Key {
    let key = (credential, shortened(sort));
    if windows.contains_key(&key) {
        return key;
    }
    let of_credential = windows.range((credential, String::new())..);
    let of_credential = of_credential.take_while(|((whose, _), _)| *whose == credential);
    if of_credential.take(SORTS_MAX).count() >= SORTS_MAX {
        return (credential, String::new());
    }
    if windows.len() >= WINDOWS_MAX {
        return (None, String::new());
    }
    key
}

fn take_ended(
    windows: &mut BTreeMap<Key, Window>,
    is_over: impl Fn(&Window) -> bool,
) -> Vec<Origin> {
    let mut counts = Vec::new();
    windows.retain(|(_, sort), window| {
        if !is_over(window) {
            return true;
        }
        counts.extend(count(sort, window));
        false
    });
    counts
}

/// The record of what a window left out.
fn count(sort: &str, window: &mut Window) -> Option<Origin> {
    let mut origin = window.last.take()?;
    let like = if sort.is_empty() {
        "of other sorts"
    } else {
        "like it"
    };
    let separator = if origin.detail.is_empty() { "" } else { "; " };
    let number = window.left_out;
    origin.detail = format!(
        "{}{separator}{number} more {like} within a minute",
        origin.detail
    );
    Some(origin)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_millis(0);

    fn refusal(credential: u64, why: &str) -> Origin {
        Origin {
            credential: Some(ObjectId(credential)),
            detail: why.to_owned(),
            ..Origin::default()
        }
    }

    #[test]
    fn a_flood_is_counted_and_told_once() {
        let tally = Tally::new(1);
        let mut recorded = Vec::new();
        for _ in 0..10_000 {
            recorded.extend(tally.note("no", refusal(1, "no"), START));
        }
        assert_eq!(recorded, [refusal(1, "no")]);
        assert!(tally.ended(START).is_empty());
        let later = START.plus_seconds(WINDOW_SECONDS);
        let next = tally.note("other", refusal(1, "other"), later);
        let told: Vec<&str> = next.iter().map(|origin| origin.detail.as_str()).collect();
        assert_eq!(told, ["no; 9999 more like it within a minute", "other"]);
        assert!(tally.all().is_empty());
    }

    #[test]
    fn some_are_recorded_one_by_one() {
        let tally = Tally::new(60);
        let recorded: usize = (0..1000)
            .map(|_| tally.note("no", refusal(1, "no"), START).len())
            .sum();
        assert_eq!(recorded, 60);
        assert_eq!(
            tally.all()[0].detail,
            "no; 940 more like it within a minute"
        );
    }

    #[test]
    fn many_sorts_of_many_credentials_stay_bounded() {
        let tally = Tally::new(1);
        let mut recorded = 0;
        for credential in 0..100 {
            for sort in 0..100 {
                let why = format!("no {sort}");
                recorded += tally.note(&why, refusal(credential, &why), START).len();
            }
        }
        let windows = tally.windows.lock().len();
        assert!(windows <= WINDOWS_MAX + 100, "{windows}");
        assert!(recorded <= WINDOWS_MAX + 100, "{recorded}");
        let counts = tally.all();
        let told = |origin: &Origin| -> usize {
            let (_, count) = origin.detail.rsplit_once("; ").unwrap();
            count.split(' ').next().unwrap().parse().unwrap()
        };
        let told: usize = counts.iter().map(told).sum();
        assert_eq!(told + recorded, 100 * 100, "none is lost");
    }
}
