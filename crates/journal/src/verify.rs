// SPDX-License-Identifier: Apache-2.0
//! Recomputing the chain, and saying exactly where it breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_model::Instant;
use durward_model::transaction::{Hash, Sequence};

use crate::codec::{self, Envelope};
use crate::erasure::ErasureRecord;
use crate::finding::{Finding, FindingKind};
use crate::{
    Erasures, Head, HeadSigner, Inspected, Journal, JournalError, ReadLimit, SignedHead,
    StoredTransaction,
};

/// Most findings that a report names.
pub const FINDINGS_MAX: usize = 100;

/// What to verify.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Begin after this head, which is known to be right (a checkpoint's); `None` verifies all.
    pub after: Option<Head>,
    /// A hash that the head had at some time, as written down elsewhere then: one of the
    /// transactions must still have it.
    pub expect_head: Option<Hash>,
    /// Set from outside when nobody waits for the report any more.
    pub given_up: Arc<AtomicBool>,
}

impl VerifyOptions {
    /// Asked between readings of the journal.
    ///
    /// # Errors
    /// [`JournalError::GivenUp`] when nobody waits any more.
    pub fn check_wanted(&self) -> Result<(), JournalError> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(JournalError::GivenUp);
        }
        Ok(())
    }
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Number of transactions recomputed.
    pub transactions: u64,
    /// Number of records read.
    pub records: u64,
    /// Transactions whose content was erased, digests kept.
    pub erased: u64,
    /// The records that say what was erased, when, by whom and why.
    pub erasures: Vec<ErasureRecord>,
    /// The head as the journal names it; `None` when it is empty.
    pub head: Option<Head>,
    /// What is wrong, first the earliest; at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Whether everything fits.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, sequence: Sequence, kind: FindingKind) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { sequence, kind });
        }
    }
}

/// A place in the chain, moved on transaction by transaction.
#[derive(Clone, Debug)]
pub struct ChainCursor {
    next: Sequence,
    /// Hash of the transaction before; unknown after a break.
    previous: Option<Hash>,
    committed_at: Instant,
}

impl ChainCursor {
    /// Right after a head; [`Head::empty`] for the beginning.
    pub fn after(head: &Head) -> Self {
        Self {
            next: head.sequence.next(),
            previous: Some(head.hash),
            committed_at: head.committed_at,
        }
    }

    /// The sequence that must come next.
    pub fn next(&self) -> Sequence {
        self.next
    }

    /// Moves over the transaction stored at `place`; `envelope` is `None` when it cannot be read.
    /// Says what does not fit and goes on behind it.
    pub fn accept(&mut self, place: Sequence, envelope: Option<&Envelope>) -> Option<Finding> {
        let expected = self.next;
        self.next = place.next();
        let mut finding = None;
        if place > expected {
            let until = Sequence(place.0.saturating_sub(1));
            finding = Some(Finding {
                sequence: expected,
                kind: FindingKind::Missing { until },
            });
            self.previous = None;
        }
        let Some(envelope) = envelope else {
            self.previous = None;
            return finding;
        };
        if envelope.sequence != place {
            self.previous = None;
            let kind = FindingKind::Misplaced {
                found: envelope.sequence,
            };
            return finding.or(Some(Finding {
                sequence: place,
                kind,
            }));
        }
        let kind = if self
            .previous
            .is_some_and(|previous| previous != envelope.previous)
        {
            Some(FindingKind::ChainBroken)
        } else if envelope.committed_at <= self.committed_at {
            Some(FindingKind::TimeNotIncreasing)
        } else {
            None
        };
        self.previous = Some(envelope.hash);
        self.committed_at = self.committed_at.max(envelope.committed_at);
        finding.or(kind.map(|kind| Finding {
            sequence: place,
            kind,
        }))
    }

    /// Compares the end of what was read with the signed head.
    pub fn compare_head(
        &self,
        signed: Option<&SignedHead>,
        signer: &dyn HeadSigner,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut add = |sequence, kind| findings.push(Finding { sequence, kind });
        let last = Sequence(self.next.0.saturating_sub(1));
        let ends = signed.map_or(last, |signed| last.max(signed.head.sequence));
        for (until, _) in signer.handed_over() {
            // Whoever has a retired key could make a journal that ends before it was retired.
            if ends < until {
                add(ends.next(), FindingKind::Missing { until });
            }
        }
        let Some(signed) = signed else {
            if last > Sequence(0) {
                add(last, FindingKind::HeadMissing);
            }
            return findings;
        };
        let head = signed.head;
        if head.sequence > last {
            add(
                last.next(),
                FindingKind::Missing {
                    until: head.sequence,
                },
            );
        } else if head.sequence < last {
            add(head.sequence.next(), FindingKind::BeyondHead);
        } else if self.previous.is_some_and(|hash| hash != head.hash) {
            add(head.sequence, FindingKind::HeadMismatch);
        }
        if !signed.is_signed_by(signer) {
            let key_id = signed.key_id.clone();
            add(head.sequence, FindingKind::HeadSignature { key_id });
        }
        findings
    }
}

