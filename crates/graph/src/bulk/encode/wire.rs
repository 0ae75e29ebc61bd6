// SPDX-License-Identifier: Apache-2.0
//! Numbers, texts, columns and values as bytes, and back.

use durward_model::change::{Column, ColumnValues};
use durward_model::{Instant, StringArena, Value};

use super::DecodeError;

#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn size(&mut self, size: usize) {
        self.u32(u32::try_from(size).unwrap_or(u32::MAX));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.size(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn optional(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    pub(super) fn u32s(&mut self, values: &[u32]) {
        self.size(values.len());
        self.bytes.reserve(values.len() * 4);
        for value in values {
            self.u32(*value);
        }
    }

    pub(super) fn arena(&mut self, arena: &StringArena) {
        let (text, ends) = arena.as_parts();
        self.text(text);
        self.u32s(ends);
    }

    pub(super) fn columns(&mut self, columns: &[Column]) {
        self.size(columns.len());
        for column in columns {
            self.text(&column.property);
            self.values(&column.values);
        }
    }

    fn values(&mut self, values: &ColumnValues) {
        match values {
            ColumnValues::Bools(values) => {
                self.byte(0);
                self.size(values.len());
                self.bytes.extend_from_slice(values);
            }
            ColumnValues::Ints(values) => {
                self.byte(1);
                self.size(values.len());
                for value in values {
                    self.u64(*value as u64);
                }
            }
            ColumnValues::Floats(values) => {
                self.byte(2);
                self.size(values.len());
                for value in values {
                    self.u64(value.to_bits());
                }
            }
            ColumnValues::Texts(texts) => {
                self.byte(3);
                self.arena(texts);
            }
            ColumnValues::Coded { codes, dictionary } => {
                self.byte(4);
                self.u32s(codes);
                self.size(dictionary.len());
                for value in dictionary {
                    self.value(value);
                }
            }
            ColumnValues::Mixed(values) => {
                self.byte(5);
                self.size(values.len());
                for value in values {
                    self.value(value);
                }
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(value) => self.bytes.extend([1, u8::from(*value)]),
            Value::Int(value) => {
                self.byte(2);
                self.u64(*value as u64);
            }
            Value::Float(value) => {
                self.byte(3);
                self.u64(value.to_bits());
            }
            Value::String(text) => {
                self.byte(4);
                self.text(text);
            }
            Value::Instant(value) => {
                self.byte(5);
                self.u64(value.as_micros() as u64);
            }
            Value::Bytes(bytes) => {
                self.byte(6);
                self.size(bytes.len());
                self.bytes.extend_from_slice(bytes);
            }
            Value::List(items) => {
                self.byte(7);
                self.size(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Document(json) => {
                self.byte(8);
                self.text(&json.to_string());
            }
        }
    }
}

const CUT: DecodeError = DecodeError("it is cut");

#[derive(Debug)]
pub(super) struct Reader<'b> {
    pub(super) bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], DecodeError> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(CUT)?;
        self.bytes = rest;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.bytes.split_first().ok_or(CUT)?;
        self.bytes = rest;
        Ok(*byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        let (head, rest) = self.bytes.split_first_chunk::<4>().ok_or(CUT)?;
        self.bytes = rest;
        Ok(u32::from_le_bytes(*head))
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        let (head, rest) = self.bytes.split_first_chunk::<8>().ok_or(CUT)?;
        self.bytes = rest;
        Ok(u64::from_le_bytes(*head))
    }

    pub(super) fn size(&mut self) -> Result<usize, DecodeError> {
        Ok(self.u32()? as usize)
    }

    pub(super) fn text(&mut self) -> Result<String, DecodeError> {
        let length = self.size()?;
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| DecodeError("a text is not UTF-8"))
    }

    pub(super) fn optional(&mut self) -> Result<Option<String>, DecodeError> {
        let present = self.byte()? != 0;
        let text = self.text()?;
        Ok(present.then_some(text))
    }

    pub(super) fn u32s(&mut self) -> Result<Vec<u32>, DecodeError> {
        let count = self.size()?;
        let bytes = self.take(count.saturating_mul(4))?;
        Ok(bytes
            .chunks_exact(4)
            .map(|word| word.try_into().map_or(0, u32::from_le_bytes))
            .collect())
    }

    fn words<T>(&mut self, read: impl Fn(u64) -> T) -> Result<Vec<T>, DecodeError> {
        let count = self.size()?;
        let bytes = self.take(count.saturating_mul(8))?;
        let word = |word: &[u8]| word.try_into().map_or(0, u64::from_le_bytes);
        Ok(bytes
            .chunks_exact(8)
            .map(|bytes| read(word(bytes)))
            .collect())
    }

    pub(super) fn arena(&mut self) -> Result<StringArena, DecodeError> {
        let text = self.text()?;
        let ends = self.u32s()?;
        StringArena::from_parts(text, ends).ok_or(DecodeError("texts do not fit together"))
    }

    pub(super) fn columns(&mut self, rows: usize) -> Result<Vec<Column>, DecodeError> {
        let count = self.size()?;
        let mut columns = Vec::new();
        for _ in 0..count {
            let property = self.text()?;
            let values = self.values()?;
            if values.len() != rows {
                return Err(DecodeError("a column has the wrong length"));
            }
            columns.push(Column { property, values });
        }
        Ok(columns)
    }

    fn values(&mut self) -> Result<ColumnValues, DecodeError> {
        Ok(match self.byte()? {
            0 => {
                let count = self.size()?;
                ColumnValues::Bools(self.take(count)?.to_vec())
            }
            1 => ColumnValues::Ints(self.words(|word| word as i64)?),
            2 => ColumnValues::Floats(self.words(f64::from_bits)?),
            3 => ColumnValues::Texts(self.arena()?),
            4 => ColumnValues::Coded {
                codes: self.u32s()?,
                dictionary: self.list()?,
            },
            5 => ColumnValues::Mixed(self.list()?),
            _ => return Err(DecodeError("a column has an unknown form")),
        })
    }

    fn list(&mut self) -> Result<Vec<Value>, DecodeError> {
        let count = self.size()?;
        let mut values = Vec::with_capacity(count.min(self.bytes.len()));
        for _ in 0..count {
            values.push(self.value(0)?);
        }
        Ok(values)
    }

    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        const DEPTH_MAX: usize = 4;
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(self.byte()? != 0),
            2 => Value::Int(self.u64()? as i64),
            3 => Value::Float(f64::from_bits(self.u64()?)),
            4 => Value::String(self.text()?),
            5 => Value::Instant(Instant::from_micros(self.u64()? as i64)),
            6 => {
                let length = self.size()?;
                Value::Bytes(self.take(length)?.to_vec())
            }
            7 if depth < DEPTH_MAX => {
                let count = self.size()?;
                let mut items = Vec::with_capacity(count.min(self.bytes.len()));
                for _ in 0..count {
                    items.push(self.value(depth + 1)?);
                }
                Value::List(items)
            }
            8 => {
                let json: Result<serde_json::Value, _> = serde_json::from_str(&self.text()?);
                Value::Document(
                    json.map_err(|_| DecodeError("a document is not JSON"))?
                        .into(),
                )
            }
            _ => return Err(DecodeError("a value has an unknown kind")),
        })
    }
}
