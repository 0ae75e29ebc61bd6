// SPDX-License-Identifier: Apache-2.0
//! `Activities`: what was done, by whom, to what. Each is a transaction of the journal.
//!
//! A page is read from where the page before ended, forwards (or backwards, when the newest are
//! asked for first), and no call looks at more than [`LOOKED_AT_MAX`] transactions; what was read
//! once is remembered in short ([`Activities`]), so that the large uploads between are read once.

mod describe;
mod index;
mod verbs;

use durward_access::access::Sight;
use durward_catalog::ids;
use durward_graph::ObjectRef;
use durward_listing::Place;
use durward_model::transaction::Sequence;
use durward_model::{ErrorKind, Instant, ObjectId};
use prost_reflect::FieldDescriptor;

use super::timestamp::{put_moment, put_text};
use crate::dispatch::{Call, Reply};
use crate::filter::{Cell, CellKind, Range, RowField, RowFilter, Terms};
use crate::page::{Page, Walk};
use crate::status::Status;
use crate::wire::put_bytes;
use describe::Activity;
pub(crate) use index::Activities;

use super::history::ACTIVITY;

/// Most transactions that one call looks at; when they do not fit the filter, the page ends early.
const LOOKED_AT_MAX: usize = 20_000;
/// Span of a list that names no range, in seconds.
const SPAN_DEFAULT_SECONDS: i64 = 7 * 86_400;

const FIELDS: &[RowField] = &[
    ("id", CellKind::Text),
    ("verb", CellKind::Text),
    ("description", CellKind::Text),
    ("ip_address", CellKind::Text),
    ("user_agent", CellKind::Text),
    ("actor", CellKind::Text),
    ("actor_id", CellKind::Text),
    ("actor_email", CellKind::Text),
    ("entity", CellKind::Text),
    ("entity_id", CellKind::Text),
    ("entity_type", CellKind::Text),
    ("entity_name", CellKind::Text),
    ("completed_at", CellKind::Time),
];

/// `Activities.List`.
pub(crate) fn list(walk: &Walk<'_>, index: &Activities) -> Result<Reply, Status> {
    let is_backwards = match walk.request.order_by.trim() {
        "" | "completed_at" => false,
        "-completed_at" => true,
        other => {
            return Err(Status::invalid(format!(
                "activities cannot be ordered by {other:?}; they can by completed_at or \
                 -completed_at"
            )));
        }
    };
    let mut terms = Terms::of(&walk.filter);
    let mut range = Range::take(&mut terms).map_err(|error| Status::of(&error))?;
    if range.from.is_none() && range.until.is_none() {
        range.from = Some(walk.valid_at.plus_seconds(-SPAN_DEFAULT_SECONDS));
    }
    let filter = RowFilter::of(&terms, FIELDS).map_err(|error| Status::of(&error))?;
    Reading {
        walk,
        index,
        range,
        filter,
        is_backwards,
    }
    .page()
}

/// The reading of one page.
struct Reading<'r> {
    walk: &'r Walk<'r>,
    index: &'r Activities,
    range: Range,
    filter: RowFilter,
    is_backwards: bool,
}

impl Reading<'_> {
    fn page(&self) -> Result<Reply, Status> {
        let walk = self.walk;
        let first = self.first();
        let (last, mut next, mut skip) = self.start(first);
        let sight = Sight::of(walk.caller(), &walk.view);
        let mut page = Page::new(walk.call().method, walk.request.rows)?;
        let mut looked_at = 0;
        while first <= next && next <= last {
            if looked_at > LOOKED_AT_MAX || walk.call().is_given_up() {
                return Ok(page.finish(Some(&self.cursor(last, next)), None));
            }
            let organization = walk.caller().organization();
            let block = self
                .index
                .block(organization, (first, last), next, self.is_backwards)?;
            looked_at += block.cost;
            for (sequence, activity) in block.found {
                let until = self.range.until.filter(|_| !self.is_backwards);
                if let (Some(until), Some(activity)) = (until, &activity)
                    && until < activity.at
                {
                    return Ok(page.finish(None, None));
                }
                if let Some(activity) = activity.filter(|activity| self.fits(activity, &sight)) {
                    if skip > 0 {
                        skip -= 1;
                    } else if !page.push(|out, number| {
                        write(&activity, out, number);
                        Ok(true)
                    })? {
                        return Ok(page.finish(Some(&self.cursor(last, sequence)), None));
                    }
                }
                next = if self.is_backwards {
                    sequence.saturating_sub(1)
                } else {
                    sequence.saturating_add(1)
                };
            }
        }
        Ok(page.finish(None, None))
    }

    /// The first transaction that may lie in the range.
    fn first(&self) -> u64 {
        let Some(from) = self.range.from else {
            return 1;
        };
        let before = from.plus_micros(-1);
        let view = self.walk.view.snapshot().view(Some(before));
        view.sequence().0.saturating_add(1)
    }

    /// The last transaction of the walk, the next one to read, and how many to skip.
    fn start(&self, first: u64) -> (u64, u64, u64) {
        let place = self.walk.start;
        if place.part > 0 {
            return (place.part, place.offset, 0);
        }
        let last = self.walk.view.snapshot().sequence().0;
        let next = if self.is_backwards { last } else { first };
        (last, next, place.offset)
    }

    fn cursor(&self, last: u64, next: u64) -> String {
        let (part, offset) = (last, next);
        self.walk.cursor(Place { part, offset })
    }

    fn fits(&self, activity: &Activity, sight: &Sight) -> bool {
        let is_seen = |id: &ObjectId| {
            let found = self.walk.view.resolve(*id);
            found.is_some_and(|object| sight.sees(object))
        };
        self.range.holds(activity.at)
            && self.filter.fits(|position| activity.cell(position))
            && (sight.is_everything() || activity.objects().all(|id| is_seen(&id)))
    }
}

