// SPDX-License-Identifier: Apache-2.0
//! Copies of data folders: backup while a server runs, and restore.
//!
//! A copy holds the journals and the key stores. Checkpoints are made again from the journal, open
//! uploads are not part of it, and the master key never is, nor are the remembered heads.

use std::fs;
use std::path::Path;

use durward_journal::{Head, SqliteJournal, backup, private};
use durward_vault::keys::KEY_STORE_FILE;

use crate::data_folder::{DataFolder, check_mark, failed, organization_folder, organizations_in};
use crate::{IdentityError, OrganizationId};

/// One organization in a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// Which.
    pub id: OrganizationId,
    /// The end of its journal in the copy.
    pub head: Head,
}

/// Copies a data folder into a new or empty one. Whoever uses the folder may go on.
pub fn backup_folder(data: &Path, target: &Path) -> Result<Vec<BackedUp>, IdentityError> {
    copy(data, target)
}

/// Lays a backup out as a data folder, which must be new or empty. The master key file of the
/// original has to be put beside it.
pub fn restore_folder(backup: &Path, data: &Path) -> Result<Vec<BackedUp>, IdentityError> {
    copy(backup, data)
}

fn copy(from: &Path, to: &Path) -> Result<Vec<BackedUp>, IdentityError> {
    check_mark(from)?;
    let ids = organizations_in(from)?;
    let (folder, undo) = DataFolder::prepare(to)?;
    let mut copied = Vec::with_capacity(ids.len());
    for id in ids {
        let source = organization_folder(from, &id);
        let target = folder.begin_organization(&id)?;
        let journal = SqliteJournal::open(&existing(backup::journal_file(&source))?)?;
        let head = backup::backup(&journal, &target)?;
        // The keys after the journal: they only grow, so that none is missing.
        let (keys, copy) = (source.join(KEY_STORE_FILE), target.join(KEY_STORE_FILE));
        let content = fs::read(&keys).map_err(failed("read", &keys))?;
        private::replace(&copy, &content).map_err(failed("write", &copy))?;
        folder.finish_organization(&id)?;
        copied.push(BackedUp { id, head });
    }
    folder.finish()?;
    undo.keep();
    Ok(copied)
}

/// Opening a journal would make a file that is missing.
fn existing(file: std::path::PathBuf) -> Result<std::path::PathBuf, IdentityError> {
    fs::metadata(&file).map_err(failed("read", &file))?;
    Ok(file)
}
