// SPDX-License-Identifier: Apache-2.0
//! Building row sets in any order.
#![expect(
    clippy::indexing_slicing,
    reason = "word positions are below the checked universe"
)]

use super::{RowSet, Rows, list_max, words_for};

/// Collects rows in any order, repeats included.
#[derive(Clone, Debug)]
pub struct RowSetBuilder {
    universe: u32,
    list: Vec<u32>,
    words: Vec<u64>,
    list_max: usize,
}

impl RowSetBuilder {
    /// A builder for rows below `universe`.
    pub fn new(universe: u32) -> Self {
        Self {
            universe,
            list: Vec::new(),
            words: Vec::new(),
            list_max: list_max(universe),
        }
    }

    /// A builder that starts as a bitmap: for sets known to become large, and where
    /// [`RowSetBuilder::contains`] must be fast from the start.
    pub fn bitmap(universe: u32) -> Self {
        Self {
            universe,
            list: Vec::new(),
            words: vec![0; words_for(universe)],
            list_max: 0,
        }
    }

    /// Adds a row; rows beyond the universe are ignored.
    #[inline]
    pub fn insert(&mut self, row: u32) {
        if row >= self.universe {
            return;
        }
        if self.words.is_empty() {
            self.list.push(row);
            if self.list.len() > self.list_max {
                self.spill();
            }
        } else {
            self.words[row as usize / 64] |= 1 << (row % 64);
        }
    }

    /// Whether a row was added. Linear while the set is a small list.
    pub fn contains(&self, row: u32) -> bool {
        match self.words.get(row as usize / 64) {
            Some(word) => word >> (row % 64) & 1 == 1,
            None => self.list.contains(&row),
        }
    }

    #[cold]
    fn spill(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        list.sort_unstable();
        list.dedup();
        if list.len() <= self.list_max / 2 {
            self.list = list;
            return;
        }
        self.words = vec![0; words_for(self.universe)];
        for row in list {
            self.words[row as usize / 64] |= 1 << (row % 64);
        }
    }

    /// The set.
    pub fn finish(mut self) -> RowSet {
        if self.words.is_empty() {
            self.list.sort_unstable();
            self.list.dedup();
            return RowSet {
                universe: self.universe,
                rows: Rows::List(self.list),
            };
        }
        RowSet::from_words(self.words, self.universe)
    }
}
