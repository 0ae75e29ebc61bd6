// SPDX-License-Identifier: Apache-2.0
//! Sets of rows of one type: a sorted list while small, a bitmap when large.
#![expect(
    clippy::indexing_slicing,
    reason = "word positions are derived from the checked universe"
)]

mod builder;

pub use builder::RowSetBuilder;

/// A set of rows below a universe.
#[derive(Clone, Debug)]
pub struct RowSet {
    universe: u32,
    rows: Rows,
}

#[derive(Clone, Debug)]
enum Rows {
    /// Every row below the universe.
    Full,
    /// Ascending, without repeats.
    List(Vec<u32>),
    /// One bit a row, and how many are set.
    Bitmap(Vec<u64>, u32),
}

/// Lists stay lists at least up to this many rows.
const LIST_MIN: usize = 64;

fn words_for(universe: u32) -> usize {
    (universe as usize).div_ceil(64)
}

/// A list of more rows than this needs more memory than the bitmap.
fn list_max(universe: u32) -> usize {
    (universe as usize / 32).max(LIST_MIN)
}

fn count(words: &[u64]) -> u32 {
    words.iter().map(|word| word.count_ones()).sum()
}

impl RowSet {
    /// No row.
    pub fn empty(universe: u32) -> Self {
        Self {
            universe,
            rows: Rows::List(Vec::new()),
        }
    }

    /// Every row below `universe`.
    pub fn full(universe: u32) -> Self {
        Self {
            universe,
            rows: Rows::Full,
        }
    }

    /// These rows, which must be ascending; repeats and rows beyond the universe are dropped.
    pub fn from_sorted(mut rows: Vec<u32>, universe: u32) -> Self {
        debug_assert!(rows.is_sorted(), "rows must be ascending");
        rows.dedup();
        rows.truncate(rows.partition_point(|row| *row < universe));
        if rows.len() <= list_max(universe) {
            return Self {
                universe,
                rows: Rows::List(rows),
            };
        }
        let mut words = vec![0u64; words_for(universe)];
        for row in &rows {
            words[*row as usize / 64] |= 1 << (row % 64);
        }
        Self {
            universe,
            rows: Rows::Bitmap(words, rows.len() as u32),
        }
    }

    /// The rows whose bits are set. The words must cover the universe; bits beyond it are dropped.
    pub fn from_words(mut words: Vec<u64>, universe: u32) -> Self {
        words.resize(words_for(universe), 0);
        if !universe.is_multiple_of(64)
            && let Some(last) = words.last_mut()
        {
            *last &= (1 << (universe % 64)) - 1;
        }
        let len = count(&words);
        let set = Self {
            universe,
            rows: Rows::Bitmap(words, len),
        };
        if len as usize <= list_max(universe) / 4 {
            set.into_list()
        } else {
            set
        }
    }

    fn into_list(self) -> Self {
        let list = self.iter().collect();
        Self {
            universe: self.universe,
            rows: Rows::List(list),
        }
    }

    /// One more than the largest row that may be in the set.
    pub fn universe(&self) -> u32 {
        self.universe
    }

    /// Bytes that it takes beside its own place.
    pub fn heap_bytes(&self) -> usize {
        match &self.rows {
            Rows::Full => 0,
            Rows::List(list) => list.capacity() * size_of::<u32>(),
            Rows::Bitmap(words, _) => words.capacity() * size_of::<u64>(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Full => self.universe as usize,
            Rows::List(list) => list.len(),
            Rows::Bitmap(_, len) => *len as usize,
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every row below the universe is in the set.
    pub fn is_full(&self) -> bool {
        self.len() == self.universe as usize
    }

    /// Whether `row` is in the set.
    #[inline]
    pub fn contains(&self, row: u32) -> bool {
        match &self.rows {
            Rows::Full => row < self.universe,
            Rows::List(list) => list.binary_search(&row).is_ok(),
            Rows::Bitmap(words, _) => words
                .get(row as usize / 64)
                .is_some_and(|word| word >> (row % 64) & 1 == 1),
        }
    }

    /// The rows as an ascending list, where the set is kept as one.
    pub fn as_list(&self) -> Option<&[u32]> {
        match &self.rows {
            Rows::List(list) => Some(list),
            _ => None,
        }
    }

    /// The rows as bits, where the set is kept so.
    pub fn as_words(&self) -> Option<&[u64]> {
        match &self.rows {
            Rows::Bitmap(words, _) => Some(words),
            _ => None,
        }
    }

    /// The rows as bits, one word for 64 rows, whatever the set is kept as.
    pub fn to_words(&self) -> Vec<u64> {
        match &self.rows {
            Rows::Full => {
                let mut words = vec![u64::MAX; words_for(self.universe)];
                if !self.universe.is_multiple_of(64)
                    && let Some(last) = words.last_mut()
                {
                    *last = (1 << (self.universe % 64)) - 1;
                }
                words
            }
            Rows::List(list) => {
                let mut words = vec![0u64; words_for(self.universe)];
                for row in list {
                    words[*row as usize / 64] |= 1 << (row % 64);
                }
                words
            }
            Rows::Bitmap(words, _) => words.clone(),
        }
    }

    /// The rows, ascending.
    pub fn iter(&self) -> RowIter<'_> {
        match &self.rows {
            Rows::Full => RowIter::Range(0..self.universe),
            Rows::List(list) => RowIter::List(list.iter()),
            Rows::Bitmap(words, _) => RowIter::Bitmap {
                words,
                position: 0,
                word: words.first().copied().unwrap_or(0),
            },
        }
    }

    /// The rows in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let universe = self.universe.min(other.universe);
        match (&self.rows, &other.rows) {
            (Rows::List(list), _) => Self {
                universe,
                rows: Rows::List(
                    list.iter()
                        .copied()
                        .filter(|row| other.contains(*row))
                        .collect(),
                ),
            },
            (_, Rows::List(_)) => other.intersect(self),
            (Rows::Full, _) if self.universe >= other.universe => other.clone(),
            (_, Rows::Full) if other.universe >= self.universe => self.clone(),
            _ => {
                let (left, right) = (self.to_words(), other.to_words());
                let words = left
                    .iter()
                    .zip(&right)
                    .map(|(one, two)| one & two)
                    .collect();
                Self::from_words(words, universe)
            }
        }
    }

    /// The rows in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let universe = self.universe.max(other.universe);
        if let (Rows::List(left), Rows::List(right)) = (&self.rows, &other.rows) {
            let mut rows = Vec::with_capacity(left.len() + right.len());
            rows.extend_from_slice(left);
            rows.extend_from_slice(right);
            rows.sort_unstable();
            return Self::from_sorted(rows, universe);
        }
        if self.is_full() && self.universe == universe {
            return self.clone();
        }
        let mut words = self.to_words();
        words.resize(words_for(universe), 0);
        match &other.rows {
            Rows::List(list) => {
                for row in list {
                    words[*row as usize / 64] |= 1 << (row % 64);
                }
            }
            _ => {
                for (word, more) in words.iter_mut().zip(other.to_words()) {
                    *word |= more;
                }
            }
        }
        Self::from_words(words, universe)
    }

