// SPDX-License-Identifier: Apache-2.0
//! A plan as text.

use std::fmt::Write as _;

use super::engine::Engine;
use crate::error::QueryError;
use crate::plan::{NodePattern, Output, Part, Plan, Source, Step, Way};

/// Deepest indentation that is written.
const DEPTH_MAX: usize = 64;

/// The plan as an indented tree, followed by what was done.
///
/// A caller who does not see everything is not told what it cost: that counts hidden objects too.
pub(crate) fn explain(
    engine: &Engine,
    plan: &Plan,
    error: Option<&QueryError>,
    warnings: &[String],
) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", output(plan));
    let _ = writeln!(text, "  from {}", node(&plan.start));
    parts(&plan.parts, 2, &mut text);
    if plan.path_filter.is_some() {
        let _ = writeln!(text, "  filter on whole paths");
    }
    let _ = writeln!(text, "run at sequence {}", engine.view.sequence().0);
    for note in engine.take_notes() {
        let _ = writeln!(text, "  {note}");
    }
    if !engine.has_condition() {
        let _ = writeln!(
            text,
            "  {} paths, {} rows and relationships looked at",
            engine.meter.paths_walked(),
            engine.meter.ticks_counted()
        );
    }
    for warning in warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    if let Some(error) = error {
        let _ = writeln!(text, "  ended: {error}");
    }
    text
}

fn output(plan: &Plan) -> String {
    let mut text = match &plan.output {
        Output::List(_) => "list of distinct objects".to_owned(),
        Output::Tree => "tree of distinct objects".to_owned(),
        Output::Table(table) if !table.aggregates.is_empty() => {
            format!("table of {} columns, grouped", table.items.len())
        }
        Output::Table(table) if table.unique => {
            format!("table of {} columns, equal rows once", table.items.len())
        }
        Output::Table(table) => format!("table of {} columns", table.items.len()),
    };
    if !plan.order.is_empty() {
        let _ = write!(text, ", ordered by {} keys", plan.order.len());
    }
    if plan.skip > 0 {
        let _ = write!(text, ", without the first {}", plan.skip);
    }
    if let Some(limit) = plan.limit {
        let _ = write!(text, ", at most {limit}");
    }
    text
}

fn node(pattern: &NodePattern) -> String {
    let sources: Vec<String> = pattern
        .sources
        .iter()
        .map(|source| match source {
            Source::Any => "anything".to_owned(),
            Source::Type(name) => format!("type {name}"),
            Source::Class(name) => format!("class {name}"),
            Source::Text(words) => format!("text {words:?}"),
            Source::Ids(ids) => format!("{} ids", ids.len()),
            Source::Key { key, .. } => format!("key {key:?}"),
        })
        .collect();
    let filtered = if pattern.filter.is_some() {
        ", filtered"
    } else {
        ""
    };
    format!(
        "{}{filtered} (slot {})",
        sources.join(" or "),
        pattern.slot.0
    )
}

fn parts(list: &[Part], depth: usize, text: &mut String) {
    let depth = depth.min(DEPTH_MAX);
    let indent = "  ".repeat(depth);
    for part in list {
        match part {
            Part::Step(one) => {
                let _ = writeln!(text, "{indent}{}", step(one));
            }
            Part::Without(inner) => {
                let _ = writeln!(text, "{indent}without any path");
                parts(inner, depth + 1, text);
            }
            Part::Optional { parts: inner, .. } => {
                let _ = writeln!(text, "{indent}optionally");
                parts(inner, depth + 1, text);
            }
            Part::Reached(slot) => {
                let _ = writeln!(text, "{indent}bound again (slot {})", slot.0);
            }
        }
    }
}

fn step(step: &Step) -> String {
    let verbs = step
        .edge
        .verbs
        .as_ref()
        .map_or_else(|| "any verb".to_owned(), |v| v.join("|"));
    let way = match step.edge.way {
        Way::Either => "either way",
        Way::Out => "forwards",
        Way::In => "backwards",
    };
    let filtered = if step.edge.filter.is_some() {
        ", filtered"
    } else {
        ""
    };
    format!("over {verbs} {way}{filtered} to {}", node(&step.node))
}
