// SPDX-License-Identifier: Apache-2.0
//! Random commands, done for real and noted down.

use std::collections::BTreeMap;

use durward_identity::Caller;
use durward_model::{ObjectId, Value};
use serde_json::json;

use super::naive::{Event, Happening, Rule, State};
use crate::effective::{VALID_FROM, VALID_UNTIL};
use crate::tests::{AccessOf as _, World, properties};
use crate::{Access, AccessError, Kind, NewObject, Object, ObjectChange, Properties};

const KINDS: [&str; 3] = ["postgres", "redis", "ssh"];
const TAGS: [&str; 3] = ["env", "team", "tier"];
const VALUES: [&str; 3] = ["a", "b", "c"];
const OBJECTS_MAX: usize = 25;

/// A small generator: the same seed, the same commands.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        let position = self.below(items.len() as u64) as usize;
        items.get(position).cloned()
    }
}

pub(super) struct Driver<'w> {
    world: &'w World,
    pub(super) access: Access,
    pub(super) admin: Caller,
    dice: Dice,
    pub(super) events: Vec<Event>,
    state: State,
    made: u32,
    has_policies: bool,
}

impl<'w> Driver<'w> {
    pub(super) fn new(world: &'w World, dice: Dice, has_policies: bool) -> Self {
        Self {
            world,
            access: world.access(),
            admin: world.admin(),
            dice,
            events: Vec::new(),
            state: State::default(),
            made: 0,
            has_policies,
        }
    }

    pub(super) fn step(&mut self) {
        self.world.pass(self.dice.below(2_000_000) as i64);
        if self.has_policies && self.dice.below(40) == 0 {
            return self.change_policies();
        }
        match self.dice.below(16) {
            0 => self.make_account(),
            1 => self.make_group(),
            2 => self.make_role(),
            3 | 4 => self.make_resource(),
            5 => self.change_role(),
            6 | 7 => self.change_resource(),
            8 => self.suspend(),
            9 => self.join(),
            10 | 11 => self.assign(),
            12 | 13 => self.grant(),
            14 => self.unbind(),
            _ => self.end(),
        }
    }

    fn note(&mut self, what: Happening) {
        self.state.apply(&what);
        let at = self.access.view(None).instant();
        self.events.push(Event { at, what });
    }

    fn name(&mut self) -> String {
        self.made += 1;
        format!("n{}", self.made)
    }

    fn create(&mut self, new: NewObject) -> Result<Object, AccessError> {
        let created = self.access.create(&self.admin, new);
        created.map(|created| created.object)
    }

    fn make_account(&mut self) {
        if self.state.accounts().len() >= OBJECTS_MAX {
            return;
        }
        let name = self.name();
        let new = if self.dice.below(4) == 0 {
            NewObject::entity(Kind::SERVICE, properties(&[("displayName", &name)]))
        } else {
            let email = format!("{name}@example.com");
            NewObject::entity(Kind::USER, properties(&[("email", &email)]))
        };
        let id = self.create(new).unwrap().id;
        self.note(Happening::Account(id));
    }

    fn make_group(&mut self) {
        if self.state.groups().len() >= OBJECTS_MAX / 3 {
            return;
        }
        let name = self.name();
        let new = NewObject::entity(Kind::GROUP, properties(&[("displayName", &name)]));
        let id = self.create(new).unwrap().id;
        self.note(Happening::Group(id));
    }

