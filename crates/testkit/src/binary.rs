// SPDX-License-Identifier: Apache-2.0
//! Finding the `durward` program that was built.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The program under test: `DURWARD_BIN`, else what cargo names, else the one in the folder that
/// this test was built into.
///
/// # Errors
/// When none of the three is there; the message says how to build it.
pub fn durward_binary() -> anyhow::Result<PathBuf> {
    for name in ["DURWARD_BIN", "CARGO_BIN_EXE_durward"] {
        if let Some(path) = std::env::var_os(name) {
            let path = PathBuf::from(path);
            if !path.is_file() {
                bail!("{name} names {}, which is not a file", path.display());
            }
            return Ok(path);
        }
    }
    let test = std::env::current_exe().context("finding this test's own program")?;
    // target/<profile>/deps/<test> or, for examples, target/<profile>/examples/<name>
    let profile = test
        .parent()
        .and_then(Path::parent)
        .context("a test outside a target folder")?;
    let path = profile.join("durward");
    if !path.is_file() {
        bail!(
            "{} is missing; run `cargo build --package durward` first",
            path.display()
        );
    }
    Ok(path)
}
