// SPDX-License-Identifier: Apache-2.0
//! Lists of rows that are not entities of the graph, or not as they are there.

use std::collections::BTreeMap;

use durward_model::Value;
use durward_query::plan::Slot;
use durward_query::where_filter::{
    FieldKind, FieldSource, FieldTable, RowValues, compare_rows, condition, holds,
};
use serde_json::Value as Json;

use super::arguments::Page;
use super::graph_list::shown;
use super::{Answer, Context, directives, errors};
use durward_graphql::engine::{Call, FieldError, Node, Object};

/// An object with its values in hand.
#[derive(Clone, Debug)]
pub(super) struct Row {
    type_name: &'static str,
    values: BTreeMap<&'static str, Value>,
    objects: BTreeMap<&'static str, Row>,
}

impl Row {
    pub(super) fn new(type_name: &'static str) -> Self {
        Self {
            type_name,
            values: BTreeMap::new(),
            objects: BTreeMap::new(),
        }
    }

    /// Sets a value.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(name, value.into());
        self
    }

    /// Sets a text; an empty one is no value.
    #[must_use]
    pub(super) fn text(self, name: &'static str, text: &str) -> Self {
        if text.is_empty() {
            self
        } else {
            self.with(name, text)
        }
    }

    /// A text value; empty when there is none.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.values.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// Sets an object.
    #[must_use]
    pub(super) fn object(mut self, name: &'static str, object: Row) -> Self {
        self.objects.insert(name, object);
        self
    }
}

impl RowValues for Row {
    fn value(&self, name: &str) -> Value {
        self.values.get(name).cloned().unwrap_or_default()
    }
}

impl Object<Context> for Row {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        if let Some(object) = self.objects.get(call.name()) {
            directives::refuse(call)?;
            return Ok(Node::object_ref(object));
        }
        let value = self.values.get(call.name()).unwrap_or(&Value::Null);
        directives::apply(call, shown(FieldKind::Text, value)).map(Node::json)
    }
}

/// The fields by which rows are filtered and ordered: name and kind.
pub(super) type Fields = &'static [(&'static str, FieldKind)];

/// What the fields of rows mean.
pub(super) fn table(fields: Fields) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, kind) in fields {
        table = table.with_value(name, *kind, FieldSource::Property((*name).to_owned()));
    }
    table
}

/// A list of rows.
pub(super) struct RowList {
    connection: &'static str,
    fields: Fields,
    rows: Vec<Row>,
}

impl RowList {
    /// The rows that fulfil a filter.
    pub(super) fn new(
        connection: &'static str,
        fields: Fields,
        rows: Vec<Row>,
        filter: Option<&Json>,
        context: &Context,
    ) -> Result<Self, FieldError> {
        let (now, limits) = (context.now(), context.limits_of_request());
        let asked = condition(filter, &table(fields), Slot(0), now, &limits);
        let asked = asked.map_err(|error| errors::of(&error))?;
        let rows = rows.into_iter().filter(|row| holds(&asked.condition, row));
        Ok(Self {
            connection,
            fields,
            rows: rows.collect(),
        })
    }

    /// A list of rows that were filtered already.
    pub(super) fn of(connection: &'static str, fields: Fields, rows: Vec<Row>) -> Self {
        Self {
            connection,
            fields,
            rows,
        }
    }

    /// The rows.
    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    fn page(&self, page: &Page) -> Result<Vec<&Row>, FieldError> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        if !page.order.is_empty() {
            let table = table(self.fields);
            let mut wrong = None;
            rows.sort_by(|one, other| {
                compare_rows(&table, &page.order, *one, *other).unwrap_or_else(|error| {
                    wrong = Some(error);
                    std::cmp::Ordering::Equal
                })
            });
            if let Some(error) = wrong {
                return Err(errors::of(&error));
            }
        }
        let offset = usize::try_from(page.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(page.fetched()).unwrap_or(usize::MAX);
        let found: Vec<&Row> = rows.into_iter().skip(offset).take(limit).collect();
        page.check(found.len() as u64)?;
        Ok(found)
    }
}

impl Object<Context> for RowList {
    fn type_name(&self) -> &str {
        self.connection
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        directives::refuse(call)?;
        match call.name() {
            "count" => Ok(Node::Int(
                i64::try_from(self.rows.len()).unwrap_or(i64::MAX),
            )),
            "items" => {
                let found = self.page(&Page::asked(call)?)?;
                Ok(Node::list(
                    found.into_iter().map(|row| Node::object_ref(row)),
                ))
            }
            other => Err(FieldError::unsupported(other)),
        }
    }
}
