// SPDX-License-Identifier: Apache-2.0
//! Cursors: where the next page begins, sealed so that nobody can alter them.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use durward_model::Instant;
use durward_model::transaction::Sequence;

use crate::error::QueryError;
use crate::execute::{After, Choice, Position};

/// Format of a cursor.
const VERSION: u8 = 1;
/// How much of the seal goes along.
const SEAL_BYTES: usize = 16;
/// Longest cursor that is looked at.
const CURSOR_BYTES_MAX: usize = 4096;

/// The secret by which the cursors of one credential are sealed.
#[derive(Clone)]
pub struct CursorKey(hmac::Key);

impl CursorKey {
    /// A key of the given secret bytes, which should be different for every credential.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CursorKey(..)")
    }
}

/// What a cursor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Which query it belongs to.
    pub(crate) fingerprint: [u8; 8],
    /// Sequence of the last transaction that the walk sees.
    pub(crate) sequence: Sequence,
    /// The instant that the walk sees.
    pub(crate) instant: Instant,
    /// What `now` meant on the first page.
    pub(crate) now: Instant,
    pub(crate) position: Position,
}

/// A short digest of everything that makes a query what it is.
pub(crate) fn fingerprint(text: fmt::Arguments<'_>) -> [u8; 8] {
    let mut short = [0; 8];
    short
        .iter_mut()
        .zip(digest_of(text))
        .for_each(|(to, from)| *to = from);
    short
}

/// A digest of a text that is never held as a whole.
pub(crate) fn digest_of(text: fmt::Arguments<'_>) -> [u8; 32] {
    struct Hasher(digest::Context);
    impl fmt::Write for Hasher {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let mut hasher = Hasher(digest::Context::new(&digest::SHA256));
    // Writing to a hasher cannot fail.
    let _ = fmt::Write::write_fmt(&mut hasher, text);
    let mut whole = [0; 32];
    let digest = hasher.0.finish();
    whole
        .iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    whole
}

impl Cursor {
    pub(crate) fn seal(&self, key: &CursorKey) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.fingerprint);
        bytes.extend_from_slice(&self.sequence.0.to_be_bytes());
        bytes.extend_from_slice(&self.instant.as_micros().to_be_bytes());
        bytes.extend_from_slice(&self.now.as_micros().to_be_bytes());
        bytes.extend_from_slice(&self.position.written.to_be_bytes());
        match &self.position.after {
            After::Start => bytes.push(0),
            After::Offset(offset) => {
                bytes.push(1);
                bytes.extend_from_slice(&offset.to_be_bytes());
            }
            After::Path(choices) => {
                bytes.push(2);
                for choice in choices {
                    write_choice(*choice, &mut bytes);
                }
            }
        }
        let seal = hmac::sign(&key.0, &bytes);
        bytes.extend(seal.as_ref().iter().take(SEAL_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn open(text: &str, key: &CursorKey) -> Result<Self, QueryError> {
        Self::try_open(text, key).ok_or(QueryError::Cursor)
    }

    fn try_open(text: &str, key: &CursorKey) -> Option<Self> {
        if text.len() > CURSOR_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
        let wanted = hmac::sign(&key.0, body);
        let wanted = wanted.as_ref().get(..SEAL_BYTES)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(wanted, seal).ok()?;
        let mut rest = body;
        if take::<1>(&mut rest)? != [VERSION] {
            return None;
        }
        let fingerprint = take(&mut rest)?;
        let sequence = Sequence(u64::from_be_bytes(take(&mut rest)?));
        let instant = Instant::from_micros(i64::from_be_bytes(take(&mut rest)?));
        let now = Instant::from_micros(i64::from_be_bytes(take(&mut rest)?));
        let written = u64::from_be_bytes(take(&mut rest)?);
        let after = match take::<1>(&mut rest)? {
            [0] => After::Start,
            [1] => After::Offset(u64::from_be_bytes(take(&mut rest)?)),
            [2] => {
                let mut choices = Vec::new();
                while !rest.is_empty() {
                    choices.push(read_choice(&mut rest)?);
                }
                After::Path(choices)
            }
            _ => return None,
        };
        let position = Position { written, after };
        Some(Self {
            fingerprint,
            sequence,
            instant,
            now,
            position,
        })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

fn write_choice(choice: Choice, out: &mut Vec<u8>) {
    match choice {
        Choice::Start(type_id, row) => {
            out.push(0);
            out.extend_from_slice(&type_id.to_be_bytes());
            out.extend_from_slice(&row.to_be_bytes());
        }
        Choice::Hop(hop, row, parallel) => {
            out.push(if parallel == 0 { 1 } else { 2 });
            out.extend_from_slice(&hop.to_be_bytes());
            out.extend_from_slice(&row.to_be_bytes());
            if parallel > 0 {
                out.extend_from_slice(&parallel.to_be_bytes());
            }
        }
        Choice::Taken => out.push(3),
        Choice::Skipped => out.push(4),
    }
}

fn read_choice(bytes: &mut &[u8]) -> Option<Choice> {
    Some(match take::<1>(bytes)? {
        [0] => Choice::Start(
            u16::from_be_bytes(take(bytes)?),
            u32::from_be_bytes(take(bytes)?),
        ),
        [tag @ (1 | 2)] => Choice::Hop(
            u16::from_be_bytes(take(bytes)?),
            u32::from_be_bytes(take(bytes)?),
            if tag == 2 {
                u32::from_be_bytes(take(bytes)?)
            } else {
                0
            },
        ),
        [3] => Choice::Taken,
        [4] => Choice::Skipped,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn cursor(after: After) -> Cursor {
        Cursor {
            fingerprint: fingerprint(format_args!("q")),
            sequence: Sequence(7),
            instant: Instant::from_millis(5),
            now: Instant::from_millis(6),
            position: Position {
                written: 250,
                after,
            },
        }
    }

    #[test]
    fn opens_what_was_sealed_and_nothing_else() {
        let key = CursorKey::new(b"one");
        let path = vec![
            Choice::Start(3, 9),
            Choice::Taken,
            Choice::Hop(1, 2, 0),
            Choice::Hop(1, 2, 70_000),
            Choice::Skipped,
        ];
        for after in [After::Start, After::Offset(9), After::Path(path)] {
            let cursor = cursor(after);
            let text = cursor.seal(&key);
            assert_eq!(Cursor::open(&text, &key), Ok(cursor));
            assert_eq!(
                Cursor::open(&text, &CursorKey::new(b"two")),
                Err(QueryError::Cursor)
            );
            for position in 0..text.len() {
                let mut altered = text.clone().into_bytes();
                altered[position] = if altered[position] == b'A' {
                    b'B'
                } else {
                    b'A'
                };
                let altered = String::from_utf8(altered).unwrap();
                if altered != text {
                    assert_eq!(Cursor::open(&altered, &key), Err(QueryError::Cursor));
                }
            }
            let cut: String = text.chars().skip(1).collect();
            assert_eq!(Cursor::open(&cut, &key), Err(QueryError::Cursor));
        }
        assert_eq!(Cursor::open("", &key), Err(QueryError::Cursor));
        assert_eq!(Cursor::open("é", &key), Err(QueryError::Cursor));
    }
}
