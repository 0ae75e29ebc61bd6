// SPDX-License-Identifier: Apache-2.0
//! Uploaded relationships in order, each key once.

use std::collections::{BTreeMap, HashMap};

use durward_model::StringArena;

use super::edges::{EdgeKind, EdgeRows};
use super::marks::Marks;
use super::{DiffError, DiffReport};
use crate::bulk::columns::{permuted, same_value};

/// Refuses keys that stand in several kinds of relationships.
pub(super) fn check_keys(rows: &[EdgeRows]) -> Result<(), DiffError> {
    let mut by_triple: BTreeMap<(u32, &str, u32), Vec<&EdgeRows>> = BTreeMap::new();
    let mut explicit: HashMap<&str, &EdgeKind> = HashMap::new();
    for rows in rows {
        let kind = &rows.kind;
        if kind.conventional {
            by_triple
                .entry((kind.from_type, &kind.verb, kind.to_type))
                .or_default()
                .push(rows);
            continue;
        }
        for key in rows.keys.iter() {
            let first = explicit.entry(key).or_insert(kind);
            if *first != kind {
                return Err(DiffError::Duplicates {
                    count: 1,
                    key: key.to_owned(),
                });
            }
        }
    }
    for alike in by_triple.values().filter(|alike| alike.len() > 1) {
        let mut pairs: Vec<(u32, u32, usize)> = Vec::new();
        for (at, rows) in alike.iter().enumerate() {
            pairs.extend(
                rows.from
                    .iter()
                    .zip(&rows.to)
                    .map(|(from, to)| (*from, *to, at)),
            );
        }
        pairs.sort_unstable();
        let clash = pairs
            .iter()
            .zip(pairs.iter().skip(1))
            .find(|(one, two)| (one.0, one.1) == (two.0, two.1) && one.2 != two.2);
        if clash.is_some() {
            let verb = alike.first().map_or("", |rows| rows.kind.verb.as_str());
            let key = format!("a relationship {verb} of two types");
            return Err(DiffError::Duplicates { count: 1, key });
        }
    }
    Ok(())
}

/// The rows of a kind by (from, to), each key once.
pub(super) fn ordered(mut rows: EdgeRows, report: &mut DiffReport) -> Result<EdgeRows, DiffError> {
    if rows.kind.conventional && rows.columns.is_empty() {
        let pairs = rows.from.iter().zip(&rows.to);
        let mut pairs: Vec<u64> = pairs
            .map(|(from, to)| (u64::from(*from) << 32) | u64::from(*to))
            .collect();
        let before = pairs.len();
        if !pairs.is_sorted() {
            pairs.sort_unstable();
        }
        pairs.dedup();
        report.twins += (before - pairs.len()) as u64;
        rows.from.clear();
        rows.to.clear();
        rows.from
            .extend(pairs.iter().map(|pair| (pair >> 32) as u32));
        rows.to.extend(pairs.iter().map(|pair| *pair as u32));
        return Ok(rows);
    }
    let mut order: Vec<u32> = (0..rows.from.len() as u32).collect();
    let ends = |row: &u32| {
        (
            rows.from.get(*row as usize).copied(),
            rows.to.get(*row as usize).copied(),
        )
    };
    order.sort_by_key(ends);
    let order = without_twins(&rows, order, report)?;
    let pick = |numbers: &[u32]| {
        order
            .iter()
            .filter_map(|row| numbers.get(*row as usize).copied())
            .collect::<Vec<u32>>()
    };
    let (from, to) = (pick(&rows.from), pick(&rows.to));
    let mut keys = StringArena::new();
    if !rows.kind.conventional {
        for row in &order {
            let key = rows.keys.get(*row as usize).unwrap_or_default();
            keys.push(key).map_err(|_| DiffError::Full)?;
        }
    }
    for column in &mut rows.columns {
        column.values = permuted(&column.values, &order);
    }
    (rows.from, rows.to, rows.keys) = (from, to, keys);
    Ok(rows)
}

/// Takes the rows out whose key another row has.
fn without_twins(
    rows: &EdgeRows,
    order: Vec<u32>,
    report: &mut DiffReport,
) -> Result<Vec<u32>, DiffError> {
    let ends = |row: u32| (rows.from.get(row as usize), rows.to.get(row as usize));
    let mut twins: Vec<(u32, u32)> = Vec::new();
    if rows.kind.conventional {
        let mut last: Option<u32> = None;
        for row in &order {
            match last {
                Some(first) if ends(first) == ends(*row) => twins.push((first, *row)),
                _ => {}
            }
            last = Some(*row);
        }
    } else {
        let mut first_rows: HashMap<&str, u32> = HashMap::with_capacity(order.len());
        for (row, key) in rows.keys.iter().enumerate() {
            if let Some(first) = first_rows.insert(key, row as u32) {
                twins.push((first, row as u32));
            }
        }
    }
    if twins.is_empty() {
        return Ok(order);
    }
    let mut dead = Marks::default();
    for (first, second) in twins {
        let same = ends(first) == ends(second)
            && rows.columns.iter().all(|column| {
                let (one, two) = (first as usize, second as usize);
                same_value(&column.values.get(one), &column.values.get(two))
            });
        if !same && !rows.is_lenient(second) {
            let key = match rows.keys.get(second as usize) {
                Some(key) => key.to_owned(),
                None => format!("a relationship of type {}", rows.kind.relationship_type),
            };
            return Err(DiffError::Duplicates { count: 1, key });
        }
        report.twins += 1;
        dead.set(first);
    }
    Ok(order.into_iter().filter(|row| !dead.get(*row)).collect())
}
