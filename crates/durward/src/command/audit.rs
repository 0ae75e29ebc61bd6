// SPDX-License-Identifier: Apache-2.0
//! `durward audit`

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value as Json;

use crate::arguments::{AuditCommand, AuditExportArguments, AuditVerifyArguments};
use crate::command::query::connect;
use crate::offline::{self, Offline};

/// Transactions of one page.
const PAGE: usize = 1000;

/// Verifies or prints the audit log.
pub(crate) fn run(command: &AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify(arguments) => verify(arguments),
        AuditCommand::Export(arguments) => export(arguments),
    }
}

fn verify(arguments: &AuditVerifyArguments) -> anyhow::Result<()> {
    let expected = arguments.expect_head.as_deref();
    let report = if let Some(client) = connect(&arguments.target)? {
        let query = expected.map_or_else(String::new, |head| format!("?expect_head={head}"));
        client.get(&format!("/audit/verify{query}"))?
    } else {
        let offline = Offline::open(&arguments.target)?;
        let report =
            offline::verify_store(offline.organization().store(), expected, &Arc::default())?;
        offline.close()?;
        report
    };
    let number = |pointer: &str| report.pointer(pointer).and_then(Json::as_u64).unwrap_or(0);
    let hash = report
        .pointer("/head/hash")
        .and_then(Json::as_str)
        .unwrap_or("none");
    let findings = report.get("findings").and_then(Json::as_array);
    for finding in findings.into_iter().flatten() {
        let text = finding
            .get("problem")
            .and_then(Json::as_str)
            .unwrap_or_default();
        eprintln!("{text}");
    }
    for note in report
        .get("notes")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        eprintln!("{}", note.as_str().unwrap_or_default());
    }
    let is_sound = report
        .get("sound")
        .and_then(Json::as_bool)
        .context("the report is unusable")?;
    anyhow::ensure!(is_sound, "the audit log is damaged");
    println!(
        "the audit log is sound: {} transactions, head {} {hash}",
        number("/transactions"),
        number("/head/sequence"),
    );
    let erasures = report.get("erasures").and_then(Json::as_array);
    for erasure in erasures.into_iter().flatten() {
        println!("{}", erasure_line(erasure));
    }
    Ok(())
}

/// What was erased, when, by whom and why.
fn erasure_line(erasure: &Json) -> String {
    let text = |name: &str| erasure.get(name).and_then(Json::as_str);
    let erased = erasure.get("transactions").and_then(Json::as_array);
    let erased = erased.into_iter().flatten().map(Json::to_string);
    format!(
        "the content of {} was erased at {} by {}: {}",
        erased.collect::<Vec<_>>().join(", "),
        text("at").unwrap_or_default(),
        text("actor").unwrap_or("the system"),
        text("cause").unwrap_or_default(),
    )
}

fn export(arguments: &AuditExportArguments) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    let mut from = arguments.from;
    if let Some(client) = connect(&arguments.target)? {
        loop {
            let text = client.get_text(&format!("/audit/export?from={from}&limit={PAGE}"))?;
            output.write_all(text.as_bytes())?;
            match last_sequence(text.as_bytes()) {
                Some(last) => from = last.saturating_add(1),
                None => return Ok(()),
            }
        }
    }
    let offline = Offline::open(&arguments.target)?;
    loop {
        let text = offline::transactions_ndjson(offline.organization().store(), from, PAGE)?;
        output.write_all(&text)?;
        match last_sequence(&text) {
            Some(last) => from = last.saturating_add(1),
            None => return offline.close(),
        }
    }
}

fn last_sequence(text: &[u8]) -> Option<u64> {
    let line = text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
    serde_json::from_slice::<Json>(line)
        .ok()?
        .get("sequence")?
        .as_u64()
}
