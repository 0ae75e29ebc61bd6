// SPDX-License-Identifier: Apache-2.0
//! The values of up to 4,096 rows of a column, each chunk in the form that suits it.

use std::sync::Arc;

use durward_model::{Instant, Value};

use super::codes::CodeChunk;
use super::dictionary::{Dictionary, FALSE_CODE, NULL_CODE};
use super::text_chunk::TextChunk;
use crate::view::ValueRef;

/// Chunks with more text than this hold their texts one by one, so that a change copies little.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// Rows beyond the end of a chunk are absent.
#[derive(Clone, Debug)]
pub(crate) enum Chunk {
    /// Codes of the column's dictionary; also chunks that are absent or constant.
    Codes(CodeChunk),
    /// Truth values.
    Bools(BoolChunk),
    /// Numbers of one kind.
    Numbers(NumberChunk),
    /// Texts, mostly different from each other.
    Texts(TextChunk),
    /// Anything.
    Mixed(Vec<Option<Arc<Value>>>),
}

/// Two bits a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct BoolChunk {
    pub(crate) len: usize,
    pub(crate) present: Vec<u64>,
    pub(crate) truths: Vec<u64>,
}

/// What the numbers of a chunk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberKind {
    Int,
    Float,
    Instant,
}

/// Numbers, floats as their bits.
#[derive(Clone, Debug)]
pub(crate) struct NumberChunk {
    pub(crate) kind: NumberKind,
    pub(crate) values: Vec<i64>,
    /// Which rows are present, if not all.
    pub(crate) present: Option<Vec<u64>>,
}

pub(crate) fn bit(words: &[u64], position: usize) -> bool {
    words
        .get(position >> 6)
        .is_some_and(|word| word >> (position & 63) & 1 == 1)
}

pub(crate) fn set_bit(words: &mut Vec<u64>, position: usize, on: bool) {
    if words.len() <= position >> 6 {
        words.resize((position >> 6) + 1, 0);
    }
    if let Some(word) = words.get_mut(position >> 6) {
        *word = *word & !(1 << (position & 63)) | u64::from(on) << (position & 63);
    }
}

impl BoolChunk {
    fn set(&mut self, position: usize, truth: Option<bool>) {
        set_bit(&mut self.present, position, truth.is_some());
        set_bit(&mut self.truths, position, truth == Some(true));
        self.len = self.len.max(position + 1);
    }

    #[inline]
    fn get(&self, position: usize) -> Option<bool> {
        bit(&self.present, position).then(|| bit(&self.truths, position))
    }
}

impl NumberKind {
    #[inline]
    pub(crate) fn value<'a>(self, bits: i64) -> ValueRef<'a> {
        match self {
            Self::Int => ValueRef::Int(bits),
            Self::Float => ValueRef::Float(f64::from_bits(bits as u64)),
            Self::Instant => ValueRef::Instant(Instant::from_micros(bits)),
        }
    }
}

/// Kind and bits of a number.
pub(crate) fn number_of(value: ValueRef<'_>) -> Option<(NumberKind, i64)> {
    match value {
        ValueRef::Int(number) => Some((NumberKind::Int, number)),
        ValueRef::Float(number) => Some((NumberKind::Float, number.to_bits() as i64)),
        ValueRef::Instant(instant) => Some((NumberKind::Instant, instant.as_micros())),
        _ => None,
    }
}

impl NumberChunk {
    fn set(&mut self, position: usize, value: Option<i64>) {
        let before = self.values.len();
        if value.is_none() || position > before {
            let present = self.present.get_or_insert_with(|| {
                let mut words = Vec::new();
                (0..before).for_each(|row| set_bit(&mut words, row, true));
                words
            });
            set_bit(present, position, value.is_some());
        } else if let Some(present) = &mut self.present {
            set_bit(present, position, true);
        }
        if before <= position {
            self.values.resize(position + 1, 0);
        }
        if let Some(slot) = self.values.get_mut(position) {
            *slot = value.unwrap_or(0);
        }
    }
}

