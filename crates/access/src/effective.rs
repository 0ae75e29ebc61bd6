// SPDX-License-Identifier: Apache-2.0
//! Effective access: which resources an account reaches, by which paths, at an instant.
//!
//! A path is a role (the account's own or one of its groups') that allows the resource, or a grant
//! to the account or one of its groups that is valid at the instant. Expiry writes nothing: it is
//! worked out against the validity instant. A suspended account reaches nothing. Policies are not
//! looked at here: [`crate::Reaching`] asks them, and [`crate::explain`] for single actions.

use std::ops::ControlFlow;

use durward_catalog::Kind;
use durward_catalog::kinds::property;
use durward_catalog::kinds::verb::{ALLOWS, ASSIGNED, HAS};
use durward_graph::{Direction, EdgeRef, EntityRef, View};
use durward_model::Instant;

use crate::reader::{self, Link};

/// Property of a grant: when it begins.
pub const VALID_FROM: &str = "validFrom";
/// Property of a grant: when it ends; without it, never.
pub const VALID_UNTIL: &str = "validUntil";

/// How a path leads from the account to the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// By a role.
    Role {
        /// The role.
        role: EntityRef,
        /// The group that has the role, where the account has it by a group.
        group: Option<EntityRef>,
    },
    /// By a grant.
    Grant {
        /// The grant.
        grant: EdgeRef,
        /// The group that has the grant, where the account has it by a group.
        group: Option<EntityRef>,
    },
}

/// One way in which an account reaches a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessPath {
    /// The account.
    pub account: EntityRef,
    /// The resource.
    pub resource: EntityRef,
    /// By what.
    pub via: Via,
    /// Since when the whole path is there.
    pub granted_at: Instant,
    /// When it ends by itself; `None` is never.
    pub expires_at: Option<Instant>,
}

/// A role that an account holds, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldRole {
    /// The role.
    pub role: EntityRef,
    /// The group that has the role, where the account has it by a group.
    pub group: Option<EntityRef>,
    /// Since when.
    pub since: Instant,
}

/// The groups of an account, and since when it is in them.
pub(crate) fn groups_of(view: &View, account: EntityRef) -> Vec<(EntityRef, Instant)> {
    let links = reader::links_in(view, account, HAS, Kind::GROUP).into_iter();
    links
        .map(|link| (link.other, view.edge_created_at(link.edge)))
        .collect()
}

/// The roles of an account: its own, then those of its groups.
pub(crate) fn roles_of(view: &View, account: EntityRef) -> Vec<HeldRole> {
    let mut held = Vec::new();
    for link in reader::links_out(view, account, ASSIGNED, Kind::ROLE) {
        held.push(HeldRole {
            role: link.other,
            group: None,
            since: view.edge_created_at(link.edge),
        });
    }
    for (group, since) in groups_of(view, account) {
        for link in reader::links_out(view, group, ASSIGNED, Kind::ROLE) {
            held.push(HeldRole {
                role: link.other,
                group: Some(group),
                since: since.max(view.edge_created_at(link.edge)),
            });
        }
    }
    held
}

/// Calls `visit` for each path of an account, roles first, until it breaks. `valid_at` is the
/// instant at which grants must be valid.
pub(crate) fn for_each_path(
    view: &View,
    account: EntityRef,
    valid_at: Instant,
    visit: &mut dyn FnMut(AccessPath) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if reader::flag(view, account, property::SUSPENDED) {
        return ControlFlow::Continue(());
    }
    for held in roles_of(view, account) {
        let via = Via::Role {
            role: held.role,
            group: held.group,
        };
        let mut flow = ControlFlow::Continue(());
        for_each_allowed(view, held.role, |link| {
            let since = held.since.max(view.edge_created_at(link.edge));
            flow = visit(path(account, link.other, via, since, None));
            flow.is_continue()
        });
        flow?;
    }
    let own = (account, None, Instant::from_micros(i64::MIN));
    let groups = groups_of(view, account).into_iter();
    let holders = groups.map(|(group, since)| (group, Some(group), since));
    for (holder, group, since) in std::iter::once(own).chain(holders) {
        let mut flow = ControlFlow::Continue(());
        for_each_allowed(view, holder, |link| {
            let Some((start, end)) = validity(view, link.edge, valid_at) else {
                return true;
            };
            let grant = link.edge;
            let via = Via::Grant { grant, group };
            flow = visit(path(account, link.other, via, since.max(start), end));
            flow.is_continue()
        });
        flow?;
    }
    ControlFlow::Continue(())
}

fn path(
    account: EntityRef,
    resource: EntityRef,
    via: Via,
    granted_at: Instant,
    expires_at: Option<Instant>,
) -> AccessPath {
    AccessPath {
        account,
        resource,
        via,
        granted_at,
        expires_at,
    }
}

/// Start and end of a grant that is valid at an instant.
fn validity(view: &View, grant: EdgeRef, at: Instant) -> Option<(Instant, Option<Instant>)> {
    let (start, end) = times(view, grant);
    let is_valid = start <= at && end.is_none_or(|end| at < end);
    is_valid.then_some((start, end))
}

/// Whether a grant has ended by itself at an instant. One that has not begun has not.
pub fn is_over(view: &View, grant: EdgeRef, at: Instant) -> bool {
    times(view, grant).1.is_some_and(|end| end <= at)
}

