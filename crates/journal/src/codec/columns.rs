// SPDX-License-Identifier: Apache-2.0
//! Rows of columns in records: each column lies together, in the form that packs well.

use std::ops::Range;

use durward_model::StringArena;
use durward_model::change::{ABSENT_CODE, ColumnValues};

use super::CodecError;
use super::values::{put_value, value};
use super::wire::{Reader, put_varint, put_zigzag, text, varint_len, zigzag};

mod kind {
    pub(super) const BOOLS: u8 = 0;
    pub(super) const INTS: u8 = 1;
    pub(super) const FLOATS: u8 = 2;
    pub(super) const TEXTS: u8 = 3;
    pub(super) const CODED: u8 = 4;
    pub(super) const MIXED: u8 = 5;
}

const INTS_PLAIN: u8 = 0;
const INTS_DELTA: u8 = 1;
const RANGE: CodecError = CodecError::Unencodable {
    what: "columns of different lengths",
};

pub(super) fn kind_of(values: &ColumnValues) -> u8 {
    match values {
        ColumnValues::Bools(_) => kind::BOOLS,
        ColumnValues::Ints(_) => kind::INTS,
        ColumnValues::Floats(_) => kind::FLOATS,
        ColumnValues::Texts(_) => kind::TEXTS,
        ColumnValues::Coded { .. } => kind::CODED,
        ColumnValues::Mixed(_) => kind::MIXED,
    }
}

pub(super) fn empty_of(kind: u8) -> Result<ColumnValues, CodecError> {
    Ok(match kind {
        kind::BOOLS => ColumnValues::Bools(Vec::new()),
        kind::INTS => ColumnValues::Ints(Vec::new()),
        kind::FLOATS => ColumnValues::Floats(Vec::new()),
        kind::TEXTS => ColumnValues::Texts(StringArena::new()),
        kind::CODED => ColumnValues::Coded {
            codes: Vec::new(),
            dictionary: Vec::new(),
        },
        kind::MIXED => ColumnValues::Mixed(Vec::new()),
        _ => {
            return Err(CodecError::Malformed {
                what: "column kind",
            });
        }
    })
}

/// About how many bytes the rows of a column take; exact for what can be large.
pub(super) fn rows_size(values: &ColumnValues, rows: &Range<usize>) -> usize {
    match values {
        ColumnValues::Texts(arena) => arena_bytes(arena, rows).map_or(0, |(text, _)| text.len()),
        ColumnValues::Mixed(values) => {
            let values = values.get(rows.clone()).unwrap_or_default();
            values.iter().map(durward_model::Value::byte_size).sum()
        }
        _ => rows.len().saturating_mul(8),
    }
}

pub(super) fn put_rows(
    out: &mut Vec<u8>,
    values: &ColumnValues,
    rows: &Range<usize>,
) -> Result<(), CodecError> {
    match values {
        ColumnValues::Bools(values) => put_bools(out, values.get(rows.clone()).ok_or(RANGE)?),
        ColumnValues::Ints(values) => put_ints(out, values.get(rows.clone()).ok_or(RANGE)?),
        ColumnValues::Floats(values) => {
            for value in values.get(rows.clone()).ok_or(RANGE)? {
                out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
        }
        ColumnValues::Texts(arena) => put_texts(out, arena, rows)?,
        ColumnValues::Coded { codes, dictionary } => {
            let codes = codes.get(rows.clone()).ok_or(RANGE)?;
            put_codes(out, codes, dictionary.len())?;
        }
        ColumnValues::Mixed(values) => {
            for value in values.get(rows.clone()).ok_or(RANGE)? {
                put_value(out, value)?;
            }
        }
    }
    Ok(())
}

/// Reads `rows` rows and adds them to the column.
pub(super) fn add_rows(
    reader: &mut Reader<'_>,
    values: &mut ColumnValues,
    rows: usize,
) -> Result<(), CodecError> {
    match values {
        ColumnValues::Bools(values) => add_bools(reader, values, rows),
        ColumnValues::Ints(values) => add_ints(reader, values, rows),
        ColumnValues::Floats(values) => {
            let bytes = reader.take(rows.saturating_mul(8))?;
            values.extend(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|bits| f64::from_bits(u64::from_le_bytes(*bits))),
            );
            Ok(())
        }
        ColumnValues::Texts(arena) => add_texts(reader, arena, rows),
        ColumnValues::Coded { codes, dictionary } => {
            add_codes(reader, codes, dictionary.len(), rows)
        }
        ColumnValues::Mixed(values) => {
            for _ in 0..rows {
                values.push(value(reader)?);
            }
            Ok(())
        }
    }
}

