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
    /// Announces a result under a token.
    pub fn begin(&self, token: &str, now: Instant) {
        let entry = Entry { expires: now.plus_seconds(KEPT_SECONDS), state: Deferred::Running };
        let mut entries = self.entries.lock();
        entries.retain(|_, entry| entry.expires > now);
        make_room(&mut entries, 0);
        entries.insert(token.to_owned(), entry);
    }

    /// Puts the document of a token there, unless it has expired meanwhile.
    pub fn finish(&self, token: &str, document: Vec<u8>) {
        let mut entries = self.entries.lock();
        make_room(&mut entries, document.len());
        if let Some(entry) = entries.get_mut(token) {
            entry.state = Deferred::Done(document.into());
        }
    }

    /// What is there under a token.
    pub fn get(&self, token: &str, now: Instant) -> Option<Deferred> {
        let entries = self.entries.lock();
        entries.get(token).filter(|entry| entry.expires > now).map(|entry| entry.state.clone())
    }
}

fn size(entry: &Entry) -> usize {
    match &entry.state {
        Deferred::Running => 0,
        Deferred::Done(document) => document.len(),
    }
}

/// Drops the oldest finished results until one more of `incoming` bytes fits.
fn make_room(entries: &mut HashMap<String, Entry>, incoming: usize) {
    let mut bytes: usize = entries.values().map(size).sum();
    while entries.len() >= RESULTS_MAX || bytes.saturating_add(incoming) > BYTES_MAX {
        let finished = entries.iter().filter(|(_, entry)| size(entry) > 0);
        let oldest = finished.min_by_key(|(_, entry)| entry.expires).map(|(token, _)| token.clone());
        let Some(removed) = oldest.and_then(|token| entries.remove(&token)) else { return };
        bytes = bytes.saturating_sub(size(&removed));
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
        results.begin("a", now);
        assert!(matches!(results.get("a", now), Some(Deferred::Running)));
        results.finish("a", b"{}".to_vec());
        let Some(Deferred::Done(document)) = results.get("a", now) else { panic!("not done") };
        assert_eq!(&*document, b"{}");
        assert!(results.get("a", now.plus_seconds(KEPT_SECONDS)).is_none());
        assert!(results.get("b", now).is_none());
    }

    #[test]
    fn the_oldest_finished_result_gives_way() {
        let results = DeferredResults::default();
        for number in 0..=RESULTS_MAX {
            let token = number.to_string();
            results.begin(&token, Instant::from_millis(number as i64));
            results.finish(&token, vec![b' ']);
        }
        let now = Instant::from_millis(0);
        assert!(results.get("0", now).is_none());
        assert!(results.get("1", now).is_some());
    }
}
