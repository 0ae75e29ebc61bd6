// SPDX-License-Identifier: Apache-2.0
//! Erasure records: the only thing that makes missing content right.
//!
//! An erasure is a transaction without changes whose detail names the transactions that lose their
//! content, by position and hash, and the cause, signed with the head key. It comes after what it
//! erases and is part of the chain, so it tells for ever what was erased, when, by whom and why.

use std::collections::BTreeMap;

use durward_model::transaction::{Hash, Origin, Sequence};
use durward_model::{Instant, ObjectId};
use serde_json::{Value as Json, json};

use crate::codec::Inspected;
use crate::{HeadSigner, Journal, JournalError, ReadLimit, codec};

/// Activity of the transactions that record an erasure.
pub const ERASURE_ACTIVITY: &str = "content erased";
/// Most transactions that one record names.
pub const ERASED_MAX: usize = 4096;

const DOMAIN: &[u8] = b"durward erasure 1\0";

/// A signed statement that the content of transactions was erased, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Position and hash of each.
    pub transactions: Vec<(Sequence, Hash)>,
    /// Why.
    pub cause: String,
    key_id: String,
    signature: Vec<u8>,
}

/// An erasure record as it was found in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureRecord {
    /// The transaction that holds it.
    pub sequence: Sequence,
    /// When that was committed.
    pub committed_at: Instant,
    /// Who erased; `None` for the system itself.
    pub actor: Option<ObjectId>,
    /// Position and hash of what was erased.
    pub transactions: Vec<(Sequence, Hash)>,
    /// Why.
    pub cause: String,
}

impl Erasure {
    /// Signs for transactions, at most [`ERASED_MAX`] of them.
    pub fn sign(signer: &dyn HeadSigner, transactions: Vec<(Sequence, Hash)>, cause: &str) -> Self {
        let signature = signer.sign(&message(&transactions, cause));
        Self {
            transactions,
            cause: cause.to_owned(),
            key_id: signer.key_id(),
            signature,
        }
    }

    /// The origin of the transaction that records it.
    pub fn origin(&self, actor: Option<ObjectId>) -> Origin {
        Origin {
            actor,
            activity: ERASURE_ACTIVITY.to_owned(),
            detail: self.detail(),
            ..Origin::default()
        }
    }

    fn detail(&self) -> String {
        let named = self.transactions.iter();
        let named: Vec<Json> = named
            .map(|(sequence, hash)| json!([sequence.0, hex(hash)]))
            .collect();
        let text = json!({
            "erased": named,
            "cause": self.cause,
            "key": self.key_id,
            "signature": hex(&self.signature),
        });
        text.to_string()
    }

    fn parse(detail: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(detail).ok()?;
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let named = json.get("erased")?.as_array()?;
        if named.len() > ERASED_MAX {
            return None;
        }
        let one = |pair: &Json| {
            let hash = unhex(pair.get(1)?.as_str()?)?;
            Some((Sequence(pair.get(0)?.as_u64()?), Hash::try_from(hash).ok()?))
        };
        Some(Self {
            transactions: named.iter().map(one).collect::<Option<_>>()?,
            cause: text("cause")?.to_owned(),
            key_id: text("key")?.to_owned(),
            signature: unhex(text("signature")?)?,
        })
    }
}

impl ErasureRecord {
    /// The record in a transaction; `None` when it holds none or one that is not signed.
    pub fn of(inspected: &Inspected, signer: &dyn HeadSigner) -> Option<Self> {
        let origin = inspected.origin.as_ref()?;
        if origin.activity != ERASURE_ACTIVITY {
            return None;
        }
        let erasure = Erasure::parse(&origin.detail)?;
        let at = inspected.envelope.sequence;
        let message = message(&erasure.transactions, &erasure.cause);
        let is_signed = signer.verify(&erasure.key_id, at, &message, &erasure.signature);
        let is_later = erasure.transactions.iter().all(|(erased, _)| *erased < at);
        (is_signed && is_later).then_some(Self {
            sequence: at,
            committed_at: inspected.envelope.committed_at,
            actor: origin.actor,
            transactions: erasure.transactions,
            cause: erasure.cause,
        })
    }

    /// Whether it names this transaction.
    pub fn names(&self, sequence: Sequence, hash: &Hash) -> bool {
        self.transactions.contains(&(sequence, *hash))
    }
}

/// What was erased and what explains it, collected transaction by transaction.
#[derive(Clone, Debug, Default)]
pub struct Erasures {
    /// The erasure records.
    pub records: Vec<ErasureRecord>,
    erased: BTreeMap<Sequence, Hash>,
}

impl Erasures {
    /// Takes in the next transaction.
    pub fn add(&mut self, inspected: &Inspected, signer: &dyn HeadSigner) {
        let envelope = &inspected.envelope;
        if inspected.is_erased {
            self.erased.insert(envelope.sequence, envelope.hash);
        } else if let Some(record) = ErasureRecord::of(inspected, signer) {
            self.records.push(record);
        }
    }

    /// The erased transactions that no record names.
    pub fn unexplained(&self) -> Vec<Sequence> {
        let mut open = self.erased.clone();
        for (sequence, hash) in self.records.iter().flat_map(|record| &record.transactions) {
            if open.get(sequence) == Some(hash) {
                open.remove(sequence);
            }
        }
        open.into_keys().collect()
    }

    /// Every erasure record after a transaction. Reads the rest of the journal.
    pub fn read(
        journal: &dyn Journal,
        signer: &dyn HeadSigner,
        after: Sequence,
    ) -> Result<Vec<ErasureRecord>, JournalError> {
        let mut erasures = Self::default();
        let mut from = after.next();
        loop {
            let found = journal.read(from, ReadLimit::default())?;
            let Some(last) = found.last() else {
                return Ok(erasures.records);
            };
            from = last.sequence.next();
            for stored in &found {
                if let Ok(inspected) = codec::inspect(&stored.records) {
                    erasures.add(&inspected, signer);
                }
            }
        }
    }
}

fn message(transactions: &[(Sequence, Hash)], cause: &str) -> Vec<u8> {
    let mut message = DOMAIN.to_vec();
    message.extend_from_slice(&(transactions.len() as u64).to_be_bytes());
    for (sequence, hash) in transactions {
        message.extend_from_slice(&sequence.0.to_be_bytes());
        message.extend_from_slice(hash);
    }
    message.extend_from_slice(cause.as_bytes());
    message
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
    digits.collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|character| character.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    let byte = |pair: &[u8]| pair.iter().fold(0u8, |value, digit| (value << 4) | digit);
    Some(digits.chunks_exact(2).map(byte).collect())
}
