// SPDX-License-Identifier: Apache-2.0
//! The plan algebra: what every query language of Durward is lowered to.
//!
//! A plan says *what* is asked: a start node, parts that follow it, a filter on whole paths, and
//! what to make of the paths. *How* is the executor's choice.

mod expression;
mod optimize;

use durward_model::{Namespace, ObjectId};

pub(crate) use expression::CONDITION_COPIES;
pub(crate) use optimize::optimize;

pub use expression::{
    Aggregate, AggregateFunction, Arithmetic, Comparison, Condition, Expression, Function,
    Metadata, Operand, Property, Relation, SearchRank,
};

/// Place of an object in a path: the n-th node, relationship or alias of the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// An entity.
    Node,
    /// A relationship.
    Edge,
    /// An entity bound before: the one that a group of parts reached.
    Reached,
}

/// One slot of a plan.
#[derive(Clone, Debug)]
pub struct SlotInfo {
    /// What it holds.
    pub kind: SlotKind,
    /// Its name, if it has one.
    pub name: Option<String>,
}

/// A whole query.
#[derive(Clone, Debug)]
pub struct Plan {
    /// All slots; [`Slot`] is a position in here.
    pub slots: Vec<SlotInfo>,
    /// Where paths start.
    pub start: NodePattern,
    /// What follows, in order.
    pub parts: Vec<Part>,
    /// What whole paths must fulfil.
    pub path_filter: Option<Condition>,
    /// What becomes of the paths.
    pub output: Output,
    /// How the results are ordered.
    pub order: Vec<SortKey>,
    /// How many results to leave out at the start.
    pub skip: u64,
    /// How many results there are at most, over all pages.
    pub limit: Option<u64>,
}

/// Which entities fit a place in a path.
#[derive(Clone, Debug)]
pub struct NodePattern {
    /// Where the entity is bound.
    pub slot: Slot,
    /// It comes from any of these.
    pub sources: Vec<Source>,
    /// What it must fulfil besides; only this slot may occur in it.
    pub filter: Option<Condition>,
}

/// Where entities come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// All entities.
    Any,
    /// Entities of one type.
    Type(String),
    /// Entities that carry a class.
    Class(String),
    /// Entities whose key or text values contain all words.
    Text(Vec<String>),
    /// These, as far as they exist. A relationship among them is an end that is a relationship.
    Ids(Vec<ObjectId>),
    /// Entities with this key, in one namespace or in all.
    Key {
        /// The namespace, if it matters.
        namespace: Option<Namespace>,
        /// The key.
        key: String,
    },
}

/// One part of a path.
#[derive(Clone, Debug)]
pub enum Part {
    /// Over one relationship (or several alike) to another node.
    Step(Step),
    /// Keeps the node reached so far when no path of these parts starts at it.
    Without(Vec<Part>),
    /// These parts may be walked or left out. What follows starts at the node reached either way.
    Optional {
        /// The parts that may be left out.
        parts: Vec<Part>,
        /// Bound to the node reached, whether they were walked or not.
        reached: Option<Slot>,
    },
    /// Binds the node reached so far a second time.
    Reached(Slot),
}

impl Part {
    /// Bytes that it takes, without what its nodes must fulfil.
    pub(crate) fn own_bytes(&self) -> usize {
        let inside = match self {
            Self::Step(step) => {
                let sources = step.node.sources.iter().map(|source| match source {
                    Source::Ids(ids) => size_of_val(ids.as_slice()),
                    _ => 0,
                });
                let verbs = step.edge.verbs.as_deref().map_or(0, size_of_val);
                sources.fold(verbs, usize::saturating_add)
            }
            Self::Without(parts) | Self::Optional { parts, .. } => {
                parts.iter().map(Self::own_bytes).sum()
            }
            Self::Reached(_) => 0,
        };
        inside.saturating_add(size_of::<Self>())
    }
}

/// One step over a relationship.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which relationships.
    pub edge: EdgePattern,
    /// Which nodes at the other end.
    pub node: NodePattern,
    /// How often, 1 to 1 for a plain step.
    pub repeat: Repeat,
}

/// How many relationships one step walks over. All of them fit the same pattern; the nodes between
/// them only have to be visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// At least this many, from 1.
    pub min: u32,
    /// At most this many.
    pub max: u32,
}

impl Repeat {
    /// A plain step.
    pub const ONCE: Self = Self { min: 1, max: 1 };
}

/// Which relationships fit a step.
#[derive(Clone, Debug)]
pub struct EdgePattern {
    /// Where the relationship is bound (not with [`Repeat`] above one).
    pub slot: Slot,
    /// Its verb is one of these; `None` for any.
    pub verbs: Option<Vec<String>>,
    /// Which way it is walked.
    pub way: Way,
    /// What it must fulfil besides; only this slot may occur in it.
    pub filter: Option<Condition>,
}

/// Which way a relationship is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Either way.
    Either,
    /// From its start to its end.
    Out,
    /// From its end to its start.
    In,
}

/// What becomes of the paths.
#[derive(Clone, Debug)]
pub enum Output {
    /// The distinct objects of these slots.
    List(Vec<Slot>),
    /// One row for each path, or for each group of paths.
    Table(Table),
    /// The distinct objects of all paths.
    Tree,
}

/// Columns of a table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The columns.
    pub items: Vec<Item>,
    /// Whether equal rows are shown once.
    pub unique: bool,
    /// Aggregates that the columns refer to; if there are any, the other columns are the key.
    pub aggregates: Vec<Aggregate>,
    /// Lists of which each row has one element; [`Expression::Unwound`] refers to them.
    pub unwinds: Vec<Expression>,
    /// What grouped rows must fulfil, in terms of the columns.
    pub having: Option<Condition>,
}

/// One column.
#[derive(Clone, Debug)]
pub enum Item {
    /// One value.
    Value {
        /// Name of the column.
        name: String,
        /// What stands in it.
        value: Expression,
    },
    /// All properties of an object, each in a column of its own.
    AllProperties {
        /// What the names of the columns start with.
        prefix: String,
        /// The object.
        slot: Slot,
    },
}

/// One key of an order.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// What is compared.
    pub value: Expression,
    /// Whether large values come first. Absent ones come last either way.
    pub descending: bool,
}

impl Plan {
    /// Everything that a plain list of start entities needs.
    pub fn list(source: Source) -> Self {
        let slot = Slot(0);
        Self {
            slots: vec![SlotInfo {
                kind: SlotKind::Node,
                name: None,
            }],
            start: NodePattern {
                slot,
                sources: vec![source],
                filter: None,
            },
            parts: Vec::new(),
            path_filter: None,
            output: Output::List(vec![slot]),
            order: Vec::new(),
            skip: 0,
            limit: None,
        }
    }

    /// How many steps there are, nested ones included.
    pub fn step_count(&self) -> usize {
        count_steps(&self.parts)
    }
}

fn count_steps(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Step(_) => 1,
            Part::Without(parts) | Part::Optional { parts, .. } => count_steps(parts),
            Part::Reached(_) => 0,
        })
        .sum()
}
