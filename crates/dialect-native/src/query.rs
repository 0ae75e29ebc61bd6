// SPDX-License-Identifier: Apache-2.0
//! `query` and `explain`: J1QL.

use std::collections::BTreeMap;

use durward_graph::View;
use durward_model::{Instant, Value};
use durward_query::plan::{Item, Output};
use durward_query::{PAGE_BYTES_DEFAULT, PageSize, QueryError, QueryPage, ResultKind, RunOptions};
use serde_json::Value as Json;

use super::moment::Moment;
use super::{Answer, Context, errors, values};
use durward_graphql::engine::{Call, FieldError, Node, Object};

/// Largest page in rows.
const ROWS_MAX: i64 = 10_000;

/// `query`
pub(super) async fn query(call: Call<'_, Context>) -> Answer<'_> {
    let context = call.context;
    let mut options = options(&call)?;
    let view = match call.text_argument("cursor").map(Walk::parse).transpose()? {
        None => Moment::asked(&call)?.view.clone(),
        Some(walk) => {
            options.cursor = Some(walk.inner);
            context.store()?.view(Some(walk.instant))
        }
    };
    let (instant, sequence) = (view.instant(), view.sequence().0);
    let with_columns = call.lookahead().selects(&["columns"]);
    let run = move |view: &View, text: &str, options: &RunOptions| {
        let page = durward_query::run(view, text, options)?;
        let columns = if with_columns {
            columns(text, options)?
        } else {
            None
        };
        Ok((page, columns))
    };
    let (page, columns) = off_thread(&call, view, options, run).await?;
    context.warn(&page.warnings);
    Ok(Node::object(Answered {
        page,
        columns,
        instant,
        sequence,
    }))
}

/// `explain`
pub(super) async fn explain(call: Call<'_, Context>) -> Answer<'_> {
    let options = options(&call)?;
    let view = Moment::asked(&call)?.view.clone();
    Ok(Node::text(
        off_thread(&call, view, options, durward_query::explain).await?,
    ))
}

/// Runs a query off the threads that serve connections, and stops it when the client goes away.
async fn off_thread<T: Send + 'static>(
    call: &Call<'_, Context>,
    view: View,
    options: RunOptions,
    run: impl FnOnce(&View, &str, &RunOptions) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, FieldError> {
    let text = call.text_argument("j1ql").unwrap_or_default().to_owned();
    let guard = call.context.cancel_guard(&options.limits);
    let work = move || run(&view, &text, &options);
    let result = call.context.off_thread(work).await;
    drop(guard);
    result?.map_err(|error| errors::of(&error))
}

fn options(call: &Call<'_, Context>) -> Result<RunOptions, FieldError> {
    let context = call.context;
    let page = match call.int_argument("limit") {
        None => PageSize::Bytes(PAGE_BYTES_DEFAULT),
        Some(rows) if (1..=ROWS_MAX).contains(&rows) => PageSize::Rows(rows.unsigned_abs()),
        Some(_) => {
            return Err(errors::invalid(format!(
                "`limit` must be between 1 and {ROWS_MAX}"
            )));
        }
    };
    Ok(RunOptions {
        variables: variables(call.argument("variables"))?,
        include_deleted: call.bool_argument("includeDeleted").unwrap_or(false),
        row_condition: context.row_condition(),
        limits: context.limits(),
        page,
        account_id: context.account_id(),
        ..RunOptions::new(context.now(), context.cursor_key())
    })
}

fn variables(argument: Option<&Json>) -> Result<BTreeMap<String, Value>, FieldError> {
    let members = match argument {
        None => return Ok(BTreeMap::new()),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(errors::invalid("`variables` must be an object")),
    };
    let value = |(name, json): (&String, &Json)| match Value::from_json(json) {
        Ok(value) => Ok((name.clone(), value)),
        Err(error) => Err(errors::invalid(format!("variable {name:?}: {error}"))),
    };
    members.iter().map(value).collect()
}

/// The columns of a table that names all of them; `None` for every other result.
fn columns(text: &str, options: &RunOptions) -> Result<Option<Vec<String>>, QueryError> {
    let Output::Table(table) = durward_query::lower(text, options)?.output else {
        return Ok(None);
    };
    let name = |item: &Item| match item {
        Item::Value { name, .. } => Some(name.clone()),
        Item::AllProperties { .. } => None,
    };
    Ok(table.items.iter().map(name).collect())
}

/// A cursor of this dialect: that of the query, and the instant that the walk sees. The query's
/// own part is sealed; the instant in front of it only tells what to report.
#[derive(Debug, PartialEq, Eq)]
struct Walk {
    instant: Instant,
    inner: String,
}

impl Walk {
    fn parse(text: &str) -> Result<Self, FieldError> {
        let parts = text.split_once('.');
        let parsed = parts.and_then(|(instant, inner)| {
            let instant = Instant::from_micros(instant.parse().ok()?);
            Some(Self {
                instant,
                inner: inner.to_owned(),
            })
        });
        parsed.ok_or_else(|| errors::of(&QueryError::Cursor))
    }

    fn to_text(instant: Instant, inner: &str) -> String {
        format!("{}.{inner}", instant.as_micros())
    }
}

/// One page of a result.
struct Answered {
    page: QueryPage,
    columns: Option<Vec<String>>,
    instant: Instant,
    sequence: u64,
}

impl Object<Context> for Answered {
    fn type_name(&self) -> &'static str {
        "QueryResult"
    }

    fn field<'a>(&'a self, call: &Call<'a, Context>) -> Answer<'a> {
        Ok(match call.name() {
            "kind" => Node::text(match self.page.kind {
                ResultKind::List => "LIST",
                ResultKind::Table => "TABLE",
                ResultKind::Tree => "TREE",
            }),
            "columns" => match &self.columns {
                Some(names) => Node::list(names.iter().map(|name| Node::text(name.as_str()))),
                None => Node::Null,
            },
            "data" => Node::Raw(self.page.data.as_slice().into()),
            "totalCount" => self.page.total_count.map_or(Node::Null, values::count),
            "cursor" => {
                let cursor = self.page.cursor.as_ref();
                Node::optional_text(cursor.map(|inner| Walk::to_text(self.instant, inner)))
            }
            "instant" => values::instant(self.instant),
            "sequence" => values::count(self.sequence),
            other => return Err(FieldError::unsupported(other)),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_keeps_its_instant() {
        let instant = Instant::from_micros(-12);
        let walk = Walk::parse(&Walk::to_text(instant, "a.b")).unwrap();
        assert_eq!(
            walk,
            Walk {
                instant,
                inner: "a.b".to_owned()
            }
        );
        for bad in ["", "abc", "x.abc", ".abc", "99999999999999999999.abc"] {
            assert_eq!(
                Walk::parse(bad).unwrap_err().code,
                "BAD_USER_INPUT",
                "{bad}"
            );
        }
    }

    #[test]
    fn columns_are_known_where_the_query_names_them() {
        let key = durward_query::CursorKey::new(&[0; 32]);
        let options = RunOptions::new(Instant::from_micros(0), key);
        let of = |text: &str| columns(text, &options).unwrap();
        let named = of("FIND User AS u RETURN u.email, u.displayName AS name");
        assert_eq!(named, Some(vec!["u.email".to_owned(), "name".to_owned()]));
        assert_eq!(of("FIND User AS u RETURN u.*"), None);
        assert_eq!(of("FIND User"), None);
    }
}
