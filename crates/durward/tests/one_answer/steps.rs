// SPDX-License-Identifier: Apache-2.0
//! The random steps: each done through the front door, and noted.

use std::collections::BTreeMap;

use durward_model::Instant;
use durward_policy::{PermissionLevel, Right, Rights, Vocabulary};
use serde_json::{Value as Json, json};

use crate::common::{NATIVE, data, ok};
use crate::judge::{Account, Deed, Forbid, Grant, Id, Resource, Role, Rule};
use crate::organization::{Organization, bare, now, timestamp};

const KINDS: [&str; 3] = ["postgres", "mysql", "redis"];
const TAGS: [&str; 2] = ["env", "team"];
const VALUES: [&str; 3] = ["a", "b", "c"];
const LEVELS: [PermissionLevel; 6] = [
    PermissionLevel::User,
    PermissionLevel::Auditor,
    PermissionLevel::DatabaseOperator,
    PermissionLevel::DatabaseAdmin,
    PermissionLevel::TeamLeader,
    PermissionLevel::Admin,
];
/// Most of one kind of object.
const OBJECTS_MAX: usize = 9;
const HOUR: i64 = 3600;

impl Organization {
    fn name(&mut self) -> String {
        self.made += 1;
        format!("n{}", self.made)
    }

    fn make(&mut self, service: &str, noun: &str, object: &Json) -> Id {
        bare(&self.sdk.made(service, noun, object))
    }

    pub fn make_account(&mut self) {
        if self.state.accounts.len() >= OBJECTS_MAX {
            return;
        }
        let name = self.name();
        let (name, level, object) = if self.dice.once_in(4) {
            (name.clone(), None, json!({"service": {"name": name}}))
        } else {
            let email = format!("{name}@testbed.example");
            let level = self.dice.pick(LEVELS).unwrap();
            let user = user(None, &email, level);
            (email, Some(level), json!({ "user": user }))
        };
        let id = self.make("Accounts", "account", &object);
        let account = Account {
            name,
            is_user: level.is_some(),
            level,
            suspended: false,
        };
        self.note(Deed::Account(id, account));
    }

    pub fn make_group(&mut self) {
        if self.state.groups.len() < OBJECTS_MAX / 2 {
            let name = self.name();
            let id = self.make("Groups", "group", &json!({"name": name}));
            self.note(Deed::Group(id, name));
        }
    }

    fn tags(&mut self, values: &[&str]) -> BTreeMap<String, String> {
        let mut tags = BTreeMap::new();
        for _ in 0..self.dice.below(3) {
            let (name, value) = (
                self.dice.pick(TAGS).unwrap(),
                self.dice.pick(values).unwrap(),
            );
            tags.insert(name.to_owned(), (*value).to_owned());
        }
        tags
    }

    fn rules(&mut self) -> (Vec<Rule>, String) {
        let (mut rules, mut texts) = (Vec::new(), Vec::new());
        for _ in 0..=self.dice.below(2) {
            if self.dice.once_in(3) {
                let known = ids(self.state.in_order(&self.state.resources));
                let ids: Vec<Id> = (0..3)
                    .filter_map(|_| self.dice.pick(&known))
                    .cloned()
                    .collect();
                let shown: Vec<String> = ids.iter().map(|id| format!("rs-{id}")).collect();
                texts.push(json!({ "ids": shown }));
                rules.push(Rule::Ids(ids));
                continue;
            }
            let mut tags = self.tags(&["a", "b", "c", "*"]);
            let kind = self.dice.once_in(2).then(|| self.dice.pick(KINDS).unwrap());
            if kind.is_none() && tags.is_empty() {
                tags.insert("env".to_owned(), "*".to_owned());
            }
            let mut text = json!({});
            if let Some(kind) = kind {
                text["type"] = json!(kind);
            }
            if !tags.is_empty() {
                text["tags"] = json!(tags);
            }
            texts.push(text);
            rules.push(Rule::Fits(kind, tags));
        }
        (rules, Json::Array(texts).to_string())
    }

