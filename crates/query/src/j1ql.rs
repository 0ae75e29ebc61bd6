// SPDX-License-Identifier: Apache-2.0
//! J1QL, the query language of JupiterOne: from text to syntax tree and back.
//!
//! [`parse`] reads a query text into a [`Query`]; printing a [`Query`] gives its canonical text,
//! which parses to an equal tree. Nothing here knows the graph: names are not resolved, a smart
//! class is only a name, `date.now` is not evaluated. [`names::elements`] lists what a query can
//! name, in order.
//!
//! A query text is foreign input. Every list, every nesting and the text itself have limits, and
//! the depth of every tree that [`parse`] returns is bounded, so that recursive walks over it are
//! safe.

pub mod ast;
pub(crate) mod dates;
pub mod errors;
pub mod expression;
mod lexer;
pub mod names;
mod parser;
pub(crate) mod suggest;
mod token;
mod unparse;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use lexer::shown;

pub use ast::{
    Alternative, Direction, Group, Name, Node, PathPart, Query, ReturnItem, Returns, Selector,
    SelectorKind, SortKey, Step, Verbs,
};
pub use errors::{J1qlError, Span};
pub use expression::{
    ArithmeticOperator, Binary, Call, CompareOperator, Comparison, Condition, Expression, Function,
    ListItem, Number, Reference, RegexLiteral, Unit, Value,
};

/// The longest query text, in bytes.
pub const QUERY_BYTES_MAX: usize = 64 * 1024;
/// How deeply groups, subqueries, parentheses and function calls may nest, all together.
pub const NESTING_MAX: usize = 64;
/// How deeply subqueries may nest; each level counts for [`NESTING_MAX`] too.
pub const SUBQUERY_NESTING_MAX: usize = 16;
/// The most `THAT` steps in one query text, subqueries included.
pub const STEPS_MAX: usize = 64;
/// The most entries of one list: conditions joined by one `AND` or `OR` chain, values, columns,
/// sort keys, alternatives, arguments.
pub const LIST_ITEMS_MAX: usize = 4096;
/// The most arithmetic operators in one expression; bounds the depth of its tree.
pub const OPERATORS_MAX: usize = 128;
/// The largest value of `LIMIT`; the smallest is 1.
pub const LIMIT_MAX: u64 = 10_000;
/// The largest value of `SKIP`.
pub const SKIP_MAX: u64 = u32::MAX as u64;

/// Reads one query.
///
/// # Errors
/// The first mistake in the text, with its line and column.
pub fn parse(text: &str) -> Result<Query, J1qlError> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(J1qlError::TooLong { bytes: text.len() });
    }
    let tokens = lexer::tokenize(text)?;
    parser::Parser::new(text, tokens).parse()
}
