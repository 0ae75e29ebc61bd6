// SPDX-License-Identifier: Apache-2.0
//! Types and triples as bytes.

use std::sync::Arc;

use durward_catalog::Catalog;

use super::codec::{Damage, Decoder, Encoder};
use super::columns::{
    read_code_column, read_column, read_texts, write_code_column, write_column, write_texts,
};
use crate::ids::{PropertyId, TripleId, TypeId, VerbId};
use crate::state::base::{Base, Edge};
use crate::state::column::Column;
use crate::state::edge_order::Limits;
use crate::state::edges::Edges;
use crate::state::key_arena::KeyArena;
use crate::state::offsets::Offsets;
use crate::state::records::Records;
use crate::state::row_pages::Tuning;
use crate::state::tables::{ClassUndo, TripleTable, TypeTable};
use crate::state::timeline::Tick;
use crate::symbols::Symbols;
use crate::view::TripleMeta;

/// What reading a table needs to know beforehand.
pub(super) struct Known<'a> {
    pub(super) symbols: &'a Symbols,
    pub(super) catalog: &'a Catalog,
    pub(super) seed: u64,
    pub(super) tuning: Tuning,
    /// No row or number is this large.
    pub(super) numbers_max: u32,
}

fn write_records(out: &mut Encoder, records: &Records) {
    let runs: Vec<_> = records.extents.iter().collect();
    out.length(runs.len());
    for run in runs {
        out.small(run.first_number);
        out.small(run.len);
        out.small(run.tick.0);
    }
    out.small(records.ended.len());
    let mut before = 0;
    for (row, tick) in records.ended.iter() {
        out.small(row - before);
        out.small(tick);
        before = row;
    }
    let changes: Vec<_> = records.changes().collect();
    out.length(changes.len());
    for change in changes {
        out.small(change.row);
        out.small(change.tick.0);
    }
    write_code_column(out, &records.namespaces);
    out.length(records.columns().len());
    for (property, column) in records.columns() {
        out.small(property.0);
        write_column(out, column);
    }
}

fn read_records(
    from: &mut Decoder<'_>,
    known: &Known<'_>,
    type_name: &str,
) -> Result<Records, Damage> {
    let mut records = Records::default();
    for _ in 0..from.length()? {
        let (first, len, tick) = (from.small()?, from.small()?, from.small()?);
        if first
            .checked_add(len)
            .is_none_or(|end| end > known.numbers_max)
        {
            return Err("a run of numbers is too long".to_owned());
        }
        records.extents.push(first, len, Tick(tick));
    }
    let mut row = 0u32;
    for _ in 0..from.small()? {
        row = row
            .checked_add(from.small()?)
            .ok_or("an ended row is too large")?;
        if row >= records.rows() {
            return Err("an ended row does not exist".to_owned());
        }
        records.ended.insert(row, from.small()?);
    }
    for _ in 0..from.length()? {
        let (row, tick) = (from.small()?, from.small()?);
        if row >= records.rows() {
            return Err("a changed row does not exist".to_owned());
        }
        records.note_change(row, Tick(tick));
    }
    records.namespaces = read_code_column(from)?;
    for _ in 0..from.length()? {
        let property = PropertyId(from.small()?);
        let name = known
            .symbols
            .properties
            .get(property.0)
            .ok_or("a property has no name")?;
        let secret = known.catalog.is_secret(type_name, name);
        let column = read_column(from, known.seed, secret)?;
        *records.column_mut(property, || Column::new(0, secret)) = Arc::new(column);
    }
    Ok(records)
}

pub(super) fn write_type(out: &mut Encoder, table: &TypeTable) {
    write_records(out, &table.records);
    out.length(table.keys.chunks().len());
    for chunk in table.keys.chunks() {
        write_texts(out, chunk);
    }
    write_code_column(out, &table.classes);
    out.length(table.class_undo.len());
    for undo in table.class_undo.iter() {
        out.small(undo.row);
        out.small(undo.tick.0);
        out.small(undo.old);
    }
}

pub(super) fn read_type(bytes: &[u8], known: &Known<'_>, id: TypeId) -> Result<TypeTable, Damage> {
    let from = &mut Decoder::new(bytes);
    let name = known
        .symbols
        .types
        .get(u32::from(id.0))
        .ok_or("a type has no name")?;
    let records = read_records(from, known, name)?;
    let count = from.length()?;
    let chunks = (0..count).map(|_| read_texts(from).map(Arc::new));
    let keys = KeyArena::from_chunks(chunks.collect::<Result<_, _>>()?);
    if keys.rows() != records.rows() {
        return Err(format!(
            "type {name} has {} keys, {} rows",
            keys.rows(),
            records.rows()
        ));
    }
    let classes = read_code_column(from)?;
    let mut table = TypeTable {
        records,
        keys,
        classes,
        ..TypeTable::default()
    };
    for _ in 0..from.length()? {
        let (row, tick, old) = (from.small()?, Tick(from.small()?), from.small()?);
        table.class_undo.push(ClassUndo { row, tick, old });
    }
    from.end()?;
    Ok(table)
}

