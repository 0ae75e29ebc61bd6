// SPDX-License-Identifier: Apache-2.0
//! The key store of one organization: a JSON file of wrapped data keys and sealed secrets.
//!
//! It is safe to copy with the data: nothing in it opens without the master key. Every member is
//! bound to the organization and its name; a seal over the whole file shows that none was taken
//! out or put back, and a generation that the file is not an older one.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::seal::{self, KEY_BYTES, Key};
use crate::{MacKey, MasterKeys, Secret, VaultError, file};

/// Name of the file in the folder of its organization.
pub const KEY_STORE_FILE: &str = "keys.json";
/// Newest format of the file that is read, and the one that is written.
const FORMAT: u32 = 2;
/// The format without a seal. Its data keys are wrapped for another context, so that a newer file
/// cannot be passed off as one.
const FORMAT_UNSEALED: u32 = 1;
const SEAL_PURPOSE: &[u8] = b"durward key store seal";
/// Number of the organization's own data key; subjects follow.
pub(crate) const ORGANIZATION_KEY: u32 = 1;

/// The file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyStore {
    format: u32,
    pub(crate) organization: String,
    /// One more with each writing.
    #[serde(default)]
    pub(crate) generation: u64,
    next_key: u32,
    keys: Vec<WrappedKey>,
    secrets: BTreeMap<String, String>,
    /// Code over everything else, under the organization's data key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    seal: String,
}

/// A data key under the master key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrappedKey {
    number: u32,
    /// Whose data it seals; empty for the organization's own key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subject: String,
    /// Fingerprint of the master key that wraps it.
    master: String,
    wrapped: String,
}

impl KeyStore {
    pub(crate) fn new(organization: &str, master: &MasterKeys) -> Result<Self, VaultError> {
        let mut store = Self {
            format: FORMAT,
            organization: organization.to_owned(),
            generation: 0,
            next_key: ORGANIZATION_KEY,
            keys: Vec::new(),
            secrets: BTreeMap::new(),
            seal: String::new(),
        };
        store.add_key("", master)?;
        Ok(store)
    }

    pub(crate) fn read(path: &Path, organization: &str) -> Result<Self, VaultError> {
        let bytes = file::read(path)?;
        let damaged = |reason: String| VaultError::StoreDamaged {
            path: path.to_owned(),
            reason,
        };
        let json: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let format = json
            .get("format")
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default();
        if format > u64::from(FORMAT) {
            let format = u32::try_from(format).unwrap_or(u32::MAX);
            let path = path.to_owned();
            return Err(VaultError::StoreTooNew {
                path,
                format,
                supported: FORMAT,
            });
        }
        let store: Self =
            serde_json::from_value(json).map_err(|error| damaged(error.to_string()))?;
        if store.organization != organization {
            let reason = format!("it belongs to the organization {}", store.organization);
            return Err(damaged(reason));
        }
        Ok(store)
    }

    /// Seals and writes the file as the next generation.
    pub(crate) fn write(&mut self, path: &Path, own: &Key) -> Result<(), VaultError> {
        self.generation = self.generation.saturating_add(1);
        self.seal = STANDARD.encode(seal_key(own).sign(&self.sealed_content()?));
        let bytes = serde_json::to_vec_pretty(self).map_err(unwritable)?;
        file::replace(path, &bytes)
    }

    /// Whether the file is of the release that had no seal yet.
    pub(crate) fn is_unsealed(&self) -> bool {
        self.format == FORMAT_UNSEALED
    }

    /// Takes a file without a seal over into the format that has one.
    pub(crate) fn upgrade(
        &self,
        keys: &BTreeMap<u32, Key>,
        master: &MasterKeys,
    ) -> Result<Self, VaultError> {
        let upgraded = Self {
            format: FORMAT,
            // The old format has no such number; one that stands there was put there.
            generation: 0,
            ..self.clone()
        };
        upgraded.rewrap(keys, master)
    }

    /// The file as the release without a seal would have written it.
    #[cfg(test)]
    pub(crate) fn unsealed(
        &self,
        keys: &BTreeMap<u32, Key>,
        master: &MasterKeys,
    ) -> Result<Vec<u8>, VaultError> {
        let old = Self {
            format: FORMAT_UNSEALED,
            seal: String::new(),
            ..self.clone()
        };
        serde_json::to_vec(&old.rewrap(keys, master)?).map_err(unwritable)
    }

    /// Refuses a file that was altered since it was written.
    pub(crate) fn check_seal(&self, path: &Path, own: &Key) -> Result<(), VaultError> {
        let code = STANDARD.decode(&self.seal).unwrap_or_default();
        if seal_key(own).is_code_of(&self.sealed_content()?, &code) {
            return Ok(());
        }
        Err(VaultError::StoreDamaged {
            path: path.to_owned(),
            reason: "its seal does not fit: it was altered".to_owned(),
        })
    }

