// SPDX-License-Identifier: Apache-2.0
//! A random organization, made through the front door and noted down.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use durward_model::{Clock as _, Instant, SystemClock};
use durward_policy::Rights;
use durward_testkit::{Client, Server};
use serde_json::{Value as Json, json};

use crate::common::{self, SONRAI, data};
use crate::judge::{Deed, Id, Role, State};
use crate::strongdm::Sdk;

/// A small generator: the same seed, the same organization.
pub struct Dice(u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Clone>(&mut self, items: impl IntoIterator<Item = T>) -> Option<T> {
        let items: Vec<T> = items.into_iter().collect();
        let position = self.below(items.len() as u64) as usize;
        items.get(position).cloned()
    }
}

/// The server, what there is in its organization, and the moments that were noted.
pub struct Organization {
    pub server: Server,
    pub sdk: Sdk,
    pub chief: Client,
    pub dice: Dice,
    pub state: State,
    /// Past instants, and what was there then.
    pub moments: Vec<(Instant, State)>,
    pub made: u32,
    /// When the last grant that begins or ends soon has done so.
    pub settled_at: Instant,
}

/// An id without the prefix of StrongDM.
pub fn bare(id: &str) -> Id {
    id.rsplit('-').next().unwrap().to_owned()
}

pub fn now() -> Instant {
    SystemClock.now()
}

/// An instant as StrongDM's messages hold it.
pub fn timestamp(at: Instant) -> Json {
    let micros = at.as_micros();
    json!({"seconds": micros.div_euclid(1_000_000), "nanos": micros.rem_euclid(1_000_000) * 1000})
}

impl Organization {
    pub fn start(seed: u64) -> Self {
        let server = common::start();
        let (sdk, chief) = (Sdk::chief(&server), server.client());
        let mut organization = Self {
            server,
            sdk,
            chief,
            dice: Dice(seed),
            state: State::default(),
            moments: Vec::new(),
            made: 0,
            settled_at: now(),
        };
        organization.read_built_in_roles();
        organization
    }

    /// What the built-in roles give is told by one way, and asked of all others.
    fn read_built_in_roles(&mut self) {
        let text = "{ SonraiRoles { items { name expandedPermissions } } }";
        let told = data(&self.chief, SONRAI, text, &json!({}));
        for name in ["Viewer", "Editor"] {
            let items = told["SonraiRoles"]["items"].as_array().unwrap();
            let item = items.iter().find(|item| item["name"] == name).unwrap();
            let rights = item["expandedPermissions"].as_array().unwrap().iter();
            let rights = Rights::from_names(rights.filter_map(Json::as_str)).unwrap();
            let row = &self.sdk.list("Roles", &format!("name:{name}"))[0];
            let role = Role {
                name: name.to_owned(),
                rules: Vec::new(),
                rights,
            };
            self.note(Deed::Role(bare(row["id"].as_str().unwrap()), role));
        }
    }

    pub fn note(&mut self, deed: Deed) {
        self.state.apply(deed);
    }

    /// One of the objects of a kind.
    pub fn any<T: Clone>(&mut self, kind: fn(&State) -> &BTreeMap<Id, T>) -> Option<(Id, T)> {
        self.dice.pick(self.state.in_order(kind(&self.state)))
    }

    /// Notes an instant: everything so far was before it, all else is after it.
    pub fn note_moment(&mut self) {
        sleep(Duration::from_millis(3));
        let at = Instant::from_micros(now().as_micros() / 1000 * 1000);
        self.moments.push((at, self.state.clone()));
        sleep(Duration::from_millis(3));
    }

    /// Waits until no grant begins or ends for about an hour.
    pub fn settle(&self) {
        while now() <= self.settled_at.plus_micros(100_000) {
            sleep(Duration::from_millis(20));
        }
    }

    /// Some of everything, so that what follows has something to bind.
    pub fn found(&mut self) {
        for _ in 0..8 {
            self.make_account();
            self.make_resource();
        }
        for _ in 0..3 {
            self.make_group();
        }
        for _ in 0..5 {
            self.make_role();
        }
        for _ in 0..8 {
            self.join();
            self.assign();
            self.grant();
        }
    }

    pub fn step(&mut self) {
        match self.dice.below(20) {
            0 => self.make_account(),
            1 => self.make_group(),
            2 => self.make_role(),
            3 => self.make_resource(),
            4 => self.change_role(),
            5 | 6 => self.change_resource(),
            7 => self.suspend_or_resume(),
            8 => self.change_level(),
            9 | 10 => self.join(),
            11..=13 => self.assign(),
            14..=16 => self.grant(),
            17 => self.change_policies(),
            18 => self.unbind(),
            _ => self.end(),
        }
    }
}
