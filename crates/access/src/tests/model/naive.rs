// SPDX-License-Identifier: Apache-2.0
//! What happened, and who reaches what because of it, computed the slow and obvious way.

use std::collections::{BTreeMap, BTreeSet};

use durward_model::{Instant, ObjectId};

/// One thing that happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Instant,
    pub(super) what: Happening,
}

#[derive(Clone, Debug)]
pub(super) enum Happening {
    Account(ObjectId),
    Suspended(ObjectId, bool),
    Group(ObjectId),
    Role(ObjectId, Vec<Rule>),
    Resource(ObjectId, &'static str, BTreeMap<String, String>),
    /// Group and account.
    Member(ObjectId, ObjectId, ObjectId),
    /// Account or group, and role.
    Assigned(ObjectId, ObjectId, ObjectId),
    Granted {
        id: ObjectId,
        holder: ObjectId,
        resource: ObjectId,
        from: Instant,
        until: Option<Instant>,
    },
    /// A policy that forbids to connect to resources with this tag and value.
    Policy(ObjectId, &'static str, &'static str),
    Ended(ObjectId),
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    Ids(Vec<ObjectId>),
    Match(Option<&'static str>, Vec<(String, String)>),
}

impl Rule {
    fn fits(&self, id: ObjectId, kind: &str, tags: &BTreeMap<String, String>) -> bool {
        match self {
            Self::Ids(ids) => ids.contains(&id),
            Self::Match(wanted, pairs) => {
                wanted.is_none_or(|wanted| wanted == kind)
                    && pairs.iter().all(|(name, value)| {
                        tags.get(name)
                            .is_some_and(|found| value == "*" || found == value)
                    })
            }
        }
    }
}

type Grant = (ObjectId, ObjectId, Instant, Option<Instant>);

/// Everything that is there at an instant.
#[derive(Debug, Default)]
pub(super) struct State {
    accounts: BTreeMap<ObjectId, bool>,
    groups: BTreeSet<ObjectId>,
    roles: BTreeMap<ObjectId, Vec<Rule>>,
    resources: BTreeMap<ObjectId, (&'static str, BTreeMap<String, String>)>,
    members: BTreeMap<ObjectId, (ObjectId, ObjectId)>,
    assigned: BTreeMap<ObjectId, (ObjectId, ObjectId)>,
    grants: BTreeMap<ObjectId, Grant>,
    policies: BTreeMap<ObjectId, (&'static str, &'static str)>,
}

impl State {
    pub(super) fn at(events: &[Event], at: Instant) -> Self {
        let mut state = Self::default();
        for event in events.iter().take_while(|event| event.at <= at) {
            state.apply(&event.what);
        }
        state
    }

    pub(super) fn apply(&mut self, what: &Happening) {
        match what.clone() {
            Happening::Account(id) => {
                self.accounts.insert(id, false);
            }
            Happening::Suspended(id, suspended) => {
                self.accounts.insert(id, suspended);
            }
            Happening::Group(id) => {
                self.groups.insert(id);
            }
            Happening::Role(id, rules) => {
                self.roles.insert(id, rules);
            }
            Happening::Resource(id, kind, tags) => {
                self.resources.insert(id, (kind, tags));
            }
            Happening::Member(id, group, account) => {
                self.members.insert(id, (group, account));
            }
            Happening::Assigned(id, holder, role) => {
                self.assigned.insert(id, (holder, role));
            }
            Happening::Granted {
                id,
                holder,
                resource,
                from,
                until,
            } => {
                self.grants.insert(id, (holder, resource, from, until));
            }
            Happening::Policy(id, tag, value) => {
                self.policies.insert(id, (tag, value));
            }
            Happening::Ended(id) => self.end(id),
        }
    }

    fn end(&mut self, id: ObjectId) {
        self.accounts.remove(&id);
        self.groups.remove(&id);
        self.roles.remove(&id);
        self.resources.remove(&id);
        self.members.remove(&id);
        self.assigned.remove(&id);
        self.grants.remove(&id);
        self.policies.remove(&id);
        self.members
            .retain(|_, (from, to)| *from != id && *to != id);
        self.assigned
            .retain(|_, (from, to)| *from != id && *to != id);
        self.grants
            .retain(|_, (from, to, ..)| *from != id && *to != id);
    }

    pub(super) fn reached(&self, at: Instant) -> BTreeSet<(ObjectId, ObjectId)> {
        let mut found = BTreeSet::new();
        for (account, suspended) in &self.accounts {
            if *suspended {
                continue;
            }
            let groups = self.members.values().filter(|(_, to)| to == account);
            let mut holders: Vec<ObjectId> = groups.map(|(group, _)| *group).collect();
            holders.push(*account);
            for (id, (kind, tags)) in &self.resources {
                let by_role = self.assigned.values().any(|(holder, role)| {
                    holders.contains(holder)
                        && self.roles.get(role).is_some_and(|rules| {
                            rules.iter().any(|rule| rule.fits(*id, kind, tags))
                        })
                });
                let by_grant = self.grants.values().any(|(holder, resource, from, until)| {
                    holders.contains(holder)
                        && resource == id
                        && *from <= at
                        && until.is_none_or(|until| at < until)
                });
                let is_forbidden = self
                    .policies
                    .values()
                    .any(|(tag, value)| tags.get(*tag).is_some_and(|found| found == value));
                if (by_role || by_grant) && !is_forbidden {
                    found.insert((*account, *id));
                }
            }
        }
        found
    }

    /// Whether no grant of these ends holds at any moment between two.
    pub(super) fn is_free(
        &self,
        holder: ObjectId,
        resource: ObjectId,
        from: Instant,
        until: Option<Instant>,
    ) -> bool {
        let end = |until: Option<Instant>| until.unwrap_or(Instant::MAX);
        self.grants.values().all(|(by, to, start, stop)| {
            (*by, *to) != (holder, resource) || end(until) <= *start || end(*stop) <= from
        })
    }

    /// The grants that have not ended at an instant.
    pub(super) fn grants_not_over(&self, at: Instant) -> BTreeSet<ObjectId> {
        let grants = self.grants.iter();
        let lasting = grants.filter(|(_, (.., until))| until.is_none_or(|until| at < until));
        lasting.map(|(id, _)| *id).collect()
    }

    pub(super) fn accounts(&self) -> Vec<ObjectId> {
        self.accounts.keys().copied().collect()
    }

    pub(super) fn is_suspended(&self, id: ObjectId) -> bool {
        self.accounts.get(&id) == Some(&true)
    }

    pub(super) fn groups(&self) -> Vec<ObjectId> {
        self.groups.iter().copied().collect()
    }

    pub(super) fn roles(&self) -> Vec<ObjectId> {
        self.roles.keys().copied().collect()
    }

    pub(super) fn resources(&self) -> Vec<(ObjectId, &'static str)> {
        let all = self.resources.iter();
        all.map(|(id, (kind, _))| (*id, *kind)).collect()
    }

    pub(super) fn policies(&self) -> Vec<ObjectId> {
        self.policies.keys().copied().collect()
    }

    pub(super) fn bonds(&self) -> Vec<(crate::Kind, ObjectId)> {
        let members = self
            .members
            .keys()
            .map(|id| (crate::Kind::GROUP_MEMBER, *id));
        let assigned = self.assigned.iter().map(|(id, (holder, _))| {
            let is_group = self.groups.contains(holder);
            let kind = if is_group {
                crate::Kind::GROUP_ROLE
            } else {
                crate::Kind::ASSIGNMENT
            };
            (kind, *id)
        });
        let grants = self.grants.keys().map(|id| (crate::Kind::GRANT, *id));
        members.chain(assigned).chain(grants).collect()
    }
}
