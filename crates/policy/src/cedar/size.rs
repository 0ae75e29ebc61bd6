// SPDX-License-Identifier: Apache-2.0
//! What a statement has become once it is parsed, counted without recursion.

use std::sync::Arc;

use cedar_policy::pst::{Clause, Expr};

/// Deepest nesting of an expression. Above what [`super::tokens`] lets through: a bracket may stand
/// for two levels.
pub(super) const LEVELS_MAX: usize = super::OPERATORS_MAX + 4 * super::DEPTH_MAX;
/// Most parts of a statement: each comes from a token, written once or repeated.
pub(super) const PARTS_MAX: usize = super::CEDAR_BYTES_MAX + super::REPEATED_MAX;

/// How deep the expressions of a statement nest. The error says what is too much.
pub(super) fn levels<'a>(clauses: impl Iterator<Item = &'a Clause>) -> Result<usize, String> {
    let mut waiting: Vec<(&Expr, usize)> = Vec::new();
    let mut conjunction: usize = 0;
    for clause in clauses {
        let (Clause::When(expression) | Clause::Unless(expression)) = clause;
        // Clauses become one condition, each a level below the one before.
        conjunction = conjunction.saturating_add(1);
        waiting.push((expression, conjunction));
    }
    let mut deepest = 0;
    let mut parts: usize = 0;
    while let Some((expression, level)) = waiting.pop() {
        parts = parts.saturating_add(1);
        deepest = deepest.max(level);
        if level > LEVELS_MAX || parts > PARTS_MAX {
            return Err("the statement nests too deeply or repeats too much".to_owned());
        }
        let below = level.saturating_add(1);
        let mut add = |part: &'a Arc<Expr>| waiting.push((part, below));
        children(expression, &mut add)?;
    }
    Ok(deepest)
}

/// Calls `add` for each part of an expression. A kind of expression that is not known here cannot
/// be bounded and is refused.
fn children<'a>(expression: &'a Expr, add: &mut dyn FnMut(&'a Arc<Expr>)) -> Result<(), String> {
    match expression {
        Expr::Literal(_) | Expr::Var(_) => {}
        Expr::UnaryOp { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. }
        | Expr::Like { expr, .. } => add(expr),
        Expr::BinaryOp { left, right, .. } => {
            add(left);
            add(right);
        }
        Expr::Is { expr, in_expr, .. } => {
            add(expr);
            in_expr.iter().for_each(add);
        }
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => {
            add(cond);
            add(then_expr);
            add(else_expr);
        }
        Expr::Set(items) => items.iter().for_each(add),
        Expr::Record(members) => members.iter().for_each(|(_, value)| add(value)),
        _ => return Err("the statement holds an expression of an unknown kind".to_owned()),
    }
    Ok(())
}