/// Recomputes every transaction after `options.after` and checks the signed head. An error means
/// that the journal could not be read at all; what does not fit is in the report.
pub fn verify(
    journal: &dyn Journal,
    signer: &dyn HeadSigner,
    options: &VerifyOptions,
) -> Result<VerifyReport, JournalError> {
    let start = options.after.unwrap_or_else(Head::empty);
    let mut report = VerifyReport {
        transactions: 0,
        records: 0,
        erased: 0,
        erasures: Vec::new(),
        head: None,
        findings: Vec::new(),
    };
    check_start(journal, &start, &mut report)?;
    let mut erasures = Erasures::default();
    let handed_over = signer.handed_over();
    let mut cursor = ChainCursor::after(&start);
    let mut is_known = options
        .expect_head
        .is_none_or(|expected| expected == start.hash);
    let signed = loop {
        options.check_wanted()?;
        let found = journal.read(cursor.next(), ReadLimit::default())?;
        if found.is_empty() {
            // The head is read after the transactions, so that what is appended meanwhile shows up
            // as a head to catch up with and not as a transaction beyond the head.
            let signed = journal.head()?;
            let is_behind = signed
                .as_ref()
                .is_some_and(|s| s.head.sequence >= cursor.next());
            let one = ReadLimit {
                transactions: 1,
                bytes: 0,
            };
            if !is_behind || journal.read(cursor.next(), one)?.is_empty() {
                break signed;
            }
            continue;
        }
        for stored in found {
            report.transactions += 1;
            report.records += stored.records.len() as u64;
            let inspected = check_records(&mut report, &stored);
            if let Some(inspected) = &inspected {
                erasures.add(inspected, signer);
            }
            let envelope = inspected.map(|inspected| inspected.envelope);
            let hash = envelope.as_ref().map(|envelope| envelope.hash);
            is_known |= hash.is_some() && hash == options.expect_head;
            check_hand_over(&mut report, &handed_over, stored.sequence, hash);
            if let Some(finding) = cursor.accept(stored.sequence, envelope.as_ref()) {
                report.add(finding.sequence, finding.kind);
            }
        }
    };
    for sequence in erasures.unexplained() {
        report.add(sequence, FindingKind::ErasedWithoutRecord);
    }
    report.erasures = erasures.records;
    report.head = signed.as_ref().map(|signed| signed.head);
    for finding in cursor.compare_head(signed.as_ref(), signer) {
        report.add(finding.sequence, finding.kind);
    }
    if !is_known {
        let head = report.head.unwrap_or_else(Head::empty);
        report.add(head.sequence, FindingKind::UnexpectedHead);
    }
    Ok(report)
}

/// A transaction after which a key was retired must have the hash that it had then.
fn check_hand_over(
    report: &mut VerifyReport,
    handed_over: &[(Sequence, Hash)],
    sequence: Sequence,
    hash: Option<Hash>,
) {
    let mut handed_over = handed_over.iter();
    let is_other = |hash: Hash| handed_over.any(|over| over.0 == sequence && over.1 != hash);
    if hash.is_some_and(is_other) {
        report.add(sequence, FindingKind::NotHandedOver);
    }
}

/// The transaction at the start must still be the one that the caller knows.
fn check_start(
    journal: &dyn Journal,
    start: &Head,
    report: &mut VerifyReport,
) -> Result<(), JournalError> {
    if start.sequence == Sequence(0) {
        return Ok(());
    }
    let found = journal.read(
        start.sequence,
        ReadLimit {
            transactions: 1,
            bytes: 0,
        },
    )?;
    match found
        .first()
        .filter(|stored| stored.sequence == start.sequence)
    {
        None => report.add(
            start.sequence,
            FindingKind::Missing {
                until: start.sequence,
            },
        ),
        Some(stored) => match check_records(report, stored) {
            Some(found) if found.envelope.hash != start.hash => {
                report.add(start.sequence, FindingKind::ChainBroken);
            }
            _ => {}
        },
    }
    Ok(())
}

fn check_records(report: &mut VerifyReport, stored: &StoredTransaction) -> Option<Inspected> {
    match codec::inspect(&stored.records) {
        Ok(inspected) => {
            report.erased += u64::from(inspected.is_erased);
            Some(inspected)
        }
        Err(codec::CodecError::Misplaced {
            found,
            found_part: 0,
        }) => {
            report.add(stored.sequence, FindingKind::Misplaced { found });
            None
        }
        Err(error) => {
            let reason = error.to_string();
            report.add(stored.sequence, FindingKind::Damaged { reason });
            None
        }
    }
}