    fn rules(&mut self) -> (Vec<Rule>, String) {
        let (mut rules, mut texts) = (Vec::new(), Vec::new());
        for _ in 0..self.dice.below(3) {
            if self.dice.below(3) == 0 {
                let known = self.state.resources();
                let picked: Vec<ObjectId> = (0..self.dice.below(4))
                    .filter_map(|_| self.dice.pick(&known))
                    .map(|(id, _)| id)
                    .collect();
                let shown: Vec<String> = picked.iter().map(|id| format!("rs-{id}")).collect();
                texts.push(json!({ "ids": shown }));
                rules.push(Rule::Ids(picked));
                continue;
            }
            let kind = if self.dice.below(2) == 0 {
                self.dice.pick(&KINDS)
            } else {
                None
            };
            let mut tags: BTreeMap<String, String> = BTreeMap::new();
            for _ in 0..=self.dice.below(2) {
                let value = self.dice.pick(&["a", "b", "c", "*"]).unwrap();
                let name = self.dice.pick(&TAGS).unwrap();
                tags.insert(name.to_owned(), value.to_owned());
            }
            let mut text = json!({ "tags": tags });
            if let Some(kind) = kind {
                text["type"] = json!(kind);
            }
            texts.push(text);
            rules.push(Rule::Match(kind, tags.into_iter().collect()));
        }
        (rules, serde_json::Value::Array(texts).to_string())
    }

    fn make_role(&mut self) {
        if self.state.roles().len() >= OBJECTS_MAX {
            return;
        }
        let (rules, text) = self.rules();
        let name = self.name();
        let named = properties(&[("displayName", &name), ("accessRules", &text)]);
        let id = self
            .create(NewObject::entity(Kind::ROLE, named))
            .unwrap()
            .id;
        self.note(Happening::Role(id, rules));
    }

    fn change_role(&mut self) {
        let Some(role) = self.dice.pick(&self.state.roles()) else {
            return;
        };
        let (rules, text) = self.rules();
        let change = crate::tests::change(&[("accessRules", &text)]);
        self.access
            .update(&self.admin, Kind::ROLE, role, change)
            .unwrap();
        self.note(Happening::Role(role, rules));
    }

    fn change_policies(&mut self) {
        let known = self.state.policies();
        if known.len() > 2 {
            let id = self.dice.pick(&known).unwrap();
            self.access.delete(&self.admin, Kind::POLICY, id).unwrap();
            return self.note(Happening::Ended(id));
        }
        let tag = self.dice.pick(&TAGS).unwrap();
        let value = self.dice.pick(&VALUES).unwrap();
        let text = format!(
            "forbid (principal, action == StrongDM::Action::\"connect\", resource) \
             when {{ resource.hasTag(\"{tag}\") && resource.getTag(\"{tag}\") == \"{value}\" }};"
        );
        let name = self.name();
        let new = properties(&[("displayName", &name), ("policy", &text)]);
        let id = self
            .create(NewObject::entity(Kind::POLICY, new))
            .unwrap()
            .id;
        self.note(Happening::Policy(id, tag, value));
    }

    fn tags(&mut self) -> BTreeMap<String, String> {
        let pairs = (0..self.dice.below(3)).map(|_| {
            let name = self.dice.pick(&TAGS).unwrap();
            (name.to_owned(), self.dice.pick(&VALUES).unwrap().to_owned())
        });
        pairs.collect()
    }

    fn make_resource(&mut self) {
        if self.state.resources().len() >= 2 * OBJECTS_MAX {
            return;
        }
        let (name, kind, tags) = (self.name(), self.dice.pick(&KINDS).unwrap(), self.tags());
        let mut all = properties(&[("displayName", &name), ("kind", kind)]);
        all.extend(tagged(&tags));
        let id = self
            .create(NewObject::entity(Kind::RESOURCE, all))
            .unwrap()
            .id;
        self.note(Happening::Resource(id, kind, tags));
    }

    fn change_resource(&mut self) {
        let Some((id, kind)) = self.dice.pick(&self.state.resources()) else {
            return;
        };
        let tags = self.tags();
        let change = ObjectChange {
            properties: tagged(&tags),
            replace_tags: true,
            ..ObjectChange::default()
        };
        self.access
            .update(&self.admin, Kind::RESOURCE, id, change)
            .unwrap();
        self.note(Happening::Resource(id, kind, tags));
    }

    fn suspend(&mut self) {
        let Some(account) = self.dice.pick(&self.state.accounts()) else {
            return;
        };
        let suspended = !self.state.is_suspended(account);
        self.access
            .set_suspended(&self.admin, account, suspended)
            .unwrap();
        self.note(Happening::Suspended(account, suspended));
    }

