// SPDX-License-Identifier: Apache-2.0
//! Uploaded relationships against the graph.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use durward_model::change::{
    Cell, Change, Column, EndType, PatchColumn, RelationshipBatch, RelationshipKeys,
    RelationshipPatch, Triple,
};
use durward_model::{RelationshipNumber, StringArena, Value};

use super::cells::{Absent, Pair, changed_cells, removed_cells};
use super::edges::{EdgeKind, EdgeRows, Edges};
use super::entities::{EntityOutcome, resolve_id};
use super::parallel::map_ranges;
use super::marks::{EdgeMarks, Marks, cascade_edges};
use super::{Context, DiffError, DiffReport, SyncMode};
use crate::bulk::columns::{permuted, same_value};
use crate::bulk::part::Removal;
use crate::ids::{Direction, EdgeRef, EntityRef, ObjectRef, TripleId, TypeId};
use crate::view::TripleMeta;

/// What the comparison of relationships came to.
#[derive(Debug, Default)]
pub(crate) struct EdgeOutcome {
    pub(crate) deletions: Vec<Change>,
    /// New relationships, not numbered yet.
    pub(crate) creations: Vec<Change>,
    pub(crate) patches: Vec<Change>,
}

struct Work<'w> {
    context: Context<'w>,
    outcome: EdgeOutcome,
    /// Relationships that end.
    ended: EdgeMarks,
    /// Relationships that were uploaded again.
    seen: EdgeMarks,
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
    let mut work =
        Work { context, outcome: EdgeOutcome::default(), ended, seen: EdgeMarks::new() };
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

/// Refuses keys that stand in several kinds of relationships.
fn check_keys(rows: &[EdgeRows]) -> Result<(), DiffError> {
    let mut by_triple: BTreeMap<(u32, &str, u32), Vec<&EdgeRows>> = BTreeMap::new();
    let mut explicit: HashMap<&str, &EdgeKind> = HashMap::new();
    for rows in rows {
        let kind = &rows.kind;
        if kind.conventional {
            by_triple.entry((kind.from_type, &kind.verb, kind.to_type)).or_default().push(rows);
            continue;
        }
        for key in rows.keys.iter() {
            let first = explicit.entry(key).or_insert(kind);
            if *first != kind {
                return Err(DiffError::Duplicates { count: 1, key: key.to_owned() });
            }
        }
    }
    for alike in by_triple.values().filter(|alike| alike.len() > 1) {
        let mut pairs: Vec<(u32, u32, usize)> = Vec::new();
        for (at, rows) in alike.iter().enumerate() {
            pairs.extend(rows.from.iter().zip(&rows.to).map(|(from, to)| (*from, *to, at)));
        }
        pairs.sort_unstable();
        let clash = pairs.iter().zip(pairs.iter().skip(1)).find(|(one, two)| {
            (one.0, one.1) == (two.0, two.1) && one.2 != two.2
        });
        if clash.is_some() {
            let verb = alike.first().map_or("", |rows| rows.kind.verb.as_str());
            let key = format!("a relationship {verb} of two types");
            return Err(DiffError::Duplicates { count: 1, key });
        }
    }
    Ok(())
}

