// SPDX-License-Identifier: Apache-2.0
//! The heads that the journals had, remembered outside the data folder: `DIR.head` beside it, or
//! the file that is configured. An older copy of the folder does not pass for the present one.
//!
//! One file has an entry for each organization, sealed with the organization's key: the last
//! transaction that a checkpoint or a stop covered, and how often the key store was written. What
//! was committed after that is not remembered, and no file at all remembers nothing.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_graph::store::Store;
use durward_journal::private;
use durward_model::transaction::{Hash, Sequence};
use durward_vault::{Vault, digest};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{IdentityError, OrganizationId};

const FORMAT: u32 = 1;
const PURPOSE: &str = "remembered head";
/// A hundred thousand organizations.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// Where heads are remembered, and whether an older copy may be gone on with.
#[derive(Clone, Debug, Default)]
pub struct HeadOptions {
    /// The file, when it is not `DIR.head` beside the data folder.
    pub file: Option<PathBuf>,
    /// Go on with data that is older than what was remembered, and remember it instead.
    pub accept_rollback: bool,
}

/// The file and what stands in it.
#[derive(Debug)]
pub(crate) struct KnownHeads {
    path: PathBuf,
    accept_rollback: bool,
    entries: Mutex<BTreeMap<String, Entry>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFile {
    format: u32,
    organizations: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    sequence: u64,
    hash: String,
    /// How often the key store was written.
    keys: u64,
    seal: String,
}

impl Entry {
    fn new(id: &OrganizationId, vault: &Vault, sequence: Sequence, hash: &Hash) -> Self {
        let mut entry = Self {
            sequence: sequence.0,
            hash: digest::hex(hash),
            keys: vault.generation(),
            seal: String::new(),
        };
        let parts = entry.parts(id);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        entry.seal = STANDARD.encode(vault.file_seal().tag(PURPOSE, &parts));
        entry
    }

    fn parts(&self, id: &OrganizationId) -> [Vec<u8>; 4] {
        [
            id.as_str().as_bytes().to_vec(),
            self.sequence.to_be_bytes().to_vec(),
            self.hash.as_bytes().to_vec(),
            self.keys.to_be_bytes().to_vec(),
        ]
    }

    fn is_sealed(&self, id: &OrganizationId, vault: &Vault) -> bool {
        let parts = self.parts(id);
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let seal = STANDARD.decode(&self.seal).unwrap_or_default();
        vault.file_seal().is_tag(PURPOSE, &parts, &seal)
    }

    /// What shows that the data is not what this entry remembers.
    fn contradiction(
        &self,
        id: &OrganizationId,
        vault: &Vault,
        store: &Store,
    ) -> Result<Option<String>, IdentityError> {
        if !self.is_sealed(id, vault) {
            let what = format!("what is remembered of organization {id} was altered");
            return Ok(Some(what));
        }
        let (found, remembered) = (store.head().0.0, self.sequence);
        if found < remembered {
            return Ok(Some(format!(
                "the journal of organization {id} ends at transaction {found}, and it had \
                 transaction {remembered}"
            )));
        }
        let hash = match Sequence(remembered) {
            Sequence(0) => Some(Hash::default()),
            sequence => store.hash_at(sequence)?,
        };
        if hash.is_none_or(|hash| digest::hex(&hash) != self.hash) {
            return Ok(Some(format!(
                "transaction {remembered} of organization {id} is another one than it was"
            )));
        }
        let (found, remembered) = (vault.generation(), self.keys);
        if found < remembered {
            return Ok(Some(format!(
                "the key store of organization {id} is of writing {found}, and there was writing \
                 {remembered}"
            )));
        }
        Ok(None)
    }
}

impl KnownHeads {
    /// Where the heads of a data folder are remembered.
    pub(crate) fn path_for(
        data: &Path,
        configured: Option<&Path>,
    ) -> Result<PathBuf, IdentityError> {
        let failed = crate::data_folder::failed("find", data);
        let folder = std::path::absolute(data).map_err(failed)?;
        if let Some(path) = configured {
            if std::path::absolute(path).is_ok_and(|path| path.starts_with(&folder)) {
                let why = "must lie outside the data folder, or it is rolled back together with it";
                return Err(IdentityError::input("the file of remembered heads", why));
            }
            return Ok(path.to_owned());
        }
        let mut name = folder
            .file_name()
            .map_or_else(OsString::new, OsString::from);
        name.push(".head");
        Ok(folder.with_file_name(name))
    }

