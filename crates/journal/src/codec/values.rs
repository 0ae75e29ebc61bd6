// SPDX-License-Identifier: Apache-2.0
//! Property values in records. JSON documents have a form of their own here, because numbers must
//! come back bit for bit.

use durward_model::change::Cell;
use durward_model::{Instant, Value};
use serde_json::Value as Json;

use super::CodecError;
use super::wire::{Reader, put_bytes, put_str, put_varint, put_zigzag};

/// Deepest nesting of lists; the model knows flat lists only.
const LIST_DEPTH_MAX: u32 = 4;
/// Deepest nesting of a JSON document.
const DOCUMENT_DEPTH_MAX: u32 = 128;
/// Room made beforehand for the items of nested things.
const NESTED_RESERVE_MAX: usize = 64;

mod tag {
    pub(super) const KEEP: u8 = 0;
    pub(super) const NULL: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const TRUE: u8 = 3;
    pub(super) const INT: u8 = 4;
    pub(super) const FLOAT: u8 = 5;
    pub(super) const STRING: u8 = 6;
    pub(super) const INSTANT: u8 = 7;
    pub(super) const BYTES: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const DOCUMENT: u8 = 10;
    pub(super) const UNSIGNED: u8 = 11;
    pub(super) const OBJECT: u8 = 12;
}

pub(super) fn put_cell(out: &mut Vec<u8>, cell: &Cell) -> Result<(), CodecError> {
    match cell {
        Cell::Keep => out.push(tag::KEEP),
        Cell::Set(value) => put_value(out, value)?,
    }
    Ok(())
}

pub(super) fn cell(reader: &mut Reader<'_>) -> Result<Cell, CodecError> {
    match reader.rest().first() {
        Some(&tag::KEEP) => reader.u8().map(|_| Cell::Keep),
        _ => value(reader).map(Cell::Set),
    }
}

pub(super) fn put_value(out: &mut Vec<u8>, value: &Value) -> Result<(), CodecError> {
    put_value_at(out, value, 0)
}

fn put_value_at(out: &mut Vec<u8>, value: &Value, depth: u32) -> Result<(), CodecError> {
    match value {
        Value::Null => out.push(tag::NULL),
        Value::Bool(false) => out.push(tag::FALSE),
        Value::Bool(true) => out.push(tag::TRUE),
        Value::Int(number) => {
            out.push(tag::INT);
            put_zigzag(out, *number);
        }
        Value::Float(number) => {
            out.push(tag::FLOAT);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Value::String(text) => {
            out.push(tag::STRING);
            put_str(out, text);
        }
        Value::Instant(instant) => {
            out.push(tag::INSTANT);
            put_zigzag(out, instant.as_micros());
        }
        Value::Bytes(bytes) => {
            out.push(tag::BYTES);
            put_bytes(out, bytes);
        }
        Value::List(items) => {
            if depth >= LIST_DEPTH_MAX {
                return Err(CodecError::Unencodable {
                    what: "list nested too deep",
                });
            }
            out.push(tag::LIST);
            put_varint(out, items.len() as u64);
            for item in items {
                put_value_at(out, item, depth + 1)?;
            }
        }
        Value::Document(json) => {
            out.push(tag::DOCUMENT);
            put_json(out, json, 0)?;
        }
    }
    Ok(())
}

pub(super) fn value(reader: &mut Reader<'_>) -> Result<Value, CodecError> {
    value_at(reader, 0)
}

fn value_at(reader: &mut Reader<'_>, depth: u32) -> Result<Value, CodecError> {
    Ok(match reader.u8()? {
        tag::NULL => Value::Null,
        tag::FALSE => Value::Bool(false),
        tag::TRUE => Value::Bool(true),
        tag::INT => Value::Int(reader.zigzag()?),
        tag::FLOAT => Value::Float(float(reader)?),
        tag::STRING => Value::String(reader.string()?),
        tag::INSTANT => Value::Instant(Instant::from_micros(reader.zigzag()?)),
        tag::BYTES => Value::Bytes(reader.bytes()?.to_vec()),
        tag::LIST if depth < LIST_DEPTH_MAX => {
            let count = reader.count()?;
            let mut items = Vec::with_capacity(count.min(NESTED_RESERVE_MAX));
            for _ in 0..count {
                items.push(value_at(reader, depth + 1)?);
            }
            Value::List(items)
        }
        tag::DOCUMENT => Value::Document(json(reader, 0)?.into()),
        _ => return Err(CodecError::Malformed { what: "value" }),
    })
}

fn float(reader: &mut Reader<'_>) -> Result<f64, CodecError> {
    reader.array().map(u64::from_le_bytes).map(f64::from_bits)
}

fn put_json(out: &mut Vec<u8>, json: &Json, depth: u32) -> Result<(), CodecError> {
    if depth >= DOCUMENT_DEPTH_MAX {
        return Err(CodecError::Unencodable {
            what: "document nested too deep",
        });
    }
    match json {
        Json::Null => out.push(tag::NULL),
        Json::Bool(false) => out.push(tag::FALSE),
        Json::Bool(true) => out.push(tag::TRUE),
        Json::Number(number) => put_json_number(out, number)?,
        Json::String(text) => {
            out.push(tag::STRING);
            put_str(out, text);
        }
        Json::Array(items) => {
            out.push(tag::LIST);
            put_varint(out, items.len() as u64);
            for item in items {
                put_json(out, item, depth + 1)?;
            }
        }
        Json::Object(members) => {
            out.push(tag::OBJECT);
            put_varint(out, members.len() as u64);
            for (name, member) in members {
                put_str(out, name);
                put_json(out, member, depth + 1)?;
            }
        }
    }
    Ok(())
}

fn put_json_number(out: &mut Vec<u8>, number: &serde_json::Number) -> Result<(), CodecError> {
    if let Some(number) = number.as_i64() {
        out.push(tag::INT);
        put_zigzag(out, number);
    } else if let Some(number) = number.as_u64() {
        out.push(tag::UNSIGNED);
        put_varint(out, number);
    } else if let Some(number) = number.as_f64() {
        out.push(tag::FLOAT);
        out.extend_from_slice(&number.to_bits().to_le_bytes());
    } else {
        return Err(CodecError::Unencodable {
            what: "number in a document",
        });
    }
    Ok(())
}

fn json(reader: &mut Reader<'_>, depth: u32) -> Result<Json, CodecError> {
    if depth >= DOCUMENT_DEPTH_MAX {
        return Err(CodecError::Malformed {
            what: "document nested too deep",
        });
    }
    Ok(match reader.u8()? {
        tag::NULL => Json::Null,
        tag::FALSE => Json::Bool(false),
        tag::TRUE => Json::Bool(true),
        tag::INT => reader.zigzag()?.into(),
        tag::UNSIGNED => reader.varint()?.into(),
        tag::FLOAT => {
            let number = serde_json::Number::from_f64(float(reader)?);
            number.map(Json::Number).ok_or(CodecError::Malformed {
                what: "number in a document",
            })?
        }
        tag::STRING => Json::String(reader.string()?),
        tag::LIST => {
            let count = reader.count()?;
            let mut items = Vec::with_capacity(count.min(NESTED_RESERVE_MAX));
            for _ in 0..count {
                items.push(json(reader, depth + 1)?);
            }
            Json::Array(items)
        }
        tag::OBJECT => {
            let count = reader.count()?;
            let mut members = serde_json::Map::new();
            for _ in 0..count {
                let name = reader.string()?;
                members.insert(name, json(reader, depth + 1)?);
            }
            Json::Object(members)
        }
        _ => return Err(CodecError::Malformed { what: "document" }),
    })
}
