// SPDX-License-Identifier: Apache-2.0
//! What the keys of filters mean in the graph. The dialect says it.

use durward_model::ObjectId;

use crate::plan::{Condition, Metadata, Slot, Way};

/// What a filter key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A property, or any of several (`alias` is `aliases` or `x_opencti_aliases`).
    Properties(Vec<String>),
    /// A moment that every object has.
    Moment(Metadata),
    /// The object itself, by any of its ids.
    Ids,
    /// The kind of the object, its parents included.
    Type,
    /// The objects at the other end of its relationships; values are ids of any spelling.
    Linked {
        /// The verbs, such as `MARKED`; none for any verb.
        verbs: Vec<String>,
        /// Which way from the filtered object.
        way: Way,
    },
    /// A property of the objects at the other end of its relationships (`kill_chain_name`).
    LinkedProperties {
        /// The verbs; none for any verb.
        verbs: Vec<String>,
        /// Which way from the filtered object.
        way: Way,
        /// The property there, or any of several.
        properties: Vec<String>,
    },
    /// Objects with some relationship to some object.
    Regarding,
    /// The same, the other object being given by a filter group.
    DynamicRegarding,
    /// The object at the start of a relationship.
    FromId,
    /// The object at its end.
    ToId,
    /// The object at either end.
    FromOrToId,
    /// The kind of the object at the start.
    FromTypes,
    /// The kind of the object at the end.
    ToTypes,
    /// The kind of the object at either end.
    FromOrToTypes,
    /// Known to clients, and absent from every object here.
    Absent,
}

/// The meaning of keys, ids and names of kinds for one list.
pub trait Keys {
    /// What a key means; `None` for a key that is not known, which is an error.
    fn key(&self, key: &str) -> Option<Key>;

    /// The objects that an id of any spelling names.
    fn objects(&self, id: &str) -> Vec<ObjectId>;

    /// Holds for the objects of a kind in a slot.
    fn of_type(&self, slot: Slot, name: &str) -> Condition;

    /// Holds for the relationships in a slot whose start (or end) is of a kind.
    fn end_of_type(&self, slot: Slot, is_end: bool, name: &str) -> Condition;

    /// The verbs of a kind of relationship; `None` when it stands for all of them.
    fn verbs(&self, name: &str) -> Option<Vec<String>> {
        let name = name.trim();
        let is_parent = ["stix-core-relationship", "stix-relationship", "basic-relationship"]
            .iter()
            .any(|parent| name.eq_ignore_ascii_case(parent));
        (!is_parent).then(|| vec![name.to_uppercase().replace('-', "_")])
    }
}
