// SPDX-License-Identifier: Apache-2.0
//! Jobs that cannot be read are set aside: kept under another name, and told of.

use std::fs;
use std::path::{Path, PathBuf};

use crate::record::RECORD_FILE;

/// What is set aside has this at the end of its name.
const ENDING: &str = "aside";
/// Inside a folder that was set aside: why.
const REASON_FILE: &str = "why.txt";
/// Longest reason that is read back, in characters.
const REASON_CHARACTERS: usize = 400;

/// A job that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its folder.
    pub folder: PathBuf,
    /// Why it could not be read.
    pub reason: String,
}

pub(super) fn is_aside(folder: &Path) -> bool {
    folder.extension().is_some_and(|ending| ending == ENDING)
}

/// Renames the folder of a job that cannot be read, with a sentence in the log.
pub(super) fn set_aside(folder: &Path, reason: &str) {
    let mut target = folder.with_extension(ENDING);
    for number in 2.. {
        if !target.exists() {
            break;
        }
        target = folder.with_extension(format!("{number}.{ENDING}"));
    }
    match fs::rename(folder, &target) {
        Ok(()) => {
            tracing::error!(
                kept = %target.display(),
                reason,
                "a synchronization job cannot be read and was set aside; the others go on"
            );
            // The sentence is in the log; that it is found again by a list is a convenience.
            let _ = fs::write(target.join(REASON_FILE), reason);
        }
        // It stays where it is, and is tried again at the next start.
        Err(error) => tracing::error!(
            folder = %folder.display(),
            reason,
            %error,
            "a synchronization job can neither be read nor be set aside; the others go on"
        ),
    }
}

/// The jobs that were set aside in the folder of an organization's jobs.
pub fn set_aside_in(jobs: &Path) -> Vec<SetAside> {
    let entries = fs::read_dir(jobs).into_iter().flatten().flatten();
    let mut found: Vec<SetAside> = entries
        .map(|entry| entry.path())
        .filter(|folder| folder.is_dir() && is_aside(folder))
        .map(|folder| {
            let reason = fs::read_to_string(folder.join(REASON_FILE));
            let reason = reason.unwrap_or_else(|_| format!("its {RECORD_FILE} cannot be read"));
            let reason = reason.chars().take(REASON_CHARACTERS).collect();
            SetAside { folder, reason }
        })
        .collect();
    found.sort_by(|left, right| left.folder.cmp(&right.folder));
    found
}
