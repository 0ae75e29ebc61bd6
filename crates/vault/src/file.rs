// SPDX-License-Identifier: Apache-2.0
//! Small files that must be whole, private and durable.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use durward_journal::private;

use crate::VaultError;

/// Largest file that is written and read: a key store with keys for some ten thousand subjects.
pub(crate) const FILE_BYTES_MAX: u64 = 64 << 20;

pub(crate) fn failed<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> VaultError + 'a {
    move |source| VaultError::File {
        action,
        path: path.to_owned(),
        source,
    }
}

/// Refuses to write what would not be read back.
fn check_size(path: &Path, content: &[u8]) -> Result<(), VaultError> {
    if content.len() as u64 <= FILE_BYTES_MAX {
        return Ok(());
    }
    Err(failed("write", path)(io::ErrorKind::FileTooLarge.into()))
}

/// Writes a file that must not exist yet.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<(), VaultError> {
    check_size(path, content)?;
    let mut file = private::create_new(path).map_err(failed("create", path))?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if let Err(source) = written {
        // The error that matters is the first one; a half-written key file must not stay.
        let _ = fs::remove_file(path);
        return Err(failed("write", path)(source));
    }
    private::sync_folder_of(path).map_err(failed("sync", path))
}

/// Replaces a file by a whole new one: after a crash either the old or the new content is there.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), VaultError> {
    check_size(path, content)?;
    private::replace(path, content).map_err(failed("replace", path))
}

/// The content of a file of at most [`FILE_BYTES_MAX`] bytes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, VaultError> {
    let size = fs::metadata(path).map_err(failed("read", path))?.len();
    if size > FILE_BYTES_MAX {
        let reason = format!("it has {size} bytes; at most {FILE_BYTES_MAX} are read");
        return Err(VaultError::StoreDamaged {
            path: path.to_owned(),
            reason,
        });
    }
    fs::read(path).map_err(failed("read", path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_be_read_back_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        create(&path, b"small").unwrap();
        let large = vec![0; FILE_BYTES_MAX as usize + 1];
        assert!(replace(&path, &large).is_err());
        assert!(create(&folder.path().join("other"), &large).is_err());
        assert_eq!(read(&path).unwrap(), b"small");
    }
}
