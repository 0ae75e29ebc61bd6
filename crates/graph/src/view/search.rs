// SPDX-License-Identifier: Apache-2.0
//! Searching texts for words, upper and lower case being the same.

use durward_model::Value;
use memchr::memmem::Finder;

use super::View;
use super::column_view::ColumnView;
use super::value_ref::ValueRef;
use crate::ids::TypeId;
use crate::rowset::{RowSet, RowSetBuilder};
use crate::state::chunk::Chunk;
use crate::state::codes::CHUNK_SHIFT;
use crate::state::text_chunk::TextChunk;

/// A word in lower case, ready to be looked for.
struct Needle {
    word: String,
    finder: Finder<'static>,
}

impl Needle {
    fn new(word: &str) -> Self {
        let word = word.to_lowercase();
        let finder = Finder::new(word.as_bytes()).into_owned();
        Self { word, finder }
    }

    fn is_in(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().contains(&self.word);
        }
        if !self.word.is_ascii() || self.word.len() > text.len() {
            return false;
        }
        self.finder
            .find(text.to_ascii_lowercase().as_bytes())
            .is_some()
    }

    fn is_in_value(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::String(text) => self.is_in(text),
            ValueRef::List(items) => items
                .iter()
                .filter_map(Value::as_str)
                .any(|text| self.is_in(text)),
            _ => false,
        }
    }

    /// Positions of the texts that contain the word.
    fn find_in(&self, texts: &TextChunk, buffer: &mut Vec<u8>, mut found: impl FnMut(usize)) {
        if !texts.text().is_ascii() || self.word.is_empty() {
            let rows =
                (0..texts.len()).filter(|at| texts.get(*at).is_some_and(|text| self.is_in(text)));
            rows.for_each(found);
            return;
        }
        if !self.word.is_ascii() {
            return;
        }
        buffer.clear();
        buffer.extend_from_slice(texts.text().as_bytes());
        buffer.make_ascii_lowercase();
        let mut from = 0usize;
        while let Some(at) = buffer.get(from..).and_then(|rest| self.finder.find(rest)) {
            let at = from + at;
            let row = texts.ends().partition_point(|end| *end as usize <= at);
            let end = texts.ends().get(row).map_or(0, |end| *end as usize);
            if at + self.word.len() <= end {
                found(row);
                from = end;
            } else {
                // The hit runs over into the next text.
                from = at + 1;
            }
        }
    }
}

impl ColumnView {
    fn search(&self, needle: &Needle, into: &mut RowSetBuilder) {
        let mut verdicts: Vec<Option<bool>> = vec![None; self.dictionary.len() as usize];
        let mut buffer = Vec::new();
        for (chunk, position) in self.chunks.iter().zip(0u32..) {
            let first = position << CHUNK_SHIFT;
            match &**chunk {
                Chunk::Codes(codes) => {
                    for at in 0..codes.len() {
                        let code = codes.get(at);
                        let Some(verdict) = verdicts.get_mut(code as usize) else {
                            continue;
                        };
                        let value = self.dictionary.get(code);
                        if *verdict.get_or_insert_with(|| needle.is_in_value(value)) {
                            into.insert(first + at as u32);
                        }
                    }
                }
                Chunk::Texts(texts) => {
                    needle.find_in(texts, &mut buffer, |at| into.insert(first + at as u32));
                }
                Chunk::Mixed(_) => {
                    let hit = |at: &usize| needle.is_in_value(chunk.at(*at, &self.dictionary));
                    let hits = (0..chunk.len()).filter(hit);
                    hits.for_each(|at| into.insert(first + at as u32));
                }
                Chunk::Bools(_) | Chunk::Numbers(_) => {}
            }
        }
    }
}

impl View {
    /// Live rows of a type whose key or string values contain every word, upper and lower case
    /// being the same. Neither secret properties nor what is worked out is searched.
    pub fn search_text(&self, type_id: TypeId, words: &[String]) -> RowSet {
        let mut result = self.live_rows(type_id);
        let (rows, derived) = (self.rows(type_id), self.derived_property(type_id));
        for word in words {
            if result.is_empty() {
                break;
            }
            let needle = Needle::new(word);
            let mut hits = RowSetBuilder::new(rows);
            self.search_keys(type_id, &needle, &mut hits);
            for property in self.properties_of_type(type_id) {
                if Some(property) != derived
                    && let Some(column) = self.column(type_id, property)
                {
                    column.search(&needle, &mut hits);
                }
            }
            result = result.intersect(&hits.finish());
        }
        result
    }

    fn search_keys(&self, type_id: TypeId, needle: &Needle, hits: &mut RowSetBuilder) {
        let Some(table) = self.type_table(type_id) else {
            return;
        };
        let (mut first, mut buffer) = (0u32, Vec::new());
        for chunk in table.keys.chunks() {
            needle.find_in(chunk, &mut buffer, |at| hits.insert(first + at as u32));
            first += chunk.len() as u32;
        }
    }
}
