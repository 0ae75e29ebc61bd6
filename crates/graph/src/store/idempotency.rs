// SPDX-License-Identifier: Apache-2.0
//! Repeated writes: a draft with the key of an earlier one gets its receipt instead of being done
//! again.
//!
//! The key lies in the transaction itself, together with a digest of the request and the results,
//! so that the window can be read back from the journal.

use std::collections::VecDeque;

use durward_model::transaction::{Sequence, Transaction};
use durward_model::{Instant, ObjectId};
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_128;

use super::draft::{BulkCommit, Draft, OperationResult, Outcome, Receipt};
use super::error::StoreError;

/// How many keys are remembered; older ones are forgotten.
pub(super) const KEYS_MAX: usize = 50_000;
/// Separates key, digest and results in the stored form; no key may contain it.
const SEPARATOR: char = '\u{1f}';
const RESULT_CHARS: usize = 17;

/// The recent keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    known: HashMap<(Option<ObjectId>, String), Entry>,
    order: VecDeque<(Option<ObjectId>, String)>,
}

#[derive(Clone, Debug)]
struct Entry {
    digest: u128,
    receipt: Receipt,
}

/// A key with what identifies the request; `None` when the client gave none.
pub(super) type RequestKey = Option<(String, u128)>;

/// Key and digest of a draft.
pub(super) fn key_of_draft(draft: &Draft) -> RequestKey {
    let key = &draft.idempotency_key;
    (!key.is_empty()).then(|| (key.clone(), digest(&draft.operations)))
}

/// Key and digest of a bulk commit. The changes depend on the state, so that the key alone counts.
pub(super) fn key_of_bulk(commit: &BulkCommit) -> RequestKey {
    let key = &commit.idempotency_key;
    (!key.is_empty()).then(|| (key.clone(), 0))
}

fn digest(operations: &impl std::fmt::Debug) -> u128 {
    xxh3_128(format!("{operations:?}").as_bytes())
}

/// The key without what the store adds to it, for audit and history.
pub(super) fn plain_key(stored: &str) -> &str {
    stored.split(SEPARATOR).next().unwrap_or_default()
}

/// The form in which a key is stored.
pub(super) fn stored_key(request: &RequestKey, results: &[OperationResult]) -> String {
    let Some((key, digest)) = request else {
        return String::new();
    };
    let mut stored = format!("{key}{SEPARATOR}{digest:032x}{SEPARATOR}");
    for result in results {
        stored.push(match result.outcome {
            Outcome::Created => 'c',
            Outcome::Updated => 'u',
            Outcome::Unchanged => 'n',
            Outcome::Deleted => 'd',
        });
        stored.push_str(&result.id.to_hex());
    }
    stored
}

fn read_results(text: &str) -> Option<Vec<OperationResult>> {
    let mut results = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (one, later) = rest.split_at_checked(RESULT_CHARS)?;
        let (outcome, id) = one.split_at_checked(1)?;
        let outcome = match outcome {
            "c" => Outcome::Created,
            "u" => Outcome::Updated,
            "n" => Outcome::Unchanged,
            "d" => Outcome::Deleted,
            _ => return None,
        };
        results.push(OperationResult {
            id: ObjectId::parse_hex(id)?,
            outcome,
        });
        rest = later;
    }
    Some(results)
}

impl Window {
    /// The receipt of an earlier request with this key; an error when that was another request.
    pub(super) fn find(
        &self,
        actor: Option<ObjectId>,
        request: &RequestKey,
    ) -> Result<Option<Receipt>, StoreError> {
        let Some((key, digest)) = request else {
            return Ok(None);
        };
        if key.contains(SEPARATOR) {
            let reason = "the idempotency key holds a control character".to_owned();
            return Err(StoreError::Invalid {
                operation: 0,
                reason,
            });
        }
        match self.known.get(&(actor, key.clone())) {
            None => Ok(None),
            Some(entry) if entry.digest == *digest => Ok(Some(entry.receipt.clone())),
            Some(_) => Err(StoreError::IdempotencyKeyReused { key: key.clone() }),
        }
    }

    /// Remembers a request; the oldest is forgotten when there are too many.
    pub(super) fn remember(
        &mut self,
        actor: Option<ObjectId>,
        request: RequestKey,
        receipt: &Receipt,
    ) {
        let Some((key, digest)) = request else { return };
        self.insert(
            actor,
            key,
            Entry {
                digest,
                receipt: receipt.clone(),
            },
        );
    }

