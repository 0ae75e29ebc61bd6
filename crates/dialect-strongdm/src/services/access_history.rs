// SPDX-License-Identifier: Apache-2.0
//! `AccountResourcesHistory` and `RoleResourcesHistory`: when accounts and roles began and ceased
//! to reach resources. What ends because its time is up has no activity.

use durward_access::access::Sight;
use durward_access::intervals::{Bindings, Interval, PathBy};
use durward_access::{Kind, history, reader};
use durward_graph::{EntityRef, ObjectRef, View};
use durward_listing::{Effort as _, Tally};
use durward_model::Instant;

use super::account_resources::{self, AccessRow, By};
use super::history::{activity_id, newest_first};
use super::role_resources::{self, RoleRow};
use super::timestamp::{put_moment, put_text};
use crate::dispatch::Reply;
use crate::filter::{Range, RowFilter, Terms};
use crate::page::{Page, Walk};
use crate::status::Status;
use crate::wire::put_bytes;

/// Most rows of one history: more are asked for in parts.
const ROWS_MAX: usize = 2_000_000;

/// A row: when, what, and whether it ended.
#[derive(Clone, Copy, Debug)]
struct Row<R> {
    at: Instant,
    of: R,
    is_end: bool,
}

/// `AccountResourcesHistory.List`.
pub(crate) fn of_accounts(walk: &Walk<'_>) -> Result<Reply, Status> {
    let is_newest_first = newest_first(walk)?;
    let rows = walk.remembered("rows", || find_of_accounts(walk, is_newest_first))?;
    Page::of_rows(walk, &rows, |out, number, row| {
        write(walk, row.at, row.is_end, out, number, |out| {
            row.of.write(out, 3);
        });
        Ok(true)
    })
}

/// `RoleResourcesHistory.List`.
pub(crate) fn of_roles(walk: &Walk<'_>) -> Result<Reply, Status> {
    let is_newest_first = newest_first(walk)?;
    let rows = walk.remembered("rows", || find_of_roles(walk, is_newest_first))?;
    Page::of_rows(walk, &rows, |out, number, row| {
        write(walk, row.at, row.is_end, out, number, |out| {
            row.of.write(out, 3);
        });
        Ok(true)
    })
}

fn write(
    walk: &Walk<'_>,
    at: Instant,
    is_end: bool,
    out: &mut Vec<u8>,
    number: u32,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let mut row = Vec::with_capacity(192);
    put_text(&mut row, 1, &activity_at(&walk.view, at));
    put_moment(&mut row, 2, Some(at));
    write(&mut row);
    put_moment(&mut row, 4, is_end.then_some(at));
    put_bytes(out, number, &row);
}

/// The activity that was committed at an instant; empty when none was.
fn activity_at(view: &View, at: Instant) -> String {
    let snapshot = view.snapshot();
    let sequence = snapshot.view(Some(at)).sequence();
    let before = snapshot.view(Some(at.plus_micros(-1))).sequence();
    if sequence > before {
        activity_id(sequence.0)
    } else {
        String::new()
    }
}

fn find_of_accounts(walk: &Walk<'_>, is_newest_first: bool) -> Result<Vec<Row<AccessRow>>, Status> {
    let mut terms = Terms::of(&walk.filter);
    let range = Range::take(&mut terms).map_err(|error| Status::of(&error))?;
    let filter = RowFilter::of(&terms, account_resources::FIELDS);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let view = &walk.view;
    let sight = Sight::of(walk.caller(), view);
    let bindings = bindings(walk)?;
    let mut rows = Rows::new(walk, range);
    for account in ever(view, &[Kind::USER, Kind::SERVICE], filter.ids(0)) {
        if !sight.is_everything() && !sight.sees(ObjectRef::Entity(account)) {
            continue;
        }
        for reached in bindings.of_account(account) {
            rows.tally.row()?;
            if !sight.is_everything() && !sight.sees(ObjectRef::Entity(reached.resource)) {
                continue;
            }
            let row = access_row(view, account, &reached);
            if filter.fits(|position| row.cell(position)) {
                rows.add(row, reached.interval)?;
            }
        }
    }
    Ok(rows.finish(is_newest_first))
}

