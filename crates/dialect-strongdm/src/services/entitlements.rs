// SPDX-License-Identifier: Apache-2.0
//! Access as seen from one account, one resource or one role (`Granted*Entitlements`), each path
//! with the group that it leads over.

use durward_access::access::Sight;
use durward_access::effective::AccessPath;
use durward_access::{Kind, Via, reader};
use durward_catalog::ids;
use durward_catalog::kinds::verb::ALLOWS;
use durward_graph::{EntityRef, ObjectRef};
use durward_model::{ErrorKind, ObjectId};

use super::objects::id_prefix;
use super::timestamp::put_text;
use crate::dispatch::Reply;
use crate::filter::{Cell, CellKind, RowField, RowFilter, Terms};
use crate::page::{Page, Walk, text};
use crate::status::Status;
use crate::wire::put_bytes;

/// What a row takes: itself twice while rows are gathered, and three ids.
const ROW_BYTES: usize = 2 * size_of::<Row>() + 96;

/// Fields of the rows of an account, and of a role.
const OF_ACCOUNT: &[RowField] = &[
    ("resource_id", CellKind::Text),
    ("origin_id", CellKind::Text),
    ("group_id", CellKind::Text),
];
/// Fields of the rows of a resource.
const OF_RESOURCE: &[RowField] = &[
    ("account_id", CellKind::Text),
    ("origin_id", CellKind::Text),
    ("group_id", CellKind::Text),
];

/// One row: the other end, by what it is reached, and over which group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    other: String,
    origin: String,
    group: String,
}

impl Row {
    fn cell(&self, position: usize) -> Cell<'_> {
        Cell::Text(match position {
            0 => &self.other,
            1 => &self.origin,
            _ => &self.group,
        })
    }
}

/// `GrantedAccountEntitlements.List`.
pub(super) fn of_account(walk: &Walk<'_>) -> Result<Reply, Status> {
    list(walk, OF_ACCOUNT, |walk| {
        let account = subject(walk, "account_id", &Kind::ACCOUNTS)?;
        let mut rows = Vec::new();
        gather(walk, account, None, &mut |path| {
            rows.push(row(walk, path, path.resource, Kind::RESOURCE.prefix()));
        })?;
        Ok(rows)
    })
}

/// `GrantedResourceEntitlements.List`.
pub(super) fn of_resource(walk: &Walk<'_>) -> Result<Reply, Status> {
    list(walk, OF_RESOURCE, |walk| {
        let resource = subject(walk, "resource_id", &[Kind::RESOURCE])?;
        let mut rows = Vec::new();
        for account in walk.reaching().accounts_of(resource) {
            gather(walk, account, Some(&[resource]), &mut |path| {
                rows.push(row(walk, path, path.account, Kind::USER.prefix()));
            })?;
        }
        Ok(rows)
    })
}

/// Hands over the ways of an account that no policy forbids.
fn gather(
    walk: &Walk<'_>,
    account: EntityRef,
    to: Option<&[EntityRef]>,
    take: &mut dyn FnMut(&AccessPath),
) -> Result<(), Status> {
    walk.for_each_way(account, to, |reached| {
        walk.effort().hold(ROW_BYTES)?;
        take(&reached.path);
        Ok(())
    })
}

/// `GrantedRoleEntitlements.List`.
pub(super) fn of_role(walk: &Walk<'_>) -> Result<Reply, Status> {
    list(walk, OF_ACCOUNT, |walk| {
        let sight = walk.sight();
        let role = subject(walk, "role_id", &[Kind::ROLE])?;
        let view = &walk.view;
        let (mut rows, mut tally) = (Vec::new(), walk.tally());
        for link in reader::links_out(view, role, ALLOWS, Kind::RESOURCE) {
            tally.row()?;
            if sight.sees(ObjectRef::Entity(link.other)) {
                tally.bytes(ROW_BYTES)?;
                rows.push(Row {
                    other: ids::prefixed(Kind::RESOURCE.prefix(), view.entity_id(link.other)),
                    origin: String::new(),
                    group: String::new(),
                });
            }
        }
        Ok(rows)
    })
}

fn list(
    walk: &Walk<'_>,
    fields: &[RowField],
    find: impl FnOnce(&Walk<'_>) -> Result<Vec<Row>, Status>,
) -> Result<Reply, Status> {
    super::refuse_order(walk)?;
    let filter = RowFilter::of(&Terms::of(&walk.filter), fields);
    let filter = filter.map_err(|error| Status::of(&error))?;
    let rows = walk.remembered("rows", || {
        let mut rows = find(walk)?;
        rows.retain(|row| filter.fits(|position| row.cell(position)));
        Ok::<_, Status>(rows)
    })?;
    // Rows of a role have no origin, so their group has another number.
    let is_of_role = walk.call().method.service == "GrantedRoleEntitlements";
    let group_number = if is_of_role { 4 } else { 5 };
    Page::of_rows(walk, &rows, |out, number, row| {
        let mut message = Vec::with_capacity(96);
        put_text(&mut message, 1, &row.other);
        if !is_of_role {
            put_text(&mut message, 2, &row.origin);
        }
        put_text(&mut message, group_number, &row.group);
        put_bytes(out, number, &message);
        Ok(true)
    })
}

/// The entity that a request names.
fn subject(walk: &Walk<'_>, field: &str, kinds: &[Kind]) -> Result<EntityRef, Status> {
    let given = text(walk.call().message, field);
    if given.is_empty() {
        return Err(Status::invalid(format!("the field {field} is missing")));
    }
    let id: Option<ObjectId> = ids::parse_prefixed_folded(id_prefix(kinds), &given);
    let found = id.and_then(|id| reader::entity(&walk.view, id, kinds));
    let sight = Sight::of(walk.caller(), &walk.view);
    let found = found.filter(|entity| sight.sees(ObjectRef::Entity(*entity)));
    found.ok_or_else(|| {
        let noun = field.trim_end_matches("_id");
        Status::new(ErrorKind::NotFound, format!("there is no such {noun}"))
    })
}

fn row(walk: &Walk<'_>, path: &AccessPath, other: EntityRef, prefix: &str) -> Row {
    let view = &walk.view;
    let (origin, group) = match path.via {
        Via::Role { role, group } => (
            ids::prefixed(Kind::ROLE.prefix(), view.entity_id(role)),
            group,
        ),
        Via::Grant { grant, group } => (
            ids::prefixed(Kind::GRANT.prefix(), view.edge_id(grant)),
            group,
        ),
    };
    let group = group.map(|group| ids::prefixed(Kind::GROUP.prefix(), view.entity_id(group)));
    Row {
        other: ids::prefixed(prefix, view.entity_id(other)),
        origin,
        group: group.unwrap_or_default(),
    }
}
