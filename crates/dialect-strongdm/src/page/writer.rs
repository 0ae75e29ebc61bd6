// SPDX-License-Identifier: Apache-2.0
//! Gathers the rows of a page.

use prost_reflect::FieldDescriptor;

use super::{PAGE_BYTES_MAX, Place, Walk};
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

    /// Whether another row of this many bytes fits. The first always does.
    pub fn fits(&self, bytes: usize) -> bool {
        let whole = self.message.len().saturating_add(bytes);
        self.rows == 0 || (self.rows < self.rows_max && whole <= PAGE_BYTES_MAX)
    }

    /// Whether no other row fits.
    pub fn is_full(&self) -> bool {
        self.rows >= self.rows_max || self.message.len() >= PAGE_BYTES_MAX
    }

    /// Adds an encoded row; `false` when it does not fit.
    pub fn offer(&mut self, item: &[u8]) -> bool {
        let fits = self.fits(item.len());
        if fits {
            put_bytes(&mut self.message, self.item_number, item);
            self.rows += 1;
        }
        fits
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

    /// The page of a walk through rows that are all known: `encode` makes the message of one, or
    /// leaves it out.
    ///
    /// # Errors
    /// Those of `encode`, and when the method does not list.
    pub fn of_rows<T>(
        walk: &Walk<'_>,
        rows: &[T],
        mut encode: impl FnMut(&T) -> Result<Option<Vec<u8>>, Status>,
    ) -> Result<Reply, Status> {
        let mut page = Self::new(walk.call().method, walk.request.rows)?;
        let start = usize::try_from(walk.start.offset).unwrap_or(usize::MAX);
        let mut next = None;
        for (offset, row) in rows.iter().enumerate().skip(start) {
            let fits = if page.is_full() {
                false
            } else {
                match encode(row)? {
                    None => true,
                    Some(item) => page.offer(&item),
                }
            };
            if !fits {
                let offset = offset as u64;
                next = Some(walk.cursor(Place { part: 0, offset }));
                break;
            }
        }
        Ok(page.finish(next.as_deref(), Some(rows.len())))
    }
}
