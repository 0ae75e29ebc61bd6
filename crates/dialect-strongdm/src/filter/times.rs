// SPDX-License-Identifier: Apache-2.0
//! Moments in filters, and the range that `before:` and `after:` name.

use durward_model::Instant;

use super::{FilterError, Terms};

/// Reads a date with or without a time; without a zone it is UTC.
pub(crate) fn moment(text: &str) -> Option<Instant> {
    let text = text.trim();
    let spaced = text.replacen(' ', "T", 1);
    let dated = format!("{text}T00:00:00Z");
    let zoned = format!("{spaced}Z");
    let forms = [text, &spaced, &dated, &zoned];
    forms.iter().find_map(|form| form.parse().ok())
}

/// From when to when; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first moment.
    pub(crate) from: Option<Instant>,
    /// The last moment.
    pub(crate) until: Option<Instant>,
}

impl Range {
    /// Takes `before:` and `after:` out of the terms. Several narrow each other.
    pub(crate) fn take(terms: &mut Terms<'_>) -> Result<Self, FilterError> {
        let mut range = Self {
            from: None,
            until: None,
        };
        for term in terms.take("after") {
            term.must_not_compare()?;
            let moment = term.moment()?.plus_micros(1);
            range.from = range.from.max(Some(moment));
        }
        for term in terms.take("before") {
            term.must_not_compare()?;
            let moment = term.moment()?.plus_micros(-1);
            range.until = Some(range.until.map_or(moment, |until| until.min(moment)));
        }
        Ok(range)
    }

    /// Whether a moment lies in it.
    pub(crate) fn holds(&self, moment: Instant) -> bool {
        self.from.is_none_or(|from| from <= moment)
            && self.until.is_none_or(|until| moment <= until)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_the_forms_that_clients_write() {
        let noon: Instant = "2026-01-31T12:00:00Z".parse().unwrap();
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-01-31T13:00:00+01:00",
            "2026-01-31T12:00:00",
            "2026-01-31 12:00:00.000000",
            "2026-01-31 12:00:00+00:00",
        ] {
            assert_eq!(moment(text), Some(noon), "{text}");
        }
        assert_eq!(moment("2026-01-31"), Some(noon.plus_seconds(-43_200)));
        assert_eq!(moment("yesterday"), None);
    }
}
