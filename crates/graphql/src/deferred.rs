// SPDX-License-Identifier: Apache-2.0
//! Results that a client fetches later by an unguessable URL, without its credential.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use durward_budget::Lease;
use durward_identity::Caller;
use durward_model::Instant;
use durward_policy::Action;
use parking_lot::Mutex;

/// How long a result waits to be fetched, in seconds.
pub const KEPT_SECONDS: i64 = 600;
/// Most results of one organization that wait at once; the oldest gives way.
pub const RESULTS_MAX: usize = 1024;
/// Most queries that run for results to be fetched later.
pub const RUNNING_MAX: usize = 256;
/// Most of them of one organization.
pub const RUNNING_OF_ONE_MAX: usize = RUNNING_MAX / 2;
/// Most bytes of all waiting results together.
pub const BYTES_MAX: usize = 128 << 20;
/// Most bytes of the waiting results of one organization.
pub const BYTES_OF_ONE_MAX: usize = BYTES_MAX / 2;

/// What became of a deferred query.
#[derive(Clone, Debug)]
pub enum Deferred {
    /// It still runs.
    Running,
    /// The JSON document to serve.
    Done(Arc<[u8]>),
}

/// Whose a result is.
pub struct Owner {
    /// Id of the organization: results give way to those of the same one only.
    pub organization: String,
    /// Whether whoever asked would still be answered the same. Asked whenever it is fetched.
    pub still_allowed: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Owner {
    /// A caller, as long as it is let in, and may read what it may read now.
    pub fn of(caller: &Caller) -> Self {
        let asked = caller.clone();
        Self {
            organization: caller.organization().id().to_string(),
            still_allowed: Box::new(move || {
                asked.at_present().is_ok_and(|now| {
                    now.allows(Action::GraphRead) && now.row_condition() == asked.row_condition()
                })
            }),
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Owner")
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Entry {
    owner: Arc<Owner>,
    expires: Instant,
    state: Deferred,
    /// What the document takes of the budget of whoever asked.
    held: Option<Lease>,
}

/// All deferred results of a server.
#[derive(Debug, Default)]
pub struct DeferredResults {
    entries: Mutex<HashMap<String, Entry>>,
}

impl DeferredResults {
    /// Announces a result under a token; `false` when too many queries run already.
    #[must_use]
    pub fn begin(&self, token: &str, owner: Owner, now: Instant) -> bool {
        let mut entries = self.entries.lock();
        drop_expired(&mut entries, now);
        let running = entries.values().filter(|entry| entry.is_running());
        let (own, others): (Vec<&Entry>, Vec<&Entry>) =
            running.partition(|entry| entry.is_of(&owner.organization));
        if own.len() >= RUNNING_OF_ONE_MAX || own.len() + others.len() >= RUNNING_MAX {
            return false;
        }
        make_room(&mut entries, &owner.organization, 1, 0);
        let entry = Entry {
            owner: Arc::new(owner),
            expires: now.plus_seconds(KEPT_SECONDS),
            state: Deferred::Running,
            held: None,
        };
        entries.insert(token.to_owned(), entry);
        true
    }

    /// Puts the document of a token there, unless it has expired meanwhile; `instead` when there
    /// is no room for it that other organizations do not need. `held` is what it takes of a budget.
    pub fn finish(
        &self,
        token: &str,
        document: Vec<u8>,
        held: Option<Lease>,
        instead: impl FnOnce() -> Vec<u8>,
    ) {
        let mut entries = self.entries.lock();
        let Some(entry) = entries.get(token) else {
            return;
        };
        let organization = entry.owner.organization.clone();
        let fits = make_room(&mut entries, &organization, 0, document.len());
        if let Some(entry) = entries.get_mut(token) {
            let document = if fits { document } else { instead() };
            entry.state = Deferred::Done(document.into());
            entry.held = held.filter(|_| fits);
        }
    }

    /// What the waiting results take of the budget, in bytes.
    pub fn held_bytes(&self) -> u64 {
        let entries = self.entries.lock();
        let held = entries.values().filter_map(|entry| entry.held.as_ref());
        held.map(Lease::taken_bytes).sum()
    }

    /// Lets go of results that nobody fetched in time.
    pub fn forget_expired(&self, now: Instant) {
        drop_expired(&mut self.entries.lock(), now);
    }

    /// What is there under a token, for as long as whoever asked for it may see it.
    pub fn get(&self, token: &str, now: Instant) -> Option<Deferred> {
        let (owner, state) = {
            let entries = self.entries.lock();
            let entry = entries.get(token).filter(|entry| entry.expires > now)?;
            (Arc::clone(&entry.owner), entry.state.clone())
        };
        (owner.still_allowed)().then_some(state)
    }
}

fn drop_expired(entries: &mut HashMap<String, Entry>, now: Instant) {
    entries.retain(|_, entry| entry.expires > now);
}

impl Entry {
    fn is_running(&self) -> bool {
        matches!(self.state, Deferred::Running)
    }

    fn is_of(&self, organization: &str) -> bool {
        self.owner.organization == organization
    }

    fn size(&self) -> usize {
        match &self.state {
            Deferred::Running => 0,
            Deferred::Done(document) => document.len(),
        }
    }
}

/// Drops the oldest finished results of an organization until so many more of so many bytes fit;
/// whether they do.
fn make_room(
    entries: &mut HashMap<String, Entry>,
    organization: &str,
    results: usize,
    incoming: usize,
) -> bool {
    loop {
        let all: usize = entries.values().map(Entry::size).sum();
        let own = || entries.values().filter(|entry| entry.is_of(organization));
        let own_bytes: usize = own().map(Entry::size).sum();
        let fits = own().count().saturating_add(results) <= RESULTS_MAX
            && own_bytes.saturating_add(incoming) <= BYTES_OF_ONE_MAX
            && all.saturating_add(incoming) <= BYTES_MAX;
        if fits {
            return true;
        }
        let finished = entries
            .iter()
            .filter(|(_, entry)| entry.is_of(organization) && !entry.is_running());
        let oldest = finished
            .min_by_key(|(_, entry)| entry.expires)
            .map(|(token, _)| token.clone());
        if oldest.and_then(|token| entries.remove(&token)).is_none() {
            return false;
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests may panic")]
mod tests {
    use super::*;

    fn owner(organization: &str) -> Owner {
        Owner {
            organization: organization.to_owned(),
            still_allowed: Box::new(|| true),
        }
    }

    #[test]
    fn results_come_and_go() {
        let results = DeferredResults::default();
        let now = Instant::from_millis(0);
        assert!(results.begin("a", owner("a"), now));
        assert!(matches!(results.get("a", now), Some(Deferred::Running)));
        results.finish("a", b"{}".to_vec(), None, Vec::new);
        let Some(Deferred::Done(document)) = results.get("a", now) else {
            panic!("not done")
        };
        assert_eq!(&*document, b"{}");
        assert!(results.get("a", now.plus_seconds(KEPT_SECONDS)).is_none());
        assert!(results.get("b", now).is_none());
    }

    #[test]
    fn what_waits_is_charged_until_it_goes() {
        let budget = durward_budget::Budget::unlimited();
        let share = budget.share("a", None);
        let results = DeferredResults::default();
        let now = Instant::from_millis(0);
        assert!(results.begin("a", owner("a"), now));
        let held = share.lease_of(1 << 20).unwrap();
        results.finish("a", vec![b' '; 1 << 20], Some(held), Vec::new);
        assert!(budget.used_bytes() >= 1 << 20);
        assert_eq!(results.held_bytes(), budget.used_bytes());
        results.forget_expired(now.plus_seconds(KEPT_SECONDS - 1));
        assert!(results.get("a", now).is_some());
        results.forget_expired(now.plus_seconds(KEPT_SECONDS));
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn the_oldest_finished_result_gives_way() {
        let results = DeferredResults::default();
        for number in 0..=RESULTS_MAX {
            let token = number.to_string();
            assert!(results.begin(&token, owner("a"), Instant::from_millis(number as i64)));
            results.finish(&token, vec![b' '], None, Vec::new);
        }
        let now = Instant::from_millis(0);
        assert!(results.get("0", now).is_none());
        assert!(results.get("1", now).is_some());
    }

    #[test]
    fn running_queries_are_bounded_and_never_give_way() {
        let results = DeferredResults::default();
        let now = Instant::from_millis(0);
        for number in 0..RUNNING_OF_ONE_MAX {
            assert!(results.begin(&number.to_string(), owner("a"), now));
        }
        assert!(!results.begin("one more", owner("a"), now));
        assert!(matches!(results.get("0", now), Some(Deferred::Running)));
        results.finish("0", b"{}".to_vec(), None, Vec::new);
        assert!(results.begin("one more", owner("a"), now));
        results.finish("unknown", b"{}".to_vec(), None, Vec::new);
        assert!(results.get("unknown", now).is_none());
    }

    #[test]
    fn organizations_do_not_push_out_each_other() {
        let results = DeferredResults::default();
        let now = Instant::from_millis(0);
        assert!(results.begin("theirs", owner("theirs"), now));
        results.finish("theirs", b"{}".to_vec(), None, Vec::new);
        for number in 0..=RESULTS_MAX {
            let token = number.to_string();
            let later = Instant::from_millis(1 + number as i64);
            assert!(results.begin(&token, owner("ours"), later));
            results.finish(&token, vec![b' '], None, Vec::new);
        }
        assert!(results.get("0", now).is_none(), "the oldest of ours");
        assert!(results.get("1", now).is_some());
        assert!(results.get("theirs", now).is_some());
        // Nor do running ones take every place.
        for number in 0..RUNNING_OF_ONE_MAX {
            assert!(results.begin(&format!("run {number}"), owner("ours"), now));
        }
        assert!(!results.begin("too many", owner("ours"), now));
        assert!(results.begin("one", owner("theirs"), now));
    }

    #[test]
    fn a_result_ends_with_the_right_to_it() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let results = DeferredResults::default();
        let now = Instant::from_millis(0);
        let is_allowed = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&is_allowed);
        let owner = Owner {
            organization: "a".to_owned(),
            still_allowed: Box::new(move || asked.load(Ordering::Relaxed)),
        };
        assert!(results.begin("a", owner, now));
        assert!(results.get("a", now).is_some());
        is_allowed.store(false, Ordering::Relaxed);
        assert!(results.get("a", now).is_none());
    }
}
