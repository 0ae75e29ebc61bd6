// SPDX-License-Identifier: Apache-2.0
//! `AccountPermissions`: what accounts may do, in StrongDM's words.

use durward_access::access::Sight;
use durward_access::{Kind, reader};
use durward_catalog::kinds::property;
use durward_graph::{EntityRef, ObjectRef, View};
use durward_listing::reach::every_account;
use durward_model::{Instant, ObjectId};
use durward_policy::Vocabulary;

use super::timestamp::{put_id, put_moment, put_text};
use crate::dispatch::Reply;
use crate::filter::{Cell, CellKind, RowField, RowFilter, Terms};
use crate::page::{Page, Walk};
use crate::status::Status;
use crate::wire::put_bytes;

/// Scope of permissions that hold everywhere.
const SCOPE: &str = "organization";

const FIELDS: &[RowField] = &[
    ("account_id", CellKind::IdOf(Kind::USER)),
    ("permission", CellKind::Text),
    ("scope", CellKind::Text),
    ("scoped_id", CellKind::Text),
    ("granted_at", CellKind::Time),
];

#[derive(Clone, Copy)]
struct Row {
    account: ObjectId,
    permission: &'static str,
    granted_at: Instant,
}

impl Row {
    fn cell(&self, position: usize) -> Cell<'static> {
        match position {
            0 => Cell::Id(self.account),
            1 => Cell::Text(self.permission),
            2 => Cell::Text(SCOPE),
            4 => Cell::Time(self.granted_at),
            _ => Cell::Empty,
        }
    }

    fn write(&self, out: &mut Vec<u8>, number: u32) {
        let mut row = Vec::with_capacity(96);
        put_id(&mut row, 1, Kind::USER.prefix(), self.account);
        put_moment(&mut row, 2, Some(self.granted_at));
        put_text(&mut row, 3, self.permission);
        put_text(&mut row, 4, SCOPE);
        put_bytes(out, number, &row);
    }
}

/// `AccountPermissions.List`.
pub(crate) fn list(walk: &Walk<'_>) -> Result<Reply, Status> {
    super::refuse_order(walk)?;
    let rows = walk.remembered("rows", || find(walk))?;
    Page::of_rows(walk, &rows, |out, number, row| {
        row.write(out, number);
        Ok(true)
    })
}

fn find(walk: &Walk<'_>) -> Result<Vec<Row>, Status> {
    let filter = RowFilter::of(&Terms::of(&walk.filter), FIELDS);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let view = &walk.view;
    let sight = Sight::of(walk.caller(), view);
    let accounts = match filter.ids(0) {
        Some(ids) => {
            let kinds = [Kind::USER, Kind::SERVICE];
            let found = ids
                .iter()
                .filter_map(|id| reader::entity(view, *id, &kinds));
            found.collect()
        }
        None => every_account(view),
    };
    let mut rows = Vec::new();
    let mut tally = walk.tally();
    for account in accounts {
        tally.row()?;
        if sight.sees(ObjectRef::Entity(account)) {
            add(walk, view, account, &filter, &mut rows)?;
        }
    }
    Ok(rows)
}

fn add(
    walk: &Walk<'_>,
    view: &View,
    account: EntityRef,
    filter: &RowFilter,
    rows: &mut Vec<Row>,
) -> Result<(), Status> {
    if reader::flag(view, account, property::SUSPENDED) {
        return Ok(());
    }
    let organization = walk.caller().organization();
    let rights = organization.rights_of_account(view, account);
    let rights = rights.map_err(|error| Status::of(&error))?;
    for permission in Vocabulary::StrongDm.words_of(&rights) {
        let row = Row {
            account: view.entity_id(account),
            permission,
            // When roles and levels gave it is not kept right by right.
            granted_at: view.updated_at(account),
        };
        if filter.fits(|position| row.cell(position)) {
            walk.tally().bytes(2 * size_of::<Row>())?;
            rows.push(row);
        }
    }
    Ok(())
}
