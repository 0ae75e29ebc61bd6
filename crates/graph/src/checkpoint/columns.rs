// SPDX-License-Identifier: Apache-2.0
//! Columns as bytes.

use std::sync::Arc;

use super::codec::{Damage, Decoder, Encoder, fixed};
use crate::state::chunk::{BoolChunk, Chunk, NumberChunk, NumberKind};
use crate::state::codes::{CHUNK_ROWS, CodeChunk, CodeColumn};
use crate::state::column::Column;
use crate::state::text_chunk::TextChunk;
use crate::state::timeline::Tick;
use crate::view::ValueRef;

pub(super) fn write_codes(out: &mut Encoder, chunk: &CodeChunk) {
    match chunk {
        CodeChunk::Constant { code, len } => {
            out.byte(0);
            out.small(*code);
            out.small(u32::from(*len));
        }
        CodeChunk::U8(codes) => {
            out.byte(1);
            out.blob(codes);
        }
        CodeChunk::U16(codes) => {
            out.byte(2);
            out.length(codes.len());
            for code in codes {
                out.raw(&code.to_le_bytes());
            }
        }
        CodeChunk::U32(codes) => {
            out.byte(3);
            out.length(codes.len());
            for code in codes {
                out.raw(&code.to_le_bytes());
            }
        }
    }
}

/// Checks that a chunk is not longer than chunks are.
fn rows(len: usize) -> Result<usize, Damage> {
    if len > CHUNK_ROWS {
        Err("a chunk is too long".to_owned())
    } else {
        Ok(len)
    }
}

pub(super) fn read_codes(from: &mut Decoder<'_>) -> Result<CodeChunk, Damage> {
    Ok(match from.byte()? {
        0 => {
            let code = from.small()?;
            CodeChunk::Constant {
                code,
                len: rows(from.small()? as usize)? as u16,
            }
        }
        1 => {
            let codes = from.blob()?;
            rows(codes.len())?;
            CodeChunk::U8(codes.to_vec())
        }
        2 => {
            let len = rows(from.length()?)?;
            let bytes = from.take(len * 2)?;
            CodeChunk::U16(bytes.chunks_exact(2).map(|two| fixed(two) as u16).collect())
        }
        3 => {
            let len = rows(from.length()?)?;
            let bytes = from.take(len * 4)?;
            CodeChunk::U32(
                bytes
                    .chunks_exact(4)
                    .map(|four| fixed(four) as u32)
                    .collect(),
            )
        }
        other => return Err(format!("{other} is no kind of code chunk")),
    })
}

pub(super) fn write_code_column(out: &mut Encoder, column: &CodeColumn) {
    out.length(column.chunks().len());
    for chunk in column.chunks() {
        write_codes(out, chunk);
    }
}

pub(super) fn read_code_column(from: &mut Decoder<'_>) -> Result<CodeColumn, Damage> {
    let count = from.length()?;
    let chunks = (0..count).map(|_| read_codes(from).map(Arc::new));
    Ok(CodeColumn::from_chunks(chunks.collect::<Result<_, _>>()?))
}

fn write_present(out: &mut Encoder, present: Option<&Vec<u64>>) {
    out.flag(present.is_some());
    if let Some(words) = present {
        out.words(words);
    }
}

fn read_present(from: &mut Decoder<'_>) -> Result<Option<Vec<u64>>, Damage> {
    Ok(if from.flag()? {
        Some(from.words()?)
    } else {
        None
    })
}

pub(super) fn write_texts(out: &mut Encoder, texts: &TextChunk) {
    write_present(out, texts.present());
    out.length(texts.len());
    let mut start = 0;
    for end in texts.ends() {
        out.small(end - start);
        start = *end;
    }
    out.text(texts.text());
}

pub(super) fn read_texts(from: &mut Decoder<'_>) -> Result<TextChunk, Damage> {
    let present = read_present(from)?;
    let len = rows(from.length()?)?;
    let (mut end, mut ends) = (0u32, Vec::with_capacity(len));
    for _ in 0..len {
        end = end.checked_add(from.small()?).ok_or("texts are too long")?;
        ends.push(end);
    }
    let text = from.text()?;
    TextChunk::from_parts(text.to_owned(), ends, present)
        .ok_or_else(|| "texts and their ends do not fit together".to_owned())
}

