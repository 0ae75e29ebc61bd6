// SPDX-License-Identifier: Apache-2.0
//! Pages: how much of a result is written, and where the next page begins.

use super::walk::Choice;
use crate::error::QueryError;
use crate::limits::Meter;

/// How large a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// This many rows.
    Rows(u64),
    /// As many rows as fit in this many bytes, at least one.
    Bytes(usize),
    /// Everything.
    Whole,
}

/// Rows of a page unless said otherwise.
pub const PAGE_ROWS_DEFAULT: u64 = 250;
/// Bytes of a page of variable size unless said otherwise (1 MiB).
pub const PAGE_BYTES_DEFAULT: usize = 1 << 20;
/// How much is collected before a stream hands it on.
const CHUNK_BYTES: usize = 64 << 10;

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// How many rows were written before, over all pages.
    pub(crate) written: u64,
    /// What the rows before were.
    pub(crate) after: After,
}

/// What comes before a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    #[default]
    Start,
    /// The path with these choices.
    Path(Vec<Choice>),
    /// This many rows, left-out ones included.
    Offset(u64),
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// It was written, or left out at the start.
    Taken,
    /// There is no room for it on this page.
    Full,
    /// There may be no more rows at all.
    Done,
}

/// Receives the bytes of a stream.
pub(crate) type Receiver<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<(), QueryError> + Send);

/// Takes the rows of a result and writes those that belong to a page.
pub(crate) struct PageWriter<'a> {
    meter: &'a Meter,
    size: PageSize,
    skip_left: u64,
    limit_left: u64,
    written_before: u64,
    offset: u64,
    rows: u64,
    buffer: Vec<u8>,
    streamed: usize,
    receiver: Option<Receiver<'a>>,
    last: Vec<Choice>,
    is_full: bool,
}

/// A page that was written.
#[derive(Debug, Default)]
pub(crate) struct WrittenPage {
    pub(crate) data: Vec<u8>,
    pub(crate) rows: u64,
    pub(crate) next: Option<Position>,
}

impl<'a> PageWriter<'a> {
    pub(crate) fn new(
        meter: &'a Meter,
        size: PageSize,
        skip: u64,
        limit: Option<u64>,
        position: &Position,
        receiver: Option<Receiver<'a>>,
    ) -> Self {
        let (skip_left, offset) = match &position.after {
            After::Start => (skip, 0),
            After::Path(_) => (0, 0),
            After::Offset(offset) => (*offset, 0),
        };
        Self {
            meter,
            size,
            skip_left,
            limit_left: limit.unwrap_or(u64::MAX).saturating_sub(position.written),
            written_before: position.written,
            offset,
            rows: 0,
            buffer: b"[".to_vec(),
            streamed: 0,
            receiver,
            last: Vec::new(),
            is_full: false,
        }
    }

    /// How many rows may be needed at most, left-out ones and one look ahead included.
    pub(crate) fn rows_wanted(&self) -> u64 {
        let page = match self.size {
            PageSize::Rows(rows) => rows.saturating_add(1),
            PageSize::Bytes(_) | PageSize::Whole => u64::MAX,
        };
        self.skip_left.saturating_add(self.limit_left.min(page))
    }

    /// Whether a row would be left out; if so it is counted.
    pub(crate) fn skips(&mut self) -> bool {
        if self.skip_left == 0 {
            return false;
        }
        self.skip_left -= 1;
        self.offset += 1;
        true
    }

    /// Offers a row; `write` appends it.
    pub(crate) fn offer(
        &mut self,
        trail: &[Choice],
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Offer, QueryError> {
        if self.limit_left == 0 {
            return Ok(Offer::Done);
        }
        if self.skips() {
            self.last.clear();
            self.last.extend_from_slice(trail);
            return Ok(Offer::Taken);
        }
        let used = self.buffer.len() + self.streamed;
        let full = match self.size {
            PageSize::Rows(rows) => self.rows >= rows,
            PageSize::Bytes(bytes) => self.rows > 0 && used >= bytes,
            PageSize::Whole => false,
        };
        if full {
            self.is_full = true;
            return Ok(Offer::Full);
        }
        if self.rows > 0 {
            self.buffer.push(b',');
        }
        let before = self.buffer.capacity();
        write(&mut self.buffer);
        self.meter.tick(1)?;
        self.meter
            .bytes(self.buffer.capacity().saturating_sub(before))?;
        self.rows += 1;
        self.offset += 1;
        self.limit_left -= 1;
        self.last.clear();
        self.last.extend_from_slice(trail);
        if let Some(receiver) = &mut self.receiver
            && self.buffer.len() >= CHUNK_BYTES
        {
            receiver(&self.buffer)?;
            self.streamed += self.buffer.len();
            self.buffer.clear();
        }
        Ok(if self.limit_left == 0 {
            Offer::Done
        } else {
            Offer::Taken
        })
    }

    /// The page. Its successor begins by choices if `by_path`, else by number of rows.
    pub(crate) fn finish(mut self, by_path: bool) -> Result<WrittenPage, QueryError> {
        self.buffer.push(b']');
        if let Some(receiver) = &mut self.receiver {
            receiver(&self.buffer)?;
            self.buffer.clear();
        }
        let after = if by_path {
            After::Path(self.last)
        } else {
            After::Offset(self.offset)
        };
        let written = self.written_before.saturating_add(self.rows);
        let next = self.is_full.then_some(Position { written, after });
        Ok(WrittenPage {
            data: self.buffer,
            rows: self.rows,
            next,
        })
    }
}

impl std::fmt::Debug for PageWriter<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PageWriter")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
