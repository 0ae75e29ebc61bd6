// SPDX-License-Identifier: Apache-2.0
//! The hash chain: salted digests of blocks, and the hash of a transaction over them.

use durward_model::Instant;
use durward_model::transaction::{HASH_BYTES, Hash, Sequence};
use sha2::{Digest, Sha256};

use crate::salt::SALT_BYTES;

const BLOCK_DOMAIN: &[u8] = b"durward block 1\0";
const TRANSACTION_DOMAIN: &[u8] = b"durward transaction 1\0";

/// Digest of one block.
pub(super) fn block_digest(salt: &[u8; SALT_BYTES], content: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(BLOCK_DOMAIN);
    hasher.update(salt);
    hasher.update(content);
    hasher.finalize().into()
}

/// The hash of a transaction in the making. Every field has a fixed length, so that no two
/// transactions give the same bytes.
#[derive(Debug, Default)]
pub(super) struct TransactionHash {
    digests: Vec<[u8; HASH_BYTES]>,
}

impl TransactionHash {
    pub(super) fn clear(&mut self) {
        self.digests.clear();
    }

    pub(super) fn add(&mut self, digest: Hash) {
        self.digests.push(digest);
    }

    pub(super) fn blocks(&self) -> u64 {
        self.digests.len() as u64
    }

    pub(super) fn finish(&self, sequence: Sequence, at: Instant, previous: &Hash) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(TRANSACTION_DOMAIN);
        hasher.update(previous);
        hasher.update(sequence.0.to_be_bytes());
        hasher.update(at.as_micros().to_be_bytes());
        hasher.update(self.blocks().to_be_bytes());
        for digest in &self.digests {
            hasher.update(digest);
        }
        hasher.finalize().into()
    }
}
