// SPDX-License-Identifier: Apache-2.0
//! The tasks of this repository: `cargo xtask demo | test | siege | bench | fuzz | contracts`.
//!
//! It is for people and for continuous integration, not part of the product. Start reading at
//! [`suite::run`] (what `cargo xtask test` checks) or [`demo::run`].

mod bench;
mod contracts;
mod demo;
mod deny;
mod fuzz;
mod options;
mod python;
mod shell;
mod siege;
mod spdx;
mod suite;
mod system;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use options::Options;

const USAGE: &str = "\
usage: cargo xtask TASK

  demo [--listen ADDR] [--release] [--exit]   a running server with sample data; prints what to try
  test [--quick]                              every check of this repository; --quick leaves the
                                              siege and the clients' conformance tests out
  siege [--only NAME,...] [--release]         attacks on a server with little memory, while somebody
                                              else works; a name stands for all that begin with it
  siege --long                                the same for longer on a release build, with delays
                                              judged, and 10,000 alterations of a data folder
  bench [--scale S] [--only ROW,...] [--skip-peer] [--built DIR] [--json FILE]
                                              the benchmark table, beside its peer
  bench --plot FILE                           the figures of earlier runs as a picture
  fuzz [--seconds N] [TARGET...]              the fuzz targets, 60 seconds each unless told
  deny                                        licences, sources, duplicates and advisories of
                                              dependencies
  contracts --shared DIR                      makes contracts/ again from the fact tables in DIR
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let task = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    if matches!(task.as_str(), "" | "help" | "--help" | "-h") {
        print!("{USAGE}");
        return if task.is_empty() {
            ExitCode::from(2)
        } else {
            ExitCode::SUCCESS
        };
    }
    match dispatch(&task, rest) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: &str, words: Vec<String>) -> anyhow::Result<ExitCode> {
    let root = root()?;
    let mut options = Options::new(words);
    match task {
        "demo" => {
            let demo = demo::Demo {
                listen: options.value("--listen")?,
                release: options.flag("--release"),
                exit: options.flag("--exit"),
            };
            options.finish()?;
            demo::run(&root, &demo)?;
        }
        "test" => {
            let quick = options.flag("--quick");
            options.finish()?;
            return Ok(if suite::run(&root, quick)? {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        "siege" => {
            let siege = siege::Siege {
                long: options.flag("--long"),
                release: options.flag("--release"),
                only: options.value("--only")?,
            };
            options.finish()?;
            siege::run(&root, &siege)?;
        }
        "bench" => bench::run(&root, options.rest())?,
        "fuzz" => {
            let seconds = options
                .value("--seconds")?
                .map_or(Ok(60), |text| text.parse())?;
            fuzz::run(&root, seconds, &options.rest())?;
        }
        "deny" => {
            options.finish()?;
            deny::run(&root)?;
        }
        "contracts" => {
            let shared = options.value("--shared")?;
            options.finish()?;
            let Some(shared) = shared else {
                anyhow::bail!("contracts needs --shared DIR, the folder that holds reference/");
            };
            contracts::run(Path::new(&shared))?;
        }
        other => {
            eprint!("unknown task {other:?}\n\n{USAGE}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of the workspace: the parent of this package.
fn root() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = package.parent().map(Path::to_path_buf);
    root.ok_or_else(|| anyhow::anyhow!("{} has no parent folder", package.display()))
}
