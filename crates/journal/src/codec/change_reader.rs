// SPDX-License-Identifier: Apache-2.0
//! From segments of blocks to changes. Total: any bytes give changes or an error.

use durward_model::change::{
    Change, Column, ColumnValues, EndType, EntityBatch, EntityPatch, PatchColumn,
    RelationshipBatch, RelationshipKeys, RelationshipPatch, Triple,
};
use durward_model::transaction::Origin;
use durward_model::{
    EntityNumber, Namespace, ObjectId, ObjectNumber, RelationshipNumber, StringArena,
};

use super::columns::{add_ends, add_numbers, add_rows, add_texts, empty_of};
use super::values::{cell, value};
use super::wire::{RESERVE_MAX, Reader};
use super::{BLOCK_ROWS_MAX, CodecError, segment};

/// Collects the blocks of one transaction.
#[derive(Debug, Default)]
pub(super) struct ChangeReader {
    pub(super) origin: Origin,
    pub(super) idempotency_key: String,
    pub(super) changes: Vec<Change>,
    has_origin: bool,
}

/// Reads bytes as the content of one block and forgets the result.
pub(super) fn read_block_content(bytes: &[u8]) -> Result<(), CodecError> {
    ChangeReader {
        has_origin: true,
        ..ChangeReader::default()
    }
    .add_block(bytes)
}

impl ChangeReader {
    /// Adds the content of the next block.
    pub(super) fn add_block(&mut self, content: &[u8]) -> Result<(), CodecError> {
        let mut reader = Reader::new(content);
        while !reader.is_at_end() {
            let kind = reader.u8()?;
            if !self.has_origin && kind != segment::ORIGIN {
                return Err(CodecError::Malformed {
                    what: "first block",
                });
            }
            match kind {
                segment::ORIGIN if !self.has_origin => self.read_origin(&mut reader)?,
                segment::DICTIONARY => self.read_dictionary(&mut reader)?,
                segment::ROWS => self.read_rows(&mut reader)?,
                other => self.changes.push(change_head(&mut reader, other)?),
            }
        }
        Ok(())
    }

    /// Whether the block with the origin was among those added.
    pub(super) fn is_started(&self) -> bool {
        self.has_origin
    }

    fn read_origin(&mut self, reader: &mut Reader<'_>) -> Result<(), CodecError> {
        self.has_origin = true;
        let actor = optional_id(reader)?;
        let credential = optional_id(reader)?;
        self.origin = Origin {
            actor,
            credential,
            activity: reader.string()?,
            request_id: reader.string()?,
            source_address: reader.string()?,
            user_agent: reader.string()?,
            detail: reader.string()?,
        };
        self.idempotency_key = reader.string()?;
        Ok(())
    }

    fn read_dictionary(&mut self, reader: &mut Reader<'_>) -> Result<(), CodecError> {
        let columns = match self.changes.last_mut() {
            Some(Change::CreateEntities(batch)) => &mut batch.columns,
            Some(Change::CreateRelationships(batch)) => &mut batch.columns,
            _ => return Err(CodecError::Malformed { what: "dictionary" }),
        };
        let index = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
        let Some(ColumnValues::Coded { dictionary, .. }) =
            columns.get_mut(index).map(|column| &mut column.values)
        else {
            return Err(CodecError::Malformed { what: "dictionary" });
        };
        let count = reader.count()?;
        dictionary.reserve(count.min(RESERVE_MAX));
        for _ in 0..count {
            dictionary.push(value(reader)?);
        }
        Ok(())
    }

    fn read_rows(&mut self, reader: &mut Reader<'_>) -> Result<(), CodecError> {
        let rows = reader.count()?;
        if rows > BLOCK_ROWS_MAX {
            return Err(CodecError::Malformed {
                what: "number of rows",
            });
        }
        match self.changes.last_mut() {
            Some(Change::CreateEntities(batch)) => {
                add_texts(reader, &mut batch.keys, rows)?;
                add_columns(reader, &mut batch.columns, rows)
            }
            Some(Change::CreateRelationships(batch)) => {
                add_ends(reader, rows, &mut batch.from, &mut batch.to)?;
                if let RelationshipKeys::Explicit(keys) = &mut batch.keys {
                    add_texts(reader, keys, rows)?;
                }
                add_columns(reader, &mut batch.columns, rows)
            }
            Some(Change::PatchEntities(patch)) => {
                let entities = &mut patch.entities;
                add_numbers(reader, rows, |number| entities.push(EntityNumber(number)))?;
                add_cells(reader, &mut patch.columns, rows)
            }
            Some(Change::PatchRelationships(patch)) => {
                let relationships = &mut patch.relationships;
                add_numbers(reader, rows, |number| {
                    relationships.push(RelationshipNumber(number));
                })?;
                add_cells(reader, &mut patch.columns, rows)
            }
            Some(Change::DeleteEntities { entities, .. }) => {
                add_numbers(reader, rows, |number| entities.push(EntityNumber(number)))
            }
            Some(Change::DeleteRelationships { relationships, .. }) => {
                add_numbers(reader, rows, |number| {
                    relationships.push(RelationshipNumber(number));
                })
            }
            _ => Err(CodecError::Malformed {
                what: "place of rows",
            }),
        }
    }
}

