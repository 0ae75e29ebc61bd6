// SPDX-License-Identifier: Apache-2.0
//! What can be wrong with a journal, in words.

use std::fmt;

use durward_model::transaction::Sequence;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The transaction at which it shows.
    pub sequence: Sequence,
    /// What it is.
    pub kind: FindingKind,
}

/// What can be wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// This transaction and perhaps more, up to the given one, are not there.
    Missing {
        /// The last that is missing.
        until: Sequence,
    },
    /// Its records are torn or altered.
    Damaged {
        /// What does not fit.
        reason: String,
    },
    /// Another transaction stands in its place.
    Misplaced {
        /// The one that it says it is.
        found: Sequence,
    },
    /// Its content is gone, and no signed erasure record names it.
    ErasedWithoutRecord,
    /// It names another predecessor than the one that stands before it.
    ChainBroken,
    /// It was committed no later than the transaction before.
    TimeNotIncreasing,
    /// There are transactions and no head.
    HeadMissing,
    /// The head names another hash than the last transaction has.
    HeadMismatch,
    /// The head ends before this transaction.
    BeyondHead,
    /// The signature of the head is not by the organization.
    HeadSignature {
        /// The key that it names.
        key_id: String,
    },
    /// A key that signed heads was retired after a transaction with another hash.
    NotHandedOver,
    /// No transaction has the hash that the caller expected.
    UnexpectedHead,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = self.sequence.0;
        match &self.kind {
            FindingKind::Missing { until } if *until == self.sequence => {
                write!(formatter, "transaction {sequence} is missing")
            }
            FindingKind::Missing {
                until: Sequence(until),
            } => {
                write!(formatter, "transactions {sequence} to {until} are missing")
            }
            FindingKind::Damaged { reason } => {
                write!(formatter, "transaction {sequence} is damaged: {reason}")
            }
            FindingKind::Misplaced { found } => {
                write!(
                    formatter,
                    "in place of transaction {sequence} stands transaction {}",
                    found.0
                )
            }
            FindingKind::ErasedWithoutRecord => {
                write!(
                    formatter,
                    "the content of transaction {sequence} is gone, and no signed erasure record \
                     names it"
                )
            }
            FindingKind::ChainBroken => formatter.write_fmt(format_args!(
                "transaction {sequence} does not follow on the one before it"
            )),
            FindingKind::TimeNotIncreasing => formatter.write_fmt(format_args!(
                "transaction {sequence} is not later than the one before it"
            )),
            FindingKind::HeadMissing => {
                write!(
                    formatter,
                    "the head is missing, though transaction {sequence} is there"
                )
            }
            FindingKind::HeadMismatch => {
                write!(formatter, "the head does not match transaction {sequence}")
            }
            FindingKind::BeyondHead => {
                write!(
                    formatter,
                    "transaction {sequence} comes after the signed head"
                )
            }
            FindingKind::HeadSignature { key_id } => {
                write!(
                    formatter,
                    "the head at {sequence} has no valid signature by key {key_id:?}"
                )
            }
            FindingKind::NotHandedOver => {
                write!(
                    formatter,
                    "transaction {sequence} is not the one after which a key was retired"
                )
            }
            FindingKind::UnexpectedHead => {
                write!(
                    formatter,
                    "no transaction until the head at {sequence} has the expected hash"
                )
            }
        }
    }
}
