// SPDX-License-Identifier: Apache-2.0
//! Values and conditions inside a plan.

use std::sync::Arc;

use durward_model::Value;
use regex::Regex;

use super::{Part, Plan, Slot};
use crate::limits::held_bytes;

/// How a value of a row comes about.
#[derive(Clone, Debug)]
pub enum Expression {
    /// Always this.
    Literal(Value),
    /// A property of the object in a slot; null when the slot is empty.
    Property(Slot, Property),
    /// The object itself: its public id where a value is needed.
    Object(Slot),
    /// Numbers only; anything else makes it null.
    Arithmetic(Arithmetic, Box<Expression>, Box<Expression>),
    /// A function of values.
    Call(Function, Vec<Expression>),
    /// The present element of one of [`super::Table::unwinds`].
    Unwound(usize),
    /// The value of one of [`super::Table::aggregates`].
    Aggregated(usize),
    /// A column of the table, in its order and in `having`.
    Column(usize),
    /// How well an object fits a search: 0 best.
    SearchRank(Slot, Arc<SearchRank>),
}

/// By what a search ranks its hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRank {
    /// The texts that were searched.
    pub texts: Vec<String>,
    /// Properties whose value may be just what was searched.
    pub exact: Vec<String>,
    /// Properties that count more than others.
    pub near: Vec<String>,
}

/// Which property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// A stored one.
    Named(Arc<str>),
    /// One that every object has.
    Metadata(Metadata),
}

/// What every object tells about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metadata {
    /// `_id`: the public id as UUID.
    Id,
    /// `_key`.
    Key,
    /// `_type`.
    Type,
    /// `_class`: the classes of an entity, the verb of a relationship.
    Class,
    /// `_source`.
    Source,
    /// `_scope`.
    Scope,
    /// `_accountId`: the organization.
    AccountId,
    /// `_version`.
    Version,
    /// `_createdOn` in epoch milliseconds.
    CreatedOn,
    /// `_beginOn`: when the present version began.
    BeginOn,
    /// `_endOn`: when it ended, if it did.
    EndOn,
    /// `_deleted`: whether it ended.
    Deleted,
    /// `_fromEntityId` of a relationship.
    FromId,
    /// `_toEntityId` of a relationship.
    ToId,
}

impl Metadata {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 14] = [
        ("_id", Self::Id),
        ("_key", Self::Key),
        ("_type", Self::Type),
        ("_class", Self::Class),
        ("_source", Self::Source),
        ("_scope", Self::Scope),
        ("_accountId", Self::AccountId),
        ("_version", Self::Version),
        ("_createdOn", Self::CreatedOn),
        ("_beginOn", Self::BeginOn),
        ("_endOn", Self::EndOn),
        ("_deleted", Self::Deleted),
        ("_fromEntityId", Self::FromId),
        ("_toEntityId", Self::ToId),
    ];
}

impl Property {
    /// The property of a name.
    pub fn of(name: &str) -> Self {
        Metadata::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(
                || Self::Named(name.into()),
                |(_, property)| Self::Metadata(*property),
            )
    }
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
}

/// Functions of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// All arguments as one text; absent ones are empty.
    Concat,
    /// The first argument that is there.
    Coalesce,
    /// All defined values in one list, without repeats.
    Merge,
    /// Absolute value.
    Abs,
    /// Square root.
    Sqrt,
    /// Rounded up.
    Ceil,
    /// Rounded down.
    Floor,
    /// Rounded to the nearest whole number.
    Round,
}

/// One aggregate.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFunction,
    /// Of what; `None` counts rows.
    pub argument: Option<Expression>,
}

/// Functions of a group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    /// How many distinct objects or values.
    Count,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The mean, each entity once.
    Avg,
    /// The sum, each entity once.
    Sum,
}

/// What an object or a path must fulfil.
#[derive(Clone, Debug)]
pub enum Condition {
    /// All of these; empty is true.
    All(Vec<Condition>),
    /// Any of these; empty is false.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// A comparison of values.
    Compare(Comparison),
    /// A path of these parts starts at the object in the slot.
    Exists(Slot, Vec<Part>),
    /// The key or the text values of the object in the slot contain all of these texts, upper and
    /// lower case being the same.
    Text(Slot, Vec<String>),
}

/// A comparison of one value with one or several.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The value.
    pub left: Expression,
    /// How it must relate.
    pub relation: Relation,
    /// Whether the outcome is turned round.
    pub negated: bool,
    /// Whether all operands must relate so (else any).
    pub every: bool,
    /// Whether case and outer spaces of texts do not matter, and texts count as dates where they
    /// are compared by magnitude.
    pub fold: bool,
    /// What it is compared with.
    pub right: Vec<Operand>,
}

