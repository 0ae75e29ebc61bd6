// SPDX-License-Identifier: Apache-2.0
//! Filters on rows that are worked out, and on relationships.

use durward_catalog::Kind;
use durward_model::{Instant, ObjectId};

use super::value::IdTerm;
use super::{Comparison, FieldTerm, FilterError, ID, Pattern, Terms, folded};

/// What the values of a field of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Ids that begin with this.
    Id(&'static str),
    /// Ids of objects of a kind.
    IdOf(Kind),
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
    /// A text that fits.
    Text(Pattern),
    /// This one, or so compared with it.
    Time(Option<Comparison>, Instant),
}

/// A filter made ready for rows with certain fields.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// What must hold: for each term the positions of the fields of its name, of which any may
    /// fulfil the test. All terms about `id` are one test.
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
            let size = if name == ID { of_field.len() } else { 1 };
            for together in of_field.chunks(size.max(1)) {
                let mut any = Vec::new();
                for (position, (_, kind)) in &named {
                    any.push((*position, test(together, *kind)?));
                }
                tests.push(any);
            }
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

    /// The ids that the field at a position must have one of; `None` when it may have any. What
    /// several terms name is tested by each of them.
    pub fn ids(&self, position: usize) -> Option<&[ObjectId]> {
        self.tests.iter().find_map(|any| match any.as_slice() {
            [(at, Test::Ids(ids))] if *at == position => Some(ids.as_slice()),
            _ => None,
        })
    }
}

/// The test that terms make together; only those about ids are several.
fn test(terms: &[&FieldTerm], kind: CellKind) -> Result<Test, FilterError> {
    match kind {
        CellKind::IdOf(kind) => test(terms, CellKind::Id(kind.prefix())),
        CellKind::Id(prefix) => {
            let mut ids = Vec::new();
            for term in terms {
                match term.id(prefix)? {
                    IdTerm::Every => return Ok(Test::Anything),
                    IdTerm::Of(id) => ids.extend(id),
                }
            }
            ids.sort_unstable();
            ids.dedup();
            Ok(Test::Ids(ids))
        }
        CellKind::Text => Ok(terms.first().map_or(Test::Anything, |term| {
            let sign = term.comparison.map_or("", Comparison::as_str);
            let text = format!("{sign}{}", term.pattern.text());
            Test::Text(Pattern::of(&text.to_lowercase()))
        })),
        CellKind::Time => match terms.first() {
            None => Ok(Test::Anything),
            Some(term) if term.comparison.is_none() && term.pattern.is_anything() => {
                Ok(Test::Anything)
            }
            Some(term) => Ok(Test::Time(term.comparison, term.moment()?)),
        },
    }
}

impl Test {
    fn fits(&self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Anything, _) => true,
            (Self::Ids(ids), Cell::Id(id)) => ids.binary_search(&id).is_ok(),
            (Self::Text(pattern), Cell::Text(text)) => pattern.fits(&text.to_lowercase(), true),
            (Self::Text(pattern), Cell::Texts(texts)) => texts
                .iter()
                .any(|text| pattern.fits(&text.to_lowercase(), true)),
            (Self::Text(pattern), Cell::Empty) => pattern.fits_nothing(),
            (Self::Time(comparison, other), Cell::Time(moment)) => match comparison {
                None => moment == *other,
                Some(Comparison::Less) => moment < *other,
                Some(Comparison::LessOrEqual) => moment <= *other,
                Some(Comparison::Greater) => moment > *other,
                Some(Comparison::GreaterOrEqual) => moment >= *other,
            },
            _ => false,
        }
    }
}