pub(super) fn write_triple(out: &mut Encoder, table: &TripleTable) {
    out.small(u32::from(table.meta.from.0));
    out.small(u32::from(table.meta.verb.0));
    out.small(u32::from(table.meta.to.0));
    write_records(out, &table.records);
    write_code_column(out, &table.types);
    out.flag(table.keys.is_some());
    if let Some(keys) = &table.keys {
        write_column(out, keys);
    }
    write_edges(out, &table.edges.current());
    let ended: Vec<_> = table.edges.ended.iter().collect();
    out.length(ended.len());
    for ended in ended {
        out.small(ended.edge.from);
        out.small(ended.edge.to);
        out.small(ended.edge.edge);
        out.small(ended.tick.0);
    }
}

/// Sorted relationships as gaps, and their edge rows where these are not simply 0, 1, 2, ...
fn write_edges(out: &mut Encoder, edges: &[Edge]) {
    out.length(edges.len());
    let rows: Vec<_> = edges
        .chunk_by(|left, right| left.from == right.from)
        .collect();
    out.length(rows.len());
    let mut before = 0;
    for row in rows {
        let Some(first) = row.first() else { continue };
        out.small(first.from - before);
        before = first.from;
        out.length(row.len());
        let mut other = 0;
        for edge in row {
            out.small(edge.to - other);
            other = edge.to;
        }
    }
    let plain = edges
        .iter()
        .zip(0u32..)
        .all(|(edge, slot)| edge.edge == slot);
    out.flag(plain);
    if !plain {
        let mut before = 0i64;
        for edge in edges {
            out.signed(i64::from(edge.edge) - before);
            before = i64::from(edge.edge);
        }
    }
}

fn read_edges(
    from: &mut Decoder<'_>,
    limits: Limits<'_>,
    numbers_max: u32,
) -> Result<Base, Damage> {
    let limit = limits.edge_limit;
    let count = from.length()?;
    let sources = from.length()?;
    let mut others = Vec::with_capacity(count);
    let mut pairs = Vec::with_capacity(sources);
    let mut row = 0u32;
    let too_large = || "a row of neighbours does not fit".to_owned();
    for _ in 0..sources {
        row = row
            .checked_add(from.small()?)
            .filter(|row| *row < numbers_max)
            .ok_or_else(too_large)?;
        let length = from.length()?;
        if others.len() + length > count {
            return Err(too_large());
        }
        pairs.push((row, length as u32));
        let mut other = 0u32;
        for _ in 0..length {
            let next = other.checked_add(from.small()?);
            other = next
                .filter(|other| *other < numbers_max)
                .ok_or_else(too_large)?;
            others.push(other);
        }
    }
    if others.len() != count || !pairs.is_sorted_by(|one, two| one.0 < two.0) {
        return Err(too_large());
    }
    let edges = if from.flag()? {
        if count as u64 > u64::from(limit) {
            return Err(too_large());
        }
        (count != limit as usize).then(|| (0..count as u32).collect())
    } else {
        let (mut edges, mut before) = (Vec::with_capacity(count), 0i64);
        for _ in 0..count {
            before = before.checked_add(from.signed()?).ok_or_else(too_large)?;
            let edge = u32::try_from(before).ok().filter(|edge| *edge < limit);
            edges.push(edge.ok_or_else(too_large)?);
        }
        Some(edges)
    };
    let nodes = pairs.last().map_or(0, |(row, _)| *row as usize + 1);
    let forward = Offsets::from_pairs(pairs.into_iter(), sources, nodes);
    Ok(Base::from_forward(forward, others, edges, limits))
}

pub(super) fn read_triple(
    bytes: &[u8],
    known: &Known<'_>,
    id: TripleId,
) -> Result<TripleTable, Damage> {
    let from = &mut Decoder::new(bytes);
    let short = |number: u32| u16::try_from(number).map_err(|_| "a type id is too large");
    let start = TypeId(short(from.small()?)?);
    let verb = VerbId(short(from.small()?)?);
    let end = TypeId(short(from.small()?)?);
    let meta = TripleMeta {
        id,
        from: start,
        verb,
        to: end,
    };
    let records = read_records(from, known, "")?;
    let types = read_code_column(from)?;
    let keys = if from.flag()? {
        Some(Arc::new(read_column(from, known.seed, false)?))
    } else {
        None
    };
    let mut edges = Edges::new(known.tuning);
    let bulks = records
        .extents
        .iter()
        .filter(|run| run.len as usize >= known.tuning.bulk_min);
    for run in bulks {
        edges.note_bulk(run.first_row);
    }
    let base = read_edges(from, edges.limits(records.rows()), known.numbers_max)?;
    edges.restore(base);
    for _ in 0..from.length()? {
        let (start, end, edge) = (from.small()?, from.small()?, from.small()?);
        let tick = Tick(from.small()?);
        if edge >= records.rows() || start.max(end) >= known.numbers_max {
            return Err("an ended relationship does not fit".to_owned());
        }
        edges.ended.push(
            Edge {
                from: start,
                to: end,
                edge,
            },
            tick,
        );
    }
    edges.ended.freeze_all();
    from.end()?;
    if edges.live() + edges.ended.len() != records.rows() as usize {
        return Err("relationships are missing".to_owned());
    }
    Ok(TripleTable {
        meta,
        records,
        edges,
        types,
        keys,
    })
}
