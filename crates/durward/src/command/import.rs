// SPDX-License-Identifier: Apache-2.0
//! `durward import`

mod aws;
mod graph;
mod stix;

use crate::arguments::{ImportArguments, ImportKind};

/// Scope of an import that names none.
const SCOPE_DEFAULT: &str = "import";

/// Brings files into a server or a data folder.
pub(crate) fn run(arguments: &ImportArguments) -> anyhow::Result<()> {
    let scope = arguments.scope.as_deref().unwrap_or(SCOPE_DEFAULT);
    anyhow::ensure!(!scope.is_empty(), "--scope must not be empty");
    match arguments.kind {
        ImportKind::Graph => graph::run(arguments, scope),
        ImportKind::Aws => aws::run(arguments, scope),
        ImportKind::Stix => {
            anyhow::ensure!(!arguments.patch, "--patch is for graph; STIX never deletes");
            stix::run(arguments, arguments.scope.as_deref().unwrap_or_default())
        }
    }
}
