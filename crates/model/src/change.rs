// SPDX-License-Identifier: Apache-2.0
//! Changes: the columnar form in which transactions carry state, from one property of one entity to
//! millions of relationships.
//!
//! A change never mixes types: a transaction that touches several types holds several changes.
//! Numbers are dense and given out in order by the writer, so a replay gives the same numbers.

use crate::{EntityNumber, Namespace, ObjectNumber, RelationshipNumber, StringArena, Value};

/// One part of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// New entities of one type.
    CreateEntities(EntityBatch),
    /// Changed properties of entities of one type.
    PatchEntities(EntityPatch),
    /// Ended entities. Their relationships end in the same transaction, by changes of their own
    /// that come before this one.
    DeleteEntities {
        /// Type of all of them.
        entity_type: String,
        /// Which, ascending.
        entities: Vec<EntityNumber>,
    },
    /// New relationships of one triple.
    CreateRelationships(RelationshipBatch),
    /// Changed properties of relationships of one triple.
    PatchRelationships(RelationshipPatch),
    /// Ended relationships.
    DeleteRelationships {
        /// Triple of all of them.
        triple: Triple,
        /// Which, ascending.
        relationships: Vec<RelationshipNumber>,
    },
    /// Another id under which an object is found from now on (merges, imported ids).
    AddAlias {
        /// The entity or relationship.
        object: ObjectNumber,
        /// The other name: a STIX id, an old id of a merged object, an SRN.
        alias: String,
    },
    /// An alias that is no longer one.
    RemoveAlias {
        /// The entity or relationship.
        object: ObjectNumber,
        /// The name that goes.
        alias: String,
    },
}

/// Type at one end of a relationship.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndType {
    /// Entities of this type.
    Entity(String),
    /// Relationships of any triple.
    Relationship,
}

/// What a relationship goes from, does, and goes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Triple {
    /// Type at the start.
    pub from: EndType,
    /// Verb in capitals, such as `HAS`.
    pub verb: String,
    /// Type at the end.
    pub to: EndType,
}

/// New entities of one type, one class set and one namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityBatch {
    /// Their type.
    pub entity_type: String,
    /// Their classes, in the order given, without repeats.
    pub classes: Vec<String>,
    /// Namespace of their keys.
    pub namespace: Namespace,
    /// Number of the first; the others follow without gap.
    pub first: EntityNumber,
    /// One natural key each.
    pub keys: StringArena,
    /// Their properties. Each column has as many rows as there are keys.
    pub columns: Vec<Column>,
}

/// Changed properties of living entities of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityPatch {
    /// Their type.
    pub entity_type: String,
    /// Which, ascending.
    pub entities: Vec<EntityNumber>,
    /// One column a property. Rows line up with `entities`; [`Cell`] tells untouched from removed.
    pub columns: Vec<PatchColumn>,
    /// New classes of all of them, when these change.
    pub classes: Option<Vec<String>>,
}

/// New relationships of one triple, one relationship type and one namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct RelationshipBatch {
    /// Start type, verb, end type.
    pub triple: Triple,
    /// Their `_type`.
    pub relationship_type: String,
    /// Namespace of their keys.
    pub namespace: Namespace,
    /// Number of the first; the others follow without gap.
    pub first: RelationshipNumber,
    /// Number of the object at the start (entity or relationship number as the triple says).
    /// Sorted by (from, to) so that they compress well.
    pub from: Vec<u32>,
    /// Number of the object at the end.
    pub to: Vec<u32>,
    /// Their natural keys.
    pub keys: RelationshipKeys,
    /// Their properties.
    pub columns: Vec<Column>,
}

/// Natural keys of relationships.
#[derive(Clone, Debug, PartialEq)]
pub enum RelationshipKeys {
    /// Each key is `<key of from>|<VERB>|<key of to>` and need not be stored.
    Conventional,
    /// One key each.
    Explicit(StringArena),
}

/// Changed properties of living relationships of one triple.
#[derive(Clone, Debug, PartialEq)]
pub struct RelationshipPatch {
    /// Their triple.
    pub triple: Triple,
    /// Which, ascending.
    pub relationships: Vec<RelationshipNumber>,
    /// As in [`EntityPatch::columns`].
    pub columns: Vec<PatchColumn>,
}

/// One property of many objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name of the property.
    pub property: String,
    /// Its values, row by row.
    pub values: ColumnValues,
}

/// Values of a column. Which variant holds a column is a matter of size, not of meaning:
/// [`ColumnValues::get`] gives the same answer for all.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValues {
    /// Truth values: 0 false, 1 true, 2 absent.
    Bools(Vec<u8>),
    /// Whole numbers, all present.
    Ints(Vec<i64>),
    /// Floats, all present.
    Floats(Vec<f64>),
    /// Texts, all present, mostly different from each other.
    Texts(StringArena),
    /// Repeating values: a position in `dictionary` each, or [`ABSENT_CODE`].
    Coded {
        /// Position of each row's value.
        codes: Vec<u32>,
        /// The distinct values; no null among them.
        dictionary: Vec<Value>,
    },
    /// Anything.
    Mixed(Vec<Value>),
}

/// Code of an absent value in [`ColumnValues::Coded`].
pub const ABSENT_CODE: u32 = u32::MAX;

/// One property in a patch.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchColumn {
    /// Name of the property.
    pub property: String,
    /// What happens to it, row by row.
    pub cells: Vec<Cell>,
}

/// What a patch does to one property of one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// It stays as it is.
    Keep,
    /// It gets this value; null removes it.
    Set(Value),
}

impl ColumnValues {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bools(values) => values.len(),
            Self::Ints(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Coded { codes, .. } => codes.len(),
            Self::Mixed(values) => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row; null for an absent one and beyond the end.
    pub fn get(&self, row: usize) -> Value {
        match self {
            Self::Bools(values) => match values.get(row) {
                Some(0) => Value::Bool(false),
                Some(1) => Value::Bool(true),
                _ => Value::Null,
            },
            Self::Ints(values) => values
                .get(row)
                .map_or(Value::Null, |value| Value::Int(*value)),
            Self::Floats(values) => values
                .get(row)
                .map_or(Value::Null, |value| Value::Float(*value)),
            Self::Texts(values) => values.get(row).map_or(Value::Null, Value::from),
            Self::Coded { codes, dictionary } => codes
                .get(row)
                .and_then(|code| dictionary.get(*code as usize))
                .cloned()
                .unwrap_or_default(),
            Self::Mixed(values) => values.get(row).cloned().unwrap_or_default(),
        }
    }
}

impl EntityBatch {
    /// How many entities there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl RelationshipBatch {
    /// How many relationships there are.
    pub fn len(&self) -> usize {
        self.from.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.from.is_empty()
    }
}

impl Triple {
    /// A triple between two entity types.
    pub fn entities(from: &str, verb: &str, to: &str) -> Self {
        Self {
            from: EndType::Entity(from.to_owned()),
            verb: verb.to_owned(),
            to: EndType::Entity(to.to_owned()),
        }
    }
}
