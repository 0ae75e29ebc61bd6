// SPDX-License-Identifier: Apache-2.0
//! The vault of one organization.

mod signing;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use durward_journal::FileSeal;
use parking_lot::{Mutex, RwLock};

use self::signing::{HEAD_KEY, Signing, TOKEN_KEYS, add_signing_key, open_head_keys};
use crate::file_seal::FileSealKey;
use crate::head::HeadKey;
use crate::keys::{KEY_STORE_FILE, KeyStore, ORGANIZATION_KEY};
use crate::seal::{self, Key};
use crate::{HeadKeys, MasterKeys, Secret, VaultError, random};

pub use self::signing::TokenSort;

const ID_SECRET: &str = "object ids";
const DERIVATION_SECRET: &str = "derivation";
const FILE_SEAL: &str = "files of the data folder";
/// Length of derived keys and of the id secret in bytes.
const SECRET_BYTES: usize = 32;

/// Seals and opens the secrets of one organization and holds its signing keys.
pub struct Vault {
    organization: String,
    path: PathBuf,
    keys: RwLock<Keys>,
    /// Held while the file is rewritten, so that seal and open never wait for the disk.
    write: Mutex<()>,
    id_secret: [u8; SECRET_BYTES],
    derivation: hmac::Key,
    head_key: Arc<HeadKeys>,
    file_seal: Arc<FileSealKey>,
    signing: RwLock<Signing>,
}

struct Keys {
    store: KeyStore,
    open: BTreeMap<u32, Key>,
    master: Arc<MasterKeys>,
}

impl Vault {
    /// Makes the key store of a new organization in its folder.
    pub fn create(
        folder: &Path,
        organization: &str,
        master: &Arc<MasterKeys>,
    ) -> Result<Self, VaultError> {
        let mut store = KeyStore::new(organization, master)?;
        let keys = store.open_keys(master)?;
        let own = keys.get(&ORGANIZATION_KEY).ok_or(VaultError::Sealed)?;
        let plain: [(String, Secret<Vec<u8>>); 3] = [
            (
                ID_SECRET.to_owned(),
                Secret::new(random::bytes::<SECRET_BYTES>()?.to_vec()),
            ),
            (
                DERIVATION_SECRET.to_owned(),
                Secret::new(random::bytes::<SECRET_BYTES>()?.to_vec()),
            ),
            (HEAD_KEY.to_owned(), HeadKey::generate()?),
        ];
        for (name, content) in plain {
            let context = secret_context(organization, &name);
            let sealed = seal::seal(own, ORGANIZATION_KEY, &context, content.expose())?;
            store.set_secret(name, &sealed);
        }
        for (prefix, algorithm) in TOKEN_KEYS {
            add_signing_key(&mut store, own, prefix, algorithm)?;
        }
        store.write(&folder.join(KEY_STORE_FILE), own)?;
        Self::open(folder, organization, master)
    }

    /// Opens the key store in the folder of an organization.
    pub fn open(
        folder: &Path,
        organization: &str,
        master: &Arc<MasterKeys>,
    ) -> Result<Self, VaultError> {
        let path = folder.join(KEY_STORE_FILE);
        let mut store = KeyStore::read(&path, organization)?;
        let keys = store.open_keys(master)?;
        let own = keys.get(&ORGANIZATION_KEY).ok_or(VaultError::Sealed)?;
        if store.is_unsealed() {
            store = store.upgrade(&keys, master)?;
            store.write(&path, own)?;
        }
        store.check_seal(&path, own)?;
        let id_secret = open_secret(&store, own, ID_SECRET)?;
        let derivation = open_secret(&store, own, DERIVATION_SECRET)?;
        let derivation = hmac::Key::new(hmac::HMAC_SHA256, derivation.expose());
        let head_key = open_head_keys(&store, own)?;
        // Stores of earlier releases have no keys for granted tokens.
        let (prefix, algorithm) = TokenSort::Grant.keys();
        if store.secret_names(prefix).is_empty() {
            add_signing_key(&mut store, own, prefix, algorithm)?;
            store.write(&path, own)?;
        }
        let signing = Signing::open(&store, own)?;
        Ok(Self {
            organization: organization.to_owned(),
            path,
            id_secret: id_secret
                .expose()
                .as_slice()
                .try_into()
                .map_err(|_| VaultError::Sealed)?,
            file_seal: Arc::new(FileSealKey::new(&derive(&derivation, FILE_SEAL))),
            derivation,
            head_key: Arc::new(head_key),
            signing: RwLock::new(signing),
            keys: RwLock::new(Keys {
                store,
                open: keys,
                master: Arc::clone(master),
            }),
            write: Mutex::new(()),
        })
    }

