// SPDX-License-Identifier: Apache-2.0
//! All staged relationships together, their ends found: one set of rows a triple, type and sort of
//! key.

use std::collections::HashMap;

use durward_model::StringArena;
use durward_model::Value;
use durward_model::change::{Column, ColumnValues, RelationshipKeys};

use super::ends::{End, EndFinder, EndTypes, NoEnd};
use super::entities::EntityOutcome;
use super::gather::{Gathered, append_columns, finish_columns};
use super::parallel::map_in_order;
use super::{Context, DiffError, DiffReport};
use crate::bulk::columns::{ColumnBuilder, permuted};
use crate::bulk::part::{EndAddress, RelationshipGroup, RelationshipSection};
use crate::bulk::staging::{StagedPart, StagingError};

/// All staged relationships.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    pub(crate) rows: Vec<EdgeRows>,
    index: HashMap<EdgeKind, usize>,
    pub(crate) types: EndTypes,
}

/// What the relationships of one set have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EdgeKind {
    pub(crate) from_type: u32,
    pub(crate) verb: String,
    pub(crate) to_type: u32,
    pub(crate) relationship_type: String,
    pub(crate) conventional: bool,
    pub(crate) mapped: bool,
}

/// Relationships of one kind.
#[derive(Debug)]
pub(crate) struct EdgeRows {
    pub(crate) kind: EdgeKind,
    pub(crate) from: Vec<u32>,
    pub(crate) to: Vec<u32>,
    /// Explicit keys; empty for conventional ones.
    pub(crate) keys: StringArena,
    pub(crate) columns: Vec<Column>,
    /// First row of each part, and whether its duplicates replace earlier rows.
    lenient: Vec<(u32, bool)>,
    builders: Vec<ColumnBuilder>,
    column_index: HashMap<String, usize>,
}

impl EdgeRows {
    /// Whether a row may replace an earlier one that has its key.
    pub(crate) fn is_lenient(&self, row: u32) -> bool {
        let after = self.lenient.partition_point(|(first, _)| *first <= row);
        after
            .checked_sub(1)
            .and_then(|at| self.lenient.get(at))
            .is_some_and(|run| run.1)
    }

    fn begin_part(&mut self, lenient: bool) {
        if self.lenient.last().is_none_or(|run| run.1 != lenient) {
            self.lenient.push((self.from.len() as u32, lenient));
        }
    }

    fn finish(&mut self) {
        let builders = std::mem::take(&mut self.builders);
        self.columns = finish_columns(&mut self.column_index, builders, self.from.len());
    }
}

impl Edges {
    /// Ends the building of columns.
    pub(crate) fn finish(&mut self) {
        self.rows.iter_mut().for_each(EdgeRows::finish);
    }

    pub(crate) fn kind(&mut self, kind: EdgeKind) -> usize {
        if let Some(at) = self.index.get(&kind) {
            return *at;
        }
        self.index.insert(kind.clone(), self.rows.len());
        self.rows.push(EdgeRows {
            kind,
            from: Vec::new(),
            to: Vec::new(),
            keys: StringArena::new(),
            columns: Vec::new(),
            lenient: Vec::new(),
            builders: Vec::new(),
            column_index: HashMap::new(),
        });
        self.rows.len() - 1
    }
}

const UNKNOWN: u64 = u64::MAX;

/// The ends of one part under one address, found when first needed.
#[derive(Debug)]
struct Cache {
    address: EndAddress,
    /// Type and number by position in the part's list of ends; [`UNKNOWN`] until asked.
    found: Vec<u64>,
    problems: HashMap<u32, NoEnd>,
}

