// SPDX-License-Identifier: Apache-2.0
//! Folding changes of relationships into a state.

use std::sync::Arc;

use durward_model::RelationshipNumber;
use durward_model::change::{
    ColumnValues, EndType, RelationshipBatch, RelationshipKeys, RelationshipPatch, Triple,
};
use parking_lot::Mutex;

use super::Snapshot;
use super::apply::{Misfit, PARALLEL_ROWS};
use super::base::Edge;
use super::column::Column;
use super::edges::Edges;
use super::records::{Records, cells_by_row, columns_fit};
use super::tables::TripleTable;
use super::timeline::Tick;
use crate::ids::{TripleId, TypeId};
use crate::view::TripleMeta;

impl Snapshot {
    fn end_type(&self, end: &EndType) -> Option<TypeId> {
        match end {
            EndType::Relationship => Some(TypeId::RELATIONSHIP),
            EndType::Entity(name) => self.symbols.types.find(&**name).map(|id| TypeId(id as u16)),
        }
    }

    fn find_triple(&self, triple: &Triple) -> Option<TripleId> {
        let (from, to) = (self.end_type(&triple.from)?, self.end_type(&triple.to)?);
        let verb = self.symbols.verbs.find(&*triple.verb)? as u16;
        self.triple_ids
            .get(&(from.0, verb, to.0))
            .copied()
            .map(TripleId)
    }

    fn triple_id(&mut self, triple: &Triple) -> Result<TripleId, Misfit> {
        if let Some(id) = self.find_triple(triple) {
            return Ok(id);
        }
        let (Some(from), Some(to)) = (self.end_type(&triple.from), self.end_type(&triple.to))
        else {
            return Err(format!(
                "an end type of {} is unknown",
                Self::triple_name(triple)
            ));
        };
        let verb = self
            .symbols
            .verb_id(&triple.verb)
            .ok_or("there are too many verbs")?;
        Ok(self.add_triple(from, verb, to))
    }

    pub(crate) fn add_triple(
        &mut self,
        from: TypeId,
        verb: crate::ids::VerbId,
        to: TypeId,
    ) -> TripleId {
        let id = TripleId(self.triples.len() as u32);
        let meta = TripleMeta { id, from, verb, to };
        Arc::make_mut(&mut self.triple_ids).insert((from.0, verb.0, to.0), id.0);
        let edges = Edges::new(self.tuning);
        Arc::make_mut(&mut self.triples).push(Arc::new(TripleTable {
            meta,
            records: Records::default(),
            edges,
            types: super::codes::CodeColumn::default(),
            keys: None,
        }));
        id
    }

    fn triple_table_mut(&mut self, id: TripleId) -> Result<&mut TripleTable, Misfit> {
        let table = Arc::make_mut(&mut self.triples).get_mut(id.0 as usize);
        table
            .map(Arc::make_mut)
            .ok_or_else(|| "a triple went missing".to_owned())
    }

    /// The rows of living objects at one end.
    fn end_rows(&self, end: TypeId, numbers: &[u32]) -> Result<Vec<u32>, Misfit> {
        if end.is_relationship() {
            let lives = |number: &u32| {
                let (owner, row) = self.relationships.get(*number)?;
                let table = self.triples.get(owner as usize)?;
                table.records.is_live(row, None).then_some(*number)
            };
            let found = numbers.iter().map(|number| {
                lives(number).ok_or_else(|| format!("relationship {number} does not live"))
            });
            return found.collect();
        }
        let Some(table) = self.types.get(usize::from(end.0)) else {
            return Err("a type has no entity".to_owned());
        };
        let records = &table.records;
        let (mut rows, mut run) = (Vec::with_capacity(numbers.len()), None);
        for number in numbers {
            // Numbers mostly lie in the run in which the one before lay.
            let same = run.filter(|run: &(u32, u32, u32)| number.wrapping_sub(run.0) < run.2);
            let found = same.or_else(|| {
                let row = records.extents.row(*number)?;
                let extent = records.extents.of_row(row)?;
                Some((extent.first_number, extent.first_row, extent.len))
            });
            let row = found.map(|(first, row, _)| row + (number - first));
            match row.filter(|row| !records.ended.contains(*row)) {
                Some(row) => rows.push(row),
                None => return Err(format!("no entity of number {number} lives at an end")),
            }
            run = found;
        }
        Ok(rows)
    }

    pub(crate) fn create_relationships(
        &mut self,
        batch: &RelationshipBatch,
        tick: Tick,
    ) -> Result<(), Misfit> {
        let len = batch.len();
        let next = self.relationships.next();
        if batch.first.0 != next {
            return Err(format!(
                "relationship numbers start at {}, not at {next}",
                batch.first.0
            ));
        }
        let keys_fit = match &batch.keys {
            RelationshipKeys::Conventional => true,
            RelationshipKeys::Explicit(keys) => keys.len() == len,
        };
        let fits = u32::try_from(len)
            .ok()
            .and_then(|len| next.checked_add(len))
            .is_some();
        if !fits || batch.to.len() != len || !keys_fit || !columns_fit(&batch.columns, len) {
            return Err("the parts of a relationship batch differ in length".to_owned());
        }
        let id = self.triple_id(&batch.triple)?;
        let properties = self.properties(&batch.columns)?;
        let edge_type = self.symbols.edge_types.intern(&*batch.relationship_type);
        let namespace = self
            .symbols
            .namespaces
            .intern_owned(batch.namespace.clone());
        let seed = self.key_seed;
        let meta = self.triple_table_mut(id)?.meta;
        let (from, to) = self.both_end_rows(meta, batch)?;
        let table = self.triple_table_mut(id)?;
        let first = table.records.rows();
        table.records.extents.push(next, len as u32, tick);
        table
            .records
            .namespaces
            .append(first, len as u32, namespace);
        table.types.append(first, len as u32, edge_type);
        table.edges.append(from.into_iter().zip(to));
        for (property, column) in properties {
            let own = table
                .records
                .column_mut(property, || Column::new(seed, false));
            Arc::make_mut(own).append(first, &column.values);
        }
        if let RelationshipKeys::Explicit(keys) = &batch.keys {
            let own = table
                .keys
                .get_or_insert_with(|| Arc::new(Column::plain(seed)));
            Arc::make_mut(own).append(first, &ColumnValues::Texts(keys.clone()));
        }
        self.relationships.push(id.0, first, len as u32);
        if let RelationshipKeys::Explicit(keys) = &batch.keys {
            let keys = (0..len).map(|position| keys.get(position));
            self.edge_key_index
                .insert(next, keys, |number| self.edge_key_of_number(number));
        }
        Ok(())
    }

