// SPDX-License-Identifier: Apache-2.0
//! The folders that tests read.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn repository() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates
        .and_then(Path::parent)
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder with reference data: `DURWARD_SHARED`, or `shared` beside the repository. A test
/// that needs it and gets `None` says so on standard error and returns.
pub fn shared() -> Option<PathBuf> {
    let folder = match std::env::var_os("DURWARD_SHARED") {
        Some(named) => repository().join(named),
        None => repository().join("..").join("shared"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: needs the shared folder ({} is absent)",
        folder.display()
    );
    None
}
