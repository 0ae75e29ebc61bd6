// SPDX-License-Identifier: Apache-2.0
//! Regular expressions of callers: how large they may become, and what is charged for them.

use regex::{Regex, RegexBuilder};

use crate::error::QueryError;
use crate::limits::Meter;

/// What a compiled pattern may take, the smaller one tried first: nearly all patterns fit, and a
/// query may have thousands.
const COMPILED_BYTES: [usize; 2] = [32 << 10, 1 << 20];
/// What its memory of states may take while it is matched.
const STATES_BYTES: usize = 128 << 10;
/// How deep groups and repetitions may nest.
const NESTING_MAX: u32 = 64;
/// Longest reason that is repeated to the caller, in characters.
const REASON_CHARACTERS_MAX: usize = 200;

/// A pattern to be compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern<'p> {
    pub(crate) text: &'p str,
    pub(crate) ignore_case: bool,
    /// Whether a dot matches the end of a line too.
    pub(crate) any_line: bool,
}

impl Pattern<'_> {
    /// Compiles the pattern; `refused` makes the error of a pattern that is none, or is too large.
    pub(crate) fn compile(
        self,
        meter: &Meter,
        refused: impl Fn(&str) -> QueryError,
    ) -> Result<Regex, QueryError> {
        let mut reason = String::new();
        for bytes in COMPILED_BYTES {
            meter.bytes(bytes + STATES_BYTES)?;
            let built = RegexBuilder::new(self.text)
                .case_insensitive(self.ignore_case)
                .dot_matches_new_line(self.any_line)
                .size_limit(bytes)
                .dfa_size_limit(STATES_BYTES)
                .nest_limit(NESTING_MAX)
                .build();
            match built {
                Ok(regex) => return Ok(regex),
                Err(error) => {
                    meter.release(bytes + STATES_BYTES);
                    let is_large = matches!(error, regex::Error::CompiledTooBig(_));
                    reason = error.to_string();
                    if !is_large {
                        break;
                    }
                }
            }
        }
        let reason = reason.lines().last().unwrap_or_default();
        let reason: String = reason.chars().take(REASON_CHARACTERS_MAX).collect();
        Err(refused(&reason))
    }
}
