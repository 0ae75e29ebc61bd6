// SPDX-License-Identifier: Apache-2.0
//! The rows over the large graph, which share one data folder.

use super::queries::Queries;
use super::{load, past, point, queries, table, writing};
use crate::bench::Bench;
use crate::python::Environment;

/// Loads the graph and measures all rows over it that are asked for.
pub(crate) fn all(
    bench: &mut Bench,
    environment: &Environment,
    asked: &Queries,
) -> anyhow::Result<()> {
    let (data, rows) = load::load(bench)?;
    for row in rows {
        bench.report.add("load", row);
    }
    if bench.wants("again") {
        bench.row("again", |bench| load::again(bench, &data));
    }
    if bench.wants("restart") {
        bench.row("restart", |bench| load::restart(bench, &data, asked));
    }
    if bench.wants("queries") {
        bench.row("queries", |bench| queries::all(bench, &data, asked));
    }
    if bench.wants("table") {
        bench.row("table", |bench| table::all(bench, &data));
    }
    if bench.wants("point") {
        bench.row("point", |bench| point::read(bench, &data));
    }
    // The last two change the graph.
    if bench.wants("past") {
        bench.row("past", |bench| past::all(bench, environment, &data, asked));
    }
    if bench.wants("writing") {
        bench.row("writing", |bench| writing::all(bench, &data, asked));
    }
    Ok(())
}
