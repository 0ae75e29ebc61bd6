// SPDX-License-Identifier: Apache-2.0
//! The Ed25519 key that signs the heads of an organization's journal.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use durward_journal::HeadSigner;

use crate::{Secret, VaultError, digest};

/// A key pair for journal heads.
pub struct HeadKey {
    pair: Ed25519KeyPair,
    public: Vec<u8>,
    key_id: String,
}

impl HeadKey {
    /// A new key in PKCS#8 form, to be sealed.
    pub(crate) fn generate() -> Result<Secret<Vec<u8>>, VaultError> {
        let failed = |_| VaultError::Crypto {
            action: "make a signing key",
        };
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let document = pair.to_pkcs8().map_err(failed)?;
        Ok(Secret::new(document.as_ref().to_vec()))
    }

    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, VaultError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| VaultError::Sealed)?;
        let public = pair.public_key().as_ref().to_vec();
        let key_id = crate::token::key_id(&public);
        Ok(Self {
            pair,
            public,
            key_id,
        })
    }

    /// The public half.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// Whether `signature` is that of `message` under `public_key`.
    pub fn is_signed_by(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, public_key)
            .verify(message, signature)
            .is_ok()
    }
}

impl HeadSigner for HeadKey {
    fn key_id(&self) -> String {
        self.key_id.clone()
    }

    /// A failure of the library gives an empty signature, which verifies nowhere.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair
            .try_sign(message)
            .map(|signed| signed.as_ref().to_vec())
            .unwrap_or_default()
    }

    fn verify(&self, key_id: &str, message: &[u8], signature: &[u8]) -> bool {
        key_id == self.key_id && Self::is_signed_by(&self.public, message, signature)
    }
}

impl fmt::Debug for HeadKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = digest::hex(&self.public);
        formatter
            .debug_struct("HeadKey")
            .field("public", &public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn signs_and_verifies() {
        let sealed = HeadKey::generate().unwrap();
        let key = HeadKey::from_pkcs8(sealed.expose()).unwrap();
        assert_eq!(key.public_key().len(), 32);
        let signature = key.sign(b"head");
        assert_eq!(signature.len(), 64);
        assert!(key.verify(&key.key_id(), b"head", &signature));
        assert!(!key.verify(&key.key_id(), b"tail", &signature));
        assert!(!key.verify("other", b"head", &signature));
        assert!(!key.verify(&key.key_id(), b"head", b""));
        let other = HeadKey::from_pkcs8(HeadKey::generate().unwrap().expose()).unwrap();
        assert!(!HeadKey::is_signed_by(
            other.public_key(),
            b"head",
            &signature
        ));
        assert!(HeadKey::is_signed_by(key.public_key(), b"head", &signature));
    }
}
