// SPDX-License-Identifier: Apache-2.0
//! The syntax tree of filters and of computed values.

use super::ast::{Name, Query};
use super::errors::Span;

/// A filter: comparisons joined by `AND` and `OR`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All hold; at least two.
    And(Vec<Condition>),
    /// At least one holds; at least two. Binds weaker than `AND`.
    Or(Vec<Condition>),
    /// A single comparison.
    Comparison(Box<Comparison>),
}

/// `left operator value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The left side.
    pub left: Expression,
    /// The operator.
    pub operator: CompareOperator,
    /// The right side.
    pub value: Value,
    /// From the left side to the end of the value.
    pub span: Span,
}

/// The operator of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOperator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `~=`
    Contains,
    /// `^=`
    StartsWith,
    /// `$=`
    EndsWith,
    /// `!~=`
    NotContains,
    /// `!^=`
    NotStartsWith,
    /// `!$=`
    NotEndsWith,
}

impl CompareOperator {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "~=",
            Self::StartsWith => "^=",
            Self::EndsWith => "$=",
            Self::NotContains => "!~=",
            Self::NotStartsWith => "!^=",
            Self::NotEndsWith => "!$=",
        }
    }

    /// The operator without its `!`, and whether it had one. A negated comparison is true exactly
    /// where the plain one is not, absent properties included.
    pub fn without_negation(self) -> (Self, bool) {
        match self {
            Self::NotEqual => (Self::Equal, true),
            Self::NotContains => (Self::Contains, true),
            Self::NotStartsWith => (Self::StartsWith, true),
            Self::NotEndsWith => (Self::EndsWith, true),
            plain => (plain, false),
        }
    }

    /// Whether a regular expression may follow.
    pub fn takes_regex(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Contains | Self::NotContains
        )
    }

    /// Whether a subquery may follow.
    pub fn takes_subquery(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A literal, a placeholder, another property or a computed value.
    Expression(Expression),
    /// `/pattern/`; only after `=`, `!=`, `~=`, `!~=`.
    Regex(RegexLiteral),
    /// `(a OR b AND c)`: the comparison holds for **all** entries of **any** inner list. A comma is
    /// an `OR`; `AND` binds stronger. Neither list is empty and there are two entries at least.
    List(Vec<Vec<ListItem>>),
    /// `(FIND ... RETURN x.p)` with exactly one column, which is neither `*` nor `TREE`; only after
    /// `=` and `!=`.
    Subquery(Box<Query>),
}

/// One entry of a value list.
#[derive(Clone, Debug, PartialEq)]
pub enum ListItem {
    /// A value.
    Expression(Expression),
    /// `/pattern/`
    Regex(RegexLiteral),
}

/// `/pattern/` or `/pattern/i`. The pattern is not yet compiled and may be no valid one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexLiteral {
    /// The pattern; an escaped slash is a slash here, other escapes are kept.
    pub pattern: String,
    /// The flag `i`.
    pub ignore_case: bool,
    /// Where it stands.
    pub span: Span,
}

/// A computed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A quoted text.
    Text(String),
    /// A number.
    Number(Number),
    /// A number with a unit of time.
    Duration {
        /// How many units.
        amount: Number,
        /// The unit.
        unit: Unit,
    },
    /// `true` or `false`.
    Boolean(bool),
    /// `undefined` or `null`: an absent property.
    Undefined,
    /// `date.now`
    Now,
    /// `date(...)`, in milliseconds since 1970-01-01T00:00:00Z; years 1 to 9999.
    Date(i64),
    /// `${param.name}`: a parameter kept on the server.
    Parameter(Name),
    /// `${name}`: a variable sent with the request.
    Variable(Name),
    /// `{{name}}`: a placeholder of a saved question, to be filled in before a query runs.
    Template(Name),
    /// A property, an alias or a column.
    Reference(Reference),
    /// `function(...)`
    Call(Box<Call>),
    /// `left operator right`
    Binary(Box<Binary>),
    /// `*`: only as a whole column of `RETURN`, or as the argument of `count`.
    Everything,
}

