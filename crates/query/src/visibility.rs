// SPDX-License-Identifier: Apache-2.0
//! What one caller may see, for reads that are not queries.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use durward_graph::{EdgeRef, EntityRef, RowSet, TypeId, View};

use crate::condition::RowCondition;
use crate::execute::visible_rows;
use crate::limits::Limits;

/// How deep ends that are relationships are followed.
const NESTED_ENDS_MAX: u32 = 8;

/// A row condition at one view, worked out type by type as it is asked. Fails closed: what cannot
/// be worked out is not visible.
pub struct Visibility {
    view: View,
    condition: RowCondition,
    account_id: String,
    rows: Mutex<HashMap<TypeId, Arc<RowSet>>>,
}

impl Visibility {
    /// What `condition` lets its caller see at `view`. `account_id` is what `_accountId` means.
    pub fn new(view: &View, condition: &RowCondition, account_id: &str) -> Self {
        Self {
            view: view.clone(),
            condition: condition.clone(),
            account_id: account_id.to_owned(),
            rows: Mutex::new(HashMap::new()),
        }
    }

    /// The live entities of a type that are visible.
    pub fn rows(&self, type_id: TypeId) -> Arc<RowSet> {
        if let Some(rows) = self
            .rows
            .lock()
            .ok()
            .and_then(|known| known.get(&type_id).cloned())
        {
            return rows;
        }
        let limits = Limits::default();
        let rows = visible_rows(
            &self.view,
            &limits,
            &self.account_id,
            &self.condition,
            type_id,
        );
        let rows = Arc::new(rows.unwrap_or_else(|_| RowSet::empty(self.view.rows(type_id))));
        if let Ok(mut known) = self.rows.lock() {
            known.insert(type_id, Arc::clone(&rows));
        }
        rows
    }

    /// Whether a live entity is visible.
    pub fn sees_entity(&self, entity: EntityRef) -> bool {
        self.sees_end(entity, NESTED_ENDS_MAX)
    }

    /// Whether a live relationship is visible: both its ends are.
    pub fn sees_edge(&self, edge: EdgeRef) -> bool {
        self.sees_ends(edge, NESTED_ENDS_MAX)
    }

    fn sees_end(&self, end: EntityRef, depth: u32) -> bool {
        let Some(number) = end.as_relationship() else {
            return self.rows(end.type_id).contains(end.row);
        };
        self.view
            .edge_of(number)
            .is_some_and(|edge| self.sees_ends(edge, depth))
    }

    fn sees_ends(&self, edge: EdgeRef, depth: u32) -> bool {
        let Some(less) = depth.checked_sub(1) else {
            return false;
        };
        let ends = self.view.edge_ends(edge);
        ends.is_some_and(|(from, to)| self.sees_end(from, less) && self.sees_end(to, less))
    }
}

impl fmt::Debug for Visibility {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Visibility")
            .field("condition", &self.condition)
            .finish_non_exhaustive()
    }
}
