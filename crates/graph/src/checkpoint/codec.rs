// SPDX-License-Identifier: Apache-2.0
//! Plain bytes of numbers, texts and values.

use std::io::{self, Write as _};

use durward_model::{Instant, Value};

/// What does not fit in a section.
pub(super) type Damage = String;

/// Lists inside lists never occur; anything deeper is damage.
const DEPTH_MAX: usize = 2;

/// Bytes of a section that wait for being packed.
const PENDING_BYTES: usize = 256 << 10;
const ZSTD_LEVEL: i32 = 1;

/// A section in the making. It is packed as it grows: no section lies unpacked in memory, which
/// would be as much again as the type that it holds.
pub(super) struct Encoder {
    pending: Vec<u8>,
    packer: zstd::stream::write::Encoder<'static, Vec<u8>>,
    raw_len: u64,
    failed: Option<io::Error>,
}

impl Encoder {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            pending: Vec::new(),
            packer: zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?,
            raw_len: 0,
            failed: None,
        })
    }

    /// How long the section is unpacked, and its packed bytes.
    pub(super) fn finish(mut self) -> io::Result<(u64, Vec<u8>)> {
        self.pack();
        match self.failed {
            Some(error) => Err(error),
            None => Ok((self.raw_len, self.packer.finish()?)),
        }
    }

    fn pack(&mut self) {
        self.raw_len += self.pending.len() as u64;
        if let Err(error) = self.packer.write_all(&self.pending) {
            self.failed.get_or_insert(error);
        }
        self.pending.clear();
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PENDING_BYTES {
            self.pack();
        }
    }

    pub(super) fn byte(&mut self, value: u8) {
        self.raw(&[value]);
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.byte(u8::from(value));
    }

    pub(super) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.pending.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    pub(super) fn small(&mut self, value: u32) {
        self.number(u64::from(value));
    }

    pub(super) fn length(&mut self, value: usize) {
        self.number(value as u64);
    }

    pub(super) fn signed(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63) as u64);
    }

    pub(super) fn blob(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    pub(super) fn words(&mut self, words: &[u64]) {
        self.length(words.len());
        for word in words {
            self.raw(&word.to_le_bytes());
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(false) => self.byte(1),
            Value::Bool(true) => self.byte(2),
            Value::Int(number) => {
                self.byte(3);
                self.signed(*number);
            }
            Value::Float(number) => {
                self.byte(4);
                self.raw(&number.to_bits().to_le_bytes());
            }
            Value::String(text) => {
                self.byte(5);
                self.text(text);
            }
            Value::Instant(instant) => {
                self.byte(6);
                self.signed(instant.as_micros());
            }
            Value::Bytes(bytes) => {
                self.byte(7);
                self.blob(bytes);
            }
            Value::List(items) => {
                self.byte(8);
                self.length(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Document(json) => {
                self.byte(9);
                self.text(&json.to_string());
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or("a section ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn end(&self) -> Result<(), Damage> {
        self.rest
            .is_empty()
            .then_some(())
            .ok_or_else(|| "a section goes on too long".to_owned())
    }

    pub(super) fn byte(&mut self) -> Result<u8, Damage> {
        let (first, rest) = self.rest.split_first().ok_or("a section ends early")?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Damage> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(format!("{other} is neither yes nor no")),
        }
    }

    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, Damage> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number has too many bytes".to_owned())
    }

    #[inline]
    pub(super) fn small(&mut self) -> Result<u32, Damage> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large".to_owned())
    }

    /// How many items follow; never more than there are bytes left, as each takes at least one.
    pub(super) fn length(&mut self) -> Result<usize, Damage> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if length > self.rest.len() {
            return Err("a length is larger than the section".to_owned());
        }
        Ok(length)
    }

    pub(super) fn signed(&mut self) -> Result<i64, Damage> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn blob(&mut self) -> Result<&'a [u8], Damage> {
        let length = self.length()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Damage> {
        std::str::from_utf8(self.blob()?).map_err(|_| "a text is not UTF-8".to_owned())
    }

    pub(super) fn words(&mut self) -> Result<Vec<u64>, Damage> {
        let length = self.length()?;
        let bytes = self.take(length.saturating_mul(8))?;
        Ok(bytes.chunks_exact(8).map(fixed).collect())
    }

    pub(super) fn value(&mut self) -> Result<Value, Damage> {
        self.value_inside(0)
    }

    fn value_inside(&mut self, depth: usize) -> Result<Value, Damage> {
        if depth > DEPTH_MAX {
            return Err("a list is nested too deep".to_owned());
        }
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.signed()?),
            4 => Value::Float(f64::from_bits(fixed(self.take(8)?))),
            5 => Value::String(self.text()?.to_owned()),
            6 => Value::Instant(Instant::from_micros(self.signed()?)),
            7 => Value::Bytes(self.blob()?.to_vec()),
            8 => {
                let length = self.length()?;
                let items = (0..length).map(|_| self.value_inside(depth + 1));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            9 => {
                let json: Result<serde_json::Value, _> = serde_json::from_str(self.text()?);
                Value::Document(
                    json.map_err(|_| "a document is not JSON".to_owned())?
                        .into(),
                )
            }
            other => return Err(format!("{other} is no kind of value")),
        })
    }
}

/// Eight bytes as a number; fewer are read as if zeros followed.
pub(super) fn fixed(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_packed_as_it_grows() {
        let mut section = Encoder::new().unwrap();
        let text = "x".repeat(1000);
        for number in 0..20_000 {
            section.small(number);
            section.text(&text);
            assert!(section.pending.capacity() <= 2 * PENDING_BYTES);
        }
        let (raw_len, packed) = section.finish().unwrap();
        let raw = zstd::bulk::decompress(&packed, raw_len as usize).unwrap();
        assert_eq!(raw.len() as u64, raw_len);
        let mut from = Decoder::new(&raw);
        for number in 0..20_000 {
            assert_eq!((from.small(), from.text()), (Ok(number), Ok(&*text)));
        }
        assert_eq!(from.end(), Ok(()));
    }
}
