// SPDX-License-Identifier: Apache-2.0
//! The table and the file of figures.

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::scale::Scale;

/// One line of the table.
#[derive(Debug, Default, Clone)]
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) target: String,
    pub(crate) measured: String,
    pub(crate) peer: String,
    pub(crate) ratio: String,
    /// Whether the target is met; nothing where there is none at this scale.
    pub(crate) met: Option<bool>,
    /// Everything that was measured, for the file.
    pub(crate) figures: Value,
}

/// The lines, with the name of the row that each belongs to.
#[derive(Debug)]
pub(crate) struct Report {
    scale: Scale,
    rows: Vec<(String, Row)>,
}

impl Row {
    pub(crate) fn new(work: impl Into<String>) -> Self {
        Self {
            work: work.into(),
            ..Self::default()
        }
    }

    pub(crate) fn failed(name: &str, error: &anyhow::Error) -> Self {
        let measured = format!("failed: {error:#}");
        Self {
            measured,
            met: Some(false),
            ..Self::new(name)
        }
    }

    /// Something that was not measured, and why.
    pub(crate) fn skipped(work: &str, why: &str) -> Self {
        Self {
            measured: format!("SKIPPED: {why}"),
            ..Self::new(work)
        }
    }
}

impl Report {
    pub(crate) fn new(scale: Scale) -> Self {
        Self {
            scale,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, name: &str, row: Row) {
        println!("    {}: {} {}", row.work, row.measured, verdict(&row));
        self.rows.push((name.to_owned(), row));
    }

    pub(crate) fn print(&self) {
        let heads = ["work", "target", "measured", "peer", "ratio", "verdict"];
        let mut lines = vec![heads.map(str::to_owned)];
        for (_, row) in &self.rows {
            let row = row.clone();
            let verdict = verdict(&row).to_owned();
            lines.push([
                row.work,
                row.target,
                row.measured,
                row.peer,
                row.ratio,
                verdict,
            ]);
        }
        println!(
            "\nScale {}; medians. The peer is Kùzu 0.11.3 in process.\n",
            self.scale
        );
        for (number, line) in lines.iter().enumerate() {
            println!("| {} |", line.join(" | "));
            if number == 0 {
                println!("|{}", "---|".repeat(line.len()));
            }
        }
        let missed: Vec<&str> = self
            .rows
            .iter()
            .filter(|(_, row)| row.met == Some(false))
            .map(|(_, row)| row.work.as_str())
            .collect();
        let targets = self
            .rows
            .iter()
            .filter(|(_, row)| row.met.is_some())
            .count();
        match missed.as_slice() {
            [] if targets == 0 => println!("\nthere are no targets at this scale"),
            [] => println!("\nall {targets} targets are met"),
            _ => println!("\n{} missed: {}", missed.len(), missed.join("; ")),
        }
    }

    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        // Rows that this run did not measure keep the figures of an earlier one.
        let old = std::fs::read_to_string(file).ok();
        let old: Option<Value> = old.and_then(|text| serde_json::from_str(&text).ok());
        let old = old
            .as_ref()
            .and_then(|old| old.get("rows"))
            .and_then(Value::as_array);
        let is_new = |name: &str| self.rows.iter().any(|(row, _)| row == name);
        let mut rows: Vec<Value> = old
            .into_iter()
            .flatten()
            .filter(|row| {
                row.get("row")
                    .and_then(Value::as_str)
                    .is_some_and(|row| !is_new(row))
            })
            .cloned()
            .collect();
        rows.extend(self.rows.iter().map(|(name, row)| {
            json!({
                "row": name, "work": row.work, "target": row.target, "measured": row.measured,
                "peer": row.peer, "ratio": row.ratio, "met": row.met, "figures": row.figures,
            })
        }));
        let text = json!({"scale": self.scale.number(), "rows": rows});
        let text = serde_json::to_string_pretty(&text)?;
        std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
    }
}

fn verdict(row: &Row) -> &'static str {
    match row.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "-",
    }
}

/// Microseconds as people read them.
pub(crate) fn time(micros: f64) -> String {
    match micros {
        micros if micros >= 1e6 => format!("{:.2} s", micros / 1e6),
        micros if micros >= 10_000.0 => format!("{:.0} ms", micros / 1e3),
        micros => format!("{:.2} ms", micros / 1e3),
    }
}

/// The middle one of some values; 0 where there are none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// The smallest of some values.
pub(crate) fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
