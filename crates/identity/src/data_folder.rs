// SPDX-License-Identifier: Apache-2.0
//! The layout of a data folder.
//!
//! ```text
//! DATA/format                   the mark of a data folder, written last by init
//! DATA/lock                     held by the one process that uses the folder
//! DATA/organizations/ID/        one organization: journal, checkpoint, keys.json
//! DATA/organizations/.new-ID/   one that is being made; removed when found
//! DATA/organizations/.gone-ID/  one that is being deleted; removed when found
//! DATA.key                      the master key, beside the folder
//! DATA.head                     how far each journal was, see the heads module
//! ```

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use durward_journal::{FolderLock, private};

use crate::{IdentityError, OrganizationId};

const FORMAT_FILE: &str = "format";
const FORMAT: u32 = 1;
const FORMAT_PREFIX: &str = "durward data folder ";
const ORGANIZATIONS: &str = "organizations";
const NEW_PREFIX: &str = ".new-";
const GONE_PREFIX: &str = ".gone-";
/// What a fresh file system may hold at its root.
const LOST_AND_FOUND: &str = "lost+found";

/// A data folder that this process holds.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: FolderLock,
}

impl DataFolder {
    /// Makes the skeleton of a new data folder, without the mark. A folder that holds anything is
    /// refused. The second part removes everything again unless it is told that all went well.
    pub(crate) fn prepare(path: &Path) -> Result<(Self, UndoOnFailure), IdentityError> {
        let existed = match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.any(|entry| entry.map_or(true, |e| e.file_name() != LOST_AND_FOUND)) {
                    return Err(IdentityError::FolderNotEmpty {
                        path: path.to_owned(),
                    });
                }
                true
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(source) => return Err(failed("read", path)(source)),
        };
        if !existed {
            private::create_new_folder(path).map_err(failed("create", path))?;
        }
        let undo = UndoOnFailure {
            path: path.to_owned(),
            existed,
            key: None,
            done: false,
        };
        let lock = FolderLock::acquire(path)?;
        let organizations = path.join(ORGANIZATIONS);
        private::create_new_folder(&organizations).map_err(failed("create", &organizations))?;
        Ok((
            Self {
                path: path.to_owned(),
                _lock: lock,
            },
            undo,
        ))
    }

    /// Opens a data folder and takes its lock. What half-made or half-deleted organizations left
    /// is removed, and what others may read of it is closed to them.
    pub(crate) fn open(path: &Path) -> Result<Self, IdentityError> {
        check_mark(path)?;
        let folder = Self {
            path: path.to_owned(),
            _lock: FolderLock::acquire(path)?,
        };
        folder.remove_leftovers()?;
        for (path, error) in private::close_folder(path) {
            tracing::warn!(path = %path.display(), %error, "it cannot be closed to others");
        }
        Ok(folder)
    }

    /// Writes the mark: from now on the folder is a data folder.
    pub(crate) fn finish(&self) -> Result<(), IdentityError> {
        let file = self.path.join(FORMAT_FILE);
        let mark = format!("{FORMAT_PREFIX}{FORMAT}\n");
        private::replace(&file, mark.as_bytes()).map_err(failed("write", &file))
    }

    /// Folder of an organization.
    pub(crate) fn organization(&self, id: &OrganizationId) -> PathBuf {
        organization_folder(&self.path, id)
    }

    /// Ids of the organizations.
    pub(crate) fn organizations(&self) -> Result<Vec<OrganizationId>, IdentityError> {
        organizations_in(&self.path)
    }

    /// Makes the folder in which a new organization is built.
    pub(crate) fn begin_organization(&self, id: &OrganizationId) -> Result<PathBuf, IdentityError> {
        let path = self
            .path
            .join(ORGANIZATIONS)
            .join(format!("{NEW_PREFIX}{id}"));
        private::create_new_folder(&path).map_err(failed("create", &path))?;
        Ok(path)
    }

    /// Puts a finished organization in its place.
    pub(crate) fn finish_organization(&self, id: &OrganizationId) -> Result<(), IdentityError> {
        self.rename(&format!("{NEW_PREFIX}{id}"), id.as_str())
    }

    /// Removes an organization that nothing uses any more.
    pub(crate) fn remove_organization(&self, id: &OrganizationId) -> Result<(), IdentityError> {
        let gone = format!("{GONE_PREFIX}{id}");
        self.rename(id.as_str(), &gone)?;
        self.remove(&gone)
    }

    /// Removes an organization that did not get finished.
    pub(crate) fn abandon_organization(&self, id: &OrganizationId) -> Result<(), IdentityError> {
        self.remove(&format!("{NEW_PREFIX}{id}"))
    }

    fn remove_leftovers(&self) -> Result<(), IdentityError> {
        for name in names_in(&self.path)? {
            if name.starts_with(NEW_PREFIX) || name.starts_with(GONE_PREFIX) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), IdentityError> {
        let path = self.path.join(ORGANIZATIONS).join(name);
        fs::remove_dir_all(&path).map_err(failed("remove", &path))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), IdentityError> {
        let folder = self.path.join(ORGANIZATIONS);
        let (from, to) = (folder.join(from), folder.join(to));
        fs::rename(&from, &to).map_err(failed("rename", &from))?;
        sync(&folder)
    }
}

