// SPDX-License-Identifier: Apache-2.0
//! Codes of up to 4,096 rows in as few bytes as they need, and columns of such codes alone.

use std::sync::Arc;

/// Rows per chunk of a column.
pub(crate) const CHUNK_ROWS: usize = 4096;
/// As a shift.
pub(crate) const CHUNK_SHIFT: u32 = 12;

/// Codes of the rows of one chunk; rows beyond the end have code 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CodeChunk {
    /// `len` rows with the same code.
    Constant {
        code: u32,
        len: u16,
    },
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl CodeChunk {
    pub(crate) const EMPTY: Self = Self::Constant { code: 0, len: 0 };

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Constant { len, .. } => usize::from(*len),
            Self::U8(codes) => codes.len(),
            Self::U16(codes) => codes.len(),
            Self::U32(codes) => codes.len(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, position: usize) -> u32 {
        match self {
            Self::Constant { code, len } if position < usize::from(*len) => *code,
            Self::Constant { .. } => 0,
            Self::U8(codes) => codes.get(position).copied().map_or(0, u32::from),
            Self::U16(codes) => codes.get(position).copied().map_or(0, u32::from),
            Self::U32(codes) => codes.get(position).copied().unwrap_or(0),
        }
    }

    /// The narrowest chunk for these codes.
    pub(crate) fn from_codes(codes: &[u32]) -> Self {
        let Some(first) = codes.first() else {
            return Self::EMPTY;
        };
        if codes.iter().all(|code| code == first) {
            return Self::Constant {
                code: *first,
                len: codes.len() as u16,
            };
        }
        match codes.iter().copied().max().unwrap_or(0) {
            0..=0xff => Self::U8(codes.iter().map(|code| *code as u8).collect()),
            0x100..=0xffff => Self::U16(codes.iter().map(|code| *code as u16).collect()),
            _ => Self::U32(codes.to_vec()),
        }
    }

    /// Sets the code of a row, making the chunk longer or wider as needed.
    pub(crate) fn set(&mut self, position: usize, code: u32) {
        fn put<T: Copy + Default>(codes: &mut Vec<T>, position: usize, code: T) {
            if codes.len() <= position {
                codes.resize(position + 1, T::default());
            }
            if let Some(slot) = codes.get_mut(position) {
                *slot = code;
            }
        }
        match self {
            Self::Constant { code: same, len }
                if *same == code && position <= usize::from(*len) =>
            {
                *len = (*len).max(position as u16 + 1);
            }
            Self::U8(codes) if code <= 0xff => put(codes, position, code as u8),
            Self::U16(codes) if code <= 0xffff => put(codes, position, code as u16),
            Self::U32(codes) => put(codes, position, code),
            _ => {
                let mut codes = self.to_vec();
                put(&mut codes, position, code);
                *self = Self::from_codes(&codes);
            }
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<u32> {
        (0..self.len()).map(|position| self.get(position)).collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Constant { .. } => 0,
            Self::U8(codes) => codes.capacity(),
            Self::U16(codes) => codes.capacity() * 2,
            Self::U32(codes) => codes.capacity() * 4,
        }
    }
}

/// One code a row, in chunks; rows beyond the end have code 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeColumn {
    chunks: Arc<Vec<Arc<CodeChunk>>>,
}

impl CodeColumn {
    pub(crate) fn get(&self, row: u32) -> u32 {
        let chunk = self.chunks.get((row >> CHUNK_SHIFT) as usize);
        chunk.map_or(0, |chunk| chunk.get(row as usize & (CHUNK_ROWS - 1)))
    }

    fn chunk_mut(&mut self, position: usize) -> Option<&mut CodeChunk> {
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunks.len() <= position {
            let empty = Arc::new(CodeChunk::EMPTY);
            chunks.resize(position + 1, empty);
        }
        chunks.get_mut(position).map(Arc::make_mut)
    }

    pub(crate) fn set(&mut self, row: u32, code: u32) {
        if self.get(row) != code
            && let Some(chunk) = self.chunk_mut((row >> CHUNK_SHIFT) as usize)
        {
            chunk.set(row as usize & (CHUNK_ROWS - 1), code);
        }
    }

    /// Gives `len` rows from `first` on one code. Rows from `first` on must not have been set.
    pub(crate) fn append(&mut self, first: u32, len: u32, code: u32) {
        if code == 0 {
            return;
        }
        let (mut row, end) = (first, first + len);
        while row < end {
            let inside = row as usize & (CHUNK_ROWS - 1);
            let count = (CHUNK_ROWS - inside).min((end - row) as usize);
            if let Some(chunk) = self.chunk_mut((row >> CHUNK_SHIFT) as usize) {
                match chunk {
                    CodeChunk::Constant { code: same, len } if *same == code || *len == 0 => {
                        if inside == usize::from(*len) {
                            *chunk = CodeChunk::Constant {
                                code,
                                len: (inside + count) as u16,
                            };
                        } else {
                            (inside..inside + count).for_each(|position| chunk.set(position, code));
                        }
                    }
                    _ => (inside..inside + count).for_each(|position| chunk.set(position, code)),
                }
            }
            row += count as u32;
        }
    }

    /// The code of all of the first `rows` rows, if they have one in common.
    pub(crate) fn constant(&self, rows: u32) -> Option<u32> {
        let code = self.get(0);
        let mut covered = 0u32;
        for chunk in self.chunks.iter() {
            if covered >= rows {
                break;
            }
            let here = (rows - covered).min(CHUNK_ROWS as u32);
            match &**chunk {
                CodeChunk::Constant { code: same, len }
                    if *same == code && (u32::from(*len) >= here || code == 0) => {}
                CodeChunk::Constant { code: _, len: 0 } if code == 0 => {}
                _ => return None,
            }
            covered += here;
        }
        (covered >= rows || code == 0).then_some(code)
    }

    pub(crate) fn chunks(&self) -> &[Arc<CodeChunk>] {
        &self.chunks
    }

    pub(crate) fn from_chunks(chunks: Vec<Arc<CodeChunk>>) -> Self {
        Self {
            chunks: Arc::new(chunks),
        }
    }

    /// Whether both are the same version of a column.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chunks, &other.chunks)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes() + 48).sum()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn chunk_is_a_list(
            start in prop::collection::vec(0u32..3, 0..20),
            sets in prop::collection::vec(
                (0usize..40, prop::sample::select(vec![0u32, 1, 2, 255, 256, 70_000])),
                0..40,
            ),
        ) {
            let mut chunk = CodeChunk::from_codes(&start);
            let mut model = start;
            for (position, code) in sets {
                chunk.set(position, code);
                if model.len() <= position {
                    model.resize(position + 1, 0);
                }
                model[position] = code;
                for row in 0..50 {
                    prop_assert_eq!(chunk.get(row), model.get(row).copied().unwrap_or(0));
                }
            }
        }

        #[test]
        fn column_is_a_list(batches in prop::collection::vec((1u32..3_000, 0u32..3), 1..9)) {
            let mut column = CodeColumn::default();
            let mut model = Vec::new();
            for (len, code) in batches {
                column.append(model.len() as u32, len, code);
                model.extend(std::iter::repeat_n(code, len as usize));
            }
            let all = model.iter().all(|code| *code == model[0]);
            prop_assert_eq!(column.constant(model.len() as u32), all.then(|| model[0]));
            for (row, code) in model.iter().enumerate() {
                prop_assert_eq!(column.get(row as u32), *code);
            }
        }
    }
}
