// SPDX-License-Identifier: Apache-2.0
//! Cursors of lists that a front end pages itself.

use durward_model::Instant;
use durward_model::transaction::Sequence;

use crate::cursor::{Cursor, CursorKey, fingerprint};
use crate::error::QueryError;
use crate::execute::{After, Position};

/// Where a list goes on. Sealed, it is opaque to clients and useless to every other credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCursor {
    /// Sequence of the last transaction that the walk sees.
    pub sequence: Sequence,
    /// The instant that the walk sees.
    pub instant: Instant,
    /// What `now` meant on the first page.
    pub now: Instant,
    /// Which of the parts that the list is made of; zero where it has but one.
    pub part: u64,
    /// How many rows of that part went before.
    pub offset: u64,
}

impl ListCursor {
    /// Seals it for lists that ask exactly for `what`.
    pub fn seal(&self, key: &CursorKey, what: &str) -> String {
        let cursor = Cursor {
            fingerprint: fingerprint(format_args!("{what}")),
            sequence: self.sequence,
            instant: self.instant,
            now: self.now,
            position: Position {
                written: self.part,
                after: After::Offset(self.offset),
            },
        };
        cursor.seal(key)
    }

    /// Opens a sealed one.
    ///
    /// # Errors
    /// When it was not sealed by this key, or for a list of something else.
    pub fn open(text: &str, key: &CursorKey, what: &str) -> Result<Self, QueryError> {
        let cursor = Cursor::open(text, key)?;
        let After::Offset(offset) = cursor.position.after else {
            return Err(QueryError::Cursor);
        };
        if cursor.fingerprint != fingerprint(format_args!("{what}")) {
            return Err(QueryError::Cursor);
        }
        Ok(Self {
            sequence: cursor.sequence,
            instant: cursor.instant,
            now: cursor.now,
            part: cursor.position.written,
            offset,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_for_the_same_list_and_key_only() {
        let (key, other) = (CursorKey::new(b"one"), CursorKey::new(b"two"));
        let cursor = ListCursor {
            sequence: Sequence(7),
            instant: Instant::from_millis(5),
            now: Instant::from_millis(6),
            part: 3,
            offset: 1000,
        };
        let sealed = cursor.seal(&key, "roles");
        assert_eq!(ListCursor::open(&sealed, &key, "roles"), Ok(cursor));
        for (key, what) in [(&other, "roles"), (&key, "nodes")] {
            let opened = ListCursor::open(&sealed, key, what);
            assert_eq!(opened, Err(QueryError::Cursor));
        }
    }
}
