// SPDX-License-Identifier: Apache-2.0
//! Folding changes of entities into a state.

use std::sync::Arc;

use durward_model::change::{Change, Column as BatchColumn, EntityBatch, EntityPatch, Triple};
use durward_model::transaction::Transaction;
use durward_model::{EntityNumber, Instant, ObjectNumber, RelationshipNumber};
use parking_lot::Mutex;

use super::column::Column;
use super::records::{cells_by_row, columns_fit};
use super::tables::TypeTable;
use super::timeline::Tick;
use super::{Snapshot, StateError};
use crate::ids::{PropertyId, TypeId};

/// From this many rows on, a batch is taken in by two threads.
pub(crate) const PARALLEL_ROWS: usize = 16_384;

/// Why a change does not fit.
pub(crate) type Misfit = String;

impl Snapshot {
    pub(crate) fn fold(&mut self, transaction: &Transaction) -> Result<(), StateError> {
        self.begin(transaction)?;
        let sequence = transaction.sequence.0;
        let tick = self.timeline.last();
        for change in &transaction.changes {
            self.fold_change(change, tick)
                .map_err(|reason| StateError { sequence, reason })?;
        }
        self.settle_triples();
        Ok(())
    }

    pub(crate) fn fold_owned(&mut self, transaction: Transaction) -> Result<(), StateError> {
        self.begin(&transaction)?;
        let sequence = transaction.sequence.0;
        let tick = self.timeline.last();
        for change in transaction.changes {
            self.fold_change(&change, tick)
                .map_err(|reason| StateError { sequence, reason })?;
        }
        self.settle_triples();
        Ok(())
    }

    fn begin(&mut self, transaction: &Transaction) -> Result<(), StateError> {
        let Transaction {
            sequence,
            committed_at,
            ..
        } = transaction;
        let misfit = |reason: &str| {
            Err(StateError {
                sequence: sequence.0,
                reason: reason.to_owned(),
            })
        };
        if *sequence != self.sequence.next() {
            return misfit("it does not follow the last one");
        }
        if *committed_at <= self.committed_at && self.committed_at != Instant::MIN {
            return misfit("it was not committed after the last one");
        }
        self.sequence = *sequence;
        self.committed_at = *committed_at;
        if !transaction.changes.is_empty() {
            self.timeline.push(*sequence, *committed_at);
        }
        Ok(())
    }

    fn fold_change(&mut self, change: &Change, tick: Tick) -> Result<(), Misfit> {
        match change {
            Change::CreateEntities(batch) => self.create_entities(batch, tick),
            Change::PatchEntities(patch) => self.patch_entities(patch, tick),
            Change::DeleteEntities {
                entity_type,
                entities,
            } => self.delete_entities(entity_type, entities, tick),
            Change::CreateRelationships(batch) => self.create_relationships(batch, tick),
            Change::PatchRelationships(patch) => self.patch_relationships(patch, tick),
            Change::DeleteRelationships {
                triple,
                relationships,
            } => self.delete_relationships(triple, relationships, tick),
            Change::AddAlias { object, alias } => {
                self.check_object(*object)?;
                let added = self.aliases.add(*object, alias, tick);
                added
                    .then_some(())
                    .ok_or_else(|| "the object has the alias already".to_owned())
            }
            Change::RemoveAlias { object, alias } => {
                let removed = self.aliases.remove(*object, alias, tick);
                removed
                    .then_some(())
                    .ok_or_else(|| "the object has no such alias".to_owned())
            }
        }
    }

    fn check_object(&self, object: ObjectNumber) -> Result<(), Misfit> {
        let lives = match object {
            ObjectNumber::Entity(EntityNumber(number)) => {
                self.entities.get(number).is_some_and(|(owner, row)| {
                    let table = self.types.get(owner as usize);
                    table.is_some_and(|table| table.records.is_live(row, None))
                })
            }
            ObjectNumber::Relationship(RelationshipNumber(number)) => {
                self.relationships.get(number).is_some_and(|(owner, row)| {
                    let table = self.triples.get(owner as usize);
                    table.is_some_and(|table| table.records.is_live(row, None))
                })
            }
        };
        lives
            .then_some(())
            .ok_or_else(|| format!("{object:?} does not live"))
    }