    /// The rows in this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        if let Rows::List(list) = &self.rows {
            let rows = list
                .iter()
                .copied()
                .filter(|row| !other.contains(*row))
                .collect();
            return Self {
                universe: self.universe,
                rows: Rows::List(rows),
            };
        }
        let mut words = self.to_words();
        match &other.rows {
            Rows::List(list) => {
                for row in list {
                    if let Some(word) = words.get_mut(*row as usize / 64) {
                        *word &= !(1 << (row % 64));
                    }
                }
            }
            _ => {
                for (word, less) in words.iter_mut().zip(other.to_words()) {
                    *word &= !less;
                }
            }
        }
        Self::from_words(words, self.universe)
    }

    /// The same rows below a smaller universe.
    #[must_use]
    pub fn truncated(&self, universe: u32) -> Self {
        if universe >= self.universe {
            return self.clone();
        }
        match &self.rows {
            Rows::Full => Self::full(universe),
            Rows::List(list) => Self::from_sorted(
                list.iter()
                    .copied()
                    .take_while(|row| *row < universe)
                    .collect(),
                universe,
            ),
            Rows::Bitmap(words, _) => {
                Self::from_words(words[..words_for(universe)].to_vec(), universe)
            }
        }
    }
}

/// Sets are equal when they hold the same rows, however they are kept.
impl PartialEq for RowSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for RowSet {}

impl<'a> IntoIterator for &'a RowSet {
    type Item = u32;
    type IntoIter = RowIter<'a>;

    fn into_iter(self) -> RowIter<'a> {
        self.iter()
    }
}

/// Iterator over the rows of a [`RowSet`], ascending.
#[derive(Clone, Debug)]
pub enum RowIter<'a> {
    /// Over all rows.
    Range(std::ops::Range<u32>),
    /// Over a list.
    List(std::slice::Iter<'a, u32>),
    /// Over bits.
    Bitmap {
        /// All words.
        words: &'a [u64],
        /// Which word is being read.
        position: usize,
        /// What is left of it.
        word: u64,
    },
}

impl Iterator for RowIter<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Range(range) => range.next(),
            Self::List(list) => list.next().copied(),
            Self::Bitmap {
                words,
                position,
                word,
            } => {
                while *word == 0 {
                    *position += 1;
                    *word = *words.get(*position)?;
                }
                let bit = word.trailing_zeros();
                *word &= *word - 1;
                Some(*position as u32 * 64 + bit)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn build(rows: &BTreeSet<u32>, universe: u32, sort: u8) -> RowSet {
        match sort % 3 {
            0 => RowSet::from_sorted(rows.iter().copied().collect(), universe),
            1 => {
                let mut builder = RowSetBuilder::new(universe);
                for row in rows.iter().rev().chain(rows.iter()) {
                    builder.insert(*row);
                }
                builder.finish()
            }
            _ => {
                let mut builder = RowSetBuilder::bitmap(universe);
                for row in rows {
                    builder.insert(*row);
                }
                builder.finish()
            }
        }
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(
            left in prop::collection::btree_set(0u32..700, 0..500),
            right in prop::collection::btree_set(0u32..700, 0..40),
            sort in 0u8..3,
        ) {
            let (one, two) = (build(&left, 700, sort), build(&right, 700, sort + 1));
            prop_assert_eq!(one.len(), left.len());
            let list = |set: &RowSet| set.iter().collect::<BTreeSet<_>>();
            prop_assert_eq!(list(&one), left.clone());
            prop_assert_eq!(list(&one.union(&two)), &left | &right);
            prop_assert_eq!(list(&one.intersect(&two)), &left & &right);
            prop_assert_eq!(list(&two.intersect(&one)), &left & &right);
            prop_assert_eq!(list(&one.difference(&two)), &left - &right);
            prop_assert_eq!(list(&two.difference(&one)), &right - &left);
            prop_assert_eq!(RowSet::full(700).difference(&one).len(), 700 - left.len());
            prop_assert_eq!(one.intersect(&RowSet::full(700)), one.clone());
            prop_assert!(one.union(&RowSet::full(700)).is_full());
            prop_assert_eq!(list(&one.truncated(100)), left.range(..100).copied().collect());
            for row in 0..720 {
                prop_assert_eq!(one.contains(row), left.contains(&row));
            }
        }
    }
}