/// Start and end of a grant.
pub(crate) fn times(view: &View, grant: EdgeRef) -> (Instant, Option<Instant>) {
    let start = reader::edge_instant(view, grant, VALID_FROM);
    let start = start.unwrap_or_else(|| view.edge_created_at(grant));
    (start, reader::edge_instant(view, grant, VALID_UNTIL))
}

/// Calls `visit` for the resources that an account, group or role allows, until it says no.
fn for_each_allowed(view: &View, holder: EntityRef, mut visit: impl FnMut(Link) -> bool) {
    let (Some(verb), Some(resource)) = (
        view.verb_id(ALLOWS),
        view.type_id(Kind::RESOURCE.type_name()),
    ) else {
        return;
    };
    for triple in view.triples_matching(Some(holder.type_id), Some(verb), Some(resource)) {
        let adjacency = view.adjacency(triple.id, Direction::Out);
        adjacency.any_edge(holder.row, |row, edge| {
            let link = Link {
                edge: EdgeRef {
                    triple: triple.id,
                    edge,
                },
                other: EntityRef {
                    type_id: resource,
                    row,
                },
            };
            !visit(link)
        });
    }
}

/// The paths that lead from an account to one resource and are open at an instant.
pub(crate) fn paths_between(
    view: &View,
    account: EntityRef,
    resource: EntityRef,
    valid_at: Instant,
) -> Vec<AccessPath> {
    if reader::flag(view, account, property::SUSPENDED) {
        return Vec::new();
    }
    let mut found = all_paths_between(view, account, resource);
    found.retain(|path| {
        let Via::Grant { grant, .. } = path.via else {
            return true;
        };
        validity(view, grant, valid_at).is_some()
    });
    found
}

/// The paths that lead from an account to one resource, grants that are not valid yet or any more
/// among them, whether the account is suspended or not.
pub(crate) fn all_paths_between(
    view: &View,
    account: EntityRef,
    resource: EntityRef,
) -> Vec<AccessPath> {
    let mut found = Vec::new();
    for held in roles_of(view, account) {
        let via = Via::Role {
            role: held.role,
            group: held.group,
        };
        for edge in edges_between(view, held.role, resource) {
            let since = held.since.max(view.edge_created_at(edge));
            found.push(path(account, resource, via, since, None));
        }
    }
    let own = (account, None, Instant::from_micros(i64::MIN));
    let groups = groups_of(view, account).into_iter();
    let holders = groups.map(|(group, since)| (group, Some(group), since));
    for (holder, group, since) in std::iter::once(own).chain(holders) {
        for grant in edges_between(view, holder, resource) {
            let (start, end) = times(view, grant);
            let via = Via::Grant { grant, group };
            found.push(path(account, resource, via, since.max(start), end));
        }
    }
    found
}

pub(crate) fn edges_between(view: &View, from: EntityRef, to: EntityRef) -> Vec<EdgeRef> {
    let Some(verb) = view.verb_id(ALLOWS) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for triple in view.triples_matching(Some(from.type_id), Some(verb), Some(to.type_id)) {
        let adjacency = view.adjacency(triple.id, Direction::Out);
        adjacency.find(from.row, to.row, |edge| {
            let triple = triple.id;
            found.push(EdgeRef { triple, edge });
        });
    }
    found
}

/// The accounts that reach a resource, in order of their rows, each once.
pub fn accounts_of(view: &View, resource: EntityRef, valid_at: Instant) -> Vec<EntityRef> {
    let mut holders: Vec<EntityRef> = Vec::new();
    for role in reader::links_in(view, resource, ALLOWS, Kind::ROLE) {
        for holder_type in Kind::HOLDERS {
            let links = reader::links_in(view, role.other, ASSIGNED, holder_type);
            holders.extend(links.into_iter().map(|link| link.other));
        }
    }
    for holder_type in Kind::HOLDERS {
        let grants = reader::links_in(view, resource, ALLOWS, holder_type);
        let valid = grants
            .into_iter()
            .filter(|link| validity(view, link.edge, valid_at).is_some());
        holders.extend(valid.map(|link| link.other));
    }
    let mut accounts = accounts_among(view, holders);
    accounts.retain(|account| !reader::flag(view, *account, property::SUSPENDED));
    accounts
}

/// The accounts that hold a role, themselves or by a group, in order of their rows, each once.
pub fn holders_of(view: &View, role: EntityRef) -> Vec<EntityRef> {
    let types = Kind::HOLDERS.into_iter();
    let links = types.flat_map(|holder| reader::links_in(view, role, ASSIGNED, holder));
    accounts_among(view, links.map(|link| link.other).collect())
}

/// The accounts among holders, and those in the groups among them.
fn accounts_among(view: &View, holders: Vec<EntityRef>) -> Vec<EntityRef> {
    let group_type = view.type_id(Kind::GROUP.type_name());
    let mut accounts = Vec::new();
    for holder in holders {
        if Some(holder.type_id) != group_type {
            accounts.push(holder);
            continue;
        }
        for member_type in Kind::ACCOUNTS {
            let members = reader::links_out(view, holder, HAS, member_type);
            accounts.extend(members.into_iter().map(|link| link.other));
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}