    fn both_end_rows(
        &self,
        meta: TripleMeta,
        batch: &RelationshipBatch,
    ) -> Result<(Vec<u32>, Vec<u32>), Misfit> {
        if batch.len() < PARALLEL_ROWS {
            return Ok((
                self.end_rows(meta.from, &batch.from)?,
                self.end_rows(meta.to, &batch.to)?,
            ));
        }
        let (from, to) = std::thread::scope(|scope| {
            let other = scope.spawn(|| self.end_rows(meta.to, &batch.to));
            let from = self.end_rows(meta.from, &batch.from);
            (
                from,
                other
                    .join()
                    .unwrap_or_else(|_| Err("a thread failed".to_owned())),
            )
        });
        Ok((from?, to?))
    }

    /// The explicit key of a relationship, if it has one.
    pub(crate) fn edge_key_of_number(&self, number: u32) -> Option<&str> {
        let (owner, row) = self.relationships.get(number)?;
        self.triples
            .get(owner as usize)?
            .keys
            .as_ref()?
            .at(row)
            .as_str()
    }

    fn live_edge_rows_of(
        &mut self,
        triple: &Triple,
        relationships: &[RelationshipNumber],
    ) -> Result<(TripleId, Vec<u32>), Misfit> {
        let Some(id) = self.find_triple(triple) else {
            return Err(format!(
                "there is no relationship of {}",
                Self::triple_name(triple)
            ));
        };
        let table = self.triple_table_mut(id)?;
        if table.edges.has_staged() {
            table.edges.settle();
        }
        let row = |number: &RelationshipNumber| {
            let row = table.records.extents.row(number.0);
            row.filter(|row| table.records.is_live(*row, None))
                .ok_or_else(|| {
                    format!(
                        "no relationship of number {} lives in {}",
                        number.0,
                        Self::triple_name(triple)
                    )
                })
        };
        let rows = relationships
            .iter()
            .map(row)
            .collect::<Result<Vec<u32>, Misfit>>()?;
        if !rows.is_sorted_by(|one, two| one < two) {
            return Err("relationship numbers are not ascending".to_owned());
        }
        Ok((id, rows))
    }

    pub(crate) fn patch_relationships(
        &mut self,
        patch: &RelationshipPatch,
        tick: Tick,
    ) -> Result<(), Misfit> {
        let (id, rows) = self.live_edge_rows_of(&patch.triple, &patch.relationships)?;
        if patch
            .columns
            .iter()
            .any(|column| column.cells.len() != rows.len())
        {
            return Err("the columns and rows of a patch differ in length".to_owned());
        }
        let seed = self.key_seed;
        for column in &patch.columns {
            let property = self.symbols.property_id(&column.property);
            let cells = cells_by_row(&rows, column);
            let records = &mut self.triple_table_mut(id)?.records;
            let own = records.column_mut(property, || Column::new(seed, false));
            Arc::make_mut(own).patch(&cells, tick);
        }
        let records = &mut self.triple_table_mut(id)?.records;
        for row in rows {
            records.note_change(row, tick);
        }
        Ok(())
    }

    pub(crate) fn delete_relationships(
        &mut self,
        triple: &Triple,
        relationships: &[RelationshipNumber],
        tick: Tick,
    ) -> Result<(), Misfit> {
        let (id, rows) = self.live_edge_rows_of(triple, relationships)?;
        let table = self.triple_table_mut(id)?;
        let mut edges = Vec::with_capacity(rows.len());
        for edge in rows {
            let (from, to) = table.edges.ends(edge).ok_or("a relationship has no ends")?;
            edges.push(Edge { from, to, edge });
            table.records.ended.insert(edge, tick.0);
        }
        table.edges.end_all(edges, tick);
        Ok(())
    }

    /// Builds bases anew where that is due, on two threads if there is much to do.
    pub(crate) fn settle_triples(&mut self) {
        if !self.triples.iter().any(|table| table.edges.is_due()) {
            return;
        }
        let tables = Arc::make_mut(&mut self.triples).iter_mut();
        let due = tables.filter(|table| table.edges.is_due());
        let mut due: Vec<&mut Edges> = due.map(|table| &mut Arc::make_mut(table).edges).collect();
        let work: usize = due.iter().map(|edges| edges.live()).sum();
        if due.len() < 2 || work < PARALLEL_ROWS {
            for edges in &mut due {
                edges.settle();
            }
            return;
        }
        due.sort_unstable_by_key(|edges| edges.live());
        let queue = Mutex::new(due);
        let settle = || {
            loop {
                let Some(edges) = queue.lock().pop() else {
                    return;
                };
                edges.settle();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(settle);
            settle();
        });
    }
}
