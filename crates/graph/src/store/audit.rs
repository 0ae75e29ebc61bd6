// SPDX-License-Identifier: Apache-2.0
//! Transactions for people: audit and history, without what must not be shown.

use durward_catalog::Catalog;
use durward_model::Value;
use durward_model::change::{Cell, Change, Column, ColumnValues, PatchColumn};
use durward_model::transaction::Transaction;

use super::idempotency;

/// What stands where a secret value was.
pub const REDACTED: &str = "(secret)";

/// Takes secret values and the store's bookkeeping out of a transaction. That a secret was set
/// stays visible; what it was does not.
pub fn redact(transaction: &mut Transaction, catalog: &Catalog) {
    let plain = idempotency::plain_key(&transaction.idempotency_key).to_owned();
    transaction.idempotency_key = plain;
    for change in &mut transaction.changes {
        match change {
            Change::CreateEntities(batch) => {
                let secret =
                    |column: &&mut Column| catalog.is_secret(&batch.entity_type, &column.property);
                for column in batch.columns.iter_mut().filter(secret) {
                    hide_column(column);
                }
            }
            Change::PatchEntities(patch) => {
                let secret = |column: &&mut PatchColumn| {
                    catalog.is_secret(&patch.entity_type, &column.property)
                };
                for column in patch.columns.iter_mut().filter(secret) {
                    column.cells.iter_mut().for_each(hide_cell);
                }
            }
            // Relationships have no secret properties.
            Change::CreateRelationships(_)
            | Change::PatchRelationships(_)
            | Change::DeleteEntities { .. }
            | Change::DeleteRelationships { .. }
            | Change::AddAlias { .. }
            | Change::RemoveAlias { .. } => {}
        }
    }
}

fn hide_column(column: &mut Column) {
    let hidden = (0..column.values.len()).map(|row| match column.values.get(row) {
        Value::Null => Value::Null,
        _ => Value::from(REDACTED),
    });
    column.values = ColumnValues::Mixed(hidden.collect());
}

fn hide_cell(cell: &mut Cell) {
    match cell {
        Cell::Keep | Cell::Set(Value::Null) => {}
        Cell::Set(value) => *value = Value::from(REDACTED),
    }
}