    /// A role with rules; some have permissions of Cyral too.
    pub fn make_role(&mut self) {
        if self.state.roles.len() >= OBJECTS_MAX {
            return;
        }
        let (name, (rules, text)) = (self.name(), self.rules());
        let mut role = Role {
            name: name.clone(),
            rules,
            rights: Rights::NONE,
        };
        if self.dice.once_in(2) {
            let object = json!({"name": name, "access_rules": text});
            let id = self.make("Roles", "role", &object);
            return self.note(Deed::Role(id, role));
        }
        let names = self.permissions();
        role.rights = names
            .iter()
            .filter_map(|name| Right::of_cyral(name))
            .collect();
        let body = json!({"name": name, "roles": names});
        let made = ok(self.chief.post("/v1/users/groups", &body).unwrap());
        let id = made["id"].as_str().unwrap().to_owned();
        self.update_role(&id, &name, &text);
        self.note(Deed::Role(id, role));
    }

    fn permissions(&mut self) -> Vec<&'static str> {
        let all: Vec<&str> = Vocabulary::Cyral.words().collect();
        let count = 1 + self.dice.below(4);
        let mut names: Vec<&str> = (0..count)
            .filter_map(|_| self.dice.pick(&all))
            .copied()
            .collect();
        names.push("Access Request");
        names
    }

    fn update_role(&mut self, id: &str, name: &str, rules: &str) {
        let id = format!("r-{id}");
        let role = json!({"id": id, "name": name, "access_rules": rules});
        self.sdk
            .ok("Roles.Update", &json!({"id": id, "role": role}));
    }

    fn own_roles(&self) -> Vec<Id> {
        let mut roles = self.state.in_order(&self.state.roles);
        roles.retain(|(_, role)| role.name.starts_with('n'));
        ids(roles)
    }

    pub fn change_role(&mut self) {
        let Some(id) = self.dice.pick(self.own_roles()) else {
            return;
        };
        let mut role = self.state.roles[&id].clone();
        if self.dice.once_in(3) {
            let names = self.permissions();
            role.rights = names
                .iter()
                .filter_map(|name| Right::of_cyral(name))
                .collect();
            let body = json!({"name": role.name, "roles": names}).to_string();
            let path = format!("/v1/users/groups/{id}");
            ok(self
                .chief
                .send("PUT", &path, Some(body.as_bytes()))
                .unwrap());
        } else {
            let (rules, text) = self.rules();
            self.update_role(&id, &role.name, &text);
            role.rules = rules;
        }
        self.note(Deed::Role(id, role));
    }

    pub fn make_resource(&mut self) {
        if self.state.resources.len() < 2 * OBJECTS_MAX {
            let resource = Resource {
                name: self.name(),
                kind: self.dice.pick(KINDS).unwrap(),
                tags: self.tags(&VALUES),
            };
            let id = self.make("Resources", "resource", &shown(None, &resource));
            self.note(Deed::Resource(id, resource));
        }
    }

    pub fn change_resource(&mut self) {
        let Some((id, mut resource)) = self.any(|state| &state.resources) else {
            return;
        };
        resource.tags = self.tags(&VALUES);
        let request = json!({"id": format!("rs-{id}"), "resource": shown(Some(&id), &resource)});
        self.sdk.ok("Resources.Update", &request);
        self.note(Deed::Resource(id, resource));
    }

    pub fn suspend_or_resume(&mut self) {
        let accounts = self.state.in_order(&self.state.accounts);
        let suspended = accounts
            .iter()
            .filter(|(_, account)| account.suspended)
            .count();
        let is_return = suspended > 2;
        let open = accounts
            .into_iter()
            .filter(|(_, account)| !is_return || account.suspended);
        let Some((id, mut account)) = self.dice.pick(open) else {
            return;
        };
        let by_level = account.level == Some(PermissionLevel::Suspended);
        account.suspended = !account.suspended;
        if account.suspended && account.is_user && self.dice.once_in(2) {
            account.level = Some(PermissionLevel::Suspended);
            self.update_user(&id, &account);
            return self.note(Deed::Account(id, account));
        }
        if by_level {
            account.level = Some(PermissionLevel::User);
        }
        let act = if account.suspended {
            "suspendAccount"
        } else {
            "resumeAccount"
        };
        let text = format!("mutation S($id: ID!) {{ {act}(id: $id) {{ id }} }}");
        data(&self.chief, NATIVE, &text, &json!({"id": id}));
        self.note(Deed::Account(id, account));
    }

    fn update_user(&mut self, id: &str, account: &Account) {
        let user = user(Some(id), &account.name, account.level.unwrap());
        let request = json!({"id": format!("a-{id}"), "account": {"user": user}});
        self.sdk.ok("Accounts.Update", &request);
    }

    pub fn change_level(&mut self) {
        let users = self.state.in_order(&self.state.accounts).into_iter();
        let active = users.filter(|(_, account)| account.is_user && !account.suspended);
        let Some((id, mut account)) = self.dice.pick(active) else {
            return;
        };
        account.level = self.dice.pick(LEVELS);
        self.update_user(&id, &account);
        self.note(Deed::Account(id, account));
    }

    pub fn join(&mut self) {
        let group = self.any(|state| &state.groups);
        let account = self.any(|state| &state.accounts);
        let (Some((group, _)), Some((account, _))) = (group, account) else {
            return;
        };
        let known = self.state.members.values();
        if known
            .filter(|ends| **ends == (group.clone(), account.clone()))
            .count()
            > 0
        {
            return;
        }
        let ends =
            json!({"group_id": format!("group-{group}"), "account_id": format!("a-{account}")});
        let id = self.make("AccountsGroups", "account_group", &ends);
        self.note(Deed::Member(id, group, account));
    }

    pub fn assign(&mut self) {
        let Some((role, _)) = self.any(|state| &state.roles) else {
            return;
        };
        let is_group = self.dice.once_in(3);
        let holder = if is_group {
            self.any(|state| &state.groups).map(|(id, _)| id)
        } else {
            self.any(|state| &state.accounts).map(|(id, _)| id)
        };
        let Some(holder) = holder else { return };
        let mut known = self.state.assigned.values();
        if known.any(|ends| *ends == (holder.clone(), role.clone())) {
            return;
        }
        let role_id = format!("r-{role}");
        let id = if is_group {
            let ends = json!({"group_id": format!("group-{holder}"), "role_id": role_id});
            self.make("GroupsRoles", "group_role", &ends)
        } else {
            let ends = json!({"account_id": format!("a-{holder}"), "role_id": role_id});
            self.make("AccountAttachments", "account_attachment", &ends)
        };
        self.note(Deed::Assigned(id, holder, role));
    }

    /// Validity around now: what was, is or will be, and what changes within a second or two.
    fn validity(&mut self) -> (Option<Instant>, Option<Instant>) {
        let now = now();
        let (past, future) = (now.plus_seconds(-HOUR), now.plus_seconds(HOUR));
        let soon = now.plus_micros(self.dice.below(2_000_000) as i64 + 200_000);
        match self.dice.below(7) {
            0 => (None, None),
            1 => (Some(past), Some(future)),
            2 => (Some(future), Some(future.plus_seconds(HOUR))),
            3 => (Some(past.plus_seconds(-HOUR)), Some(past)),
            4 => (Some(past), None),
            5 => (None, Some(soon)),
            _ => (Some(soon), Some(future)),
        }
    }

    pub fn grant(&mut self) {
        let holder = self.any(|state| &state.accounts).map(|(id, _)| id);
        let resource = self.any(|state| &state.resources).map(|(id, _)| id);
        let (Some(holder), Some(resource)) = (holder, resource) else {
            return;
        };
        self.grant_to_the_number_of_a_group(&resource);
        let mut known = self.state.grants.values();
        if known.any(|grant| grant.holder == holder && grant.resource == resource) {
            return;
        }
        let (from, until) = self.validity();
        let mut grant = json!({"account_id": format!("a-{holder}"),
            "resource_id": format!("rs-{resource}")});
        for (name, end) in [("start_from", from), ("valid_until", until)] {
            if let Some(at) = end {
                grant[name] = timestamp(at);
                let is_soon = at < now().plus_seconds(HOUR / 2);
                self.settled_at = self
                    .settled_at
                    .max(if is_soon { at } else { self.settled_at });
            }
        }
        let id = self.make("AccountGrants", "account_grant", &grant);
        let grant = Grant {
            holder,
            resource,
            from,
            until,
        };
        self.note(Deed::Grant(id, grant));
    }

    /// The id of a group with the prefix of accounts is the id of nothing.
    fn grant_to_the_number_of_a_group(&mut self, resource: &str) {
        let Some((group, _)) = self.any(|state| &state.groups) else {
            return;
        };
        let grant = json!({"account_id": format!("a-{group}"),
            "resource_id": format!("rs-{resource}")});
        let request = json!({"account_grant": grant});
        self.sdk
            .refused("AccountGrants.Create", &request, 5, "account");
    }

    pub fn change_policies(&mut self) {
        if self.state.policies.len() > 2 {
            let id = self.any(|state| &state.policies).map(|(id, _)| id);
            return self.delete("Policies", "po-", &id.unwrap());
        }
        let group = self.any(|state| &state.groups).map(|(id, _)| id);
        let role = self.dice.pick(self.own_roles());
        let forbid = match (self.dice.below(4), group, role) {
            (0, Some(group), _) => Forbid::Group(group),
            (1, _, Some(role)) => Forbid::Role(role, self.dice.pick(KINDS).unwrap()),
            _ => {
                let (tag, value) = (self.dice.pick(TAGS), self.dice.pick(VALUES));
                Forbid::Tag(tag.unwrap(), value.unwrap())
            }
        };
        let policy = json!({"name": self.name(), "policy": cedar(&forbid)});
        let id = self.make("Policies", "policy", &policy);
        self.note(Deed::Policy(id, forbid));
    }

    fn delete(&mut self, service: &str, prefix: &str, id: &str) {
        let request = json!({"id": format!("{prefix}{id}")});
        self.sdk.ok(&format!("{service}.Delete"), &request);
        self.note(Deed::Ended(id.to_owned()));
    }

    pub fn unbind(&mut self) {
        let Some((service, id)) = self.dice.pick(self.state.bonds()) else {
            return;
        };
        let prefix = match service {
            "AccountsGroups" => "accountgroup-",
            "GroupsRoles" => "grouprole-",
            "AccountAttachments" => "aa-",
            _ => "ag-",
        };
        self.delete(service, prefix, &id);
    }

    /// Ends an object and with it all that hangs on it.
    pub fn end(&mut self) {
        let state = &self.state;
        let (service, prefix, ids) = match self.dice.below(5) {
            0 => ("Groups", "group-", ids(state.in_order(&state.groups))),
            1 => ("Roles", "r-", self.own_roles()),
            2 => ("Accounts", "a-", ids(state.in_order(&state.accounts))),
            _ => ("Resources", "rs-", ids(state.in_order(&state.resources))),
        };
        if let Some(id) = self.dice.pick(ids) {
            self.delete(service, prefix, &id);
        }
    }
}

