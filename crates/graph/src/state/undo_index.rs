// SPDX-License-Identifier: Apache-2.0
//! Which changes of a column concern which row: for single values at past instants, of which a
//! page of history reads many, each at an instant of its own.

/// How many changes may lie behind the sorted ones before all are sorted again.
const TAIL_MAX: usize = 256;
/// Beyond that, the tail may be this part of the whole.
const TAIL_PART: usize = 64;

/// Positions in the undo log, which only grows, by row.
#[derive(Debug, Default)]
pub(crate) struct UndoIndex {
    /// Row and position of the first changes of the log, sorted.
    sorted: Vec<(u32, u32)>,
}

impl UndoIndex {
    /// The first position among `from..len` at which `row_at` gives the row.
    pub(crate) fn first(
        &mut self,
        row: u32,
        from: usize,
        len: usize,
        row_at: impl Fn(usize) -> Option<u32>,
    ) -> Option<usize> {
        let tail_max = TAIL_MAX.max(len / TAIL_PART);
        if len.saturating_sub(self.sorted.len()) > tail_max {
            self.extend(len, &row_at);
        }
        let covered = self.sorted.len();
        let at = u32::try_from(from).unwrap_or(u32::MAX);
        let place = self.sorted.partition_point(|entry| *entry < (row, at));
        let found = self.sorted.get(place).filter(|entry| entry.0 == row);
        let found = found.map(|entry| entry.1 as usize);
        // An older version of the column knows only the beginning of what is sorted.
        found.filter(|position| *position < len).or_else(|| {
            let mut tail = from.max(covered)..len;
            tail.find(|position| row_at(*position) == Some(row))
        })
    }

    fn extend(&mut self, len: usize, row_at: &impl Fn(usize) -> Option<u32>) {
        let more = (self.sorted.len()..len).filter_map(|position| {
            let row = row_at(position)?;
            Some((row, u32::try_from(position).ok()?))
        });
        self.sorted.extend(more);
        #[expect(
            clippy::stable_sort_primitive,
            reason = "the larger part is sorted already, which this sort makes use of"
        )]
        self.sorted.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_scan_finds_while_the_log_grows() {
        let log: Vec<u32> = (0..9_000u32)
            .map(|at| at.wrapping_mul(7_919) % 301)
            .collect();
        let mut index = UndoIndex::default();
        for len in [10, 300, 5_000, 5_100, 9_000, 400] {
            for from in [0, 5, 299, 4_990, 8_999] {
                for row in [0, 17, 300, 301] {
                    let scan = (from..len).find(|at| log.get(*at) == Some(&row));
                    let found = index.first(row, from, len, |at| log.get(at).copied());
                    assert_eq!(found, scan, "row {row} from {from} of {len}");
                }
            }
        }
    }
}