/// Refuses a folder that is no data folder, or one of a newer release.
pub(crate) fn check_mark(path: &Path) -> Result<(), IdentityError> {
    let file = path.join(FORMAT_FILE);
    let none = || IdentityError::NotADataFolder {
        path: path.to_owned(),
    };
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(none()),
        Err(source) => return Err(failed("read", &file)(source)),
    };
    let format = text.trim().strip_prefix(FORMAT_PREFIX).unwrap_or_default();
    match format.parse::<u32>() {
        Ok(format) if format <= FORMAT => Ok(()),
        Ok(_) => Err(IdentityError::FormatTooNew {
            path: path.to_owned(),
            format: format.chars().take(16).collect(),
            supported: FORMAT,
        }),
        Err(_) => Err(none()),
    }
}

/// Ids of the organizations in a data folder, in order.
pub(crate) fn organizations_in(path: &Path) -> Result<Vec<OrganizationId>, IdentityError> {
    let names = names_in(path)?;
    let mut ids: Vec<OrganizationId> = names
        .iter()
        .filter_map(|name| OrganizationId::parse(name))
        .collect();
    ids.sort();
    Ok(ids)
}

/// Folder of an organization in a data folder.
pub(crate) fn organization_folder(path: &Path, id: &OrganizationId) -> PathBuf {
    path.join(ORGANIZATIONS).join(id.as_str())
}

fn names_in(path: &Path) -> Result<Vec<String>, IdentityError> {
    let path = path.join(ORGANIZATIONS);
    let entries = fs::read_dir(&path).map_err(failed("read", &path))?;
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
    names
        .collect::<io::Result<_>>()
        .map_err(failed("read", &path))
}

/// Takes back what `init` made when it fails half-way.
#[derive(Debug)]
pub(crate) struct UndoOnFailure {
    path: PathBuf,
    /// Whether the folder itself was there before, empty.
    existed: bool,
    key: Option<PathBuf>,
    done: bool,
}

impl UndoOnFailure {
    /// The master key file was made too.
    pub(crate) fn with_key(&mut self, key: &Path) {
        self.key = Some(key.to_owned());
    }

    /// All went well: nothing is taken back.
    pub(crate) fn keep(mut self) {
        self.done = true;
    }
}

impl Drop for UndoOnFailure {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // The error that is being reported matters more than one of these.
        if let Some(key) = &self.key {
            let _ = fs::remove_file(key);
        }
        if !self.existed {
            let _ = fs::remove_dir_all(&self.path);
            return;
        }
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name() != LOST_AND_FOUND) {
            let path = entry.path();
            let _ = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
        }
    }
}

pub(crate) fn failed<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> IdentityError + 'a {
    move |source| IdentityError::File {
        action,
        path: path.to_owned(),
        source,
    }
}

pub(crate) fn sync(path: &Path) -> Result<(), IdentityError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(failed("sync", path))
}
