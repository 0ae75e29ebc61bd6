// SPDX-License-Identifier: Apache-2.0
//! Files that only holders of the organization's keys can write: a code over purpose and content.
//!
//! Everything in a data folder that is read back and is neither the journal nor the key store is
//! sealed in this way. Small files go through [`write`] and [`read`]; large ones keep codes of
//! their parts by [`FileSeal`] themselves.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::private;

/// Length of a code in bytes.
pub const TAG_BYTES: usize = 32;
/// A code.
pub type Tag = [u8; TAG_BYTES];

const MAGIC: &[u8; 8] = b"DWSEAL1\0";

/// Makes codes with a key of the organization.
pub trait FileSeal: Send + Sync + Debug {
    /// The code of a message in parts, for one purpose. Implementations take in the length of
    /// every part, so that no two messages read the same.
    fn tag(&self, purpose: &str, parts: &[&[u8]]) -> Tag;

    /// Whether a code is that of a message, in a time that does not tell how much of it fits.
    fn is_tag(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool;
}

/// Replaces a file by a sealed one. `purpose` says what it is for and of what; the same content
/// is not accepted for another purpose.
pub fn write(path: &Path, seal: &dyn FileSeal, purpose: &str, content: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(MAGIC.len() + TAG_BYTES + content.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&seal.tag(purpose, &[content]));
    bytes.extend_from_slice(content);
    private::replace(path, &bytes)
}

/// The content of a sealed file of at most `bytes_max` bytes. One that is not sealed, or for
/// another purpose or organization, is [`io::ErrorKind::InvalidData`].
pub fn read(
    path: &Path,
    seal: &dyn FileSeal,
    purpose: &str,
    bytes_max: u64,
) -> io::Result<Vec<u8>> {
    let wrong = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
    let head = (MAGIC.len() + TAG_BYTES) as u64;
    let mut bytes = Vec::new();
    File::open(path)?
        .take(bytes_max.saturating_add(head).saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max.saturating_add(head) {
        return Err(wrong("it is larger than any such file"));
    }
    let sealed = bytes
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.split_first_chunk::<TAG_BYTES>());
    let (tag, content) = sealed.ok_or_else(|| wrong("it is not a sealed file"))?;
    if !seal.is_tag(purpose, &[content], tag) {
        return Err(wrong(
            "it was not written by this organization for this purpose",
        ));
    }
    Ok(content.to_vec())
}

/// A seal for tests: its code is a keyed digest.
#[cfg(any(test, feature = "testing"))]
#[derive(Clone, Debug, Default)]
pub struct TestSeal(
    /// Its secret.
    pub u64,
);

#[cfg(any(test, feature = "testing"))]
impl FileSeal for TestSeal {
    fn tag(&self, purpose: &str, parts: &[&[u8]]) -> Tag {
        use sha2::Digest;
        let mut hasher = sha2::Sha256::new();
        hasher.update(self.0.to_be_bytes());
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    fn is_tag(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.tag(purpose, parts) == tag
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_whole_with_its_key_and_for_its_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let seal = TestSeal(1);
        write(&path, &seal, "job 7", b"content").unwrap();
        assert_eq!(read(&path, &seal, "job 7", 7).unwrap(), b"content");
        let refused = |seal: &TestSeal, purpose: &str, bytes_max| {
            let error = read(&path, seal, purpose, bytes_max).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        };
        refused(&seal, "job 7", 6);
        refused(&seal, "job 8", 7);
        refused(&TestSeal(2), "job 7", 7);
        let whole = std::fs::read(&path).unwrap();
        for position in 0..whole.len() {
            let mut altered = whole.clone();
            altered[position] ^= 1;
            std::fs::write(&path, &altered).unwrap();
            refused(&seal, "job 7", 7);
            std::fs::write(&path, &whole[..position]).unwrap();
            refused(&seal, "job 7", 7);
        }
    }
}
