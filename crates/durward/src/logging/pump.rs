// SPDX-License-Identifier: Apache-2.0
//! Writes lines to a place that may refuse them, and tells how many it refused.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Counts;

/// The writing end of the log.
pub(super) struct Pump<W> {
    sink: W,
    counts: Arc<Counts>,
    /// The last thing in the sink is the beginning of a line.
    is_torn: bool,
}

impl<W: Write> Pump<W> {
    pub(super) fn new(sink: W, counts: Arc<Counts>) -> Self {
        Self {
            sink,
            counts,
            is_torn: false,
        }
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Writes a line, after a word about those that were lost before it.
    pub(super) fn write(&mut self, line: &[u8]) {
        let lost = self.counts.lost.swap(0, Ordering::Relaxed);
        if lost > 0 || self.is_torn {
            let begin = if self.is_torn { "\n" } else { "" };
            let lines = if lost == 1 { "line" } else { "lines" };
            let notice =
                format!("{begin}WARN durward: {lost} {lines} of the log before this are lost\n");
            if !self.put(notice.as_bytes()) {
                self.counts.lost.fetch_add(lost, Ordering::Relaxed);
                self.counts.lose(1);
                return;
            }
            self.is_torn = false;
        }
        if !self.put(line) {
            self.counts.lose(1);
        }
    }

    /// Whether all of it was written.
    fn put(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.sink.write(rest) {
                Ok(count) if count > 0 => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => {
                    self.is_torn |= rest.len() < bytes.len();
                    return false;
                }
            }
        }
        true
    }
}
