// SPDX-License-Identifier: Apache-2.0
//! The two sorts of keys that sign tokens.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    UnparsedPublicKey,
};

use crate::{Secret, VaultError};

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with SHA-256 (`RS256`): what older clients expect of a token; slow to make.
    Rs256,
    /// Ed25519 (`EdDSA`): for tokens that are made by the thousand.
    EdDsa,
}

impl Algorithm {
    /// The name in the header of a token.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// A new key in PKCS#8 form, to be sealed.
    pub(super) fn generate(self) -> Result<Secret<Vec<u8>>, VaultError> {
        let failed = |_| VaultError::Crypto {
            action: "make a token key",
        };
        let document = match self {
            Self::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let document = AsDer::<Pkcs8V1Der>::as_der(&pair).map_err(failed)?;
                document.as_ref().to_vec()
            }
            Self::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                pair.to_pkcs8().map_err(failed)?.as_ref().to_vec()
            }
        };
        Ok(Secret::new(document))
    }

    /// Whether a signature is that of a message under a public key.
    pub(super) fn is_signed_by(self, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Rs256 => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
                .verify(message, signature),
            Self::EdDsa => UnparsedPublicKey::new(&ED25519, public).verify(message, signature),
        };
        verified.is_ok()
    }
}

/// A key pair.
pub(super) enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    pub(super) fn from_pkcs8(algorithm: Algorithm, document: &[u8]) -> Result<Self, VaultError> {
        let damaged = |_| VaultError::Sealed;
        Ok(match algorithm {
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::from_pkcs8(document).map_err(damaged)?),
            Algorithm::EdDsa => {
                Self::Ed25519(Ed25519KeyPair::from_pkcs8(document).map_err(damaged)?)
            }
        })
    }

    /// Public half: PKCS#1 DER of an RSA key, the 32 bytes of an Ed25519 key.
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, VaultError> {
        let failed = |_| VaultError::Crypto {
            action: "sign a token",
        };
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let random = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            Self::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}
