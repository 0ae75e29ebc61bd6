// SPDX-License-Identifier: Apache-2.0
//! The end of the journal, signed.

use std::fmt::Debug;

use durward_model::Instant;
use durward_model::transaction::{Hash, Sequence};

const DOMAIN: &[u8] = b"durward head 1\0";

/// The last transaction of a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its position; zero when the journal is empty.
    pub sequence: Sequence,
    /// Its hash; all zeros when the journal is empty.
    pub hash: Hash,
    /// When it was committed.
    pub committed_at: Instant,
}

/// A head with the signature of the organization, stored with every append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// What is signed.
    pub head: Head,
    /// Which key signed it.
    pub key_id: String,
    /// The signature over [`Head::message`].
    pub signature: Vec<u8>,
}

/// Signs heads with a key of the organization.
pub trait HeadSigner: Send + Sync + Debug {
    /// Id of the key that signs now.
    fn key_id(&self) -> String;
    /// The signature over a message.
    fn sign(&self, message: &[u8]) -> Vec<u8>;
    /// Whether the signature over that message is by that key. A key that was retired counts for
    /// what stands at its last transaction or before; `at` is where the signature stands.
    fn verify(&self, key_id: &str, at: Sequence, message: &[u8], signature: &[u8]) -> bool;
    /// The last transaction that each retired key answered for, and its hash. A journal goes on
    /// behind all of them: what a retired key signed is no head any more.
    fn handed_over(&self) -> Vec<(Sequence, Hash)> {
        Vec::new()
    }
}

impl Head {
    /// The head of an empty journal.
    pub fn empty() -> Self {
        Self {
            committed_at: Instant::MIN,
            ..Self::default()
        }
    }

    /// The bytes that are signed.
    pub fn message(&self) -> Vec<u8> {
        let mut message = DOMAIN.to_vec();
        message.extend_from_slice(&self.sequence.0.to_be_bytes());
        message.extend_from_slice(&self.committed_at.as_micros().to_be_bytes());
        message.extend_from_slice(&self.hash);
        message
    }

    /// This head, signed.
    pub fn sign(self, signer: &dyn HeadSigner) -> SignedHead {
        let signature = signer.sign(&self.message());
        SignedHead {
            head: self,
            key_id: signer.key_id(),
            signature,
        }
    }
}

impl SignedHead {
    /// Whether the signature is right.
    pub fn is_signed_by(&self, signer: &dyn HeadSigner) -> bool {
        let message = self.head.message();
        signer.verify(&self.key_id, self.head.sequence, &message, &self.signature)
    }
}

/// A signer for tests: its signature is a keyed digest.
#[cfg(any(test, feature = "testing"))]
#[derive(Clone, Debug, Default)]
pub struct TestSigner(
    /// Its secret.
    pub u64,
);

#[cfg(any(test, feature = "testing"))]
impl HeadSigner for TestSigner {
    fn key_id(&self) -> String {
        format!("test-{}", self.0)
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        use sha2::Digest;
        let mut hasher = sha2::Sha256::new();
        hasher.update(self.0.to_be_bytes());
        hasher.update(message);
        hasher.finalize().to_vec()
    }

    fn verify(&self, key_id: &str, _at: Sequence, message: &[u8], signature: &[u8]) -> bool {
        key_id == self.key_id() && self.sign(message) == signature
    }
}