/// Reads all relationship sections.
pub(crate) fn gather(
    context: Context<'_>,
    gathered: &Gathered,
    outcome: &mut EntityOutcome,
    parts: &[StagedPart],
    report: &mut DiffReport,
) -> Result<Edges, DiffError> {
    let total: u64 = parts.iter().map(|part| part.counts.relationships).sum();
    if total >= u64::from(u32::MAX) {
        return Err(DiffError::Full);
    }
    let mut edges = Edges::default();
    let finder = EndFinder::new(context, gathered, EndTypes::default());
    let ended = &*outcome;
    let mut mapped = Vec::new();
    let work = |part: &StagedPart| -> Result<Found, StagingError> {
        Ok(find_ends(&finder, ended, part.relationships()?))
    };
    map_in_order(parts, work, |found, part| {
        report.relationships.create_errors += found.problems;
        found
            .messages
            .into_iter()
            .for_each(|text| report.message(|| text));
        for rows in found.rows {
            edges.append(&rows, &found.groups, part.ignore_duplicates);
        }
        mapped.extend(found.mapped);
    })?;
    edges.types = finder.types;
    outcome.mapped = mapped;
    Ok(edges)
}

/// The relationships of a part with their ends found.
#[derive(Debug, Default)]
struct Found {
    groups: Vec<RelationshipGroup>,
    rows: Vec<FoundRows>,
    mapped: Vec<String>,
    problems: u64,
    messages: Vec<String>,
}

/// Rows of one group that are of one kind.
#[derive(Debug)]
struct FoundRows {
    group: usize,
    from_type: u32,
    to_type: u32,
    from: Vec<u32>,
    to: Vec<u32>,
    /// Which rows of the group these are.
    picked: Vec<u32>,
}

fn find_ends(
    finder: &EndFinder<'_>,
    outcome: &EntityOutcome,
    section: RelationshipSection,
) -> Found {
    let mut found = Found {
        mapped: section.mapped,
        ..Found::default()
    };
    let mut caches: Vec<Cache> = Vec::new();
    for (at, group) in section.groups.iter().enumerate() {
        let from_cache = cache_of(&mut caches, &group.from_address, section.ends.len());
        let to_cache = cache_of(&mut caches, &group.to_address, section.ends.len());
        let first = found.rows.len();
        let mut last = first;
        for (row, (from_code, to_code)) in group.from.iter().zip(&group.to).enumerate() {
            let mut end = |cache: usize, code: u32| match caches.get_mut(cache) {
                Some(cache) => cache.end(finder, outcome, &section.ends, code),
                None => Err(NoEnd::Missing),
            };
            let (from, to) = match (end(from_cache, *from_code), end(to_cache, *to_code)) {
                (Ok(from), Ok(to)) => (from, to),
                (Err(problem), _) => {
                    found.problem(group, &section.ends, *from_code, problem, "_from");
                    continue;
                }
                (_, Err(problem)) => {
                    found.problem(group, &section.ends, *to_code, problem, "_to");
                    continue;
                }
            };
            let fits =
                |rows: &FoundRows| (rows.from_type, rows.to_type) == (from.type_at, to.type_at);
            if !found.rows.get(last).is_some_and(fits) {
                let known = found.rows.iter().skip(first).position(fits);
                last = known.map_or(found.rows.len(), |at| first + at);
                if known.is_none() {
                    let rows = Vec::with_capacity(group.from.len());
                    found.rows.push(FoundRows {
                        group: at,
                        from_type: from.type_at,
                        to_type: to.type_at,
                        from: rows.clone(),
                        to: rows.clone(),
                        picked: rows,
                    });
                }
            }
            if let Some(rows) = found.rows.get_mut(last) {
                rows.from.push(from.number);
                rows.to.push(to.number);
                rows.picked.push(row as u32);
            }
        }
    }
    found.groups = section.groups;
    found
}

impl Found {
    fn problem(
        &mut self,
        group: &RelationshipGroup,
        ends: &StringArena,
        code: u32,
        problem: NoEnd,
        which: &str,
    ) {
        self.problems += 1;
        if self.messages.len() < super::MESSAGES_MAX {
            let name = ends.get(code as usize).unwrap_or_default();
            let kind = &group.relationship_type;
            let text = problem.text();
            self.messages.push(format!(
                "relationship of type {kind}: entity {name:?} ({which}) {text}"
            ));
        }
    }
}

