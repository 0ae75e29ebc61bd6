// SPDX-License-Identifier: Apache-2.0
//! The private virtual environment `.venv`: public clients and data packages, pinned, kept out of
//! the system's Python.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::shell;
use crate::system::{self, works};

/// pip gives up after this many seconds without an answer, so that no network is noticed soon.
const PIP_TIMEOUT_SECONDS: &str = "20";

/// A virtual environment that exists.
#[derive(Debug)]
pub(crate) struct Environment {
    folder: PathBuf,
    root: PathBuf,
}

impl Environment {
    /// Opens `.venv`, or makes it. Installs Python's venv module with apt-get where it is missing
    /// and says so.
    pub(crate) fn open(root: &Path) -> anyhow::Result<Self> {
        let environment = Self {
            folder: root.join(".venv"),
            root: root.to_path_buf(),
        };
        if works(environment.python(), &["-m", "pip", "--version"]) {
            return Ok(environment);
        }
        if environment.folder.exists() {
            println!("  .venv does not work any more; making it again");
            std::fs::remove_dir_all(&environment.folder).context("removing .venv")?;
        }
        let python = system_python()?;
        println!("  making .venv with {python}");
        shell::run(shell::command(&python, root).args(["-m", "venv", ".venv"]))?;
        Ok(environment)
    }

    /// The interpreter of the environment.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin").join("python")
    }

    /// A command of the interpreter, started at the root of the repository.
    pub(crate) fn command<I, S>(&self, words: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = shell::command(self.python(), &self.root);
        command.args(words).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Installs what a requirements file pins, unless that was done before.
    pub(crate) fn install(&self, requirements: &str) -> anyhow::Result<()> {
        let path = self.root.join(requirements);
        let wanted = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}", path.display()))?;
        let stamp = self
            .folder
            .join(format!("installed-{}", requirements.replace('/', "-")));
        if std::fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
            return Ok(());
        }
        println!("  installing {requirements} into .venv");
        let pip = [
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--quiet",
        ];
        let limits = [
            "--timeout",
            PIP_TIMEOUT_SECONDS,
            "--retries",
            "1",
            "--requirement",
        ];
        shell::run(self.command(pip).args(limits).arg(&path))?;
        std::fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
    }
}

/// A Python of at least 3.11 that can make virtual environments.
fn system_python() -> anyhow::Result<String> {
    if let Some(python) = usable_python() {
        return Ok(python);
    }
    let packages: &[&str] = if has_python("python3") {
        &["python3-venv"]
    } else {
        &["python3", "python3-venv"]
    };
    println!(
        "  no Python that can make virtual environments: installing {}",
        packages.join(" ")
    );
    system::install(packages)?;
    usable_python().context("Python 3.11 or later with venv is still missing after apt-get")
}

fn usable_python() -> Option<String> {
    ["python3.11", "python3", "python3.12", "python3.13"]
        .into_iter()
        .find(|python| has_python(python) && works(python, &["-c", "import ensurepip, venv"]))
        .map(str::to_owned)
}

fn has_python(python: &str) -> bool {
    works(
        python,
        &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
    )
}
