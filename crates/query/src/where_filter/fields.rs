// SPDX-License-Identifier: Apache-2.0
//! What the fields of a `where` object mean. The dialect fills the tables.

use std::collections::BTreeMap;

use durward_model::Value;

use crate::error::QueryError;
use crate::plan::{Expression, Function, Property, Slot, Way};

/// What sort of values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Texts, or lists of them.
    Text,
    /// Numbers.
    Number,
    /// Truth values.
    Boolean,
    /// Instants.
    Moment,
}

/// Where the value of a field comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldSource {
    /// A property; metadata such as `_id` may be named.
    Property(String),
    /// Any of several properties, the first that is there where one value is needed.
    AnyOf(Vec<String>),
    /// A fixed text before a property.
    Prefixed(String, String),
    /// The same value for every object.
    Constant(Value),
    /// True where a flag is not set.
    NotFlag(String),
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldValue {
    /// What sort of values it has.
    pub kind: FieldKind,
    /// Where they come from.
    pub source: FieldSource,
}

/// Objects at the other end of a relationship.
#[derive(Clone, Debug)]
pub struct RelatedField {
    /// The verb.
    pub verb: String,
    /// Which way from the filtered object.
    pub way: Way,
    /// Types of the objects there.
    pub types: Vec<String>,
    /// What their fields mean. Made when asked, since tables may refer to each other.
    pub table: fn() -> FieldTable,
}

/// What a field of a `where` object stands for.
#[derive(Clone, Debug)]
pub enum FieldMeaning {
    /// A value, given an operand.
    Operand(FieldValue),
    /// A value, given a plain value that it must equal.
    Plain(FieldValue),
    /// Related objects, given `{count, items}`.
    Related(RelatedField),
}

/// The meaning of all fields of one kind of object.
#[derive(Clone, Debug, Default)]
pub struct FieldTable {
    fields: BTreeMap<String, FieldMeaning>,
}

impl FieldTable {
    /// Adds one field.
    #[must_use]
    pub fn with(mut self, name: &str, meaning: FieldMeaning) -> Self {
        self.fields.insert(name.to_owned(), meaning);
        self
    }

    /// Adds a field that takes an operand.
    #[must_use]
    pub fn with_value(self, name: &str, kind: FieldKind, source: FieldSource) -> Self {
        self.with(name, FieldMeaning::Operand(FieldValue { kind, source }))
    }

    /// The names of all fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Result<&FieldMeaning, QueryError> {
        self.fields.get(name).ok_or_else(|| unknown(name))
    }

    /// The value by which objects are ordered.
    pub(super) fn order(&self, name: &str, slot: Slot) -> Result<(Expression, bool), QueryError> {
        match self.get(name)? {
            FieldMeaning::Operand(value) | FieldMeaning::Plain(value) => {
                let turned = matches!(value.source, FieldSource::NotFlag(_));
                Ok((value.expression(slot), turned))
            }
            FieldMeaning::Related(_) => Err(QueryError::unsupported(format!("an order by {name}"))),
        }
    }
}

pub(super) fn unknown(name: &str) -> QueryError {
    QueryError::invalid(format!("where has no field {name:?} here"))
}

impl FieldValue {
    /// The one value of the object in a slot. That of [`FieldSource::NotFlag`] is the flag itself.
    pub(super) fn expression(&self, slot: Slot) -> Expression {
        let property = |name: &String| Expression::Property(slot, Property::of(name));
        match &self.source {
            FieldSource::Property(name) => property(name),
            FieldSource::AnyOf(names) => {
                Expression::Call(Function::Coalesce, names.iter().map(property).collect())
            }
            FieldSource::Prefixed(prefix, name) => Expression::Call(
                Function::Concat,
                vec![
                    Expression::Literal(Value::from(prefix.as_str())),
                    property(name),
                ],
            ),
            FieldSource::Constant(value) => Expression::Literal(value.clone()),
            FieldSource::NotFlag(name) => Expression::Call(
                Function::Coalesce,
                vec![property(name), Expression::Literal(Value::Bool(false))],
            ),
        }
    }

    /// The values of the object in a slot, any of which may fulfil an operand.
    pub(super) fn expressions(&self, slot: Slot) -> Vec<Expression> {
        match &self.source {
            FieldSource::AnyOf(names) => names
                .iter()
                .map(|name| Expression::Property(slot, Property::of(name)))
                .collect(),
            _ => vec![self.expression(slot)],
        }
    }
}
