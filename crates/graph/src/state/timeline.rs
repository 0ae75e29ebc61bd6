// SPDX-License-Identifier: Apache-2.0
//! The transactions that changed something, numbered by ticks of four bytes.

use durward_model::Instant;
use durward_model::transaction::Sequence;

use super::chunked::Chunked;

/// Position of a changing transaction, from 1; 0 is before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tick(pub(crate) u32);

/// Sequence and instant of every tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    entries: Chunked<(Sequence, Instant)>,
}

impl Timeline {
    pub(crate) fn push(&mut self, sequence: Sequence, instant: Instant) -> Tick {
        Tick(self.entries.push((sequence, instant)) + 1)
    }

    /// The last tick.
    pub(crate) fn last(&self) -> Tick {
        Tick(self.entries.len() as u32)
    }

    /// The last tick that is not after an instant.
    pub(crate) fn at(&self, instant: Instant) -> Tick {
        Tick(self.entries.partition_point(|(_, when)| *when <= instant) as u32)
    }

    fn entry(&self, tick: Tick) -> Option<&(Sequence, Instant)> {
        self.entries.get((tick.0 as usize).checked_sub(1)?)
    }

    pub(crate) fn instant(&self, tick: Tick) -> Instant {
        self.entry(tick)
            .map_or(Instant::MIN, |(_, instant)| *instant)
    }

    pub(crate) fn sequence(&self, tick: Tick) -> Sequence {
        self.entry(tick)
            .map_or(Sequence(0), |(sequence, _)| *sequence)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Sequence, Instant)> {
        self.entries.iter()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.bytes()
    }
}
