// SPDX-License-Identifier: Apache-2.0
//! When accounts reached resources: the intervals of each path, from the beginning on.
//!
//! They are worked out from the intervals of the relationships that a path is made of, of the
//! account being alive and not suspended, and of the validity of grants.

use std::collections::{BTreeMap, HashMap};

use durward_catalog::kinds::property;
use durward_graph::{EdgeRef, EntityRef, ObjectRef, TripleId, View};
use durward_model::Instant;

use crate::effective::{VALID_FROM, VALID_UNTIL};
use crate::{Kind, history, reader};

/// From an instant on, until another or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it; `None` when it has no end.
    pub until: Option<Instant>,
}

impl Interval {
    /// What two intervals have in common; `None` when that is nothing.
    pub fn and(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let until = match (self.until, other.until) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        until
            .is_none_or(|until| from < until)
            .then_some(Self { from, until })
    }
}

/// By what an account reached a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathBy {
    /// By a role, its own or one of a group.
    Role(EntityRef),
    /// By a grant, its own or one of a group.
    Grant(EdgeRef),
}

/// That an account reached a resource for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The resource.
    pub resource: EntityRef,
    /// By what.
    pub by: PathBy,
    /// When.
    pub interval: Interval,
}

/// A relationship that there is or was.
#[derive(Clone, Copy, Debug)]
struct Tie {
    edge: EdgeRef,
    other: EntityRef,
    interval: Interval,
}

type Ties = HashMap<EntityRef, Vec<Tie>>;

/// Everything that binds accounts to resources, past and present.
#[derive(Debug)]
pub struct Bindings {
    view: View,
    groups_of: Ties,
    roles_of: Ties,
    resources_of: Ties,
    grants_of: Ties,
}

impl Bindings {
    /// What one relationship takes among bindings, lists that grow included.
    pub const TIE_BYTES: usize = 2 * size_of::<Tie>();

    /// How many relationships [`Self::read`] would read.
    pub fn count(view: &View) -> usize {
        let kinds = [
            Kind::ASSIGNMENT,
            Kind::GROUP_ROLE,
            Kind::GROUP_MEMBER,
            Kind::GRANT,
        ];
        let triples = kinds
            .into_iter()
            .flat_map(|kind| reader::triples(view, kind));
        let rows = triples.chain(role_triples(view));
        rows.map(|triple| view.edge_rows(triple) as usize).sum()
    }

    /// Reads what there was up to the instant of a view.
    pub fn read(view: &View) -> Self {
        let mut roles_of = ties(view, Kind::ASSIGNMENT, false);
        roles_of.extend(ties(view, Kind::GROUP_ROLE, false));
        Self {
            view: view.clone(),
            groups_of: ties(view, Kind::GROUP_MEMBER, true),
            roles_of,
            resources_of: role_access(view),
            grants_of: ties(view, Kind::GRANT, false),
        }
    }

    /// What a role reached and when.
    pub fn of_role(&self, role: EntityRef) -> Vec<(EntityRef, Interval)> {
        let ties = self.resources_of.get(&role).map(Vec::as_slice);
        let ties = ties.unwrap_or_default().iter();
        ties.map(|tie| (tie.other, tie.interval)).collect()
    }

    /// What an account reached and when. Intervals of one resource by one role or grant do not
    /// touch each other.
    pub fn of_account(&self, account: EntityRef) -> Vec<Reached> {
        let active = active(&self.view, account);
        let always = Interval {
            from: Instant::MIN,
            until: None,
        };
        let mut holders = vec![(account, always)];
        let groups = self.groups_of.get(&account).into_iter().flatten();
        holders.extend(groups.map(|tie| (tie.other, tie.interval)));
        let mut found: BTreeMap<(EntityRef, PathBy), Vec<Interval>> = BTreeMap::new();
        let mut add = |resource: EntityRef, by: PathBy, interval: Interval| {
            let parts = active.iter().filter_map(|active| active.and(interval));
            found.entry((resource, by)).or_default().extend(parts);
        };
        for (holder, held) in holders {
            for role in self.roles_of.get(&holder).into_iter().flatten() {
                let Some(held) = held.and(role.interval) else {
                    continue;
                };
                for tie in self.resources_of.get(&role.other).into_iter().flatten() {
                    if let Some(interval) = held.and(tie.interval) {
                        add(tie.other, PathBy::Role(role.other), interval);
                    }
                }
            }
            for tie in self.grants_of.get(&holder).into_iter().flatten() {
                let granted = validity(&self.view, tie);
                if let Some(interval) = granted.and_then(|granted| held.and(granted)) {
                    add(tie.other, PathBy::Grant(tie.edge), interval);
                }
            }
        }
        let mut reached = Vec::new();
        for ((resource, by), intervals) in found {
            let merged = merged(intervals).into_iter();
            reached.extend(merged.map(|interval| Reached {
                resource,
                by,
                interval,
            }));
        }
        reached
    }
}

