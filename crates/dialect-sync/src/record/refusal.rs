// SPDX-License-Identifier: Apache-2.0
//! What did not arrive: whole uploads, and single items of others.

use durward_graph::bulk::staging::StagedPart;
use durward_graph::bulk::{PartialTypes, Rejections, rejected};
use serde::{Deserialize, Serialize};

use super::JobRecord;

/// Most refusals that are kept one by one; what comes after makes all types partial.
const REFUSALS_MAX: usize = 50;
/// Longest reason that is kept, in characters.
const REASON_CHARACTERS: usize = 400;

/// An upload of which something did not arrive. What is absent of its types is not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    /// Place of the upload among all of the job.
    number: u32,
    /// Hash of what the client calls the upload; 0 where it gave no name.
    name: u64,
    /// Fingerprint of the body in hex; empty where it did not arrive.
    fingerprint: String,
    /// Whether nothing of it was taken.
    whole: bool,
    all_types: bool,
    types: Vec<String>,
    /// Why.
    pub(crate) reason: String,
}

impl Refusal {
    /// Of an upload of which nothing was taken.
    pub(crate) fn of_upload(
        (number, name): (u32, u64),
        fingerprint: Option<u128>,
        types: &PartialTypes,
        reason: &str,
    ) -> Self {
        Self {
            number,
            name,
            fingerprint: fingerprint.map(hex).unwrap_or_default(),
            whole: true,
            all_types: types.all,
            types: types.types.iter().cloned().collect(),
            reason: reason.chars().take(REASON_CHARACTERS).collect(),
        }
    }

    /// Of an upload that was taken without some of its items.
    pub(crate) fn of_items(place: (u32, u64), fingerprint: u128, rejected: &Rejections) -> Self {
        let first = rejected.items.first();
        let first = first.map_or_else(String::new, durward_graph::bulk::RejectedItem::sentence);
        let reason = match rejected.count() {
            1 => first,
            count => format!("{count} items of an upload are wrong; {first}"),
        };
        Self {
            whole: false,
            ..Self::of_upload(place, Some(fingerprint), &rejected.types, &reason)
        }
    }

    /// The types that it is about.
    pub(crate) fn partial(&self) -> PartialTypes {
        PartialTypes {
            all: self.all_types,
            types: self.types.iter().cloned().collect(),
        }
    }

    /// Whether the same upload arrived later: the same bytes, or the only upload of the name. A
    /// name that several uploads carry, be they taken or refused, tells nothing.
    pub(super) fn is_made_good(&self, parts: &[StagedPart], refusals: &[Self]) -> bool {
        let is_later = |part: &StagedPart| part.number > self.number;
        let is_same = |part: &&StagedPart| hex(part.fingerprint) == self.fingerprint;
        if self.whole && parts.iter().filter(is_same).any(is_later) {
            return true;
        }
        let namesakes = refusals.iter().filter(|other| other.name == self.name);
        if self.name == 0 || namesakes.count() > 1 {
            return false;
        }
        let mut named = parts.iter().filter(|part| part.name == self.name);
        match (named.next(), named.next()) {
            (Some(only), None) => is_later(only),
            _ => false,
        }
    }

    /// Whether it is about all types, and no upload can make it good.
    pub(crate) fn is_for_good(&self) -> bool {
        self.all_types && self.name == 0 && (self.fingerprint.is_empty() || !self.whole)
    }

    /// The sentence about it.
    pub(crate) fn sentence(&self) -> String {
        let types = if self.all_types {
            "any type".to_owned()
        } else {
            format!("type {}", self.types.join(", "))
        };
        format!(
            "nothing of {types} is deleted for being absent: {}",
            self.reason
        )
    }
}

fn hex(fingerprint: u128) -> String {
    format!("{fingerprint:032x}")
}

/// Items that were left out of uploads of which the rest was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rejected {
    entities: u64,
    relationships: u64,
    mapped: u64,
    entity_removals: u64,
    relationship_removals: u64,
    /// The first of them.
    pub(crate) items: Vec<RejectedItem>,
}

/// An item that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectedItem {
    pub(crate) list: String,
    pub(crate) index: usize,
    pub(crate) key: String,
    pub(crate) reason: String,
}

impl From<&rejected::RejectedItem> for RejectedItem {
    fn from(item: &rejected::RejectedItem) -> Self {
        Self {
            list: item.list.to_owned(),
            index: item.index,
            key: item.key.clone(),
            reason: item.reason.clone(),
        }
    }
}

impl RejectedItem {
    /// The sentence about it.
    pub(crate) fn sentence(&self) -> String {
        rejected::sentence(&self.list, self.index, &self.key, &self.reason)
    }
}

impl Rejected {
    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.errors().into_iter().flatten().sum()
    }

    /// What they add to the counters of entities, relationships and mapped relationships: created,
    /// updated, deleted, and the errors of each.
    pub(crate) fn errors(&self) -> [[u64; 6]; 3] {
        let counts = |create, delete| [0, 0, 0, create, 0, delete];
        [
            counts(self.entities, self.entity_removals),
            counts(self.relationships, self.relationship_removals),
            counts(self.mapped, 0),
        ]
    }

    fn add(&mut self, rejected: &Rejections) {
        self.entities += rejected.entities;
        self.relationships += rejected.relationships;
        self.mapped += rejected.mapped;
        self.entity_removals += rejected.entity_removals;
        self.relationship_removals += rejected.relationship_removals;
        let room = rejected::DESCRIBED_MAX.saturating_sub(self.items.len());
        let more = rejected.items.iter().take(room);
        self.items.extend(more.map(RejectedItem::from));
    }
}

impl JobRecord {
    /// Notes an upload that did not arrive whole, once.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        let known = self.refusals.iter_mut().find(|known| {
            known.whole == refusal.whole
                && !known.fingerprint.is_empty()
                && known.fingerprint == refusal.fingerprint
                && known.name == refusal.name
        });
        if let Some(known) = known {
            // Only what comes after the last of them makes it good.
            known.number = known.number.max(refusal.number);
            return;
        }
        if self.refusals.len() >= REFUSALS_MAX {
            if let Some(last) = self.refusals.last_mut() {
                // It stands for all that come after it, and nothing makes it good.
                (last.all_types, last.whole, last.name) = (true, false, 0);
            }
            return;
        }
        self.refusals.push(refusal);
    }

    /// Counts items that were left out, once for every body. True when they were new.
    pub(crate) fn reject(&mut self, fingerprint: u128, rejected: &Rejections) {
        let fingerprint = hex(fingerprint);
        let is_known = |known: &Refusal| known.fingerprint == fingerprint;
        if !self.refusals.iter().any(is_known) {
            self.rejected.add(rejected);
        }
    }
}
