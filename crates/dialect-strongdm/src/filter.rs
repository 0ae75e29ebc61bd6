// SPDX-License-Identifier: Apache-2.0
//! StrongDM's filter language: `field:value` terms that must all hold; `id:` terms are
//! alternatives.
//!
//! [`Filter::parse`] reads a text. [`Fields`] says what the fields of a kind of entity mean, and
//! lowers a filter to the plan algebra of `durward_query`; [`RowFilter`] tests rows that are worked
//! out, such as those of effective access.

mod fields;
mod lower;
mod nouns;
mod parse;
mod pattern;
mod rows;
mod terms;
mod times;
mod value;

pub use fields::{Branch, Field, Fields, Meaning};
pub(crate) use nouns::category;
pub(crate) use parse::ID;
pub use parse::{FILTER_BYTES_MAX, TERMS_MAX, TESTS_MAX};
pub use pattern::Pattern;
use pattern::REGEX_MEMORY_BYTES;
pub use rows::{Cell, CellKind, RowField, RowFilter};
pub use terms::Terms;
pub(crate) use times::Range;

use std::fmt;

use durward_model::ErrorKind;
use durward_model::error::ClientMessage;

/// A filter as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Its terms; none is everything.
    pub terms: Vec<Term>,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// `field:value`.
    Field(FieldTerm),
    /// `tag:key` or `tag:key=value`.
    Tag(TagTerm),
}

/// A term about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    /// The field as it was written.
    pub name: String,
    /// Whether it is to be larger or smaller than the value; only numbers and times can be.
    pub comparison: Option<Comparison>,
    /// The value.
    pub pattern: Pattern,
}

/// A term about a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagTerm {
    /// Name of the tag.
    pub key: String,
    /// Its value; `None` is any.
    pub value: Option<Pattern>,
}

/// How a number or time compares with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A filter that cannot be used, in one sentence for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

impl FilterError {
    /// Always a wrong request.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    fn unknown(name: &str) -> Self {
        Self(format!("the filter field {name:?} does not exist here"))
    }
}

impl ClientMessage for FilterError {
    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn client_message(&self) -> String {
        self.to_string()
    }
}

impl Filter {
    /// What it takes in memory when it is made ready, at most.
    pub(crate) fn memory_bytes(&self) -> usize {
        let of_term = |term: &Term| {
            let pattern = match term {
                Term::Field(term) => Some(&term.pattern),
                Term::Tag(term) => term.value.as_ref(),
            };
            let is_simple = pattern.is_none_or(|pattern| pattern.simple().is_some());
            TERM_BYTES + if is_simple { 0 } else { REGEX_MEMORY_BYTES }
        };
        self.terms.iter().map(of_term).sum()
    }
}

/// What a term takes, beside a regular expression.
const TERM_BYTES: usize = 512;

impl Comparison {
    fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl fmt::Display for Filter {
    /// Writes it so that it reads as the same again.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, term) in self.terms.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            match term {
                Term::Field(term) => {
                    let comparison = term.comparison.map_or("", Comparison::as_str);
                    write!(formatter, "{}:{comparison}{}", term.name, term.pattern)?;
                }
                Term::Tag(term) => {
                    let key = serde_json::Value::from(term.key.as_str());
                    write!(formatter, "tag:{key}")?;
                    if let Some(value) = &term.value {
                        write!(formatter, "={value}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A field's name without case and underscores.
pub(crate) fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}
