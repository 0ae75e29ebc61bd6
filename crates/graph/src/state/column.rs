// SPDX-License-Identifier: Apache-2.0
//! One property of one type or triple: chunks of values and the log that takes changes back.

use std::sync::Arc;

use durward_model::Value;
use durward_model::change::{ABSENT_CODE, ColumnValues};

use super::chunk::Chunk;
use super::chunked::Chunked;
use super::codes::{CHUNK_ROWS, CHUNK_SHIFT, CodeChunk};
use super::column_cache::ColumnCache;
use super::dictionary::{DICTIONARY_MAX, Dictionary};
use super::timeline::Tick;
use super::unique::looks_unique;
use crate::view::ValueRef;

/// Chunks that snapshots share.
pub(crate) type Chunks = Arc<Vec<Arc<Chunk>>>;

/// A column begins to ask whether its values repeat at this many rows, and again at each doubling.
const DECIDE_ROWS: u32 = 16_384;
/// Old values with this bit lie in the list of values, others are dictionary codes.
const PLAIN: u32 = 1 << 31;
/// More changed rows in one chunk than this are encoded together.
const SET_EACH_MAX: usize = 32;

/// What a row held before a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Undo {
    pub(crate) row: u32,
    pub(crate) tick: Tick,
    old: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    chunks: Chunks,
    dictionary: Dictionary,
    /// Whether new values go to the dictionary.
    coded: bool,
    decide_at: u32,
    undo: Chunked<Undo>,
    undo_values: Chunked<Arc<Value>>,
    cache: Arc<ColumnCache>,
    pub(crate) secret: bool,
}

impl Column {
    pub(crate) fn new(seed: u64, secret: bool) -> Self {
        Self {
            chunks: Arc::default(),
            dictionary: Dictionary::new(seed),
            coded: true,
            decide_at: DECIDE_ROWS,
            undo: Chunked::default(),
            undo_values: Chunked::default(),
            cache: Arc::default(),
            secret,
        }
    }

    /// A column that never tries a dictionary: for values that are unique by nature.
    pub(crate) fn plain(seed: u64) -> Self {
        Self {
            coded: false,
            ..Self::new(seed, false)
        }
    }

    pub(crate) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    pub(crate) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    pub(crate) fn cache(&self) -> &Arc<ColumnCache> {
        &self.cache
    }

    pub(crate) fn is_coded(&self) -> bool {
        self.coded
    }

