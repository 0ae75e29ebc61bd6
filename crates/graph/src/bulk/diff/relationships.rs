// SPDX-License-Identifier: Apache-2.0
//! Uploaded relationships against the graph.

use std::ops::Range;

use durward_model::change::{
    Cell, Change, Column, EndType, PatchColumn, RelationshipBatch, RelationshipKeys,
    RelationshipPatch, Triple,
};
use durward_model::{RelationshipNumber, StringArena, Value};

use super::cells::{Absent, Pair, changed_cells, removed_cells};
use super::edges::{EdgeRows, Edges};
use super::entities::EntityOutcome;
use super::gather::constant_columns;
use super::marks::{EdgeMarks, Marks, cascade_edges};
use super::order::{check_keys, ordered};
use super::parallel::map_ranges;
use super::{Context, DiffError, DiffReport, Outcomes, SyncMode};
use crate::bulk::columns::permuted;
use crate::bulk::part::Removal;
use crate::ids::{Direction, EdgeRef, EntityRef, TripleId, TypeId};
use crate::view::{TripleMeta, View};

/// What the comparison of relationships came to.
#[derive(Debug, Default)]
pub(crate) struct EdgeOutcome {
    pub(crate) deletions: Vec<Change>,
    /// New relationships, not numbered yet.
    pub(crate) creations: Vec<Change>,
    pub(crate) patches: Vec<Change>,
}

pub(super) struct Work<'w> {
    pub(super) context: Context<'w>,
    pub(super) outcome: EdgeOutcome,
    /// Relationships that end.
    pub(super) ended: EdgeMarks,
    /// Relationships that were uploaded again.
    pub(super) seen: EdgeMarks,
}

/// Compares all uploaded relationships.
pub(crate) fn compare(
    context: Context<'_>,
    edges: Edges,
    entities: &mut EntityOutcome,
    removals: &[Removal],
    report: &mut DiffReport,
) -> Result<EdgeOutcome, DiffError> {
    let ended = std::mem::take(&mut entities.ended_edges);
    let mut work = Work {
        context,
        outcome: EdgeOutcome::default(),
        ended,
        seen: EdgeMarks::new(),
    };
    let Edges { rows, types, .. } = edges;
    check_keys(&rows)?;
    let mut sorted = rows;
    sorted.sort_by(|left, right| left.kind.cmp(&right.kind));
    for rows in sorted {
        let triple = Triple {
            from: types.end_type(rows.kind.from_type),
            verb: rows.kind.verb.clone(),
            to: types.end_type(rows.kind.to_type),
        };
        work.compare_rows(rows, triple, report)?;
    }
    work.remove_listed(removals, report);
    if context.spec.mode == SyncMode::Diff && !context.blank {
        work.end_absent();
    }
    cascade_edges(context.view, &mut work.ended);
    work.drop_dangling(report);
    work.write_deletions(report);
    Ok(work.outcome)
}

