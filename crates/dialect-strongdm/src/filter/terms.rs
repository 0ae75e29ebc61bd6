// SPDX-License-Identifier: Apache-2.0
//! The terms of a filter, those of one field together.

use std::collections::BTreeMap;

use super::{FieldTerm, Filter, FilterError, TagTerm, Term, folded};

/// The terms of a filter by field. All of them must hold, those of one field and tags too; only
/// ids are alternatives.
#[derive(Debug)]
pub struct Terms<'f> {
    fields: BTreeMap<String, Vec<&'f FieldTerm>>,
    tags: Vec<&'f TagTerm>,
}

impl<'f> Terms<'f> {
    /// Sorts the terms of a filter.
    pub fn of(filter: &'f Filter) -> Self {
        let mut fields: BTreeMap<String, Vec<&FieldTerm>> = BTreeMap::new();
        let mut tags = Vec::new();
        for term in &filter.terms {
            match term {
                Term::Field(term) => fields.entry(folded(&term.name)).or_default().push(term),
                Term::Tag(term) => tags.push(term),
            }
        }
        Self { fields, tags }
    }

    /// The terms of a field, which are taken out.
    pub fn take(&mut self, folded_name: &str) -> Vec<&'f FieldTerm> {
        self.fields.remove(folded_name).unwrap_or_default()
    }

    /// The terms of the fields that are left.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[&'f FieldTerm])> {
        let fields = self.fields.iter();
        fields.map(|(name, terms)| (name.as_str(), terms.as_slice()))
    }

    /// The tags.
    pub fn tags(&self) -> &[&'f TagTerm] {
        &self.tags
    }

    /// Refuses whatever is left.
    ///
    /// # Errors
    /// Names the first field that nothing took.
    pub fn finish(&self) -> Result<(), FilterError> {
        if let Some(term) = self.fields.values().flatten().next() {
            return Err(FilterError::unknown(&term.name));
        }
        match self.tags.first() {
            Some(_) => Err(FilterError::unknown("tag")),
            None => Ok(()),
        }
    }
}
