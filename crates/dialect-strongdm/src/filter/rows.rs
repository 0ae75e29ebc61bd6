// SPDX-License-Identifier: Apache-2.0
//! Filters on rows that are worked out, and on relationships.

use durward_model::{Instant, ObjectId};

use super::value::IdTerm;
use super::{Comparison, FieldTerm, FilterError, Pattern, Terms, folded};

/// What the values of a field of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Ids that begin with this.
    Id(&'static str),
    /// Texts.
    Text,
    /// Moments.
    Time,
}

/// A field of a row: its name in the contract and what its values are. Fields of the same name are
/// alternatives: the row fits when either does.
pub type RowField = (&'static str, CellKind);

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'c> {
    /// Nothing.
    Empty,
    /// An id.
    Id(ObjectId),
    /// A text.
    Text(&'c str),
    /// Several texts, of which any may fit.
    Texts(&'c [String]),
    /// A moment.
    Time(Instant),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// Any value.
    Anything,
    /// One of these.
    Ids(Vec<ObjectId>),
    /// Any of these.
    Texts(Vec<Pattern>),
    /// One of these, and so compared with each of those.
    Times(Vec<Instant>, Vec<(Comparison, Instant)>),
}

/// A filter made ready for rows with certain fields.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// Position of a field and what its value must fulfil; for each name, any of these.
    tests: Vec<Vec<(usize, Test)>>,
}

impl RowFilter {
    /// Makes the terms ready that are left.
    ///
    /// # Errors
    /// When a field does not exist, or a value does not fit its field.
    pub fn of(terms: &Terms<'_>, fields: &[RowField]) -> Result<Self, FilterError> {
        let mut tests = Vec::new();
        for (name, of_field) in terms.fields() {
            let named = fields.iter().enumerate();
            let named: Vec<_> = named.filter(|(_, field)| folded(field.0) == name).collect();
            if named.is_empty() {
                let written = of_field.first().map_or(name, |term| &term.name);
                return Err(FilterError::unknown(written));
            }
            let mut any = Vec::new();
            for (position, (_, kind)) in named {
                any.push((position, test(of_field, *kind)?));
            }
            tests.push(any);
        }
        match terms.tags().first() {
            Some(_) => Err(FilterError::unknown("tag")),
            None => Ok(Self { tests }),
        }
    }

    /// Whether every row fits.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Whether a row fits; `cell` gives its value at a position of the fields.
    pub fn fits<'c>(&self, cell: impl Fn(usize) -> Cell<'c>) -> bool {
        let fits = |(position, test): &(usize, Test)| test.fits(cell(*position));
        self.tests.iter().all(|any| any.iter().any(fits))
    }

    /// The ids that the field at a position must have one of; `None` when it may have any.
    pub fn ids(&self, position: usize) -> Option<&[ObjectId]> {
        self.tests.iter().find_map(|any| match any.as_slice() {
            [(at, Test::Ids(ids))] if *at == position => Some(ids.as_slice()),
            _ => None,
        })
    }
}

fn test(terms: &[&FieldTerm], kind: CellKind) -> Result<Test, FilterError> {
    match kind {
        CellKind::Id(prefix) => {
            let mut ids = Vec::new();
            for term in terms {
                match term.id(prefix)? {
                    IdTerm::Every => return Ok(Test::Anything),
                    IdTerm::Of(id) => ids.extend(id),
                }
            }
            Ok(Test::Ids(ids))
        }
        CellKind::Text => {
            let patterns = terms.iter().map(|term| {
                let sign = term.comparison.map_or("", Comparison::as_str);
                Pattern::of(&format!("{sign}{}", term.pattern.text()))
            });
            Ok(Test::Texts(patterns.collect()))
        }
        CellKind::Time => {
            let (mut any, mut all) = (Vec::new(), Vec::new());
            for term in terms {
                match term.comparison {
                    None if term.pattern.is_anything() => return Ok(Test::Anything),
                    None => any.push(term.moment()?),
                    Some(comparison) => all.push((comparison, term.moment()?)),
                }
            }
            Ok(Test::Times(any, all))
        }
    }
}

impl Test {
    fn fits(&self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Anything, _) => true,
            (Self::Ids(ids), Cell::Id(id)) => ids.contains(&id),
            (Self::Texts(patterns), Cell::Text(text)) => {
                patterns.iter().any(|pattern| pattern.fits(text, false))
            }
            (Self::Texts(patterns), Cell::Texts(texts)) => texts
                .iter()
                .any(|text| patterns.iter().any(|pattern| pattern.fits(text, false))),
            (Self::Texts(patterns), Cell::Empty) => patterns.iter().any(Pattern::fits_nothing),
            (Self::Times(any, all), Cell::Time(moment)) => {
                (any.is_empty() || any.contains(&moment))
                    && all.iter().all(|(comparison, other)| match comparison {
                        Comparison::Less => moment < *other,
                        Comparison::LessOrEqual => moment <= *other,
                        Comparison::Greater => moment > *other,
                        Comparison::GreaterOrEqual => moment >= *other,
                    })
            }
            _ => false,
        }
    }
}
