// SPDX-License-Identifier: Apache-2.0
//! A map from rows to numbers for the few rows that have one, shared between snapshots.
#![expect(
    clippy::indexing_slicing,
    reason = "positions are masked to the fixed chunk size"
)]

use std::sync::Arc;

const SHIFT: u32 = 12;
const WORDS: usize = 64;

/// Row to number, in chunks of 4,096 rows of which each is a bitmap and a packed list.
#[derive(Clone, Debug, Default)]
pub(crate) struct SparseMap {
    chunks: Arc<Vec<Option<Arc<SparseChunk>>>>,
    len: u32,
}

#[derive(Clone, Debug)]
struct SparseChunk {
    bits: [u64; WORDS],
    /// How many bits are set before each word.
    ranks: [u16; WORDS],
    values: Vec<u32>,
}

impl SparseChunk {
    fn rank(&self, row: u32) -> Result<usize, usize> {
        let (word, bit) = ((row as usize >> 6) & (WORDS - 1), row & 63);
        let before = (self.bits[word] & ((1 << bit) - 1)).count_ones() as usize;
        let rank = self.ranks[word] as usize + before;
        if self.bits[word] >> bit & 1 == 1 {
            Ok(rank)
        } else {
            Err(rank)
        }
    }
}

impl SparseMap {
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn chunk(&self, row: u32) -> Option<&SparseChunk> {
        self.chunks.get((row >> SHIFT) as usize)?.as_deref()
    }

    #[inline]
    pub(crate) fn contains(&self, row: u32) -> bool {
        self.chunk(row).is_some_and(|chunk| {
            chunk.bits[(row as usize >> 6) & (WORDS - 1)] >> (row & 63) & 1 == 1
        })
    }

    pub(crate) fn get(&self, row: u32) -> Option<u32> {
        let chunk = self.chunk(row)?;
        chunk
            .rank(row)
            .ok()
            .and_then(|rank| chunk.values.get(rank).copied())
    }

    /// Sets the number of a row and returns the one it had.
    pub(crate) fn insert(&mut self, row: u32, value: u32) -> Option<u32> {
        let chunks = Arc::make_mut(&mut self.chunks);
        let position = (row >> SHIFT) as usize;
        if chunks.len() <= position {
            chunks.resize(position + 1, None);
        }
        let chunk = chunks[position].get_or_insert_with(|| {
            Arc::new(SparseChunk {
                bits: [0; WORDS],
                ranks: [0; WORDS],
                values: Vec::new(),
            })
        });
        let chunk = Arc::make_mut(chunk);
        match chunk.rank(row) {
            Ok(rank) => Some(std::mem::replace(&mut chunk.values[rank], value)),
            Err(rank) => {
                chunk.values.insert(rank, value);
                let word = (row as usize >> 6) & (WORDS - 1);
                chunk.bits[word] |= 1 << (row & 63);
                chunk.ranks[word + 1..]
                    .iter_mut()
                    .for_each(|rank| *rank += 1);
                self.len += 1;
                None
            }
        }
    }

    /// Clears the bits of the rows in the map whose number passes the test.
    pub(crate) fn clear_bits(&self, words: &mut [u64], test: impl Fn(u32) -> bool) {
        for (position, chunk) in self.chunks.iter().enumerate() {
            let Some(chunk) = chunk else { continue };
            let mut values = chunk.values.iter();
            for (offset, bits) in chunk.bits.iter().enumerate() {
                let mut left = *bits;
                let mut cleared = 0u64;
                while left != 0 {
                    let bit = left & left.wrapping_neg();
                    if values.next().is_some_and(|value| test(*value)) {
                        cleared |= bit;
                    }
                    left ^= bit;
                }
                if let Some(word) = words.get_mut(position * WORDS + offset) {
                    *word &= !cleared;
                }
            }
        }
    }

    /// Rows and numbers, ascending by row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.chunks
            .iter()
            .enumerate()
            .flat_map(|(position, chunk)| {
                chunk.iter().flat_map(move |chunk| {
                    let rows = chunk.bits.iter().enumerate().flat_map(move |(word, bits)| {
                        (0..64)
                            .filter(move |bit| bits >> bit & 1 == 1)
                            .map(move |bit| ((position as u32) << SHIFT) + word as u32 * 64 + bit)
                    });
                    rows.zip(chunk.values.iter().copied())
                })
            })
    }

    pub(crate) fn bytes(&self) -> usize {
        let chunk = |chunk: &Arc<SparseChunk>| size_of::<SparseChunk>() + chunk.values.len() * 4;
        self.chunks.len() * 8 + self.chunks.iter().flatten().map(chunk).sum::<usize>()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_map(pairs in prop::collection::vec((0u32..9_000, 0u32..50), 0..300)) {
            let (mut map, mut model) = (SparseMap::default(), BTreeMap::new());
            for (row, value) in pairs {
                prop_assert_eq!(map.insert(row, value), model.insert(row, value));
            }
            prop_assert_eq!(map.len() as usize, model.len());
            prop_assert!(map.iter().eq(model.iter().map(|(row, value)| (*row, *value))));
            let mut words = vec![u64::MAX; 9_000 / 64 + 1];
            map.clear_bits(&mut words, |value| value < 25);
            for row in 0..9_000 {
                prop_assert_eq!(map.get(row), model.get(&row).copied());
                prop_assert_eq!(map.contains(row), model.contains_key(&row));
                let kept = words[row as usize / 64] >> (row % 64) & 1 == 1;
                prop_assert_eq!(kept, model.get(&row).is_none_or(|value| *value >= 25));
            }
        }
    }
}
