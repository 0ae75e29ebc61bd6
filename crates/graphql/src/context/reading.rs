// SPDX-License-Identifier: Apache-2.0
//! Reads that are not queries and may look at a whole graph.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use durward_budget::Lease;
use durward_listing::{Effort, ListError};
use durward_model::Instant;
use durward_query::{Limits, QueryError};

use super::{RequestContext, field_error};
use crate::engine::FieldError;

/// What a read may take: it ends when it takes too long, when nobody waits for it any more, or when
/// its caller may hold no more.
#[derive(Debug)]
pub struct Reading {
    limits: Limits,
    deadline: Option<Instant>,
    lease: Arc<Lease>,
}

impl Effort for Reading {
    fn check(&self) -> Result<(), ListError> {
        let cancelled = &self.limits.cancelled;
        if cancelled
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
        {
            return Err(QueryError::Cancelled.into());
        }
        match (&self.limits.clock, self.deadline) {
            (Some(clock), Some(deadline)) if clock.now() >= deadline => {
                let seconds = self.limits.time_ms.div_ceil(1000);
                Err(QueryError::Time { seconds }.into())
            }
            _ => Ok(()),
        }
    }

    fn hold(&self, bytes: usize) -> Result<(), ListError> {
        let clock = self.limits.clock.as_ref();
        self.lease
            .add(bytes as u64)
            .map_err(|error| ListError::Exhausted {
                error,
                at: clock.map_or(Instant::from_micros(0), |clock| clock.now()),
            })
    }

    fn release(&self, bytes: usize) {
        self.lease.release(bytes as u64);
    }
}

impl RequestContext {
    /// Runs a read off the threads that serve connections, and stops it when the client goes away.
    ///
    /// # Errors
    /// Those of the read and of [`RequestContext::off_thread`].
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reading) -> Result<T, FieldError> + Send + 'static,
    ) -> Result<T, FieldError> {
        let limits = self.limits();
        let guard = self.cancel_guard(&limits);
        let micros = i64::try_from(limits.time_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
        let clock = limits.clock.as_ref();
        let reading = Reading {
            deadline: clock.map(|clock| clock.now().plus_micros(micros)),
            limits,
            lease: Arc::clone(self.lease()),
        };
        let result = self.off_thread(move || read(&reading)).await;
        drop(guard);
        result?
    }
}

impl From<ListError> for FieldError {
    fn from(error: ListError) -> Self {
        field_error(&error)
    }
}
