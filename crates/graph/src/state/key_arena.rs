// SPDX-License-Identifier: Apache-2.0
//! The natural keys of one type, by row.

use std::sync::Arc;

use durward_model::StringArena;

use super::text_chunk::TextChunk;

const SHIFT: u32 = 10;
const ROWS: usize = 1 << SHIFT;

/// Keys in chunks of 1,024 rows, only ever added to.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyArena {
    chunks: Arc<Vec<Arc<TextChunk>>>,
}

impl KeyArena {
    #[inline]
    pub(crate) fn get(&self, row: u32) -> Option<&str> {
        self.chunks
            .get((row >> SHIFT) as usize)?
            .get(row as usize & (ROWS - 1))
    }

    pub(crate) fn rows(&self) -> u32 {
        let whole = self.chunks.len().saturating_sub(1) << SHIFT;
        self.chunks
            .last()
            .map_or(0, |last| (whole + last.len()) as u32)
    }

    /// Adds keys at the end.
    pub(crate) fn append(&mut self, keys: &StringArena) {
        let (text, ends) = keys.as_parts();
        let chunks = Arc::make_mut(&mut self.chunks);
        let (mut done, mut base) = (0usize, 0u32);
        while done < ends.len() {
            let room = chunks.last().map_or(0, |last| ROWS - last.len());
            if room == 0 {
                chunks.push(Arc::default());
                continue;
            }
            let part = ends
                .get(done..(done + room).min(ends.len()))
                .unwrap_or_default();
            let end = part.last().copied().unwrap_or(base);
            let run = text.get(base as usize..end as usize).unwrap_or_default();
            if let Some(last) = chunks.last_mut() {
                let last = Arc::make_mut(last);
                last.append_run(run, part, base);
                if last.len() == ROWS {
                    last.shrink();
                }
            }
            done += part.len();
            base = end;
        }
    }

    pub(crate) fn from_chunks(chunks: Vec<Arc<TextChunk>>) -> Self {
        Self {
            chunks: Arc::new(chunks),
        }
    }

    pub(crate) fn chunks(&self) -> &[Arc<TextChunk>] {
        &self.chunks
    }

    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes() + 88).sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn keeps_keys_by_row() {
        let mut arena = KeyArena::default();
        let mut all = Vec::new();
        for len in [1usize, 1_023, 1, 0, 3_000, 5] {
            let mut batch = StringArena::new();
            for turn in 0..len {
                let key = format!("k{}:{turn}", all.len());
                batch.push(&key).unwrap();
                all.push(key);
            }
            arena.append(&batch);
            assert_eq!(arena.rows() as usize, all.len());
        }
        for (row, key) in all.iter().enumerate() {
            assert_eq!(arena.get(row as u32), Some(key.as_str()));
        }
        assert_eq!(arena.get(all.len() as u32), None);
    }
}