impl Work<'_> {
    fn compare_rows(
        &mut self,
        rows: EdgeRows,
        triple: Triple,
        report: &mut DiffReport,
    ) -> Result<(), DiffError> {
        let mut rows = ordered(rows, report)?;
        let count = rows.from.len();
        rows.columns
            .extend(constant_columns(&self.context.spec.stamp, count));
        let known = self.known_triple(&triple);
        let known_edges = match known {
            _ if self.context.blank => Vec::new(),
            _ if !rows.kind.conventional => {
                map_ranges(rows.from.len(), |range| self.explicit_edges(&rows, range))
            }
            Some(known) => map_ranges(rows.from.len(), |range| {
                self.conventional_edges(known, &rows, range)
            }),
            None => Vec::new(),
        };
        let mut created: Vec<u32> = Vec::new();
        let mut pairs: Vec<Pair> = Vec::new();
        for row in 0..rows.from.len() as u32 {
            let edge = known_edges.get(row as usize).copied().flatten();
            let Some(edge) = edge.filter(|edge| !is_marked(&self.ended, *edge)) else {
                created.push(row);
                continue;
            };
            let same = Some(edge.triple) == known.map(|known| known.id)
                && self.has_ends(edge, &rows, row)
                && self.context.view.edge_type_str(edge) == rows.kind.relationship_type;
            if same {
                self.seen.entry(edge.triple).or_default().set(edge.edge);
                pairs.push(Pair {
                    staged: row,
                    known: edge.edge,
                });
            } else {
                self.ended.entry(edge.triple).or_default().set(edge.edge);
                created.push(row);
            }
        }
        if let Some(known) = known.filter(|_| !pairs.is_empty()) {
            pairs.sort_unstable_by_key(|pair| pair.known);
            self.update(&rows, &triple, known.id, &pairs, report);
        }
        self.create(rows, triple, &created, report);
        Ok(())
    }

    fn known_triple(&self, triple: &Triple) -> Option<TripleMeta> {
        let view = self.context.view;
        let type_id = |end: &EndType| match end {
            EndType::Entity(name) => view.type_id(name),
            EndType::Relationship => Some(TypeId::RELATIONSHIP),
        };
        let (from, to) = (type_id(&triple.from)?, type_id(&triple.to)?);
        let verb = view.verb_id(&triple.verb)?;
        view.triples_matching(Some(from), Some(verb), Some(to))
            .first()
            .copied()
    }

    fn explicit_edges(&self, rows: &EdgeRows, range: Range<usize>) -> Vec<Option<EdgeRef>> {
        let namespace = &self.context.spec.namespace;
        let key = |row| rows.keys.get(row).unwrap_or_default();
        range
            .map(|row| self.context.view.find_edge_by_key(namespace, key(row)))
            .collect()
    }

    /// The live relationship of each row whose key is conventional.
    fn conventional_edges(
        &self,
        triple: TripleMeta,
        rows: &EdgeRows,
        range: Range<usize>,
    ) -> Vec<Option<EdgeRef>> {
        let view = self.context.view;
        let adjacency = view.adjacency(triple.id, Direction::Out);
        let mut found = Vec::with_capacity(range.len());
        let mut from_number = None;
        let mut from_row = None;
        let mut neighbours: Vec<(u32, u32)> = Vec::new();
        let ends = rows
            .from
            .iter()
            .zip(&rows.to)
            .skip(range.start)
            .take(range.len());
        for (from, to) in ends {
            if from_number != Some(*from) {
                from_number = Some(*from);
                from_row = self.row_of(triple.from, *from);
                neighbours.clear();
                if let Some(row) = from_row {
                    adjacency.for_each_edge(row, |other, edge| neighbours.push((other, edge)));
                }
            }
            let to_row = match from_row {
                Some(_) => self.row_of(triple.to, *to),
                None => None,
            };
            found.push(to_row.and_then(|to_row| {
                let first = neighbours.partition_point(|(other, _)| *other < to_row);
                neighbours
                    .iter()
                    .skip(first)
                    .take_while(|(other, _)| *other == to_row)
                    .map(|(_, edge)| EdgeRef {
                        triple: triple.id,
                        edge: *edge,
                    })
                    .find(|edge| {
                        view.edge_key_is_conventional(*edge) && self.context.members.has_edge(*edge)
                    })
            }));
        }
        found
    }

    /// The row of an object of a known type; none for one that is new.
    fn row_of(&self, type_id: TypeId, number: u32) -> Option<u32> {
        if type_id.is_relationship() {
            return Some(number);
        }
        let entity = self
            .context
            .view
            .entity_of(durward_model::EntityNumber(number))?;
        (entity.type_id == type_id).then_some(entity.row)
    }

    fn has_ends(&self, edge: EdgeRef, rows: &EdgeRows, row: u32) -> bool {
        let view = self.context.view;
        let number = |end: EntityRef| match end.as_relationship() {
            Some(number) => number.0,
            None => view.entity_number(end).0,
        };
        let Some((from, to)) = view.edge_ends(edge) else {
            return false;
        };
        rows.from.get(row as usize) == Some(&number(from))
            && rows.to.get(row as usize) == Some(&number(to))
    }

    fn update(
        &mut self,
        rows: &EdgeRows,
        triple: &Triple,
        known: TripleId,
        pairs: &[Pair],
        report: &mut DiffReport,
    ) {
        let mut update = Update {
            view: self.context.view,
            triple,
            known,
            pairs,
            touched: Marks::default(),
            patches: &mut self.outcome.patches,
        };
        let replaces = self.context.spec.mode == SyncMode::Diff;
        update.compare_columns(&rows.columns, replaces);
        if replaces {
            update.remove_absent(&rows.columns);
        }
        let updated = update.touched.iter().count() as u64;
        let counts = outcomes(rows, report);
        counts.updated += updated;
        counts.unchanged += pairs.len() as u64 - updated;
    }

    fn create(&mut self, rows: EdgeRows, triple: Triple, created: &[u32], report: &mut DiffReport) {
        if created.is_empty() {
            return;
        }
        outcomes(&rows, report).created += created.len() as u64;
        let mut batch = RelationshipBatch {
            triple,
            relationship_type: rows.kind.relationship_type,
            namespace: self.context.spec.namespace.clone(),
            first: RelationshipNumber(0),
            from: rows.from,
            to: rows.to,
            keys: if rows.kind.conventional {
                RelationshipKeys::Conventional
            } else {
                RelationshipKeys::Explicit(rows.keys)
            },
            columns: rows.columns,
        };
        if created.len() < batch.from.len() {
            keep_rows(&mut batch, created);
        }
        self.outcome
            .creations
            .push(Change::CreateRelationships(batch));
    }
}