impl Chunk {
    pub(crate) const EMPTY: Self = Self::Codes(CodeChunk::EMPTY);

    /// The value of a row.
    #[inline]
    pub(crate) fn at<'a>(&'a self, position: usize, dictionary: &'a Dictionary) -> ValueRef<'a> {
        match self {
            Self::Codes(codes) => dictionary.get(codes.get(position)),
            Self::Bools(bools) => bools.get(position).map_or(ValueRef::Null, ValueRef::Bool),
            Self::Numbers(numbers) => match numbers.values.get(position) {
                Some(bits)
                    if numbers
                        .present
                        .as_ref()
                        .is_none_or(|words| bit(words, position)) =>
                {
                    numbers.kind.value(*bits)
                }
                _ => ValueRef::Null,
            },
            Self::Texts(texts) => texts.get(position).map_or(ValueRef::Null, ValueRef::String),
            Self::Mixed(values) => match values.get(position) {
                Some(Some(value)) => ValueRef::from(&**value),
                _ => ValueRef::Null,
            },
        }
    }

    /// The dictionary code of a row, where the chunk knows it without hashing.
    pub(crate) fn code(&self, position: usize) -> Option<u32> {
        match self {
            Self::Codes(codes) => Some(codes.get(position)),
            Self::Bools(bools) => Some(
                bools
                    .get(position)
                    .map_or(NULL_CODE, |truth| FALSE_CODE + u32::from(truth)),
            ),
            _ => None,
        }
    }

    /// How many rows hold a code other than the null's.
    pub(crate) fn coded_rows(&self) -> usize {
        match self {
            Self::Codes(codes) => (0..codes.len()).filter(|row| codes.get(*row) != 0).count(),
            _ => 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Codes(codes) => codes.len(),
            Self::Bools(bools) => bools.len,
            Self::Numbers(numbers) => numbers.values.len(),
            Self::Texts(texts) => texts.len(),
            Self::Mixed(values) => values.len(),
        }
    }