    /// Seals a value under the organization's key. It opens only with the same `context`, which
    /// names what the value is for and whose it is.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.seal_with(ORGANIZATION_KEY, context, plain)
    }

    /// Opens a sealed value.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        let number = seal::key_number(sealed)?;
        let keys = self.keys.read();
        let key = keys
            .open
            .get(&number)
            .ok_or(VaultError::KeyErased { key: number })?;
        seal::open(key, &value_context(&self.organization, context), sealed)
    }

    /// Seals a value under the key of one subject (a person), made on first use.
    /// [`Vault::erase_subject`] makes all such values unreadable at once.
    pub fn seal_for_subject(
        &self,
        subject: &str,
        context: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let known = self.keys.read().store.key_of(subject);
        let number = match known {
            Some(number) => number,
            None => self.add_subject(subject)?,
        };
        self.seal_with(number, context, plain)
    }

    /// Destroys the key of a subject. Copies of the key store made before still hold it.
    /// Says whether there was one.
    pub fn erase_subject(&self, subject: &str) -> Result<bool, VaultError> {
        let _writing = self.write.lock();
        let mut store = self.keys.read().store.clone();
        if subject.is_empty() {
            return Ok(false);
        }
        let Some(number) = store.remove_key(subject) else {
            return Ok(false);
        };
        self.write_store(&mut store)?;
        let mut keys = self.keys.write();
        keys.open.remove(&number);
        keys.store = store;
        Ok(true)
    }

    /// Wraps every data key under the newest master key and keeps to `master` from now on.
    pub fn rewrap(&self, master: &Arc<MasterKeys>) -> Result<(), VaultError> {
        let _writing = self.write.lock();
        let mut rewrapped = {
            let keys = self.keys.read();
            keys.store.rewrap(&keys.open, master)?
        };
        self.write_store(&mut rewrapped)?;
        let mut keys = self.keys.write();
        keys.store = rewrapped;
        keys.master = Arc::clone(master);
        Ok(())
    }

    /// Keeps to `master`, whose newest key wraps everything already (the end of a rotation).
    pub fn use_master(&self, master: &Arc<MasterKeys>) {
        self.keys.write().master = Arc::clone(master);
    }

    /// The secret that makes this organization's object ids.
    pub fn id_secret(&self) -> [u8; SECRET_BYTES] {
        self.id_secret
    }

    /// A key for one purpose, always the same for the same purpose.
    pub fn derive_key(&self, purpose: &str) -> [u8; SECRET_BYTES] {
        derive(&self.derivation, purpose)
    }

    /// What seals the files of the data folder that are read back.
    pub fn file_seal(&self) -> Arc<dyn FileSeal> {
        Arc::clone(&self.file_seal) as Arc<dyn FileSeal>
    }

    /// How often the key store was written: an older copy of the file has fewer.
    pub fn generation(&self) -> u64 {
        self.keys.read().store.generation
    }

    /// The keys that sign journal heads.
    pub fn head_key(&self) -> Arc<HeadKeys> {
        Arc::clone(&self.head_key)
    }

    /// Writes a changed store; `write` must be held.
    fn write_store(&self, store: &mut KeyStore) -> Result<(), VaultError> {
        let keys = self.keys.read();
        let own = keys.open.get(&ORGANIZATION_KEY).ok_or(VaultError::Sealed)?;
        store.write(&self.path, own)
    }

    fn seal_with(&self, number: u32, context: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let keys = self.keys.read();
        let key = keys
            .open
            .get(&number)
            .ok_or(VaultError::KeyErased { key: number })?;
        seal::seal(
            key,
            number,
            &value_context(&self.organization, context),
            plain,
        )
    }

    fn add_subject(&self, subject: &str) -> Result<u32, VaultError> {
        let _writing = self.write.lock();
        let (mut store, master) = {
            let keys = self.keys.read();
            (keys.store.clone(), Arc::clone(&keys.master))
        };
        // Another thread may have been faster.
        if let Some(number) = store.key_of(subject) {
            return Ok(number);
        }
        let (number, key) = store.add_key(subject, &master)?;
        self.write_store(&mut store)?;
        let mut keys = self.keys.write();
        keys.open.insert(number, key);
        keys.store = store;
        Ok(number)
    }
}

fn secret_context<'a>(organization: &'a str, name: &'a str) -> [&'a str; 3] {
    ["secret", organization, name]
}

fn value_context<'a>(organization: &'a str, context: &'a str) -> [&'a str; 3] {
    ["value", organization, context]
}

fn open_secret(store: &KeyStore, own: &Key, name: &str) -> Result<Secret<Vec<u8>>, VaultError> {
    seal::open(
        own,
        &secret_context(&store.organization, name),
        &store.secret(name)?,
    )
}

/// A key for one purpose.
fn derive(derivation: &hmac::Key, purpose: &str) -> [u8; SECRET_BYTES] {
    let mut derived = [0; SECRET_BYTES];
    let tag = hmac::sign(derivation, purpose.as_bytes());
    for (to, from) in derived.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    derived
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Vault");
        debug
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]
mod tests;
