// SPDX-License-Identifier: Apache-2.0
//! The syntax tree of a query: what is found, along which path, and what is returned.

use super::errors::Span;
use super::expression::{Condition, Expression};

/// A whole query, or a subquery inside a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// `FIND UNIQUE`: equal rows of a table are returned once.
    pub unique: bool,
    /// The entities where every path starts.
    pub start: Node,
    /// The traversal, in the order of the text.
    pub path: Vec<PathPart>,
    /// `WHERE`: a filter on whole paths; its references begin with an alias.
    pub filter: Option<Condition>,
    /// `RETURN`; without it a query returns its distinct start entities.
    pub returns: Option<Returns>,
    /// `ORDER BY`, most significant key first.
    pub order: Vec<SortKey>,
    /// `SKIP`: result rows left out at the beginning, at most [`super::SKIP_MAX`].
    pub skip: Option<u64>,
    /// `LIMIT`: the most result rows, 1 to [`super::LIMIT_MAX`].
    pub limit: Option<u64>,
    /// `HAVING`: a filter on grouped rows; its references are column aliases.
    pub having: Option<Condition>,
    /// The whole text of the query.
    pub span: Span,
}

impl Query {
    /// Whether equal rows are returned once, by `FIND UNIQUE` or by `RETURN UNIQUE`.
    pub fn is_unique(&self) -> bool {
        self.unique || matches!(&self.returns, Some(Returns::Items { unique: true, .. }))
    }
}

/// A name that the query gives with `AS`, or that it names a placeholder by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name as written; names are case-sensitive.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A set of entities: a selector, its filter, its alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Which entities.
    pub selector: Selector,
    /// `WITH`: a filter on the entity alone; its references are property keys without alias
    /// ([`super::Reference::key`]).
    pub filter: Option<Condition>,
    /// `AS`.
    pub alias: Option<Name>,
}

/// Which entities a node stands for, before its filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Smart classes in front (`#Production DataStore`), without the `#`; the entity carries each.
    pub smart_classes: Vec<String>,
    /// What else the entity has to be.
    pub kind: SelectorKind,
    /// Where the selector stands.
    pub span: Span,
}

/// The main part of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectorKind {
    /// `*`, or nothing after smart classes: every entity.
    Any,
    /// A quoted text: entities with every word of it somewhere in their values.
    Text(String),
    /// One name or `(A|b|#C)`: entities of any of these; never empty.
    OneOf(Vec<Alternative>),
}

/// One name of a selector. The case of the first letter decides between class and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// Begins with a capital letter: the entity's classes contain it.
    Class(String),
    /// Anything else: the entity's type equals it.
    Type(String),
    /// `#Name`: the entity carries the smart class.
    SmartClass(String),
    /// `*`: every entity.
    Any,
}

/// One part of a traversal.
#[derive(Clone, Debug, PartialEq)]
pub enum PathPart {
    /// `THAT verb node`.
    Step(Box<Step>),
    /// `( ... )` or `( ... )?`.
    Group(Group),
}

/// A hop to further entities: `THAT [!] verbs [<< | >>] [AS name] node`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `!`: the left node is kept when no path of this step and all that follows it in the same
    /// sequence exists.
    pub negated: bool,
    /// Which relationships.
    pub verbs: Verbs,
    /// Which way they point.
    pub direction: Direction,
    /// `AS` between verb and node: the alias of the relationship.
    pub alias: Option<Name>,
    /// Where the hop leads.
    pub node: Node,
    /// From `THAT` to the end of the node.
    pub span: Span,
}

/// The verbs of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verbs {
    /// `RELATES TO`: any verb.
    Any,
    /// One verb or `(A|B)`: any of these, in capital letters; never empty.
    OneOf(Vec<String>),
}

/// Which way the relationship of a step points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Either way.
    Any,
    /// `>>`: from the left node to the right node.
    LeftToRight,
    /// `<<`: from the right node to the left node.
    RightToLeft,
}

/// Steps in parentheses.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The steps and inner groups; never empty.
    pub parts: Vec<PathPart>,
    /// `)?`: what follows starts from the entities reached and from those where the group began.
    pub optional: bool,
    /// `AS` after the group: the entity reached, or the left node where an optional group was
    /// skipped.
    pub alias: Option<Name>,
    /// From `(` to the end of the group.
    pub span: Span,
}

/// What a query returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Returns {
    /// `RETURN TREE`: the distinct entities and relationships of all paths.
    Tree {
        /// `RETURN UNIQUE TREE`; says nothing more, a tree is distinct.
        unique: bool,
        /// Where `TREE` stands.
        span: Span,
    },
    /// Columns.
    Items {
        /// `RETURN UNIQUE`: the same as `FIND UNIQUE`.
        unique: bool,
        /// The columns, never empty.
        items: Vec<ReturnItem>,
    },
}

/// One column of `RETURN`. Two are equal whatever their spelling, as with [`Span`].
#[derive(Clone, Debug)]
pub struct ReturnItem {
    /// Its value. A bare alias is a [`super::Reference`] of one segment, `alias.*` one with
    /// [`super::Reference::every_property`], and `*` is [`Expression::Everything`].
    pub expression: Expression,
    /// `AS`, a name or a quoted text.
    pub alias: Option<Name>,
    /// The expression as written, each run of blanks and comments as one blank: the name of the
    /// column where it has no alias.
    pub text: String,
    /// Where the expression stands.
    pub span: Span,
}

impl PartialEq for ReturnItem {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression && self.alias == other.alias
    }
}

impl ReturnItem {
    /// The name of the column: its alias, else its text.
    pub fn column_name(&self) -> &str {
        self.alias.as_ref().map_or(&self.text, |alias| &alias.text)
    }
}

/// One key of `ORDER BY`. Two are equal whatever their spelling, as with [`Span`].
#[derive(Clone, Debug)]
pub struct SortKey {
    /// What is sorted by; a reference of one segment or a text literal may name a column.
    pub expression: Expression,
    /// `DESC`.
    pub descending: bool,
    /// The expression as written, blanks as in [`ReturnItem::text`]; it may equal the text of a
    /// column.
    pub text: String,
    /// Where the expression stands.
    pub span: Span,
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression && self.descending == other.descending
    }
}
