// SPDX-License-Identifier: Apache-2.0
//! Changes as segments of blocks: a head each, then dictionary values, then rows cut to fit blocks.

use std::ops::Range;

use durward_model::change::{
    Cell, Change, Column, ColumnValues, EndType, EntityBatch, EntityPatch, PatchColumn,
    RelationshipBatch, RelationshipKeys, RelationshipPatch, Triple,
};
use durward_model::{Namespace, ObjectNumber};

use super::columns::{kind_of, put_ends, put_numbers, put_rows, put_texts, rows_size, texts_size};
use super::encoder::Encoder;
use super::values::{put_cell, put_value};
use super::wire::{put_list, put_str, put_varint};
use super::{BLOCK_BYTES_TARGET, CodecError, segment};

const LENGTHS: CodecError = CodecError::Unencodable {
    what: "columns of different lengths",
};

/// Adds a change to the blocks of the encoder.
pub(super) fn write_change(encoder: &mut Encoder, change: &Change) -> Result<(), CodecError> {
    match change {
        Change::CreateEntities(batch) => create_entities(encoder, batch),
        Change::PatchEntities(patch) => patch_entities(encoder, patch),
        Change::DeleteEntities {
            entity_type,
            entities,
        } => {
            let out = encoder.block();
            out.push(segment::DELETE_ENTITIES);
            put_str(out, entity_type);
            let numbers: Vec<u32> = entities.iter().map(|number| number.0).collect();
            number_rows(encoder, &numbers)
        }
        Change::CreateRelationships(batch) => create_relationships(encoder, batch),
        Change::PatchRelationships(patch) => patch_relationships(encoder, patch),
        Change::DeleteRelationships {
            triple,
            relationships,
        } => {
            let out = encoder.block();
            out.push(segment::DELETE_RELATIONSHIPS);
            put_triple(out, triple);
            let numbers: Vec<u32> = relationships.iter().map(|number| number.0).collect();
            number_rows(encoder, &numbers)
        }
        Change::AddAlias { object, alias } => {
            alias_row(encoder, segment::ADD_ALIAS, *object, alias)
        }
        Change::RemoveAlias { object, alias } => {
            alias_row(encoder, segment::REMOVE_ALIAS, *object, alias)
        }
    }
}

fn alias_row(
    encoder: &mut Encoder,
    kind: u8,
    object: ObjectNumber,
    alias: &str,
) -> Result<(), CodecError> {
    encoder.block_for_rows()?;
    let out = encoder.block();
    out.push(kind);
    let (sort, number) = match object {
        ObjectNumber::Entity(number) => (0, number.0),
        ObjectNumber::Relationship(number) => (1, number.0),
    };
    out.push(sort);
    put_varint(out, u64::from(number));
    put_str(out, alias);
    encoder.count_rows(1);
    Ok(())
}

fn put_namespace(out: &mut Vec<u8>, namespace: &Namespace) {
    put_str(out, &namespace.source);
    put_str(out, &namespace.scope);
}

fn put_triple(out: &mut Vec<u8>, triple: &Triple) {
    for end in [&triple.from, &triple.to] {
        match end {
            EndType::Entity(name) => {
                out.push(1);
                put_str(out, name);
            }
            EndType::Relationship => out.push(0),
        }
    }
    put_str(out, &triple.verb);
}

fn put_column_heads(out: &mut Vec<u8>, columns: &[Column]) {
    put_varint(out, columns.len() as u64);
    for column in columns {
        put_str(out, &column.property);
        out.push(kind_of(&column.values));
    }
}

fn put_patch_heads(out: &mut Vec<u8>, columns: &[PatchColumn]) {
    put_varint(out, columns.len() as u64);
    for column in columns {
        put_str(out, &column.property);
    }
}

/// The dictionaries of all coded columns, in pieces that fit blocks.
fn write_dictionaries(encoder: &mut Encoder, columns: &[Column]) -> Result<(), CodecError> {
    for (index, column) in columns.iter().enumerate() {
        let ColumnValues::Coded { dictionary, .. } = &column.values else {
            continue;
        };
        let mut rest = dictionary.as_slice();
        while !rest.is_empty() {
            encoder.block_for_rows()?;
            let mut bytes = encoder.block().len();
            let fitting = rest.iter().take_while(|value| {
                let fits = bytes < BLOCK_BYTES_TARGET;
                bytes += value.byte_size() + 2;
                fits
            });
            let count = fitting.count().max(1);
            let (piece, later) = rest.split_at(count.min(rest.len()));
            let out = encoder.block();
            out.push(segment::DICTIONARY);
            put_varint(out, index as u64);
            put_varint(out, piece.len() as u64);
            for value in piece {
                put_value(out, value)?;
            }
            rest = later;
        }
    }
    Ok(())
}

/// Cuts `total` rows into pieces that fit blocks by number and by size, and writes each.
fn write_rows(
    encoder: &mut Encoder,
    total: usize,
    size: impl Fn(&Range<usize>) -> usize,
    write: impl Fn(&mut Vec<u8>, &Range<usize>) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let mut start = 0;
    while start < total {
        let mut rows = encoder.block_for_rows()?.min(total - start);
        while rows > 1 && size(&(start..start + rows)) > BLOCK_BYTES_TARGET {
            rows /= 2;
        }
        let range = start..start + rows;
        let out = encoder.block();
        out.push(segment::ROWS);
        put_varint(out, rows as u64);
        write(out, &range)?;
        encoder.count_rows(rows);
        start += rows;
    }
    Ok(())
}

