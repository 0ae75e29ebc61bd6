// SPDX-License-Identifier: Apache-2.0
//! From records back to a transaction, with every check that the format allows.

use std::borrow::Cow;

use durward_model::Instant;
use durward_model::transaction::{HASH_BYTES, Origin, Sequence, Transaction};
use xxhash_rust::xxh3::xxh3_64;

use super::chain::{TransactionHash, block_digest};
use super::change_reader::ChangeReader;
use super::encoder::{RecordPlace, compressor, seal_record};
use super::wire::{Reader, put_varint};
use super::{
    BLOCK_CONTENT, BLOCK_ERASED, CHECKSUM_BYTES, CodecError, Envelope, FLAG_COMPRESSED, FLAG_LAST,
    FORMAT, RECORD_BYTES_MAX,
};

/// A transaction read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// What the chain needs.
    pub envelope: Envelope,
    /// The transaction; `None` when its content was erased.
    pub transaction: Option<Transaction>,
}

/// Reads a transaction from all its records. The content matches its hash, or this is an error;
/// whether it follows on the transaction before is for the caller to compare.
pub fn open<R: AsRef<[u8]>>(records: &[R]) -> Result<Opened, CodecError> {
    let mut changes = ChangeReader::default();
    let mut is_erased = false;
    let envelope = walk(records, |block| {
        match block {
            Block::Content { content, .. } => changes.add_block(content)?,
            Block::Erased(_) => is_erased = true,
        }
        Ok(())
    })?;
    if is_erased {
        return Ok(Opened {
            envelope,
            transaction: None,
        });
    }
    if !changes.is_started() {
        return Err(CodecError::Malformed {
            what: "first block",
        });
    }
    let transaction = Transaction {
        sequence: envelope.sequence,
        committed_at: envelope.committed_at,
        origin: changes.origin,
        idempotency_key: changes.idempotency_key,
        changes: changes.changes,
    };
    Ok(Opened {
        envelope,
        transaction: Some(transaction),
    })
}

/// Checks records against their hash without reading the changes. Says also whether some of their
/// content was erased.
pub fn check<R: AsRef<[u8]>>(records: &[R]) -> Result<(Envelope, bool), CodecError> {
    let mut is_erased = false;
    let envelope = walk(records, |block| {
        is_erased |= matches!(block, Block::Erased(_));
        Ok(())
    })?;
    Ok((envelope, is_erased))
}

/// A transaction checked against its hash, its changes not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// What the chain needs.
    pub envelope: Envelope,
    /// Whether some of its content was erased.
    pub is_erased: bool,
    /// Who, how, from where; `None` when that was erased.
    pub origin: Option<Origin>,
}

/// As [`check`], and reads the origin, which has a block of its own.
pub fn inspect<R: AsRef<[u8]>>(records: &[R]) -> Result<Inspected, CodecError> {
    let (mut is_erased, mut is_first, mut origin) = (false, true, None);
    let envelope = walk(records, |block| {
        match block {
            Block::Content { content, .. } if is_first => {
                let mut reader = ChangeReader::default();
                reader.add_block(content)?;
                origin = Some(reader.origin);
            }
            Block::Content { .. } => {}
            Block::Erased(_) => is_erased = true,
        }
        is_first = false;
        Ok(())
    })?;
    Ok(Inspected {
        envelope,
        is_erased,
        origin,
    })
}

/// The same transaction in one record that holds digests in place of contents and salts.
pub fn erase<R: AsRef<[u8]>>(records: &[R]) -> Result<Vec<Vec<u8>>, CodecError> {
    let mut payload = Vec::new();
    let envelope = walk(records, |block| {
        payload.push(BLOCK_ERASED);
        payload.extend_from_slice(&block.digest());
        Ok(())
    })?;
    let mut head = Vec::with_capacity(96);
    head.extend_from_slice(&envelope.committed_at.as_micros().to_le_bytes());
    head.extend_from_slice(&envelope.previous);
    head.extend_from_slice(&envelope.hash);
    put_varint(&mut head, envelope.blocks);
    if payload.len() > RECORD_BYTES_MAX {
        return Err(CodecError::TooLarge {
            bytes: payload.len() as u64,
        });
    }
    let place = RecordPlace {
        sequence: envelope.sequence,
        part: 0,
        envelope: Some(&head),
    };
    Ok(vec![seal_record(&mut compressor()?, &place, &payload)?])
}

enum Block<'a> {
    Content {
        digest: [u8; HASH_BYTES],
        content: &'a [u8],
    },
    Erased([u8; HASH_BYTES]),
}

impl Block<'_> {
    fn digest(&self) -> [u8; HASH_BYTES] {
        match self {
            Self::Content { digest, .. } | Self::Erased(digest) => *digest,
        }
    }
}

