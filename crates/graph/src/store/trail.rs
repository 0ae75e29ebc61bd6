// SPDX-License-Identifier: Apache-2.0
//! What the journal tells people: transactions, and what became of those whose content is gone.

use std::sync::Arc;

use durward_journal::{
    ErasureRecord, Erasures, JournalError, Opened, ReadLimit, VerifyOptions, VerifyReport, codec,
    verify,
};
use durward_model::transaction::{Origin, Sequence, Transaction};
use parking_lot::Mutex;

use super::refold::{self, StateCheck};
use super::{Store, StoreError, TRANSACTIONS_MAX, audit};

/// Activity that stands where the content of a transaction was.
pub const ERASED_ACTIVITY: &str = "erased";

/// A transaction as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The transaction, or one without changes that stands for it.
    pub transaction: Transaction,
    /// What became of its content.
    pub content: Content,
}

/// What became of the content of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// It is there.
    Whole,
    /// It was erased, as this record says.
    Erased(Box<ErasureRecord>),
    /// It is gone and no signed record says why.
    Lost,
}

/// What a whole audit found.
#[derive(Clone, Debug)]
pub struct AuditReport {
    /// About the journal.
    pub chain: VerifyReport,
    /// About the state that answers questions.
    pub state: StateCheck,
    /// Why the checkpoint that was there at the start was not used.
    pub discarded: Option<String>,
}

impl AuditReport {
    /// Whether everything fits.
    pub fn is_sound(&self) -> bool {
        self.chain.is_sound() && !matches!(self.state, StateCheck::Differs(_))
    }
}

/// The erasure records up to a transaction.
#[derive(Debug, Default)]
pub(super) struct KnownErasures(Mutex<(Sequence, Arc<Vec<ErasureRecord>>)>);

impl Store {
    /// Transactions from a sequence on, secret values and idempotency bookkeeping taken out. In
    /// place of one whose content is gone stands one that says so.
    pub fn transactions(
        &self,
        from: Sequence,
        limit: usize,
    ) -> Result<Vec<Transaction>, StoreError> {
        let told = self.trail(from, limit)?.into_iter();
        Ok(told.map(|told| told.transaction).collect())
    }

    /// As [`Store::transactions`], with what became of each content.
    pub fn trail(&self, from: Sequence, limit: usize) -> Result<Vec<Told>, StoreError> {
        let mut found = Vec::new();
        let mut from = from.max(Sequence(1));
        let limit = limit.min(TRANSACTIONS_MAX);
        // The snapshot is published first: who has seen a transaction in it must find it here.
        let head = self.snapshot().sequence();
        while found.len() < limit && from <= head {
            let transactions = limit - found.len();
            let batch = self.shared.journal.read(
                from,
                ReadLimit {
                    transactions,
                    bytes: 1 << 20,
                },
            )?;
            let Some(last) = batch.last() else { break };
            from = last.sequence.next();
            for stored in batch.into_iter().filter(|stored| stored.sequence <= head) {
                let damaged = |source| JournalError::Damaged {
                    sequence: stored.sequence,
                    source,
                };
                found.push(self.told(codec::open(&stored.records).map_err(damaged)?)?);
            }
        }
        Ok(found)
    }

    fn told(&self, opened: Opened) -> Result<Told, StoreError> {
        if let Some(mut transaction) = opened.transaction {
            audit::redact(&mut transaction, &self.shared.catalog);
            return Ok(Told {
                transaction,
                content: Content::Whole,
            });
        }
        let envelope = opened.envelope;
        let records = self.erasures()?;
        let mut records = records.iter();
        let named = records.find(|record| record.names(envelope.sequence, &envelope.hash));
        let (content, detail) = if let Some(record) = named {
            let (by, at) = (record.sequence.0, record.committed_at);
            let detail = format!("by transaction {by} at {at}: {}", record.cause);
            (Content::Erased(Box::new(record.clone())), detail)
        } else {
            let detail = "no signed erasure record names it: see `durward audit verify`";
            (Content::Lost, detail.to_owned())
        };
        let transaction = Transaction {
            sequence: envelope.sequence,
            committed_at: envelope.committed_at,
            origin: Origin {
                activity: ERASED_ACTIVITY.to_owned(),
                detail,
                ..Origin::default()
            },
            idempotency_key: String::new(),
            changes: Vec::new(),
        };
        Ok(Told {
            transaction,
            content,
        })
    }

    /// All erasure records; what was read once is not read again.
    fn erasures(&self) -> Result<Arc<Vec<ErasureRecord>>, StoreError> {
        let head = self.snapshot().sequence();
        let mut known = self.erasures.0.lock();
        if known.0 < head {
            let shared = &self.shared;
            let later = Erasures::read(&*shared.journal, &*shared.signer, known.0)?;
            // What is behind the head by now may be read again, so it is not kept.
            let later = later.into_iter().filter(|record| record.sequence <= head);
            let all = known.1.iter().cloned().chain(later);
            *known = (head, Arc::new(all.collect()));
        }
        Ok(Arc::clone(&known.1))
    }

    /// Recomputes the whole chain.
    pub fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.verify_with(&VerifyOptions::default())
    }

    /// Recomputes the chain, or a part of it, and compares the head with an expected one.
    pub fn verify_with(&self, options: &VerifyOptions) -> Result<VerifyReport, StoreError> {
        let shared = &self.shared;
        Ok(verify(&*shared.journal, &*shared.signer, options)?)
    }

    /// Recomputes the whole chain, folds the journal anew, and compares the result with the state
    /// that answers questions. Needs as much memory as that state. Only one runs at a time.
    ///
    /// # Errors
    /// When the journal cannot be read, when the audit was given up, and [`StoreError::Auditing`]
    /// while another one runs.
    pub fn audit(&self, options: &VerifyOptions) -> Result<AuditReport, StoreError> {
        let _one = self.auditing.try_lock().ok_or(StoreError::Auditing)?;
        let chain = self.verify_with(options)?;
        let state = if chain.is_sound() {
            refold::compare(&*self.shared.journal, &self.snapshot(), options)?
        } else {
            StateCheck::Skipped("the journal is not sound".to_owned())
        };
        Ok(AuditReport {
            chain,
            state,
            discarded: self.discarded.clone(),
        })
    }

    /// Why the checkpoint that was there at the start was not used.
    pub fn discarded_checkpoint(&self) -> Option<&str> {
        self.discarded.as_deref()
    }
}