    pub(crate) fn type_table_mut(&mut self, id: TypeId) -> Option<&mut TypeTable> {
        let types = Arc::make_mut(&mut self.types);
        while types.len() <= usize::from(id.0) {
            types.push(Arc::default());
        }
        types.get_mut(usize::from(id.0)).map(Arc::make_mut)
    }

    fn create_entities(&mut self, batch: &EntityBatch, tick: Tick) -> Result<(), Misfit> {
        let len = batch.len();
        if batch.first.0 != self.entities.next() {
            let next = self.entities.next();
            return Err(format!(
                "entity numbers start at {}, not at {next}",
                batch.first.0
            ));
        }
        let fits = u32::try_from(len)
            .ok()
            .and_then(|len| batch.first.0.checked_add(len));
        if fits.is_none() || !columns_fit(&batch.columns, len) {
            return Err("the columns and keys of an entity batch differ in length".to_owned());
        }
        let too_many = || "there are too many types or classes".to_owned();
        let id = self
            .symbols
            .type_id(&batch.entity_type)
            .ok_or_else(too_many)?;
        let set = self
            .symbols
            .class_set(&batch.classes)
            .ok_or_else(too_many)?;
        let namespace = self
            .symbols
            .namespaces
            .intern_owned(batch.namespace.clone());
        let (seed, catalog) = (self.key_seed, Arc::clone(&self.catalog));
        let mut properties = self.properties(&batch.columns)?;
        // Before it was worked out, anybody could write a property of that name.
        properties.retain(|(_, column)| !catalog.is_derived(&batch.entity_type, &column.property));
        let table = self.type_table_mut(id).ok_or_else(too_many)?;
        let first_row = table.records.rows();
        table.records.extents.push(batch.first.0, len as u32, tick);
        table
            .records
            .namespaces
            .append(first_row, len as u32, namespace);
        table.classes.append(first_row, len as u32, set);
        table.keys.append(&batch.keys);
        for (property, column) in &properties {
            let secret = catalog.is_secret(&batch.entity_type, &column.property);
            table
                .records
                .column_mut(*property, || Column::new(seed, secret));
        }
        self.entities.push(u32::from(id.0), first_row, len as u32);
        self.take_in(id, first_row, batch, &properties)?;
        self.tell_created(id, first_row, batch);
        Ok(())
    }

    /// Fills the columns of new rows and indexes their keys, on two threads if there are many.
    fn take_in(
        &mut self,
        id: TypeId,
        first_row: u32,
        batch: &EntityBatch,
        properties: &[(PropertyId, &BatchColumn)],
    ) -> Result<(), Misfit> {
        if batch.len() < PARALLEL_ROWS {
            if let Some(table) = self.type_table_mut(id) {
                for (property, column) in properties {
                    let own = table
                        .records
                        .column_mut(*property, || Column::new(0, false));
                    Arc::make_mut(own).append(first_row, &column.values);
                }
            }
            self.index_keys(batch);
            return Ok(());
        }
        // The columns leave the table while two threads work, so that keys can be read meanwhile.
        let mut work = Vec::new();
        if let Some(table) = self.type_table_mut(id) {
            let ids: Vec<PropertyId> = properties.iter().map(|(property, _)| *property).collect();
            let columns = table.records.columns_mut(&ids).into_iter();
            work.extend(columns.zip(properties).map(|(own, (_, values))| {
                (
                    std::mem::replace(own, Arc::new(Column::new(0, false))),
                    &values.values,
                )
            }));
        }
        let done = Mutex::new(Vec::new());
        let count = work.len();
        let queue = Mutex::new(work.into_iter().enumerate());
        let fill = || {
            loop {
                let Some((position, (mut column, values))) = queue.lock().next() else {
                    return;
                };
                Arc::make_mut(&mut column).append(first_row, values);
                done.lock().push((position, column));
            }
        };
        let this: &Self = self;
        std::thread::scope(|scope| {
            scope.spawn(fill);
            this.index_keys(batch);
            fill();
        });
        let mut done = done.into_inner();
        done.sort_unstable_by_key(|(position, _)| *position);
        if let Some(table) = self.type_table_mut(id) {
            let ids: Vec<PropertyId> = properties.iter().map(|(property, _)| *property).collect();
            let columns = table.records.columns_mut(&ids);
            columns
                .into_iter()
                .zip(done)
                .for_each(|(own, (_, column))| *own = column);
        }
        (count == properties.len())
            .then_some(())
            .ok_or_else(|| "a column went missing".to_owned())
    }

