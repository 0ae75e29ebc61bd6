// SPDX-License-Identifier: Apache-2.0
//! How much heavy work runs at once.
//!
//! The processors are shared by the operating system; what is bounded here is how many threads one
//! organization can put before it. The others then wait for two or a few, not for hundreds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::exhausted::{Exhausted, Resource, Scope};

/// Turns, and who waits for them.
#[derive(Debug)]
pub(crate) struct Queue {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    scope: Scope,
}

/// Says that somebody waits no more, also when the waiting is given up.
struct Waiting<'q>(&'q AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    pub(crate) fn new(scope: Scope, turns: usize, waiting_max: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            waiting: AtomicUsize::new(0),
            waiting_max,
            scope,
        }
    }

    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, Exhausted> {
        let refused = Exhausted {
            scope: self.scope,
            resource: Resource::Waiting(self.waiting_max),
        };
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            return Err(refused);
        }
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        drop(waiting);
        permit.map_err(|_| refused)
    }
}

/// The right to run one piece of heavy work, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _own: OwnedSemaphorePermit,
    _organization: Option<OwnedSemaphorePermit>,
}

impl Turn {
    pub(crate) fn new(
        own: OwnedSemaphorePermit,
        organization: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            _own: own,
            _organization: organization,
        }
    }
}
