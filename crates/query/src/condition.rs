// SPDX-License-Identifier: Apache-2.0
//! The row-level access condition of a caller.

use durward_model::Value;

/// Which entities a caller may see at all. Everything else is as if it were not in the graph:
/// as start, on paths, in negations, subqueries, trees and counts. A relationship is visible when
/// both its ends are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowCondition {
    /// An entity is visible when any of these holds for it. Without any, nothing is visible; a
    /// caller without a condition has no `RowCondition` at all.
    pub any_of: Vec<AllOf>,
}

/// Properties that must all have these values. Empty holds for every entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllOf {
    /// Property and value; metadata such as `_class` or `_type` may be named. A list matches by
    /// any of its items.
    pub equal: Vec<(String, Value)>,
}

impl RowCondition {
    /// A condition that holds when any of these lists of properties fits.
    pub fn any_of(lists: Vec<Vec<(String, Value)>>) -> Self {
        Self {
            any_of: lists.into_iter().map(|equal| AllOf { equal }).collect(),
        }
    }
}
