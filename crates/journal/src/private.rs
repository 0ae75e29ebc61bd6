// SPDX-License-Identifier: Apache-2.0
//! Files and folders that nobody but their owner may read: everything in a data folder, a backup
//! and beside them is made here.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Mode of files.
pub const FILE_MODE: u32 = 0o600;
/// Mode of folders.
pub const FOLDER_MODE: u32 = 0o700;
/// Folder that file systems keep at their root.
const LOST_AND_FOUND: &str = "lost+found";
/// Bits that say what a mode allows.
const MODE_BITS: u32 = 0o7777;

/// How files are opened for writing: a new one is private from its first moment.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(FILE_MODE);
    options
}

/// Makes a file, or empties the one that is there.
pub fn create(path: &Path) -> io::Result<File> {
    let file = options().create(true).truncate(true).open(path)?;
    close(&file, FILE_MODE)?;
    Ok(file)
}

/// Makes a file that must not be there yet.
pub fn create_new(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// Makes a folder and those above it that are missing.
pub fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)
}

/// Makes a folder that must not be there yet, in one that must.
pub fn create_new_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(path)
}

/// Replaces a file by a whole new one: after a crash either the old or the new content is there.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_by_parts(path, std::iter::once(content))
}

/// As [`replace`], with content in parts that follow each other.
pub fn replace_by_parts<'a>(
    path: &Path,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> io::Result<()> {
    let mut name = OsString::from(path.as_os_str());
    name.push(".new");
    let fresh = Path::new(&name);
    let mut file = create(fresh)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(fresh, path)?;
    sync_folder_of(path)
}

/// Makes the entry of a file in its folder durable.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// Takes from others what an earlier release or a copy let them do, in a folder and all below it.
/// Answers what could not be closed: a mount may belong to somebody else, and what is not ours is
/// left as it is.
pub fn close_folder(folder: &Path) -> Vec<(PathBuf, io::Error)> {
    let mut open = Vec::new();
    close_below(folder, &mut open);
    open
}

fn close_below(folder: &Path, open: &mut Vec<(PathBuf, io::Error)>) {
    let mut note = |path: &Path, result: io::Result<()>| match result {
        Ok(()) => {}
        // It went meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => open.push((path.to_owned(), error)),
    };
    note(
        folder,
        File::open(folder).and_then(|file| close(&file, FOLDER_MODE)),
    );
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return note(folder, Err(error)),
    };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            // A file system's own, where the data folder is its root.
            Ok(kind) if kind.is_dir() && entry.file_name() == LOST_AND_FOUND => {}
            Ok(kind) if kind.is_dir() => folders.push(path),
            Ok(kind) if kind.is_file() => note(&path, close_file(&path)),
            Ok(_) => {}
            Err(error) => note(&path, Err(error)),
        }
    }
    for path in folders {
        close_below(&path, open);
    }
}

/// As [`close_folder`] for one file.
pub fn close_file(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode() & MODE_BITS;
    if mode & !FILE_MODE == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode & FILE_MODE))
}

fn close(file: &File, mode: u32) -> io::Result<()> {
    let found = file.metadata()?.permissions().mode() & MODE_BITS;
    if found & !mode == 0 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(found & mode))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_or_closed_is_the_owners_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("a/b");
        create_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        let file = folder.join("file");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        drop(create(&file).unwrap());
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        replace(&file, b"new").unwrap();
        assert_eq!(
            (mode(&file), fs::read(&file).unwrap()),
            (0o600, b"new".to_vec())
        );
        assert!(create_new(&file).is_err());
        fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert!(close_folder(temporary.path()).is_empty());
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o400));
    }
}
