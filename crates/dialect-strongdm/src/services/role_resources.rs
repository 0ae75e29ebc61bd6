// SPDX-License-Identifier: Apache-2.0
//! `RoleResources`: which resources roles reach.

use durward_access::access::{Sight, living};
use durward_access::{Kind, reader};
use durward_catalog::kinds::verb::ALLOWS;
use durward_graph::{EntityRef, ObjectRef};
use durward_model::{Instant, ObjectId};

use super::timestamp::{put_id, put_moment};
use crate::dispatch::Reply;
use crate::filter::{Cell, CellKind, RowField, RowFilter, Terms};
use crate::page::{Page, Walk};
use crate::status::Status;
use crate::wire::put_bytes;

pub(crate) const FIELDS: &[RowField] = &[
    ("role_id", CellKind::IdOf(Kind::ROLE)),
    ("resource_id", CellKind::IdOf(Kind::RESOURCE)),
    ("granted_at", CellKind::Time),
];

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoleRow {
    pub(crate) role: ObjectId,
    pub(crate) resource: ObjectId,
    pub(crate) granted_at: Instant,
}

impl RoleRow {
    /// Its value at a position of [`FIELDS`].
    pub(crate) fn cell(&self, position: usize) -> Cell<'static> {
        match position {
            0 => Cell::Id(self.role),
            1 => Cell::Id(self.resource),
            _ => Cell::Time(self.granted_at),
        }
    }

    /// Appends its message.
    pub(crate) fn write(&self, out: &mut Vec<u8>, number: u32) {
        let mut row = Vec::with_capacity(64);
        put_id(&mut row, 1, Kind::ROLE.prefix(), self.role);
        put_id(&mut row, 2, Kind::RESOURCE.prefix(), self.resource);
        put_moment(&mut row, 3, Some(self.granted_at));
        put_bytes(out, number, &row);
    }
}

/// `RoleResources.List`.
pub(crate) fn list(walk: &Walk<'_>) -> Result<Reply, Status> {
    super::refuse_order(walk)?;
    let rows = walk.remembered("rows", || find(walk))?;
    Page::of_rows(walk, &rows, |out, number, row| {
        row.write(out, number);
        Ok(true)
    })
}

fn find(walk: &Walk<'_>) -> Result<Vec<RoleRow>, Status> {
    let filter = RowFilter::of(&Terms::of(&walk.filter), FIELDS);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let view = &walk.view;
    let sight = Sight::of(walk.caller(), view);
    let (mut rows, mut tally) = (Vec::new(), walk.tally());
    let mut add = |role: EntityRef, resource: EntityRef, granted_at: Instant| {
        tally.row()?;
        let ends = [role, resource];
        let row = RoleRow {
            role: view.entity_id(role),
            resource: view.entity_id(resource),
            granted_at,
        };
        let is_seen = ends.iter().all(|end| sight.sees(ObjectRef::Entity(*end)));
        if is_seen && filter.fits(|position| row.cell(position)) {
            tally.bytes(2 * size_of::<RoleRow>())?;
            rows.push(row);
        }
        Ok::<(), Status>(())
    };
    if let (None, Some(ids)) = (filter.ids(0), filter.ids(1)) {
        for id in ids {
            let Some(resource) = reader::entity(view, *id, &[Kind::RESOURCE]) else {
                continue;
            };
            for link in reader::links_in(view, resource, ALLOWS, Kind::ROLE) {
                add(link.other, resource, view.edge_created_at(link.edge))?;
            }
        }
        return Ok(rows);
    }
    let roles: Vec<ObjectRef> = filter.ids(0).map_or_else(
        || living(view, Kind::ROLE),
        |ids| {
            let found = ids.iter();
            let found = found.filter_map(|id| reader::find(view, Kind::ROLE, *id));
            found.collect()
        },
    );
    for role in roles {
        let ObjectRef::Entity(role) = role else {
            continue;
        };
        for link in reader::links_out(view, role, ALLOWS, Kind::RESOURCE) {
            add(role, link.other, view.edge_created_at(link.edge))?;
        }
    }
    Ok(rows)
}