fn write_chunk(out: &mut Encoder, chunk: &Chunk) {
    match chunk {
        Chunk::Codes(codes) => {
            out.byte(0);
            write_codes(out, codes);
        }
        Chunk::Bools(bools) => {
            out.byte(1);
            out.length(bools.len);
            out.words(&bools.present);
            out.words(&bools.truths);
        }
        Chunk::Numbers(numbers) => {
            out.byte(match numbers.kind {
                NumberKind::Int => 2,
                NumberKind::Float => 3,
                NumberKind::Instant => 4,
            });
            write_present(out, numbers.present.as_ref());
            out.length(numbers.values.len());
            for value in &numbers.values {
                out.raw(&value.to_le_bytes());
            }
        }
        Chunk::Texts(texts) => {
            out.byte(5);
            write_texts(out, texts);
        }
        Chunk::Mixed(values) => {
            out.byte(6);
            out.length(values.len());
            for value in values {
                match value {
                    Some(value) => out.value(value),
                    None => out.byte(0),
                }
            }
        }
    }
}

fn read_chunk(from: &mut Decoder<'_>) -> Result<Chunk, Damage> {
    Ok(match from.byte()? {
        0 => Chunk::Codes(read_codes(from)?),
        1 => {
            let len = rows(from.number()? as usize)?;
            Chunk::Bools(BoolChunk {
                len,
                present: from.words()?,
                truths: from.words()?,
            })
        }
        tag @ 2..=4 => {
            let kind = match tag {
                2 => NumberKind::Int,
                3 => NumberKind::Float,
                _ => NumberKind::Instant,
            };
            let present = read_present(from)?;
            let len = rows(from.length()?)?;
            let bytes = from.take(len * 8)?;
            let values = bytes
                .chunks_exact(8)
                .map(|eight| fixed(eight) as i64)
                .collect();
            Chunk::Numbers(NumberChunk {
                kind,
                values,
                present,
            })
        }
        5 => Chunk::Texts(read_texts(from)?),
        6 => {
            let len = rows(from.length()?)?;
            let mut values = Vec::with_capacity(len);
            for _ in 0..len {
                let value = from.value()?;
                values.push((!value.is_null()).then(|| Arc::new(value)));
            }
            Chunk::Mixed(values)
        }
        other => return Err(format!("{other} is no kind of chunk")),
    })
}

pub(super) fn write_column(out: &mut Encoder, column: &Column) {
    out.flag(column.is_coded());
    out.small(column.decide_at());
    let dictionary = column.dictionary();
    let codes = dictionary.len();
    out.small(codes);
    for code in 0..codes {
        out.value(&dictionary.get(code).to_value());
    }
    out.length(column.chunks().len());
    for chunk in column.chunks().iter() {
        write_chunk(out, chunk);
    }
    out.length(column.undo_log().len());
    for undo in column.undo_log().iter() {
        out.small(undo.row);
        out.small(undo.tick.0);
        out.value(&column.old_value(undo).to_value());
    }
}

pub(super) fn read_column(
    from: &mut Decoder<'_>,
    seed: u64,
    secret: bool,
) -> Result<Column, Damage> {
    let mut column = Column::new(seed, secret);
    let coded = from.flag()?;
    let decide_at = from.small()?;
    let codes = from.small()?;
    for code in 0..codes {
        let value = from.value()?;
        if column.dictionary().intern(ValueRef::from(&value)) != Some(code) {
            return Err("a dictionary holds a value twice".to_owned());
        }
    }
    let count = from.length()?;
    let chunks = (0..count).map(|_| read_chunk(from).map(Arc::new));
    let chunks = chunks.collect::<Result<Vec<_>, _>>()?;
    column.restore(chunks, coded, decide_at);
    let count = from.length()?;
    for _ in 0..count {
        let (row, tick) = (from.small()?, Tick(from.small()?));
        column.restore_undo(row, tick, &from.value()?);
    }
    Ok(column)
}
