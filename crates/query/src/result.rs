// SPDX-License-Identifier: Apache-2.0
//! What a query gives back, and what it may be told besides its text.

use std::collections::BTreeMap;

use durward_model::{Instant, Value};

use crate::condition::RowCondition;
use crate::cursor::CursorKey;
use crate::execute::{PAGE_ROWS_DEFAULT, PageSize};
use crate::limits::Limits;

/// What shape a result has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// An array of whole objects.
    List,
    /// An array of flat objects.
    Table,
    /// One object with `vertices` and `edges`.
    Tree,
}

impl ResultKind {
    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Table => "table",
            Self::Tree => "tree",
        }
    }
}

/// One page of a result.
#[derive(Clone, Debug)]
pub struct QueryPage {
    /// Its shape.
    pub kind: ResultKind,
    /// The rows as JSON; empty when they were streamed.
    pub data: Vec<u8>,
    /// How many rows there are (vertices of a tree).
    pub rows: u64,
    /// How many rows all pages have together, where that is known.
    pub total_count: Option<u64>,
    /// What gets the next page; absent on the last one.
    pub cursor: Option<String>,
    /// Names in the query that neither the graph, as the caller sees it, nor the catalog has: one
    /// sentence each, with its place and the nearest known name. Only on the first page.
    pub warnings: Vec<String>,
}

/// What a query is told besides its text.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Values of `${param.name}`.
    pub parameters: BTreeMap<String, Value>,
    /// Values of `${name}`.
    pub variables: BTreeMap<String, Value>,
    /// The present instant, `date.now`. A cursor keeps that of its first page.
    pub now: Instant,
    /// Start entities, of subqueries too, must fit one of these lists of properties; empty for no
    /// restriction.
    pub scope_filters: Vec<BTreeMap<String, Value>>,
    /// Whether ended entities count as well.
    pub include_deleted: bool,
    /// What the caller may see; `None` for everything.
    pub row_condition: Option<RowCondition>,
    /// What the query may cost.
    pub limits: Limits,
    /// How large a page is.
    pub page: PageSize,
    /// Cursor of the page before.
    pub cursor: Option<String>,
    /// Whether table rows carry `_meta`.
    pub row_metadata: bool,
    /// By what cursors are sealed.
    pub cursor_key: CursorKey,
    /// `_accountId` of every object.
    pub account_id: String,
}

impl RunOptions {
    /// Options that ask for the first page of everything.
    pub fn new(now: Instant, cursor_key: CursorKey) -> Self {
        Self {
            parameters: BTreeMap::new(),
            variables: BTreeMap::new(),
            now,
            scope_filters: Vec::new(),
            include_deleted: false,
            row_condition: None,
            limits: Limits::default(),
            page: PageSize::Rows(PAGE_ROWS_DEFAULT),
            cursor: None,
            row_metadata: false,
            cursor_key,
            account_id: String::new(),
        }
    }
}
