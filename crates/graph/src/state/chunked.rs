// SPDX-License-Identifier: Apache-2.0
//! An append-only list that snapshots share: adding to it after a publication copies one small
//! tail, whatever the length of the list.

use std::sync::Arc;

const SMALL_SHIFT: usize = 8;
const SMALL: usize = 1 << SMALL_SHIFT;
const LARGE_SHIFT: usize = 14;
const LARGE: usize = 1 << LARGE_SHIFT;

/// Items in large blocks, then small blocks, then a tail.
#[derive(Clone, Debug)]
pub(crate) struct Chunked<T> {
    large: Arc<Vec<Arc<Vec<T>>>>,
    small: Arc<Vec<Arc<Vec<T>>>>,
    tail: Arc<Vec<T>>,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self {
            large: Arc::default(),
            small: Arc::default(),
            tail: Arc::default(),
        }
    }
}

impl<T: Clone> Chunked<T> {
    pub(crate) fn len(&self) -> usize {
        (self.large.len() << LARGE_SHIFT) + (self.small.len() << SMALL_SHIFT) + self.tail.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        if let Some(block) = self.large.get(position >> LARGE_SHIFT) {
            return block.get(position & (LARGE - 1));
        }
        let rest = position - (self.large.len() << LARGE_SHIFT);
        if let Some(block) = self.small.get(rest >> SMALL_SHIFT) {
            return block.get(rest & (SMALL - 1));
        }
        self.tail.get(rest - (self.small.len() << SMALL_SHIFT))
    }

    pub(crate) fn last(&self) -> Option<&T> {
        self.len()
            .checked_sub(1)
            .and_then(|position| self.get(position))
    }

    /// The last item, to be changed in place.
    pub(crate) fn last_mut(&mut self) -> Option<&mut T> {
        if !self.tail.is_empty() {
            return Arc::make_mut(&mut self.tail).last_mut();
        }
        let blocks = if self.small.is_empty() {
            &mut self.large
        } else {
            &mut self.small
        };
        let block = Arc::make_mut(blocks).last_mut()?;
        Arc::make_mut(block).last_mut()
    }

    /// Adds an item and returns its position.
    pub(crate) fn push(&mut self, item: T) -> u32 {
        let position = self.len() as u32;
        let tail = Arc::make_mut(&mut self.tail);
        tail.push(item);
        if tail.len() == SMALL {
            let block = Arc::new(std::mem::take(tail));
            let small = Arc::make_mut(&mut self.small);
            small.push(block);
            if small.len() == LARGE / SMALL {
                let mut whole = Vec::with_capacity(LARGE);
                for block in std::mem::take(small) {
                    whole.extend_from_slice(&block);
                }
                Arc::make_mut(&mut self.large).push(Arc::new(whole));
            }
        }
        position
    }

    /// How many items at the start pass a test that none after them passes.
    pub(crate) fn partition_point(&self, test: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(&test) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        let large = self.large.iter().flat_map(|block| block.iter());
        large
            .chain(self.small.iter().flat_map(|block| block.iter()))
            .chain(self.tail.iter())
    }

    /// Bytes taken, without what the items point to.
    pub(crate) fn bytes(&self) -> usize {
        self.len() * size_of::<T>() + (self.large.len() + self.small.len()) * 48
    }
}

impl<T: Clone> FromIterator<T> for Chunked<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut all = Self::default();
        for item in items {
            all.push(item);
        }
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_item_and_old_copies() {
        let mut list = Chunked::default();
        let mut copies = Vec::new();
        for item in 0..40_000u32 {
            if item % 997 == 0 {
                copies.push(list.clone());
            }
            assert_eq!(list.push(item), item);
        }
        assert_eq!(list.len(), 40_000);
        assert!(list.iter().copied().eq(0..40_000));
        assert_eq!(list.iter().next_back(), Some(&39_999));
        assert_eq!(list.partition_point(|item| *item < 20_001), 20_001);
        for (turn, copy) in copies.iter().enumerate() {
            assert_eq!(copy.len(), turn * 997);
            assert_eq!(copy.get(turn * 997), None);
            assert_eq!(copy.last().copied(), (turn as u32 * 997).checked_sub(1));
        }
        for length in [SMALL, LARGE, LARGE + SMALL] {
            let mut list: Chunked<usize> = (0..length).collect();
            *list.last_mut().unwrap() = 7;
            assert_eq!(list.last(), Some(&7));
        }
    }
}
