// SPDX-License-Identifier: Apache-2.0
//! What objects cannot be without: their markings, their author, what they contain, their ends.
//!
//! An object that names one of these and nothing knows it is left out with a sentence, as OpenCTI
//! refuses it: unmarked it would be open to everybody. Whether the other one is in the bundle
//! before or behind it does not matter. What is left out is not there for others.

use std::collections::{BTreeSet, HashMap};

use durward_graph::ObjectRef;

use crate::import::ends::End;
use crate::import::{Importer, may_have};
use crate::kinds;
use crate::markings;
use crate::object::{Reference, StixObject};
use crate::room::Stop;

/// Something that an object cannot be without.
#[derive(Clone, Copy)]
struct Need<'o> {
    id: &'o str,
    /// Whether it must be a marking.
    is_marking: bool,
}

/// What an entry of one of the tables takes.
const ENTRY_BYTES: usize = 64;

fn needs(object: &StixObject) -> impl Iterator<Item = Need<'_>> {
    let named = object.references.iter().filter_map(|reference| {
        let Reference::Object { verb, id } = reference else {
            return None;
        };
        let is_marking = verb == kinds::MARKED;
        let is_need = is_marking || verb == kinds::CREATED_BY || verb == kinds::CONTAINS;
        is_need.then_some(Need { id, is_marking })
    });
    let ends = object.ends().map(|id| Need {
        id,
        is_marking: false,
    });
    named.chain(ends)
}

impl Importer<'_> {
    /// Positions of the objects that are left out because of what they need; each is rejected.
    pub(super) fn left_out(&mut self, objects: &[StixObject]) -> Result<BTreeSet<usize>, Stop> {
        let room = self.room.step();
        let mut providers: HashMap<(&str, bool), usize> = HashMap::new();
        let mut dependents: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, object) in objects.iter().enumerate() {
            for key in provided(object) {
                room.hold(ENTRY_BYTES)?;
                *providers.entry(key).or_default() += 1;
            }
            for need in needs(object) {
                room.hold(ENTRY_BYTES)?;
                dependents.entry(need.id).or_default().push(index);
            }
        }
        let mut left_out = BTreeSet::new();
        let mut doubtful: Vec<usize> = (0..objects.len()).collect();
        while let Some(index) = doubtful.pop() {
            let Some(object) = objects.get(index) else {
                continue;
            };
            if left_out.contains(&object.position) {
                continue;
            }
            let is_missing = |need: &Need<'_>| {
                let is_here = providers.get(&(need.id, need.is_marking));
                is_here.is_none_or(|count| *count == 0) && !self.has(*need)
            };
            let Some(missing) = needs(object).find(is_missing) else {
                continue;
            };
            let what = if missing.is_marking {
                "its marking "
            } else {
                ""
            };
            let reason = format!("{what}{} is not known", missing.id);
            left_out.insert(object.position);
            for key in provided(object) {
                if let Some(count) = providers.get_mut(&key) {
                    *count -= 1;
                    if *count == 0 {
                        doubtful.extend(dependents.get(key.0).into_iter().flatten());
                    }
                }
            }
            self.reject(object, reason)?;
        }
        Ok(left_out)
    }

    /// Whether something is there without the bundle.
    fn has(&self, need: Need<'_>) -> bool {
        match self.by_id(need.id) {
            _ if need.is_marking && markings::of_id(need.id).is_some() => true,
            Some(ObjectRef::Entity(entity)) if need.is_marking => {
                self.view.type_name(entity.type_id) == kinds::MARKING_DEFINITION
            }
            Some(_) => !need.is_marking,
            None => false,
        }
    }

    /// Where the id of a marking leads. Those that everybody knows are what they are, whatever a
    /// bundle or the graph has under their ids.
    pub(super) fn marking(&mut self, id: &str) -> Result<Option<End>, Stop> {
        if let Some(tlp) = markings::of_id(id) {
            return self.well_known_marking(tlp, id).map(Some);
        }
        let is_marking = self.ends.contains_key(id)
            || self.has(Need {
                id,
                is_marking: true,
            });
        Ok(is_marking.then(|| self.end(id)).flatten())
    }
}

/// The ids under which others find an object, also as a marking if it is one.
fn provided(object: &StixObject) -> impl Iterator<Item = (&str, bool)> {
    let ids: BTreeSet<&str> = object.ids().filter(|id| may_have(object, id)).collect();
    let is_marking = object.stix_type == "marking-definition";
    ids.into_iter().flat_map(move |id| {
        let own = std::iter::once((id, false));
        own.chain(is_marking.then_some((id, true)))
    })
}
