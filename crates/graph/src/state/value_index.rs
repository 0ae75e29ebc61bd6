// SPDX-License-Identifier: Apache-2.0
//! A hash index over the texts of a plain column, built when equality queries come again.
#![expect(
    clippy::indexing_slicing,
    reason = "slots are computed modulo the capacity"
)]

use std::sync::Arc;

use super::chunk::Chunk;
use super::codes::{CHUNK_ROWS, CHUNK_SHIFT};
use super::column::Chunks;
use super::value_hash::hash_value;
use crate::view::ValueRef;

/// Rows by hash of their text, for the chunks it was built on.
#[derive(Debug)]
pub(crate) struct ValueIndex {
    built_on: Chunks,
    seed: u64,
    /// 0 is an empty slot.
    tags: Vec<u8>,
    rows: Vec<u32>,
}

fn slot(hash: u64, capacity: usize) -> usize {
    (((hash >> 32) * capacity as u64) >> 32) as usize
}

fn tag(hash: u64) -> u8 {
    (hash as u8) | 1
}

impl ValueIndex {
    pub(crate) fn build(chunks: &Chunks, seed: u64) -> Self {
        let texts = |chunk: &Arc<Chunk>| match &**chunk {
            Chunk::Texts(texts) => texts.len(),
            _ => 0,
        };
        let count = chunks.iter().map(texts).sum::<usize>();
        let capacity = (count + count / 3 + 8).min(u32::MAX as usize);
        let mut index = Self {
            built_on: Arc::clone(chunks),
            seed,
            tags: vec![0; capacity],
            rows: vec![0; capacity],
        };
        for (position, chunk) in chunks.iter().enumerate() {
            let Chunk::Texts(texts) = &**chunk else {
                continue;
            };
            for inside in 0..texts.len() {
                if let Some(text) = texts.get(inside) {
                    let row = ((position as u32) << CHUNK_SHIFT) + inside as u32;
                    index.insert(hash_value(ValueRef::String(text), seed), row);
                }
            }
        }
        index
    }

    fn insert(&mut self, hash: u64, row: u32) {
        let mut at = slot(hash, self.tags.len());
        while self.tags[at] != 0 {
            at = if at + 1 == self.tags.len() { 0 } else { at + 1 };
        }
        self.tags[at] = tag(hash);
        self.rows[at] = row;
    }

    /// Chunks that are not as they were when the index was built.
    pub(crate) fn changed_chunks(&self, chunks: &Chunks) -> Vec<usize> {
        if Arc::ptr_eq(&self.built_on, chunks) {
            return Vec::new();
        }
        let changed = |(position, chunk): (usize, &Arc<Chunk>)| {
            let same = self
                .built_on
                .get(position)
                .is_some_and(|built| Arc::ptr_eq(built, chunk));
            (!same && !matches!(&**chunk, Chunk::Codes(codes) if codes.len() == 0))
                .then_some(position)
        };
        chunks.iter().enumerate().filter_map(changed).collect()
    }

    /// Rows with this text in the chunks that have not changed, ascending.
    pub(crate) fn find(&self, text: &str, chunks: &Chunks) -> Vec<u32> {
        let hash = hash_value(ValueRef::String(text), self.seed);
        let mut found = Vec::new();
        let mut at = slot(hash, self.tags.len());
        while self.tags[at] != 0 {
            if self.tags[at] == tag(hash) {
                let row = self.rows[at];
                let position = (row >> CHUNK_SHIFT) as usize;
                if let (Some(built), Some(chunk)) =
                    (self.built_on.get(position), chunks.get(position))
                    && Arc::ptr_eq(built, chunk)
                    && let Chunk::Texts(texts) = &**chunk
                    && texts.get(row as usize & (CHUNK_ROWS - 1)) == Some(text)
                {
                    found.push(row);
                }
            }
            at = if at + 1 == self.tags.len() { 0 } else { at + 1 };
        }
        found.sort_unstable();
        found
    }
}
