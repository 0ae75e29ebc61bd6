// SPDX-License-Identifier: Apache-2.0
//! Names and their small ids: types, verbs, properties, classes, relationship types, class sets and
//! namespaces. Numbered as they first appear, never renumbered.

use std::hash::Hash;
use std::sync::Arc;

use durward_model::Namespace;
use hashbrown::HashMap;

use crate::ids::{ClassId, PropertyId, TypeId, VerbId};

/// Distinct items and their numbers, shared between snapshots.
#[derive(Clone, Debug)]
pub(crate) struct Interner<T: Eq + Hash> {
    items: Arc<Vec<T>>,
    numbers: Arc<HashMap<T, u32>>,
}

impl<T: Eq + Hash> Default for Interner<T> {
    fn default() -> Self {
        Self {
            items: Arc::default(),
            numbers: Arc::default(),
        }
    }
}

impl<T: Eq + Hash + Clone> Interner<T> {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize)
    }

    pub(crate) fn find<Q>(&self, item: &Q) -> Option<u32>
    where
        T: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.numbers.get(item).copied()
    }

    pub(crate) fn intern<Q>(&mut self, item: &Q) -> u32
    where
        T: std::borrow::Borrow<Q> + for<'q> From<&'q Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.find(item) {
            Some(number) => number,
            None => self.add(T::from(item)),
        }
    }

    pub(crate) fn intern_owned(&mut self, item: T) -> u32 {
        match self.numbers.get(&item) {
            Some(number) => *number,
            None => self.add(item),
        }
    }

    fn add(&mut self, item: T) -> u32 {
        let number = self.items.len() as u32;
        Arc::make_mut(&mut self.items).push(item.clone());
        Arc::make_mut(&mut self.numbers).insert(item, number);
        number
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }
}

/// All names of one organization.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols {
    pub(crate) types: Interner<Arc<str>>,
    pub(crate) verbs: Interner<Arc<str>>,
    pub(crate) properties: Interner<Arc<str>>,
    pub(crate) classes: Interner<Arc<str>>,
    pub(crate) edge_types: Interner<Arc<str>>,
    /// Lists of classes, in the order in which they were given.
    pub(crate) class_sets: Interner<Arc<[ClassId]>>,
    pub(crate) namespaces: Interner<Namespace>,
}

/// Types and verbs and classes are numbered in 16 bits; the last number is kept free.
const SMALL_MAX: usize = u16::MAX as usize - 1;

fn small(names: &mut Interner<Arc<str>>, name: &str) -> Option<u16> {
    if names.len() >= SMALL_MAX && names.find(name).is_none() {
        return None;
    }
    Some(names.intern(name) as u16)
}

impl Symbols {
    /// The id of a type, new if need be; `None` when there are too many.
    pub(crate) fn type_id(&mut self, name: &str) -> Option<TypeId> {
        small(&mut self.types, name).map(TypeId)
    }

    pub(crate) fn verb_id(&mut self, name: &str) -> Option<VerbId> {
        small(&mut self.verbs, name).map(VerbId)
    }

    pub(crate) fn property_id(&mut self, name: &str) -> PropertyId {
        PropertyId(self.properties.intern(name))
    }

    /// The number of a list of classes.
    pub(crate) fn class_set(&mut self, names: &[String]) -> Option<u32> {
        let mut set = Vec::with_capacity(names.len());
        for name in names {
            set.push(ClassId(small(&mut self.classes, name)?));
        }
        Some(self.class_sets.intern_owned(set.into()))
    }
}
