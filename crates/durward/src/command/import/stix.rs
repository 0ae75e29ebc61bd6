// SPDX-License-Identifier: Apache-2.0
//! `durward import stix`

use anyhow::Context as _;
use serde_json::Value as Json;

use crate::arguments::ImportArguments;
use crate::command::query::connect;
use crate::{input, offline};

/// Imports each bundle, in the order named.
pub(super) fn run(arguments: &ImportArguments, scope: &str) -> anyhow::Result<()> {
    let client = connect(&arguments.target)?;
    let mut broken = 0;
    for path in &arguments.files {
        let bundle = input::read_whole(path)?;
        let report = match &client {
            Some(client) => {
                let path = format!("/import/stix?scope={}", encoded(scope));
                client.post(&path, "application/json", &bundle)?
            }
            None => offline::import_stix(&arguments.target, scope, &bundle)?,
        };
        broken += print(&path.display().to_string(), &report)?;
    }
    anyhow::ensure!(
        broken == 0,
        "{broken} objects were left out; the others are imported"
    );
    Ok(())
}

/// Prints a report and answers how many objects were left out.
fn print(file: &str, report: &Json) -> anyhow::Result<usize> {
    let count = |name: &str| report.get(name).and_then(Json::as_u64).unwrap_or(0);
    println!(
        "{file}: {} created, {} updated, {} unchanged; {} shared references created",
        count("created"),
        count("updated"),
        count("unchanged"),
        count("sharedCreated"),
    );
    let list = |name: &str| report.get(name).and_then(Json::as_array);
    for dangling in list("dangling")
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
    {
        eprintln!("warning: dangling reference left out: {dangling}");
    }
    let rejected = list("rejected").context("the server's answer is not a report")?;
    for item in rejected {
        let part = |name: &str| item.get(name).and_then(Json::as_str).unwrap_or_default();
        let position = item.get("position").and_then(Json::as_u64).unwrap_or(0);
        eprintln!(
            "left out: object {position} {}: {}",
            part("id"),
            part("reason")
        );
    }
    Ok(rejected.len())
}

/// Percent-encodes a query parameter (RFC 3986: everything but the unreserved characters).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    encoded
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}
