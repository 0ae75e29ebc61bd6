// SPDX-License-Identifier: Apache-2.0
//! The same request many times on one connection, and one answer over all its pages.

use std::time::{Duration, Instant};

use anyhow::Context;
use durward_testkit::connection::{Connection, Target, find};
use durward_testkit::times::{Times, now};
use serde::Deserialize;
use serde_json::{Value, json};

/// Answers that are longer are not passed on.
const ANSWER_BYTES_SHOWN: usize = 4 << 20;

/// A connection, and when it was last used.
pub(crate) type Kept = (Connection, Instant);

/// One request, asked `repetitions` times after `warmup` unmeasured ones.
#[derive(Debug, Deserialize)]
pub(crate) struct Ask {
    path: String,
    body: Value,
    #[serde(default)]
    warmup: usize,
    repetitions: usize,
    /// Ends the repetitions early (but not before three).
    #[serde(default = "ten_seconds")]
    seconds_max: f64,
}

fn ten_seconds() -> f64 {
    10.0
}

/// A connection that was idle for longer is opened anew: servers close such ones.
const IDLE_SECONDS_MAX: u64 = 5;

/// Measures one request. The connection is opened when first needed and kept.
pub(crate) fn ask(
    target: &Target,
    connection: &mut Option<Kept>,
    asked: &Ask,
) -> anyhow::Result<Value> {
    let mut kept = match connection.take() {
        Some((kept, used)) if used.elapsed().as_secs() < IDLE_SECONDS_MAX => kept,
        _ => Connection::open(target)?,
    };
    let body = serde_json::to_vec(&asked.body)?;
    let mut answer = Vec::new();
    let method = if asked.body.is_null() { "GET" } else { "POST" };
    for _ in 0..asked.warmup {
        kept.ask(method, &asked.path, &body, &mut answer)?;
    }
    let end = now() + Duration::from_secs_f64(asked.seconds_max);
    let mut times = Times::default();
    for _ in 0..asked.repetitions.max(1) {
        let begun = now();
        kept.ask(method, &asked.path, &body, &mut answer)?;
        times.add(begun.elapsed());
        if times.len() >= 3 && now() > end {
            break;
        }
    }
    *connection = Some((kept, now()));
    let mut summary = times.summary();
    let shown = (answer.len() <= ANSWER_BYTES_SHOWN)
        .then(|| serde_json::from_slice::<Value>(&answer))
        .transpose()
        .context("the answer is not JSON")?;
    if let Some(members) = summary.as_object_mut() {
        members.insert("bytes".to_owned(), answer.len().into());
        members.insert("answer".to_owned(), shown.unwrap_or_default());
    }
    Ok(summary)
}

/// A `queryV1` whose pages are all fetched.
#[derive(Debug, Deserialize)]
pub(crate) struct Walk {
    path: String,
    document: String,
    variables: Value,
    /// Ends the walk early; 0 for never.
    #[serde(default)]
    pages_max: usize,
}

/// Fetches all pages; rows are counted after the clock has stopped.
pub(crate) fn walk(target: &Target, walk: &Walk) -> anyhow::Result<Value> {
    let mut connection = Connection::open(target)?;
    let mut variables = walk.variables.clone();
    let mut pages = Vec::new();
    let begun = now();
    let mut first = None;
    loop {
        let body = serde_json::to_vec(&json!({"query": walk.document, "variables": variables}))?;
        let mut page = Vec::new();
        connection.ask("POST", &walk.path, &body, &mut page)?;
        first.get_or_insert_with(|| begun.elapsed());
        let cursor = cursor(&page);
        pages.push(page);
        let Some(cursor) = cursor else { break };
        if walk.pages_max > 0 && pages.len() >= walk.pages_max {
            break;
        }
        if let Some(members) = variables.as_object_mut() {
            members.insert("cursor".to_owned(), cursor.into());
        }
    }
    let total = begun.elapsed();
    let bytes: usize = pages.iter().map(Vec::len).sum();
    let mut rows = 0;
    for page in &pages {
        let page: Value = serde_json::from_slice(page).context("a page is not JSON")?;
        rows += page
            .pointer("/data/queryV1/data")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
    }
    Ok(json!({
        "pages": pages.len(), "rows": rows, "bytes": bytes,
        "first_page_us": first.unwrap_or_default().as_secs_f64() * 1e6,
        "seconds": total.as_secs_f64(),
    }))
}

/// The cursor of a page, without parsing its rows.
fn cursor(page: &[u8]) -> Option<String> {
    const MEMBER: &[u8] = b"\"cursor\":\"";
    // It stands before or after the rows, so only the ends of the page are searched.
    let ends = [
        page.get(..4096).unwrap_or(page),
        page.get(page.len().saturating_sub(4096)..)?,
    ];
    ends.iter().find_map(|part| {
        let rest = part.get(find(part, MEMBER)? + MEMBER.len()..)?;
        let end = rest.iter().position(|byte| *byte == b'"')?;
        String::from_utf8(rest.get(..end)?.to_vec()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_found_and_null_is_none() {
        let page = br#"{"data":{"queryV1":{"cursor":"abc","data":[]}}}"#;
        assert_eq!(cursor(page).as_deref(), Some("abc"));
        assert_eq!(
            cursor(br#"{"data":{"queryV1":{"cursor":null,"data":[]}}}"#),
            None
        );
    }
}