    /// The value of a row now.
    pub(crate) fn at(&self, row: u32) -> ValueRef<'_> {
        match self.chunks.get((row >> CHUNK_SHIFT) as usize) {
            Some(chunk) => chunk.at(row as usize & (CHUNK_ROWS - 1), &self.dictionary),
            None => ValueRef::Null,
        }
    }

    /// The dictionary's number of the value of a row; none where the row has its value itself.
    pub(crate) fn code_at(&self, row: u32) -> Option<u32> {
        let chunk = self.chunks.get((row >> CHUNK_SHIFT) as usize)?;
        chunk.code(row as usize & (CHUNK_ROWS - 1))
    }

    fn chunk_mut(&mut self, position: usize) -> &mut Arc<Chunk> {
        let chunks = Arc::make_mut(&mut self.chunks);
        while chunks.len() <= position {
            chunks.push(Arc::new(Chunk::EMPTY));
        }
        // The loop above made the position valid; the fallback is never taken.
        let last = chunks.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the position is below the length")]
        &mut chunks[position.min(last)]
    }

    /// Values of new rows, from `first` on.
    pub(crate) fn append(&mut self, first: u32, values: &ColumnValues) {
        let len = values.len();
        if self.coded && len as u32 >= DECIDE_ROWS && looks_unique(values, self.dictionary.seed()) {
            self.coded = false;
        }
        let remap = self.remap(values);
        let mut done = 0;
        while done < len {
            let row = first as usize + done;
            let inside = row & (CHUNK_ROWS - 1);
            let count = (CHUNK_ROWS - inside).min(len - done);
            self.append_part(
                row >> CHUNK_SHIFT,
                inside,
                done,
                count,
                values,
                remap.as_deref(),
            );
            done += count;
        }
        self.decide(first.saturating_add(len as u32));
    }

    /// Codes in this column's dictionary of a batch's dictionary, where the batch repeats values.
    fn remap(&self, values: &ColumnValues) -> Option<Vec<u32>> {
        let ColumnValues::Coded { codes, dictionary } = values else {
            return None;
        };
        if !self.coded || dictionary.len() > codes.len() {
            return None;
        }
        dictionary
            .iter()
            .map(|value| self.dictionary.intern(ValueRef::from(value)))
            .collect()
    }

    fn append_part(
        &mut self,
        position: usize,
        inside: usize,
        from: usize,
        count: usize,
        values: &ColumnValues,
        remap: Option<&[u32]>,
    ) {
        let (dictionary, coded) = (self.dictionary.clone(), self.coded);
        let chunk = self.chunk_mut(position);
        if count <= SET_EACH_MAX && inside > 0 {
            let mutable = Arc::make_mut(chunk);
            let mut left = from..from + count;
            while let Some(index) = left.next() {
                let value = value_at(values, index);
                if !value.is_null()
                    && !mutable.set(inside + index - from, value, &dictionary, coded)
                {
                    left = index..from + count;
                    break;
                }
            }
            if left.is_empty() {
                return;
            }
        }
        if inside == 0
            && let (Some(remap), ColumnValues::Coded { codes, .. }) = (remap, values)
        {
            let codes = codes.get(from..from + count).unwrap_or_default();
            let code = |code: &u32| match *code {
                ABSENT_CODE => 0,
                code => remap.get(code as usize).copied().unwrap_or(0),
            };
            let codes: Vec<u32> = codes.iter().map(code).collect();
            let made = Chunk::Codes(CodeChunk::from_codes(&codes));
            *chunk = Arc::new(match made {
                // Truth values have a form of their own.
                made if codes.iter().all(|code| *code <= 2) => {
                    Chunk::encode(count, |row| made.at(row, &dictionary), &dictionary, coded)
                }
                made => made,
            });
            return;
        }
        let old = Arc::clone(chunk);
        let value = |row: usize| match row.checked_sub(inside) {
            Some(offset) => value_at(values, from + offset),
            None => old.at(row, &dictionary),
        };
        let made = Chunk::encode(inside + count, value, &dictionary, coded);
        *chunk = Arc::new(made);
    }

    /// Decides again whether a dictionary pays, when the column has grown enough since last time.
    fn decide(&mut self, rows: u32) {
        if !self.coded || rows < self.decide_at {
            return;
        }
        self.decide_at = rows.saturating_mul(2);
        let distinct = self.dictionary.len();
        let present = self
            .chunks
            .iter()
            .map(|chunk| chunk.coded_rows())
            .sum::<usize>();
        if present as u32 >= DECIDE_ROWS / 2 && distinct as usize > present / 10 * 7 {
            self.recode_plain();
        } else if distinct >= DICTIONARY_MAX {
            self.coded = false;
        }
    }

    /// Gives the dictionary up.
    fn recode_plain(&mut self) {
        let old = self.dictionary.clone();
        self.dictionary = Dictionary::new(old.seed());
        self.coded = false;
        self.cache = Arc::default();
        let fresh = &self.dictionary;
        let recode = |chunk: &Arc<Chunk>| {
            Arc::new(Chunk::encode(
                chunk.len(),
                |row| chunk.at(row, &old),
                fresh,
                false,
            ))
        };
        self.chunks = Arc::new(self.chunks.iter().map(recode).collect());
        let undo = std::mem::take(&mut self.undo);
        for entry in undo.iter() {
            let old = match entry.old {
                code if code & PLAIN == 0 && code > 2 => {
                    PLAIN | self.undo_values.push(Arc::new(old.get(code).to_value()))
                }
                other => other,
            };
            self.undo.push(Undo { old, ..*entry });
        }
    }

    /// Changes values of rows, which must be ascending, and notes the old ones.
    pub(crate) fn patch(&mut self, changes: &[(u32, &Value)], tick: Tick) {
        for (row, value) in changes {
            let old = self.at(*row);
            if super::value_hash::same_value(old, ValueRef::from(*value)) {
                continue;
            }
            let old = self.keep_old(*row);
            self.undo.push(Undo {
                row: *row,
                tick,
                old,
            });
        }
        self.put(changes);
    }

    fn keep_old(&mut self, row: u32) -> u32 {
        let chunk = self.chunks.get((row >> CHUNK_SHIFT) as usize);
        let position = row as usize & (CHUNK_ROWS - 1);
        if let Some(code) = chunk.map_or(Some(0), |chunk| chunk.code(position)) {
            return code;
        }
        match self.at(row) {
            ValueRef::Null => 0,
            value => {
                let value = Arc::new(value.to_value());
                PLAIN | self.undo_values.push(value)
            }
        }
    }

    fn put(&mut self, changes: &[(u32, &Value)]) {
        let (dictionary, coded) = (self.dictionary.clone(), self.coded);
        for group in changes.chunk_by(|left, right| left.0 >> CHUNK_SHIFT == right.0 >> CHUNK_SHIFT)
        {
            let Some((first, _)) = group.first() else {
                continue;
            };
            let chunk = self.chunk_mut((first >> CHUNK_SHIFT) as usize);
            let changes = group
                .iter()
                .map(|(row, value)| (*row, ValueRef::from(*value)));
            put_in_chunk(chunk, changes, &dictionary, coded);
        }
    }

    /// The old value in an undo entry.
    pub(crate) fn old_value(&self, undo: &Undo) -> ValueRef<'_> {
        if undo.old & PLAIN == 0 {
            return self.dictionary.get(undo.old);
        }
        let value = self.undo_values.get((undo.old & !PLAIN) as usize);
        value.map_or(ValueRef::Null, |value| ValueRef::from(&**value))
    }

    /// One value at a tick, unless more than `most` changes lie after it.
    pub(crate) fn read_at(&self, row: u32, tick: Tick, most: usize) -> Option<ValueRef<'_>> {
        let from = self.undo.partition_point(|entry| entry.tick <= tick);
        if self.undo.len() - from > most {
            return None;
        }
        let later = (from..self.undo.len()).filter_map(|position| self.undo.get(position));
        let first = later.into_iter().find(|entry| entry.row == row);
        Some(first.map_or_else(|| self.at(row), |entry| self.old_value(entry)))
    }

    pub(crate) fn undo_log(&self) -> &Chunked<Undo> {
        &self.undo
    }

    /// Adds an entry to the undo log without changing the column: for reading a checkpoint.
    pub(crate) fn restore_undo(&mut self, row: u32, tick: Tick, old: &Value) {
        let old = match (self.coded, self.dictionary.code_of(ValueRef::from(old))) {
            (_, Some(code)) if self.coded || code <= 2 => code,
            _ => PLAIN | self.undo_values.push(Arc::new(old.clone())),
        };
        self.undo.push(Undo { row, tick, old });
    }

    /// Puts chunks and the decision back as they were: for reading a checkpoint.
    pub(crate) fn restore(&mut self, chunks: Vec<Arc<Chunk>>, coded: bool, decide_at: u32) {
        self.chunks = Arc::new(chunks);
        self.coded = coded;
        self.decide_at = decide_at;
    }

    pub(crate) fn decide_at(&self) -> u32 {
        self.decide_at
    }

    /// The chunks as they were at a tick. Rows that were created later hold what they hold.
    pub(crate) fn chunks_at(&self, tick: Tick) -> Chunks {
        let from = self.undo.partition_point(|entry| entry.tick <= tick);
        if from == self.undo.len() {
            return Arc::clone(&self.chunks);
        }
        let mut chunks = Vec::clone(&self.chunks);
        // Later changes first, so that the earliest one after the tick is what stays.
        let mut rest: Vec<Undo> = Vec::new();
        let mut encode_anew = vec![false; chunks.len()];
        for position in (from..self.undo.len()).rev() {
            let Some(entry) = self.undo.get(position) else {
                continue;
            };
            let position = (entry.row >> CHUNK_SHIFT) as usize;
            let (Some(chunk), Some(anew)) =
                (chunks.get_mut(position), encode_anew.get_mut(position))
            else {
                continue;
            };
            let inside = entry.row as usize & (CHUNK_ROWS - 1);
            match (&**chunk, entry.old & PLAIN) {
                _ if *anew => rest.push(*entry),
                (Chunk::Codes(_), 0) => {
                    if let Chunk::Codes(codes) = Arc::make_mut(chunk) {
                        codes.set(inside, entry.old);
                    }
                }
                (Chunk::Bools(_), 0) if entry.old <= 2 => {
                    let old = self.dictionary.get(entry.old);
                    Arc::make_mut(chunk).set(inside, old, &self.dictionary, true);
                }
                _ => {
                    // From here on back, everything in this chunk has to wait for its turn.
                    *anew = true;
                    rest.push(*entry);
                }
            }
        }
        rest.reverse();
        rest.sort_by_key(|entry| entry.row);
        rest.dedup_by_key(|entry| entry.row);
        for group in rest.chunk_by(|one, two| one.row >> CHUNK_SHIFT == two.row >> CHUNK_SHIFT) {
            let position = group.first().map_or(0, |entry| entry.row >> CHUNK_SHIFT);
            let Some(chunk) = chunks.get_mut(position as usize) else {
                continue;
            };
            let changes = group.iter().map(|entry| (entry.row, self.old_value(entry)));
            put_in_chunk(chunk, changes, &self.dictionary, self.coded);
        }
        Arc::new(chunks)
    }

    /// Bytes of values, and of history.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        let values = self
            .chunks
            .iter()
            .map(|chunk| chunk.bytes() + 64)
            .sum::<usize>();
        let old = self
            .undo_values
            .iter()
            .map(|value| value.byte_size() + 48)
            .sum::<usize>();
        (values + self.dictionary.bytes(), self.undo.bytes() + old)
    }
}

