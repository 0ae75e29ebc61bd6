// SPDX-License-Identifier: Apache-2.0
//! Checking a query without running it.

use crate::error::QueryError;
use crate::lower::lower;
use crate::plan::Output;
use crate::result::{ResultKind, RunOptions};

/// Reads a J1QL text and says what kind of result it would have.
///
/// # Errors
/// Those that [`crate::run`] would answer with before it starts.
pub fn check(text: &str, options: &RunOptions) -> Result<ResultKind, QueryError> {
    Ok(match lower(text, options)?.output {
        Output::List(_) => ResultKind::List,
        Output::Table(_) => ResultKind::Table,
        Output::Tree => ResultKind::Tree,
    })
}