/// Truth values, four to a byte.
fn put_bools(out: &mut Vec<u8>, values: &[u8]) {
    for four in values.chunks(4) {
        let packed = four
            .iter()
            .rev()
            .fold(0u8, |packed, value| (packed << 2) | (*value).min(2));
        out.push(packed);
    }
}

fn add_bools(reader: &mut Reader<'_>, values: &mut Vec<u8>, rows: usize) -> Result<(), CodecError> {
    let bytes = reader.take(rows.div_ceil(4))?;
    let mut left = rows;
    for byte in bytes {
        let mut packed = *byte;
        for _ in 0..left.min(4) {
            if packed & 3 == 3 {
                return Err(CodecError::Malformed {
                    what: "truth value",
                });
            }
            values.push(packed & 3);
            packed >>= 2;
        }
        left = left.saturating_sub(4);
    }
    Ok(())
}

/// Whole numbers as they are or as differences, whichever is shorter.
fn put_ints(out: &mut Vec<u8>, values: &[i64]) {
    let (mut plain, mut delta, mut before) = (0, 0, 0i64);
    for value in values {
        plain += varint_len(zigzag(*value));
        delta += varint_len(zigzag(value.wrapping_sub(before)));
        before = *value;
    }
    if plain <= delta {
        out.push(INTS_PLAIN);
        for value in values {
            put_zigzag(out, *value);
        }
    } else {
        out.push(INTS_DELTA);
        before = 0;
        for value in values {
            put_zigzag(out, value.wrapping_sub(before));
            before = *value;
        }
    }
}

fn add_ints(reader: &mut Reader<'_>, values: &mut Vec<i64>, rows: usize) -> Result<(), CodecError> {
    match reader.u8()? {
        INTS_PLAIN => {
            for _ in 0..rows {
                values.push(reader.zigzag()?);
            }
        }
        INTS_DELTA => {
            let mut before = 0i64;
            for _ in 0..rows {
                before = before.wrapping_add(reader.zigzag()?);
                values.push(before);
            }
        }
        _ => {
            return Err(CodecError::Malformed {
                what: "form of whole numbers",
            });
        }
    }
    Ok(())
}

/// The text of some strings of an arena, and their end offsets.
fn arena_bytes<'a>(arena: &'a StringArena, rows: &Range<usize>) -> Option<(&'a str, &'a [u32])> {
    let (bytes, ends) = arena.as_parts();
    let chosen = ends.get(rows.clone())?;
    let start = match rows.start.checked_sub(1) {
        Some(before) => *ends.get(before)? as usize,
        None => 0,
    };
    let end = chosen.last().map_or(start, |end| *end as usize);
    Some((bytes.get(start..end)?, chosen))
}

pub(super) fn texts_size(arena: &StringArena, rows: &Range<usize>) -> usize {
    arena_bytes(arena, rows).map_or(0, |(text, ends)| text.len() + ends.len() * 2)
}

