// SPDX-License-Identifier: Apache-2.0
//! One call for a page of a list.

use std::any::Any;
use std::sync::Arc;

use durward_access::Access;
use durward_graph::View;
use durward_identity::Caller;
use durward_model::Instant;
use durward_query::{CursorKey, ListCursor, RunOptions};
use durward_vault::digest::sha256;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;

use super::{PageRequest, Walks, request};
use crate::dispatch::Call;
use crate::filter::Filter;
use crate::status::Status;

/// Where a page begins or ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which part of the list; a list of one part has only zero.
    pub part: u64,
    /// How many rows of the part went before.
    pub offset: u64,
}

/// One call for a page.
#[derive(Debug)]
pub struct Walk<'w> {
    /// The state that the walk sees.
    pub view: View,
    /// The instant at which grants must be valid.
    pub valid_at: Instant,
    /// The filter.
    pub filter: Filter,
    /// The page that is asked for.
    pub request: PageRequest,
    /// Where it begins.
    pub start: Place,
    call: &'w Call<'w>,
    access: &'w Access,
    walks: &'w Walks,
    key: CursorKey,
    what: String,
}

impl<'w> Walk<'w> {
    /// Begins or goes on with a walk.
    ///
    /// # Errors
    /// When the filter, the cursor or another part of the request is wrong.
    pub fn open(call: &'w Call<'w>, access: &'w Access, walks: &'w Walks) -> Result<Self, Status> {
        let request = PageRequest::of(call)?;
        let filter = Filter::parse(&request::text(call.message, "filter"));
        let filter = filter.map_err(|error| Status::of(&error))?;
        call.check()?;
        call.charge(filter.memory_bytes())?;
        let key = CursorKey::new(&call.caller.cursor_key());
        let what = what(call, &request);
        let (view, valid_at, start) = if request.cursor.is_empty() {
            let view = access.view(request.snapshot_at);
            let valid_at = request.snapshot_at.unwrap_or(call.now);
            let (part, offset) = (0, request.skip);
            (view, valid_at, Place { part, offset })
        } else {
            let cursor = ListCursor::open(&request.cursor, &key, &what);
            let cursor = cursor.map_err(|error| Status::of(&error))?;
            let head = access.view(None);
            if cursor.sequence > head.sequence() {
                return Err(Status::of(&durward_query::QueryError::Cursor));
            }
            let (part, offset) = (cursor.part, cursor.offset);
            let view = head.snapshot().view(Some(cursor.instant));
            (view, cursor.now, Place { part, offset })
        };
        Ok(Self {
            view,
            valid_at,
            filter,
            request,
            start,
            call,
            access,
            walks,
            key,
            what,
        })
    }

    /// The call.
    pub fn call(&self) -> &'w Call<'w> {
        self.call
    }

    /// Who calls.
    pub fn caller(&self) -> &'w Caller {
        self.call.caller
    }

    /// The access of the caller's organization.
    pub fn access(&self) -> &'w Access {
        self.access
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

    /// Options for plans: what the caller may see.
    pub fn options(&self) -> RunOptions {
        let caller = self.caller();
        let mut options = RunOptions::new(self.valid_at, self.key.clone());
        options.row_condition = caller.core_condition().cloned();
        caller
            .organization()
            .id()
            .as_str()
            .clone_into(&mut options.account_id);
        options.limits.cancelled = Some(Arc::clone(self.call.given_up));
        options
    }

    /// Something that counts what a walk gathers.
    pub fn tally(&self) -> Tally<'w> {
        Tally {
            call: self.call,
            count: 0,
        }
    }

    /// What `find` finds, or found for an earlier page of this walk. `part` tells several findings
    /// of one walk apart.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn remembered<T, F>(&self, part: &str, find: F) -> Result<Arc<Vec<T>>, Status>
    where
        T: Any + Send + Sync,
        F: FnOnce() -> Result<Vec<T>, Status>,
    {
        let name = self.name(part);
        let organization = self.caller().organization().id();
        if let Some(known) = self.walks.get(organization, &name) {
            return Ok(known);
        }
        let found = Arc::new(find()?);
        self.walks.keep(organization, name, &found);
        Ok(found)
    }

    fn name(&self, part: &str) -> [u8; 32] {
        let organization = self.caller().organization().id().as_str();
        let mut text = self.call.caller.cursor_key().to_vec();
        let (instant, now) = (self.view.instant(), self.valid_at);
        let rest = format!(
            "{organization}\n{instant:?}\n{now:?}\n{part}\n{}",
            self.what
        );
        text.extend_from_slice(rest.as_bytes());
        sha256(&text)
    }
}

/// Counts rows that are looked at and bytes that are gathered: the work ends when nobody waits for
/// it any more, or when the caller's share is used up.
#[derive(Debug)]
pub struct Tally<'w> {
    call: &'w Call<'w>,
    count: usize,
}

/// After how many rows it is asked whether somebody waits.
const ROWS_BETWEEN_CHECKS: usize = 1024;

impl Tally<'_> {
    /// One row more is looked at.
    ///
    /// # Errors
    /// When nobody waits any more.
    pub fn row(&mut self) -> Result<(), Status> {
        self.count = self.count.wrapping_add(1);
        if self.count.is_multiple_of(ROWS_BETWEEN_CHECKS) {
            self.call.check()?;
        }
        Ok(())
    }

    /// So many bytes more will be held.
    ///
    /// # Errors
    /// When the caller may not hold them.
    pub fn bytes(&self, bytes: usize) -> Result<(), Status> {
        self.call.charge(bytes)
    }
}

/// Everything that makes a list what it is, the instant and the place in it aside.
fn what(call: &Call<'_>, request: &PageRequest) -> String {
    let mut rest = DynamicMessage::new(call.method.input.clone());
    for (field, value) in call
        .message
        .fields()
        .filter(|(field, _)| field.name() != "meta")
    {
        rest.set_field(&field, value.clone());
    }
    let rest = sha256(&rest.encode_to_vec());
    let condition = call.caller.core_condition();
    let (method, order) = (&call.method.signed_name, &request.order_by);
    format!("{method}\n{rest:?}\n{order}\n{condition:?}")
}
