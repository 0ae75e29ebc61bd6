// SPDX-License-Identifier: Apache-2.0
//! Tests of the whole way from a query text to its result.

mod behaviour;
mod examples;
mod graph;
mod hostile;
mod memory;
mod naive;
mod random;

/// Remembers what a meter of this thread holds.
pub(crate) fn note_held(bytes: u64) {
    memory::MOST_HELD.set(memory::MOST_HELD.get().max(bytes));
}
