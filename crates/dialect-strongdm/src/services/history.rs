// SPDX-License-Identifier: Apache-2.0
//! The histories of nouns that are core objects: a row for each making, change and end, with the
//! whole object after it, the oldest first.

use durward_access::history::{self, Moment};
use durward_access::{Kind, Object, action, reader};
use durward_graph::{ObjectRef, View};
use durward_model::ObjectId;

use super::objects::{self, ObjectService, id_prefix};
use super::timestamp::{put_moment, put_text};
use crate::dispatch::Reply;
use crate::filter::{Cell, CellKind, Range, RowField, RowFilter, Terms};
use crate::page::{Page, Walk, require_each};
use crate::status::Status;
use crate::wire::put_bytes;

/// What ids of activities begin with.
pub(crate) const ACTIVITY: &str = "at-";

/// Writes the message of an object, as it is in a view, as the field of a number; answers whether
/// it can be shown.
pub(crate) type WriteObject<'w> = dyn Fn(&mut Vec<u8>, u32, &View, Object) -> bool + 'w;

/// What a history is of.
pub(crate) struct Subject {
    service: &'static ObjectService,
    fields: Vec<RowField>,
}

impl Subject {
    /// The message of an object in the rows.
    pub(crate) fn noun(&self) -> &'static str {
        self.service.noun
    }
}

/// The subject of a history by the name of its service, which is that of the objects with
/// `History` behind.
pub(crate) fn subject(service: &str) -> Option<Subject> {
    let service = objects::named(service.strip_suffix("History")?)?;
    let (kind, name) = service.names().next()?;
    let mut fields: Vec<RowField> = vec![("id", CellKind::Id(&name.prefix))];
    if let Some(ends) = kind.ends() {
        fields.push((&name.start_field, CellKind::Id(id_prefix(&ends.from))));
        fields.push((&name.end_field, CellKind::Id(id_prefix(&ends.to))));
    }
    Some(Subject { service, fields })
}

/// One page of a history.
pub(crate) fn list(
    walk: &Walk<'_>,
    subject: &Subject,
    write: &WriteObject<'_>,
) -> Result<Reply, Status> {
    require_each(walk.caller(), &subject.service.kinds, action::history)?;
    let is_newest_first = newest_first(walk)?;
    let moments = walk.remembered("moments", || {
        let mut moments = find(walk, subject)?;
        if is_newest_first {
            moments.reverse();
        }
        Ok::<_, Status>(moments)
    })?;
    Page::of_rows(walk, &moments, |out, number, (moment, kind)| {
        Ok(write_row(walk, *kind, *moment, write, out, number))
    })
}

/// Whether the rows are asked for in the other direction.
pub(crate) fn newest_first(walk: &Walk<'_>) -> Result<bool, Status> {
    match walk.request.order_by.trim() {
        "" | "timestamp" => Ok(false),
        "-timestamp" => Ok(true),
        other => Err(Status::invalid(format!(
            "a history cannot be ordered by {other:?}; it can by timestamp or -timestamp"
        ))),
    }
}

fn find(walk: &Walk<'_>, subject: &Subject) -> Result<Vec<(Moment, Kind)>, Status> {
    let mut terms = Terms::of(&walk.filter);
    let range = Range::take(&mut terms).map_err(|error| Status::of(&error))?;
    let filter = RowFilter::of(&terms, &subject.fields);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let view = &walk.view;
    let (mut moments, mut tally) = (Vec::new(), walk.tally());
    for kind in &subject.service.kinds {
        let objects = match filter.ids(0) {
            Some(ids) => {
                let found = ids.iter();
                let found = found.filter_map(|id| reader::find_ever(view, *kind, *id));
                found.collect()
            }
            None => history::ever(view, *kind),
        };
        tally.bytes(objects.len().saturating_mul(size_of::<ObjectRef>()))?;
        for object in objects {
            tally.row()?;
            if !filter.is_empty() && !filter.fits(|position| cell(view, object, position)) {
                continue;
            }
            let found = history::moments_of(view, [object]).into_iter();
            for moment in found.filter(|moment| range.holds(moment.instant)) {
                tally.bytes(2 * size_of::<(Moment, Kind)>())?;
                moments.push((moment, *kind));
            }
        }
    }
    moments.sort_unstable();
    Ok(moments)
}

/// The id of an object, or those of its ends.
fn cell(view: &View, object: ObjectRef, position: usize) -> Cell<'static> {
    let end = |edge| match (position, view.edge_ends(edge)) {
        (0, _) => Some(view.edge_id(edge)),
        (1, Some((from, _))) => Some(view.entity_id(from)),
        (2, Some((_, to))) => Some(view.entity_id(to)),
        _ => None,
    };
    let id: Option<ObjectId> = match object {
        ObjectRef::Entity(entity) => Some(view.entity_id(entity)),
        ObjectRef::Edge(edge) => end(edge),
    };
    id.map_or(Cell::Empty, Cell::Id)
}

fn write_row(
    walk: &Walk<'_>,
    kind: Kind,
    moment: Moment,
    write: &WriteObject<'_>,
    out: &mut Vec<u8>,
    number: u32,
) -> bool {
    let Some(found) = walk.access().history_row(walk.caller(), kind, moment) else {
        return false;
    };
    let mut row = Vec::with_capacity(512);
    put_text(&mut row, 1, &activity_id(found.sequence.0));
    put_moment(&mut row, 2, Some(found.instant));
    let shown_at = if found.is_end {
        found.instant.plus_micros(-1)
    } else {
        found.instant
    };
    let then = walk.view.snapshot().view(Some(shown_at));
    if !write(&mut row, 3, &then, found.object) {
        return false;
    }
    put_moment(&mut row, 4, found.is_end.then_some(found.instant));
    put_bytes(out, number, &row);
    true
}

/// The id of the activity that is a transaction.
pub(crate) fn activity_id(sequence: u64) -> String {
    format!("{ACTIVITY}{sequence:016x}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::contract::Contract;

    #[test]
    fn rows_of_all_histories_have_the_same_fields() {
        let contract = Contract::load().unwrap();
        let mut seen = 0;
        for method in contract.methods() {
            let is_worked_out = ["AccountResourcesHistory", "RoleResourcesHistory"];
            let service = method.service.as_str();
            if subject(service).is_none() && !is_worked_out.contains(&service) {
                continue;
            }
            let noun = method.noun.as_ref().unwrap();
            let name = |number| noun.get_field(number).unwrap().name().to_owned();
            assert_eq!(name(1), "activity_id");
            assert_eq!(name(2), "timestamp");
            assert_eq!(name(4), "deleted_at");
            assert_eq!(noun.fields().count(), 4, "{service}");
            seen += 1;
        }
        assert_eq!(seen, 16);
    }
}