fn access_row(
    view: &View,
    account: EntityRef,
    reached: &durward_access::intervals::Reached,
) -> AccessRow {
    let from = reached.interval.from;
    let (by, created_at, expires_at) = match reached.by {
        PathBy::Role(role) => (By::Role(view.entity_id(role)), from, None),
        PathBy::Grant(grant) => (
            By::Grant(view.edge_id(grant)),
            view.edge_created_at(grant),
            reader::edge_instant(view, grant, durward_access::effective::VALID_UNTIL),
        ),
    };
    AccessRow {
        account: view.entity_id(account),
        resource: view.entity_id(reached.resource),
        by,
        granted_at: from,
        created_at,
        expires_at,
    }
}

fn find_of_roles(walk: &Walk<'_>, is_newest_first: bool) -> Result<Vec<Row<RoleRow>>, Status> {
    let mut terms = Terms::of(&walk.filter);
    let range = Range::take(&mut terms).map_err(|error| Status::of(&error))?;
    let filter = RowFilter::of(&terms, role_resources::FIELDS);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let view = &walk.view;
    let sight = Sight::of(walk.caller(), view);
    let bindings = bindings(walk)?;
    let mut rows = Rows::new(walk, range);
    for role in ever(view, &[Kind::ROLE], filter.ids(0)) {
        for (resource, interval) in bindings.of_role(role) {
            rows.tally.row()?;
            let ends = [role, resource];
            let is_seen = ends.iter().all(|end| sight.sees(ObjectRef::Entity(*end)));
            if !sight.is_everything() && !is_seen {
                continue;
            }
            let row = RoleRow {
                role: view.entity_id(role),
                resource: view.entity_id(resource),
                granted_at: interval.from,
            };
            if filter.fits(|position| row.cell(position)) {
                rows.add(row, interval)?;
            }
        }
    }
    Ok(rows.finish(is_newest_first))
}

/// The entities of these kinds that there are or were, or those among them that are named.
fn ever(view: &View, kinds: &[Kind], ids: Option<&[durward_model::ObjectId]>) -> Vec<EntityRef> {
    let mut found = Vec::new();
    for kind in kinds {
        match ids {
            Some(ids) => {
                let ids = ids.iter();
                found.extend(ids.filter_map(|id| reader::find_ever(view, *kind, *id)));
            }
            None => found.extend(history::ever(view, *kind)),
        }
    }
    let entities = found.into_iter().filter_map(|object| match object {
        ObjectRef::Entity(entity) => Some(entity),
        ObjectRef::Edge(_) => None,
    });
    entities.collect()
}

/// All that binds accounts to resources, past and present.
fn bindings(walk: &Walk<'_>) -> Result<Bindings, Status> {
    let call = walk.call();
    call.check()?;
    let ties = Bindings::count(&walk.view);
    call.hold(ties.saturating_mul(Bindings::TIE_BYTES))?;
    Ok(Bindings::read(&walk.view))
}

/// Gathers the beginnings and ends that were up to now.
struct Rows<'w, R> {
    tally: Tally<'w>,
    found: Vec<Row<R>>,
    range: Range,
    now: Instant,
}

impl<'w, R: Copy> Rows<'w, R> {
    fn new(walk: &Walk<'w>, range: Range) -> Self {
        Self {
            tally: walk.tally(),
            found: Vec::new(),
            range,
            now: walk.valid_at,
        }
    }

    fn add(&mut self, of: R, interval: Interval) -> Result<(), Status> {
        let end = interval.until.map(|until| (until, true));
        for (at, is_end) in [(interval.from, false)].into_iter().chain(end) {
            if at <= self.now && self.range.holds(at) {
                self.tally.bytes(2 * size_of::<Row<R>>())?;
                self.found.push(Row { at, of, is_end });
            }
        }
        if self.found.len() > ROWS_MAX {
            return Err(Status::invalid(format!(
                "the history has more than {ROWS_MAX} rows; narrow it by account_id:, role_id:, \
                 after: or before:"
            )));
        }
        Ok(())
    }

    fn finish(mut self, is_newest_first: bool) -> Vec<Row<R>> {
        // Ends before beginnings, rows of one instant in the order of their subjects.
        self.found.sort_by_key(|row| (row.at, !row.is_end));
        if is_newest_first {
            self.found.reverse();
        }
        self.found
    }
}
