// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask bench`: the table of what is fast, measured beside a peer in one run.
//!
//! Durward is a release build, asked through its own HTTP API by `durward-load` on kept-alive
//! connections; the peer runs in process. Start reading at [`run`]; each row is a function of
//! [`rows`].

mod data;
mod lines;
mod process;
mod report;
mod rows;
mod scale;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::options::Options;
use crate::python::Environment;
use crate::shell::{self, heading};
use crate::suite::target_folder;
use lines::Lines;
use report::{Report, Row};
use rows::queries::Queries;
use scale::Scale;

/// The rows, in the order in which they are measured.
const ROWS: [&str; 14] = [
    "idle",
    "writes",
    "attack",
    "signed",
    "grants",
    "decisions",
    "load",
    "again",
    "restart",
    "queries",
    "table",
    "point",
    "past",
    "writing",
];
/// Those that need the graph.
const GRAPH_ROWS: [&str; 8] = [
    "load", "again", "restart", "queries", "table", "point", "past", "writing",
];

/// What all rows use.
#[derive(Debug)]
pub(crate) struct Bench {
    root: PathBuf,
    /// Where everything is made: `target/bench`.
    folder: PathBuf,
    scale: Scale,
    only: Vec<String>,
    durward: PathBuf,
    load: PathBuf,
    /// Kùzu, unless it is left out.
    peer: Option<Lines>,
    report: Report,
}

/// Measures and prints the table.
pub(crate) fn run(root: &Path, words: Vec<String>) -> anyhow::Result<()> {
    let mut options = Options::new(words);
    let scale = Scale::parse(options.value("--scale")?.as_deref().unwrap_or("1"))?;
    let only = options.value("--only")?.unwrap_or_default();
    let skip_peer = options.flag("--skip-peer");
    let built = options.value("--built")?;
    let json = options.value("--json")?;
    let plot = options.value("--plot")?;
    options.finish()?;
    let only: Vec<String> = only
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if let Some(unknown) = only.iter().find(|name| !ROWS.contains(&name.as_str())) {
        bail!("unknown row {unknown:?}; the rows are {}", ROWS.join(", "));
    }
    let environment = Environment::open(root)?;
    environment.install("benches/requirements.txt")?;
    let folder = target_folder(root).join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    if let Some(picture) = plot {
        return shell::run(
            environment
                .command(["benches/plot.py"])
                .arg(&folder)
                .arg(root.join(picture)),
        );
    }

    let built = match built {
        Some(folder) => root.join(folder),
        None => build(root)?,
    };
    let mut bench = Bench {
        root: root.to_path_buf(),
        scale,
        only,
        durward: built.join("durward"),
        load: built.join("durward-load"),
        peer: None,
        report: Report::new(scale),
        folder,
    };
    bench.measure(&environment, skip_peer)?;
    bench.report.print();
    let file = bench.folder.join(format!("results-{scale}.json"));
    bench.report.write(&file)?;
    if let Some(json) = json {
        bench.report.write(&root.join(json))?;
    }
    Ok(())
}

/// Builds what is measured and what measures.
fn build(root: &Path) -> anyhow::Result<PathBuf> {
    heading("release build");
    let mut build = shell::cargo(root);
    build.args([
        "build",
        "--release",
        "--locked",
        "-p",
        "durward",
        "-p",
        "durward-testkit",
    ]);
    shell::run(build.args(["--bin", "durward", "--bin", "durward-load"]))?;
    Ok(target_folder(root).join("release"))
}

impl Bench {
    /// Whether a row is asked for.
    fn wants(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == row)
    }

    fn measure(&mut self, environment: &Environment, skip_peer: bool) -> anyhow::Result<()> {
        if self.wants("idle") {
            self.row("idle", rows::small::idle);
        }
        if self.wants("writes") {
            self.row("writes", rows::small::writes);
        }
        if self.wants("attack") {
            self.row("attack", rows::small::attack);
        }
        if self.wants("signed") {
            self.row("signed", rows::access::signed);
        }
        if self.wants("grants") {
            self.row("grants", rows::access::token_grants);
        }
        if self.wants("decisions") {
            self.row("decisions", rows::access::decisions);
        }
        if !GRAPH_ROWS.iter().any(|row| self.wants(row)) {
            return Ok(());
        }
        heading(&format!("corpgraph at scale {}", self.scale));
        data::graph(self, environment)?;
        let needs_peer = self.wants("load") || self.wants("queries");
        if !skip_peer && needs_peer {
            let mut command = environment.command(["benches/kuzu_peer.py"]);
            self.peer = Some(Lines::start("Kùzu", &mut command)?);
            data::peer(self)?;
        }
        let queries = Queries::read(self)?;
        rows::graph::all(self, environment, &queries)
    }

    /// Measures one row; a failure is shown in its place and the others go on.
    fn row(&mut self, name: &str, work: impl FnOnce(&mut Self) -> anyhow::Result<Vec<Row>>) {
        heading(&format!("row {name}"));
        match work(self) {
            Ok(rows) => rows.into_iter().for_each(|row| self.report.add(name, row)),
            Err(error) => {
                println!("    FAILED: {error:#}");
                self.report.add(name, Row::failed(name, &error));
            }
        }
        shell::flush();
    }
}
