// SPDX-License-Identifier: Apache-2.0
//! What walks found, kept for their next pages.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::mem::size_of;
use std::sync::Arc;

use durward_identity::OrganizationId;
use lru::LruCache;
use parking_lot::Mutex;

/// Most memory that is kept for all callers together, in bytes; what was not used for the longest
/// time goes first. It is beside the budget, so it is small: what is forgotten is found again.
const BYTES_MAX: usize = 64 << 20;
/// Most findings of one organization that are kept.
const WALKS_MAX: usize = 1024;

type Name = [u8; 32];
type Found = Arc<dyn Any + Send + Sync>;

/// What the walks of all callers found. A finding is named by everything that it depends on, the
/// credential included, so it is never stale and never another's. When there is no more room, the
/// organization that holds the most gives way.
#[derive(Default)]
pub struct Walks {
    kept: Mutex<HashMap<OrganizationId, Kept>>,
}

struct Kept {
    found: LruCache<Name, (Found, usize)>,
    bytes: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            found: LruCache::unbounded(),
            bytes: 0,
        }
    }
}

impl fmt::Debug for Walks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.kept.lock().values().map(|kept| kept.bytes).sum();
        formatter
            .debug_struct("Walks")
            .field("bytes", &bytes)
            .finish()
    }
}

impl Walks {
    pub(crate) fn get<T: Any + Send + Sync>(
        &self,
        organization: &OrganizationId,
        name: &Name,
    ) -> Option<Arc<Vec<T>>> {
        let mut kept = self.kept.lock();
        let found = kept.get_mut(organization)?.found.get(name)?.0.clone();
        found.downcast().ok()
    }

    pub(crate) fn keep<T: Any + Send + Sync>(
        &self,
        organization: &OrganizationId,
        name: Name,
        found: &Arc<Vec<T>>,
    ) {
        let bytes = found.len().saturating_mul(size_of::<T>());
        self.keep_sized(organization, name, found, bytes);
    }

    /// The same for what takes so many bytes.
    pub(crate) fn keep_sized<T: Any + Send + Sync>(
        &self,
        organization: &OrganizationId,
        name: Name,
        found: &Arc<Vec<T>>,
        bytes: usize,
    ) {
        if bytes > BYTES_MAX {
            return;
        }
        let mut all = self.kept.lock();
        let kept = all.entry(organization.clone()).or_default();
        if let Some((_, (_, gone))) = kept.found.push(name, (Arc::clone(found) as Found, bytes)) {
            kept.bytes = kept.bytes.saturating_sub(gone);
        }
        kept.bytes = kept.bytes.saturating_add(bytes);
        if kept.found.len() > WALKS_MAX {
            kept.drop_oldest();
        }
        while all.values().map(|kept| kept.bytes).sum::<usize>() > BYTES_MAX {
            let largest = all.values_mut().max_by_key(|kept| kept.bytes);
            if !largest.is_some_and(Kept::drop_oldest) {
                break;
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.kept.lock().clear();
    }
}

impl Kept {
    /// Whether there was one.
    fn drop_oldest(&mut self) -> bool {
        let Some((_, (_, gone))) = self.found.pop_lru() else {
            return false;
        };
        self.bytes = self.bytes.saturating_sub(gone);
        true
    }
}
