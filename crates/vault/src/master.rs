// SPDX-License-Identifier: Apache-2.0
//! The master key file: a text file of one line a key, newest last.
//!
//! There is one key, and two while a rotation is under way: the old one stays until every data key
//! is wrapped under the new one, so that a crash at any moment leaves all data readable.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize as _, Zeroizing};

use crate::seal::{self, KEY_BYTES, Key};
use crate::{Secret, VaultError, digest, file};

/// Environment variable that names another master key file.
pub const MASTER_KEY_FILE_VARIABLE: &str = "DURWARD_MASTER_KEY_FILE";

const HEADER: &str = "durward master key 1";
const OTHERS_MASK: u32 = 0o077;
const FINGERPRINT_BYTES: usize = 8;
/// A rotation leaves two; a third means that something else wrote the file.
const KEYS_MAX: usize = 2;

/// The keys of a master key file.
pub struct MasterKeys {
    path: PathBuf,
    keys: Vec<MasterKey>,
}

struct MasterKey {
    fingerprint: String,
    key: Key,
}

impl MasterKeys {
    /// Where the master key of a data folder lies: the configured file, else `FOLDER.key` beside
    /// the folder. Refused is a file inside the folder, where every backup would take it along.
    pub fn path_for(data: &Path, configured: Option<&Path>) -> Result<PathBuf, VaultError> {
        let folder = absolute(data)?;
        let path = if let Some(path) = configured {
            absolute(path)?
        } else {
            let no_name = || VaultError::NoFolderName {
                path: data.to_owned(),
            };
            let mut name = folder.file_name().ok_or_else(no_name)?.to_owned();
            name.push(".key");
            folder.with_file_name(name)
        };
        if path.starts_with(&folder) {
            return Err(VaultError::MasterKeyInsideData { path });
        }
        Ok(path)
    }

    /// Makes the file with a new key; a file that is there already is left alone and refused.
    pub fn create(path: &Path) -> Result<Self, VaultError> {
        if path.symlink_metadata().is_ok() {
            return Err(VaultError::MasterKeyExists {
                path: path.to_owned(),
            });
        }
        let keys = Self {
            path: path.to_owned(),
            keys: vec![MasterKey::new(seal::new_key()?)],
        };
        file::create(path, keys.to_text().as_bytes())?;
        Ok(keys)
    }

    /// Reads the file.
    pub fn load(path: &Path) -> Result<Self, VaultError> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(VaultError::MasterKeyMissing {
                    path: path.to_owned(),
                });
            }
            Err(source) => return Err(file::failed("read", path)(source)),
        };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OTHERS_MASK != 0 {
            return Err(VaultError::MasterKeyTooOpen {
                path: path.to_owned(),
                mode,
            });
        }
        let malformed = |reason| VaultError::MasterKeyMalformed {
            path: path.to_owned(),
            reason,
        };
        let bytes = Zeroizing::new(file::read(path)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is not text"))?;
        let mut lines = text.lines();
        if lines.next().map(str::trim_end) != Some(HEADER) {
            return Err(malformed(
                "its first line is not the one of a master key file",
            ));
        }
        let lines = lines
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys = lines
            .map(MasterKey::parse)
            .collect::<Result<Vec<_>, _>>()
            .map_err(malformed)?;
        match keys.len() {
            0 => Err(malformed("it holds no key")),
            1..=KEYS_MAX => Ok(Self {
                path: path.to_owned(),
                keys,
            }),
            _ => Err(malformed("it holds more keys than a rotation leaves")),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fingerprint of the newest key.
    pub fn fingerprint(&self) -> &str {
        self.keys.last().map_or("", |key| key.fingerprint.as_str())
    }

    /// Whether an earlier rotation was cut off.
    pub fn is_rotating(&self) -> bool {
        self.keys.len() > 1
    }

    /// Adds a new key to the file and returns all keys; continues a rotation that was cut off.
    /// Every data key must be wrapped anew before [`MasterKeys::finish_rotation`].
    pub fn begin_rotation(&self) -> Result<Self, VaultError> {
        let mut keys: Vec<MasterKey> = self.keys.iter().map(MasterKey::copy).collect();
        if !self.is_rotating() {
            keys.push(MasterKey::new(seal::new_key()?));
        }
        let rotating = Self {
            path: self.path.clone(),
            keys,
        };
        file::replace(&self.path, rotating.to_text().as_bytes())?;
        Ok(rotating)
    }

    /// Drops every key but the newest from the file.
    pub fn finish_rotation(&self) -> Result<Self, VaultError> {
        let newest = self
            .keys
            .iter()
            .rev()
            .take(1)
            .map(MasterKey::copy)
            .collect();
        let finished = Self {
            path: self.path.clone(),
            keys: newest,
        };
        file::replace(&self.path, finished.to_text().as_bytes())?;
        Ok(finished)
    }

    pub(crate) fn current(&self) -> Result<&Key, VaultError> {
        self.by_fingerprint(self.fingerprint())
    }

    pub(crate) fn by_fingerprint(&self, fingerprint: &str) -> Result<&Key, VaultError> {
        let found = self.keys.iter().find(|key| key.fingerprint == fingerprint);
        found
            .map(|key| &key.key)
            .ok_or_else(|| VaultError::MasterKeyWrong {
                needed: fingerprint.chars().take(2 * FINGERPRINT_BYTES).collect(),
                path: self.path.clone(),
            })
    }

    fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!("{HEADER}\n"));
        text.push_str("# Without this file the data folder cannot be read. Keep a copy, but not\n");
        text.push_str("# together with copies of the data.\n");
        for key in &self.keys {
            let encoded = Zeroizing::new(STANDARD.encode(key.key.expose()));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {}", key.fingerprint, encoded.as_str());
        }
        text
    }
}

