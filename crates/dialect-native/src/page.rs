// SPDX-License-Identifier: Apache-2.0
//! Pages: a list of nodes, and the cursor that continues it.
//!
//! A cursor names the instant of the walk and the last thing shown, so that one walk sees one
//! instant. It gives no right: everything behind it is decided anew.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use durward_listing::ListError;
use durward_model::Instant;
use durward_query::QueryError;
use serde_json::json;

use super::moment::Moment;
use super::{Answer, Context, errors, values};
use durward_graphql::engine::{Call, FieldError, JsonObject, Node, Object};

/// Largest page.
pub(super) const FIRST_MAX: usize = 1000;
/// Longest cursor that is looked at, in bytes.
const CURSOR_BYTES_MAX: usize = 256;

/// One page.
pub(super) struct Page {
    type_name: &'static str,
    nodes: Vec<Box<dyn Object<Context>>>,
    total: Option<u64>,
    end: Option<String>,
}

impl Page {
    /// A page of nodes; `end` is there when more follow.
    pub(super) fn new<T: Object<Context> + 'static>(
        type_name: &'static str,
        nodes: impl IntoIterator<Item = T>,
        end: Option<Cursor>,
    ) -> Self {
        let boxed = |node| Box::new(node) as Box<dyn Object<Context>>;
        let nodes = nodes.into_iter().map(boxed).collect();
        Self {
            type_name,
            nodes,
            total: None,
            end: end.map(|cursor| cursor.to_text()),
        }
    }

    /// As [`Page::new`], with a cursor that is sealed already.
    pub(super) fn sealed<T: Object<Context> + 'static>(
        type_name: &'static str,
        nodes: impl IntoIterator<Item = T>,
        end: Option<String>,
    ) -> Self {
        Self {
            end,
            ..Self::new(type_name, nodes, None)
        }
    }

    /// The same page, with how many there are on all pages.
    pub(super) fn with_total(self, total: u64) -> Self {
        Self {
            total: Some(total),
            ..self
        }
    }
}

impl Object<Context> for Page {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        Ok(match call.name() {
            "nodes" => Node::list(self.nodes.iter().map(|node| Node::object_ref(&**node))),
            "totalCount" => self.total.map_or(Node::Null, values::count),
            "pageInfo" => {
                let info = json!({"endCursor": self.end, "hasNextPage": self.end.is_some()});
                let members = info.as_object().cloned().unwrap_or_default();
                Node::object(JsonObject::new("PageInfo", members))
            }
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Of which list.
    pub(super) list: &'static str,
    /// The instant of the walk.
    pub(super) instant: Instant,
    /// The last thing shown.
    pub(super) last: String,
}

impl Cursor {
    fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!(
            "{} {} {}",
            self.list,
            self.instant.as_micros(),
            self.last
        ))
    }

    fn parse(list: &'static str, text: &str) -> Option<Self> {
        if text.len() > CURSOR_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let mut parts = text.splitn(3, ' ');
        if parts.next()? != list {
            return None;
        }
        let instant = Instant::from_micros(parts.next()?.parse().ok()?);
        Some(Self {
            list,
            instant,
            last: parts.next()?.to_owned(),
        })
    }

    /// What the argument `after` holds.
    pub(super) fn asked(
        call: &Call<'_, Context>,
        list: &'static str,
    ) -> Result<Option<Self>, FieldError> {
        let Some(text) = call.text_argument("after") else {
            return Ok(None);
        };
        Self::parse(list, text).map(Some).ok_or_else(foreign_cursor)
    }
}

/// A cursor that was altered or made for another list.
pub(super) fn foreign_cursor() -> FieldError {
    errors::invalid("`after` is no cursor of this list; start again without it")
}

/// Why a walk does not begin.
pub(super) fn of_walk(error: ListError) -> FieldError {
    match error {
        ListError::Query(QueryError::Cursor) => foreign_cursor(),
        other => other.into(),
    }
}

/// The argument `first`.
pub(super) fn first(call: &Call<'_, Context>, max: usize) -> Result<usize, FieldError> {
    let first = call.int_argument("first").unwrap_or(max as i64);
    let fits = usize::try_from(first)
        .ok()
        .filter(|first| (1..=max).contains(first));
    fits.ok_or_else(|| errors::invalid(format!("`first` must be between 1 and {max}")))
}

/// The instant of a list: that of its cursor, or the one asked for.
pub(super) fn moment(
    call: &Call<'_, Context>,
    cursor: Option<&Cursor>,
) -> Result<Arc<Moment>, FieldError> {
    match cursor {
        Some(cursor) => Moment::at(call.context, Some(cursor.instant)),
        None => Moment::asked(call),
    }
}

/// The part of a list that a page shows: what comes after the item that a cursor names, at most
/// `first`; and that of the last item, if more follow. A cursor whose item is gone ends the walk.
pub(super) fn slice<T>(
    items: Vec<T>,
    name: impl Fn(&T) -> String,
    after: Option<&Cursor>,
    first: usize,
) -> (Vec<T>, Option<String>) {
    let start = match after {
        None => 0,
        Some(cursor) => {
            let position = items.iter().position(|item| name(item) == cursor.last);
            position.map_or(items.len(), |position| position.saturating_add(1))
        }
    };
    let has_more = items.len().saturating_sub(start) > first;
    let shown: Vec<T> = items.into_iter().skip(start).take(first).collect();
    let end = shown.last().filter(|_| has_more).map(name);
    (shown, end)
}
