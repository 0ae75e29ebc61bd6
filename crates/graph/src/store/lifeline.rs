// SPDX-License-Identifier: Apache-2.0
//! Threads that a store cannot do without: that one of them ended, although nobody told it to, must
//! not go unnoticed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use super::error::StoreError;

/// The first such thread that ended abnormally.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives(Arc<OnceLock<&'static str>>);

impl Lives {
    /// What ended.
    pub(super) fn ended(&self) -> Option<&'static str> {
        self.0.get().copied()
    }

    /// To be held by a thread as long as it runs.
    pub(super) fn line(&self, thread: &'static str) -> Lifeline {
        Lifeline {
            thread,
            lives: self.clone(),
            is_over: false,
        }
    }
}

/// Tells when it is dropped without having been let go, as by a panic.
#[derive(Debug)]
pub(super) struct Lifeline {
    thread: &'static str,
    lives: Lives,
    is_over: bool,
}

impl Lifeline {
    /// The thread ends because it was told to.
    pub(super) fn let_go(mut self) {
        self.is_over = true;
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        if !self.is_over {
            // Another one may have ended before; the first is what tells the cause.
            let _ = self.lives.0.set(self.thread);
            tracing::error!(thread = self.thread, "a vital thread ended abnormally");
        }
    }
}

/// Runs what is not the thread's own and changes nothing of it: a panic in there becomes an error,
/// and the thread goes on.
pub(super) fn guarded<T>(what: &'static str, work: impl FnOnce() -> T) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| StoreError::Abnormal { what })
}