impl MasterKey {
    fn new(key: Key) -> Self {
        let mut input = b"durward master key fingerprint".to_vec();
        input.extend_from_slice(key.expose());
        let hash = digest::sha256(&input);
        input.zeroize();
        let fingerprint = digest::hex(hash.get(..FINGERPRINT_BYTES).unwrap_or_default());
        Self { fingerprint, key }
    }

    fn copy(&self) -> Self {
        Self {
            fingerprint: self.fingerprint.clone(),
            key: self.key.clone(),
        }
    }

    fn parse(line: &str) -> Result<Self, &'static str> {
        let (fingerprint, encoded) = line
            .split_once(' ')
            .ok_or("a line is not a fingerprint and a key")?;
        let decoded = STANDARD
            .decode(encoded.trim())
            .map_err(|_| "a key is not base64")?;
        let decoded = Zeroizing::new(decoded);
        let bytes: [u8; KEY_BYTES] = decoded
            .as_slice()
            .try_into()
            .map_err(|_| "a key has not 32 bytes")?;
        let key = Self::new(Secret::new(bytes));
        if key.fingerprint != fingerprint {
            return Err("a key does not fit its fingerprint");
        }
        Ok(key)
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("MasterKeys");
        debug
            .field("path", &self.path)
            .field("fingerprint", &self.fingerprint());
        debug.finish_non_exhaustive()
    }
}

/// The path with its folders resolved; the last part need not exist.
fn absolute(path: &Path) -> Result<PathBuf, VaultError> {
    if let Ok(resolved) = path.canonicalize() {
        return Ok(resolved);
    }
    let plain = std::path::absolute(path).map_err(file::failed("find", path))?;
    match (
        plain.parent().and_then(|folder| folder.canonicalize().ok()),
        plain.file_name(),
    ) {
        (Some(folder), Some(name)) => Ok(folder.join(name)),
        _ => Ok(plain),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn lies_beside_the_folder() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        let data = root.join("data");
        assert_eq!(
            MasterKeys::path_for(&data, None).unwrap(),
            root.join("data.key")
        );
        fs::create_dir(&data).unwrap();
        let dotted = data.join(".");
        assert_eq!(
            MasterKeys::path_for(&dotted, None).unwrap(),
            root.join("data.key")
        );
        let inside = data.join("k");
        let error = MasterKeys::path_for(&data, Some(&inside)).unwrap_err();
        assert!(matches!(error, VaultError::MasterKeyInsideData { .. }));
        assert!(MasterKeys::path_for(Path::new("/"), None).is_err());
    }

    #[test]
    fn is_private_and_never_overwritten() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a.key");
        let missing = MasterKeys::load(&path).unwrap_err();
        assert!(matches!(missing, VaultError::MasterKeyMissing { .. }));
        let made = MasterKeys::create(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let content = fs::read(&path).unwrap();
        assert!(matches!(
            MasterKeys::create(&path),
            Err(VaultError::MasterKeyExists { .. })
        ));
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(
            MasterKeys::load(&path).unwrap().fingerprint(),
            made.fingerprint()
        );
        chmod(&path, 0o640);
        let error = MasterKeys::load(&path).unwrap_err();
        assert!(error.to_string().contains("mode 0640"), "{error}");
        chmod(&path, 0o400);
        assert!(MasterKeys::load(&path).is_ok());
    }

    #[test]
    fn damaged_files_are_named() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a.key");
        MasterKeys::create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let last = text.lines().last().unwrap().to_owned();
        for broken in [
            String::new(),
            "something else\n".to_owned(),
            format!("{HEADER}\n"),
            format!("{HEADER}\nzzz\n"),
            format!(
                "{HEADER}\n0000000000000000 {}\n",
                last.split_once(' ').unwrap().1
            ),
            format!("{HEADER}\n{last}\n{last}\n{last}\n"),
        ] {
            fs::write(&path, broken).unwrap();
            let error = MasterKeys::load(&path).unwrap_err();
            assert!(
                matches!(error, VaultError::MasterKeyMalformed { .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn debug_output_has_no_key() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a.key");
        let keys = MasterKeys::create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let encoded = text.lines().last().unwrap().split_once(' ').unwrap().1;
        assert!(!format!("{keys:?}").contains(encoded));
    }
}
