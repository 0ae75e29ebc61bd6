// SPDX-License-Identifier: Apache-2.0
//! Selecting rows of a column, chunk by chunk.
#![expect(
    clippy::indexing_slicing,
    reason = "kernels over arrays of one checked length"
)]

use std::sync::Arc;

use durward_model::Value;

use super::column_view::ColumnView;
use super::value_ref::ValueRef;
use crate::rowset::RowSet;
use crate::state::chunk::{BoolChunk, Chunk};
use crate::state::codes::{CHUNK_ROWS, CHUNK_SHIFT, CodeChunk};
use crate::state::value_index::ValueIndex;

const CHUNK_WORDS: usize = CHUNK_ROWS / 64;
/// Smaller sets of rows are looked at one by one.
const FEW_ROWS: usize = 256;
/// Columns with fewer rows never get an index.
const INDEX_ROWS_MIN: u32 = 8_192;
/// An index is built when equality queries have looked at this many times the rows there are.
const INDEX_AFTER_SCANS: u64 = 3;

/// What a test says about each dictionary value, asked at most once.
struct Verdicts<'a, F> {
    view: &'a ColumnView,
    test: &'a F,
    /// 0 unknown, 1 no, 2 yes.
    known: Vec<u8>,
}

impl<F: Fn(ValueRef<'_>) -> bool> Verdicts<'_, F> {
    #[inline]
    fn ask(&mut self, code: u32) -> bool {
        match self.known.get_mut(code as usize) {
            Some(known) => {
                if *known == 0 {
                    *known = 1 + u8::from((self.test)(self.view.dictionary.get(code)));
                }
                *known == 2
            }
            None => (self.test)(self.view.dictionary.get(code)),
        }
    }
}

impl ColumnView {
    /// The rows among `rows` whose value passes the test, which is asked once for each distinct
    /// value where the column has a dictionary. Absent values are asked as a null.
    pub fn select(&self, rows: &RowSet, test: impl Fn(ValueRef<'_>) -> bool) -> RowSet {
        let known = vec![0; self.dictionary.len() as usize];
        let mut verdicts = Verdicts {
            view: self,
            test: &test,
            known,
        };
        if rows.len() <= FEW_ROWS || rows.as_list().is_some() {
            let passes = |row: &u32| match self.code(*row) {
                Some(code) => verdicts.ask(code),
                None => test(self.at(*row)),
            };
            return RowSet::from_sorted(rows.iter().filter(passes).collect(), rows.universe());
        }
        let null_passes = test(ValueRef::Null);
        self.select_words(rows, |chunk, asked, words| match chunk {
            Chunk::Codes(codes) => {
                select_codes(codes, asked, words, &mut |code| verdicts.ask(code));
            }
            Chunk::Bools(bools) => {
                let passes = [
                    test(ValueRef::Bool(false)),
                    test(ValueRef::Bool(true)),
                    null_passes,
                ];
                select_bools(bools, asked, words, passes);
            }
            chunk => each_row(asked, words, |at| test(chunk.at(at, &self.dictionary))),
        })
    }

    /// The dictionary code of a row, where it has one.
    #[inline]
    pub(crate) fn code(&self, row: u32) -> Option<u32> {
        match self.chunks.get((row >> CHUNK_SHIFT) as usize) {
            Some(chunk) => chunk.code(row as usize & (CHUNK_ROWS - 1)),
            None => Some(0),
        }
    }

    /// Runs a kernel over every chunk that has rows in `rows`: it gets the chunk, the words of the
    /// asked rows, and words to set.
    fn select_words(
        &self,
        rows: &RowSet,
        mut kernel: impl FnMut(&Chunk, &[u64], &mut [u64]),
    ) -> RowSet {
        let whole;
        let asked = if let Some(words) = rows.as_words() {
            words
        } else {
            whole = rows.to_words();
            &whole
        };
        let mut found = vec![0u64; asked.len()];
        let pairs = asked.chunks(CHUNK_WORDS).zip(found.chunks_mut(CHUNK_WORDS));
        for (position, (asked, found)) in pairs.enumerate() {
            if asked.iter().any(|word| *word != 0) {
                match self.chunks.get(position) {
                    Some(chunk) => kernel(chunk, asked, found),
                    None => kernel(&Chunk::EMPTY, asked, found),
                }
            }
        }
        RowSet::from_words(found, rows.universe())
    }

    /// The rows among `rows` whose value is `value`, or a list with it.
    pub fn select_equal(&self, rows: &RowSet, value: &Value) -> RowSet {
        let codes = self.equal_codes(value);
        if rows.len() <= FEW_ROWS {
            let passes = |row: &u32| match self.code(*row) {
                Some(code) => codes.binary_search(&code).is_ok(),
                None => self.at(*row).matches(value),
            };
            return RowSet::from_sorted(rows.iter().filter(passes).collect(), rows.universe());
        }
        if let Value::String(text) = value
            && let Some(index) = self.index()
        {
            return self.select_indexed(rows, text, &index, &codes);
        }
        self.select_words(rows, |chunk, asked, words| {
            self.equal_in_chunk(chunk, asked, words, value, &codes);
        })
    }

    fn equal_in_chunk(
        &self,
        chunk: &Chunk,
        asked: &[u64],
        words: &mut [u64],
        value: &Value,
        codes: &[u32],
    ) {
        match chunk {
            Chunk::Codes(chunk) => match codes {
                [] => {}
                [code] => equal_code(chunk, *code, asked, words),
                _ => select_codes(chunk, asked, words, &mut |code| {
                    codes.binary_search(&code).is_ok()
                }),
            },
            Chunk::Bools(bools) => {
                let passes = [
                    *value == Value::Bool(false),
                    *value == Value::Bool(true),
                    value.is_null(),
                ];
                if passes.contains(&true) {
                    select_bools(bools, asked, words, passes);
                }
            }
            Chunk::Texts(texts) => {
                if let Value::String(text) = value {
                    each_row(asked, words, |at| texts.get(at) == Some(text));
                } else if value.is_null() {
                    each_row(asked, words, |at| !texts.is_present(at));
                }
            }
            chunk => each_row(asked, words, |at| {
                chunk.at(at, &self.dictionary).matches(value)
            }),
        }
    }

    /// Codes of the dictionary values that match, ascending.
    fn equal_codes(&self, value: &Value) -> Vec<u32> {
        let is_number = value.as_number().is_some();
        if (is_number && self.dictionary.mixes_numbers())
            || self.dictionary.has_lists()
            || matches!(value, Value::List(_) | Value::Document(_))
        {
            let all = 0..self.dictionary.len();
            return all
                .filter(|code| self.dictionary.get(*code).matches(value))
                .collect();
        }
        let exact = self.dictionary.code_of(ValueRef::from(value));
        if !is_number || exact.is_some() {
            return exact.into_iter().collect();
        }
        // The dictionary holds numbers of one kind only, which may not be the kind asked for.
        let all = 0..self.dictionary.len();
        all.filter(|code| self.dictionary.get(*code).equals(value))
            .collect()
    }

    /// The index of the plain texts, if the column is worth one by now.
    fn index(&self) -> Option<Arc<ValueIndex>> {
        let is_text = |chunk: &&Arc<Chunk>| matches!(&***chunk, Chunk::Texts(_));
        let texts = self.chunks.iter().filter(is_text).count();
        if self.rows < INDEX_ROWS_MIN || texts * 2 < self.chunks.len() {
            return None;
        }
        let index = self.cache.index.lock().clone();
        let usable =
            index.filter(|index| index.changed_chunks(&self.chunks).len() * 4 <= self.chunks.len());
        if usable.is_some() {
            return usable;
        }
        let rows = u64::from(self.rows);
        if self.cache.note_scan(rows) < rows * INDEX_AFTER_SCANS {
            return None;
        }
        self.cache.forget_scans();
        let index = Arc::new(ValueIndex::build(&self.chunks, self.dictionary.seed()));
        *self.cache.index.lock() = Some(Arc::clone(&index));
        Some(index)
    }

    fn select_indexed(
        &self,
        rows: &RowSet,
        text: &str,
        index: &ValueIndex,
        codes: &[u32],
    ) -> RowSet {
        let mut found = index.find(text, &self.chunks);
        let mut rescan = |position: usize| {
            let first = (position as u32) << CHUNK_SHIFT;
            if let Some(chunk) = self.chunks.get(position) {
                let equal = |inside: &usize| match chunk.code(*inside) {
                    Some(code) => codes.binary_search(&code).is_ok(),
                    None => match chunk.at(*inside, &self.dictionary) {
                        ValueRef::String(own) => own == text,
                        other => other.matches(&Value::from(text)),
                    },
                };
                found.extend(
                    (0..chunk.len())
                        .filter(equal)
                        .map(|inside| first + inside as u32),
                );
            }
        };
        let mut changed = index.changed_chunks(&self.chunks);
        // Chunks that are not plain text are not in the index.
        let others = self.chunks.iter().enumerate();
        let others = others.filter(|(_, chunk)| !matches!(&***chunk, Chunk::Texts(_)));
        changed.extend(others.map(|(position, _)| position));
        changed.sort_unstable();
        changed.dedup();
        changed.into_iter().for_each(&mut rescan);
        found.sort_unstable();
        found.retain(|row| rows.contains(*row));
        RowSet::from_sorted(found, rows.universe())
    }
}

/// Tests the asked rows one by one.
#[inline]
fn each_row(asked: &[u64], words: &mut [u64], mut test: impl FnMut(usize) -> bool) {
    for (position, (asked, word)) in asked.iter().zip(words).enumerate() {
        let mut left = *asked;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            if test(position * 64 + bit as usize) {
                *word |= 1 << bit;
            }
        }
    }
}

fn select_codes(
    chunk: &CodeChunk,
    asked: &[u64],
    words: &mut [u64],
    ask: &mut impl FnMut(u32) -> bool,
) {
    match chunk {
        CodeChunk::Constant { code, len } => {
            let (here, beyond) = (ask(*code), ask(0));
            constant(usize::from(*len), here, beyond, asked, words);
        }
        CodeChunk::U8(codes) => {
            let mut table = [0u8; 256];
            let mut seen = [false; 256];
            for code in codes {
                seen[usize::from(*code)] = true;
            }
            for (code, seen) in (0u32..).zip(seen) {
                table[code as usize] = u8::from(seen && ask(code));
            }
            packed(codes, asked, words, ask(0), |code| table[usize::from(code)]);
        }
        chunk => each_row(asked, words, |at| ask(chunk.get(at))),
    }
}

fn constant(len: usize, here: bool, beyond: bool, asked: &[u64], words: &mut [u64]) {
    for (position, (asked, word)) in asked.iter().zip(words).enumerate() {
        let covered = len.saturating_sub(position * 64).min(64);
        let mask = if covered == 64 {
            u64::MAX
        } else {
            (1 << covered) - 1
        };
        *word = asked & (if here { mask } else { 0 } | if beyond { !mask } else { 0 });
    }
}

fn equal_code(chunk: &CodeChunk, code: u32, asked: &[u64], words: &mut [u64]) {
    let beyond = code == 0;
    match chunk {
        CodeChunk::Constant { code: same, len } => {
            constant(usize::from(*len), *same == code, beyond, asked, words);
        }
        CodeChunk::U8(codes) if code <= 0xff => {
            let code = code as u8;
            packed(codes, asked, words, beyond, |other| u8::from(other == code));
        }
        CodeChunk::U16(codes) if code <= 0xffff => {
            let code = code as u16;
            packed(codes, asked, words, beyond, |other| u8::from(other == code));
        }
        CodeChunk::U32(codes) => {
            packed(codes, asked, words, beyond, |other| u8::from(other == code));
        }
        _ => {}
    }
}

/// Tests 64 codes at a time and packs the answers (0 or 1) into words.
#[inline]
fn packed<T: Copy>(
    codes: &[T],
    asked: &[u64],
    words: &mut [u64],
    beyond: bool,
    test: impl Fn(T) -> u8,
) {
    let mut parts = codes.chunks(64);
    for (asked, word) in asked.iter().zip(words) {
        let part = parts.next().unwrap_or_default();
        let mut answers = [u8::from(beyond); 64];
        for (answer, code) in answers.iter_mut().zip(part) {
            *answer = test(*code);
        }
        let mut bits = 0u64;
        for (position, eight) in answers.chunks_exact(8).enumerate() {
            let mut bytes = [0u8; 8];
            bytes.copy_from_slice(eight);
            let spread = u64::from_le_bytes(bytes);
            // Gathers the lowest bit of each of eight bytes in the topmost byte.
            bits |= (spread.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (position * 8);
        }
        *word = bits & asked;
    }
}

/// `passes` says whether false, true and null pass.
fn select_bools(chunk: &BoolChunk, asked: &[u64], words: &mut [u64], passes: [bool; 3]) {
    let [no, yes, null] = passes.map(|pass| if pass { u64::MAX } else { 0 });
    for (position, (asked, word)) in asked.iter().zip(words).enumerate() {
        let present = chunk.present.get(position).copied().unwrap_or(0);
        let truths = chunk.truths.get(position).copied().unwrap_or(0);
        *word = asked & (present & (truths & yes | !truths & no) | !present & null);
    }
}
