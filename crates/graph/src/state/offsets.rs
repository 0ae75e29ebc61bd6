// SPDX-License-Identifier: Apache-2.0
//! Where the neighbours of each row lie, in a form that suits how many rows have any.

use std::ops::Range;

/// Start of the neighbours of each row.
#[derive(Clone, Debug)]
pub(crate) enum Offsets {
    /// One start a row, and the end of the last.
    Dense(Vec<u32>),
    /// Bits of the rows that have neighbours, how many such rows lie before each word, and one
    /// start for each such row, and the end of the last.
    Ranked {
        bits: Vec<u64>,
        ranks: Vec<u32>,
        starts: Vec<u32>,
    },
    /// The rows that have neighbours, ascending, and one start each, and the end of the last.
    Sorted { rows: Vec<u32>, starts: Vec<u32> },
}

impl Default for Offsets {
    fn default() -> Self {
        Self::Dense(Vec::new())
    }
}

impl Offsets {
    /// From how many neighbours each row has, in any order of calls; `counts` is consumed.
    pub(crate) fn from_counts(counts: Vec<u32>) -> Self {
        let nodes = counts.len();
        let sources = counts.iter().filter(|count| **count > 0).count();
        if sources.saturating_mul(4) >= nodes {
            let mut starts = counts;
            let mut sum = 0u32;
            for start in &mut starts {
                let count = *start;
                *start = sum;
                sum += count;
            }
            starts.push(sum);
            starts.shrink_to_fit();
            return Self::Dense(starts);
        }
        let pairs = (0u32..).zip(counts).filter(|(_, count)| *count > 0);
        Self::from_pairs(pairs, sources, nodes)
    }

    /// From the rows that have neighbours, ascending, and how many each has.
    pub(crate) fn from_pairs(
        pairs: impl Iterator<Item = (u32, u32)>,
        sources: usize,
        nodes: usize,
    ) -> Self {
        let mut starts = Vec::with_capacity(sources + 1);
        let mut rows = Vec::with_capacity(sources);
        let mut sum = 0u32;
        for (row, count) in pairs {
            rows.push(row);
            starts.push(sum);
            sum += count;
        }
        starts.push(sum);
        if sources.saturating_mul(4) >= nodes {
            return Self::dense(&rows, &starts, nodes);
        }
        if sources.saturating_mul(64) < nodes {
            return Self::Sorted { rows, starts };
        }
        let mut bits = vec![0u64; nodes.div_ceil(64)];
        for row in rows {
            if let Some(word) = bits.get_mut(row as usize / 64) {
                *word |= 1 << (row % 64);
            }
        }
        let mut before = 0u32;
        let rank = |word: &u64| {
            let rank = before;
            before += word.count_ones();
            rank
        };
        let ranks = bits.iter().map(rank).collect();
        Self::Ranked {
            bits,
            ranks,
            starts,
        }
    }

    fn dense(rows: &[u32], starts: &[u32], nodes: usize) -> Self {
        let mut dense = Vec::with_capacity(nodes + 1);
        for (row, start) in rows.iter().zip(starts) {
            dense.resize(*row as usize + 1, *start);
        }
        dense.resize(nodes + 1, starts.last().copied().unwrap_or(0));
        Self::Dense(dense)
    }

    /// Positions of the neighbours of a row.
    #[inline]
    pub(crate) fn range(&self, row: u32) -> Range<usize> {
        match self {
            Self::Dense(starts) => {
                let row = row as usize;
                match (starts.get(row), starts.get(row + 1)) {
                    (Some(start), Some(end)) => *start as usize..*end as usize,
                    _ => 0..0,
                }
            }
            Self::Ranked {
                bits,
                ranks,
                starts,
            } => {
                let word = row as usize / 64;
                let (Some(bits), Some(rank)) = (bits.get(word), ranks.get(word)) else {
                    return 0..0;
                };
                if bits >> (row % 64) & 1 == 0 {
                    return 0..0;
                }
                let before = (bits & ((1 << (row % 64)) - 1)).count_ones();
                between(starts, (rank + before) as usize)
            }
            Self::Sorted { rows, starts } => match rows.binary_search(&row) {
                Ok(position) => between(starts, position),
                Err(_) => 0..0,
            },
        }
    }

