// SPDX-License-Identifier: Apache-2.0
//! The bytes of a staged part: its two sections, each compressed on its own, so that finalizing can
//! read all entities before any relationship.

use durward_model::change::{Column, ColumnValues, RelationshipKeys};
use durward_model::{Instant, StringArena, Value};

use super::part::{
    EndAddress, EntityGroup, EntitySection, RelationshipGroup, RelationshipSection, Removal,
};

/// Bytes that are not what [`Writer`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a staged part cannot be read: {0}")]
pub struct DecodeError(pub(crate) &'static str);

const ZSTD_LEVEL: i32 = 1;
/// Largest section after decompression; an upload body is far below.
const SECTION_BYTES_MAX: u64 = 1 << 30;

/// Compresses the bytes of a section.
fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut packed = (bytes.len() as u64).to_le_bytes().to_vec();
    // Compressing into memory fails only without memory.
    packed.extend(zstd::bulk::compress(bytes, ZSTD_LEVEL).unwrap_or_default());
    packed
}

fn decompress(packed: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let (length, body) = packed.split_first_chunk::<8>().ok_or(DecodeError("it is cut"))?;
    let length = u64::from_le_bytes(*length);
    if length > SECTION_BYTES_MAX {
        return Err(DecodeError("it is too large"));
    }
    let bytes = zstd::bulk::decompress(body, length as usize);
    let bytes = bytes.map_err(|_| DecodeError("it does not decompress"))?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(DecodeError("it is cut")) }
}

/// The bytes of an entity section.
pub(crate) fn encode_entities(section: &EntitySection) -> Vec<u8> {
    let mut out = Writer::default();
    out.size(section.groups.len());
    for group in &section.groups {
        out.text(&group.entity_type);
        match &group.classes {
            None => out.byte(0),
            Some(classes) => {
                out.byte(1);
                out.size(classes.len());
                classes.iter().for_each(|class| out.text(class));
            }
        }
        out.byte(u8::from(group.by_id));
        out.arena(&group.keys);
        out.columns(&group.columns);
        out.size(group.nulls.len());
        for (row, column) in &group.nulls {
            out.u32(*row);
            out.u32(*column);
        }
    }
    out.size(section.removals.len());
    for removal in &section.removals {
        out.byte(u8::from(removal.relationship) | (u8::from(removal.by_id) << 1));
        out.text(&removal.name);
    }
    compress(&out.bytes)
}

/// The entity section of these bytes.
pub(crate) fn decode_entities(packed: &[u8]) -> Result<EntitySection, DecodeError> {
    let bytes = decompress(packed)?;
    let mut from = Reader { bytes: &bytes };
    let mut section = EntitySection::default();
    for _ in 0..from.size()? {
        let entity_type = from.text()?;
        let classes = match from.byte()? {
            0 => None,
            _ => {
                let count = from.size()?;
                Some((0..count).map(|_| from.text()).collect::<Result<_, _>>()?)
            }
        };
        let by_id = from.byte()? != 0;
        let keys = from.arena()?;
        let columns = from.columns(keys.len())?;
        let mut nulls = Vec::new();
        for _ in 0..from.size()? {
            nulls.push((from.u32()?, from.u32()?));
        }
        section.groups.push(EntityGroup { entity_type, classes, by_id, keys, columns, nulls });
    }
    for _ in 0..from.size()? {
        let flags = from.byte()?;
        let name = from.text()?;
        section.removals.push(Removal {
            relationship: flags & 1 != 0,
            by_id: flags & 2 != 0,
            name,
        });
    }
    Ok(section)
}

