// SPDX-License-Identifier: Apache-2.0
//! From a transaction to records.

use std::fmt;

use durward_model::Instant;
use durward_model::transaction::{Hash, Origin, Sequence, Transaction};
use xxhash_rust::xxh3::xxh3_64;

use super::chain::{TransactionHash, block_digest};
use super::change_writer::write_change;
use super::wire::{put_bytes, put_str, put_varint};
use super::{
    BLOCK_BYTES_TARGET, BLOCK_CONTENT, BLOCK_ROWS_MAX, COMPRESSED_BYTES_MIN, CodecError,
    FLAG_COMPRESSED, FLAG_LAST, FORMAT, RECORD_BYTES_MAX, RECORD_BYTES_TARGET, RECORDS_MAX,
    segment,
};
use crate::salt::SaltSource;

/// Level 1: higher levels gained at most 3 % on columns.
const COMPRESSION_LEVEL: i32 = 1;

/// A transaction ready to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedTransaction {
    /// Its position.
    pub sequence: Sequence,
    /// When it was committed.
    pub committed_at: Instant,
    /// Its hash, which the next transaction names.
    pub hash: Hash,
    /// Its records in order.
    pub records: Vec<Vec<u8>>,
}

/// Turns transactions into records; keeps its buffers between them.
pub struct Encoder {
    salts: Box<dyn SaltSource>,
    compressor: zstd::bulk::Compressor<'static>,
    hash: TransactionHash,
    sequence: Sequence,
    block: Vec<u8>,
    block_rows: usize,
    payload: Vec<u8>,
    records: Vec<Vec<u8>>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Encoder")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder that salts its digests from `salts`.
    pub fn new(salts: Box<dyn SaltSource>) -> Result<Self, CodecError> {
        let compressor = compressor()?;
        Ok(Self {
            salts,
            compressor,
            hash: TransactionHash::default(),
            sequence: Sequence(0),
            block: Vec::new(),
            block_rows: 0,
            payload: Vec::new(),
            records: Vec::new(),
        })
    }

    /// The records of a transaction that follows on the one with hash `previous`.
    pub fn encode(
        &mut self,
        transaction: &Transaction,
        previous: &Hash,
    ) -> Result<EncodedTransaction, CodecError> {
        self.hash.clear();
        self.sequence = transaction.sequence;
        self.block.clear();
        self.block_rows = 0;
        self.payload.clear();
        self.records.clear();
        write_origin(
            &mut self.block,
            &transaction.origin,
            &transaction.idempotency_key,
        );
        self.close_block()?;
        for change in &transaction.changes {
            write_change(self, change)?;
        }
        self.close_block()?;
        let at = transaction.committed_at;
        let hash = self.hash.finish(self.sequence, at, previous);
        let mut envelope = Vec::with_capacity(96);
        envelope.extend_from_slice(&at.as_micros().to_le_bytes());
        envelope.extend_from_slice(previous);
        envelope.extend_from_slice(&hash);
        put_varint(&mut envelope, self.hash.blocks());
        self.close_record(Some(&envelope))?;
        Ok(EncodedTransaction {
            sequence: self.sequence,
            committed_at: at,
            hash,
            records: std::mem::take(&mut self.records),
        })
    }

    /// The open block, for segments without rows.
    pub(super) fn block(&mut self) -> &mut Vec<u8> {
        &mut self.block
    }

    /// The open block with room for at least one row more, and how many rows fit.
    pub(super) fn block_for_rows(&mut self) -> Result<usize, CodecError> {
        if self.block_rows >= BLOCK_ROWS_MAX || self.block.len() >= BLOCK_BYTES_TARGET {
            self.close_block()?;
        }
        Ok(BLOCK_ROWS_MAX - self.block_rows)
    }

    pub(super) fn count_rows(&mut self, rows: usize) {
        self.block_rows += rows;
    }

    pub(super) fn close_block(&mut self) -> Result<(), CodecError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let salt = self.salts.next_salt();
        self.hash.add(block_digest(&salt, &self.block));
        self.payload.push(BLOCK_CONTENT);
        self.payload.extend_from_slice(&salt);
        put_bytes(&mut self.payload, &self.block);
        self.block.clear();
        self.block_rows = 0;
        if self.payload.len() >= RECORD_BYTES_TARGET {
            self.close_record(None)?;
        }
        Ok(())
    }

    fn close_record(&mut self, envelope: Option<&[u8]>) -> Result<(), CodecError> {
        let part = self.records.len();
        if part >= RECORDS_MAX {
            return Err(CodecError::Unencodable {
                what: "too many records",
            });
        }
        if self.payload.len() > RECORD_BYTES_MAX {
            return Err(CodecError::TooLarge {
                bytes: self.payload.len() as u64,
            });
        }
        let place = RecordPlace {
            sequence: self.sequence,
            part: part as u64,
            envelope,
        };
        let record = seal_record(&mut self.compressor, &place, &self.payload)?;
        self.records.push(record);
        self.payload.clear();
        Ok(())
    }
}

/// Where a record stands; `envelope` in the last one of a transaction.
pub(super) struct RecordPlace<'a> {
    pub(super) sequence: Sequence,
    pub(super) part: u64,
    pub(super) envelope: Option<&'a [u8]>,
}

/// One record: format, flags, place, envelope, content, checksum.
pub(super) fn seal_record(
    compressor: &mut zstd::bulk::Compressor<'_>,
    place: &RecordPlace<'_>,
    payload: &[u8],
) -> Result<Vec<u8>, CodecError> {
    let compressed = if payload.len() >= COMPRESSED_BYTES_MIN {
        let result = compressor.compress(payload);
        Some(result.map_err(|source| CodecError::Compression { source })?)
    } else {
        None
    };
    let content = compressed.as_deref().unwrap_or(payload);
    let mut record = Vec::with_capacity(content.len() + 128);
    record.push(FORMAT);
    let mut flags = 0;
    if compressed.is_some() {
        flags |= FLAG_COMPRESSED;
    }
    if place.envelope.is_some() {
        flags |= FLAG_LAST;
    }
    record.push(flags);
    put_varint(&mut record, place.sequence.0);
    put_varint(&mut record, place.part);
    record.extend_from_slice(place.envelope.unwrap_or_default());
    if compressed.is_some() {
        put_varint(&mut record, payload.len() as u64);
    }
    record.extend_from_slice(content);
    let checksum = xxh3_64(&record);
    record.extend_from_slice(&checksum.to_le_bytes());
    Ok(record)
}

pub(super) fn compressor() -> Result<zstd::bulk::Compressor<'static>, CodecError> {
    zstd::bulk::Compressor::new(COMPRESSION_LEVEL)
        .map_err(|source| CodecError::Compression { source })
}

fn write_origin(out: &mut Vec<u8>, origin: &Origin, idempotency_key: &str) {
    out.push(segment::ORIGIN);
    for id in [origin.actor, origin.credential] {
        match id {
            Some(id) => {
                out.push(1);
                out.extend_from_slice(&id.0.to_le_bytes());
            }
            None => out.push(0),
        }
    }
    put_str(out, &origin.activity);
    put_str(out, &origin.request_id);
    put_str(out, &origin.source_address);
    put_str(out, &origin.user_agent);
    put_str(out, &origin.detail);
    put_str(out, idempotency_key);
}
