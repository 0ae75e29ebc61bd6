// SPDX-License-Identifier: Apache-2.0
//! From the bytes of a checkpoint to a snapshot, on two threads.

use std::sync::Arc;

use durward_journal::FileSeal;

use super::codec::Damage;
use super::common::{Counts, read_common};
use super::file::{Packed, split};
use super::tables::{Known, read_triple, read_type};
use super::{CheckpointContext, CheckpointExtra};
use crate::ids::{TripleId, TypeId};
use crate::state::Snapshot;
use crate::state::tables::{TripleTable, TypeTable};
use crate::state::work::in_two_threads;

enum Table {
    Type(TypeTable),
    Triple(Box<TripleTable>),
}

pub(super) fn restore(
    file: &[u8],
    context: &CheckpointContext,
) -> Result<(Snapshot, CheckpointExtra), Damage> {
    let mut snapshot = Snapshot::new(
        context.cipher.clone(),
        Arc::clone(&context.catalog),
        context.key_seed,
    );
    let seal = &*context.seal;
    let sections = split(file, seal)?;
    let (first, tables) = sections.split_first().ok_or("there is no section")?;
    let (extra, counts) = read_common(&first.unpack(seal)?, &mut snapshot)?;
    if counts.types.checked_add(counts.triples) != Some(tables.len()) {
        return Err("sections are missing".to_owned());
    }
    read_tables(&mut snapshot, tables, counts, seal)?;
    number(&mut snapshot, counts)?;
    index(&snapshot);
    if snapshot.sequence < snapshot.timeline.sequence(snapshot.timeline.last()) {
        return Err("the last change is after the head".to_owned());
    }
    Ok((snapshot, extra))
}

fn read_tables(
    snapshot: &mut Snapshot,
    sections: &[Packed<'_>],
    counts: Counts,
    seal: &dyn FileSeal,
) -> Result<(), Damage> {
    let known = Known {
        symbols: &snapshot.symbols,
        catalog: &snapshot.catalog,
        seed: snapshot.key_seed,
        tuning: snapshot.tuning,
        numbers_max: counts.entities.max(counts.relationships),
    };
    // The longest first, so that both threads end at about the same time.
    let mut jobs: Vec<(usize, &Packed<'_>)> = sections.iter().enumerate().collect();
    jobs.sort_by_key(|(_, section)| std::cmp::Reverse(section.raw_len()));
    let read = |(position, section): &(usize, &Packed<'_>)| -> Result<(usize, Table), Damage> {
        let bytes = section.unpack(seal)?;
        let table = match position.checked_sub(counts.types) {
            None => {
                let id = u16::try_from(*position).map_err(|_| "there are too many types")?;
                Table::Type(read_type(&bytes, &known, TypeId(id))?)
            }
            Some(triple) => Table::Triple(Box::new(read_triple(
                &bytes,
                &known,
                TripleId(triple as u32),
            )?)),
        };
        Ok((*position, table))
    };
    let mut read: Vec<(usize, Table)> = in_two_threads(jobs, read)
        .into_iter()
        .collect::<Result<_, Damage>>()?;
    read.sort_by_key(|(position, _)| *position);
    let (mut types, mut triples) = (Vec::new(), Vec::new());
    for (_, table) in read {
        match table {
            Table::Type(table) => types.push(Arc::new(table)),
            Table::Triple(table) => triples.push(Arc::new(*table)),
        }
    }
    let ids = triples.iter().map(|table| {
        let meta = table.meta;
        ((meta.from.0, meta.verb.0, meta.to.0), meta.id.0)
    });
    snapshot.triple_ids = Arc::new(ids.collect());
    snapshot.types = Arc::new(types);
    snapshot.triples = Arc::new(triples);
    Ok(())
}

/// Makes the maps from numbers to rows again.
fn number(snapshot: &mut Snapshot, counts: Counts) -> Result<(), Damage> {
    let mut runs = Vec::new();
    for (table, owner) in snapshot.types.iter().zip(0u32..) {
        runs.extend(table.records.extents.iter().map(|run| (*run, owner)));
    }
    runs.sort_by_key(|(run, _)| run.first_number);
    for (run, owner) in runs {
        if run.first_number != snapshot.entities.next() {
            return Err("entity numbers have a gap".to_owned());
        }
        snapshot.entities.push(owner, run.first_row, run.len);
    }
    let mut runs = Vec::new();
    for (table, owner) in snapshot.triples.iter().zip(0u32..) {
        runs.extend(table.records.extents.iter().map(|run| (*run, owner)));
    }
    runs.sort_by_key(|(run, _)| run.first_number);
    for (run, owner) in runs {
        if run.first_number != snapshot.relationships.next() {
            return Err("relationship numbers have a gap".to_owned());
        }
        snapshot.relationships.push(owner, run.first_row, run.len);
    }
    let given = (snapshot.entities.next(), snapshot.relationships.next());
    if given != (counts.entities, counts.relationships) {
        return Err("objects are missing".to_owned());
    }
    Ok(())
}

/// Makes the key indexes again.
fn index(snapshot: &Snapshot) {
    snapshot
        .key_index
        .reserve(snapshot.entities.next() as usize);
    let mut types: Vec<&Arc<TypeTable>> = snapshot.types.iter().collect();
    types.sort_by_key(|table| std::cmp::Reverse(table.records.rows()));
    in_two_threads(types, |table| {
        for run in table.records.extents.iter() {
            let keys = (run.first_row..run.first_row + run.len).map(|row| table.keys.get(row));
            let key_of = |number| snapshot.key_of_number(number);
            snapshot.key_index.insert(run.first_number, keys, key_of);
        }
    });
    let triples: Vec<&Arc<TripleTable>> = snapshot.triples.iter().collect();
    in_two_threads(triples, |table| {
        let Some(keys) = &table.keys else { return };
        for run in table.records.extents.iter() {
            let rows = run.first_row..run.first_row + run.len;
            let texts = rows.map(|row| keys.at(row).as_str());
            let key_of = |number| snapshot.edge_key_of_number(number);
            snapshot
                .edge_key_index
                .insert(run.first_number, texts, key_of);
        }
    });
}
