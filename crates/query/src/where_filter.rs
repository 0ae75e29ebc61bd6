// SPDX-License-Identifier: Apache-2.0
//! `where` objects: the third front end of the plan algebra.
//!
//! A `where` object names fields, each with an operand (`{op, value}` and its variants), joined by
//! AND; `and` and `or` nest. [`FieldTable`] says what the fields mean (data that the dialect owns),
//! [`condition`] lowers an object to a [`Condition`], [`list`] gives the objects that fulfil it,
//! and [`holds`] asks a row that is not in the graph.

mod fields;
mod list;
mod operand;
mod row;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests;

use durward_model::Instant;
use serde_json::{Map, Value as Json};

use self::operand::PatternLimits;
use crate::error::QueryError;
use crate::limits::{Limits, Meter};
use crate::plan::{
    CONDITION_COPIES, Condition, EdgePattern, NodePattern, Part, Repeat, Slot, Source, Step, Way,
};

pub use fields::{FieldKind, FieldMeaning, FieldSource, FieldTable, FieldValue, RelatedField};
pub use list::{ListPage, ListQuery, list};
pub use row::{RowValues, compare_rows, holds};

/// Deepest nesting of `and`, `or` and relations.
const DEPTH_MAX: usize = 32;
/// Most operands and groups in one request.
const OPERANDS_MAX: usize = 1000;
/// Most patterns in one request; each is compiled.
const PATTERNS_MAX: usize = 256;

/// Slots of a path inside a condition, which has slots of its own.
const EDGE: Slot = Slot(1);
const NODE: Slot = Slot(2);

/// A condition that was asked for. What it takes is counted for as long as it is there.
#[derive(Debug)]
pub struct Asked {
    /// What an object must fulfil.
    pub condition: Condition,
    pub(crate) meter: Meter,
}

/// The condition that a `where` object sets on the object in a slot; null and `{}` hold for all.
///
/// # Errors
/// When it names a field that the table has not, an operand makes no sense, or it takes more memory
/// than the limits allow.
pub fn condition(
    json: Option<&Json>,
    table: &FieldTable,
    slot: Slot,
    now: Instant,
    limits: &Limits,
) -> Result<Asked, QueryError> {
    let meter = Meter::new(limits);
    let mut lowering = Lowering {
        now,
        left: OPERANDS_MAX,
        patterns: PATTERNS_MAX,
        meter: &meter,
    };
    let condition = match json {
        None => Condition::All(Vec::new()),
        Some(json) => lowering.object(json, table, slot, 0)?,
    };
    Ok(Asked { condition, meter })
}

struct Lowering<'m> {
    now: Instant,
    /// Operands and groups that may still come.
    left: usize,
    /// Patterns that may still come.
    patterns: usize,
    meter: &'m Meter,
}

impl Lowering<'_> {
    fn take(&mut self) -> Result<(), QueryError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            QueryError::invalid(format!(
                "where has more than {OPERANDS_MAX} operands and groups"
            ))
        })?;
        Ok(())
    }

    fn object(
        &mut self,
        json: &Json,
        table: &FieldTable,
        slot: Slot,
        depth: usize,
    ) -> Result<Condition, QueryError> {
        if depth > DEPTH_MAX {
            return Err(QueryError::invalid(format!(
                "where is nested deeper than {DEPTH_MAX} levels"
            )));
        }
        let members = match json {
            Json::Null => return Ok(Condition::All(Vec::new())),
            Json::Object(members) => members,
            _ => return Err(QueryError::invalid("where must be an object")),
        };
        let mut all = Vec::with_capacity(members.len());
        for (name, member) in members.iter().filter(|(_, member)| !member.is_null()) {
            self.take()?;
            all.push(match name.as_str() {
                "and" => Condition::All(self.group(member, table, slot, depth)?),
                "or" => {
                    let any = self.group(member, table, slot, depth)?;
                    // No alternatives at all are no condition.
                    if any.is_empty() {
                        Condition::All(any)
                    } else {
                        Condition::Any(any)
                    }
                }
                _ => self.field(name, member, table, slot, depth)?,
            });
        }
        Ok(match all.len() {
            1 => all.pop().unwrap_or(Condition::All(Vec::new())),
            _ => Condition::All(all),
        })
    }

    fn group(
        &mut self,
        json: &Json,
        table: &FieldTable,
        slot: Slot,
        depth: usize,
    ) -> Result<Vec<Condition>, QueryError> {
        let items = match json {
            Json::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let mut members = Vec::with_capacity(items.len());
        for item in items {
            self.take()?;
            members.push(self.object(item, table, slot, depth + 1)?);
        }
        Ok(members)
    }

    fn field(
        &mut self,
        name: &str,
        json: &Json,
        table: &FieldTable,
        slot: Slot,
        depth: usize,
    ) -> Result<Condition, QueryError> {
        match table.get(name)? {
            FieldMeaning::Operand(value) => self.operand(name, json, value, slot),
            FieldMeaning::Plain(value) => {
                let one = Map::from_iter([("value".to_owned(), json.clone())]);
                self.operand(name, &one.into(), value, slot)
            }
            FieldMeaning::Related(related) => self.related(name, json, related, slot, depth),
        }
    }

    fn operand(
        &mut self,
        name: &str,
        json: &Json,
        value: &FieldValue,
        slot: Slot,
    ) -> Result<Condition, QueryError> {
        let limits = PatternLimits {
            left: self.patterns,
            meter: self.meter,
        };
        let condition = operand::condition(name, json, value, slot, self.now, limits)?;
        let patterns = operand::patterns_in(&condition);
        self.patterns = self.patterns.saturating_sub(patterns);
        self.meter.bytes(CONDITION_COPIES * condition.own_bytes())?;
        Ok(condition)
    }

    /// `{count: operand, items: where}` on the objects at the other end of a relationship.
    fn related(
        &mut self,
        name: &str,
        json: &Json,
        related: &RelatedField,
        slot: Slot,
        depth: usize,
    ) -> Result<Condition, QueryError> {
        let Some(members) = json.as_object() else {
            return Err(QueryError::invalid(format!("{name} must be an object")));
        };
        let mut all = Vec::new();
        for (member, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            self.take()?;
            match member.as_str() {
                "count" => {
                    let found = exists(slot, related, None);
                    all.push(match operand::some_or_none(name, value)? {
                        Some(true) => found,
                        Some(false) => Condition::Not(Box::new(found)),
                        None => Condition::All(Vec::new()),
                    });
                }
                "items" => {
                    let table = (related.table)();
                    let there = self.object(value, &table, NODE, depth + 1)?;
                    all.push(exists(slot, related, Some(there)));
                }
                other => return Err(fields::unknown(&format!("{name}.{other}"))),
            }
        }
        Ok(Condition::All(all))
    }
}

/// A relationship leads from the object in a slot to one that fits.
fn exists(slot: Slot, related: &RelatedField, there: Option<Condition>) -> Condition {
    let is_anything =
        |condition: &Condition| matches!(condition, Condition::All(all) if all.is_empty());
    let types = related.types.iter();
    let step = Step {
        edge: EdgePattern {
            slot: EDGE,
            verbs: Some(vec![related.verb.clone()]),
            way: related.way,
            filter: None,
        },
        node: NodePattern {
            slot: NODE,
            sources: types.map(|name| Source::Type(name.clone())).collect(),
            filter: there.filter(|there| !is_anything(there)),
        },
        repeat: Repeat::ONCE,
    };
    debug_assert!(related.way != Way::Either, "a relation has a direction");
    Condition::Exists(slot, vec![Part::Step(step)])
}
