// SPDX-License-Identifier: Apache-2.0
//! What a list costs whoever asked for it.

use std::fmt;

use crate::ListError;

/// The request that a list is for, as far as lists take from it.
pub trait Effort: fmt::Debug {
    /// Whether it is worth to go on. To be asked now and then, not for each row.
    ///
    /// # Errors
    /// When nobody waits any more, or the request takes too long.
    fn check(&self) -> Result<(), ListError>;

    /// Notes that the request holds so many bytes more, before it does.
    ///
    /// # Errors
    /// When a share is used up.
    fn hold(&self, bytes: usize) -> Result<(), ListError>;

    /// Notes that the request let go of so many bytes.
    fn release(&self, bytes: usize);
}

/// Counts rows that are looked at and bytes that are gathered: the work ends when nobody waits for
/// it any more, or when the caller's share is used up.
#[derive(Debug)]
pub struct Tally<'e> {
    effort: &'e dyn Effort,
    count: usize,
}

/// After how many rows it is asked whether somebody waits.
const ROWS_BETWEEN_CHECKS: usize = 1024;

impl<'e> Tally<'e> {
    /// Counts for a request.
    pub fn new(effort: &'e dyn Effort) -> Self {
        Self { effort, count: 0 }
    }

    /// One row more is looked at.
    ///
    /// # Errors
    /// When nobody waits any more.
    pub fn row(&mut self) -> Result<(), ListError> {
        self.count = self.count.wrapping_add(1);
        if self.count.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            self.effort.check()?;
        }
        Ok(())
    }

    /// So many bytes more will be held.
    ///
    /// # Errors
    /// When the caller may not hold them.
    pub fn bytes(&self, bytes: usize) -> Result<(), ListError> {
        self.effort.hold(bytes)
    }
}
