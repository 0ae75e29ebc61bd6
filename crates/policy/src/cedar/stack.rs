// SPDX-License-Identifier: Apache-2.0
//! Stacks for what Cedar does by recursion.
//!
//! Two things bound how deep it goes: the length of a text, and how deep its expressions nest
//! ([`super::tokens`] before parsing, [`super::size`] after it). The stacks here hold the worst of
//! both several times over; `tests/hostile.rs` runs every construct at its limit with less.

use std::thread;

/// Stack for reading a policy. Cedar's lexer takes up to 0.6 KiB for a byte when it is not
/// optimized, 40 MiB for the longest text; converting an expression takes up to 130 KiB a level.
/// It is address space: only what is used takes memory, and it is given back at the end.
pub(super) const READ_BYTES: usize = 256 << 20;
/// Stack that judging a request takes whatever the conditions.
const JUDGE_BASE_BYTES: usize = 256 << 10;
/// Stack for one more level of a condition. Measured: up to 57 KiB not optimized.
const JUDGE_LEVEL_BYTES: usize = if cfg!(debug_assertions) {
    128 << 10
} else {
    32 << 10
};

/// Runs `work` on a thread with `bytes` of stack of its own and waits for it. An error says why it
/// could not be done; nothing of it ends the process.
pub(super) fn on_own<R: Send>(bytes: usize, work: impl FnOnce() -> R + Send) -> Result<R, String> {
    thread::scope(|scope| {
        let running = thread::Builder::new()
            .name("durward-cedar".to_owned())
            .stack_size(bytes)
            .spawn_scoped(scope, work)
            .map_err(|error| format!("the system gives no thread to read it: {error}"))?;
        running
            .join()
            .map_err(|_| "reading it ended abnormally".to_owned())
    })
}

/// Runs `work`, which judges conditions of at most `depth` levels, with stack enough for them.
pub(super) fn for_depth<R>(depth: usize, work: impl FnOnce() -> R) -> R {
    let bytes = depth
        .saturating_mul(JUDGE_LEVEL_BYTES)
        .saturating_add(JUDGE_BASE_BYTES);
    stacker::maybe_grow(bytes, bytes, work)
}
