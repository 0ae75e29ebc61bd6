// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a query, in the words that published tooling looks for.

use std::fmt;

use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

use super::{LIST_ITEMS_MAX, OPERATORS_MAX, QUERY_BYTES_MAX, STEPS_MAX};

/// Where something stands in the query text.
///
/// Any two spans compare equal: a syntax tree equals another that was written with other blanks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset after the last byte.
    pub end: u32,
}

impl PartialEq for Span {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl Span {
    /// From the start of this span to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self {
            end: last.end.max(self.start),
            ..self
        }
    }

    /// The piece of `text` that this span covers.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} column {}", self.line, self.column)
    }
}

/// A query text that cannot be run as written.
///
/// The texts begin with a capital letter, unlike other errors of this workspace, because clients
/// match them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum J1qlError {
    /// A token stands where the grammar has no place for it.
    #[error(
        "Error parsing query. Unexpected token \"{token}\" at {at}{}",
        hint(suggestion.as_deref())
    )]
    UnexpectedToken {
        /// The token as written, shortened when long; `end of query` at the end.
        token: String,
        /// Where it stands.
        at: Span,
        /// A word that may stand there and looks much like it.
        suggestion: Option<String>,
    },
    /// A string, comment, regular expression, bracket or placeholder has no end.
    #[error("Error parsing query. Unterminated {what} at {at}")]
    Unterminated {
        /// What has no end.
        what: &'static str,
        /// Where it begins.
        at: Span,
    },
    /// The text inside `date(...)` is no date.
    #[error("Error parsing query. Invalid date \"{text}\" at {at}")]
    InvalidDate {
        /// The text inside the parentheses.
        text: String,
        /// Where `date` begins.
        at: Span,
    },
    /// A word without quotes stands where a value is compared with.
    #[error(
        "Error parsing query. Unexpected token \"{word}\" at {at}. Did you mean \"'{word}'\"? A \
         text stands in quotes; two properties are compared in WHERE"
    )]
    UnquotedWord {
        /// The word, or the words with dots between them.
        word: String,
        /// Where it stands.
        at: Span,
    },
    /// A name with `-` in it, without brackets: it would be read as a subtraction.
    #[error(
        "Error parsing query. Unexpected token \"{written}\" at {at}. Did you mean \"{meant}\"? A \
         name with such characters stands in brackets; a subtraction has blanks around its -"
    )]
    UnbracketedName {
        /// The name as written.
        written: String,
        /// The same with brackets.
        meant: String,
        /// Where it stands.
        at: Span,
    },
    /// A number that is not kept exactly in 64 bits.
    #[error(
        "Error parsing query. Number out of range at {at}: whole numbers lie between \
         -9223372036854775808 and 9223372036854775807"
    )]
    NumberOutOfRange {
        /// Where the number begins.
        at: Span,
    },
    /// A function with too few or too many arguments.
    #[error("Error parsing query. Function \"{function}\" needs {needs} at {at}")]
    ArgumentCount {
        /// The function's name.
        function: &'static str,
        /// How many arguments it takes, in words.
        needs: &'static str,
        /// Where the call begins.
        at: Span,
    },
    /// A subquery that does not return exactly one column.
    #[error("Error parsing query. A subquery must return exactly one property at {at}")]
    SubqueryColumns {
        /// Where the subquery begins.
        at: Span,
    },
    /// The text is longer than [`QUERY_BYTES_MAX`].
    #[error("Error parsing query. The query is {bytes} bytes long, more than {QUERY_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nesting is deeper than [`super::NESTING_MAX`], or [`super::SUBQUERY_NESTING_MAX`] for
    /// subqueries.
    #[error("Error parsing query. {what} nested deeper than {levels} levels at {at}")]
    TooDeep {
        /// What is nested.
        what: &'static str,
        /// The most levels.
        levels: usize,
        /// Where the level too many begins.
        at: Span,
    },
    /// A list has more than [`LIST_ITEMS_MAX`] entries.
    #[error("Error parsing query. More than {LIST_ITEMS_MAX} items in one list at {at}")]
    TooManyItems {
        /// Where the entry too many begins.
        at: Span,
    },
    /// The query has more than [`STEPS_MAX`] steps.
    #[error("Error parsing query. More than {STEPS_MAX} traversal steps at {at}")]
    TooManySteps {
        /// Where the step too many begins.
        at: Span,
    },
    /// An expression has more than [`OPERATORS_MAX`] arithmetic operators.
    #[error("Error parsing query. More than {OPERATORS_MAX} operators in one expression at {at}")]
    TooManyOperators {
        /// Where the operator too many stands.
        at: Span,
    },
    /// `LIMIT` or `SKIP` with a number outside its range.
    #[error("\"{clause}\" must be a value between {lowest} and {highest}")]
    OutOfRange {
        /// `limit` or `skip`.
        clause: &'static str,
        /// The smallest value.
        lowest: u64,
        /// The largest value.
        highest: u64,
        /// Where the number stands.
        at: Span,
    },
    /// `RETURN` or `ORDER BY` names an alias that the query does not have.
    #[error(
        "Invalid return selector provided: \"{name}\", valid return selectors are: \"{}\" at {at}",
        valid.join(", ")
    )]
    UnknownReturnSelector {
        /// The alias.
        name: String,
        /// The aliases there are, in the order of the query.
        valid: Vec<String>,
        /// Where it is used.
        at: Span,
    },
    /// `WHERE` names an alias that the query does not have.
    #[error(
        "Invalid predicate filter selector provided: \"{name}\", \
         valid predicate filter selectors are: \"{}\" at {at}",
        valid.join(", ")
    )]
    UnknownFilterSelector {
        /// The alias.
        name: String,
        /// The aliases there are, in the order of the query.
        valid: Vec<String>,
        /// Where it is used.
        at: Span,
    },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |word| format!(". Did you mean \"{word}\"?"))
}

impl J1qlError {
    /// Always [`ErrorKind::Invalid`]: the text will stay wrong.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// Where the mistake is; the start of the text for a text that is too long.
    pub fn span(&self) -> Span {
        match self {
            Self::UnexpectedToken { at, .. }
            | Self::UnquotedWord { at, .. }
            | Self::UnbracketedName { at, .. }
            | Self::Unterminated { at, .. }
            | Self::InvalidDate { at, .. }
            | Self::NumberOutOfRange { at }
            | Self::ArgumentCount { at, .. }
            | Self::SubqueryColumns { at }
            | Self::TooDeep { at, .. }
            | Self::TooManyItems { at }
            | Self::TooManySteps { at }
            | Self::TooManyOperators { at }
            | Self::OutOfRange { at, .. }
            | Self::UnknownReturnSelector { at, .. }
            | Self::UnknownFilterSelector { at, .. } => *at,
            Self::TooLong { .. } => Span {
                line: 1,
                column: 1,
                start: 0,
                end: 0,
            },
        }
    }

    /// The line of the mistake, from 1.
    pub fn line(&self) -> u32 {
        self.span().line
    }

    /// The column of the mistake in characters, from 1.
    pub fn column(&self) -> u32 {
        self.span().column
    }

    /// The word that was perhaps meant.
    pub fn suggestion(&self) -> Option<&str> {
        match self {
            Self::UnexpectedToken { suggestion, .. } => suggestion.as_deref(),
            _ => None,
        }
    }
}

impl ClientMessage for J1qlError {
    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}
