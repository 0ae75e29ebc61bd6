// SPDX-License-Identifier: Apache-2.0
//! Online backup of a journal into a folder, and restore from one. Only the journal goes:
//! checkpoints are made again from it, and keys never leave their place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::{Head, Journal, JournalError, SqliteJournal, private};

/// Name of the journal file inside the folder of an organization and inside a backup.
pub const JOURNAL_FILE: &str = "journal.sqlite";

/// Where the journal file of an organization lies.
pub fn journal_file(folder: &Path) -> PathBuf {
    folder.join(JOURNAL_FILE)
}

/// Copies the journal as it is now into an empty or new folder, while appends go on. Returns the
/// head of the copy.
pub fn backup(journal: &SqliteJournal, target: &Path) -> Result<Head, JournalError> {
    prepare_empty(target)?;
    let file = journal_file(target);
    journal.copy_to(&file)?;
    sync(&file)?;
    sync(target)?;
    head_of(&file)
}

/// Copies the journal of a backup into an empty or new folder. Returns its head; the caller should
/// verify the chain before using it.
pub fn restore(source: &Path, target: &Path) -> Result<Head, JournalError> {
    let from = journal_file(source);
    if !from.is_file() {
        return Err(JournalError::NotAJournal { file: from });
    }
    prepare_empty(target)?;
    // Through the engine and not as a file copy: a log beside the file is then part of the copy.
    let file = journal_file(target);
    SqliteJournal::open(&from)?.copy_to(&file)?;
    sync(&file)?;
    sync(target)?;
    head_of(&file)
}

fn head_of(file: &Path) -> Result<Head, JournalError> {
    let head = SqliteJournal::open(file)?.head()?;
    Ok(head.map_or_else(Head::empty, |signed| signed.head))
}

fn prepare_empty(folder: &Path) -> Result<(), JournalError> {
    let failed = |action| {
        move |source| JournalError::Files {
            action,
            path: folder.to_owned(),
            source,
        }
    };
    private::create_folder(folder).map_err(failed("make"))?;
    if fs::read_dir(folder)
        .map_err(failed("read"))?
        .next()
        .is_some()
    {
        return Err(JournalError::FolderNotEmpty {
            folder: folder.to_owned(),
        });
    }
    Ok(())
}

fn sync(path: &Path) -> Result<(), JournalError> {
    let failed = |source| JournalError::Files {
        action: "flush",
        path: path.to_owned(),
        source,
    };
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(failed)
}
