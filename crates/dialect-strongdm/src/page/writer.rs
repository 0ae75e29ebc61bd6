// SPDX-License-Identifier: Apache-2.0
//! Gathers the rows of a page.

use prost_reflect::FieldDescriptor;

use durward_listing::Place;

use super::{PAGE_BYTES_MAX, Walk};
use crate::contract::Method;
use crate::dispatch::Reply;
use crate::status::Status;
use crate::wire::{put_bytes, put_integer};

/// The rows of a page, encoded.
#[derive(Debug)]
pub struct Page {
    message: Vec<u8>,
    item_number: u32,
    meta_number: u32,
    rows: usize,
    rows_max: usize,
}

impl Page {
    /// An empty page of a method that lists.
    ///
    /// # Errors
    /// When the method does not list.
    pub fn new(method: &Method, rows_max: usize) -> Result<Self, Status> {
        let item = method.output_noun.as_ref().map(FieldDescriptor::number);
        let (Some(item_number), Some(meta_number)) = (item, method.meta_number) else {
            return Err(Status::unsupported(&method.signed_name));
        };
        Ok(Self {
            message: Vec::new(),
            item_number,
            meta_number,
            rows: 0,
            rows_max,
        })
    }

    /// Whether no other row fits.
    pub fn is_full(&self) -> bool {
        self.rows >= self.rows_max || self.message.len() >= PAGE_BYTES_MAX
    }

    /// Adds a row that `write` appends as the field of a number; it answers `false` for one that
    /// is left out. Answers `false` when the row does not fit.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn push(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>, u32) -> Result<bool, Status>,
    ) -> Result<bool, Status> {
        if self.is_full() {
            return Ok(false);
        }
        let before = self.message.len();
        let is_written = write(&mut self.message, self.item_number)?;
        if !is_written || (self.rows > 0 && self.message.len() > PAGE_BYTES_MAX) {
            self.message.truncate(before);
            return Ok(!is_written);
        }
        self.rows += 1;
        Ok(true)
    }

    /// The answer: with a cursor when there is more, and the number of all rows where it is known.
    pub fn finish(mut self, next_cursor: Option<&str>, total: Option<usize>) -> Reply {
        let mut meta = Vec::new();
        if let Some(cursor) = next_cursor {
            put_bytes(&mut meta, 1, cursor.as_bytes());
        }
        let total = total.map_or(0, |total| i32::try_from(total).unwrap_or(i32::MAX));
        put_integer(&mut meta, 2, i64::from(total));
        put_bytes(&mut self.message, self.meta_number, &meta);
        Reply::encoded(self.message)
    }

    /// The page of a walk through rows that are all known: `write` appends the message of one as
    /// the field of a number, or answers that it is left out.
    ///
    /// # Errors
    /// Those of `write`, and when the method does not list.
    pub fn of_rows<T>(
        walk: &Walk<'_>,
        rows: &[T],
        mut write: impl FnMut(&mut Vec<u8>, u32, &T) -> Result<bool, Status>,
    ) -> Result<Reply, Status> {
        let mut page = Self::new(walk.call().method, walk.request.rows)?;
        let start = usize::try_from(walk.start.offset).unwrap_or(usize::MAX);
        let mut next = None;
        let mut tally = walk.tally();
        for (offset, row) in rows.iter().enumerate().skip(start) {
            tally.row()?;
            if !page.push(|out, number| write(out, number, row))? {
                let offset = offset as u64;
                next = Some(walk.cursor(Place { part: 0, offset }));
                break;
            }
        }
        Ok(page.finish(next.as_deref(), Some(rows.len())))
    }
}