    fn join(&mut self) {
        let group = self.dice.pick(&self.state.groups());
        let account = self.dice.pick(&self.state.accounts());
        if let (Some(group), Some(account)) = (group, account) {
            let made = self.bind(Kind::GROUP_MEMBER, group, account, Properties::new());
            if let Some(id) = made {
                self.note(Happening::Member(id, group, account));
            }
        }
    }

    fn assign(&mut self) {
        let is_group = self.dice.below(3) == 0;
        let holders = if is_group {
            self.state.groups()
        } else {
            self.state.accounts()
        };
        let role = self.dice.pick(&self.state.roles());
        if let (Some(holder), Some(role)) = (self.dice.pick(&holders), role) {
            let kind = if is_group {
                Kind::GROUP_ROLE
            } else {
                Kind::ASSIGNMENT
            };
            if let Some(id) = self.bind(kind, holder, role, Properties::new()) {
                self.note(Happening::Assigned(id, holder, role));
            }
        }
    }

    fn grant(&mut self) {
        let mut holders = self.state.accounts();
        holders.extend(self.state.groups());
        let resource = self.dice.pick(&self.state.resources());
        let (Some(holder), Some((resource, _))) = (self.dice.pick(&holders), resource) else {
            return;
        };
        let shift = self.dice.below(600) as i64 - 200;
        let from = self.world.now().plus_seconds(shift);
        let length = self.dice.below(600) as i64 + 1;
        let until = (self.dice.below(3) > 0).then(|| from.plus_seconds(length));
        let mut times = Properties::new();
        times.insert(VALID_FROM.to_owned(), Value::from(from));
        if let Some(until) = until {
            times.insert(VALID_UNTIL.to_owned(), Value::from(until));
        }
        let is_free = self.state.is_free(holder, resource, from, until);
        let made = self.bind(Kind::GRANT, holder, resource, times);
        assert_eq!(
            made.is_some(),
            is_free,
            "{holder} {resource} {from} {until:?}"
        );
        let Some(id) = made else { return };
        self.note(Happening::Granted {
            id,
            holder,
            resource,
            from,
            until,
        });
    }

    fn bind(
        &mut self,
        kind: Kind,
        from: ObjectId,
        to: ObjectId,
        properties: Properties,
    ) -> Option<ObjectId> {
        match self.create(NewObject::relationship(kind, from, to, properties)) {
            Ok(made) => Some(made.id),
            Err(AccessError::AlreadyExists { .. }) => None,
            Err(error) => panic!("{kind:?}: {error}"),
        }
    }

    fn unbind(&mut self) {
        if let Some((kind, id)) = self.dice.pick(&self.state.bonds()) {
            self.access.delete(&self.admin, kind, id).unwrap();
            self.note(Happening::Ended(id));
        }
    }

    /// Ends an object and with it all that hangs on it.
    fn end(&mut self) {
        let (kind, id) = match self.dice.below(6) {
            0 => (Kind::GROUP, self.dice.pick(&self.state.groups())),
            1 => (Kind::ROLE, self.dice.pick(&self.state.roles())),
            2 => (Kind::USER, self.dice.pick(&self.state.accounts())),
            _ => {
                let resources = self.state.resources();
                let picked = self.dice.pick(&resources).map(|(id, _)| id);
                (Kind::RESOURCE, picked)
            }
        };
        let Some(id) = id else { return };
        let ended = match self.access.delete(&self.admin, kind, id) {
            // The account is a service.
            Err(AccessError::NotFound { .. }) => self.access.delete(&self.admin, Kind::SERVICE, id),
            other => other,
        };
        ended.unwrap();
        self.note(Happening::Ended(id));
    }
}

fn tagged(tags: &BTreeMap<String, String>) -> Properties {
    let tags = tags.iter();
    tags.map(|(name, value)| (format!("tag.{name}"), Value::from(value.as_str())))
        .collect()
}
