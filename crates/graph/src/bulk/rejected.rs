// SPDX-License-Identifier: Apache-2.0
//! Items of an upload that were left out, while their neighbours arrived.

use super::item::ItemError;
use super::partial::PartialTypes;
use super::scan::{Members, Scalar};

/// Most items that are described; the others are counted.
pub const DESCRIBED_MAX: usize = 250;
/// Longest part of a key that is repeated, in characters.
const KEY_CHARACTERS: usize = 200;
/// Longest reason that is kept, in characters.
const REASON_CHARACTERS: usize = 400;

/// What sort of item it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemSort {
    /// An entity.
    Entity,
    /// A relationship whose ends are named.
    Relationship,
    /// A relationship with `_mapping`.
    Mapped,
    /// An entity to be deleted.
    EntityRemoval,
    /// A relationship to be deleted.
    RelationshipRemoval,
}

/// An item that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedItem {
    /// Which list it stood in.
    pub list: &'static str,
    /// Position in the list, from 0.
    pub index: usize,
    /// Its natural key, if it has one.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

/// All items of an upload that were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejections {
    /// The first of them.
    pub items: Vec<RejectedItem>,
    /// How many entities.
    pub entities: u64,
    /// How many relationships.
    pub relationships: u64,
    /// How many mapped relationships.
    pub mapped: u64,
    /// How many removals of entities.
    pub entity_removals: u64,
    /// How many removals of relationships.
    pub relationship_removals: u64,
    /// Of which types they were.
    pub types: PartialTypes,
}

impl Rejections {
    /// Whether every item was taken.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many items were left out.
    pub fn count(&self) -> u64 {
        self.entities
            + self.relationships
            + self.mapped
            + self.entity_removals
            + self.relationship_removals
    }

    /// Notes an item; `members` is what could be read of it.
    pub(crate) fn add(
        &mut self,
        sort: ItemSort,
        list: &'static str,
        index: usize,
        members: &Members<'_>,
        reason: &str,
    ) {
        let counter = match sort {
            ItemSort::Entity => &mut self.entities,
            ItemSort::Relationship => &mut self.relationships,
            ItemSort::Mapped => &mut self.mapped,
            ItemSort::EntityRemoval => &mut self.entity_removals,
            ItemSort::RelationshipRemoval => &mut self.relationship_removals,
        };
        *counter += 1;
        // What is not removed stays: of no type anything goes that should not.
        if !matches!(
            sort,
            ItemSort::EntityRemoval | ItemSort::RelationshipRemoval
        ) {
            self.types.add(text_of(members, "_type"));
        }
        if self.items.len() < DESCRIBED_MAX {
            let key = text_of(members, "_key").unwrap_or_default();
            self.items.push(RejectedItem {
                list,
                index,
                key: key.chars().take(KEY_CHARACTERS).collect(),
                reason: reason.chars().take(REASON_CHARACTERS).collect(),
            });
        }
    }
}

impl RejectedItem {
    /// The sentence about it.
    pub fn sentence(&self) -> String {
        sentence(self.list, self.index, &self.key, &self.reason)
    }
}

/// The sentence about an item that was left out.
pub fn sentence(list: &str, index: usize, key: &str, reason: &str) -> String {
    if key.is_empty() {
        format!("item {index} of {list}: {reason}")
    } else {
        format!("item {index} of {list} (_key {key:?}): {reason}")
    }
}

impl ItemError {
    /// Whether the fault lies in the upload as a whole: it must be sent in smaller parts.
    pub(crate) fn is_of_upload(&self) -> bool {
        matches!(self, Self::TooManyCells | Self::TooManyGroups | Self::Full)
    }
}

/// A member that is a text. Of two of one name, neither counts.
fn text_of<'m>(members: &'m Members<'_>, name: &str) -> Option<&'m str> {
    let mut found = members.iter().filter(|(known, _)| known == name);
    match (found.next(), found.next()) {
        (Some((_, Scalar::Text(text))), None) => Some(text),
        _ => None,
    }
}
