// SPDX-License-Identifier: Apache-2.0
//! Programs of the operating system that checks need, installed with apt-get where they are
//! missing.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::shell;

/// Programs that the conformance tests start, with the packages that hold them: customers' scripts
/// use curl and jq, and certificates are made with openssl.
const CONFORMANCE: [(&str, &str); 3] = [("curl", "curl"), ("jq", "jq"), ("openssl", "openssl")];

/// Whether a program starts and ends well with these words.
pub(crate) fn works(program: impl AsRef<OsStr>, words: &[&str]) -> bool {
    Command::new(program)
        .args(words)
        .output()
        .is_ok_and(|out| out.status.success())
}

/// Installs packages with apt-get and says so.
pub(crate) fn install(packages: &[&str]) -> anyhow::Result<()> {
    if !works("apt-get", &["--version"]) {
        bail!("install {}, then try again", packages.join(" and "));
    }
    let apt = |words: &[&str]| {
        let mut command = shell::command("apt-get", Path::new("/"));
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        shell::output(&mut command)
    };
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--quiet"], packages].concat())?;
    println!("  installed {} with apt-get", packages.join(" "));
    Ok(())
}

/// Sees to it that the programs of the conformance tests are there.
pub(crate) fn conformance_programs() -> anyhow::Result<()> {
    let missing = || {
        let is_missing = |program: &str| {
            let version = if program == "openssl" {
                "version"
            } else {
                "--version"
            };
            !works(program, &[version])
        };
        let rows = CONFORMANCE.into_iter();
        rows.filter(|(program, _)| is_missing(program))
            .collect::<Vec<_>>()
    };
    let wanted: Vec<&str> = missing().into_iter().map(|(_, package)| package).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    println!("  the conformance tests need {}", wanted.join(" "));
    install(&wanted)?;
    let still = missing().into_iter().map(|(program, _)| program).next();
    still.map_or(Ok(()), |program| {
        Err(anyhow::anyhow!("it does not start")).context(format!("{program} after apt-get"))
    })
}
