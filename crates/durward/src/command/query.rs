// SPDX-License-Identifier: Apache-2.0
//! `durward query`

use std::io::Write as _;

use anyhow::Context as _;
use durward_model::Instant;
use durward_query::j1ql::{self, Returns};
use serde_json::{Value as Json, json};

use crate::arguments::{QueryArguments, Target, URL_VARIABLE};
use crate::client::Client;
use crate::offline;
use crate::output::{self, ResultKind};

const QUERY: &str = "query Q($query: String!, $cursor: String, $at: DateTime) {
  queryV1(query: $query, cursor: $cursor, at: $at, deferredResponse: DISABLED,
    flags: {variableResultSize: true}) { type data cursor }
}";
const EXPLAIN: &str = "query E($query: String!, $at: DateTime) { explain(j1ql: $query, at: $at) }";

/// Asks a server or a data folder and prints the result.
pub(crate) fn run(arguments: &QueryArguments) -> anyhow::Result<()> {
    let at = arguments
        .at
        .as_deref()
        .map(str::parse::<Instant>)
        .transpose()?;
    let mut stdout = std::io::stdout().lock();
    if arguments.explain {
        writeln!(stdout, "{}", explain(arguments, at)?)?;
        return Ok(());
    }
    let (kind, data) = match connect(&arguments.target)? {
        Some(client) => ask(&client, &arguments.query, at)?,
        None => offline::query(&arguments.target, &arguments.query, at)?,
    };
    output::print(
        kind,
        &data,
        arguments.format,
        &columns(&arguments.query),
        &mut stdout,
    )?;
    Ok(())
}

/// Names of the columns that a query returns, in its order. Those of `a.*` are known only from the
/// result.
fn columns(query: &str) -> Vec<String> {
    match j1ql::parse(query).map(|query| query.returns) {
        Ok(Some(Returns::Items { items, .. })) => {
            let names = items.iter().map(|item| item.column_name().to_owned());
            names.filter(|name| !name.ends_with('*')).collect()
        }
        _ => Vec::new(),
    }
}

/// A wrong use of the command line that only shows when arguments are looked at together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(&'static str);

/// The server that a target names, or `None` for a data folder.
///
/// # Errors
/// When the target names neither, or a server without a token.
pub(crate) fn connect(target: &Target) -> anyhow::Result<Option<Client>> {
    if target.data.is_some() {
        let exported = std::env::var(URL_VARIABLE).ok();
        return match &target.url {
            Some(url) if exported.as_ref() != Some(url) => {
                Err(Usage("give --url or --data, not both").into())
            }
            _ => Ok(None),
        };
    }
    let url = target.url.as_deref().ok_or(Usage(
        "say where: --url URL --token TOKEN for a running server, or --data DIR for a folder that \
         none is serving",
    ))?;
    let token = target.token.as_deref();
    let token = token.ok_or(Usage("give the server's --token (or DURWARD_TOKEN)"))?;
    Ok(Some(Client::new(url, token)))
}

fn explain(arguments: &QueryArguments, at: Option<Instant>) -> anyhow::Result<String> {
    let Some(client) = connect(&arguments.target)? else {
        return offline::explain(&arguments.target, &arguments.query, at);
    };
    let variables = json!({"query": arguments.query, "at": at.map(|at| at.to_string())});
    let data = client.graphql("durward", EXPLAIN, &variables)?;
    let text = data.get("explain").and_then(Json::as_str);
    Ok(text.context("the server gave no plan")?.to_owned())
}

/// All pages of a query.
fn ask(client: &Client, query: &str, at: Option<Instant>) -> anyhow::Result<(ResultKind, Json)> {
    let mut cursor = Json::Null;
    let mut all: Option<(ResultKind, Json)> = None;
    loop {
        let variables =
            json!({"query": query, "cursor": cursor, "at": at.map(|at| at.to_string())});
        let mut answer = client.graphql("jupiterone", QUERY, &variables)?;
        let page = answer
            .get_mut("queryV1")
            .map(Json::take)
            .unwrap_or_default();
        let kind = page
            .get("type")
            .and_then(Json::as_str)
            .and_then(ResultKind::parse);
        let kind = kind.context("the server answered with an unknown kind of result")?;
        let data = page.get("data").cloned().unwrap_or_default();
        match (&mut all, data) {
            (Some((_, Json::Array(rows))), Json::Array(more)) => rows.extend(more),
            (slot, data) => *slot = Some((kind, data)),
        }
        cursor = page.get("cursor").cloned().unwrap_or_default();
        if cursor.is_null() {
            return all.context("the server gave no result");
        }
    }
}