/// The rows of a kind by (from, to), each key once.
fn ordered(mut rows: EdgeRows, report: &mut DiffReport) -> Result<EdgeRows, DiffError> {
    if rows.kind.conventional && rows.columns.is_empty() {
        let pairs = rows.from.iter().zip(&rows.to);
        let mut pairs: Vec<u64> =
            pairs.map(|(from, to)| (u64::from(*from) << 32) | u64::from(*to)).collect();
        let before = pairs.len();
        if !pairs.is_sorted() {
            pairs.sort_unstable();
        }
        pairs.dedup();
        report.twins += (before - pairs.len()) as u64;
        rows.from.clear();
        rows.to.clear();
        rows.from.extend(pairs.iter().map(|pair| (pair >> 32) as u32));
        rows.to.extend(pairs.iter().map(|pair| *pair as u32));
        return Ok(rows);
    }
    let mut order: Vec<u32> = (0..rows.from.len() as u32).collect();
    let ends = |row: &u32| {
        (rows.from.get(*row as usize).copied(), rows.to.get(*row as usize).copied())
    };
    order.sort_by_key(ends);
    let order = without_twins(&rows, order, report)?;
    let pick = |numbers: &[u32]| {
        order.iter().filter_map(|row| numbers.get(*row as usize).copied()).collect::<Vec<u32>>()
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

impl Work<'_> {
    fn compare_rows(
        &mut self,
        rows: EdgeRows,
        triple: Triple,
        report: &mut DiffReport,
    ) -> Result<(), DiffError> {
        let rows = ordered(rows, report)?;
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
                pairs.push(Pair { staged: row, known: edge.edge });
            } else {
                self.ended.entry(edge.triple).or_default().set(edge.edge);
                created.push(row);
            }
        }
        if let Some(known) = known.filter(|_| !pairs.is_empty()) {
            pairs.sort_unstable_by_key(|pair| pair.known);
            self.update(&rows, &triple, known.id, &pairs, report);
        }
        self.create(rows, triple, created, report);
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
        view.triples_matching(Some(from), Some(verb), Some(to)).first().copied()
    }

    fn explicit_edges(&self, rows: &EdgeRows, range: Range<usize>) -> Vec<Option<EdgeRef>> {
        let namespace = &self.context.spec.namespace;
        let key = |row| rows.keys.get(row).unwrap_or_default();
        range.map(|row| self.context.view.find_edge_by_key(namespace, key(row))).collect()
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
        let ends = rows.from.iter().zip(&rows.to).skip(range.start).take(range.len());
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
                    .map(|(_, edge)| EdgeRef { triple: triple.id, edge: *edge })
                    .find(|edge| {
                        view.edge_key_is_conventional(*edge)
                            && self.context.members.has_edge(*edge)
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
        let entity = self.context.view.entity_of(durward_model::EntityNumber(number))?;
        (entity.type_id == type_id).then_some(entity.row)
    }

    fn has_ends(&self, edge: EdgeRef, rows: &EdgeRows, row: u32) -> bool {
        let view = self.context.view;
        let number = |end: EntityRef| match end.as_relationship() {
            Some(number) => number.0,
            None => view.entity_number(end).0,
        };
        let Some((from, to)) = view.edge_ends(edge) else { return false };
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
        let view = self.context.view;
        let replaces = self.context.spec.mode == SyncMode::Diff;
        let absent = if replaces { Absent::Removes } else { Absent::Keeps(&[]) };
        let mut touched = Marks::default();
        let number = |at: usize| {
            let edge = pairs.get(at).map_or(0, |pair| pair.known);
            view.edge_number(EdgeRef { triple: known, edge })
        };
        let patches = &mut self.outcome.patches;
        let mut add = |property: &str, cells: Vec<(usize, Value)>| {
            if cells.is_empty() {
                return;
            }
            cells.iter().for_each(|(at, _)| {
                touched.set(*at as u32);
            });
            patches.push(Change::PatchRelationships(RelationshipPatch {
                triple: triple.clone(),
                relationships: cells.iter().map(|(at, _)| number(*at)).collect(),
                columns: vec![PatchColumn {
                    property: property.to_owned(),
                    cells: cells.into_iter().map(|(_, value)| Cell::Set(value)).collect(),
                }],
            }));
        };
        for column in &rows.columns {
            let property = view.property_id(&column.property);
            let known = property.and_then(|property| view.edge_column(known, property));
            add(&column.property, changed_cells(&column.values, known.as_ref(), pairs, absent));
        }
        for property in view.properties_of_triple(known).into_iter().filter(|_| replaces) {
            let name = view.property_name(property);
            if rows.columns.iter().any(|column| column.property == name) {
                continue;
            }
            if let Some(known) = view.edge_column(known, property) {
                add(name, removed_cells(&known, pairs));
            }
        }
        let updated = touched.iter().count() as u64;
        let counts = if rows.kind.mapped { &mut report.mapped } else { &mut report.relationships };
        counts.updated += updated;
        counts.unchanged += pairs.len() as u64 - updated;
    }

    fn create(&mut self, rows: EdgeRows, triple: Triple, created: Vec<u32>, report: &mut DiffReport) {
        if created.is_empty() {
            return;
        }
        let counts = if rows.kind.mapped { &mut report.mapped } else { &mut report.relationships };
        counts.created += created.len() as u64;
        let mut batch = RelationshipBatch {
            triple,
            relationship_type: rows.kind.relationship_type,
            namespace: self.context.spec.namespace.clone(),
            first: RelationshipNumber(0),
            from: rows.from,
            to: rows.to,
            keys: match rows.kind.conventional {
                true => RelationshipKeys::Conventional,
                false => RelationshipKeys::Explicit(rows.keys),
            },
            columns: rows.columns,
        };
        if created.len() < batch.from.len() {
            keep_rows(&mut batch, &created);
        }
        self.outcome.creations.push(Change::CreateRelationships(batch));
    }

    fn remove_listed(&mut self, removals: &[Removal], report: &mut DiffReport) {
        let view = self.context.view;
        for removal in removals.iter().filter(|removal| removal.relationship) {
            let edge = match removal.by_id {
                true => match resolve_id(view, &removal.name) {
                    Some(ObjectRef::Edge(edge)) => Some(edge),
                    _ => None,
                },
                false => view.find_edge_by_key(&self.context.spec.namespace, &removal.name),
            };
            let Some(edge) = edge else { continue };
            let name = &removal.name;
            if view.edge_namespace(edge).source == durward_model::Namespace::DURWARD
                || !self.is_unprotected(edge)
            {
                report.relationships.delete_errors += 1;
                report.message(|| format!("relationship {name:?} is protected"));
            } else if is_marked(&self.seen, edge) {
                report.relationships.delete_errors += 1;
                report.message(|| {
                    format!("relationship {name:?} is uploaded and deleted in one job")
                });
            } else {
                self.ended.entry(edge.triple).or_default().set(edge.edge);
            }
        }
    }

    /// Whether no end of a relationship is of a protected type.
    fn is_unprotected(&self, edge: EdgeRef) -> bool {
        let view = self.context.view;
        let protected = |type_id| self.context.catalog.is_protected(view.type_name(type_id));
        view.triple(edge.triple).is_some_and(|meta| !protected(meta.from) && !protected(meta.to))
    }

    /// Ends the live relationships of the namespace that were not uploaded.
    fn end_absent(&mut self) {
        let view = self.context.view;
        let spec = self.context.spec;
        for triple in view.triples() {
            let seen = self.seen.get(&triple.id);
            let mut absent = Vec::new();
            for edge in view.live_edge_rows(triple.id).iter() {
                if seen.is_some_and(|seen| seen.get(edge)) {
                    continue;
                }
                let edge = EdgeRef { triple: triple.id, edge };
                if self.context.members.has_edge(edge)
                    && (spec.partial_types.is_empty()
                        || !spec.partial_types.contains(view.edge_type_str(edge)))
                {
                    absent.push(edge.edge);
                }
            }
            if !absent.is_empty() {
                let ended = self.ended.entry(triple.id).or_default();
                absent.into_iter().for_each(|edge| {
                    ended.set(edge);
                });
            }
        }
    }

    /// Takes new relationships out that begin or end at one that ends in this job.
    fn drop_dangling(&mut self, report: &mut DiffReport) {
        let view = self.context.view;
        let ended: BTreeSet<u32> = self
            .ended
            .iter()
            .flat_map(|(triple, rows)| rows.iter().map(|edge| EdgeRef { triple: *triple, edge }))
            .filter(|_| self.outcome.creations.iter().any(is_on_relationships))
            .map(|edge| view.edge_number(edge).0)
            .collect();
        for change in self.outcome.creations.iter_mut().filter(|change| is_on_relationships(change)) {
            let Change::CreateRelationships(batch) = change else { continue };
            let dangles = |end: &EndType, number: u32| {
                *end == EndType::Relationship && ended.contains(&number)
            };
            let kept: Vec<u32> = (0..batch.from.len() as u32)
                .zip(batch.from.iter().zip(&batch.to))
                .filter(|(_, (from, to))| {
                    !dangles(&batch.triple.from, **from) && !dangles(&batch.triple.to, **to)
                })
                .map(|(row, _)| row)
                .collect();
            let dropped = (batch.from.len() - kept.len()) as u64;
            report.relationships.created = report.relationships.created.saturating_sub(dropped);
            report.relationships.create_errors += dropped;
            if dropped > 0 {
                keep_rows(batch, &kept);
            }
        }
        self.outcome.creations.retain(|change| {
            !matches!(change, Change::CreateRelationships(batch) if batch.is_empty())
        });
    }

    fn write_deletions(&mut self, report: &mut DiffReport) {
        let view = self.context.view;
        for (triple, rows) in &self.ended {
            let number = |edge| view.edge_number(EdgeRef { triple: *triple, edge });
            let relationships: Vec<RelationshipNumber> = rows
                .iter()
                .filter(|edge| view.is_edge_live(EdgeRef { triple: *triple, edge: *edge }))
                .map(number)
                .collect();
            let Some(meta) = view.triple(*triple).filter(|_| !relationships.is_empty()) else {
                continue;
            };
            report.relationships.deleted += relationships.len() as u64;
            let end = |type_id: TypeId| match type_id.is_relationship() {
                true => EndType::Relationship,
                false => EndType::Entity(view.type_name(type_id).to_owned()),
            };
            self.outcome.deletions.push(Change::DeleteRelationships {
                triple: Triple {
                    from: end(meta.from),
                    verb: view.verb_name(meta.verb).to_owned(),
                    to: end(meta.to),
                },
                relationships,
            });
        }
    }
}

fn is_marked(marks: &EdgeMarks, edge: EdgeRef) -> bool {
    marks.get(&edge.triple).is_some_and(|rows| rows.get(edge.edge))
}

fn is_on_relationships(change: &Change) -> bool {
    matches!(change, Change::CreateRelationships(batch)
        if batch.triple.from == EndType::Relationship || batch.triple.to == EndType::Relationship)
}

/// Keeps these rows of a batch, in this order.
fn keep_rows(batch: &mut RelationshipBatch, rows: &[u32]) {
    let pick = |numbers: &[u32]| {
        rows.iter().filter_map(|row| numbers.get(*row as usize).copied()).collect::<Vec<u32>>()
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