    /// Encodes `len` values. `coded` says whether the column wants codes; what does not fit the
    /// dictionary is kept plain.
    pub(crate) fn encode<'v>(
        len: usize,
        value: impl Fn(usize) -> ValueRef<'v>,
        dictionary: &Dictionary,
        coded: bool,
    ) -> Self {
        let (mut nulls, mut bools, mut texts, mut text_bytes) = (0usize, 0usize, 0usize, 0usize);
        let (mut numbers, mut kind, mut one_kind) = (0usize, None, true);
        for position in 0..len {
            match value(position) {
                ValueRef::Null => nulls += 1,
                ValueRef::Bool(_) => bools += 1,
                ValueRef::String(text) => {
                    texts += 1;
                    text_bytes += text.len();
                }
                other => {
                    if let Some((this, _)) = number_of(other) {
                        numbers += 1;
                        one_kind &= *kind.get_or_insert(this) == this;
                    }
                }
            }
        }
        if nulls == len {
            return Self::EMPTY;
        }
        if nulls + bools == len {
            return Self::bools(len, value);
        }
        if coded && let Some(chunk) = Self::codes(len, &value, dictionary) {
            return chunk;
        }
        match kind {
            Some(kind) if one_kind && nulls + numbers == len => Self::numbers(len, kind, value),
            None if nulls + texts == len && text_bytes <= TEXT_BYTES_MAX => {
                let bytes = text_bytes;
                Self::Texts(TextChunk::collect(
                    len,
                    bytes,
                    |row| value(row).as_str(),
                    nulls > 0,
                ))
            }
            _ => Self::mixed(len, value),
        }
    }

    fn codes<'v>(
        len: usize,
        value: &impl Fn(usize) -> ValueRef<'v>,
        dictionary: &Dictionary,
    ) -> Option<Self> {
        let mut codes = Vec::with_capacity(len);
        for position in 0..len {
            codes.push(dictionary.intern(value(position))?);
        }
        Some(Self::Codes(CodeChunk::from_codes(&codes)))
    }

    fn bools<'v>(len: usize, value: impl Fn(usize) -> ValueRef<'v>) -> Self {
        let words = len.div_ceil(64);
        let mut chunk = BoolChunk {
            len,
            present: vec![0; words],
            truths: vec![0; words],
        };
        for position in 0..len {
            if let ValueRef::Bool(truth) = value(position) {
                chunk.set(position, Some(truth));
            }
        }
        Self::Bools(chunk)
    }

    fn numbers<'v>(len: usize, kind: NumberKind, value: impl Fn(usize) -> ValueRef<'v>) -> Self {
        let mut values = Vec::with_capacity(len);
        let mut present = Vec::new();
        for position in 0..len {
            let number = number_of(value(position));
            set_bit(&mut present, position, number.is_some());
            values.push(number.map_or(0, |(_, bits)| bits));
        }
        let all = present
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum::<usize>()
            == len;
        Self::Numbers(NumberChunk {
            kind,
            values,
            present: (!all).then_some(present),
        })
    }

    fn mixed<'v>(len: usize, value: impl Fn(usize) -> ValueRef<'v>) -> Self {
        let own = |position| match value(position) {
            ValueRef::Null => None,
            other => Some(Arc::new(other.to_value())),
        };
        Self::Mixed((0..len).map(own).collect())
    }

    /// Sets a value in place if the form of the chunk allows it cheaply.
    pub(crate) fn set(
        &mut self,
        position: usize,
        value: ValueRef<'_>,
        dictionary: &Dictionary,
        coded: bool,
    ) -> bool {
        match (&mut *self, value) {
            (Self::Bools(bools), ValueRef::Null) => bools.set(position, None),
            (Self::Bools(bools), ValueRef::Bool(truth)) => bools.set(position, Some(truth)),
            (Self::Numbers(numbers), ValueRef::Null) => numbers.set(position, None),
            (Self::Numbers(numbers), value) => match number_of(value) {
                Some((kind, bits)) if kind == numbers.kind => numbers.set(position, Some(bits)),
                _ => return false,
            },
            (Self::Texts(texts), ValueRef::String(text))
                if position >= texts.len() && texts.text_bytes() < TEXT_BYTES_MAX =>
            {
                texts.append(position, text);
            }
            (Self::Texts(texts), ValueRef::String(text))
                if position < texts.len() && texts.text_bytes() < TEXT_BYTES_MAX =>
            {
                texts.replace(position, Some(text));
            }
            (Self::Texts(texts), ValueRef::Null) => texts.replace(position, None),
            (Self::Mixed(values), value) => {
                if values.len() <= position {
                    values.resize(position + 1, None);
                }
                let Some(slot) = values.get_mut(position) else {
                    return false;
                };
                let keep = !value.is_null();
                *slot = keep.then(|| Arc::new(value.to_value()));
            }
            (Self::Codes(codes), value) if coded || value.is_null() => {
                if codes.len() == 0 && matches!(value, ValueRef::Bool(_)) {
                    *self = Self::bools(0, |_| ValueRef::Null);
                    return self.set(position, value, dictionary, coded);
                }
                let Some(code) = dictionary.intern(value) else {
                    return false;
                };
                codes.set(position, code);
            }
            _ => return false,
        }
        true
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Codes(codes) => codes.bytes(),
            Self::Bools(bools) => (bools.present.len() + bools.truths.len()) * 8,
            Self::Numbers(numbers) => {
                numbers.values.capacity() * 8 + numbers.present.as_ref().map_or(0, |w| w.len() * 8)
            }
            Self::Texts(texts) => texts.bytes(),
            Self::Mixed(values) => {
                let own = |value: &Option<Arc<Value>>| {
                    8 + value.as_ref().map_or(0, |value| value.byte_size() + 56)
                };
                values.iter().map(own).sum()
            }
        }
    }
}