    fn insert(&mut self, actor: Option<ObjectId>, key: String, entry: Entry) {
        let name = (actor, key);
        if self.known.insert(name.clone(), entry).is_none() {
            self.order.push_back(name);
        }
        while self.order.len() > KEYS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// Remembers what a transaction read from the journal says.
    pub(super) fn read_back(&mut self, transaction: &Transaction) {
        let stored = &transaction.idempotency_key;
        let at = (transaction.sequence, transaction.committed_at);
        if !stored.is_empty() {
            self.read_stored(transaction.origin.actor, stored, at);
        }
    }

    fn read_stored(&mut self, actor: Option<ObjectId>, stored: &str, at: (Sequence, Instant)) {
        let mut parts = stored.split(SEPARATOR);
        let (Some(key), Some(digest), Some(results), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        let digest = u128::from_str_radix(digest, 16);
        let (Ok(digest), Some(results)) = (digest, read_results(results)) else {
            return;
        };
        let receipt = Receipt {
            sequence: at.0,
            committed_at: at.1,
            results,
        };
        self.insert(actor, key.to_owned(), Entry { digest, receipt });
    }

    /// All keys in the order of their age, for a checkpoint.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for name in &self.order {
            let Some(entry) = self.known.get(name) else {
                continue;
            };
            let request = Some((name.1.clone(), entry.digest));
            let stored = stored_key(&request, &entry.receipt.results);
            bytes.push(u8::from(name.0.is_some()));
            bytes.extend_from_slice(&name.0.map_or(0, |id| id.0).to_le_bytes());
            bytes.extend_from_slice(&entry.receipt.sequence.0.to_le_bytes());
            bytes.extend_from_slice(&entry.receipt.committed_at.as_micros().to_le_bytes());
            bytes.extend_from_slice(&(stored.len() as u64).to_le_bytes());
            bytes.extend_from_slice(stored.as_bytes());
        }
        bytes
    }

    /// The window from a checkpoint; what cannot be read is left out.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut window = Self::default();
        let mut rest = bytes;
        while let Some(later) = window.read_entry(rest) {
            rest = later;
        }
        window
    }

    fn read_entry<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (has_actor, rest) = bytes.split_first()?;
        let (actor, rest) = take_u64(rest)?;
        let (sequence, rest) = take_u64(rest)?;
        let (at, rest) = take_u64(rest)?;
        let (len, rest) = take_u64(rest)?;
        let (stored, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        let actor = (*has_actor == 1).then_some(ObjectId(actor));
        let at = (Sequence(sequence), Instant::from_micros(at as i64));
        self.read_stored(actor, std::str::from_utf8(stored).ok()?, at);
        Some(rest)
    }
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*word), rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]
mod tests {
    use super::*;

    fn receipt(sequence: u64) -> Receipt {
        let results = vec![
            OperationResult {
                id: ObjectId(sequence),
                outcome: Outcome::Created,
            },
            OperationResult {
                id: ObjectId(u64::MAX),
                outcome: Outcome::Deleted,
            },
        ];
        Receipt {
            sequence: Sequence(sequence),
            committed_at: Instant::from_micros(-5),
            results,
        }
    }

    #[test]
    fn receipts_survive_journal_and_checkpoint() {
        let request = Some(("key ö".to_owned(), 77u128));
        let mut window = Window::default();
        let actor = Some(ObjectId(3));
        window.read_back(&Transaction {
            sequence: Sequence(4),
            committed_at: Instant::from_micros(-5),
            origin: durward_model::transaction::Origin {
                actor,
                ..Default::default()
            },
            idempotency_key: stored_key(&request, &receipt(4).results),
            changes: Vec::new(),
        });
        assert_eq!(plain_key(&stored_key(&request, &[])), "key ö");
        for window in [Window::from_bytes(&window.to_bytes()), window] {
            assert_eq!(window.find(actor, &request).unwrap(), Some(receipt(4)));
            assert_eq!(
                window.find(None, &request).unwrap(),
                None,
                "keys are an actor's own"
            );
            let other = Some(("key ö".to_owned(), 78u128));
            let Err(error) = window.find(actor, &other) else {
                panic!("another request")
            };
            assert_eq!(error.kind(), durward_model::ErrorKind::Conflict);
        }
    }

    #[test]
    fn the_oldest_keys_are_forgotten() {
        let mut window = Window::default();
        for number in 0..=KEYS_MAX {
            window.remember(None, Some((number.to_string(), 0)), &receipt(1));
        }
        assert_eq!(window.known.len(), KEYS_MAX);
        assert_eq!(window.find(None, &Some(("0".to_owned(), 0))).unwrap(), None);
        assert!(
            window
                .find(None, &Some(("1".to_owned(), 0)))
                .unwrap()
                .is_some()
        );
    }
}
