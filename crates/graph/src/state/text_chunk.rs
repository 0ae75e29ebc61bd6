// SPDX-License-Identifier: Apache-2.0
//! Texts of some rows in one buffer.

use super::chunk::{bit, set_bit};

/// Texts end to end, and where each ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextChunk {
    text: String,
    ends: Vec<u32>,
    /// Which rows are present, if not all.
    present: Option<Vec<u64>>,
}

impl TextChunk {
    pub(crate) fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(rows),
            present: None,
        }
    }

    pub(crate) fn collect<'v>(
        len: usize,
        bytes: usize,
        text: impl Fn(usize) -> Option<&'v str>,
        nulls: bool,
    ) -> Self {
        let mut chunk = Self::with_capacity(len, bytes);
        chunk.present = nulls.then(Vec::new);
        for position in 0..len {
            let text = text(position);
            if let Some(present) = &mut chunk.present {
                set_bit(present, position, text.is_some());
            }
            chunk.text.push_str(text.unwrap_or_default());
            chunk.ends.push(chunk.text.len() as u32);
        }
        chunk
    }

    /// A chunk of these parts, if they fit together.
    pub(crate) fn from_parts(
        text: String,
        ends: Vec<u32>,
        present: Option<Vec<u64>>,
    ) -> Option<Self> {
        let whole = ends.last().copied().unwrap_or(0) as usize == text.len();
        let whole = whole && ends.iter().all(|end| text.is_char_boundary(*end as usize));
        (whole && ends.is_sorted()).then_some(Self {
            text,
            ends,
            present,
        })
    }

    pub(crate) fn present(&self) -> Option<&Vec<u64>> {
        self.present.as_ref()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    pub(crate) fn is_present(&self, position: usize) -> bool {
        position < self.ends.len()
            && self
                .present
                .as_ref()
                .is_none_or(|present| bit(present, position))
    }

    /// The text of a row.
    #[inline]
    pub(crate) fn get(&self, position: usize) -> Option<&str> {
        let end = *self.ends.get(position)? as usize;
        let start = match position {
            0 => 0,
            _ => *self.ends.get(position - 1)? as usize,
        };
        match &self.present {
            Some(present) if start == end && !bit(present, position) => None,
            _ => self.text.get(start..end),
        }
    }

    /// Adds a text at or beyond the end; the rows between are absent.
    pub(crate) fn append(&mut self, position: usize, text: &str) {
        let before = self.ends.len();
        if position > before {
            let present = self.present.get_or_insert_with(|| {
                let mut words = Vec::new();
                (0..before).for_each(|row| set_bit(&mut words, row, true));
                words
            });
            set_bit(present, position, true);
            self.ends.resize(position, self.text.len() as u32);
        } else if let Some(present) = &mut self.present {
            set_bit(present, position, true);
        }
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
    }

    /// Changes the text of a row inside; rows beyond the end are absent and stay so.
    pub(crate) fn replace(&mut self, position: usize, text: Option<&str>) {
        let Some(&end) = self.ends.get(position) else {
            return;
        };
        let before = position
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let start = before.copied().unwrap_or(0);
        let rows = self.ends.len();
        if text.is_none() || self.present.is_some() {
            let present = self.present.get_or_insert_with(|| {
                let mut words = Vec::new();
                (0..rows).for_each(|row| set_bit(&mut words, row, true));
                words
            });
            set_bit(present, position, text.is_some());
        }
        let text = text.unwrap_or_default();
        self.text.replace_range(start as usize..end as usize, text);
        let (old, new) = (end - start, text.len() as u32);
        for end in self.ends.iter_mut().skip(position) {
            *end = *end - old + new;
        }
    }

    /// Adds texts that lie end to end; `ends` are offsets into `text`, which starts at `base`.
    pub(crate) fn append_run(&mut self, text: &str, ends: &[u32], base: u32) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.ends
            .extend(ends.iter().map(|end| start + (end - base)));
    }

    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity()
            + self.ends.capacity() * 4
            + self.present.as_ref().map_or(0, |words| words.len() * 8)
    }
}