impl Activity {
    fn cell(&self, position: usize) -> Cell<'_> {
        let actor = |position: usize| self.actor_texts.get(position..=position);
        match position {
            0 => Cell::Text(&self.id),
            1 => Cell::Text(&self.verb),
            2 => Cell::Text(&self.description),
            3 => Cell::Text(&self.ip_address),
            4 => Cell::Text(&self.user_agent),
            5 => Cell::Texts(&self.actor_texts),
            6 => actor(0).map_or(Cell::Empty, Cell::Texts),
            7 => actor(1).map_or(Cell::Empty, Cell::Texts),
            8 => Cell::Texts(&self.entity_texts),
            9 => Cell::Texts(&self.entity_ids),
            10 => Cell::Texts(&self.entity_types),
            11 => Cell::Texts(&self.entity_names),
            _ => Cell::Time(self.at),
        }
    }
}

/// `Activities.Get`.
pub(crate) fn get(call: &Call<'_>, index: &Activities) -> Result<Reply, Status> {
    let missing = || Status::new(ErrorKind::NotFound, "there is no such activity");
    let id = ids::parse_prefixed_folded(ACTIVITY, &crate::page::text(call.message, "id"));
    let sequence = id.map(|id| Sequence(id.0)).ok_or_else(missing)?;
    let organization = call.caller.organization();
    let activity = index.one(organization, sequence)?.ok_or_else(missing)?;
    let view = organization.store().view(None);
    let sight = Sight::of(call.caller, &view);
    let is_seen = |id: ObjectId| {
        let found: Option<ObjectRef> = view.resolve(id);
        found.is_some_and(|object| sight.sees(object))
    };
    if !sight.is_everything() && !activity.objects().all(is_seen) {
        return Err(missing());
    }
    let number = call
        .method
        .output_noun
        .as_ref()
        .map_or(2, FieldDescriptor::number);
    let mut message = Vec::with_capacity(512);
    write(&activity, &mut message, number);
    Ok(Reply::encoded(message))
}

fn write(activity: &Activity, out: &mut Vec<u8>, number: u32) {
    let mut row = Vec::with_capacity(512);
    put_text(&mut row, 1, &activity.id);
    put_text(&mut row, 2, &activity.verb);
    put_text(&mut row, 3, &activity.description);
    put_moment(&mut row, 4, Some::<Instant>(activity.at));
    for entity in &activity.entities {
        let mut part = Vec::with_capacity(128);
        put_text(&mut part, 1, &entity.id);
        put_text(&mut part, 2, entity.kind);
        put_text(&mut part, 3, &entity.name);
        put_text(&mut part, 4, &entity.email);
        put_text(&mut part, 5, &entity.external_id);
        put_bytes(&mut row, 5, &part);
    }
    put_text(&mut row, 6, &activity.ip_address);
    if let Some(actor) = &activity.actor {
        let mut part = Vec::with_capacity(128);
        put_text(&mut part, 1, &actor.id);
        put_text(&mut part, 2, &actor.email);
        put_text(&mut part, 3, &actor.first_name);
        put_text(&mut part, 4, &actor.last_name);
        put_text(&mut part, 5, &actor.external_id);
        put_bytes(&mut row, 7, &part);
    }
    put_text(&mut row, 8, &activity.user_agent);
    put_bytes(out, number, &row);
}
