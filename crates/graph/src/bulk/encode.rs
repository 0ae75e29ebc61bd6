// SPDX-License-Identifier: Apache-2.0
//! The bytes of a staged part: its two sections, each compressed on its own, so that finalizing can
//! read all entities before any relationship.

mod wire;

use durward_model::change::RelationshipKeys;

use self::wire::{Reader, Writer};
use super::part::{
    EndAddress, EntityGroup, EntitySection, RelationshipGroup, RelationshipSection, Removal,
};
use super::staging::StagingError;

/// Bytes that are not what [`Writer`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a staged part cannot be read: {0}")]
pub struct DecodeError(pub(crate) &'static str);

const ZSTD_LEVEL: i32 = 1;
/// Largest section after decompression; an upload body is far below.
const SECTION_BYTES_MAX: u64 = 1 << 30;

/// Compresses the bytes of a section, unless they are more than what is read back.
fn compress(bytes: &[u8]) -> Result<Vec<u8>, StagingError> {
    let length = bytes.len() as u64;
    let too_large = StagingError::TooLarge {
        bytes: length,
        max: SECTION_BYTES_MAX,
    };
    if length > SECTION_BYTES_MAX {
        return Err(too_large);
    }
    let mut packed = length.to_le_bytes().to_vec();
    // Compressing into memory fails only without memory.
    packed.extend(zstd::bulk::compress(bytes, ZSTD_LEVEL).map_err(|_| too_large)?);
    Ok(packed)
}

fn decompress(packed: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let (length, body) = packed
        .split_first_chunk::<8>()
        .ok_or(DecodeError("it is cut"))?;
    let length = u64::from_le_bytes(*length);
    if length > SECTION_BYTES_MAX {
        return Err(DecodeError("it is too large"));
    }
    let bytes = zstd::bulk::decompress(body, length as usize);
    let bytes = bytes.map_err(|_| DecodeError("it does not decompress"))?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(DecodeError("it is cut"))
    }
}

/// The bytes of an entity section.
pub(crate) fn encode_entities(section: &EntitySection) -> Result<Vec<u8>, StagingError> {
    let mut out = Writer::default();
    out.size(section.groups.len());
    for group in &section.groups {
        out.text(&group.entity_type);
        match &group.classes {
            None => out.byte(0),
            Some(classes) => {
                out.byte(1);
                out.size(classes.len());
                for class in classes {
                    out.text(class);
                }
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
        let classes = if from.byte()? == 0 {
            None
        } else {
            let count = from.size()?;
            Some((0..count).map(|_| from.text()).collect::<Result<_, _>>()?)
        };
        let by_id = from.byte()? != 0;
        let keys = from.arena()?;
        let columns = from.columns(keys.len())?;
        let mut nulls = Vec::new();
        for _ in 0..from.size()? {
            nulls.push((from.u32()?, from.u32()?));
        }
        section.groups.push(EntityGroup {
            entity_type,
            classes,
            by_id,
            keys,
            columns,
            nulls,
        });
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
pub(crate) fn encode_relationships(section: &RelationshipSection) -> Result<Vec<u8>, StagingError> {
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
    for json in &section.mapped {
        out.text(json);
    }
    compress(&out.bytes)
}

/// The relationship section of these bytes.
pub(crate) fn decode_relationships(packed: &[u8]) -> Result<RelationshipSection, DecodeError> {
    let bytes = decompress(packed)?;
    let mut from = Reader { bytes: &bytes };
    let mut section = RelationshipSection {
        ends: from.arena()?,
        ..Default::default()
    };
    for _ in 0..from.size()? {
        let verb = from.text()?;
        let relationship_type = from.text()?;
        let mut address = || -> Result<EndAddress, DecodeError> {
            let by_id = from.byte()? != 0;
            Ok(EndAddress {
                by_id,
                source: from.optional()?,
                scope: from.optional()?,
            })
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use durward_catalog::Catalog;
    use proptest::prelude::*;

    use super::super::body::{BodyKind, read_body};
    use super::super::item::ItemRules;
    use super::*;

    const BODY: &str = r#"{"entities":[
        {"_key":"a","_type":"t","_class":["C","D"],"n":1,"f":0.5,"s":"x","l":["y"],"b":true},
        {"_key":"b","_type":"t","_class":["C","D"],"n":2,"s":null,"f":1,
         "_rawData":[{"name":"r","rawData":{}}]},
        {"_id":"q","name":"z"}],
      "relationships":[
        {"_key":"k","_type":"r","_class":"HAS","_fromEntityKey":"a","_toEntityId":"b","w":1},
        {"_type":"r","_class":"HAS","_fromEntityKey":"a","_toEntityKey":"b","_toEntitySource":"s"}],
      "deleteRelationships":[{"_id":"1"}],"deleteEntities":[{"_key":"2"}]}"#;

    #[test]
    fn sections_come_back() {
        let catalog = Catalog::built_in().unwrap();
        let rules = ItemRules {
            catalog: &catalog,
            patch: true,
            ignore_illegal_properties: false,
        };
        let part = read_body(BODY.as_bytes(), BodyKind::Upload, rules).unwrap();
        let entities = encode_entities(&part.entities).unwrap();
        assert_eq!(decode_entities(&entities).unwrap(), part.entities);
        let relationships = encode_relationships(&part.relationships).unwrap();
        assert_eq!(
            decode_relationships(&relationships).unwrap(),
            part.relationships
        );
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
            let mut plain = decompress(&encode_entities(&part.entities).unwrap()).unwrap();
            let start = at.index(plain.len());
            for (target, byte) in plain.iter_mut().skip(start).zip(&bytes) { *target = *byte; }
            let _ = decode_entities(&compress(&plain).unwrap());
            plain.truncate(start);
            prop_assert!(decode_entities(&compress(&plain).unwrap()).is_err());
        }
    }
}
