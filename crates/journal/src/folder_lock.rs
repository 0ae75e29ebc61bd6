// SPDX-License-Identifier: Apache-2.0
//! One process holds a data folder.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::{JournalError, private};

/// Name of the lock file of a data folder.
pub const LOCK_FILE: &str = "lock";

/// The lock of a folder; released when dropped, and by the system when the process ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of a data folder.
    pub fn acquire(folder: &Path) -> Result<Self, JournalError> {
        Self::acquire_named(folder, LOCK_FILE)
    }

    /// Takes the lock that a file of this name in the folder stands for.
    pub fn acquire_named(folder: &Path, name: &str) -> Result<Self, JournalError> {
        let path = folder.join(name);
        let failed = |action| {
            let path = path.clone();
            move |source| JournalError::Files {
                action,
                path,
                source,
            }
        };
        let mut file = private::options()
            .read(true)
            .create(true)
            .open(&path)
            .map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let folder = folder.to_owned();
                return Err(JournalError::FolderLocked {
                    folder,
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        file.set_len(0).map_err(failed("write"))?;
        file.seek(SeekFrom::Start(0)).map_err(failed("write"))?;
        writeln!(file, "{}", std::process::id()).map_err(failed("write"))?;
        Ok(Self { _file: file })
    }
}

/// Who wrote the lock file, as far as its content tells.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(32).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(folder.path()).unwrap();
        let error = FolderLock::acquire(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        FolderLock::acquire(folder.path()).unwrap();
    }
}
