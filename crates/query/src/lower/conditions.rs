// SPDX-License-Identifier: Apache-2.0
//! Conditions of J1QL.

use regex::RegexBuilder;

use super::Lowering;
use super::expressions::Place;
use crate::error::QueryError;
use crate::j1ql;
use crate::j1ql::{CompareOperator, ListItem, RegexLiteral};
use crate::plan::{Comparison, Condition, Expression, Operand, Relation, Slot};

/// Largest compiled form of a pattern in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

impl Lowering<'_, '_> {
    /// A condition on one entity; references are its properties.
    pub(super) fn node_condition(
        &self,
        condition: &j1ql::Condition,
        slot: Slot,
    ) -> Result<Condition, QueryError> {
        self.condition(condition, &mut Place::Node(slot))
    }

    /// A condition on whole paths; references begin with an alias.
    pub(super) fn path_condition(
        &self,
        condition: &j1ql::Condition,
    ) -> Result<Condition, QueryError> {
        self.condition(condition, &mut Place::Path)
    }

    pub(super) fn condition(
        &self,
        condition: &j1ql::Condition,
        place: &mut Place<'_>,
    ) -> Result<Condition, QueryError> {
        match condition {
            j1ql::Condition::And(members) => {
                let members = members.iter().map(|member| self.condition(member, place));
                Ok(Condition::All(members.collect::<Result<_, _>>()?))
            }
            j1ql::Condition::Or(members) => {
                let members = members.iter().map(|member| self.condition(member, place));
                Ok(Condition::Any(members.collect::<Result<_, _>>()?))
            }
            j1ql::Condition::Comparison(comparison) => self.comparison(comparison, place),
        }
    }

    fn comparison(
        &self,
        comparison: &j1ql::Comparison,
        place: &mut Place<'_>,
    ) -> Result<Condition, QueryError> {
        let (operator, negated) = comparison.operator.without_negation();
        let relation = relation_of(operator);
        let left = self.expression(&comparison.left, place)?;
        let compare = |negated, every, right| {
            Condition::Compare(Comparison {
                left: left.clone(),
                relation,
                negated,
                every,
                fold: false,
                right,
            })
        };
        Ok(match &comparison.value {
            j1ql::Value::Expression(value) => {
                let value = Operand::Value(self.expression(value, place)?);
                compare(negated, false, vec![value])
            }
            j1ql::Value::Regex(pattern) => {
                compare(negated, false, vec![Operand::Pattern(compile(pattern)?)])
            }
            j1ql::Value::Subquery(query) => {
                let plan = Lowering::new(self.context, query).plan(query)?;
                if !matches!(plan.output, crate::plan::Output::Table(_)) {
                    let message = "a subquery must return exactly one property";
                    return Err(QueryError::invalid(message));
                }
                compare(negated, false, vec![Operand::Query(Box::new(plan))])
            }
            j1ql::Value::List(groups) => {
                let mut lowered = Vec::with_capacity(groups.len());
                for group in groups {
                    let items = group.iter().map(|item| self.list_item(item, place));
                    lowered.push(items.collect::<Result<Vec<_>, _>>()?);
                }
                if lowered.iter().all(|group| group.len() == 1) {
                    compare(negated, false, lowered.into_iter().flatten().collect())
                } else {
                    let any = lowered.into_iter().map(|group| compare(false, true, group));
                    let any = Condition::Any(any.collect());
                    if negated {
                        Condition::Not(Box::new(any))
                    } else {
                        any
                    }
                }
            }
        })
    }

    fn list_item(&self, item: &ListItem, place: &mut Place<'_>) -> Result<Operand, QueryError> {
        Ok(match item {
            ListItem::Expression(value) => Operand::Value(self.expression(value, place)?),
            ListItem::Regex(pattern) => Operand::Pattern(compile(pattern)?),
        })
    }

    /// A condition on the columns of a grouped table.
    pub(super) fn column_condition(
        &self,
        condition: &j1ql::Condition,
        place: &mut Place<'_>,
    ) -> Result<Condition, QueryError> {
        self.condition(condition, place)
    }
}

fn relation_of(operator: CompareOperator) -> Relation {
    match operator {
        CompareOperator::Equal | CompareOperator::NotEqual => Relation::Equal,
        CompareOperator::Less => Relation::Less,
        CompareOperator::LessOrEqual => Relation::LessOrEqual,
        CompareOperator::Greater => Relation::Greater,
        CompareOperator::GreaterOrEqual => Relation::GreaterOrEqual,
        CompareOperator::Contains | CompareOperator::NotContains => Relation::Contains,
        CompareOperator::StartsWith | CompareOperator::NotStartsWith => Relation::StartsWith,
        CompareOperator::EndsWith | CompareOperator::NotEndsWith => Relation::EndsWith,
    }
}

fn compile(literal: &RegexLiteral) -> Result<regex::Regex, QueryError> {
    RegexBuilder::new(&literal.pattern)
        .case_insensitive(literal.ignore_case)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().to_owned();
            QueryError::invalid(format!(
                "Invalid regular expression \"{}\" at {}: {reason}",
                literal.pattern, literal.span
            ))
        })
}

/// Whether an expression has a value of its own, whatever the row.
pub(super) fn literal(expression: &Expression) -> bool {
    matches!(expression, Expression::Literal(_))
}
