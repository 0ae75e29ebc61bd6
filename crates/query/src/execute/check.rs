// SPDX-License-Identifier: Apache-2.0
//! Conditions made ready to be tested, and their test on one row.

use std::collections::HashSet;

use durward_graph::{ValueRef, View};
use durward_model::Value;
use regex::Regex;

use super::binding::Source;
use super::compare::{holds, matches_pattern, write_canonical};
use super::formula::{Formula, Row};
use crate::error::QueryError;
use crate::j1ql::dates::date_text;
use crate::plan::{Comparison, Condition, Expression, Operand, Part, Plan, Relation, Slot};

/// From this many values on, an "equal to any of these" looks them up by hash.
const HASHED_FROM: usize = 12;

/// A condition whose properties are resolved and whose subqueries are answered.
#[derive(Debug)]
pub(crate) enum Check {
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
    Compare(CompareCheck),
    Exists(Slot, Vec<Part>),
    Text(Slot, Vec<String>),
}

/// A comparison made ready.
#[derive(Debug)]
pub(crate) struct CompareCheck {
    pub(crate) left: Formula,
    pub(crate) relation: Relation,
    pub(crate) negated: bool,
    pub(crate) every: bool,
    pub(crate) fold: bool,
    pub(crate) right: Vec<Right>,
}

/// What a comparison compares with.
#[derive(Debug)]
pub(crate) enum Right {
    Literal(Value),
    Formula(Formula),
    Pattern(Regex),
    /// Equal to any of these, by canonical form.
    Hashed(HashSet<Vec<u8>>),
}

/// Answers subqueries while a condition is made ready.
pub(crate) trait Subqueries {
    /// The distinct values, lists taken apart, in the one column of a plan.
    fn column_values(&self, plan: &Plan) -> Result<Vec<Value>, QueryError>;
}

impl Check {
    pub(crate) fn new(
        view: &View,
        condition: &Condition,
        subqueries: &dyn Subqueries,
    ) -> Result<Self, QueryError> {
        let all = |members: &[Condition]| -> Result<Vec<Self>, QueryError> {
            members
                .iter()
                .map(|member| Self::new(view, member, subqueries))
                .collect()
        };
        Ok(match condition {
            Condition::All(members) => {
                let mut members = all(members)?;
                members.sort_by_key(Self::cost);
                Self::All(members)
            }
            Condition::Any(members) => Self::Any(all(members)?),
            Condition::Not(inner) => Self::Not(Box::new(Self::new(view, inner, subqueries)?)),
            Condition::Compare(comparison) => {
                Self::Compare(CompareCheck::new(view, comparison, subqueries)?)
            }
            Condition::Exists(slot, parts) => Self::Exists(*slot, parts.clone()),
            Condition::Text(slot, texts) => Self::Text(*slot, texts.clone()),
        })
    }

    /// Rough cost, so that cheap and selective members of a conjunction come first.
    fn cost(&self) -> u8 {
        match self {
            Self::Compare(compare) => match (&compare.left, compare.relation, compare.negated) {
                (Formula::Property(_), Relation::Equal, false) if compare.is_constant() => 0,
                (Formula::Property(_), ..) if compare.is_constant() => 1,
                _ => 4,
            },
            Self::Not(inner) => inner.cost().max(2),
            Self::All(members) | Self::Any(members) => {
                members.iter().map(Self::cost).max().unwrap_or(0).max(2)
            }
            Self::Text(..) => 3,
            Self::Exists(..) => 5,
        }
    }

    /// Whether a row fulfils the condition. Existence and text tests need more than a row: see
    /// [`super::engine::Engine::holds`]; here they hold for nothing.
    pub(crate) fn test(&self, source: Source<'_>, row: Row<'_>) -> bool {
        match self {
            Self::All(members) => members.iter().all(|member| member.test(source, row)),
            Self::Any(members) => members.iter().any(|member| member.test(source, row)),
            Self::Not(inner) => !inner.test(source, row),
            Self::Compare(compare) => compare.test(source, row),
            Self::Exists(..) | Self::Text(..) => false,
        }
    }
}

