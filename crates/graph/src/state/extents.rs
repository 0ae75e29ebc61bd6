// SPDX-License-Identifier: Apache-2.0
//! Runs of objects created together: from numbers to rows and back, and when they were created.

use super::chunked::Chunked;
use super::timeline::Tick;

/// A run of objects of one type or triple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Number of the first object.
    pub(crate) first_number: u32,
    /// Its row.
    pub(crate) first_row: u32,
    /// How many objects there are.
    pub(crate) len: u32,
    /// When they were created.
    pub(crate) tick: Tick,
}

/// The runs of one type or triple, ascending by row, by number and by tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extents {
    runs: Chunked<Extent>,
}

impl Extents {
    /// One past the last row.
    pub(crate) fn rows(&self) -> u32 {
        self.runs.last().map_or(0, |run| run.first_row + run.len)
    }

    /// Adds objects at the end.
    pub(crate) fn push(&mut self, first_number: u32, len: u32, tick: Tick) {
        let first_row = self.rows();
        if let Some(last) = self.runs.last().copied()
            && last.tick == tick
            && last.first_number + last.len == first_number
        {
            if let Some(last) = self.runs.last_mut() {
                last.len += len;
            }
            return;
        }
        self.runs.push(Extent {
            first_number,
            first_row,
            len,
            tick,
        });
    }

    /// The run that holds a row.
    pub(crate) fn of_row(&self, row: u32) -> Option<&Extent> {
        let after = self.runs.partition_point(|run| run.first_row <= row);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (row - run.first_row < run.len).then_some(run)
    }

    pub(crate) fn number(&self, row: u32) -> Option<u32> {
        self.of_row(row)
            .map(|run| run.first_number + (row - run.first_row))
    }

    /// The row of a number of this type or triple.
    pub(crate) fn row(&self, number: u32) -> Option<u32> {
        let after = self.runs.partition_point(|run| run.first_number <= number);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (number - run.first_number < run.len).then(|| run.first_row + (number - run.first_number))
    }

    /// One past the last row created at or before a tick.
    pub(crate) fn limit(&self, tick: Tick) -> u32 {
        let after = self.runs.partition_point(|run| run.tick <= tick);
        let run = after.checked_sub(1).and_then(|last| self.runs.get(last));
        run.map_or(0, |run| run.first_row + run.len)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Extent> {
        self.runs.iter()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.runs.bytes()
    }
}

/// Which type or triple each number belongs to.
#[derive(Clone, Debug, Default)]
pub(crate) struct NumberMap {
    /// First number of a run, its owner and its first row; ascending.
    runs: Chunked<(u32, u32, u32)>,
    next: u32,
}

impl NumberMap {
    /// The number that comes next.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Gives the next `len` numbers to rows of an owner.
    pub(crate) fn push(&mut self, owner: u32, first_row: u32, len: u32) {
        let goes_on = self.runs.last().is_some_and(|(first, last_owner, row)| {
            *last_owner == owner && row + (self.next - first) == first_row
        });
        if !goes_on {
            self.runs.push((self.next, owner, first_row));
        }
        self.next += len;
    }

    /// Owner and row of a number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<(u32, u32)> {
        if number >= self.next {
            return None;
        }
        let after = self.runs.partition_point(|(first, _, _)| *first <= number);
        let (first, owner, row) = self.runs.get(after.checked_sub(1)?)?;
        Some((*owner, row + (number - first)))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.runs.bytes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn rows_and_numbers_go_both_ways() {
        let (mut map, mut one, mut two) =
            (NumberMap::default(), Extents::default(), Extents::default());
        for turn in 0..2_000u32 {
            let (owner, extents) = if turn % 3 == 0 {
                (7, &mut one)
            } else {
                (8, &mut two)
            };
            extents.push(map.next(), turn % 5, Tick(turn / 10 + 1));
            map.push(owner, extents.rows() - turn % 5, turn % 5);
        }
        for number in 0..map.next() {
            let (owner, row) = map.get(number).unwrap();
            let extents = if owner == 7 { &one } else { &two };
            assert_eq!(extents.number(row), Some(number));
            assert_eq!(extents.row(number), Some(row));
        }
        assert_eq!(map.get(map.next()), None);
        assert_eq!(one.rows() + two.rows(), map.next());
        assert_eq!(one.limit(Tick(0)), 0);
        assert_eq!(one.limit(Tick(9_999)), one.rows());
        let limit = one.limit(Tick(50));
        assert_eq!(one.of_row(limit - 1).unwrap().tick, Tick(50));
        assert_eq!(one.of_row(limit).unwrap().tick, Tick(51));
    }
}
