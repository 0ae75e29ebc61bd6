// SPDX-License-Identifier: Apache-2.0
//! What walks found, kept for their next pages.

use std::any::Any;
use std::fmt;
use std::mem::size_of;
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

/// Most memory that is kept for all callers together, in bytes; what was not used for the longest
/// time goes first. It is beside the budget, so it is small: what is forgotten is found again.
const BYTES_MAX: usize = 64 << 20;
/// Most findings that are kept.
const WALKS_MAX: usize = 1024;

type Name = [u8; 32];
type Found = Arc<dyn Any + Send + Sync>;

/// What the walks of all callers found. A finding is named by everything that it depends on, the
/// credential included, so it is never stale and never another's.
pub struct Walks {
    kept: Mutex<Kept>,
}

struct Kept {
    found: LruCache<Name, (Found, usize)>,
    bytes: usize,
}

impl Default for Walks {
    fn default() -> Self {
        let kept = Kept {
            found: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            kept: Mutex::new(kept),
        }
    }
}

impl fmt::Debug for Walks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.kept.lock().bytes;
        formatter
            .debug_struct("Walks")
            .field("bytes", &bytes)
            .finish()
    }
}

impl Walks {
    pub(super) fn get<T: Any + Send + Sync>(&self, name: &Name) -> Option<Arc<Vec<T>>> {
        let found = self.kept.lock().found.get(name)?.0.clone();
        found.downcast().ok()
    }

    pub(super) fn keep<T: Any + Send + Sync>(&self, name: Name, found: &Arc<Vec<T>>) {
        let bytes = found.len().saturating_mul(size_of::<T>());
        if bytes > BYTES_MAX {
            return;
        }
        let mut kept = self.kept.lock();
        if let Some((_, (_, gone))) = kept.found.push(name, (Arc::clone(found) as Found, bytes)) {
            kept.bytes = kept.bytes.saturating_sub(gone);
        }
        kept.bytes = kept.bytes.saturating_add(bytes);
        while kept.bytes > BYTES_MAX || kept.found.len() > WALKS_MAX {
            let Some((_, (_, gone))) = kept.found.pop_lru() else {
                break;
            };
            kept.bytes = kept.bytes.saturating_sub(gone);
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut kept = self.kept.lock();
        kept.found.clear();
        kept.bytes = 0;
    }
}