/// The relationships of a kind by the entity at their start, or their end.
fn ties(view: &View, kind: Kind, by_end: bool) -> Ties {
    let edges = history::ever(view, kind).into_iter();
    let edges = edges.filter_map(|object| match object {
        ObjectRef::Edge(edge) => Some(edge),
        ObjectRef::Entity(_) => None,
    });
    collect(view, edges, by_end)
}

/// The relationships from roles to resources by the role.
fn role_access(view: &View) -> Ties {
    let edges = role_triples(view)
        .into_iter()
        .flat_map(|triple| (0..view.edge_rows(triple)).map(move |edge| EdgeRef { triple, edge }));
    collect(view, edges, false)
}

/// Where the relationships from roles to resources lie.
fn role_triples(view: &View) -> Vec<TripleId> {
    use durward_catalog::kinds::verb::ALLOWS;
    let types = (
        view.type_id(Kind::ROLE.type_name()),
        view.type_id(Kind::RESOURCE.type_name()),
    );
    let (Some(verb), (Some(role), Some(resource))) = (view.verb_id(ALLOWS), types) else {
        return Vec::new();
    };
    let triples = view.triples_matching(Some(role), Some(verb), Some(resource));
    triples.into_iter().map(|meta| meta.id).collect()
}

fn collect(view: &View, edges: impl Iterator<Item = EdgeRef>, by_end: bool) -> Ties {
    let mut ties = Ties::new();
    for edge in edges {
        let Some((from, to)) = view.edge_ends(edge) else {
            continue;
        };
        let (own, other) = if by_end { (to, from) } else { (from, to) };
        let interval = Interval {
            from: view.edge_created_at(edge),
            until: view.edge_ended_at(edge),
        };
        let tie = Tie {
            edge,
            other,
            interval,
        };
        ties.entry(own).or_default().push(tie);
    }
    ties
}

/// When a grant was there and valid.
fn validity(view: &View, grant: &Tie) -> Option<Interval> {
    let from = reader::edge_instant(view, grant.edge, VALID_FROM);
    let until = reader::edge_instant(view, grant.edge, VALID_UNTIL);
    let from = from.unwrap_or(grant.interval.from);
    grant.interval.and(Interval { from, until })
}

/// When an account was alive and not suspended.
fn active(view: &View, account: EntityRef) -> Vec<Interval> {
    let moments = history::moments_of(view, [ObjectRef::Entity(account)]);
    let mut active: Vec<Interval> = Vec::new();
    let mut since = None;
    for moment in moments {
        let then = view.snapshot().view(Some(moment.instant));
        let is_active = !moment.is_end && !reader::flag(&then, account, property::SUSPENDED);
        match (since, is_active) {
            (None, true) => since = Some(moment.instant),
            (Some(from), false) => {
                let until = Some(moment.instant);
                active.push(Interval { from, until });
                since = None;
            }
            _ => {}
        }
    }
    let last = since.map(|from| Interval { from, until: None });
    active.extend(last);
    active
}

/// Intervals in order, those that touch each other made one.
fn merged(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut merged: Vec<Interval> = Vec::new();
    for next in intervals {
        match merged.last_mut() {
            Some(last) if last.until.is_none_or(|until| next.from <= until) => {
                last.until = match (last.until, next.until) {
                    (Some(one), Some(two)) => Some(one.max(two)),
                    _ => None,
                };
            }
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(from: i64, until: i64) -> Interval {
        Interval {
            from: Instant::from_micros(from),
            until: (until > 0).then(|| Instant::from_micros(until)),
        }
    }

    #[test]
    fn intervals_meet_and_merge() {
        assert_eq!(interval(1, 5).and(interval(3, 0)), Some(interval(3, 5)));
        assert_eq!(interval(1, 3).and(interval(3, 0)), None);
        let merged = merged(vec![
            interval(8, 0),
            interval(1, 3),
            interval(2, 5),
            interval(5, 6),
            interval(9, 10),
        ]);
        assert_eq!(merged, [interval(1, 6), interval(8, 0)]);
    }
}
