// SPDX-License-Identifier: Apache-2.0
//! Conditions, comparisons and their values.

use super::super::SUBQUERY_NESTING_MAX;
use super::super::ast::{Query, Returns};
use super::super::errors::J1qlError;
use super::super::expression::{
    CompareOperator, Comparison, Condition, Expression, ListItem, RegexLiteral, Value,
};
use super::super::token::TokenKind;
use super::{Parsed, Parser};

/// A `(` at the begin of a condition may open a condition or an expression; which one shows only
/// later.
enum Operand {
    Condition(Condition),
    Expression(Expression),
}

impl Parser<'_> {
    /// A whole filter.
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
        let operand = self.disjunction()?;
        self.expect_condition(operand)
    }

    /// An expression that no comparison follows is an error at the token after it.
    fn expect_condition(&self, operand: Operand) -> Parsed<Condition> {
        match operand {
            Operand::Condition(condition) => Ok(condition),
            Operand::Expression(_) => Err(self.unexpected()),
        }
    }

    fn disjunction(&mut self) -> Parsed<Operand> {
        let first = match self.conjunction()? {
            Operand::Condition(condition) if self.at_keyword("OR") => condition,
            other => return Ok(other),
        };
        let mut conditions = vec![first];
        while self.take_keyword("OR") {
            let operand = self.conjunction()?;
            let condition = self.expect_condition(operand)?;
            self.push(&mut conditions, condition)?;
        }
        Ok(Operand::Condition(Condition::Or(conditions)))
    }

    fn conjunction(&mut self) -> Parsed<Operand> {
        let first = match self.operand()? {
            Operand::Condition(condition) if self.at_keyword("AND") => condition,
            other => return Ok(other),
        };
        let mut conditions = vec![first];
        while self.take_keyword("AND") {
            let operand = self.operand()?;
            let condition = self.expect_condition(operand)?;
            self.push(&mut conditions, condition)?;
        }
        Ok(Operand::Condition(Condition::And(conditions)))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let start = self.span();
        let left = if *self.kind() == TokenKind::Open {
            self.descend()?;
            self.advance();
            let inside = self.disjunction()?;
            self.expect(&TokenKind::Close)?;
            self.ascend();
            match inside {
                Operand::Condition(condition) => return Ok(Operand::Condition(condition)),
                Operand::Expression(inside) => self.continue_expression(inside)?,
            }
        } else {
            self.expression()?
        };
        let TokenKind::Compare(operator) = *self.kind() else {
            return Ok(Operand::Expression(left));
        };
        self.advance();
        let value = self.value(operator)?;
        let span = start.to(self.last_span());
        Ok(Operand::Condition(Condition::Comparison(Box::new(
            Comparison {
                left,
                operator,
                value,
                span,
            },
        ))))
    }

    fn value(&mut self, operator: CompareOperator) -> Parsed<Value> {
        match self.kind() {
            TokenKind::Regex { .. } => Ok(match self.list_item(operator)? {
                ListItem::Regex(regex) => Value::Regex(regex),
                ListItem::Expression(expression) => Value::Expression(expression),
            }),
            TokenKind::Open if self.subquery_ahead() => {
                if !operator.takes_subquery() {
                    return Err(self.unexpected());
                }
                Ok(Value::Subquery(Box::new(self.subquery()?)))
            }
            TokenKind::Open => self.list(operator),
            _ => Ok(Value::Expression(self.expression()?)),
        }
    }

    fn list_item(&mut self, operator: CompareOperator) -> Parsed<ListItem> {
        let TokenKind::Regex {
            pattern,
            ignore_case,
        } = self.kind()
        else {
            return Ok(ListItem::Expression(self.expression()?));
        };
        if !operator.takes_regex() {
            return Err(self.unexpected());
        }
        let (pattern, ignore_case) = (pattern.clone(), *ignore_case);
        let regex = RegexLiteral {
            pattern,
            ignore_case,
            span: self.span(),
        };
        self.advance();
        Ok(ListItem::Regex(regex))
    }

    /// `(a OR b AND c, d)`, or an expression that begins with a parenthesis.
    fn list(&mut self, operator: CompareOperator) -> Parsed<Value> {
        self.descend()?;
        self.advance();
        let mut alternatives = Vec::new();
        let mut together = vec![self.list_item(operator)?];
        loop {
            if self.take_keyword("AND") {
                let item = self.list_item(operator)?;
                self.push(&mut together, item)?;
            } else if self.take_keyword("OR") || self.take(&TokenKind::Comma) {
                let item = self.list_item(operator)?;
                self.push(
                    &mut alternatives,
                    std::mem::replace(&mut together, vec![item]),
                )?;
            } else {
                break;
            }
        }
        self.expect(&TokenKind::Close)?;
        self.ascend();
        if alternatives.is_empty() && together.len() == 1 {
            return match together.pop() {
                Some(ListItem::Regex(regex)) => Ok(Value::Regex(regex)),
                Some(ListItem::Expression(inside)) => {
                    Ok(Value::Expression(self.continue_expression(inside)?))
                }
                None => Err(self.unexpected()),
            };
        }
        self.push(&mut alternatives, together)?;
        Ok(Value::List(alternatives))
    }

    /// Whether the parenthesis at the cursor opens a subquery; `FIND` may be left out before a
    /// quoted text.
    fn subquery_ahead(&self) -> bool {
        if self.is_word(1, "FIND") {
            return true;
        }
        let continues = ["WITH", "AS", "THAT", "WHERE", "RETURN"];
        matches!(self.kind_after(), TokenKind::Text(_))
            && continues.iter().any(|keyword| self.is_word(2, keyword))
    }

    fn subquery(&mut self) -> Parsed<Query> {
        let at = self.span();
        if self.subqueries == SUBQUERY_NESTING_MAX {
            let levels = SUBQUERY_NESTING_MAX;
            return Err(J1qlError::TooDeep {
                what: "Subqueries",
                levels,
                at,
            });
        }
        self.descend()?;
        self.subqueries += 1;
        self.advance();
        let query = self.query()?;
        self.expect(&TokenKind::Close)?;
        self.subqueries -= 1;
        self.ascend();
        let one_column = match &query.returns {
            Some(Returns::Items { items, .. }) => match items.as_slice() {
                [item] => match &item.expression {
                    Expression::Everything => false,
                    Expression::Reference(reference) => !reference.every_property,
                    _ => true,
                },
                _ => false,
            },
            _ => false,
        };
        if one_column {
            Ok(query)
        } else {
            Err(J1qlError::SubqueryColumns { at })
        }
    }
}
