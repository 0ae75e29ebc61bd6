// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with keys and sealed values.

use std::io;
use std::path::PathBuf;

use durward_model::ErrorKind;

/// An error of the vault. Paths and key fingerprints may be shown to operators; no variant holds
/// key material.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no master key file.
    #[error(
        "the master key file {} is missing; put it back, or name it in DURWARD_MASTER_KEY_FILE",
        path.display()
    )]
    MasterKeyMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A new master key would replace a file.
    #[error(
        "the master key file {} exists already and is never overwritten; move it or name another",
        path.display()
    )]
    MasterKeyExists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or change the key file.
    #[error(
        "the master key file {} is open to others (mode {mode:04o}); run: chmod 600 {}",
        path.display(), path.display()
    )]
    MasterKeyTooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file lies where backups would take it along.
    #[error("the master key file {} lies inside the data folder; keep it outside", path.display())]
    MasterKeyInsideData {
        /// The file.
        path: PathBuf,
    },
    /// The key file is not one.
    #[error("the master key file {} is not usable: {reason}", path.display())]
    MasterKeyMalformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the content.
        reason: &'static str,
    },
    /// The key file holds another key than the one that sealed this data.
    #[error(
        "the data was sealed under master key {needed}, which the master key file {} does not hold",
        path.display()
    )]
    MasterKeyWrong {
        /// Fingerprint of the key that is needed.
        needed: String,
        /// The file that was used.
        path: PathBuf,
    },
    /// A folder name from which no key file name can be made.
    #[error("{} cannot be a data folder", path.display())]
    NoFolderName {
        /// The folder.
        path: PathBuf,
    },
    /// A file of sealed keys is not readable as one.
    #[error("the key store {} is damaged: {reason}", path.display())]
    StoreDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of sealed keys of a newer release.
    #[error(
        "the key store {} has format {format}; this release reads up to {supported}",
        path.display()
    )]
    StoreTooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// The newest readable format.
        supported: u32,
    },
    /// A sealed value was altered, or belongs to another organization or purpose.
    #[error("a sealed value does not open: it was altered or belongs elsewhere")]
    Sealed,
    /// The key of a sealed value is not there any more.
    #[error(
        "the data key {key} of a sealed value does not exist; its subject may have been erased"
    )]
    KeyErased {
        /// Number of the key.
        key: u32,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The cryptographic library refused.
    #[error("the cryptographic library failed to {action}")]
    Crypto {
        /// What was tried.
        action: &'static str,
    },
}

impl VaultError {
    /// The kind that a dialect maps to its status.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::MasterKeyMissing { .. }
            | Self::MasterKeyTooOpen { .. }
            | Self::MasterKeyInsideData { .. }
            | Self::MasterKeyMalformed { .. }
            | Self::MasterKeyWrong { .. }
            | Self::NoFolderName { .. } => ErrorKind::Invalid,
            Self::MasterKeyExists { .. } => ErrorKind::AlreadyExists,
            Self::KeyErased { .. } => ErrorKind::NotFound,
            Self::StoreTooNew { .. } => ErrorKind::Unsupported,
            Self::StoreDamaged { .. } | Self::Sealed | Self::File { .. } | Self::Crypto { .. } => {
                ErrorKind::Internal
            }
        }
    }
}