impl CompareCheck {
    fn new(
        view: &View,
        comparison: &Comparison,
        subqueries: &dyn Subqueries,
    ) -> Result<Self, QueryError> {
        let mut right = Vec::with_capacity(comparison.right.len());
        for operand in &comparison.right {
            right.push(match operand {
                Operand::Value(Expression::Literal(value)) => Right::Literal(value.clone()),
                Operand::Value(expression) => Right::Formula(Formula::new(view, expression)),
                Operand::Pattern(pattern) => Right::Pattern(pattern.clone()),
                Operand::Query(plan) => {
                    Right::Literal(Value::List(subqueries.column_values(plan)?))
                }
            });
        }
        let plain = comparison.relation == Relation::Equal && !comparison.every && !comparison.fold;
        Ok(Self {
            left: Formula::new(view, &comparison.left),
            relation: comparison.relation,
            negated: comparison.negated,
            every: comparison.every,
            fold: comparison.fold,
            right: if plain { hashed(right) } else { right },
        })
    }

    /// Whether what it compares with is the same for every row.
    pub(crate) fn is_constant(&self) -> bool {
        !self
            .right
            .iter()
            .any(|right| matches!(right, Right::Formula(_)))
    }

    fn test(&self, source: Source<'_>, row: Row<'_>) -> bool {
        self.left.read(source, row, |left| {
            let one = |right: &Right| match right {
                Right::Formula(formula) => formula.read(source, row, |right| {
                    holds(self.relation, self.fold, left, right)
                }),
                constant => self.constant_holds(left, constant),
            };
            self.outcome(one)
        })
    }

    /// The outcome for a value, when [`CompareCheck::is_constant`].
    pub(crate) fn test_value(&self, left: ValueRef<'_>) -> bool {
        self.outcome(|right| self.constant_holds(left, right))
    }

    fn outcome(&self, one: impl FnMut(&Right) -> bool) -> bool {
        let holds = if self.every {
            self.right.iter().all(one)
        } else {
            self.right.iter().any(one)
        };
        holds != self.negated
    }

    /// Whether a value relates to one constant operand, negation aside.
    pub(crate) fn one_holds(&self, left: ValueRef<'_>, right: &Right) -> bool {
        self.constant_holds(left, right)
    }

    fn constant_holds(&self, left: ValueRef<'_>, right: &Right) -> bool {
        match right {
            Right::Literal(value) => holds(self.relation, self.fold, left, ValueRef::from(value)),
            Right::Pattern(pattern) => matches_pattern(pattern, left),
            Right::Hashed(values) => hash_contains(values, left),
            Right::Formula(_) => false,
        }
    }
}

fn hash_contains(values: &HashSet<Vec<u8>>, left: ValueRef<'_>) -> bool {
    if let ValueRef::List(items) = left {
        return items
            .iter()
            .any(|item| hash_contains(values, ValueRef::from(item)));
    }
    let mut form = Vec::with_capacity(32);
    write_canonical(left, &mut form);
    values.contains(&form)
}

/// Puts many literals into one hash set.
fn hashed(right: Vec<Right>) -> Vec<Right> {
    let count: usize = right
        .iter()
        .map(|right| match right {
            Right::Literal(Value::List(items)) => items.len(),
            _ => 1,
        })
        .sum();
    if count < HASHED_FROM {
        return right;
    }
    let mut values = HashSet::new();
    let mut others = Vec::new();
    let mut insert = |value: &Value| {
        let mut form = Vec::new();
        write_canonical(ValueRef::from(value), &mut form);
        values.insert(form);
    };
    // Dates equal one another whatever their kind, so they have no form to look up.
    let is_date = |value: &Value| match value {
        Value::Instant(_) => true,
        other => other.as_str().is_some_and(|text| date_text(text).is_some()),
    };
    for right in right {
        match right {
            Right::Literal(Value::List(items)) => {
                let (dates, plain): (Vec<_>, Vec<_>) = items.into_iter().partition(is_date);
                plain.iter().for_each(&mut insert);
                if !dates.is_empty() {
                    others.push(Right::Literal(Value::List(dates)));
                }
            }
            Right::Literal(value) if !is_date(&value) => insert(&value),
            other => others.push(other),
        }
    }
    others.push(Right::Hashed(values));
    others
}