    /// The row whose neighbours include a position.
    pub(crate) fn row_of(&self, position: usize) -> u32 {
        let position = position as u32;
        match self {
            Self::Dense(starts) => starts
                .partition_point(|start| *start <= position)
                .saturating_sub(1) as u32,
            Self::Sorted { rows, starts } => {
                let after = starts.partition_point(|start| *start <= position);
                rows.get(after.saturating_sub(1)).copied().unwrap_or(0)
            }
            Self::Ranked {
                bits,
                ranks,
                starts,
            } => {
                let rank = starts
                    .partition_point(|start| *start <= position)
                    .saturating_sub(1);
                let word = ranks.partition_point(|before| *before as usize <= rank) - 1;
                let mut left = bits.get(word).copied().unwrap_or(0);
                for _ in 0..rank - ranks.get(word).copied().unwrap_or(0) as usize {
                    left &= left.wrapping_sub(1);
                }
                word as u32 * 64 + left.trailing_zeros()
            }
        }
    }

    /// Rows that have neighbours and how many, ascending.
    pub(crate) fn counts(&self) -> Box<dyn Iterator<Item = (u32, u32)> + '_> {
        match self {
            Self::Dense(starts) => Box::new(
                starts
                    .windows(2)
                    .zip(0u32..)
                    .map(|(pair, row)| match pair {
                        [start, end] => (row, end - start),
                        _ => (row, 0),
                    })
                    .filter(|(_, count)| *count > 0),
            ),
            Self::Sorted { rows, starts } => {
                let pairs = rows.iter().zip(starts.windows(2));
                Box::new(pairs.map(|(row, pair)| match pair {
                    [start, end] => (*row, end - start),
                    _ => (*row, 0),
                }))
            }
            Self::Ranked { bits, starts, .. } => {
                let rows = bits.iter().zip(0u32..).flat_map(|(word, position)| {
                    (0..64)
                        .filter(move |bit| word >> bit & 1 == 1)
                        .map(move |bit| position * 64 + bit)
                });
                Box::new(rows.zip(starts.windows(2)).map(|(row, pair)| match pair {
                    [start, end] => (row, end - start),
                    _ => (row, 0),
                }))
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Dense(starts) => starts.capacity() * 4,
            Self::Ranked {
                bits,
                ranks,
                starts,
            } => bits.capacity() * 8 + (ranks.capacity() + starts.capacity()) * 4,
            Self::Sorted { rows, starts } => (rows.capacity() + starts.capacity()) * 4,
        }
    }
}

fn between(starts: &[u32], position: usize) -> Range<usize> {
    match (starts.get(position), starts.get(position + 1)) {
        (Some(start), Some(end)) => *start as usize..*end as usize,
        _ => 0..0,
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use super::*;

    #[test]
    fn every_form_answers_alike() {
        for (nodes, step) in [
            (10usize, 1usize),
            (1_000, 3),
            (1_000, 30),
            (10_000, 400),
            (0, 1),
        ] {
            let mut counts = vec![0u32; nodes];
            for row in (0..nodes).step_by(step) {
                counts[row] = row as u32 % 4;
            }
            let offsets = Offsets::from_counts(counts.clone());
            let mut start = 0;
            for (row, count) in counts.iter().enumerate() {
                let range = offsets.range(row as u32);
                assert_eq!(range.len(), *count as usize);
                for position in range.clone() {
                    assert_eq!(position, start);
                    assert_eq!(offsets.row_of(position), row as u32);
                    start += 1;
                }
            }
            assert!(offsets.range(nodes as u32 + 1).is_empty());
            let present: Vec<(u32, u32)> = (0u32..)
                .zip(counts)
                .filter(|(_, count)| *count > 0)
                .collect();
            assert!(offsets.counts().eq(present.iter().copied()));
            let again = Offsets::from_pairs(present.iter().copied(), present.len(), nodes);
            assert!((0..nodes as u32).all(|row| again.range(row) == offsets.range(row)));
        }
    }
}
