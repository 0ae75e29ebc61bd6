// SPDX-License-Identifier: Apache-2.0
//! One call for a page of a list.
//!
//! A list is worked out once, for its first page; what it found is remembered while the walk goes
//! on, and worked out again (the same, since the cursor fixes the instant) when it was forgotten.
//! So a walk costs what its list costs, not that times its pages.

use std::any::Any;
use std::sync::Arc;

use durward_access::access::{Access, Sight};
use durward_access::reach::Reaching;
use durward_graph::View;
use durward_identity::Caller;
use durward_model::Instant;
use durward_policy::Action;
use durward_query::{CursorKey, ListCursor, QueryError, RunOptions};
use durward_vault::digest::sha256;

use crate::{Effort, ListError, Tally, Walks};

/// Who asks for a list, and what that may take.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The caller, as authentication let it in.
    pub caller: &'a Caller,
    /// The access of its organization.
    pub access: &'a Access,
    /// What the request may take.
    pub effort: &'a dyn Effort,
    /// What walks of all callers found so far.
    pub walks: &'a Walks,
}

/// Where a page begins or ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which part of the list; a list of one part has only zero.
    pub part: u64,
    /// How many rows of the part went before.
    pub offset: u64,
}

/// The rows of one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// They.
    pub rows: Vec<T>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<String>,
    /// How many rows all pages have.
    pub total: u64,
}

/// One call for a page.
#[derive(Debug)]
pub struct Walk<'w> {
    /// The state that the walk sees.
    pub view: View,
    /// The instant at which grants must be valid.
    pub valid_at: Instant,
    /// Where the page begins.
    pub start: Place,
    asker: Asker<'w>,
    key: CursorKey,
    what: String,
}

impl<'w> Walk<'w> {
    /// Begins with a list at an instant (`None` is now), after some rows. `what` is everything that
    /// makes the list what it is, its instant and the caller aside.
    pub fn begin(asker: Asker<'w>, what: &str, at: Option<Instant>, skip: u64) -> Self {
        let view = asker.access.view(at);
        let valid_at = at.unwrap_or_else(|| asker.access.organization().now());
        let start = Place {
            part: 0,
            offset: skip,
        };
        Self::new(asker, what, view, valid_at, start)
    }

    /// Goes on with a list where a page of it ended.
    ///
    /// # Errors
    /// When the cursor was not sealed for this caller and this list.
    pub fn resume(asker: Asker<'w>, what: &str, cursor: &str) -> Result<Self, ListError> {
        let key = CursorKey::new(&asker.caller.cursor_key());
        let cursor = ListCursor::open(cursor, &key, &named(asker.caller, what))?;
        let head = asker.access.view(None);
        if cursor.sequence > head.sequence() {
            return Err(QueryError::Cursor.into());
        }
        let view = head.snapshot().view(Some(cursor.instant));
        let start = Place {
            part: cursor.part,
            offset: cursor.offset,
        };
        Ok(Self::new(asker, what, view, cursor.now, start))
    }

    /// Begins, or goes on where there is a cursor; what is asked of the instant counts for the
    /// first page only.
    ///
    /// # Errors
    /// Those of [`Walk::resume`].
    pub fn open(
        asker: Asker<'w>,
        what: &str,
        at: Option<Instant>,
        cursor: Option<&str>,
    ) -> Result<Self, ListError> {
        match cursor {
            None => Ok(Self::begin(asker, what, at, 0)),
            Some(cursor) => Self::resume(asker, what, cursor),
        }
    }

    fn new(asker: Asker<'w>, what: &str, view: View, valid_at: Instant, start: Place) -> Self {
        Self {
            view,
            valid_at,
            start,
            asker,
            key: CursorKey::new(&asker.caller.cursor_key()),
            what: named(asker.caller, what),
        }
    }

    /// Who calls.
    pub fn caller(&self) -> &'w Caller {
        self.asker.caller
    }

    /// The access of the caller's organization.
    pub fn access(&self) -> &'w Access {
        self.asker.access
    }

    /// What the request may take.
    pub fn effort(&self) -> &'w dyn Effort {
        self.asker.effort
    }

    /// Refuses a caller who may not take an action.
    ///
    /// # Errors
    /// The refusal, which is recorded.
    pub fn require(&self, action: Action) -> Result<(), ListError> {
        Ok(self.caller().require_action(action)?)
    }

    /// Which core objects the caller may see.
    pub fn sight(&self) -> Sight {
        Sight::of(self.caller(), &self.view)
    }

    /// Who reaches what, as the caller sees it.
    pub fn reaching(&self) -> Reaching<'_> {
        self.access()
            .reaching(self.caller(), &self.view, self.valid_at)
    }

    /// A cursor to a place.
    pub fn cursor(&self, place: Place) -> String {
        let cursor = ListCursor {
            sequence: self.view.sequence(),
            instant: self.view.instant(),
            now: self.valid_at,
            part: place.part,
            offset: place.offset,
        };
        cursor.seal(&self.key, &self.what)
    }

    /// Options for plans over core objects: which of them the caller may see.
    pub fn options(&self) -> RunOptions {
        let caller = self.caller();
        let mut options = RunOptions::new(self.valid_at, self.key.clone());
        options.row_condition = caller.core_condition().cloned();
        caller
            .organization()
            .id()
            .as_str()
            .clone_into(&mut options.account_id);
        options
    }

    /// Something that counts what a walk gathers.
    pub fn tally(&self) -> Tally<'w> {
        Tally::new(self.effort())
    }

    /// What `find` finds, or found for an earlier page of this walk. `part` tells several findings
    /// of one walk apart.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn remembered<T, E, F>(&self, part: &str, find: F) -> Result<Arc<Vec<T>>, E>
    where
        T: Any + Send + Sync,
        F: FnOnce() -> Result<Vec<T>, E>,
    {
        let name = self.name(part);
        let organization = self.caller().organization().id();
        if let Some(known) = self.asker.walks.get(organization, &name) {
            return Ok(known);
        }
        let found = Arc::new(find()?);
        self.asker.walks.keep(organization, name, &found);
        Ok(found)
    }

    /// The page of rows that are all known: at most `first` of them.
    pub fn page<T: Clone>(&self, rows: &[T], first: usize) -> Page<T> {
        let start = usize::try_from(self.start.offset).unwrap_or(usize::MAX);
        let shown: Vec<T> = rows.iter().skip(start).take(first).cloned().collect();
        let end = start.saturating_add(shown.len());
        let next = (end < rows.len()).then(|| {
            self.cursor(Place {
                part: self.start.part,
                offset: end as u64,
            })
        });
        Page {
            rows: shown,
            next,
            total: rows.len() as u64,
        }
    }

    fn name(&self, part: &str) -> [u8; 32] {
        let organization = self.caller().organization().id().as_str();
        let mut text = self.caller().cursor_key().to_vec();
        let (instant, now) = (self.view.instant(), self.valid_at);
        let rest = format!(
            "{organization}\n{instant:?}\n{now:?}\n{part}\n{}",
            self.what
        );
        text.extend_from_slice(rest.as_bytes());
        sha256(&text)
    }
}

/// A list by its name, as one caller sees it: what it may see may change between two pages, and
/// then the walk is another one.
fn named(caller: &Caller, what: &str) -> String {
    let conditions = (caller.row_condition(), caller.core_condition());
    format!("{what}\n{conditions:?}")
}
