// SPDX-License-Identifier: Apache-2.0
//! Other names of objects, with the time in which each holds.

use std::sync::Arc;

use durward_model::{EntityNumber, ObjectNumber, RelationshipNumber};
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::timeline::Tick;

const SHARDS: usize = 256;

/// One use of an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AliasLife {
    pub(crate) object: ObjectNumber,
    pub(crate) from: Tick,
    pub(crate) until: Option<Tick>,
}

type Names = HashMap<Arc<str>, Vec<AliasLife>>;
type Owners = HashMap<ObjectNumber, Vec<Arc<str>>>;

/// Aliases by name and by object, in shards that snapshots share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aliases {
    names: Arc<Vec<Arc<Names>>>,
    owners: Arc<Vec<Arc<Owners>>>,
    seed: u64,
}

fn owner_shard(object: ObjectNumber) -> usize {
    let (ObjectNumber::Entity(EntityNumber(number))
    | ObjectNumber::Relationship(RelationshipNumber(number))) = object;
    number as usize % SHARDS
}

impl AliasLife {
    pub(crate) fn holds(&self, at: Option<Tick>) -> bool {
        match at {
            None => self.until.is_none(),
            Some(tick) => self.from <= tick && self.until.is_none_or(|until| until > tick),
        }
    }
}

impl Aliases {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            names: Arc::default(),
            owners: Arc::default(),
            seed,
        }
    }

    fn shard(&self, alias: &str) -> usize {
        xxh3_64_with_seed(alias.as_bytes(), self.seed) as usize % SHARDS
    }

    fn lives_mut(&mut self, alias: &str) -> Option<&mut Vec<AliasLife>> {
        let shard = self.shard(alias);
        let names = Arc::make_mut(&mut self.names);
        names.resize(SHARDS, Arc::default());
        let names = Arc::make_mut(names.get_mut(shard)?);
        Some(names.entry_ref(alias).or_default())
    }

    /// Gives an object an alias. Answers whether it did not have it already.
    pub(crate) fn add(&mut self, object: ObjectNumber, alias: &str, tick: Tick) -> bool {
        let life = AliasLife {
            object,
            from: tick,
            until: None,
        };
        self.restore(alias, life)
    }

    pub(crate) fn restore(&mut self, alias: &str, life: AliasLife) -> bool {
        let Some(lives) = self.lives_mut(alias) else {
            return false;
        };
        if lives
            .iter()
            .any(|old| old.object == life.object && old.until.is_none())
        {
            return false;
        }
        lives.push(life);
        let owners = Arc::make_mut(&mut self.owners);
        owners.resize(SHARDS, Arc::default());
        if let Some(shard) = owners.get_mut(owner_shard(life.object)) {
            let names = Arc::make_mut(shard).entry(life.object).or_default();
            if let Err(at) = names.binary_search_by(|name| (**name).cmp(alias)) {
                names.insert(at, alias.into());
            }
        }
        true
    }

    /// Takes an alias from an object. Answers whether it had it.
    pub(crate) fn remove(&mut self, object: ObjectNumber, alias: &str, tick: Tick) -> bool {
        let Some(lives) = self.lives_mut(alias) else {
            return false;
        };
        let life = lives
            .iter_mut()
            .find(|life| life.object == object && life.until.is_none());
        let Some(life) = life else { return false };
        life.until = Some(tick);
        true
    }

    /// All uses of an alias.
    pub(crate) fn lives(&self, alias: &str) -> &[AliasLife] {
        let names = self.names.get(self.shard(alias));
        names
            .and_then(|names| names.get(alias))
            .map_or(&[], Vec::as_slice)
    }

    /// Every alias that an object has or had, ascending.
    pub(crate) fn of_object(&self, object: ObjectNumber) -> &[Arc<str>] {
        let owners = self.owners.get(owner_shard(object));
        owners
            .and_then(|owners| owners.get(&object))
            .map_or(&[], Vec::as_slice)
    }

    /// All aliases in ascending order.
    pub(crate) fn sorted(&self) -> Vec<(&Arc<str>, &Vec<AliasLife>)> {
        let mut all: Vec<_> = self.names.iter().flat_map(|names| names.iter()).collect();
        all.sort_unstable_by(|left, right| left.0.cmp(right.0));
        all
    }

    pub(crate) fn bytes(&self) -> usize {
        let names = self.names.iter().flat_map(|names| names.iter());
        names
            .map(|(name, lives)| name.len() + lives.len() * 24 + 120)
            .sum()
    }
}
