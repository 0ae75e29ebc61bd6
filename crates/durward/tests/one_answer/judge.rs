// SPDX-License-Identifier: Apache-2.0
//! What was done to an organization, and who reaches what and may do what because of it, worked
//! out the slow and obvious way. Nothing here asks the program.

use std::collections::{BTreeMap, BTreeSet};

use durward_model::Instant;
use durward_policy::{PermissionLevel, Rights};

/// 16 hexadecimal digits, without the prefix of a dialect.
pub type Id = String;

/// One thing that was done. What makes an object also says how it was changed.
#[derive(Clone, Debug)]
pub enum Deed {
    Account(Id, Account),
    Group(Id, String),
    Role(Id, Role),
    Resource(Id, Resource),
    /// Group and account.
    Member(Id, Id, Id),
    /// Account or group, and role.
    Assigned(Id, Id, Id),
    Grant(Id, Grant),
    Policy(Id, Forbid),
    Ended(Id),
}

#[derive(Clone, Debug)]
pub struct Account {
    /// The address of a user, the name of a service.
    pub name: String,
    pub is_user: bool,
    pub level: Option<PermissionLevel>,
    pub suspended: bool,
}

#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    pub rules: Vec<Rule>,
    pub rights: Rights,
}

#[derive(Clone, Debug)]
pub struct Resource {
    pub name: String,
    pub kind: &'static str,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Grant {
    pub holder: Id,
    pub resource: Id,
    pub from: Option<Instant>,
    pub until: Option<Instant>,
}

/// What a rule of a role reaches.
#[derive(Clone, Debug)]
pub enum Rule {
    Ids(Vec<Id>),
    Fits(Option<&'static str>, BTreeMap<String, String>),
}

/// Whom and what a policy forbids.
#[derive(Clone, Debug)]
pub enum Forbid {
    /// Everybody, what has a tag.
    Tag(&'static str, &'static str),
    /// Members of a group, everything.
    Group(Id),
    /// Holders of a role, resources of a kind.
    Role(Id, &'static str),
}

/// One way from an account to a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    pub account: Id,
    pub resource: Id,
    /// The role as `r-…` or the grant as `ag-…`.
    pub by: String,
    /// The group that it leads over, or nothing.
    pub group: Id,
}

/// Everything that is there at a moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Everything that ever was, in the order in which it was made.
    order: Vec<Id>,
    pub accounts: BTreeMap<Id, Account>,
    pub groups: BTreeMap<Id, String>,
    pub roles: BTreeMap<Id, Role>,
    pub resources: BTreeMap<Id, Resource>,
    pub members: BTreeMap<Id, (Id, Id)>,
    pub assigned: BTreeMap<Id, (Id, Id)>,
    pub grants: BTreeMap<Id, Grant>,
    pub policies: BTreeMap<Id, Forbid>,
}

impl Account {
    /// Its name in the graph.
    pub fn shown(&self) -> String {
        if self.is_user {
            format!("{} Tester", self.name)
        } else {
            self.name.clone()
        }
    }
}

impl Rule {
    fn fits(&self, id: &str, resource: &Resource) -> bool {
        match self {
            Self::Ids(ids) => ids.iter().any(|known| known == id),
            Self::Fits(kind, tags) => {
                let has = |(name, wanted): (&String, &String)| {
                    let value = resource.tags.get(name);
                    value.is_some_and(|value| wanted == "*" || wanted == value)
                };
                kind.is_none_or(|kind| kind == resource.kind) && tags.iter().all(has)
            }
        }
    }
}

impl State {
    /// Objects of a kind, in the order in which they were made: their ids are drawn anew each time.
    pub fn in_order<T: Clone>(&self, kind: &BTreeMap<Id, T>) -> Vec<(Id, T)> {
        let known = self.order.iter().filter_map(|id| kind.get_key_value(id));
        known
            .map(|(id, object)| (id.clone(), object.clone()))
            .collect()
    }

    pub fn apply(&mut self, deed: Deed) {
        let (Deed::Account(id, _)
        | Deed::Group(id, _)
        | Deed::Role(id, _)
        | Deed::Resource(id, _)
        | Deed::Member(id, ..)
        | Deed::Assigned(id, ..)
        | Deed::Grant(id, _)
        | Deed::Policy(id, _)
        | Deed::Ended(id)) = &deed;
        if !self.order.contains(id) {
            self.order.push(id.clone());
        }
        match deed {
            Deed::Account(id, account) => drop(self.accounts.insert(id, account)),
            Deed::Group(id, name) => drop(self.groups.insert(id, name)),
            Deed::Role(id, role) => drop(self.roles.insert(id, role)),
            Deed::Resource(id, resource) => drop(self.resources.insert(id, resource)),
            Deed::Member(id, group, account) => drop(self.members.insert(id, (group, account))),
            Deed::Assigned(id, holder, role) => drop(self.assigned.insert(id, (holder, role))),
            Deed::Grant(id, grant) => drop(self.grants.insert(id, grant)),
            Deed::Policy(id, forbid) => drop(self.policies.insert(id, forbid)),
            Deed::Ended(id) => self.end(&id),
        }
    }

