// SPDX-License-Identifier: Apache-2.0
//! `AccountResources`: which accounts reach which resources, by which role or grant.
//!
//! The list is walked account by account, so that one of millions of rows needs no more memory
//! than one account's.

use std::collections::HashMap;

use durward_access::effective::AccessPath;
use durward_access::{Kind, Via, reader};
use durward_graph::{EntityRef, View};
use durward_listing::reach::Between;
use durward_listing::{Effort as _, Place};
use durward_model::{Instant, ObjectId};

use super::timestamp::{put_id, put_moment};
use crate::dispatch::Reply;
use crate::filter::{Cell, CellKind, RowField, RowFilter, Terms};
use crate::page::{Page, Walk};
use crate::status::Status;
use crate::wire::put_bytes;

/// Most rows that one call looks at; when they do not fit the filter, the page ends early.
const LOOKED_AT_MAX: usize = 1_000_000;

/// What a row takes while rows are gathered: itself twice, and its place in a table.
const ROW_BYTES: usize = 2 * size_of::<AccessRow>() + 64;

/// Fields of a row, in the order of [`AccessRow::cell`].
pub(crate) const FIELDS: &[RowField] = &[
    ("account_id", CellKind::IdOf(Kind::USER)),
    ("resource_id", CellKind::IdOf(Kind::RESOURCE)),
    ("role_id", CellKind::IdOf(Kind::ROLE)),
    ("account_grant_id", CellKind::IdOf(Kind::GRANT)),
    ("granted_at", CellKind::Time),
    ("created_at", CellKind::Time),
    ("expires_at", CellKind::Time),
];

/// By what an account reaches a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum By {
    Role(ObjectId),
    Grant(ObjectId),
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccessRow {
    pub(crate) account: ObjectId,
    pub(crate) resource: ObjectId,
    pub(crate) by: By,
    pub(crate) granted_at: Instant,
    pub(crate) created_at: Instant,
    pub(crate) expires_at: Option<Instant>,
}

impl AccessRow {
    fn of(view: &View, path: &AccessPath) -> Self {
        let (by, created_at) = match path.via {
            Via::Role { role, .. } => (By::Role(view.entity_id(role)), path.granted_at),
            Via::Grant { grant, .. } => {
                let by = By::Grant(view.edge_id(grant));
                (by, view.edge_created_at(grant))
            }
        };
        Self {
            account: view.entity_id(path.account),
            resource: view.entity_id(path.resource),
            by,
            granted_at: path.granted_at,
            created_at,
            expires_at: path.expires_at,
        }
    }

    /// Its value at a position of [`FIELDS`].
    pub(crate) fn cell(&self, position: usize) -> Cell<'_> {
        match (position, self.by) {
            (0, _) => Cell::Id(self.account),
            (1, _) => Cell::Id(self.resource),
            (2, By::Role(role)) => Cell::Id(role),
            (3, By::Grant(grant)) => Cell::Id(grant),
            (4, _) => Cell::Time(self.granted_at),
            (5, _) => Cell::Time(self.created_at),
            (6, _) => self.expires_at.map_or(Cell::Empty, Cell::Time),
            _ => Cell::Empty,
        }
    }

    /// Appends its message.
    pub(crate) fn write(&self, out: &mut Vec<u8>, number: u32) {
        let mut row = Vec::with_capacity(128);
        put_id(&mut row, 1, Kind::USER.prefix(), self.account);
        put_id(&mut row, 2, Kind::RESOURCE.prefix(), self.resource);
        put_moment(&mut row, 3, Some(self.granted_at));
        put_moment(&mut row, 4, self.expires_at);
        match self.by {
            By::Role(role) => put_id(&mut row, 5, Kind::ROLE.prefix(), role),
            By::Grant(grant) => put_id(&mut row, 6, Kind::GRANT.prefix(), grant),
        }
        put_moment(&mut row, 7, Some(self.created_at));
        put_bytes(out, number, &row);
    }
}

/// `AccountResources.List`.
pub(crate) fn list(walk: &Walk<'_>) -> Result<Reply, Status> {
    super::refuse_order(walk)?;
    let filter = RowFilter::of(&Terms::of(&walk.filter), FIELDS);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let between = Between {
        accounts: filter.ids(0),
        resources: filter.ids(1),
        roles: filter.ids(2),
    };
    let accounts = walk.remembered("accounts", || walk.accounts_with_ways(&between))?;
    let mut page = Page::new(walk.call().method, walk.request.rows)?;
    let mut place = walk.start;
    let mut looked_at = 0;
    let mut total = None;
    let first = usize::try_from(place.part).unwrap_or(usize::MAX);
    for account in accounts.iter().skip(first) {
        let part = format!("paths {}", place.part);
        walk.call().check()?;
        let rows = walk.remembered(&part, || rows_of(walk, *account, &filter))?;
        looked_at += rows.len() + 1;
        total = (accounts.len() == 1).then_some(rows.len());
        let start = usize::try_from(place.offset).unwrap_or(usize::MAX);
        for row in rows.iter().skip(start) {
            let is_taken = page.push(|out, number| {
                row.write(out, number);
                Ok(true)
            })?;
            if !is_taken {
                return Ok(page.finish(Some(&walk.cursor(place)), total));
            }
            place.offset += 1;
        }
        place = Place {
            part: place.part + 1,
            // Pages that are asked for by number count over all accounts.
            offset: (start.saturating_sub(rows.len())) as u64,
        };
        if looked_at > LOOKED_AT_MAX || walk.call().is_given_up() {
            return Ok(page.finish(Some(&walk.cursor(place)), None));
        }
    }
    Ok(page.finish(None, total))
}

/// The rows of one account that fit.
fn rows_of(
    walk: &Walk<'_>,
    account: EntityRef,
    filter: &RowFilter,
) -> Result<Vec<AccessRow>, Status> {
    let view = &walk.view;
    let resources = filter.ids(1).map(|ids| {
        let found = ids.iter();
        let found = found.filter_map(|id| reader::entity(view, *id, &[Kind::RESOURCE]));
        found.collect::<Vec<_>>()
    });
    let mut rows = Rows::default();
    walk.for_each_way(account, resources.as_deref(), |reached| {
        let row = AccessRow::of(view, &reached.path);
        if filter.fits(|position| row.cell(position)) {
            walk.effort().hold(ROW_BYTES)?;
            rows.add(row);
        }
        Ok::<(), Status>(())
    })?;
    Ok(rows.rows)
}

/// Rows, each once: an account that has a role itself and by a group reaches a resource by that
/// role since the earlier moment.
#[derive(Default)]
struct Rows {
    rows: Vec<AccessRow>,
    known: HashMap<(ObjectId, By), usize>,
}

impl Rows {
    fn add(&mut self, row: AccessRow) {
        let next = self.rows.len();
        let at = *self.known.entry((row.resource, row.by)).or_insert(next);
        match self.rows.get_mut(at) {
            None => self.rows.push(row),
            Some(known) => {
                known.granted_at = known.granted_at.min(row.granted_at);
                known.created_at = known.created_at.min(row.created_at);
            }
        }
    }
}