/// The bytes of a relationship section.
pub(crate) fn encode_relationships(section: &RelationshipSection) -> Vec<u8> {
    let mut out = Writer::default();
    out.arena(&section.ends);
    out.size(section.groups.len());
    for group in &section.groups {
        out.text(&group.verb);
        out.text(&group.relationship_type);
        for address in [&group.from_address, &group.to_address] {
            out.byte(u8::from(address.by_id));
            out.optional(address.source.as_deref());
            out.optional(address.scope.as_deref());
        }
        out.u32s(&group.from);
        out.u32s(&group.to);
        match &group.keys {
            RelationshipKeys::Conventional => out.byte(0),
            RelationshipKeys::Explicit(keys) => {
                out.byte(1);
                out.arena(keys);
            }
        }
        out.columns(&group.columns);
    }
    out.size(section.mapped.len());
    section.mapped.iter().for_each(|json| out.text(json));
    compress(&out.bytes)
}

/// The relationship section of these bytes.
pub(crate) fn decode_relationships(packed: &[u8]) -> Result<RelationshipSection, DecodeError> {
    let bytes = decompress(packed)?;
    let mut from = Reader { bytes: &bytes };
    let mut section = RelationshipSection { ends: from.arena()?, ..Default::default() };
    for _ in 0..from.size()? {
        let verb = from.text()?;
        let relationship_type = from.text()?;
        let mut address = || -> Result<EndAddress, DecodeError> {
            let by_id = from.byte()? != 0;
            Ok(EndAddress { by_id, source: from.optional()?, scope: from.optional()? })
        };
        let (from_address, to_address) = (address()?, address()?);
        let (starts, ends) = (from.u32s()?, from.u32s()?);
        let keys = match from.byte()? {
            0 => RelationshipKeys::Conventional,
            _ => RelationshipKeys::Explicit(from.arena()?),
        };
        let columns = from.columns(starts.len())?;
        let keys_fit = match &keys {
            RelationshipKeys::Conventional => true,
            RelationshipKeys::Explicit(keys) => keys.len() == starts.len(),
        };
        if starts.len() != ends.len() || !keys_fit {
            return Err(DecodeError("its rows do not fit together"));
        }
        section.groups.push(RelationshipGroup {
            verb,
            relationship_type,
            from_address,
            to_address,
            from: starts,
            to: ends,
            keys,
            columns,
        });
    }
    for _ in 0..from.size()? {
        section.mapped.push(from.text()?);
    }
    Ok(section)
}