/// The counts that relationships of these rows go to.
fn outcomes<'r>(rows: &EdgeRows, report: &'r mut DiffReport) -> &'r mut Outcomes {
    if rows.kind.mapped {
        &mut report.mapped
    } else {
        &mut report.relationships
    }
}

/// Matched rows of one triple under comparison.
struct Update<'u> {
    view: &'u View,
    triple: &'u Triple,
    known: TripleId,
    pairs: &'u [Pair],
    /// Positions in `pairs` of the relationships that change.
    touched: Marks,
    patches: &'u mut Vec<Change>,
}

impl Update<'_> {
    /// Changes what the uploaded columns have otherwise.
    fn compare_columns(&mut self, uploaded: &[Column], replaces: bool) {
        let absent = if replaces {
            Absent::Removes
        } else {
            Absent::Keeps(&[])
        };
        for column in uploaded {
            let property = self.view.property_id(&column.property);
            let known = property.and_then(|property| self.view.edge_column(self.known, property));
            let cells = changed_cells(&column.values, known.as_ref(), self.pairs, absent);
            self.set(&column.property, cells);
        }
    }

    /// Removes the properties that the upload has no column for.
    fn remove_absent(&mut self, uploaded: &[Column]) {
        let view = self.view;
        for property in view.properties_of_triple(self.known) {
            let name = view.property_name(property);
            if uploaded.iter().any(|column| column.property == name) {
                continue;
            }
            if let Some(known) = view.edge_column(self.known, property) {
                self.set(name, removed_cells(&known, self.pairs));
            }
        }
    }

    /// Sets a property of the relationships at these positions.
    fn set(&mut self, property: &str, cells: Vec<(usize, Value)>) {
        if cells.is_empty() {
            return;
        }
        let mut relationships = Vec::with_capacity(cells.len());
        for (at, _) in &cells {
            self.touched.set(*at as u32);
            let edge = self.pairs.get(*at).map_or(0, |pair| pair.known);
            relationships.push(self.view.edge_number(EdgeRef {
                triple: self.known,
                edge,
            }));
        }
        self.patches
            .push(Change::PatchRelationships(RelationshipPatch {
                triple: self.triple.clone(),
                relationships,
                columns: vec![PatchColumn {
                    property: property.to_owned(),
                    cells: cells
                        .into_iter()
                        .map(|(_, value)| Cell::Set(value))
                        .collect(),
                }],
            }));
    }
}

pub(super) fn is_marked(marks: &EdgeMarks, edge: EdgeRef) -> bool {
    marks
        .get(&edge.triple)
        .is_some_and(|rows| rows.get(edge.edge))
}

/// Keeps these rows of a batch, in this order.
pub(super) fn keep_rows(batch: &mut RelationshipBatch, rows: &[u32]) {
    let pick = |numbers: &[u32]| {
        rows.iter()
            .filter_map(|row| numbers.get(*row as usize).copied())
            .collect::<Vec<u32>>()
    };
    (batch.from, batch.to) = (pick(&batch.from), pick(&batch.to));
    if let RelationshipKeys::Explicit(keys) = &mut batch.keys {
        let mut kept = StringArena::new();
        for row in rows {
            // Some of the strings of an arena fit into another.
            let _ = kept.push(keys.get(*row as usize).unwrap_or_default());
        }
        *keys = kept;
    }
    for Column { values, .. } in &mut batch.columns {
        *values = permuted(values, rows);
    }
}