fn ids<T>(objects: Vec<(Id, T)>) -> Vec<Id> {
    objects.into_iter().map(|(id, _)| id).collect()
}

fn user(id: Option<&str>, email: &str, level: PermissionLevel) -> Json {
    let mut user = json!({"email": email, "first_name": email, "last_name": "Tester",
        "permission_levelRW": level.name()});
    if let Some(id) = id {
        user["id"] = json!(format!("a-{id}"));
    }
    user
}

fn shown(id: Option<&str>, resource: &Resource) -> Json {
    let tags = resource.tags.iter();
    let pairs = tags.map(|(name, value)| json!({"name": name, "value": value}));
    let mut object = json!({"name": resource.name, "hostname": "db", "username": "u",
        "password": "p", "port": 5432, "tags": {"pairs": pairs.collect::<Vec<_>>()}});
    if resource.kind != "redis" {
        object["database"] = json!("d");
    }
    if let Some(id) = id {
        object["id"] = json!(format!("rs-{id}"));
    }
    json!({ resource.kind: object })
}

fn cedar(forbid: &Forbid) -> String {
    let connect = "action == StrongDM::Action::\"connect\"";
    match forbid {
        Forbid::Tag(tag, value) => format!(
            "forbid (principal, {connect}, resource) \
             when {{ resource.hasTag(\"{tag}\") && resource.getTag(\"{tag}\") == \"{value}\" }};"
        ),
        Forbid::Group(group) => format!(
            "forbid (principal in StrongDM::Group::\"group-{group}\", {connect}, resource);"
        ),
        Forbid::Role(role, kind) => format!(
            "forbid (principal in StrongDM::Role::\"r-{role}\", {connect}, resource) \
             when {{ resource.kind == \"{kind}\" }};"
        ),
    }
}
