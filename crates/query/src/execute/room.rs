// SPDX-License-Identifier: Apache-2.0
//! Room on the stack for plans of many steps.
//!
//! Paths are walked by recursion, a few calls for each step, and the row in which a block is left
//! out is compared with those in which it is walked on top of that. A plan of a few steps fits on
//! any thread; one of many gets a thread of its own, whose stack its steps decide.

use std::thread;

use crate::error::QueryError;

/// Plans of at most this many steps need no room of their own.
const STEPS_SMALL: usize = 16;
/// Stack of a plan without steps.
const STACK_BYTES: usize = 1 << 20;
/// What each step adds.
const STEP_BYTES: usize = 64 << 10;

/// Does work that recurses along the steps of a plan.
pub(super) fn with_room<T: Send>(
    steps: usize,
    work: impl FnOnce() -> Result<T, QueryError> + Send,
) -> Result<T, QueryError> {
    if steps <= STEPS_SMALL {
        return work();
    }
    let stack = STACK_BYTES.saturating_add(steps.saturating_mul(STEP_BYTES));
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("query".to_owned());
        let started = builder.stack_size(stack).spawn_scoped(scope, work);
        // Without a thread there is no room; what others hold is mostly given back soon.
        let started = started.map_err(|_| QueryError::NoThread)?;
        match started.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
