// SPDX-License-Identifier: Apache-2.0
//! Time limit and cancellation for reads that are not queries and may look at a whole graph.

use std::sync::atomic::Ordering;

use durward_model::Instant;
use durward_query::{Limits, QueryError};

use super::{Context, errors};
use durward_graphql::engine::FieldError;

/// Ends a read that takes too long or that nobody waits for any more.
#[derive(Debug)]
pub(super) struct Watch {
    limits: Limits,
    deadline: Option<Instant>,
}

impl Watch {
    pub(super) fn new(limits: Limits) -> Self {
        let micros = i64::try_from(limits.time_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
        let deadline = limits
            .clock
            .as_ref()
            .map(|clock| clock.now().plus_micros(micros));
        Self { limits, deadline }
    }

    /// Whether the read may go on. To be asked now and then, not for each row.
    pub(super) fn check(&self) -> Result<(), FieldError> {
        let cancelled = &self.limits.cancelled;
        if cancelled
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
        {
            return Err(errors::of(&QueryError::Cancelled));
        }
        match (&self.limits.clock, self.deadline) {
            (Some(clock), Some(deadline)) if clock.now() >= deadline => {
                let seconds = self.limits.time_ms.div_ceil(1000);
                Err(errors::of(&QueryError::Time { seconds }))
            }
            _ => Ok(()),
        }
    }
}

/// Runs a read off the threads that serve connections, and stops it when the client goes away.
pub(super) async fn run<T: Send + 'static>(
    context: &Context,
    read: impl FnOnce(&Watch) -> Result<T, FieldError> + Send + 'static,
) -> Result<T, FieldError> {
    let limits = context.limits();
    let guard = context.cancel_guard(&limits);
    let watch = Watch::new(limits);
    let result = context.off_thread(move || read(&watch)).await;
    drop(guard);
    result?
}
