// SPDX-License-Identifier: Apache-2.0
//! Results that a client fetches later by an unguessable URL, without its credential.

use std::collections::HashMap;
use std::sync::Arc;

use durward_model::Instant;
use parking_lot::Mutex;

/// How long a result waits to be fetched, in seconds.
pub const KEPT_SECONDS: i64 = 600;
/// Most results that wait at once; the oldest gives way.
pub const RESULTS_MAX: usize = 1024;
/// Most queries that run for results to be fetched later.
pub const RUNNING_MAX: usize = 256;
/// Most bytes of all waiting results together.
pub const BYTES_MAX: usize = 512 << 20;

/// What became of a deferred query.
#[derive(Clone, Debug)]
pub enum Deferred {
    /// It still runs.
    Running,
    /// The JSON document to serve.
    Done(Arc<[u8]>),
}

#[derive(Debug)]
struct Entry {
    expires: Instant,
    state: Deferred,
}

/// All deferred results of a server.
#[derive(Debug, Default)]
pub struct DeferredResults {
    entries: Mutex<HashMap<String, Entry>>,
}

impl DeferredResults {
    /// Announces a result under a token; `false` when too many queries run already.
    #[must_use]
    pub fn begin(&self, token: &str, now: Instant) -> bool {
        let entry = Entry {
            expires: now.plus_seconds(KEPT_SECONDS),
            state: Deferred::Running,
        };
        let mut entries = self.entries.lock();
        entries.retain(|_, entry| entry.expires > now);
        if entries.values().filter(|entry| entry.is_running()).count() >= RUNNING_MAX {
            return false;
        }
        make_room(&mut entries, 1, 0);
        entries.insert(token.to_owned(), entry);
        true
    }

    /// Puts the document of a token there, unless it has expired meanwhile.
    pub fn finish(&self, token: &str, document: Vec<u8>) {
        let mut entries = self.entries.lock();
        if !entries.contains_key(token) {
            return;
        }
        make_room(&mut entries, 0, document.len());
        if let Some(entry) = entries.get_mut(token) {
            entry.state = Deferred::Done(document.into());
        }
    }

    /// What is there under a token.
    pub fn get(&self, token: &str, now: Instant) -> Option<Deferred> {
        let entries = self.entries.lock();
        entries
            .get(token)
            .filter(|entry| entry.expires > now)
            .map(|entry| entry.state.clone())
    }
}

impl Entry {
    fn is_running(&self) -> bool {
        matches!(self.state, Deferred::Running)
    }

    fn size(&self) -> usize {
        match &self.state {
            Deferred::Running => 0,
            Deferred::Done(document) => document.len(),
        }
    }
}

/// Drops the oldest finished results until so many more of so many bytes fit.
fn make_room(entries: &mut HashMap<String, Entry>, results: usize, incoming: usize) {
    let mut bytes: usize = entries.values().map(Entry::size).sum();
    while entries.len().saturating_add(results) > RESULTS_MAX
        || bytes.saturating_add(incoming) > BYTES_MAX
    {
        let finished = entries.iter().filter(|(_, entry)| !entry.is_running());
        let oldest = finished
            .min_by_key(|(_, entry)| entry.expires)
            .map(|(token, _)| token.clone());
        let Some(removed) = oldest.and_then(|token| entries.remove(&token)) else {
            return;
        };
        bytes = bytes.saturating_sub(removed.size());
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn results_come_and_go() {
        let results = DeferredResults::default();
        let now = Instant::from_millis(0);
        assert!(results.begin("a", now));
        assert!(matches!(results.get("a", now), Some(Deferred::Running)));
        results.finish("a", b"{}".to_vec());
        let Some(Deferred::Done(document)) = results.get("a", now) else {
            panic!("not done")
        };
        assert_eq!(&*document, b"{}");
        assert!(results.get("a", now.plus_seconds(KEPT_SECONDS)).is_none());
        assert!(results.get("b", now).is_none());
    }

    #[test]
    fn the_oldest_finished_result_gives_way() {
        let results = DeferredResults::default();
        for number in 0..=RESULTS_MAX {
            let token = number.to_string();
            assert!(results.begin(&token, Instant::from_millis(number as i64)));
            results.finish(&token, vec![b' ']);
        }
        let now = Instant::from_millis(0);
        assert!(results.get("0", now).is_none());
        assert!(results.get("1", now).is_some());
    }

    #[test]
    fn running_queries_are_bounded_and_never_give_way() {
        let results = DeferredResults::default();
        let now = Instant::from_millis(0);
        for number in 0..RUNNING_MAX {
            assert!(results.begin(&number.to_string(), now));
        }
        assert!(!results.begin("one more", now));
        assert!(matches!(results.get("0", now), Some(Deferred::Running)));
        results.finish("0", b"{}".to_vec());
        assert!(results.begin("one more", now));
        results.finish("unknown", b"{}".to_vec());
        assert!(results.get("unknown", now).is_none());
    }
}
