// SPDX-License-Identifier: Apache-2.0
//! The graph as files: generated once, checked against the checksums, turned into CSV for the peer.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::json;

use super::Bench;
use crate::python::Environment;
use crate::shell::{self, Stopwatch};

const FILES: [&str; 2] = ["entities.ndjson", "relationships.ndjson"];

/// The folder of the NDJSON files.
pub(crate) fn folder(bench: &Bench) -> PathBuf {
    bench.folder.join(format!("corpgraph-{}", bench.scale))
}

/// Generates the files where they are absent, and checks them.
pub(crate) fn graph(bench: &Bench, environment: &Environment) -> anyhow::Result<()> {
    let folder = folder(bench);
    if FILES.iter().any(|file| !folder.join(file).exists()) {
        let watch = Stopwatch::start();
        println!("    generating {}", folder.display());
        let scale = bench.scale.to_string();
        let words = ["benches/corpgraph.py", "--scale", &scale, "--out"];
        shell::run(environment.command(words).arg(&folder))?;
        println!("    generated in {}", watch.seconds());
    }
    let listed = std::fs::read_to_string(bench.root.join("benches/checksums.txt"))
        .context("reading benches/checksums.txt")?;
    for file in FILES {
        let name = format!("{}/{file}", bench.scale);
        let Some(line) = listed
            .lines()
            .find(|line| line.ends_with(&format!("  {name}")))
        else {
            println!("    no checksum is known for {name}: not checked");
            continue;
        };
        let path = folder.join(file);
        let said = shell::output(shell::command("sha256sum", &bench.root).arg(&path))?;
        if said.split_whitespace().next() != line.split_whitespace().next() {
            bail!(
                "{} is not what the generator writes; remove it and try again",
                path.display()
            );
        }
    }
    println!("    the data is in {}", folder.display());
    Ok(())
}

/// The folder of the CSV files.
pub(crate) fn csv(bench: &Bench) -> PathBuf {
    bench.folder.join(format!("csv-{}", bench.scale))
}

/// Writes the files as CSV for the peer where they are absent; its time is not the peer's.
pub(crate) fn peer(bench: &mut Bench) -> anyhow::Result<()> {
    let watch = Stopwatch::start();
    let (data, csv) = (folder(bench), csv(bench));
    if let Some(peer) = &mut bench.peer {
        peer.ask(&json!({"do": "prepare", "data": data, "csv": csv}))?;
        println!("    CSV for the peer ready after {}", watch.seconds());
    }
    Ok(())
}

/// The ten uploads that change a tenth of the graph, made where they are absent.
pub(crate) fn changes(bench: &Bench, environment: &Environment) -> anyhow::Result<Vec<PathBuf>> {
    let out = bench.folder.join(format!("changes-{}", bench.scale));
    let steps: Vec<PathBuf> = (0..10)
        .map(|step| out.join(format!("step-{step}.json")))
        .collect();
    if steps.iter().any(|step| !step.exists()) {
        let mut command = environment.command(["benches/changes.py", "--data"]);
        shell::run(command.arg(folder(bench)).arg("--out").arg(&out))?;
    }
    Ok(steps)
}
