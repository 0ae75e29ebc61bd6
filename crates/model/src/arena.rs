// SPDX-License-Identifier: Apache-2.0
//! Many strings in one allocation.

/// A list of strings that share one buffer: 4 bytes of overhead a string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringArena {
    bytes: String,
    ends: Vec<u32>,
}

/// The strings of an arena would pass 4 GiB.
#[derive(Debug, thiserror::Error)]
#[error("a batch may hold at most 4 GiB of text in one column")]
pub struct ArenaFull;

impl StringArena {
    /// An empty arena.
    pub fn new() -> Self {
        Self::default()
    }

    /// An arena from its parts, as [`StringArena::as_parts`] gives them; `None` when they do not
    /// fit together (ends not ascending, not on a character boundary, or not covering the text).
    pub fn from_parts(bytes: String, ends: Vec<u32>) -> Option<Self> {
        let mut previous = 0u32;
        for &end in &ends {
            if end < previous || !bytes.is_char_boundary(end as usize) {
                return None;
            }
            previous = end;
        }
        (previous as usize == bytes.len()).then_some(Self { bytes, ends })
    }

    /// The text and the end offset of each string.
    pub fn as_parts(&self) -> (&str, &[u32]) {
        (&self.bytes, &self.ends)
    }

    /// Adds a string at the end and returns its position.
    pub fn push(&mut self, text: &str) -> Result<u32, ArenaFull> {
        let end = u32::try_from(self.bytes.len().saturating_add(text.len()));
        let end = end.map_err(|_| ArenaFull)?;
        let position = u32::try_from(self.ends.len()).map_err(|_| ArenaFull)?;
        self.bytes.push_str(text);
        self.ends.push(end);
        Ok(position)
    }

    /// The string at `position`.
    pub fn get(&self, position: usize) -> Option<&str> {
        let end = *self.ends.get(position)? as usize;
        let start = match position.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.bytes.get(start..end)
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no string.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Length of all text in bytes.
    pub fn text_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// All strings in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|position| self.get(position))
    }

    /// Gives spare capacity back.
    pub fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn keeps_strings_apart() {
        let mut arena = StringArena::new();
        for text in ["", "a", "öl", ""] {
            arena.push(text).unwrap();
        }
        assert_eq!(arena.iter().collect::<Vec<_>>(), ["", "a", "öl", ""]);
        let (bytes, ends) = arena.as_parts();
        assert_eq!(
            StringArena::from_parts(bytes.to_owned(), ends.to_vec()),
            Some(arena.clone())
        );
        assert_eq!(StringArena::from_parts("ö".to_owned(), vec![1, 2]), None);
        assert_eq!(StringArena::from_parts("ab".to_owned(), vec![1]), None);
    }
}