fn number_rows(encoder: &mut Encoder, numbers: &[u32]) -> Result<(), CodecError> {
    write_rows(
        encoder,
        numbers.len(),
        |_| 0,
        |out, rows| {
            put_numbers(
                out,
                numbers.get(rows.clone()).ok_or(LENGTHS)?.iter().copied(),
            );
            Ok(())
        },
    )
}

fn check_lengths(columns: &[Column], rows: usize) -> Result<(), CodecError> {
    if columns.iter().any(|column| column.values.len() != rows) {
        return Err(LENGTHS);
    }
    Ok(())
}

fn columns_size(columns: &[Column], rows: &Range<usize>) -> usize {
    columns
        .iter()
        .map(|column| rows_size(&column.values, rows))
        .sum()
}

fn create_entities(encoder: &mut Encoder, batch: &EntityBatch) -> Result<(), CodecError> {
    check_lengths(&batch.columns, batch.len())?;
    let out = encoder.block();
    out.push(segment::CREATE_ENTITIES);
    put_str(out, &batch.entity_type);
    put_list(out, &batch.classes);
    put_namespace(out, &batch.namespace);
    put_varint(out, u64::from(batch.first.0));
    put_column_heads(out, &batch.columns);
    write_dictionaries(encoder, &batch.columns)?;
    write_rows(
        encoder,
        batch.len(),
        |rows| texts_size(&batch.keys, rows) + columns_size(&batch.columns, rows),
        |out, rows| {
            put_texts(out, &batch.keys, rows)?;
            batch
                .columns
                .iter()
                .try_for_each(|column| put_rows(out, &column.values, rows))
        },
    )
}

fn create_relationships(
    encoder: &mut Encoder,
    batch: &RelationshipBatch,
) -> Result<(), CodecError> {
    check_lengths(&batch.columns, batch.len())?;
    let keys = match &batch.keys {
        RelationshipKeys::Explicit(keys) => Some(keys),
        RelationshipKeys::Conventional => None,
    };
    if batch.to.len() != batch.len() || keys.is_some_and(|keys| keys.len() != batch.len()) {
        return Err(LENGTHS);
    }
    let out = encoder.block();
    out.push(segment::CREATE_RELATIONSHIPS);
    put_triple(out, &batch.triple);
    put_str(out, &batch.relationship_type);
    put_namespace(out, &batch.namespace);
    put_varint(out, u64::from(batch.first.0));
    out.push(u8::from(keys.is_some()));
    put_column_heads(out, &batch.columns);
    write_dictionaries(encoder, &batch.columns)?;
    write_rows(
        encoder,
        batch.len(),
        |rows| keys.map_or(0, |keys| texts_size(keys, rows)) + columns_size(&batch.columns, rows),
        |out, rows| {
            let from = batch.from.get(rows.clone()).ok_or(LENGTHS)?;
            put_ends(out, from, batch.to.get(rows.clone()).ok_or(LENGTHS)?);
            if let Some(keys) = keys {
                put_texts(out, keys, rows)?;
            }
            batch
                .columns
                .iter()
                .try_for_each(|column| put_rows(out, &column.values, rows))
        },
    )
}

fn patch_entities(encoder: &mut Encoder, patch: &EntityPatch) -> Result<(), CodecError> {
    let out = encoder.block();
    out.push(segment::PATCH_ENTITIES);
    put_str(out, &patch.entity_type);
    match &patch.classes {
        Some(classes) => {
            out.push(1);
            put_list(out, classes);
        }
        None => out.push(0),
    }
    put_patch_heads(out, &patch.columns);
    let numbers: Vec<u32> = patch.entities.iter().map(|number| number.0).collect();
    patch_rows(encoder, &numbers, &patch.columns)
}

fn patch_relationships(encoder: &mut Encoder, patch: &RelationshipPatch) -> Result<(), CodecError> {
    let out = encoder.block();
    out.push(segment::PATCH_RELATIONSHIPS);
    put_triple(out, &patch.triple);
    put_patch_heads(out, &patch.columns);
    let numbers: Vec<u32> = patch.relationships.iter().map(|number| number.0).collect();
    patch_rows(encoder, &numbers, &patch.columns)
}

fn patch_rows(
    encoder: &mut Encoder,
    numbers: &[u32],
    columns: &[PatchColumn],
) -> Result<(), CodecError> {
    if columns
        .iter()
        .any(|column| column.cells.len() != numbers.len())
    {
        return Err(LENGTHS);
    }
    write_rows(
        encoder,
        numbers.len(),
        |rows| {
            columns
                .iter()
                .map(|column| cells_size(&column.cells, rows))
                .sum()
        },
        |out, rows| {
            put_numbers(
                out,
                numbers.get(rows.clone()).ok_or(LENGTHS)?.iter().copied(),
            );
            for column in columns {
                for cell in column.cells.get(rows.clone()).ok_or(LENGTHS)? {
                    put_cell(out, cell)?;
                }
            }
            Ok(())
        },
    )
}

fn cells_size(cells: &[Cell], rows: &Range<usize>) -> usize {
    let cells = cells.get(rows.clone()).unwrap_or_default();
    cells
        .iter()
        .map(|cell| match cell {
            Cell::Keep => 1,
            Cell::Set(value) => value.byte_size() + 2,
        })
        .sum()
}