    fn sealed_content(&self) -> Result<Vec<u8>, VaultError> {
        let content = Self {
            seal: String::new(),
            ..self.clone()
        };
        serde_json::to_vec(&content).map_err(unwritable)
    }

    /// Makes a data key for a subject (the organization itself: empty).
    pub(crate) fn add_key(
        &mut self,
        subject: &str,
        master: &MasterKeys,
    ) -> Result<(u32, Key), VaultError> {
        let number = self.next_key;
        let key = seal::new_key()?;
        let wrapped = self.wrap(number, subject, &key, master)?;
        self.next_key = number.saturating_add(1);
        self.keys.push(wrapped);
        Ok((number, key))
    }

    /// Forgets the key of a subject; says which it was.
    pub(crate) fn remove_key(&mut self, subject: &str) -> Option<u32> {
        let position = self.keys.iter().position(|key| key.subject == subject)?;
        Some(self.keys.remove(position).number)
    }

    /// Number of the key of a subject.
    pub(crate) fn key_of(&self, subject: &str) -> Option<u32> {
        self.keys
            .iter()
            .find(|key| key.subject == subject)
            .map(|key| key.number)
    }

    /// All data keys, opened.
    pub(crate) fn open_keys(&self, master: &MasterKeys) -> Result<BTreeMap<u32, Key>, VaultError> {
        let opened = self.keys.iter().map(|wrapped| {
            let sealed = STANDARD
                .decode(&wrapped.wrapped)
                .map_err(|_| VaultError::Sealed)?;
            let context = self.wrap_context(&wrapped.subject);
            let plain = seal::open(master.by_fingerprint(&wrapped.master)?, &context, &sealed)?;
            if seal::key_number(&sealed)? != wrapped.number {
                return Err(VaultError::Sealed);
            }
            let mut bytes: [u8; KEY_BYTES] = plain
                .expose()
                .as_slice()
                .try_into()
                .map_err(|_| VaultError::Sealed)?;
            let key = Secret::new(bytes);
            bytes.zeroize();
            Ok((wrapped.number, key))
        });
        opened.collect()
    }

    /// The same store with every data key wrapped under the newest master key.
    pub(crate) fn rewrap(
        &self,
        keys: &BTreeMap<u32, Key>,
        master: &MasterKeys,
    ) -> Result<Self, VaultError> {
        let wrapped = self.keys.iter().map(|old| {
            let key = keys
                .get(&old.number)
                .ok_or(VaultError::KeyErased { key: old.number })?;
            self.wrap(old.number, &old.subject, key, master)
        });
        Ok(Self {
            keys: wrapped.collect::<Result<_, _>>()?,
            ..self.clone()
        })
    }

    pub(crate) fn secret(&self, name: &str) -> Result<Vec<u8>, VaultError> {
        let encoded = self.secrets.get(name).ok_or(VaultError::Sealed)?;
        STANDARD.decode(encoded).map_err(|_| VaultError::Sealed)
    }

    pub(crate) fn set_secret(&mut self, name: String, sealed: &[u8]) {
        self.secrets.insert(name, STANDARD.encode(sealed));
    }

    pub(crate) fn remove_secret(&mut self, name: &str) -> bool {
        self.secrets.remove(name).is_some()
    }

    /// Names of the secrets that start with `prefix`, in order.
    pub(crate) fn secret_names(&self, prefix: &str) -> Vec<String> {
        self.secrets
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect()
    }

    fn wrap(
        &self,
        number: u32,
        subject: &str,
        key: &Key,
        master: &MasterKeys,
    ) -> Result<WrappedKey, VaultError> {
        let context = self.wrap_context(subject);
        let sealed = seal::seal(master.current()?, number, &context, key.expose())?;
        Ok(WrappedKey {
            number,
            subject: subject.to_owned(),
            master: master.fingerprint().to_owned(),
            wrapped: STANDARD.encode(sealed),
        })
    }

    fn wrap_context<'a>(&'a self, subject: &'a str) -> [&'a str; 3] {
        let purpose = if self.is_unsealed() {
            "data key"
        } else {
            "data key 2"
        };
        [purpose, &self.organization, subject]
    }
}

fn seal_key(own: &Key) -> MacKey {
    MacKey::new(&MacKey::new(own.expose()).sign(SEAL_PURPOSE))
}

fn unwritable(_: serde_json::Error) -> VaultError {
    VaultError::Crypto {
        action: "write a key store",
    }
}
