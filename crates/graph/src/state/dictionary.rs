// SPDX-License-Identifier: Apache-2.0
//! The distinct values of one column, numbered. Only ever added to, and shared by all snapshots: a
//! snapshot simply holds no code that was given out after it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use durward_model::Value;
use hashbrown::HashTable;
use parking_lot::RwLock;

use super::value_hash::{hash_value, same_value};
use crate::view::ValueRef;

/// Code of the null.
pub(crate) const NULL_CODE: u32 = 0;
/// Code of `false`; that of `true` follows.
pub(crate) const FALSE_CODE: u32 = 1;
/// Most values of one dictionary.
pub(crate) const DICTIONARY_MAX: u32 = 65_536;
/// Larger values are kept beside the dictionary, so that replacing them frees them.
pub(crate) const DICTIONARY_VALUE_BYTES_MAX: usize = 512;

const FIRST_BLOCK: u32 = 8;
const BLOCKS: usize = 14;

/// Values by code; a clone is the same dictionary.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Block `n` has room for `8 << n` values.
    blocks: [OnceLock<Box<[OnceLock<Value>]>>; BLOCKS],
    len: AtomicU32,
    seed: u64,
    has_lists: AtomicBool,
    /// Which of Int, Float and Instant occur, as bits: values of several kinds may be equal.
    number_kinds: AtomicU8,
    value_bytes: AtomicUsize,
    index: RwLock<HashTable<u32>>,
}

fn place(code: u32) -> (usize, usize) {
    let shifted = code.saturating_add(FIRST_BLOCK);
    let block = 28 - shifted.leading_zeros();
    (block as usize, (shifted - (FIRST_BLOCK << block)) as usize)
}

impl Dictionary {
    pub(crate) fn new(seed: u64) -> Self {
        let dictionary = Self(Arc::new(Shared {
            blocks: [const { OnceLock::new() }; BLOCKS],
            len: AtomicU32::new(0),
            seed,
            has_lists: AtomicBool::new(false),
            number_kinds: AtomicU8::new(0),
            value_bytes: AtomicUsize::new(0),
            index: RwLock::default(),
        }));
        for value in [Value::Null, Value::Bool(false), Value::Bool(true)] {
            dictionary.push(value, &mut dictionary.0.index.write());
        }
        dictionary
    }

    /// How many codes there are, the null included.
    pub(crate) fn len(&self) -> u32 {
        self.0.len.load(Ordering::Acquire)
    }

    pub(crate) fn seed(&self) -> u64 {
        self.0.seed
    }

    pub(crate) fn has_lists(&self) -> bool {
        self.0.has_lists.load(Ordering::Acquire)
    }

    /// Whether values that are not the same may still be equal by magnitude.
    pub(crate) fn mixes_numbers(&self) -> bool {
        self.0.number_kinds.load(Ordering::Acquire).count_ones() > 1 || self.has_lists()
    }

    #[inline]
    pub(crate) fn get(&self, code: u32) -> ValueRef<'_> {
        let (block, offset) = place(code);
        let slot = self.0.blocks.get(block).and_then(OnceLock::get);
        let value = slot
            .and_then(|slots| slots.get(offset))
            .and_then(OnceLock::get);
        value.map_or(ValueRef::Null, ValueRef::from)
    }

    /// The code of exactly this value.
    pub(crate) fn code_of(&self, value: ValueRef<'_>) -> Option<u32> {
        match value {
            ValueRef::Null => Some(NULL_CODE),
            ValueRef::Bool(truth) => Some(FALSE_CODE + u32::from(truth)),
            _ => self.lookup(value, &self.0.index.read()),
        }
    }

    fn lookup(&self, value: ValueRef<'_>, index: &HashTable<u32>) -> Option<u32> {
        if index.is_empty() {
            return (0..self.len()).find(|code| same_value(self.get(*code), value));
        }
        let hash = hash_value(value, self.0.seed);
        index
            .find(hash, |code| same_value(self.get(*code), value))
            .copied()
    }

    /// The code of a value, added if need be; `None` when the dictionary is full or the value too
    /// large for it.
    pub(crate) fn intern(&self, value: ValueRef<'_>) -> Option<u32> {
        if let Some(code) = self.code_of(value) {
            return Some(code);
        }
        let value = value.to_value();
        let bytes = value.byte_size();
        if bytes > DICTIONARY_VALUE_BYTES_MAX || matches!(value, Value::Document(_)) {
            return None;
        }
        let mut index = self.0.index.write();
        if let Some(code) = self.lookup(ValueRef::from(&value), &index) {
            return Some(code);
        }
        self.0.value_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.push(value, &mut index)
    }

    fn push(&self, value: Value, index: &mut HashTable<u32>) -> Option<u32> {
        let code = self.len();
        if code >= DICTIONARY_MAX {
            return None;
        }
        let kind = match value {
            Value::Int(_) => 1,
            Value::Float(_) => 2,
            Value::Instant(_) => 4,
            _ => 0,
        };
        self.0.number_kinds.fetch_or(kind, Ordering::AcqRel);
        self.0
            .has_lists
            .fetch_or(matches!(value, Value::List(_)), Ordering::AcqRel);
        let (block, offset) = place(code);
        let size = (FIRST_BLOCK as usize) << block;
        let slots = self.0.blocks.get(block)?;
        let slots = slots.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        slots.get(offset)?.set(value).ok()?;
        self.0.len.store(code + 1, Ordering::Release);
        let hash_of = |code: &u32| hash_value(self.get(*code), self.0.seed);
        if code == FIRST_BLOCK {
            for code in 0..=code {
                index.insert_unique(hash_of(&code), code, hash_of);
            }
        } else if code > FIRST_BLOCK {
            index.insert_unique(hash_of(&code), code, hash_of);
        }
        Some(code)
    }

    pub(crate) fn bytes(&self) -> usize {
        let slots = self
            .0
            .blocks
            .iter()
            .filter_map(OnceLock::get)
            .map(|block| block.len());
        slots.sum::<usize>() * size_of::<OnceLock<Value>>()
            + self.0.value_bytes.load(Ordering::Relaxed)
            + self.0.index.read().capacity() * 5
            + size_of::<Shared>()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn numbers_values_once() {
        let dictionary = Dictionary::new(1);
        let copy = dictionary.clone();
        for turn in 0..2 {
            for number in 0..2_000i64 {
                let code = dictionary.intern(ValueRef::Int(number)).unwrap();
                assert_eq!(code, number as u32 + 3, "turn {turn}");
            }
        }
        assert_eq!(dictionary.code_of(ValueRef::Float(1.0)), None);
        assert!(!dictionary.mixes_numbers());
        dictionary.intern(ValueRef::Float(1.0)).unwrap();
        assert!(dictionary.mixes_numbers());
        assert_eq!(copy.get(4), ValueRef::Int(1));
        assert_eq!(dictionary.intern(ValueRef::Bool(true)), Some(2));
        assert_eq!(dictionary.intern(ValueRef::Null), Some(0));
        assert_eq!(dictionary.intern(ValueRef::String(&"x".repeat(600))), None);
    }

    #[test]
    fn is_bounded() {
        let dictionary = Dictionary::new(1);
        let codes = (0..70_000i64)
            .filter_map(|n| dictionary.intern(ValueRef::Int(n)))
            .count();
        assert_eq!(codes as u32, DICTIONARY_MAX - 3);
        assert_eq!(
            dictionary.get(DICTIONARY_MAX - 1),
            ValueRef::Int(codes as i64 - 1)
        );
        assert_eq!(dictionary.get(u32::MAX), ValueRef::Null);
    }
}
