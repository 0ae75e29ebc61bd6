// SPDX-License-Identifier: Apache-2.0
//! Conditions of J1QL.

use durward_catalog::Vocabulary;
use durward_model::{Instant, Value};

use super::Lowering;
use super::expressions::Place;
use crate::error::QueryError;
use crate::j1ql;
use crate::j1ql::dates::date_text;
use crate::j1ql::{ArithmeticOperator, CompareOperator, J1qlError, ListItem, RegexLiteral};
use crate::pattern::Pattern;
use crate::plan::{
    Arithmetic, Comparison, Condition, Expression, Function, Metadata, Operand, Property, Relation,
    Slot,
};

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
        let mut left = self.expression(&comparison.left, place)?;
        if let j1ql::Value::Expression(right) = &comparison.value {
            self.check_word(&comparison.left, right, place)?;
        }
        if let Some(millis) = self.reversed_date(&left, comparison, place)? {
            left = Expression::Literal(Instant::from_millis(millis).into());
        }
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
                let value = self.right(&left, relation, value, place)?;
                compare(negated, false, vec![Operand::Value(value)])
            }
            j1ql::Value::Regex(pattern) => compare(
                negated,
                false,
                vec![Operand::Pattern(self.compile(pattern)?)],
            ),
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
                    let mut items = Vec::with_capacity(group.len());
                    for item in group {
                        if let ListItem::Expression(value) = item {
                            self.check_word(&comparison.left, value, place)?;
                        }
                        items.push(self.list_item(&left, relation, item, place)?);
                    }
                    lowered.push(items);
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

    fn list_item(
        &self,
        left: &Expression,
        relation: Relation,
        item: &ListItem,
        place: &mut Place<'_>,
    ) -> Result<Operand, QueryError> {
        Ok(match item {
            ListItem::Expression(value) => {
                Operand::Value(self.right(left, relation, value, place)?)
            }
            ListItem::Regex(pattern) => Operand::Pattern(self.compile(pattern)?),
        })
    }

    /// A word without quotes where a value is compared with would silently be an absent property.
    /// Only `WHERE` compares properties, with an alias in front; an alias alone stands for the
    /// object, which only another alias can equal.
    fn check_word(
        &self,
        left: &j1ql::Expression,
        right: &j1ql::Expression,
        place: &Place<'_>,
    ) -> Result<(), QueryError> {
        let j1ql::Expression::Reference(reference) = right else {
            return Ok(());
        };
        let is_named = self.slot_named(reference.alias()).is_some();
        let is_fine = match place {
            Place::Node(_) => false,
            Place::Path | Place::Column(_) => {
                let beside = matches!(left, j1ql::Expression::Reference(left) if left.is_bare());
                !reference.is_bare() || (is_named && beside)
            }
            Place::Result(parts) => {
                !reference.is_bare() || is_named || parts.column_named(&reference.key()).is_some()
            }
        };
        if is_fine || reference.every_property {
            return Ok(());
        }
        Err(QueryError::J1ql(J1qlError::UnquotedWord {
            word: j1ql::shown(&reference.key()),
            at: reference.span,
        }))
    }

    /// The right side of a comparison. A text that is a date is one beside a property that holds
    /// dates; `date.now` and `date(...)` are, so that dates kept as texts compare with them.
    fn right(
        &self,
        left: &Expression,
        relation: Relation,
        right: &j1ql::Expression,
        place: &mut Place<'_>,
    ) -> Result<Expression, QueryError> {
        let value = self.expression(right, place)?;
        if relation.is_of_texts() {
            return Ok(value);
        }
        Ok(match value {
            Expression::Literal(Value::Int(millis)) if is_moment(right) => {
                Expression::Literal(as_date(millis))
            }
            Expression::Literal(value) if is_date(left, place) => {
                Expression::Literal(dates_in(value))
            }
            value => value,
        })
    }

    /// The date that a text on the left stands for, where a property that holds dates is on the
    /// right.
    fn reversed_date(
        &self,
        left: &Expression,
        comparison: &j1ql::Comparison,
        place: &mut Place<'_>,
    ) -> Result<Option<i64>, QueryError> {
        let text = match left {
            Expression::Literal(Value::String(text)) => date_text(text),
            _ => None,
        };
        let (Some(millis), j1ql::Value::Expression(right)) = (text, &comparison.value) else {
            return Ok(None);
        };
        let right = self.expression(right, place)?;
        Ok(is_date(&right, place).then_some(millis))
    }

    fn compile(&self, literal: &RegexLiteral) -> Result<regex::Regex, QueryError> {
        let pattern = Pattern {
            text: &literal.pattern,
            ignore_case: literal.ignore_case,
            any_line: false,
        };
        pattern.compile(self.context.meter, |reason| {
            QueryError::invalid(format!(
                "Invalid regular expression \"{}\" at {}: {reason}",
                j1ql::shown(&literal.pattern),
                literal.span
            ))
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

/// Whether the values of an expression are dates, by the names of the properties in it.
fn is_date(expression: &Expression, place: &Place<'_>) -> bool {
    let parts = match place {
        Place::Column(parts) | Place::Result(parts) => Some(&**parts),
        Place::Node(_) | Place::Path => None,
    };
    let inside = |inner: Option<&Expression>| inner.is_some_and(|inner| is_date(inner, place));
    match expression {
        Expression::Property(_, Property::Named(name)) => Vocabulary::built_in().is_date(name),
        Expression::Property(_, Property::Metadata(metadata)) => matches!(
            metadata,
            Metadata::CreatedOn | Metadata::BeginOn | Metadata::EndOn
        ),
        Expression::Arithmetic(Arithmetic::Add, left, right) => {
            is_date(left, place) != is_date(right, place)
        }
        // The time between two dates is no date.
        Expression::Arithmetic(Arithmetic::Subtract, left, right) => {
            is_date(left, place) && !is_date(right, place)
        }
        Expression::Call(Function::Coalesce | Function::Merge, arguments) => {
            arguments.iter().any(|argument| is_date(argument, place))
        }
        Expression::Column(column) => inside(parts.and_then(|parts| parts.column(*column))),
        Expression::Aggregated(number) => inside(parts.and_then(|parts| parts.extreme(*number))),
        _ => false,
    }
}

/// Whether an expression is a moment as written.
fn is_moment(expression: &j1ql::Expression) -> bool {
    match expression {
        j1ql::Expression::Now | j1ql::Expression::Date(_) => true,
        j1ql::Expression::Binary(binary) => {
            let (left, right) = (is_moment(&binary.left), is_moment(&binary.right));
            match binary.operator {
                ArithmeticOperator::Add => left != right,
                ArithmeticOperator::Subtract => left && !right,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Epoch milliseconds as an instant, unless they are beyond what an instant holds.
fn as_date(millis: i64) -> Value {
    match millis.checked_mul(1000) {
        Some(_) => Instant::from_millis(millis).into(),
        None => Value::Int(millis),
    }
}

/// A value in which the texts that are dates are instants.
fn dates_in(value: Value) -> Value {
    match value {
        Value::String(text) => match date_text(&text) {
            Some(millis) => as_date(millis),
            None => Value::String(text),
        },
        Value::List(items) => Value::List(items.into_iter().map(dates_in).collect()),
        other => other,
    }
}

/// Whether an expression has a value of its own, whatever the row.
pub(super) fn literal(expression: &Expression) -> bool {
    matches!(expression, Expression::Literal(_))
}