/// A number as written: without a decimal point and within 64 bits, or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// Any other number; finite.
    Decimal(f64),
}

impl Number {
    /// The number as a float.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Decimal(number) => number,
        }
    }
}

/// A unit of time of fixed length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
    /// 365 days.
    Year,
}

impl Unit {
    /// Its length in milliseconds.
    pub fn milliseconds(self) -> i64 {
        const MINUTE_MS: i64 = 60_000;
        const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
        match self {
            Self::Minute => MINUTE_MS,
            Self::Hour => 60 * MINUTE_MS,
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
            Self::Month => 30 * DAY_MS,
            Self::Year => 365 * DAY_MS,
        }
    }
}

/// Names joined by dots. Whether the first one is an alias depends on the place: it is in `WHERE`,
/// `RETURN` and `ORDER BY`; it is part of the property's key in `WITH`; in `HAVING` and `ORDER BY`
/// a single name may be a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The segments, never empty. A bracketed segment (`[tag.special-name]`) may hold any
    /// characters but `]`.
    pub segments: Vec<String>,
    /// `.*` at the end.
    pub every_property: bool,
    /// Where it stands.
    pub span: Span,
}

impl Reference {
    /// All segments as one property key (`tag.Production`), as `WITH` reads it.
    pub fn key(&self) -> String {
        self.segments.join(".")
    }

    /// The first segment.
    pub fn alias(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// All segments but the first as one property key; `None` where there is only one.
    pub fn property(&self) -> Option<String> {
        self.segments
            .get(1..)
            .filter(|rest| !rest.is_empty())
            .map(|rest| rest.join("."))
    }

    /// Whether this is a single name.
    pub fn is_bare(&self) -> bool {
        self.segments.len() == 1 && !self.every_property
    }
}

/// A call of a function with a legal number of arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub function: Function,
    /// Its arguments; a single [`Expression::Everything`] for `count(*)`.
    pub arguments: Vec<Expression>,
    /// From the name to the closing parenthesis.
    pub span: Span,
}

/// `left operator right`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// The operator.
    pub operator: ArithmeticOperator,
    /// The left operand.
    pub left: Expression,
    /// The right operand.
    pub right: Expression,
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`, which groups from the right.
    Power,
}

impl ArithmeticOperator {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
        }
    }

    /// How strongly it binds, from 1 (weakest) to 3.
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Add | Self::Subtract => 1,
            Self::Multiply | Self::Divide => 2,
            Self::Power => 3,
        }
    }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident $name:literal $arity:ident,)*) => {
        /// A function of J1QL.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Function { $($(#[$doc])* $variant,)* }

        impl Function {
            /// Every function.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in small letters.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub(super) fn arity(self) -> Arity {
                match self { $(Self::$variant => Arity::$arity,)* }
            }
        }
    };
}

/// How many arguments a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    One,
    OneOrMore,
}

functions! {
    /// Counts distinct entities or values.
    Count "count" One,
    /// The smallest value.
    Min "min" One,
    /// The largest value.
    Max "max" One,
    /// The mean.
    Avg "avg" One,
    /// The sum.
    Sum "sum" One,
    /// Joins texts.
    Concat "concat" OneOrMore,
    /// The first value that is present.
    Coalesce "coalesce" OneOrMore,
    /// One list of all values that are present, without repeats.
    Merge "merge" OneOrMore,
    /// The absolute value.
    Abs "abs" One,
    /// The square root.
    Sqrt "sqrt" One,
    /// Rounds up.
    Ceil "ceil" One,
    /// Rounds down.
    Floor "floor" One,
    /// Rounds to the nearest whole number.
    Round "round" One,
    /// One row for each element.
    Unwind "unwind" One,
}

impl Function {
    /// Whether it folds the rows of a group.
    pub fn is_aggregate(self) -> bool {
        matches!(
            self,
            Self::Count | Self::Min | Self::Max | Self::Avg | Self::Sum
        )
    }

    /// The function of that name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|function| function.name().eq_ignore_ascii_case(name))
    }
}
