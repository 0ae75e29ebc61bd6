// SPDX-License-Identifier: Apache-2.0
//! Small ids inside one organization's graph.
//!
//! Symbols are numbered in the order in which they first appear and are never renumbered. Rows and
//! edge rows are dense in creation order inside their type or triple and are never reused.

use durward_model::{EntityNumber, RelationshipNumber};

/// An entity type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u16);

impl TypeId {
    /// The pseudo type of relationship ends that are relationships themselves; its rows are
    /// relationship numbers.
    pub const RELATIONSHIP: Self = Self(u16::MAX);

    /// Whether this is [`TypeId::RELATIONSHIP`].
    pub fn is_relationship(self) -> bool {
        self == Self::RELATIONSHIP
    }
}

/// A relationship verb such as `HAS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerbId(pub u16);

/// A property name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyId(pub u32);

/// An entity class such as `User`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u16);

/// A triple of start type, verb and end type that has or had relationships.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TripleId(pub u32);

/// An entity: its type and its row inside the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityRef {
    /// The type, or [`TypeId::RELATIONSHIP`] where an end of a relationship is a relationship.
    pub type_id: TypeId,
    /// The row inside the type; a relationship number under [`TypeId::RELATIONSHIP`].
    pub row: u32,
}

/// A relationship: its triple and its edge row inside the triple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeRef {
    /// The triple.
    pub triple: TripleId,
    /// The edge row inside the triple.
    pub edge: u32,
}

/// An object of either sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectRef {
    /// An entity.
    Entity(EntityRef),
    /// A relationship.
    Edge(EdgeRef),
}

/// Which way relationships are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the start to the end.
    Out,
    /// From the end to the start.
    In,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Out => Self::In,
            Self::In => Self::Out,
        }
    }
}

impl EntityRef {
    /// An end that is a relationship.
    pub fn relationship(number: RelationshipNumber) -> Self {
        Self {
            type_id: TypeId::RELATIONSHIP,
            row: number.0,
        }
    }

    /// The relationship number, if this end is a relationship.
    pub fn as_relationship(self) -> Option<RelationshipNumber> {
        self.type_id
            .is_relationship()
            .then_some(RelationshipNumber(self.row))
    }
}

/// The number one past the last entity and the last relationship that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextNumbers {
    /// The next entity number.
    pub entity: EntityNumber,
    /// The next relationship number.
    pub relationship: RelationshipNumber,
}
