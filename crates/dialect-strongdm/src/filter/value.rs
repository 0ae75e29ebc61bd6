// SPDX-License-Identifier: Apache-2.0
//! Values of terms as numbers, truths, ids and moments.

use durward_catalog::ids;
use durward_model::{Instant, ObjectId};

use super::{FieldTerm, FilterError};

/// What a term about ids names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdTerm {
    /// Every id.
    Every,
    /// This one; none when the text is no id of the right kind.
    Of(Option<ObjectId>),
}

impl FieldTerm {
    fn must_be(&self, what: &str) -> FilterError {
        let (name, value) = (&self.name, self.pattern.text());
        FilterError::new(format!(
            "the filter field {name:?} takes {what}, not {value:?}"
        ))
    }

    pub(crate) fn number(&self) -> Result<f64, FilterError> {
        let number = self.pattern.literal().and_then(|text| text.parse().ok());
        let number = number.filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.must_be("a number"))
    }

    pub(crate) fn truth(&self) -> Result<bool, FilterError> {
        let text = self.pattern.literal().unwrap_or_default();
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.must_be("true or false")),
        }
    }

    pub(crate) fn moment(&self) -> Result<Instant, FilterError> {
        let moment = self.pattern.literal().and_then(super::times::moment);
        moment.ok_or_else(|| self.must_be("a time such as 2026-01-31T08:00:00Z"))
    }

    /// The id that it names.
    pub(crate) fn id(&self, prefix: &str) -> Result<IdTerm, FilterError> {
        self.must_not_compare()?;
        if self.pattern.is_anything()
            || self
                .pattern
                .text()
                .eq_ignore_ascii_case(&format!("{prefix}*"))
        {
            return Ok(IdTerm::Every);
        }
        let Some(text) = self.pattern.literal() else {
            return Err(self.must_be("a whole id"));
        };
        Ok(IdTerm::Of(ids::parse_prefixed_folded(prefix, text)))
    }

    pub(crate) fn must_not_compare(&self) -> Result<(), FilterError> {
        match self.comparison {
            None => Ok(()),
            Some(comparison) => Err(FilterError::new(format!(
                "the filter field {:?} cannot be compared by {}",
                self.name,
                comparison.as_str()
            ))),
        }
    }
}
