// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask test`: every check, in the order of what fails soonest.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::python::Environment;
use crate::shell::{self, Counts, Stopwatch};
use crate::{demo, deny, shell::heading, siege, system};

/// What is left out where the shared folder is absent.
const NEEDS_SHARED: [&str; 3] = [
    "the 16 queries over real cloud and cluster graphs (data/graph)",
    "the import of the whole ATT&CK bundles (data/attack)",
    "the validation of the clients' GraphQL documents (reference/opencti/tools)",
];

/// What the steps found so far.
#[derive(Default)]
struct Outcome {
    counts: Counts,
    broken: Vec<String>,
    skipped: Vec<String>,
}

/// Runs all steps, also after one has failed; answers whether all passed.
pub(crate) fn run(root: &Path, quick: bool) -> anyhow::Result<bool> {
    let watch = Stopwatch::start();
    let shared = shared_folder(root)?;
    let mut outcome = Outcome::default();
    if shared.is_none() {
        outcome
            .skipped
            .extend(NEEDS_SHARED.map(|what| format!("{what}: no shared folder")));
    }

    outcome.step("format: cargo fmt --all --check", || {
        shell::run(shell::cargo(root).args(["fmt", "--all", "--check"]))
    });
    outcome.step("lints: cargo clippy --workspace --all-targets", || {
        let words = ["clippy", "--workspace", "--all-targets", "--locked"];
        shell::run(
            shell::cargo(root)
                .args(words)
                .args(["--", "-D", "warnings"]),
        )
    });
    outcome.step("dependencies: deny.toml", || deny::run(root));
    // Built first: the tests of several crates start the binary.
    outcome.step("binary: cargo build", || {
        shell::run(shell::cargo(root).args(["build", "--locked", "--package", "durward"]))
    });
    outcome.tests("tests: cargo test --workspace", || {
        let words = ["test", "--workspace", "--locked", "--no-fail-fast"];
        let mut command = shell::cargo(root);
        command.args(words);
        if let Some(shared) = &shared {
            command.env("DURWARD_SHARED", shared);
        }
        shell::run_tests(&mut command)
    });
    if quick {
        outcome
            .skipped
            .push("the siege, conformance with the public clients, demo: --quick".to_owned());
    } else {
        outcome.tests("siege: attacks while another organization works", || {
            siege::short(root)
        });
        outcome.tests(
            "conformance: the public clients against a real server",
            || conformance(root, shared.as_deref()),
        );
        outcome.step("demo: every command that it prints", || {
            demo::run(
                root,
                &demo::Demo {
                    listen: Some("127.0.0.1:0".to_owned()),
                    release: false,
                    exit: true,
                },
            )
        });
    }
    outcome.print(&watch);
    Ok(outcome.broken.is_empty() && outcome.counts.failed == 0)
}

/// The unmodified clients from their registry, driven by pytest.
fn conformance(root: &Path, shared: Option<&Path>) -> anyhow::Result<(Counts, bool)> {
    system::conformance_programs()?;
    let environment = Environment::open(root)?;
    environment.install("conformance/requirements.txt")?;
    let words = [
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
        "-rs",
        "conformance",
    ];
    let mut command = environment.command(words);
    command.env(
        "DURWARD_BIN",
        target_folder(root).join("debug").join("durward"),
    );
    if let Some(shared) = shared {
        command.env("DURWARD_SHARED", shared);
    }
    shell::run_tests(&mut command)
}

/// The folder that cargo builds into.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// `DURWARD_SHARED`, or the folder `shared` beside the repository. A name that is set but wrong
/// is an error: it would skip tests silently.
fn shared_folder(root: &Path) -> anyhow::Result<Option<PathBuf>> {
    if let Some(named) = std::env::var_os("DURWARD_SHARED") {
        let folder = root.join(named);
        if !folder.is_dir() {
            bail!(
                "DURWARD_SHARED names {}, which is not a folder",
                folder.display()
            );
        }
        return Ok(Some(folder));
    }
    let beside = root.join("..").join("shared");
    Ok(beside
        .is_dir()
        .then(|| beside.canonicalize().unwrap_or(beside)))
}

impl Outcome {
    fn step(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<()>) {
        self.tests(name, || work().map(|()| (Counts::default(), true)));
    }

    fn tests(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<(Counts, bool)>) {
        heading(name);
        let watch = Stopwatch::start();
        let trouble = match work() {
            Ok((counts, good)) => {
                self.counts.add(counts);
                (!good).then(|| "tests failed".to_owned())
            }
            Err(error) => Some(format!("{error:#}")),
        };
        match trouble {
            None => println!("    ok in {}", watch.seconds()),
            Some(trouble) => {
                println!("    FAILED after {}: {trouble}", watch.seconds());
                self.broken.push(format!("{name}: {trouble}"));
            }
        }
    }

    fn print(&self, watch: &Stopwatch) {
        heading(&format!("result after {}", watch.seconds()));
        for skipped in &self.skipped {
            println!("    SKIPPED {skipped}");
        }
        for broken in &self.broken {
            println!("    FAILED  {broken}");
        }
        // A step that failed without a failing test (a lint, a build) counts as one failure.
        let failed = self.counts.failed.max(self.broken.len() as u64);
        let Counts {
            passed, skipped, ..
        } = self.counts;
        match skipped {
            0 => println!("{passed} passed, {failed} failed"),
            _ => println!("{passed} passed, {failed} failed, {skipped} skipped"),
        }
    }
}
