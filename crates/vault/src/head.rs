// SPDX-License-Identifier: Apache-2.0
//! The Ed25519 keys that sign the heads of an organization's journal.
//!
//! One key signs. A key that was retired left a **hand-over**: it names its successor and the last
//! transaction that it answers for. What it signed up to there stays good; later it signs nothing,
//! whoever may have got hold of it.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_journal::{Head, HeadSigner};
use durward_model::transaction::{Hash, Sequence};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{Secret, VaultError, digest};

const HAND_OVER_DOMAIN: &[u8] = b"durward head hand-over 1\0";

/// A key pair for journal heads.
pub(crate) struct HeadKey {
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

    /// A failure of the library gives an empty signature, which verifies nowhere.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair
            .try_sign(message)
            .map(|signed| signed.as_ref().to_vec())
            .unwrap_or_default()
    }

    /// Hands over to the next key after a head.
    pub(crate) fn hand_over(&self, successor: &Self, head: &Head) -> HandOver {
        let mut over = HandOver {
            retired: STANDARD.encode(&self.public),
            successor: STANDARD.encode(&successor.public),
            sequence: head.sequence.0,
            hash: digest::hex(&head.hash),
            signature: String::new(),
        };
        over.signature = STANDARD.encode(self.sign(&over.message()));
        over
    }
}

/// The last word of a retired key: who signs from now on, and after which transaction. Holds
/// nothing secret; it is kept in the key store and stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// Public half of the retired key, in base64.
    pub retired: String,
    /// Public half of the key that follows.
    pub successor: String,
    /// The last transaction that the retired key answers for.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
    /// Signature of the retired key over all of this, in base64.
    pub signature: String,
}

impl HandOver {
    fn message(&self) -> Vec<u8> {
        let mut message = HAND_OVER_DOMAIN.to_vec();
        message.extend_from_slice(&self.sequence.to_be_bytes());
        for part in [&self.retired, &self.successor, &self.hash] {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        message
    }

    /// Whether the retired key signed it.
    pub fn is_signed(&self) -> bool {
        let (Ok(retired), Ok(signature)) = (
            STANDARD.decode(&self.retired),
            STANDARD.decode(&self.signature),
        ) else {
            return false;
        };
        is_signed_by(&retired, &self.message(), &signature)
    }

    /// The last transaction that the retired key answers for, and its hash.
    fn last(&self) -> Option<(Sequence, Hash)> {
        let bytes = digest::from_hex(&self.hash)?;
        Some((Sequence(self.sequence), bytes.try_into().ok()?))
    }

    fn retired_key(&self) -> Vec<u8> {
        STANDARD.decode(&self.retired).unwrap_or_default()
    }
}

/// The key that signs and those that did.
pub struct HeadKeys(RwLock<Ring>);

pub(crate) struct Ring {
    current: HeadKey,
    /// Oldest first.
    retired: Vec<HandOver>,
}

impl HeadKeys {
    /// Every hand-over must be signed and lead to the next key, the last to the current one.
    pub(crate) fn new(current: HeadKey, retired: Vec<HandOver>) -> Result<Self, VaultError> {
        let last = STANDARD.encode(&current.public);
        let next = retired.iter().skip(1).map(|over| &over.retired);
        let chained = retired.iter().zip(next.chain(std::iter::once(&last)));
        for (over, next) in chained {
            if over.successor != *next || !over.is_signed() || over.last().is_none() {
                return Err(VaultError::Sealed);
            }
        }
        Ok(Self(RwLock::new(Ring { current, retired })))
    }

    /// The public half of the key that signs.
    pub fn public_key(&self) -> Vec<u8> {
        self.0.read().current.public.clone()
    }

    /// The hand-overs so far, and one more from the current key to `successor`.
    pub(crate) fn with_hand_over(&self, successor: &HeadKey, head: &Head) -> Vec<HandOver> {
        let ring = self.0.read();
        let mut retired = ring.retired.clone();
        retired.push(ring.current.hand_over(successor, head));
        retired
    }

    pub(crate) fn change(&self, current: HeadKey, retired: Vec<HandOver>) {
        *self.0.write() = Ring { current, retired };
    }
}

/// Whether `signature` is that of `message` under `public_key`.
fn is_signed_by(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(message, signature)
        .is_ok()
}

impl HeadSigner for HeadKeys {
    fn key_id(&self) -> String {
        self.0.read().current.key_id.clone()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.read().current.sign(message)
    }

    fn verify(&self, key_id: &str, at: Sequence, message: &[u8], signature: &[u8]) -> bool {
        let ring = self.0.read();
        if key_id == ring.current.key_id {
            return is_signed_by(&ring.current.public, message, signature);
        }
        let mut retired = ring.retired.iter();
        let named = retired.find(|over| crate::token::key_id(&over.retired_key()) == key_id);
        named.is_some_and(|over| {
            at <= Sequence(over.sequence) && is_signed_by(&over.retired_key(), message, signature)
        })
    }

    fn handed_over(&self) -> Vec<(Sequence, Hash)> {
        let ring = self.0.read();
        ring.retired.iter().filter_map(HandOver::last).collect()
    }
}

impl fmt::Debug for HeadKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = digest::hex(&self.public_key());
        formatter
            .debug_struct("HeadKeys")
            .field("public", &public)
            .finish_non_exhaustive()
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

    fn head_at(sequence: u64) -> Head {
        Head {
            sequence: Sequence(sequence),
            ..Head::default()
        }
    }

    fn new_key() -> HeadKey {
        HeadKey::from_pkcs8(HeadKey::generate().unwrap().expose()).unwrap()
    }

    #[test]
    fn signs_and_verifies() {
        let keys = HeadKeys::new(new_key(), Vec::new()).unwrap();
        assert_eq!(keys.public_key().len(), 32);
        let signature = keys.sign(b"head");
        assert_eq!(signature.len(), 64);
        let verify = |id: &str, message: &[u8], signature: &[u8]| {
            keys.verify(id, Sequence(1), message, signature)
        };
        let id = keys.key_id();
        assert!(verify(&id, b"head", &signature));
        assert!(!verify(&id, b"tail", &signature));
        assert!(!verify("other", b"head", &signature));
        assert!(!verify(&id, b"head", b""));
        assert!(!is_signed_by(&new_key().public, b"head", &signature));
    }

    #[test]
    fn a_retired_key_counts_up_to_its_hand_over() {
        let (first, second, third) = (new_key(), new_key(), new_key());
        let (id, early) = (first.key_id.clone(), first.sign(b"head"));
        let overs = vec![
            first.hand_over(&second, &head_at(5)),
            second.hand_over(&third, &head_at(9)),
        ];
        let keys = HeadKeys::new(third, overs.clone()).unwrap();
        assert!(keys.verify(&id, Sequence(5), b"head", &early));
        assert!(!keys.verify(&id, Sequence(6), b"head", &early));
        assert!(!keys.verify(&id, Sequence(5), b"tail", &early));
        let handed_over = [
            (Sequence(5), Hash::default()),
            (Sequence(9), Hash::default()),
        ];
        assert_eq!(keys.handed_over(), handed_over);
        // A hand-over is refused when it is altered, out of its place or not the last.
        let refused = |current: HeadKey, overs: Vec<HandOver>| {
            assert!(matches!(
                HeadKeys::new(current, overs),
                Err(VaultError::Sealed)
            ));
        };
        refused(new_key(), overs.clone());
        refused(second, vec![overs[1].clone(), overs[0].clone()]);
        let mut later = overs;
        later[0].sequence = 50;
        refused(new_key(), later.clone());
        later.truncate(1);
        refused(new_key(), later);
    }
}
