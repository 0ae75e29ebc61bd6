// SPDX-License-Identifier: Apache-2.0
//! The columns and the distinct end keys of a part under construction.

use std::collections::HashMap;

use durward_model::StringArena;
use durward_model::change::Column;
use durward_model::limits::NAME_BYTES_MAX;
use durward_model::value::ValueError;
use hashbrown::HashTable;
use serde_json::Value as Json;

use super::{CELLS_MAX, DOCUMENT_DEPTH_MAX, ItemError, depth_exceeds};
use crate::bulk::columns::{ColumnBuilder, key_hash};
use crate::bulk::scan::Scalar;

#[derive(Debug, Default)]
pub(super) struct EndKeys {
    pub(super) arena: StringArena,
    pub(super) table: HashTable<(u64, u32)>,
}

impl EndKeys {
    pub(super) fn intern(&mut self, key: &str) -> Result<u32, ItemError> {
        let hash = key_hash(key.as_bytes());
        let Self { arena, table } = self;
        let found = table.find(hash, |(known, code)| {
            *known == hash && arena.get(*code as usize) == Some(key)
        });
        if let Some((_, code)) = found {
            return Ok(*code);
        }
        let code = arena.push(key).map_err(|_| ItemError::Full)?;
        table.insert_unique(hash, (hash, code), |(hash, _)| *hash);
        Ok(code)
    }
}

#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    pub(super) builders: Vec<ColumnBuilder>,
    pub(super) index: HashMap<String, usize>,
    pub(super) nulls: Vec<(u32, u32)>,
}

impl Columns {
    /// Puts a value; `hint` is where its column probably is.
    pub(super) fn put(
        &mut self,
        row: usize,
        hint: usize,
        name: &str,
        value: &Scalar<'_>,
        keep_null: bool,
    ) -> Result<(), ItemError> {
        let at = match self.names.get(hint) {
            Some(known) if known == name => hint,
            _ => self.column(name)?,
        };
        let Some(builder) = self.builders.get_mut(at) else {
            return Err(ItemError::BadName);
        };
        if builder.len() < row {
            builder.pad(row);
        } else if builder.len() > row {
            return Err(ItemError::Twice(name.to_owned()));
        }
        if keep_null && matches!(value, Scalar::Null) {
            self.nulls.push((row as u32, at as u32));
        }
        let bad = |source| ItemError::BadValue {
            property: name.to_owned(),
            source,
        };
        builder.push(value).map_err(bad)
    }

    pub(super) fn put_document(
        &mut self,
        row: usize,
        name: &str,
        json: &Json,
    ) -> Result<(), ItemError> {
        let at = self.column(name)?;
        let Some(builder) = self.builders.get_mut(at) else {
            return Err(ItemError::BadName);
        };
        if builder.len() > row {
            return Err(ItemError::Twice(name.to_owned()));
        }
        builder.pad(row);
        if depth_exceeds(json, DOCUMENT_DEPTH_MAX) {
            return Err(ItemError::TooDeep(name.to_owned()));
        }
        let value = durward_model::Value::Document(json.clone().into());
        let bytes = value.byte_size();
        if bytes > durward_model::limits::VALUE_BYTES_MAX {
            let source = ValueError::TooLarge { bytes };
            return Err(ItemError::BadValue {
                property: name.to_owned(),
                source,
            });
        }
        builder.push_value(value);
        Ok(())
    }

    fn column(&mut self, name: &str) -> Result<usize, ItemError> {
        if let Some(at) = self.index.get(name) {
            return Ok(*at);
        }
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(ItemError::BadName);
        }
        let at = self.names.len();
        self.names.push(name.to_owned());
        self.builders.push(ColumnBuilder::new(0, true));
        self.index.insert(name.to_owned(), at);
        Ok(at)
    }

    /// How many cells so many rows take.
    pub(super) fn cells(&self, rows: usize) -> usize {
        self.names.len().saturating_mul(rows)
    }

    pub(super) fn finish(self, rows: usize) -> (Vec<Column>, Vec<(u32, u32)>) {
        let columns = self.names.into_iter().zip(self.builders);
        let columns = columns.map(|(property, mut builder)| {
            builder.pad(rows);
            Column {
                property,
                values: builder.finish(),
            }
        });
        (columns.collect(), self.nulls)
    }
}

pub(super) fn check_cells(cells: usize) -> Result<(), ItemError> {
    if cells > CELLS_MAX {
        Err(ItemError::TooManyCells)
    } else {
        Ok(())
    }
}
