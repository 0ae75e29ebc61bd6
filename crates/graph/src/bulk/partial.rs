// SPDX-License-Identifier: Apache-2.0
//! Types whose collection was not complete: what is absent of them stays.

use std::collections::BTreeSet;

use durward_model::limits::NAME_BYTES_MAX;

/// More types than these are all types.
const TYPES_MAX: usize = 64;

/// Some types of entities and relationships, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialTypes {
    /// Whether all types are meant.
    pub all: bool,
    /// The types, where not all are meant.
    pub types: BTreeSet<String>,
}

impl PartialTypes {
    /// All types.
    pub fn all() -> Self {
        Self {
            all: true,
            types: BTreeSet::new(),
        }
    }

    /// Whether no type is meant.
    pub fn is_empty(&self) -> bool {
        !self.all && self.types.is_empty()
    }

    /// Whether a type is meant.
    pub fn has(&self, name: &str) -> bool {
        self.all || self.types.contains(name)
    }

    /// Adds the type of an object that did not arrive; without one, it may be any.
    pub fn add(&mut self, name: Option<&str>) {
        let name = name.filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX);
        let fits = name.is_some_and(|name| self.types.len() < TYPES_MAX || self.has(name));
        match name.filter(|_| fits && !self.all) {
            Some(name) if self.types.contains(name) => {}
            Some(name) => {
                self.types.insert(name.to_owned());
            }
            None => *self = Self::all(),
        }
    }

    /// Adds those of another set, however many.
    pub fn extend(&mut self, other: &Self) {
        self.all |= other.all;
        self.types.extend(other.types.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_is_everything() {
        let mut some = PartialTypes::default();
        some.add(Some("box"));
        assert!(some.has("box") && !some.has("cat") && !some.is_empty());
        let mut any = some.clone();
        any.add(None);
        assert!(any.has("cat"));
        (0..TYPES_MAX).for_each(|number| some.add(Some(&number.to_string())));
        assert_eq!(some, PartialTypes::all());
    }
}
