// SPDX-License-Identifier: Apache-2.0
//! The keys of an organization that sign: tokens, granted tokens, heads of the journal.

use std::sync::Arc;

use durward_journal::Head;

use super::{Vault, open_secret, secret_context};
use crate::head::HeadKey;
use crate::keys::{KeyStore, ORGANIZATION_KEY};
use crate::seal::{self, Key};
use crate::token::Algorithm;
use crate::{HandOver, HeadKeys, Secret, TokenKeys, VaultError};

pub(super) const HEAD_KEY: &str = "journal head key";
const HAND_OVERS: &str = "journal head hand-overs";
/// Names of the keys of long-lived tokens, and of those of granted ones.
const TOKEN_KEY_PREFIX: &str = "token key ";
const GRANT_KEY_PREFIX: &str = "grant key ";
/// Both sorts with their algorithms.
pub(super) const TOKEN_KEYS: [(&str, Algorithm); 2] = [
    (TOKEN_KEY_PREFIX, Algorithm::Rs256),
    (GRANT_KEY_PREFIX, Algorithm::EdDsa),
];

/// The keys that sign tokens.
#[derive(Clone)]
pub(super) struct Signing {
    token_keys: Arc<TokenKeys>,
    grant_keys: Arc<TokenKeys>,
}

/// The two sorts of tokens that are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSort {
    /// Long-lived tokens.
    Token,
    /// Tokens that are granted for minutes or hours.
    Grant,
}

impl Vault {
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

    /// Makes a new key of a sort and forgets the others: every token that they signed ends now.
    pub fn replace_token_keys(&self, sort: TokenSort) -> Result<(), VaultError> {
        let (prefix, algorithm) = sort.keys();
        self.change_token_keys(|store, own| {
            let old = store.secret_names(prefix);
            add_signing_key(store, own, prefix, algorithm)?;
            for name in old {
                store.remove_secret(&name);
            }
            Ok(())
        })
    }

    /// Makes a new key for journal heads, to which the current one hands over after `head`; its
    /// secret half is forgotten. The next append signs with the new one.
    pub fn replace_head_key(&self, head: &Head) -> Result<HandOver, VaultError> {
        let _writing = self.write.lock();
        let document = HeadKey::generate()?;
        let fresh = HeadKey::from_pkcs8(document.expose())?;
        let retired = self.head_key.with_hand_over(&fresh, head);
        let over = retired.last().cloned().ok_or(VaultError::Sealed)?;
        let listed = serde_json::to_vec(&retired).map_err(|_| VaultError::Crypto {
            action: "write a hand-over",
        })?;
        let mut store = {
            let keys = self.keys.read();
            let own = keys.open.get(&ORGANIZATION_KEY).ok_or(VaultError::Sealed)?;
            let mut store = keys.store.clone();
            for (name, content) in [(HEAD_KEY, document.expose()), (HAND_OVERS, &listed)] {
                let context = secret_context(&self.organization, name);
                let sealed = seal::seal(own, ORGANIZATION_KEY, &context, content)?;
                store.set_secret(name.to_owned(), &sealed);
            }
            store
        };
        self.write_store(&mut store)?;
        self.keys.write().store = store;
        self.head_key.change(fresh, retired);
        Ok(over)
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
        let (mut store, signing) = {
            let keys = self.keys.read();
            let own = keys.open.get(&ORGANIZATION_KEY).ok_or(VaultError::Sealed)?;
            let mut store = keys.store.clone();
            change(&mut store, own)?;
            let signing = Signing::open(&store, own)?;
            (store, signing)
        };
        self.write_store(&mut store)?;
        self.keys.write().store = store;
        *self.signing.write() = signing;
        Ok(())
    }
}

pub(super) fn open_head_keys(store: &KeyStore, own: &Key) -> Result<HeadKeys, VaultError> {
    let current = HeadKey::from_pkcs8(open_secret(store, own, HEAD_KEY)?.expose())?;
    let retired = if store.secret_names(HAND_OVERS).is_empty() {
        Vec::new()
    } else {
        let listed = open_secret(store, own, HAND_OVERS)?;
        serde_json::from_slice(listed.expose()).map_err(|_| VaultError::Sealed)?
    };
    HeadKeys::new(current, retired)
}

impl TokenSort {
    pub(super) fn keys(self) -> (&'static str, Algorithm) {
        let [token, grant] = TOKEN_KEYS;
        match self {
            Self::Token => token,
            Self::Grant => grant,
        }
    }
}

impl Signing {
    pub(super) fn open(store: &KeyStore, own: &Key) -> Result<Self, VaultError> {
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
pub(super) fn add_signing_key(
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