    fn end(&mut self, id: &Id) {
        self.accounts.remove(id);
        self.groups.remove(id);
        self.roles.remove(id);
        self.resources.remove(id);
        self.policies.remove(id);
        let is_left = |own: &Id, from: &Id, to: &Id| own != id && from != id && to != id;
        self.members
            .retain(|own, (from, to)| is_left(own, from, to));
        self.assigned
            .retain(|own, (from, to)| is_left(own, from, to));
        let grants = &mut self.grants;
        grants.retain(|own, grant| is_left(own, &grant.holder, &grant.resource));
    }

    pub fn groups_of(&self, account: &str) -> Vec<&Id> {
        let members = self.members.values();
        let own = members.filter(|(_, member)| member == account);
        own.map(|(group, _)| group).collect()
    }

    /// The roles of an account, with the group by which it has them.
    fn roles_of(&self, account: &str) -> Vec<(&Id, &str)> {
        let mut found = Vec::new();
        for (holder, role) in self.assigned.values() {
            if holder == account {
                found.push((role, ""));
            }
            if self.groups_of(account).contains(&holder) {
                found.push((role, holder.as_str()));
            }
        }
        found
    }

    /// The resources that a role reaches.
    pub fn reached_by(&self, role: &str) -> BTreeSet<Id> {
        let rules = self.roles.get(role).map(|role| role.rules.as_slice());
        let fits = |id: &Id, resource: &Resource| {
            let mut rules = rules.unwrap_or_default().iter();
            rules.any(|rule| rule.fits(id, resource))
        };
        let found = self.resources.iter();
        let found = found.filter(|(id, resource)| fits(id, resource));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// Every way that is open at an instant, policies left out.
    pub fn ways(&self, at: Instant) -> BTreeSet<Way> {
        let mut ways = BTreeSet::new();
        for (account, own) in &self.accounts {
            if own.suspended {
                continue;
            }
            let way = |resource: &Id, by: String, group: &str| Way {
                account: account.clone(),
                resource: resource.clone(),
                by,
                group: group.to_owned(),
            };
            for (role, group) in self.roles_of(account) {
                let reached = self.reached_by(role);
                let found = reached.iter();
                ways.extend(found.map(|resource| way(resource, format!("r-{role}"), group)));
            }
            for (id, grant) in &self.grants {
                let begun = grant.from.is_none_or(|from| from <= at);
                if !begun || grant.until.is_some_and(|until| until <= at) {
                    continue;
                }
                if grant.holder == *account {
                    ways.insert(way(&grant.resource, format!("ag-{id}"), ""));
                } else if self.groups_of(account).contains(&&grant.holder) {
                    ways.insert(way(&grant.resource, format!("ag-{id}"), &grant.holder));
                }
            }
        }
        ways
    }

    /// Whether a policy forbids an account to connect to a resource.
    pub fn is_forbidden(&self, account: &str, resource: &str) -> bool {
        let Some(known) = self.resources.get(resource) else {
            return false;
        };
        self.policies.values().any(|forbid| match forbid {
            Forbid::Tag(name, value) => known.tags.get(*name).is_some_and(|held| held == value),
            Forbid::Group(group) => self.groups_of(account).contains(&group),
            Forbid::Role(role, kind) => {
                let held = self.roles_of(account);
                known.kind == *kind && held.iter().any(|(held, _)| *held == role)
            }
        })
    }

    /// The ways that no policy forbids.
    pub fn reached(&self, at: Instant) -> BTreeSet<Way> {
        let mut ways = self.ways(at);
        ways.retain(|way| !self.is_forbidden(&way.account, &way.resource));
        ways
    }

    /// What an account may do when it is not suspended.
    pub fn rights(&self, account: &str) -> Rights {
        let level = self.accounts.get(account).and_then(|own| own.level);
        let mut rights = level.map_or(Rights::NONE, PermissionLevel::rights);
        for (role, _) in self.roles_of(account) {
            rights = rights.union(self.roles[role].rights);
        }
        rights
    }

    pub fn is_suspended(&self, account: &str) -> bool {
        self.accounts[account].suspended
    }

    /// Service and id of what binds others.
    pub fn bonds(&self) -> Vec<(&'static str, Id)> {
        let service = |id: &Id| {
            if self.members.contains_key(id) {
                return Some("AccountsGroups");
            }
            let assigned = self.assigned.get(id).map(|(holder, _)| {
                let is_group = self.groups.contains_key(holder);
                if is_group {
                    "GroupsRoles"
                } else {
                    "AccountAttachments"
                }
            });
            assigned.or_else(|| self.grants.contains_key(id).then_some("AccountGrants"))
        };
        let known = self.order.iter();
        let bonds = known.filter_map(|id| service(id).map(|service| (service, id.clone())));
        bonds.collect()
    }
}
