// SPDX-License-Identifier: Apache-2.0
//! Prepared documents, kept by their text; the least recently used go first.
//!
//! The whole text is the key, not a digest of it, so that no document can be mistaken for another.

use std::fmt;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use super::limits::{
    CACHED_DOCUMENT_BYTES_MAX, CACHED_DOCUMENTS_MAX, CACHED_TEXT_BYTES_MAX, PLANNED_FIELDS_MAX,
};

/// A bounded cache of values that belong to a text.
pub(super) struct TextCache<V> {
    inner: Mutex<Inner<V>>,
    entries_max: usize,
}

struct Inner<V> {
    entries: LruCache<Arc<str>, V>,
    bytes: usize,
    planned: u64,
}

impl<V> fmt::Debug for TextCache<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.lock();
        formatter
            .debug_struct("TextCache")
            .field("entries", &inner.entries.len())
            .field("bytes", &inner.bytes)
            .finish_non_exhaustive()
    }
}

impl<V: Clone> TextCache<V> {
    pub(super) fn new() -> Self {
        Self::with_entries(CACHED_DOCUMENTS_MAX)
    }

    pub(super) fn with_entries(entries_max: usize) -> Self {
        let inner = Inner {
            entries: LruCache::unbounded(),
            bytes: 0,
            planned: 0,
        };
        Self {
            inner: Mutex::new(inner),
            entries_max,
        }
    }

    pub(super) fn get(&self, text: &str) -> Option<V> {
        self.inner.lock().entries.get(text).cloned()
    }

    /// Keeps a value, unless its text is too long.
    pub(super) fn put(&self, text: &str, value: V) {
        if text.len() > CACHED_DOCUMENT_BYTES_MAX {
            return;
        }
        let mut inner = self.inner.lock();
        if inner.entries.put(Arc::from(text), value).is_none() {
            inner.bytes += text.len();
        }
        while inner.bytes > CACHED_TEXT_BYTES_MAX || inner.entries.len() > self.entries_max {
            let Some((text, _)) = inner.entries.pop_lru() else {
                break;
            };
            inner.bytes -= text.len();
        }
    }

    /// Notes that so many fields were planned for kept documents; too many, and all are forgotten.
    pub(super) fn note_planned(&self, fields: u32) {
        if fields == 0 {
            return;
        }
        let mut inner = self.inner.lock();
        inner.planned += u64::from(fields);
        if inner.planned > PLANNED_FIELDS_MAX {
            inner.entries.clear();
            inner.bytes = 0;
            inner.planned = 0;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.inner.lock().entries.len()
    }
}