    fn index_keys(&self, batch: &EntityBatch) {
        let keys = (0..batch.len()).map(|position| batch.keys.get(position));
        self.key_index
            .insert(batch.first.0, keys, |number| self.key_of_number(number));
    }

    pub(crate) fn key_of_number(&self, number: u32) -> Option<&str> {
        let (owner, row) = self.entities.get(number)?;
        self.types.get(owner as usize)?.keys.get(row)
    }

    /// Ids of the properties of a batch, ascending; a property must not occur twice.
    pub(crate) fn properties<'b>(
        &mut self,
        columns: &'b [BatchColumn],
    ) -> Result<Vec<(PropertyId, &'b BatchColumn)>, Misfit> {
        let id = |column: &'b BatchColumn| (self.symbols.property_id(&column.property), column);
        let mut properties: Vec<_> = columns.iter().map(id).collect();
        properties.sort_unstable_by_key(|(id, _)| *id);
        let mut pairs = properties.iter().zip(properties.iter().skip(1));
        match pairs.find(|(one, two)| one.0 == two.0) {
            Some(((_, column), _)) => Err(format!("property {} occurs twice", column.property)),
            None => Ok(properties),
        }
    }

    /// Rows of living entities of one type, which must be ascending.
    fn live_rows_of(
        &self,
        entity_type: &str,
        entities: &[EntityNumber],
    ) -> Result<(TypeId, Vec<u32>), Misfit> {
        let id = self
            .symbols
            .types
            .find(entity_type)
            .map(|id| TypeId(id as u16));
        let table = id.and_then(|id| self.types.get(usize::from(id.0)));
        let (Some(id), Some(table)) = (id, table) else {
            return Err(format!("there is no entity of type {entity_type}"));
        };
        let row = |number: &EntityNumber| {
            let row = table.records.extents.row(number.0);
            row.filter(|row| table.records.is_live(*row, None))
                .ok_or_else(|| format!("no {entity_type} of number {} lives", number.0))
        };
        let rows = entities
            .iter()
            .map(row)
            .collect::<Result<Vec<u32>, Misfit>>()?;
        if !rows.is_sorted_by(|one, two| one < two) {
            return Err("entity numbers are not ascending".to_owned());
        }
        Ok((id, rows))
    }

    fn patch_entities(&mut self, patch: &EntityPatch, tick: Tick) -> Result<(), Misfit> {
        let (id, rows) = self.live_rows_of(&patch.entity_type, &patch.entities)?;
        if patch
            .columns
            .iter()
            .any(|column| column.cells.len() != rows.len())
        {
            return Err("the columns and rows of a patch differ in length".to_owned());
        }
        let set = match &patch.classes {
            Some(names) => Some(
                self.symbols
                    .class_set(names)
                    .ok_or("there are too many classes")?,
            ),
            None => None,
        };
        for column in &patch.columns {
            if self
                .catalog
                .is_derived(&patch.entity_type, &column.property)
            {
                continue;
            }
            let property = self.symbols.property_id(&column.property);
            let secret = self.catalog.is_secret(&patch.entity_type, &column.property);
            let seed = self.key_seed;
            let cells = cells_by_row(&rows, column);
            if let Some(table) = self.type_table_mut(id) {
                let own = table
                    .records
                    .column_mut(property, || Column::new(seed, secret));
                Arc::make_mut(own).patch(&cells, tick);
            }
        }
        self.tell_patched(id, &rows, patch, tick);
        if let Some(table) = self.type_table_mut(id) {
            for row in rows {
                table.records.note_change(row, tick);
                if let Some(set) = set {
                    table.set_classes(row, set, tick);
                }
            }
        }
        Ok(())
    }

    fn delete_entities(
        &mut self,
        entity_type: &str,
        entities: &[EntityNumber],
        tick: Tick,
    ) -> Result<(), Misfit> {
        let (id, rows) = self.live_rows_of(entity_type, entities)?;
        if let Some(table) = self.type_table_mut(id) {
            for row in rows {
                table.records.ended.insert(row, tick.0);
            }
        }
        Ok(())
    }

    /// A triple's name for messages.
    pub(crate) fn triple_name(triple: &Triple) -> String {
        format!("{:?} {} {:?}", triple.from, triple.verb, triple.to)
    }
}