/// Lengths first, then all the text.
pub(super) fn put_texts(
    out: &mut Vec<u8>,
    arena: &StringArena,
    rows: &Range<usize>,
) -> Result<(), CodecError> {
    let (text, ends) = arena_bytes(arena, rows).ok_or(RANGE)?;
    let mut before = ends
        .last()
        .map_or(0, |end| end.wrapping_sub(text.len() as u32));
    for end in ends {
        put_varint(out, u64::from(end.wrapping_sub(before)));
        before = *end;
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

pub(super) fn add_texts(
    reader: &mut Reader<'_>,
    arena: &mut StringArena,
    rows: usize,
) -> Result<(), CodecError> {
    let mut lengths = Vec::with_capacity(rows);
    let mut total = 0usize;
    for _ in 0..rows {
        let length = reader.u32()? as usize;
        total = total.saturating_add(length);
        lengths.push(length);
    }
    let all = text(reader.take(total)?)?;
    let mut start = 0usize;
    for length in lengths {
        let end = start.saturating_add(length);
        let one = all
            .get(start..end)
            .ok_or(CodecError::Malformed { what: "text" })?;
        arena.push(one).map_err(|_| CodecError::Malformed {
            what: "amount of text",
        })?;
        start = end;
    }
    Ok(())
}

/// Positions in the dictionary plus one, zero for an absent value, in as few bytes as the
/// dictionary asks for.
fn put_codes(out: &mut Vec<u8>, codes: &[u32], dictionary: usize) -> Result<(), CodecError> {
    let width: u8 = match dictionary {
        0..=0xfe => 1,
        0xff..=0xfffe => 2,
        _ => 4,
    };
    out.push(width);
    for code in codes {
        let shifted = code.wrapping_add(1);
        if *code != ABSENT_CODE && *code as usize >= dictionary {
            return Err(CodecError::Unencodable {
                what: "code without a dictionary value",
            });
        }
        let bytes = shifted.to_le_bytes();
        out.extend(bytes.iter().take(usize::from(width)));
    }
    Ok(())
}

fn add_codes(
    reader: &mut Reader<'_>,
    codes: &mut Vec<u32>,
    dictionary: usize,
    rows: usize,
) -> Result<(), CodecError> {
    let width = usize::from(reader.u8()?);
    if !matches!(width, 1 | 2 | 4) {
        return Err(CodecError::Malformed {
            what: "width of codes",
        });
    }
    let bytes = reader.take(rows.saturating_mul(width))?;
    codes.reserve(rows);
    for bytes in bytes.chunks_exact(width) {
        let shifted = bytes
            .iter()
            .rev()
            .fold(0u32, |code, byte| (code << 8) | u32::from(*byte));
        if shifted as usize > dictionary {
            return Err(CodecError::Malformed { what: "code" });
        }
        codes.push(shifted.wrapping_sub(1));
    }
    Ok(())
}

/// Numbers that mostly ascend, as differences.
pub(super) fn put_numbers(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>) {
    let mut before = 0i64;
    for number in numbers {
        put_zigzag(out, i64::from(number) - before);
        before = i64::from(number);
    }
}

pub(super) fn add_numbers(
    reader: &mut Reader<'_>,
    rows: usize,
    mut add: impl FnMut(u32),
) -> Result<(), CodecError> {
    let mut before = 0i64;
    for _ in 0..rows {
        before = before.wrapping_add(reader.zigzag()?);
        add(u32::try_from(before).map_err(|_| CodecError::Malformed {
            what: "object number",
        })?);
    }
    Ok(())
}

/// The ends of relationships sorted by (from, to): where `from` repeats, `to` is a difference.
pub(super) fn put_ends(out: &mut Vec<u8>, from: &[u32], to: &[u32]) {
    put_numbers(out, from.iter().copied());
    let mut before = None;
    for (from, to) in from.iter().zip(to) {
        match before {
            Some((same, last)) if same == from => put_zigzag(out, i64::from(*to) - last),
            _ => put_zigzag(out, i64::from(*to)),
        }
        before = Some((from, i64::from(*to)));
    }
}

pub(super) fn add_ends(
    reader: &mut Reader<'_>,
    rows: usize,
    from: &mut Vec<u32>,
    to: &mut Vec<u32>,
) -> Result<(), CodecError> {
    let start = from.len();
    from.reserve(rows);
    to.reserve(rows);
    add_numbers(reader, rows, |number| from.push(number))?;
    let mut before: Option<(u32, i64)> = None;
    for from in from.iter().skip(start) {
        let read = reader.zigzag()?;
        let number = match before {
            Some((same, last)) if same == *from => last.wrapping_add(read),
            _ => read,
        };
        to.push(u32::try_from(number).map_err(|_| CodecError::Malformed {
            what: "object number",
        })?);
        before = Some((*from, number));
    }
    Ok(())
}
