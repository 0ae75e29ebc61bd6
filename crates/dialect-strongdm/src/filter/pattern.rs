// SPDX-License-Identifier: Apache-2.0
//! Values with `*`, which stands for any run of characters.

use std::fmt;

use regex::Regex;

use super::FilterError;

/// A value: literal runs with a wildcard between any two of them. One run is a plain value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    runs: Vec<String>,
}

impl Pattern {
    /// The pattern that a text is, once quotes are gone. Runs of `*` count as one.
    pub fn of(text: &str) -> Self {
        let mut runs: Vec<String> = Vec::new();
        let mut parts = text.split('*');
        runs.extend(parts.next().map(str::to_owned));
        let count = text.matches('*').count();
        for (position, part) in parts.enumerate() {
            let is_last = position + 1 == count;
            if !part.is_empty() || is_last {
                runs.push(part.to_owned());
            }
        }
        Self { runs }
    }

    /// The text, if there is no wildcard in it.
    pub fn literal(&self) -> Option<&str> {
        match self.runs.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether every text fits, the empty one too.
    pub fn is_anything(&self) -> bool {
        self.runs.len() > 1 && self.runs.iter().all(String::is_empty)
    }

    /// Whether the empty text fits.
    pub fn fits_nothing(&self) -> bool {
        self.runs.iter().all(String::is_empty)
    }

    /// As it was written, without quotes.
    pub fn text(&self) -> String {
        self.runs.join("*")
    }

    /// Whether it is small enough to be tried on many texts. One without wildcards always is.
    pub(crate) fn is_small(&self) -> bool {
        let wildcards = self.runs.len().saturating_sub(1);
        let bytes: usize = self.runs.iter().map(String::len).sum();
        wildcards == 0 || (wildcards <= WILDCARDS_MAX && bytes + wildcards <= PATTERN_BYTES_MAX)
    }

    /// What it asks of a text where that is a simple thing to ask.
    pub(crate) fn simple(&self) -> Option<Simple<'_>> {
        match self.runs.as_slice() {
            [only] => Some(Simple::Whole(only)),
            [start, end] if end.is_empty() => Some(Simple::Start(start)),
            [start, end] if start.is_empty() => Some(Simple::End(end)),
            [start, part, end] if start.is_empty() && end.is_empty() => Some(Simple::Part(part)),
            _ => None,
        }
    }

    /// Whether a text fits as a whole. Without `exact`, upper and lower case are the same.
    pub fn fits(&self, text: &str, exact: bool) -> bool {
        if exact {
            return Self::fits_runs(text, &self.runs);
        }
        let runs: Vec<String> = self.runs.iter().map(|run| run.to_lowercase()).collect();
        Self::fits_runs(&text.to_lowercase(), &runs)
    }

    fn fits_runs(text: &str, runs: &[String]) -> bool {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return text.is_empty();
        };
        if runs.len() == 1 {
            return text == first;
        }
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let inner = runs.get(1..runs.len() - 1).unwrap_or_default();
        for run in inner {
            let Some((_, after)) = rest.split_once(run.as_str()) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }

    /// The same as a regular expression.
    ///
    /// # Errors
    /// When that would grow too large.
    pub(crate) fn regex(&self, exact: bool) -> Result<Regex, FilterError> {
        let runs: Vec<String> = self.runs.iter().map(|run| regex::escape(run)).collect();
        small_regex(&format!("^(?:{})$", runs.join(".*")), exact)
    }
}

/// What a pattern asks of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Simple<'p> {
    /// To be this.
    Whole(&'p str),
    /// To begin with this.
    Start(&'p str),
    /// To end with this.
    End(&'p str),
    /// To hold this.
    Part(&'p str),
}

/// Most wildcards of a pattern.
pub(crate) const WILDCARDS_MAX: usize = 16;
/// Most bytes of a pattern with wildcards.
pub(crate) const PATTERN_BYTES_MAX: usize = 1024;
/// Largest compiled form of a regular expression in bytes, and largest memory of trying it.
const REGEX_BYTES_MAX: usize = 512 << 10;
const REGEX_TRY_BYTES_MAX: usize = 128 << 10;

/// What a regular expression takes at most.
pub(super) const REGEX_MEMORY_BYTES: usize = REGEX_BYTES_MAX + REGEX_TRY_BYTES_MAX;

/// A regular expression that takes little memory.
pub(crate) fn small_regex(text: &str, exact: bool) -> Result<Regex, FilterError> {
    let mut builder = regex::RegexBuilder::new(text);
    builder.dot_matches_new_line(true).case_insensitive(!exact);
    builder.size_limit(REGEX_BYTES_MAX);
    builder.dfa_size_limit(REGEX_TRY_BYTES_MAX);
    let too_large = |_| FilterError::new("a pattern in the filter is too large");
    builder.build().map_err(too_large)
}

impl fmt::Display for Pattern {
    /// Writes it as a JSON string.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", serde_json::Value::from(self.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_run() {
        for (pattern, text, fits) in [
            ("abc", "ABC", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("*", "x", true),
            ("", "", true),
            ("", "x", false),
            ("a*c", "abbc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*sql*", "my SQL db", true),
            ("**a**b", "xaxb", true),
            ("a*b*c", "acb", false),
            ("*ab", "aab", true),
            ("a*b*", "a\nb", true),
        ] {
            let pattern = Pattern::of(pattern);
            assert_eq!(pattern.fits(text, false), fits, "{pattern} {text:?}");
            let regex = pattern.regex(false);
            let regex_fits = regex.is_ok_and(|regex| regex.is_match(text));
            assert_eq!(regex_fits, fits, "{pattern} {text:?}");
        }
        assert!(!Pattern::of("abc").fits("ABC", true));
        assert!(Pattern::of("**").is_anything() && Pattern::of("").fits_nothing());
    }
}
