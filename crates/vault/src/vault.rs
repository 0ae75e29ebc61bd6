// SPDX-License-Identifier: Apache-2.0
//! The vault of one organization.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use parking_lot::{Mutex, RwLock};

use crate::keys::{KEY_STORE_FILE, KeyStore, ORGANIZATION_KEY};
use crate::seal::{self, Key};
use crate::token::Algorithm;
use crate::{HeadKey, MasterKeys, Secret, TokenKeys, VaultError, random};

const ID_SECRET: &str = "object ids";
const DERIVATION_SECRET: &str = "derivation";
const HEAD_KEY: &str = "journal head key";
/// Names of the keys of long-lived tokens, and of those of granted ones.
const TOKEN_KEY_PREFIX: &str = "token key ";
const GRANT_KEY_PREFIX: &str = "grant key ";
/// Both sorts with their algorithms.
const TOKEN_KEYS: [(&str, Algorithm); 2] = [
    (TOKEN_KEY_PREFIX, Algorithm::Rs256),
    (GRANT_KEY_PREFIX, Algorithm::EdDsa),
];
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
    head_key: Arc<HeadKey>,
    signing: RwLock<Signing>,
}

/// The keys that sign tokens.
#[derive(Clone)]
struct Signing {
    token_keys: Arc<TokenKeys>,
    grant_keys: Arc<TokenKeys>,
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
        store.write(&folder.join(KEY_STORE_FILE))?;
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
        let id_secret = open_secret(&store, own, ID_SECRET)?;
        let derivation = open_secret(&store, own, DERIVATION_SECRET)?;
        let head_key = HeadKey::from_pkcs8(open_secret(&store, own, HEAD_KEY)?.expose())?;
        // Stores of earlier releases have no keys for granted tokens.
        if store.secret_names(GRANT_KEY_PREFIX).is_empty() {
            add_signing_key(&mut store, own, GRANT_KEY_PREFIX, Algorithm::EdDsa)?;
            store.write(&path)?;
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
            derivation: hmac::Key::new(hmac::HMAC_SHA256, derivation.expose()),
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
        store.write(&self.path)?;
        let mut keys = self.keys.write();
        keys.open.remove(&number);
        keys.store = store;
        Ok(true)
    }

    /// Wraps every data key under the newest master key and keeps to `master` from now on.
    pub fn rewrap(&self, master: &Arc<MasterKeys>) -> Result<(), VaultError> {
        let _writing = self.write.lock();
        let rewrapped = {
            let keys = self.keys.read();
            keys.store.rewrap(&keys.open, master)?
        };
        rewrapped.write(&self.path)?;
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
        let mut derived = [0; SECRET_BYTES];
        let tag = hmac::sign(&self.derivation, purpose.as_bytes());
        for (to, from) in derived.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        derived
    }

    /// The key that signs journal heads.
    pub fn head_key(&self) -> Arc<HeadKey> {
        Arc::clone(&self.head_key)
    }

    /// The keys that sign long-lived tokens.
    pub fn token_keys(&self) -> Arc<TokenKeys> {
        Arc::clone(&self.signing.read().token_keys)
    }

    /// The keys that sign tokens which are granted for minutes or hours.
    pub fn grant_keys(&self) -> Arc<TokenKeys> {
        Arc::clone(&self.signing.read().grant_keys)
    }

    /// Makes new token keys, which sign from now on. Tokens of the older keys stay valid.
    pub fn add_token_key(&self) -> Result<(), VaultError> {
        self.change_token_keys(|store, own| {
            for (prefix, algorithm) in TOKEN_KEYS {
                add_signing_key(store, own, prefix, algorithm)?;
            }
            Ok(())
        })
    }

    /// Forgets every token key but the newest of its sort: tokens that the others signed end.
    pub fn retire_old_token_keys(&self) -> Result<(), VaultError> {
        self.change_token_keys(|store, _| {
            for (prefix, _) in TOKEN_KEYS {
                let mut names = store.secret_names(prefix);
                names.pop();
                for name in names {
                    store.remove_secret(&name);
                }
            }
            Ok(())
        })
    }

    fn change_token_keys(
        &self,
        change: impl FnOnce(&mut KeyStore, &Key) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let _writing = self.write.lock();
        let (store, signing) = {
            let keys = self.keys.read();
            let own = keys.open.get(&ORGANIZATION_KEY).ok_or(VaultError::Sealed)?;
            let mut store = keys.store.clone();
            change(&mut store, own)?;
            let signing = Signing::open(&store, own)?;
            (store, signing)
        };
        store.write(&self.path)?;
        self.keys.write().store = store;
        *self.signing.write() = signing;
        Ok(())
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
        store.write(&self.path)?;
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

impl Signing {
    fn open(store: &KeyStore, own: &Key) -> Result<Self, VaultError> {
        let open = |(prefix, algorithm): (&str, Algorithm)| {
            let names = store.secret_names(prefix).into_iter();
            let documents: Vec<Secret<Vec<u8>>> = names
                .map(|name| open_secret(store, own, &name))
                .collect::<Result<_, _>>()?;
            let documents = documents
                .iter()
                .map(|document| document.expose().as_slice());
            TokenKeys::from_pkcs8(algorithm, documents).map(Arc::new)
        };
        let [token, grant] = TOKEN_KEYS;
        Ok(Self {
            token_keys: open(token)?,
            grant_keys: open(grant)?,
        })
    }
}

/// Makes a key that follows on the last of its sort.
fn add_signing_key(
    store: &mut KeyStore,
    own: &Key,
    prefix: &str,
    algorithm: Algorithm,
) -> Result<(), VaultError> {
    let document = TokenKeys::generate(algorithm)?;
    let last = store.secret_names(prefix).pop().unwrap_or_default();
    let number = last.strip_prefix(prefix).and_then(|text| text.parse().ok());
    let name = format!("{prefix}{:08}", number.unwrap_or(0u32).saturating_add(1));
    let context = secret_context(&store.organization, &name);
    let sealed = seal::seal(own, ORGANIZATION_KEY, &context, document.expose())?;
    store.set_secret(name, &sealed);
    Ok(())
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