impl Edges {
    fn append(&mut self, found: &FoundRows, groups: &[RelationshipGroup], lenient: bool) {
        let Some(group) = groups.get(found.group) else {
            return;
        };
        let at = self.kind(EdgeKind {
            from_type: found.from_type,
            verb: group.verb.clone(),
            to_type: found.to_type,
            relationship_type: group.relationship_type.clone(),
            conventional: group.keys == RelationshipKeys::Conventional,
            mapped: false,
        });
        let Some(rows) = self.rows.get_mut(at) else {
            return;
        };
        rows.begin_part(lenient);
        let before = rows.from.len();
        rows.from.extend_from_slice(&found.from);
        rows.to.extend_from_slice(&found.to);
        rows.append(group, &found.picked, before);
    }
}

fn cache_of(caches: &mut Vec<Cache>, address: &EndAddress, ends: usize) -> usize {
    let known = caches.iter().position(|cache| cache.address == *address);
    known.unwrap_or_else(|| {
        caches.push(Cache {
            address: address.clone(),
            found: vec![UNKNOWN; ends],
            problems: HashMap::new(),
        });
        caches.len() - 1
    })
}

impl Cache {
    fn end(
        &mut self,
        finder: &EndFinder<'_>,
        outcome: &EntityOutcome,
        ends: &StringArena,
        code: u32,
    ) -> Result<End, NoEnd> {
        let Self {
            address,
            found,
            problems,
        } = self;
        let Some(slot) = found.get_mut(code as usize) else {
            return Err(NoEnd::Missing);
        };
        if *slot == UNKNOWN {
            if let Some(problem) = problems.get(&code) {
                return Err(*problem);
            }
            let name = ends.get(code as usize).unwrap_or_default();
            match finder.find(outcome, address, name) {
                Ok(end) => *slot = (u64::from(end.type_at) << 32) | u64::from(end.number),
                Err(problem) => {
                    problems.insert(code, problem);
                    return Err(problem);
                }
            }
        }
        Ok(End {
            type_at: (*slot >> 32) as u32,
            number: *slot as u32,
        })
    }
}

impl EdgeRows {
    /// Appends keys and columns of the picked rows of a group, whose ends are there already.
    fn append(&mut self, group: &RelationshipGroup, picked: &[u32], before: usize) {
        if let RelationshipKeys::Explicit(keys) = &group.keys {
            for row in picked {
                // Keys of 4 GiB in one kind of relationship cannot come from parts that fit.
                let _ = self.keys.push(keys.get(*row as usize).unwrap_or_default());
            }
        }
        let (index, builders) = (&mut self.column_index, &mut self.builders);
        if picked.len() == group.from.len() {
            append_columns(index, builders, before, &group.columns);
            return;
        }
        let columns: Vec<Column> = group
            .columns
            .iter()
            .map(|column| Column {
                property: column.property.clone(),
                values: permuted(&column.values, picked),
            })
            .collect();
        append_columns(index, builders, before, &columns);
    }

    /// Adds one relationship. Its duplicates may not differ.
    pub(crate) fn push(
        &mut self,
        from: u32,
        to: u32,
        key: Option<&str>,
        properties: Vec<(String, Value)>,
    ) {
        let row = self.from.len();
        self.begin_part(false);
        self.from.push(from);
        self.to.push(to);
        if let Some(key) = key {
            // Mapped relationships are few.
            let _ = self.keys.push(key);
        }
        for (name, value) in properties {
            let column = Column {
                property: name,
                values: ColumnValues::Mixed(vec![value]),
            };
            append_columns(&mut self.column_index, &mut self.builders, row, &[column]);
        }
    }
}