fn optional_id(reader: &mut Reader<'_>) -> Result<Option<ObjectId>, CodecError> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(ObjectId(u64::from_le_bytes(reader.array()?)))),
        _ => Err(CodecError::Malformed { what: "id" }),
    }
}

fn object(reader: &mut Reader<'_>) -> Result<ObjectNumber, CodecError> {
    match reader.u8()? {
        0 => Ok(ObjectNumber::Entity(EntityNumber(reader.u32()?))),
        1 => Ok(ObjectNumber::Relationship(RelationshipNumber(
            reader.u32()?,
        ))),
        _ => Err(CodecError::Malformed { what: "object" }),
    }
}

fn add_columns(
    reader: &mut Reader<'_>,
    columns: &mut [Column],
    rows: usize,
) -> Result<(), CodecError> {
    columns
        .iter_mut()
        .try_for_each(|column| add_rows(reader, &mut column.values, rows))
}

fn add_cells(
    reader: &mut Reader<'_>,
    columns: &mut [PatchColumn],
    rows: usize,
) -> Result<(), CodecError> {
    for column in columns {
        for _ in 0..rows {
            column.cells.push(cell(reader)?);
        }
    }
    Ok(())
}

fn change_head(reader: &mut Reader<'_>, kind: u8) -> Result<Change, CodecError> {
    Ok(match kind {
        segment::CREATE_ENTITIES => Change::CreateEntities(EntityBatch {
            entity_type: reader.string()?,
            classes: reader.list()?,
            namespace: namespace(reader)?,
            first: EntityNumber(reader.u32()?),
            keys: StringArena::new(),
            columns: column_heads(reader)?,
        }),
        segment::PATCH_ENTITIES => {
            let entity_type = reader.string()?;
            let classes = match reader.u8()? {
                0 => None,
                1 => Some(reader.list()?),
                _ => return Err(CodecError::Malformed { what: "class list" }),
            };
            let columns = patch_heads(reader)?;
            Change::PatchEntities(EntityPatch {
                entity_type,
                entities: Vec::new(),
                columns,
                classes,
            })
        }
        segment::DELETE_ENTITIES => Change::DeleteEntities {
            entity_type: reader.string()?,
            entities: Vec::new(),
        },
        segment::CREATE_RELATIONSHIPS => Change::CreateRelationships(relationship_head(reader)?),
        segment::PATCH_RELATIONSHIPS => Change::PatchRelationships(RelationshipPatch {
            triple: triple(reader)?,
            relationships: Vec::new(),
            columns: patch_heads(reader)?,
        }),
        segment::DELETE_RELATIONSHIPS => Change::DeleteRelationships {
            triple: triple(reader)?,
            relationships: Vec::new(),
        },
        segment::ADD_ALIAS => Change::AddAlias {
            object: object(reader)?,
            alias: reader.string()?,
        },
        segment::REMOVE_ALIAS => Change::RemoveAlias {
            object: object(reader)?,
            alias: reader.string()?,
        },
        _ => return Err(CodecError::Malformed { what: "segment" }),
    })
}

fn relationship_head(reader: &mut Reader<'_>) -> Result<RelationshipBatch, CodecError> {
    Ok(RelationshipBatch {
        triple: triple(reader)?,
        relationship_type: reader.string()?,
        namespace: namespace(reader)?,
        first: RelationshipNumber(reader.u32()?),
        from: Vec::new(),
        to: Vec::new(),
        keys: match reader.u8()? {
            0 => RelationshipKeys::Conventional,
            1 => RelationshipKeys::Explicit(StringArena::new()),
            _ => {
                return Err(CodecError::Malformed {
                    what: "form of keys",
                });
            }
        },
        columns: column_heads(reader)?,
    })
}

fn namespace(reader: &mut Reader<'_>) -> Result<Namespace, CodecError> {
    Ok(Namespace {
        source: reader.string()?,
        scope: reader.string()?,
    })
}

fn triple(reader: &mut Reader<'_>) -> Result<Triple, CodecError> {
    let from = end_type(reader)?;
    let to = end_type(reader)?;
    Ok(Triple {
        from,
        verb: reader.string()?,
        to,
    })
}

fn end_type(reader: &mut Reader<'_>) -> Result<EndType, CodecError> {
    match reader.u8()? {
        0 => Ok(EndType::Relationship),
        1 => Ok(EndType::Entity(reader.string()?)),
        _ => Err(CodecError::Malformed {
            what: "end of a relationship",
        }),
    }
}

fn column_heads(reader: &mut Reader<'_>) -> Result<Vec<Column>, CodecError> {
    let count = reader.count()?;
    let mut columns = Vec::with_capacity(count.min(RESERVE_MAX));
    for _ in 0..count {
        columns.push(Column {
            property: reader.string()?,
            values: empty_of(reader.u8()?)?,
        });
    }
    Ok(columns)
}

fn patch_heads(reader: &mut Reader<'_>) -> Result<Vec<PatchColumn>, CodecError> {
    let count = reader.count()?;
    let mut columns = Vec::with_capacity(count.min(RESERVE_MAX));
    for _ in 0..count {
        columns.push(PatchColumn {
            property: reader.string()?,
            cells: Vec::new(),
        });
    }
    Ok(columns)
}
