// SPDX-License-Identifier: Apache-2.0
//! Properties that are worked out from others while changes are folded in: nothing of them lies in
//! the journal, so that every way of writing, every past instant and every old journal has them.

use durward_catalog::{OPENCTI_TYPE, Said, Telling};
use durward_model::Value;
use durward_model::change::{ColumnValues, EntityBatch, EntityPatch};

use super::Snapshot;
use super::column::Column;
use super::records::Records;
use super::timeline::Tick;
use crate::ids::{PropertyId, TypeId};
use crate::view::ValueRef;

impl Snapshot {
    /// Tells new rows of a type apart, whose columns are filled.
    pub(super) fn tell_created(&mut self, id: TypeId, first_row: u32, batch: &EntityBatch) {
        let Some(telling) = self.catalog.telling(&batch.entity_type) else {
            return;
        };
        let rows: Vec<u32> = (first_row..).take(batch.len()).collect();
        let mut dictionary: Vec<Value> = Vec::new();
        let mut code = |name: &str| {
            let known = dictionary
                .iter()
                .position(|value| value.as_str() == Some(name));
            known.unwrap_or_else(|| {
                dictionary.push(name.into());
                dictionary.len() - 1
            }) as u32
        };
        let codes = self.names_of(id, telling, &rows).into_iter();
        let codes = codes.map(&mut code).collect();
        let values = ColumnValues::Coded { codes, dictionary };
        self.change_told(id, |column| column.append(first_row, &values));
    }

    /// Tells changed rows of a type apart again, if what tells them apart has changed.
    pub(super) fn tell_patched(
        &mut self,
        id: TypeId,
        rows: &[u32],
        patch: &EntityPatch,
        tick: Tick,
    ) {
        let Some(telling) = self.catalog.telling(&patch.entity_type) else {
            return;
        };
        let mut patched = patch.columns.iter();
        if !patched.any(|column| telling.properties().contains(&column.property)) {
            return;
        }
        let names = self.names_of(id, telling, rows).into_iter();
        let names: Vec<Value> = names.map(Value::from).collect();
        let cells: Vec<(u32, &Value)> = rows.iter().copied().zip(&names).collect();
        self.change_told(id, |column| column.patch(&cells, tick));
    }

    fn change_told(&mut self, id: TypeId, change: impl FnOnce(&mut Column)) {
        let (property, seed) = (self.symbols.property_id(OPENCTI_TYPE), self.key_seed);
        if let Some(table) = self.type_table_mut(id) {
            let column = table
                .records
                .column_mut(property, || Column::new(seed, false));
            change(std::sync::Arc::make_mut(column));
        }
    }

    /// The names of rows as their columns are now.
    fn names_of(&self, id: TypeId, telling: &'static Telling, rows: &[u32]) -> Vec<&'static str> {
        let Some(table) = self.types.get(usize::from(id.0)) else {
            return Vec::new();
        };
        let properties = telling.properties().iter();
        let columns: Vec<(&str, &Column)> = properties
            .filter_map(|name| {
                let column = self.column_named(&table.records, name)?;
                Some((name.as_str(), column))
            })
            .collect();
        let name = |row: &u32| {
            telling.name(|name| {
                let column = columns.iter().find(|(known, _)| *known == name);
                match column.map_or(ValueRef::Null, |(_, column)| column.at(*row)) {
                    ValueRef::Null => Said::Nothing,
                    ValueRef::String(text) => Said::Text(text),
                    _ => Said::Other,
                }
            })
        };
        rows.iter().map(name).collect()
    }

    fn column_named<'r>(&self, records: &'r Records, name: &str) -> Option<&'r Column> {
        let property = self.symbols.properties.find(name)?;
        records.column(PropertyId(property)).map(|column| &**column)
    }
}