struct RecordHead {
    sequence: Sequence,
    part: u64,
    envelope: Option<Envelope>,
}

fn walk<R: AsRef<[u8]>>(
    records: &[R],
    mut visit: impl FnMut(Block<'_>) -> Result<(), CodecError>,
) -> Result<Envelope, CodecError> {
    let mut hash = TransactionHash::default();
    let mut sequence = None;
    for (position, record) in records.iter().enumerate() {
        let (head, payload) = unseal(record.as_ref())?;
        let expected = *sequence.get_or_insert(head.sequence);
        if head.part != position as u64 || head.sequence != expected {
            return Err(CodecError::Misplaced {
                found: head.sequence,
                found_part: head.part,
            });
        }
        let mut reader = Reader::new(&payload);
        while !reader.is_at_end() {
            let block = match reader.u8()? {
                BLOCK_CONTENT => {
                    let salt = reader.array()?;
                    let content = reader.bytes()?;
                    Block::Content {
                        digest: block_digest(&salt, content),
                        content,
                    }
                }
                BLOCK_ERASED => Block::Erased(reader.array()?),
                _ => return Err(CodecError::Malformed { what: "block" }),
            };
            hash.add(block.digest());
            visit(block)?;
        }
        let Some(envelope) = head.envelope else {
            continue;
        };
        if position + 1 != records.len() {
            return Err(CodecError::Malformed {
                what: "record after the last one",
            });
        }
        let found = hash.finish(envelope.sequence, envelope.committed_at, &envelope.previous);
        if found != envelope.hash || hash.blocks() != envelope.blocks {
            return Err(CodecError::HashMismatch);
        }
        return Ok(envelope);
    }
    Err(CodecError::Incomplete)
}

/// Checks format and checksum of a record and unpacks its content.
fn unseal(record: &[u8]) -> Result<(RecordHead, Cow<'_, [u8]>), CodecError> {
    let format = *record.first().ok_or(CodecError::Truncated)?;
    if format > FORMAT {
        return Err(CodecError::NewerFormat { found: format });
    }
    if format == 0 {
        return Err(CodecError::Malformed { what: "format" });
    }
    let body_len = record
        .len()
        .checked_sub(CHECKSUM_BYTES)
        .ok_or(CodecError::Truncated)?;
    let (body, checksum) = record
        .split_at_checked(body_len)
        .ok_or(CodecError::Truncated)?;
    if xxh3_64(body).to_le_bytes() != checksum {
        return Err(CodecError::Checksum);
    }
    unpack(body)
}

fn unpack(body: &[u8]) -> Result<(RecordHead, Cow<'_, [u8]>), CodecError> {
    let mut reader = Reader::new(body);
    reader.u8()?;
    let flags = reader.u8()?;
    if flags & !(FLAG_COMPRESSED | FLAG_LAST) != 0 {
        return Err(CodecError::Malformed { what: "flags" });
    }
    let sequence = Sequence(reader.varint()?);
    let part = reader.varint()?;
    let envelope = if flags & FLAG_LAST == 0 {
        None
    } else {
        Some(Envelope {
            sequence,
            committed_at: Instant::from_micros(i64::from_le_bytes(reader.array()?)),
            previous: reader.array()?,
            hash: reader.array()?,
            blocks: reader.varint()?,
        })
    };
    let payload = if flags & FLAG_COMPRESSED == 0 {
        Cow::Borrowed(reader.rest())
    } else {
        Cow::Owned(decompress(&mut reader)?)
    };
    Ok((
        RecordHead {
            sequence,
            part,
            envelope,
        },
        payload,
    ))
}

fn decompress(reader: &mut Reader<'_>) -> Result<Vec<u8>, CodecError> {
    let len = reader.varint()?;
    if len > RECORD_BYTES_MAX as u64 {
        return Err(CodecError::TooLarge { bytes: len });
    }
    let content = zstd::bulk::decompress(reader.rest(), len as usize)
        .map_err(|source| CodecError::Compression { source })?;
    if content.len() as u64 != len {
        return Err(CodecError::Malformed { what: "length" });
    }
    Ok(content)
}

/// Reads the body of a record without its checksum, for the fuzz target.
pub(super) fn open_unchecked(body: &[u8]) -> Result<(), CodecError> {
    let (_, payload) = unpack(body)?;
    let mut reader = Reader::new(&payload);
    let mut changes = ChangeReader::default();
    while !reader.is_at_end() {
        match reader.u8()? {
            BLOCK_CONTENT => {
                reader.take(crate::salt::SALT_BYTES)?;
                changes.add_block(reader.bytes()?)?;
            }
            BLOCK_ERASED => drop(reader.take(HASH_BYTES)?),
            _ => return Err(CodecError::Malformed { what: "block" }),
        }
    }
    Ok(())
}