    /// Nothing remembered, and nothing ever is: for organizations that are being made.
    pub(crate) fn none() -> Self {
        Self {
            path: PathBuf::new(),
            accept_rollback: false,
            entries: Mutex::default(),
        }
    }

    /// Reads the file; one that is not there remembers nothing.
    pub(crate) fn load(data: &Path, options: &HeadOptions) -> Result<Self, IdentityError> {
        let path = Self::path_for(data, options.file.as_deref())?;
        let entries = match read(&path) {
            Ok(entries) => entries,
            Err(why) if options.accept_rollback => {
                tracing::warn!(%why, file = %path.display(), "the remembered heads are given up");
                BTreeMap::new()
            }
            Err(why) => {
                let what = format!("the remembered heads cannot be read: {why}");
                return Err(IdentityError::RolledBack { what, file: path });
            }
        };
        Ok(Self {
            path,
            accept_rollback: options.accept_rollback,
            entries: Mutex::new(entries),
        })
    }

    /// The organizations that were there and are not in the folder any more, each with the error
    /// that says so.
    pub(crate) fn missing<T>(
        &self,
        there: &[OrganizationId],
    ) -> Vec<(OrganizationId, Result<T, IdentityError>)> {
        let mut entries = self.entries.lock();
        let known = entries
            .keys()
            .filter_map(|name| OrganizationId::parse(name));
        let missing: Vec<OrganizationId> = known.filter(|id| !there.contains(id)).collect();
        let mut found = Vec::new();
        let before = entries.len();
        for id in missing {
            let what = format!("organization {id} is not in the data folder any more");
            match self.judge(what) {
                Ok(()) => drop(entries.remove(id.as_str())),
                Err(error) => found.push((id, Err(error))),
            }
        }
        if entries.len() < before {
            self.write(&entries);
        }
        found
    }

    /// Refuses an organization whose data contradicts what is remembered of it.
    pub(crate) fn check(
        &self,
        id: &OrganizationId,
        vault: &Vault,
        store: &Store,
    ) -> Result<(), IdentityError> {
        let known = self.entries.lock().get(id.as_str()).cloned();
        let contradiction = match &known {
            Some(entry) => entry.contradiction(id, vault, store)?,
            None => None,
        };
        if let Some(what) = &contradiction {
            self.judge(what.clone())?;
        }
        if known.is_none() || contradiction.is_some() {
            let (sequence, hash) = store.head();
            self.remember(id, vault, sequence, &hash);
        }
        Ok(())
    }

    fn judge(&self, what: String) -> Result<(), IdentityError> {
        if self.accept_rollback {
            tracing::warn!(%what, "an older copy of the data is accepted");
            return Ok(());
        }
        Err(IdentityError::RolledBack {
            what,
            file: self.path.clone(),
        })
    }

    /// Remembers a head. That it cannot is told in the log and stops nothing: the folder around a
    /// data folder need not be writable.
    pub(crate) fn remember(
        &self,
        id: &OrganizationId,
        vault: &Vault,
        sequence: Sequence,
        hash: &Hash,
    ) {
        let entry = Entry::new(id, vault, sequence, hash);
        let mut entries = self.entries.lock();
        if entries.get(id.as_str()) != Some(&entry) {
            entries.insert(id.as_str().to_owned(), entry);
            self.write(&entries);
        }
    }

    /// Remembers an organization no more, which is about to be deleted.
    pub(crate) fn forget(&self, id: &OrganizationId) {
        let mut entries = self.entries.lock();
        if entries.remove(id.as_str()).is_some() {
            self.write(&entries);
        }
    }

    fn write(&self, entries: &BTreeMap<String, Entry>) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        let file = HeadFile {
            format: FORMAT,
            organizations: entries.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&file).map_err(std::io::Error::other);
        if let Err(error) = bytes.and_then(|bytes| private::replace(&self.path, &bytes)) {
            tracing::warn!(
                %error, file = %self.path.display(),
                "the head cannot be remembered: an older copy of the data would go unnoticed"
            );
        }
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Entry>, String> {
    let size = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.to_string()),
    };
    if size > FILE_BYTES_MAX {
        return Err(format!("the file has {size} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let file: HeadFile = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if file.format != FORMAT {
        return Err(format!("the file has format {}", file.format));
    }
    Ok(file.organizations)
}