/// How values relate. A list on the left relates when any of its items does, except by magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Equal; numbers by magnitude.
    Equal,
    /// Less; numbers only, as for the next three.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// The left text contains the right one.
    Contains,
    /// The left text starts with the right one.
    StartsWith,
    /// The left text ends with the right one.
    EndsWith,
}

impl Relation {
    /// Whether it looks at the letters of texts, whatever they mean.
    pub(crate) fn is_of_texts(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }
}

/// What a value is compared with.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A value; a list stands for any of its items.
    Value(Expression),
    /// A pattern searched in texts.
    Pattern(Regex),
    /// Any value in the one column of this query.
    Query(Box<Plan>),
}

/// How many times its own size a condition takes while a query is planned and run: copies, and what
/// is made of it for each type. Measured with ninety thousand of them in one request.
pub(crate) const CONDITION_COPIES: usize = 5;

impl Condition {
    /// Bytes that it takes. Its patterns, and what further nodes of a path must fulfil, are counted
    /// where they are made.
    pub(crate) fn own_bytes(&self) -> usize {
        let inside = match self {
            Self::All(members) | Self::Any(members) => {
                let members = members.iter().map(Self::own_bytes);
                members.fold(0, usize::saturating_add)
            }
            Self::Not(inner) => inner.own_bytes(),
            Self::Compare(comparison) => {
                let right = comparison.right.iter().map(|operand| match operand {
                    Operand::Value(value) => value.held_bytes(),
                    Operand::Pattern(_) | Operand::Query(_) => size_of::<Operand>(),
                });
                let left = comparison.left.held_bytes();
                right.fold(left, usize::saturating_add)
            }
            Self::Exists(_, parts) => parts.iter().map(Part::own_bytes).sum(),
            Self::Text(_, texts) => texts
                .iter()
                .map(|text| size_of_val(text) + text.len())
                .sum(),
        };
        inside.saturating_add(size_of::<Self>())
    }

    /// Adds a condition to another.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All(mut left), Self::All(right)) => {
                left.extend(right);
                Self::All(left)
            }
            (Self::All(mut left), right) => {
                left.push(right);
                Self::All(left)
            }
            (left, Self::All(mut right)) => {
                right.insert(0, left);
                Self::All(right)
            }
            (left, right) => Self::All(vec![left, right]),
        }
    }

    /// A plain comparison of a property with a value.
    pub fn equals(slot: Slot, property: &str, value: Value) -> Self {
        Self::Compare(Comparison {
            left: Expression::Property(slot, Property::of(property)),
            relation: Relation::Equal,
            negated: false,
            every: false,
            fold: false,
            right: vec![Operand::Value(Expression::Literal(value))],
        })
    }

    /// Calls `visit` with every expression in it, except those inside [`Condition::Exists`] and
    /// [`Operand::Query`], which speak of other slots. The object of an existence or text test is
    /// visited as such.
    pub fn visit_expressions(&self, visit: &mut dyn FnMut(&Expression)) {
        match self {
            Self::All(members) | Self::Any(members) => {
                for member in members {
                    member.visit_expressions(visit);
                }
            }
            Self::Not(inner) => inner.visit_expressions(visit),
            Self::Compare(comparison) => {
                comparison.left.visit(visit);
                for operand in &comparison.right {
                    if let Operand::Value(expression) = operand {
                        expression.visit(visit);
                    }
                }
            }
            Self::Exists(slot, _) | Self::Text(slot, _) => visit(&Expression::Object(*slot)),
        }
    }

    /// The slots that occur in it.
    pub fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        self.visit_expressions(&mut |expression| expression.add_slot(&mut slots));
        slots
    }
}

impl Expression {
    /// Calls `visit` with this and every expression inside it.
    pub fn visit(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        match self {
            Self::Arithmetic(_, left, right) => {
                left.visit(visit);
                right.visit(visit);
            }
            Self::Call(_, arguments) => {
                for argument in arguments {
                    argument.visit(visit);
                }
            }
            _ => {}
        }
    }

    /// Bytes that it takes, its values included.
    pub(crate) fn held_bytes(&self) -> usize {
        let mut bytes = 0usize;
        self.visit(&mut |inner| {
            let own = match inner {
                Self::Literal(value) => held_bytes(value),
                _ => 0,
            };
            bytes = bytes.saturating_add(own).saturating_add(size_of::<Self>());
        });
        bytes
    }

    /// The slots that occur in it.
    pub fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        self.visit(&mut |expression| expression.add_slot(&mut slots));
        slots
    }

    fn add_slot(&self, slots: &mut Vec<Slot>) {
        if let Self::Property(slot, _) | Self::Object(slot) | Self::SearchRank(slot, _) = self
            && !slots.contains(slot)
        {
            slots.push(*slot);
        }
    }
}
