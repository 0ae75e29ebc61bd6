// SPDX-License-Identifier: Apache-2.0
//! Transactions as records, format 1.
//!
//! A transaction is a list of *blocks*; a block holds segments (the origin; the head of a change;
//! dictionary values; rows) of at most [`BLOCK_ROWS_MAX`] rows. Blocks fill *records* of about
//! [`RECORD_BYTES_TARGET`] bytes, compressed each; the last record of a transaction carries its
//! envelope: instant, previous hash, hash, number of blocks. So a transaction is there with its
//! last record and not before.
//!
//! The hash of a transaction covers the previous hash, its sequence and instant, and a salted
//! digest of every block. [`erase`] drops contents and salts and keeps the digests: the chain still
//! holds.

mod chain;
mod change_reader;
mod change_writer;
mod columns;
mod encoder;
mod opener;
mod values;
mod wire;

use durward_model::Instant;
use durward_model::transaction::{Hash, Sequence};

pub use encoder::{EncodedTransaction, Encoder};
pub use opener::{Inspected, Opened, check, erase, inspect, open};

/// The newest record format, and the one that is written.
pub const FORMAT: u8 = 1;
/// Most rows that one block, and thus one digest, covers.
pub const BLOCK_ROWS_MAX: usize = 4096;
/// A block is closed when its content passes this size.
pub const BLOCK_BYTES_TARGET: usize = 1 << 20;
/// A record is closed when its blocks pass this size.
pub const RECORD_BYTES_TARGET: usize = 7 << 20;
/// Largest content of a record, before compression. A block holds at least one whole object, and
/// an object at most a few MiB.
pub const RECORD_BYTES_MAX: usize = 24 << 20;
/// Smaller contents are stored as they are: compressing them costs more than it gives.
pub const COMPRESSED_BYTES_MIN: usize = 1024;
/// Most records of one transaction.
pub const RECORDS_MAX: usize = 1 << 16;

const FLAG_COMPRESSED: u8 = 1;
const FLAG_LAST: u8 = 2;
const CHECKSUM_BYTES: usize = 8;

const BLOCK_ERASED: u8 = 0;
const BLOCK_CONTENT: u8 = 1;

/// Kinds of segments inside a block.
mod segment {
    pub(super) const CREATE_ENTITIES: u8 = 1;
    pub(super) const PATCH_ENTITIES: u8 = 2;
    pub(super) const DELETE_ENTITIES: u8 = 3;
    pub(super) const CREATE_RELATIONSHIPS: u8 = 4;
    pub(super) const PATCH_RELATIONSHIPS: u8 = 5;
    pub(super) const DELETE_RELATIONSHIPS: u8 = 6;
    pub(super) const ADD_ALIAS: u8 = 7;
    pub(super) const REMOVE_ALIAS: u8 = 8;
    pub(super) const ORIGIN: u8 = 9;
    pub(super) const DICTIONARY: u8 = 10;
    pub(super) const ROWS: u8 = 11;
}

/// Why bytes are not a record, or a transaction cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The bytes end too early.
    #[error("the record is cut off")]
    Truncated,
    /// A newer version wrote it.
    #[error("record format {found} is newer than format {FORMAT}, which this version reads")]
    NewerFormat {
        /// The format.
        found: u8,
    },
    /// Bytes were altered or lost.
    #[error("the checksum of the record does not match its content")]
    Checksum,
    /// The content is not what a record holds.
    #[error("the record has a malformed {what}")]
    Malformed {
        /// Which part of it.
        what: &'static str,
    },
    /// The record belongs to another transaction or another place in it.
    #[error(
        "the record is part {found_part} of transaction {} and stands in the wrong place",
        found.0
    )]
    Misplaced {
        /// The transaction that it names.
        found: Sequence,
        /// The part that it names.
        found_part: u64,
    },
    /// The last record of the transaction is not there.
    #[error("the last record of the transaction is missing")]
    Incomplete,
    /// The content does not give the hash that the transaction names.
    #[error("the content does not match the hash of the transaction")]
    HashMismatch,
    /// A record is larger than any record can be.
    #[error("a record of {bytes} bytes is larger than {RECORD_BYTES_MAX} bytes")]
    TooLarge {
        /// Its size before compression.
        bytes: u64,
    },
    /// The compressed content cannot be taken apart, or compression failed.
    #[error("the compressed content of the record is damaged")]
    Compression {
        /// What the library says.
        #[source]
        source: std::io::Error,
    },
    /// The transaction contradicts itself.
    #[error("the transaction cannot be stored: {what}")]
    Unencodable {
        /// What is wrong.
        what: &'static str,
    },
}

/// What is known of a transaction without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its position.
    pub sequence: Sequence,
    /// When it was committed.
    pub committed_at: Instant,
    /// Hash of the transaction before.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
    /// Number of its blocks.
    pub blocks: u64,
}

/// Takes bytes of unknown origin apart as a record, as a record without checksum and as the content
/// of a block; for the fuzz target. Whatever the bytes are, each way ends with an answer.
pub fn decode_foreign_bytes(bytes: &[u8]) -> [Result<(), CodecError>; 3] {
    [
        open(&[bytes]).map(drop),
        opener::open_unchecked(bytes),
        change_reader::read_block_content(bytes),
    ]
}