#[derive(Debug, Default)]
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn size(&mut self, size: usize) {
        self.u32(u32::try_from(size).unwrap_or(u32::MAX));
    }

    fn text(&mut self, text: &str) {
        self.size(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn u32s(&mut self, values: &[u32]) {
        self.size(values.len());
        self.bytes.reserve(values.len() * 4);
        values.iter().for_each(|value| self.u32(*value));
    }

    fn arena(&mut self, arena: &StringArena) {
        let (text, ends) = arena.as_parts();
        self.text(text);
        self.u32s(ends);
    }

    fn columns(&mut self, columns: &[Column]) {
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
                values.iter().for_each(|value| self.u64(*value as u64));
            }
            ColumnValues::Floats(values) => {
                self.byte(2);
                self.size(values.len());
                values.iter().for_each(|value| self.u64(value.to_bits()));
            }
            ColumnValues::Texts(texts) => {
                self.byte(3);
                self.arena(texts);
            }
            ColumnValues::Coded { codes, dictionary } => {
                self.byte(4);
                self.u32s(codes);
                self.size(dictionary.len());
                dictionary.iter().for_each(|value| self.value(value));
            }
            ColumnValues::Mixed(values) => {
                self.byte(5);
                self.size(values.len());
                values.iter().for_each(|value| self.value(value));
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
                items.iter().for_each(|item| self.value(item));
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
struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], DecodeError> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or(CUT)?;
        self.bytes = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.bytes.split_first().ok_or(CUT)?;
        self.bytes = rest;
        Ok(*byte)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        let (head, rest) = self.bytes.split_first_chunk::<4>().ok_or(CUT)?;
        self.bytes = rest;
        Ok(u32::from_le_bytes(*head))
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        let (head, rest) = self.bytes.split_first_chunk::<8>().ok_or(CUT)?;
        self.bytes = rest;
        Ok(u64::from_le_bytes(*head))
    }

    fn size(&mut self) -> Result<usize, DecodeError> {
        Ok(self.u32()? as usize)
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        let length = self.size()?;
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| DecodeError("a text is not UTF-8"))
    }

    fn optional(&mut self) -> Result<Option<String>, DecodeError> {
        let present = self.byte()? != 0;
        let text = self.text()?;
        Ok(present.then_some(text))
    }

    fn u32s(&mut self) -> Result<Vec<u32>, DecodeError> {
        let count = self.size()?;
        let bytes = self.take(count.saturating_mul(4))?;
        Ok(bytes.chunks_exact(4).map(|word| word.try_into().map_or(0, u32::from_le_bytes)).collect())
    }

    fn words<T>(&mut self, read: impl Fn(u64) -> T) -> Result<Vec<T>, DecodeError> {
        let count = self.size()?;
        let bytes = self.take(count.saturating_mul(8))?;
        let word = |word: &[u8]| word.try_into().map_or(0, u64::from_le_bytes);
        Ok(bytes.chunks_exact(8).map(|bytes| read(word(bytes))).collect())
    }

    fn arena(&mut self) -> Result<StringArena, DecodeError> {
        let text = self.text()?;
        let ends = self.u32s()?;
        StringArena::from_parts(text, ends).ok_or(DecodeError("texts do not fit together"))
    }

    fn columns(&mut self, rows: usize) -> Result<Vec<Column>, DecodeError> {
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
            4 => ColumnValues::Coded { codes: self.u32s()?, dictionary: self.list()? },
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
                let json = serde_json::from_str(&self.text()?);
                Value::Document(json.map_err(|_| DecodeError("a document is not JSON"))?)
            }
            _ => return Err(DecodeError("a value has an unknown kind")),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use durward_model::Catalog;
    use proptest::prelude::*;

    use super::super::body::{BodyKind, read_body};
    use super::super::item::ItemRules;
    use super::*;

    const BODY: &str = r#"{"entities":[
        {"_key":"a","_type":"t","_class":["C","D"],"n":1,"f":0.5,"s":"x","l":["y"],"b":true},
        {"_key":"b","_type":"t","_class":["C","D"],"n":2,"s":null,"f":1,"_rawData":[{"name":"r","rawData":{}}]},
        {"_id":"q","name":"z"}],
      "relationships":[
        {"_key":"k","_type":"r","_class":"HAS","_fromEntityKey":"a","_toEntityId":"b","w":1},
        {"_type":"r","_class":"HAS","_fromEntityKey":"a","_toEntityKey":"b","_toEntitySource":"s"}],
      "deleteRelationships":[{"_id":"1"}],"deleteEntities":[{"_key":"2"}]}"#;

    #[test]
    fn sections_come_back() {
        let catalog = Catalog::built_in().unwrap();
        let rules = ItemRules { catalog: &catalog, patch: true, ignore_illegal_properties: false };
        let part = read_body(BODY.as_bytes(), BodyKind::Upload, rules).unwrap();
        let entities = encode_entities(&part.entities);
        assert_eq!(decode_entities(&entities).unwrap(), part.entities);
        let relationships = encode_relationships(&part.relationships);
        assert_eq!(decode_relationships(&relationships).unwrap(), part.relationships);
    }

    proptest! {
        #[test]
        fn damaged_sections_are_errors_only(
            at in any::<prop::sample::Index>(),
            bytes in proptest::collection::vec(any::<u8>(), 1..4),
        ) {
            let catalog = Catalog::built_in().unwrap();
            let rules =
                ItemRules { catalog: &catalog, patch: true, ignore_illegal_properties: false };
            let part = read_body(BODY.as_bytes(), BodyKind::Upload, rules).unwrap();
            let mut plain = decompress(&encode_entities(&part.entities)).unwrap();
            let start = at.index(plain.len());
            for (target, byte) in plain.iter_mut().skip(start).zip(&bytes) { *target = *byte; }
            let _ = decode_entities(&compress(&plain));
            plain.truncate(start);
            prop_assert!(decode_entities(&compress(&plain)).is_err());
        }
    }
}
