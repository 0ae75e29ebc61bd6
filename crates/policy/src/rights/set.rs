// SPDX-License-Identifier: Apache-2.0
//! Sets of rights.

use std::fmt;

use super::{Right, UnknownRight};

pub(super) const WORDS: usize = 4;

/// A set of rights. It is closed: an OpenCTI capability brings those that it includes, a right of
/// Sonrai those before it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rights([u64; WORDS]);

/// How a set that holds every right, those of later releases too, is written.
pub const EVERY_RIGHT: &str = "*";

impl Rights {
    /// No right.
    pub const NONE: Self = Self([0; WORDS]);
    /// Every right, those of later releases too.
    pub const ALL: Self = Self([u64::MAX; WORDS]);

    /// The set of these names; `*` stands for all.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownRight> {
        let mut rights = Self::NONE;
        for name in names {
            if name == EVERY_RIGHT {
                return Ok(Self::ALL);
            }
            let unknown = || UnknownRight {
                name: name.chars().take(64).collect(),
            };
            rights = rights.with(Right::named(name).ok_or_else(unknown)?);
        }
        Ok(rights)
    }

    /// The names of the set; `*` alone when it holds every right.
    pub fn names(&self) -> Vec<&'static str> {
        if *self == Self::ALL {
            return vec![EVERY_RIGHT];
        }
        self.names_one_by_one()
    }

    /// The names of the rights that there are of the set, each by itself.
    pub fn names_one_by_one(&self) -> Vec<&'static str> {
        self.each().map(Right::name).collect()
    }

    /// The OpenCTI capabilities of the set.
    pub fn capabilities(&self) -> impl Iterator<Item = &'static str> {
        self.each().filter_map(Right::capability)
    }

    fn each(&self) -> impl Iterator<Item = Right> {
        let held = *self;
        Right::all().filter(move |right| held.contains(*right))
    }

    /// This set and one right more, with all that the right includes.
    #[must_use]
    pub fn with(mut self, right: Right) -> Self {
        self.insert(right);
        if right.sonrai_name().is_some() {
            Right::all()
                .filter(|other| *other < right && other.sonrai_name().is_some())
                .for_each(|other| self.insert(other));
            return self;
        }
        let Some(capability) = right.capability() else {
            return self;
        };
        if right == Right::OPENCTI_BYPASS {
            Right::all()
                .filter(|other| other.capability().is_some())
                .for_each(|other| {
                    self.insert(other);
                });
        }
        let mut rest = capability;
        while let Some((parent, _)) = rest.rsplit_once('_') {
            if let Some(parent) = Right::of_capability(parent) {
                self.insert(parent);
            }
            rest = parent;
        }
        self
    }

    /// Whether the right is in the set.
    pub fn contains(&self, right: Right) -> bool {
        let word = self
            .0
            .get(usize::from(right.0 / 64))
            .copied()
            .unwrap_or_default();
        word & (1 << (right.0 % 64)) != 0
    }

    /// Rights in either set.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    /// Rights in both sets.
    #[must_use]
    pub fn intersect(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
        self
    }

    /// What of this set is not in the other, with what that includes.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        Right::all()
            .filter(|right| self.contains(*right) && !other.contains(*right))
            .collect()
    }

    /// Whether every right of this set is in the other.
    pub fn is_within(&self, other: &Self) -> bool {
        self.intersect(*other) == *self
    }

    fn insert(&mut self, right: Right) {
        if let Some(word) = self.0.get_mut(usize::from(right.0 / 64)) {
            *word |= 1 << (right.0 % 64);
        }
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.names()).finish()
    }
}
