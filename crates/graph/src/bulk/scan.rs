// SPDX-License-Identifier: Apache-2.0
//! A scanner for the JSON of uploads: flat objects, read without copying.
//!
//! Plain strings are borrowed from the body and whole numbers are read in place; escapes, floats
//! and nesting take the slow path through `serde_json`, so that both ways mean the same.

use std::borrow::Cow;

use durward_model::Number;
use serde_json::Value as Json;

/// A cursor over a JSON text.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// The value of a member.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that is a whole number of 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// A list of strings without escapes: its JSON text, brackets included.
    Texts(&'a str),
    /// Any other list, or an object.
    Nested(Json),
}

/// Where and why a text is not the JSON that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct ScanError {
    /// Offset in the text.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

/// Members of one object in the order of the text.
pub type Members<'a> = Vec<(Cow<'a, str>, Scalar<'a>)>;

const DIGITS_FAST_MAX: usize = 18;

impl<'a> Scanner<'a> {
    /// A cursor at the start of a text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Offset of the next byte to be read.
    pub fn offset(&self) -> usize {
        self.at
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    pub(crate) fn error(&self, what: impl Into<String>) -> ScanError {
        ScanError {
            at: self.at,
            what: what.into(),
        }
    }

    /// The next byte that is not white space, which stays unread.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes().get(self.at).copied() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Reads this byte if it comes next.
    pub fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    /// Reads this byte, which must come next.
    pub fn expect(&mut self, wanted: u8) -> Result<(), ScanError> {
        if self.take(wanted) {
            return Ok(());
        }
        let wanted = char::from(wanted);
        Err(match self.peek() {
            Some(byte) if byte.is_ascii_graphic() => {
                self.error(format!("expected '{wanted}', found '{}'", char::from(byte)))
            }
            Some(byte) => self.error(format!("expected '{wanted}', found byte {byte}")),
            None => self.error(format!("expected '{wanted}', but the text ends")),
        })
    }

    /// Refuses text after an item of a list that cannot stand there.
    pub(crate) fn check_item_end(&mut self) -> Result<(), ScanError> {
        match self.peek() {
            None | Some(b',' | b']') => Ok(()),
            Some(_) => Err(self.error("more text follows the object")),
        }
    }

    /// Goes to the end of an item of a list without understanding it: to the comma or bracket
    /// behind it. False when the text ends before, or closes what it did not open.
    pub(crate) fn skip_item(&mut self) -> bool {
        let mut open: Vec<u8> = Vec::new();
        self.peek();
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                // An item that is nothing at all is no item.
                b',' | b']' if open.is_empty() => return self.at > start,
                b'"' => {
                    if !self.skip_text() {
                        return false;
                    }
                    continue;
                }
                b'{' => open.push(b'}'),
                b'[' => open.push(b']'),
                b'}' | b']' if open.pop() != Some(byte) => return false,
                _ => {}
            }
            self.at += 1;
        }
        false
    }

    /// Goes behind the quote that closes a text; what the text holds does not matter.
    fn skip_text(&mut self) -> bool {
        let mut at = self.at + 1;
        while let Some(byte) = self.bytes().get(at) {
            match byte {
                b'"' => {
                    self.at = at + 1;
                    return true;
                }
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        false
    }

    /// Whether nothing but white space is left.
    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Reads an object of members into `members`, which is emptied first.
    pub fn object(&mut self, members: &mut Members<'a>) -> Result<(), ScanError> {
        members.clear();
        self.expect(b'{')?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            self.expect(b'"')?;
            let name = self.string_rest()?;
            self.expect(b':')?;
            let value = self.value()?;
            members.push((name, value));
            if self.take(b',') {
                continue;
            }
            return self.expect(b'}');
        }
    }

    /// Reads a string.
    pub fn string(&mut self) -> Result<Cow<'a, str>, ScanError> {
        self.expect(b'"')?;
        self.string_rest()
    }

    /// Reads any value.
    pub fn value(&mut self) -> Result<Scalar<'a>, ScanError> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Scalar::Text(self.string_rest()?))
            }
            Some(b't') => self.word("true", Scalar::Bool(true)),
            Some(b'f') => self.word("false", Scalar::Bool(false)),
            Some(b'n') => self.word("null", Scalar::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[') => match self.texts() {
                Some(list) => Ok(list),
                None => self.nested(),
            },
            Some(b'{') => self.nested(),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("expected a value, but the text ends")),
        }
    }

    fn word(&mut self, word: &str, value: Scalar<'a>) -> Result<Scalar<'a>, ScanError> {
        let end = self.at.saturating_add(word.len());
        if self.bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(self.error("expected a value"));
        }
        self.at = end;
        Ok(value)
    }

    /// Reads the rest of a string after its opening quote.
    fn string_rest(&mut self) -> Result<Cow<'a, str>, ScanError> {
        let start = self.at;
        let end = self.special_from(start)?;
        if self.bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return match self.text.get(start..end) {
                Some(text) => Ok(Cow::Borrowed(text)),
                None => Err(self.error("a string is cut inside a character")),
            };
        }
        self.escaped_rest(start, end)
    }

    fn escaped_rest(&mut self, start: usize, first: usize) -> Result<Cow<'a, str>, ScanError> {
        let mut end = first;
        while self.bytes().get(end) == Some(&b'\\') {
            end = self.special_from(end.saturating_add(2))?;
        }
        let quoted = self
            .text
            .get(start.saturating_sub(1)..=end)
            .unwrap_or_default();
        let text = serde_json::from_str::<String>(quoted).map_err(|error| ScanError {
            at: start,
            what: format!("a string is not valid JSON ({})", plain(&error)),
        })?;
        self.at = end + 1;
        Ok(Cow::Owned(text))
    }

    /// Position of the next quote or backslash from `from` on; control characters are errors.
    fn special_from(&self, from: usize) -> Result<usize, ScanError> {
        let bytes = self.bytes();
        let mut at = from;
        while let Some(chunk) = bytes.get(at..at.saturating_add(8)) {
            let word = chunk.try_into().map_or(0, u64::from_le_bytes);
            let found = special_bytes(word);
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        loop {
            match bytes.get(at) {
                Some(b'"' | b'\\') => return Ok(at),
                Some(0..=0x1f) => {
                    let what = "a control character must be escaped in a string".to_owned();
                    return Err(ScanError { at, what });
                }
                Some(_) => at += 1,
                None => {
                    return Err(ScanError {
                        at,
                        what: "a string is not closed".to_owned(),
                    });
                }
            }
        }
    }

    fn number(&mut self) -> Result<Scalar<'a>, ScanError> {
        let bytes = self.bytes();
        let start = self.at;
        let negative = bytes.get(start) == Some(&b'-');
        let digits_from = start + usize::from(negative);
        let mut at = digits_from;
        let mut magnitude = 0i64;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at).copied() {
            magnitude = magnitude
                .wrapping_mul(10)
                .wrapping_add(i64::from(digit - b'0'));
            at += 1;
        }
        let digits = at - digits_from;
        let leading_zero = bytes.get(digits_from) == Some(&b'0') && (digits > 1 || negative);
        let goes_on = matches!(bytes.get(at), Some(b'.' | b'e' | b'E' | b'+' | b'-'));
        if digits > 0 && digits <= DIGITS_FAST_MAX && !leading_zero && !goes_on {
            self.at = at;
            return Ok(Scalar::Int(if negative { -magnitude } else { magnitude }));
        }
        while let Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        let text = self.text.get(start..at).unwrap_or_default();
        let number: serde_json::Number = serde_json::from_str(text).map_err(|error| {
            self.error(format!("a number is not valid JSON ({})", plain(&error)))
        })?;
        self.at = at;
        Ok(match Number::from_json(&number) {
            Ok(Number::Whole(value)) => Scalar::Int(value),
            Ok(Number::Float(value)) => Scalar::Float(value),
            // Whoever makes a value of it refuses it, and only the object that it is in.
            Err(_) => Scalar::Nested(Json::Number(number)),
        })
    }

    /// A list of plain strings, or nothing when it is another list.
    fn texts(&mut self) -> Option<Scalar<'a>> {
        let start = self.at;
        let mut ahead = self.clone();
        ahead.at += 1;
        loop {
            if !ahead.take(b'"') {
                return None;
            }
            let end = ahead.special_from(ahead.at).ok()?;
            if ahead.bytes().get(end) != Some(&b'"') {
                return None;
            }
            ahead.at = end + 1;
            if ahead.take(b']') {
                break;
            }
            if !ahead.take(b',') {
                return None;
            }
        }
        self.at = ahead.at;
        self.text.get(start..self.at).map(Scalar::Texts)
    }

    fn nested(&mut self) -> Result<Scalar<'a>, ScanError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Json>();
        match stream.next() {
            Some(Ok(value)) => {
                self.at = self.at.saturating_add(stream.byte_offset());
                Ok(Scalar::Nested(value))
            }
            Some(Err(error)) => Err(self.error(format!(
                "a nested value is not valid JSON ({})",
                plain(&error)
            ))),
            None => Err(self.error("expected a value, but the text ends")),
        }
    }
}

/// The strings of a list that [`Scalar::Texts`] holds.
pub fn split_texts(list: &str) -> Vec<String> {
    let mut scanner = Scanner::new(list);
    let mut texts = Vec::new();
    if !scanner.take(b'[') {
        return texts;
    }
    while let Ok(text) = scanner.string() {
        texts.push(text.into_owned());
        if !scanner.take(b',') {
            break;
        }
    }
    texts
}

/// Marks (in the top bit) the bytes that are a quote, a backslash or a control character. Exact for
/// the lowest marked byte, which is all that is used.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let quotes = word ^ (ONES * u64::from(b'"'));
    let slashes = word ^ (ONES * u64::from(b'\\'));
    let quote = quotes.wrapping_sub(ONES) & !quotes;
    let slash = slashes.wrapping_sub(ONES) & !slashes;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | slash | control) & TOPS
}

/// The message of a JSON error without its line and column, which count from the wrong place.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "tests may panic"
)]
mod tests;
