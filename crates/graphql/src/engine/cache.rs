// SPDX-License-Identifier: Apache-2.0
//! Prepared documents, kept by their text; the least recently used go first.
//!
//! The whole text is the key, not a digest of it, so that no document can be mistaken for another.

use std::fmt;
use std::sync::Arc;

use durward_budget::{Lease, Share};
use lru::LruCache;
use parking_lot::Mutex;

use super::limits::{CACHED_DOCUMENT_BYTES_MAX, PLANNED_FIELDS_MAX};

/// What is kept of a prepared document, in bytes for each byte of its text: measured for documents
/// of nothing but fields with short names, which cost the most.
pub(super) const PREPARED_BYTES: u64 = 40;
/// What a planned field takes.
const PLANNED_BYTES: u64 = 200;

/// A bounded cache of values that belong to a text. What it takes is charged to the budget; where
/// others need the room, it keeps less.
pub(super) struct TextCache<V> {
    inner: Mutex<Inner<V>>,
    entries_max: usize,
}

struct Inner<V> {
    entries: LruCache<Arc<str>, Kept<V>>,
    planned: u64,
    lease: Lease,
}

struct Kept<V> {
    value: V,
    bytes: u64,
}

impl<V> fmt::Debug for TextCache<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        formatter
            .debug_struct("TextCache")
            .field("entries", &inner.entries.len())
            .field("bytes", &inner.lease.used_bytes())
            .finish_non_exhaustive()
    }
}

impl<V: Clone> TextCache<V> {
    pub(super) fn new(entries_max: usize, share: &Share) -> Self {
        let inner = Inner {
            entries: LruCache::unbounded(),
            planned: 0,
            lease: share.lease(),
        };
        Self {
            inner: Mutex::new(inner),
            entries_max,
        }
    }

    pub(super) fn get(&self, text: &str) -> Option<V> {
        let mut inner = self.inner.lock();
        inner.entries.get(text).map(|kept| kept.value.clone())
    }

    /// Keeps a value that takes so many bytes, unless its text is too long or there is no room.
    pub(super) fn put(&self, text: &str, value: V, bytes: u64) {
        if text.len() > CACHED_DOCUMENT_BYTES_MAX {
            return;
        }
        let bytes = bytes.saturating_add(text.len() as u64);
        let mut inner = self.inner.lock();
        inner.remove(text);
        while inner.entries.len() >= self.entries_max || inner.lease.add(bytes).is_err() {
            if !inner.remove_oldest() {
                return;
            }
        }
        inner.entries.put(Arc::from(text), Kept { value, bytes });
    }

    /// Notes that so many fields were planned for kept documents; too many, and all are forgotten.
    pub(super) fn note_planned(&self, fields: u32) {
        if fields == 0 {
            return;
        }
        let fields = u64::from(fields);
        let mut inner = self.inner.lock();
        inner.planned += fields;
        if inner.planned > PLANNED_FIELDS_MAX || inner.lease.add(fields * PLANNED_BYTES).is_err() {
            inner.clear();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.inner.lock().entries.len()
    }
}

impl<V> Inner<V> {
    fn remove(&mut self, text: &str) {
        if let Some(kept) = self.entries.pop(text) {
            self.lease.release(kept.bytes);
        }
    }

    /// Forgets what was not asked for the longest; whether there was anything.
    fn remove_oldest(&mut self) -> bool {
        let Some((_, kept)) = self.entries.pop_lru() else {
            // Plans of documents that went before.
            self.clear();
            return false;
        };
        self.lease.release(kept.bytes);
        true
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.planned = 0;
        self.lease.release(self.lease.used_bytes());
    }
}
