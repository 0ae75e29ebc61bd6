// SPDX-License-Identifier: Apache-2.0
//! OpenCTI filter groups: the second front end of the plan algebra.
//!
//! [`FilterGroup::from_json`] reads what a client sends, [`KeyTable`] says what its keys mean (data
//! that the dialect owns), [`ListRequest::plan`] makes a plan, and [`list`] gives one page of
//! objects in order, each with a cursor.

mod dates;
mod keys;
mod list;
mod lower;
mod operators;
mod regarding;
mod search;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests;

use serde_json::Value as Json;

use crate::error::QueryError;

pub use keys::{KeyMeaning, KeyTable, KindsWithin};
pub use list::{ListRequest, ListSubject, list};
pub use search::SearchFields;

/// Deepest nesting of groups.
const DEPTH_MAX: usize = 32;
/// Most filters and groups in one request.
const FILTERS_MAX: usize = 1000;
/// Most values of one filter.
const VALUES_MAX: usize = 10_000;
/// Most comparisons in one request: of each key with each value, and with each word where words are
/// searched.
const COMPARISONS_MAX: usize = 100_000;
/// Most wildcards in one request; each is compiled.
const WILDCARDS_MAX: usize = 256;

/// How members are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilterMode {
    /// All must hold.
    #[default]
    And,
    /// Any must hold.
    Or,
}

/// How a value must relate to those of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the clients' documents")]
pub enum FilterOperator {
    Eq,
    NotEq,
    Lt,
    Lte,
    Gt,
    Gte,
    Match,
    Wildcard,
    Contains,
    NotContains,
    StartsWith,
    NotStartsWith,
    EndsWith,
    NotEndsWith,
    Script,
    Nil,
    NotNil,
    Search,
    Within,
}

/// One filter: some keys, an operator, some values.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Any of these keys.
    pub keys: Vec<String>,
    /// Values as the client sent them.
    pub values: Vec<Json>,
    /// How they relate.
    pub operator: FilterOperator,
    /// How the values are joined.
    pub mode: FilterMode,
}

/// Filters and groups, joined. An empty group holds for everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterGroup {
    /// How the members are joined.
    pub mode: FilterMode,
    /// The filters.
    pub filters: Vec<Filter>,
    /// Groups inside.
    pub groups: Vec<FilterGroup>,
}

impl FilterOperator {
    const NAMES: [(&'static str, Self); 19] = [
        ("eq", Self::Eq),
        ("not_eq", Self::NotEq),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("match", Self::Match),
        ("wildcard", Self::Wildcard),
        ("contains", Self::Contains),
        ("not_contains", Self::NotContains),
        ("starts_with", Self::StartsWith),
        ("not_starts_with", Self::NotStartsWith),
        ("ends_with", Self::EndsWith),
        ("not_ends_with", Self::NotEndsWith),
        ("script", Self::Script),
        ("nil", Self::Nil),
        ("not_nil", Self::NotNil),
        ("search", Self::Search),
        ("within", Self::Within),
    ];

    /// The operator of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, operator)| *operator)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, own)| *own == self)
            .map_or("", |(name, _)| name)
    }
}

impl FilterGroup {
    /// Reads a group as clients send it: `{mode, filters, filterGroups}`; null is the empty group.
    pub fn from_json(json: &Json) -> Result<Self, QueryError> {
        let mut left = Left {
            filters: FILTERS_MAX,
            comparisons: COMPARISONS_MAX,
            wildcards: WILDCARDS_MAX,
        };
        Self::read(json, 0, &mut left)
    }

    fn read(json: &Json, depth: usize, left: &mut Left) -> Result<Self, QueryError> {
        if depth > DEPTH_MAX {
            return Err(QueryError::invalid(format!(
                "filter groups are nested deeper than {DEPTH_MAX} levels"
            )));
        }
        if json.is_null() {
            return Ok(Self::default());
        }
        let Some(object) = json.as_object() else {
            return Err(QueryError::invalid("a filter group must be an object"));
        };
        let mut group = Self {
            mode: mode(object.get("mode"), FilterMode::And)?,
            ..Self::default()
        };
        for filter in list_of(object.get("filters"), "filters")? {
            take(&mut left.filters, 1, "filters")?;
            let filter = Filter::from_json(filter)?;
            let (comparisons, wildcards) = filter.cost();
            take(&mut left.comparisons, comparisons, "comparisons")?;
            take(&mut left.wildcards, wildcards, "wildcards")?;
            group.filters.push(filter);
        }
        for inner in list_of(object.get("filterGroups"), "filterGroups")? {
            take(&mut left.filters, 1, "filters")?;
            group.groups.push(Self::read(inner, depth + 1, left)?);
        }
        Ok(group)
    }

    /// Whether it holds for everything.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty() && self.groups.iter().all(Self::is_empty)
    }
}

impl Filter {
    /// How many comparisons and how many wildcards it is.
    fn cost(&self) -> (usize, usize) {
        let searches = matches!(
            self.operator,
            FilterOperator::Match | FilterOperator::Search
        );
        let words = |value: &Json| match value {
            Json::String(text) if searches => text.split_whitespace().count().max(1),
            _ => 1,
        };
        let values = self.values.iter().map(words).sum::<usize>().max(1);
        let comparisons = values.saturating_mul(self.keys.len());
        let is_wildcard = self.operator == FilterOperator::Wildcard;
        (comparisons, if is_wildcard { comparisons } else { 0 })
    }

    fn from_json(json: &Json) -> Result<Self, QueryError> {
        let Some(object) = json.as_object() else {
            return Err(QueryError::invalid("a filter must be an object"));
        };
        let keys = match object.get("key") {
            Some(Json::String(key)) => vec![key.clone()],
            Some(Json::Array(keys)) => keys
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        if keys.is_empty() {
            return Err(QueryError::invalid("a filter needs a key"));
        }
        let operator = match object.get("operator") {
            None | Some(Json::Null) => FilterOperator::Eq,
            Some(name) => name
                .as_str()
                .and_then(FilterOperator::from_name)
                .ok_or_else(|| QueryError::invalid(format!("{name} is not a filter operator")))?,
        };
        let values = list_of(object.get("values"), "values")?;
        if values.len() > VALUES_MAX {
            return Err(QueryError::invalid(format!(
                "a filter has {} values; at most {VALUES_MAX} are allowed",
                values.len()
            )));
        }
        let mode = mode(object.get("mode"), FilterMode::Or)?;
        Ok(Self {
            keys,
            values: values.to_vec(),
            operator,
            mode,
        })
    }
}

/// What may still come in one request.
struct Left {
    filters: usize,
    comparisons: usize,
    wildcards: usize,
}

fn take(left: &mut usize, count: usize, what: &str) -> Result<(), QueryError> {
    *left = left
        .checked_sub(count)
        .ok_or_else(|| QueryError::invalid(format!("too many {what} in one request")))?;
    Ok(())
}

fn mode(json: Option<&Json>, default: FilterMode) -> Result<FilterMode, QueryError> {
    match json {
        None | Some(Json::Null) => Ok(default),
        Some(Json::String(text)) if text == "and" => Ok(FilterMode::And),
        Some(Json::String(text)) if text == "or" => Ok(FilterMode::Or),
        Some(other) => Err(QueryError::invalid(format!("{other} is not a filter mode"))),
    }
}

fn list_of<'j>(json: Option<&'j Json>, name: &str) -> Result<&'j [Json], QueryError> {
    match json {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(_) => Err(QueryError::invalid(format!("{name} must be a list"))),
    }
}
