// SPDX-License-Identifier: Apache-2.0
//! `durward access`: what an account may do and reach, and why.

use std::io::Write as _;

use anyhow::Context as _;
use durward_access::Access;
use durward_identity::Caller;
use durward_model::Instant;
use durward_policy::Question;
use serde_json::{Value as Json, json};

use crate::arguments::{AccessCommand, AccessExplainArguments, AccessListArguments, OutputFormat};
use crate::command::query::connect;
use crate::offline::Offline;
use crate::output::{self, ResultKind};

/// Columns of the list.
const COLUMNS: [&str; 7] = [
    "resource",
    "kind",
    "by",
    "group",
    "since",
    "until",
    "forbidden",
];
/// Rows of one page.
const PAGE: usize = 500;
const EXPLAIN: &str = "query($principal: String!, $action: String!, $object: String!, \
    $at: DateTime) { explainAccess(principal: $principal, action: $action, object: $object, \
    at: $at) }";
const REACH: &str = "query($principal: String!, $first: Int, $after: String, $at: DateTime) { \
    effectiveAccess(principal: $principal, first: $first, after: $after, at: $at) { nodes { \
    resource { id name } resourceKind role { id name } grant { id name } group { id name } \
    grantedAt expiresAt forbidden } pageInfo { endCursor } } }";

/// Answers a question about access.
pub(crate) fn run(command: &AccessCommand) -> anyhow::Result<()> {
    match command {
        AccessCommand::Explain(arguments) => explain(arguments),
        AccessCommand::List(arguments) => list(arguments),
    }
}

fn instant(at: Option<&str>) -> anyhow::Result<Option<Instant>> {
    let parsed = at.map(str::parse::<Instant>).transpose();
    parsed.context("--at must be a moment such as 2026-11-25T10:00:00Z")
}

fn explain(arguments: &AccessExplainArguments) -> anyhow::Result<()> {
    let at = instant(arguments.at.as_deref())?;
    let told = if let Some(client) = connect(&arguments.target)? {
        let variables = json!({
            "principal": arguments.principal, "action": arguments.action,
            "object": arguments.object, "at": arguments.at,
        });
        let mut data = client.graphql("durward", EXPLAIN, &variables)?;
        data.get_mut("explainAccess").map(Json::take)
    } else {
        let offline = Offline::open(&arguments.target)?;
        let organization = offline.organization();
        let question = Question {
            principal: arguments.principal.clone(),
            action: arguments.action.clone(),
            object: arguments.object.clone(),
        };
        let access = Access::new(std::sync::Arc::clone(organization));
        let told = access.explain(&Caller::operator(organization), &question, at)?;
        offline.close()?;
        Some(json!(told))
    };
    let told = told.context("the server gave no explanation")?;
    let mut stdout = std::io::stdout().lock();
    if arguments.json {
        writeln!(stdout, "{told:#}")?;
        return Ok(());
    }
    let sentences = told.get("why").and_then(Json::as_array);
    for sentence in sentences.into_iter().flatten().filter_map(Json::as_str) {
        writeln!(stdout, "{sentence}")?;
    }
    Ok(())
}

fn list(arguments: &AccessListArguments) -> anyhow::Result<()> {
    let at = instant(arguments.at.as_deref())?;
    let mut rows = Vec::new();
    if let Some(client) = connect(&arguments.target)? {
        let mut after = Json::Null;
        loop {
            let variables = json!({
                "principal": arguments.principal, "first": PAGE, "after": after,
                "at": arguments.at,
            });
            let data = client.graphql("durward", REACH, &variables)?;
            let nodes = data
                .pointer("/effectiveAccess/nodes")
                .and_then(Json::as_array);
            rows.extend(nodes.context("the server gave no rows")?.iter().cloned());
            let cursor = data.pointer("/effectiveAccess/pageInfo/endCursor");
            after = cursor.cloned().unwrap_or_default();
            if after.is_null() {
                break;
            }
        }
    } else {
        let offline = Offline::open(&arguments.target)?;
        let organization = offline.organization();
        let access = Access::new(std::sync::Arc::clone(organization));
        let caller = Caller::operator(organization);
        let (found, _) = access.reach(&caller, &arguments.principal, at, 0, usize::MAX)?;
        rows.extend(found.iter().map(|row| json!(row)));
        offline.close()?;
    }
    let shown = match arguments.format {
        OutputFormat::Json => Json::Array(rows),
        _ => rows.iter().map(line).collect(),
    };
    let mut stdout = std::io::stdout().lock();
    let columns = COLUMNS.map(str::to_owned);
    output::print(
        ResultKind::Table,
        &shown,
        arguments.format,
        &columns,
        &mut stdout,
    )?;
    Ok(())
}

/// A row as a person reads it.
fn line(row: &Json) -> Json {
    let name = |pointer: &str| row.pointer(pointer).and_then(Json::as_str);
    let by = match name("/role/name") {
        Some(role) => format!("role {role}"),
        None => format!("grant {}", name("/grant/id").unwrap_or_default()),
    };
    json!({
        "resource": name("/resource/name"),
        "kind": name("/resourceKind"),
        "by": by,
        "group": name("/group/name"),
        "since": name("/grantedAt"),
        "until": name("/expiresAt"),
        "forbidden": row.get("forbidden"),
    })
}