/// Changes values of a chunk: one by one while that is cheap, else by encoding it anew.
fn put_in_chunk<'v>(
    chunk: &mut Arc<Chunk>,
    changes: impl ExactSizeIterator<Item = (u32, ValueRef<'v>)> + Clone,
    dictionary: &Dictionary,
    coded: bool,
) {
    let inside = |row: u32| row as usize & (CHUNK_ROWS - 1);
    if changes.len() <= SET_EACH_MAX || matches!(&**chunk, Chunk::Codes(_) | Chunk::Bools(_)) {
        let mutable = Arc::make_mut(chunk);
        if changes
            .clone()
            .all(|(row, value)| mutable.set(inside(row), value, dictionary, coded))
        {
            return;
        }
    }
    let mut len = chunk.len();
    let mut changed = vec![u16::MAX; CHUNK_ROWS];
    let values: Vec<ValueRef<'v>> = changes.clone().map(|(_, value)| value).collect();
    for (index, (row, _)) in changes.enumerate() {
        len = len.max(inside(row) + 1);
        if let Some(slot) = changed.get_mut(inside(row)) {
            *slot = index as u16;
        }
    }
    let old = Arc::clone(chunk);
    let value = |row: usize| {
        let index = changed
            .get(row)
            .map_or(usize::MAX, |index| usize::from(*index));
        values
            .get(index)
            .copied()
            .unwrap_or_else(|| old.at(row, dictionary))
    };
    *chunk = Arc::new(Chunk::encode(len, value, dictionary, coded));
}

/// A value of a batch, borrowed.
pub(crate) fn value_at(values: &ColumnValues, row: usize) -> ValueRef<'_> {
    let value = match values {
        ColumnValues::Bools(truths) => match truths.get(row) {
            Some(0) => Some(ValueRef::Bool(false)),
            Some(1) => Some(ValueRef::Bool(true)),
            _ => None,
        },
        ColumnValues::Ints(numbers) => numbers.get(row).map(|number| ValueRef::Int(*number)),
        ColumnValues::Floats(numbers) => numbers.get(row).map(|number| ValueRef::Float(*number)),
        ColumnValues::Texts(texts) => texts.get(row).map(ValueRef::String),
        ColumnValues::Coded { codes, dictionary } => {
            let value = codes
                .get(row)
                .and_then(|code| dictionary.get(*code as usize));
            value.map(ValueRef::from)
        }
        ColumnValues::Mixed(values) => values.get(row).map(ValueRef::from),
    };
    value.unwrap_or(ValueRef::Null)
}
