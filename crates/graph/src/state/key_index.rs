// SPDX-License-Identifier: Apache-2.0
//! Numbers of objects by their natural key. Only ever added to and shared by all snapshots; who
//! asks compares the key itself and whether the object lives.
#![expect(
    clippy::indexing_slicing,
    reason = "slots are computed modulo the capacity"
)]

use std::sync::Arc;

use parking_lot::{RwLock, RwLockReadGuard};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const SHARDS: usize = 16;

/// The index; a clone is the same index.
#[derive(Clone, Debug)]
pub(crate) struct KeyIndex(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    seed: u64,
    shards: [RwLock<Shard>; SHARDS],
}

/// Open addressing with linear probing. A tag of 0 is an empty slot.
#[derive(Debug, Default)]
struct Shard {
    tags: Vec<u8>,
    numbers: Vec<u32>,
    len: usize,
}

/// Hash of a key, with the parts of it that the index uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHash(u64);

impl KeyHash {
    fn shard(self) -> usize {
        (self.0 >> 60) as usize
    }

    fn tag(self) -> u8 {
        (self.0 as u8) | 1
    }

    fn slot(self, capacity: usize) -> usize {
        (((self.0 >> 28 & 0xffff_ffff) * capacity as u64) >> 32) as usize
    }
}

impl Shard {
    #[inline]
    fn find<R>(&self, hash: KeyHash, mut accept: impl FnMut(u32) -> Option<R>) -> Option<R> {
        let capacity = self.tags.len();
        if capacity == 0 {
            return None;
        }
        let mut at = hash.slot(capacity);
        while self.tags[at] != 0 {
            if self.tags[at] == hash.tag()
                && let Some(found) = accept(self.numbers[at])
            {
                return Some(found);
            }
            at = if at + 1 == capacity { 0 } else { at + 1 };
        }
        None
    }

    fn place(&mut self, hash: KeyHash, number: u32) {
        let capacity = self.tags.len();
        let mut at = hash.slot(capacity);
        while self.tags[at] != 0 {
            at = if at + 1 == capacity { 0 } else { at + 1 };
        }
        self.tags[at] = hash.tag();
        self.numbers[at] = number;
        self.len += 1;
    }

    fn is_full(&self, more: usize) -> bool {
        self.len + more > self.tags.len() / 4 * 3
    }

    /// Makes room for `more` keys, asking for the hash of every number that is there.
    fn grow(&mut self, more: usize, hash_of: &impl Fn(u32) -> Option<KeyHash>) {
        let wanted = (self.len + more).max(self.len * 3 / 2).max(12);
        let capacity = wanted / 3 * 4 + 8;
        let tags = std::mem::replace(&mut self.tags, vec![0; capacity]);
        let numbers = std::mem::replace(&mut self.numbers, vec![0; capacity]);
        self.len = 0;
        for (tag, number) in tags.into_iter().zip(numbers) {
            if tag != 0
                && let Some(hash) = hash_of(number)
            {
                self.place(hash, number);
            }
        }
    }
}

/// All shards, held for reading.
#[derive(Debug)]
pub(crate) struct KeyReader<'i>([RwLockReadGuard<'i, Shard>; SHARDS]);

impl KeyReader<'_> {
    /// As [`KeyIndex::find`].
    #[inline]
    pub(crate) fn find<R>(&self, hash: KeyHash, accept: impl FnMut(u32) -> Option<R>) -> Option<R> {
        self.0[hash.shard()].find(hash, accept)
    }
}

impl KeyIndex {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Inner {
            seed,
            shards: Default::default(),
        }))
    }

    pub(crate) fn hash(&self, key: &str) -> KeyHash {
        KeyHash(xxh3_64_with_seed(key.as_bytes(), self.0.seed))
    }

    /// The first number with this key's tag for which `accept` answers something.
    pub(crate) fn find<R>(&self, hash: KeyHash, accept: impl FnMut(u32) -> Option<R>) -> Option<R> {
        self.0.shards[hash.shard()].read().find(hash, accept)
    }

    /// Access for many look-ups. Nothing can be added meanwhile.
    pub(crate) fn reader(&self) -> KeyReader<'_> {
        KeyReader(std::array::from_fn(|shard| self.0.shards[shard].read()))
    }

    /// Adds keys of consecutive numbers. `key_of` gives the key of a number that is in the index.
    pub(crate) fn insert<'k>(
        &self,
        first: u32,
        keys: impl ExactSizeIterator<Item = Option<&'k str>>,
        key_of: impl Fn(u32) -> Option<&'k str>,
    ) {
        let hash_of = |number| key_of(number).map(|key| self.hash(key));
        let mut by_shard: [Vec<(KeyHash, u32)>; SHARDS] = Default::default();
        let each = keys.len() / SHARDS + keys.len() / SHARDS / 8;
        for (number, key) in (first..).zip(keys) {
            let Some(key) = key else { continue };
            let hash = self.hash(key);
            let list = &mut by_shard[hash.shard()];
            if list.capacity() == 0 {
                list.reserve(each + 1);
            }
            list.push((hash, number));
        }
        for (shard, list) in self.0.shards.iter().zip(by_shard) {
            if list.is_empty() {
                continue;
            }
            let mut shard = shard.write();
            if shard.is_full(list.len()) {
                shard.grow(list.len(), &hash_of);
            }
            for (hash, number) in list {
                shard.place(hash, number);
            }
        }
    }

    /// Makes room for this many keys in all.
    pub(crate) fn reserve(&self, keys: usize) {
        for shard in &self.0.shards {
            let mut shard = shard.write();
            if shard.len == 0 {
                shard.grow(keys / SHARDS + keys / SHARDS / 64 + 1, &|_| None);
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0
            .shards
            .iter()
            .map(|shard| shard.read().tags.capacity() * 5)
            .sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn finds_every_number_of_a_key() {
        let keys: Vec<String> = (0..5_000).map(|n| format!("key:{}", n % 4_000)).collect();
        let key_of = |number: u32| keys.get(number as usize).map(String::as_str);
        let index = KeyIndex::new(3);
        for first in (0..5_000usize).step_by(37) {
            let part = keys[first..(first + 37).min(5_000)]
                .iter()
                .map(|key| Some(key.as_str()));
            index.insert(first as u32, part, key_of);
        }
        for n in 0..4_100u32 {
            let key = format!("key:{n}");
            let mut all = Vec::new();
            index.find(index.hash(&key), |number| {
                if key_of(number) == Some(&key) {
                    all.push(number);
                }
                None::<()>
            });
            all.sort_unstable();
            let expected: Vec<u32> = (0..5_000u32).filter(|number| number % 4_000 == n).collect();
            assert_eq!(all, expected, "{key}");
        }
    }
}
