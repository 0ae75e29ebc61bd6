// SPDX-License-Identifier: Apache-2.0
//! The frame of a checkpoint: header, table of sections, compressed sections.
//!
//! The table holds a code of every section under a key of the organization, and one code covers
//! header and table: nobody else can make a checkpoint, or put one together from parts of others.

use std::io;

use durward_journal::FileSeal;
use durward_journal::file_seal::{TAG_BYTES, Tag};

use super::FORMAT;
use super::codec::{Damage, Encoder, fixed};

const MAGIC: &[u8; 8] = b"DWGRAPH\0";
const HEADER: usize = 16;
const ENTRY: usize = 16 + TAG_BYTES;
const HEADER_PURPOSE: &str = "checkpoint header";
const SECTION_PURPOSE: &str = "checkpoint section";
/// No section is larger than this when unpacked.
const SECTION_MAX: u64 = 64 << 30;

/// A compressed section.
#[derive(Debug)]
pub(super) struct Section {
    raw_len: u64,
    packed: Vec<u8>,
    tag: Tag,
}

impl Section {
    pub(super) fn seal(section: Encoder, seal: &dyn FileSeal) -> io::Result<Self> {
        let (raw_len, packed) = section.finish()?;
        Ok(Self {
            raw_len,
            tag: seal.tag(SECTION_PURPOSE, &[&packed]),
            packed,
        })
    }

    /// The bytes of the section as they lie in the file.
    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }
}

/// What comes before the sections in the file.
pub(super) fn header(sections: &[Section], seal: &dyn FileSeal) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER + sections.len() * ENTRY + TAG_BYTES);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&FORMAT.to_le_bytes());
    header.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    for section in sections {
        header.extend_from_slice(&section.raw_len.to_le_bytes());
        header.extend_from_slice(&(section.packed.len() as u64).to_le_bytes());
        header.extend_from_slice(&section.tag);
    }
    let tag = seal.tag(HEADER_PURPOSE, &[&header]);
    header.extend_from_slice(&tag);
    header
}

/// The format of a file, if it is a checkpoint at all.
pub(super) fn version(file: &[u8]) -> Option<u32> {
    let rest = file.strip_prefix(MAGIC)?;
    rest.get(..4).map(|bytes| fixed(bytes) as u32)
}

/// A section as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'f> {
    raw_len: usize,
    bytes: &'f [u8],
    tag: &'f [u8],
}

/// The sections of a file. Only the header is checked; each section is when it is unpacked.
pub(super) fn split<'f>(file: &'f [u8], seal: &dyn FileSeal) -> Result<Vec<Packed<'f>>, Damage> {
    let early = || "the file ends early".to_owned();
    if version(file) != Some(FORMAT) {
        return Err("the file is not a checkpoint".to_owned());
    }
    let count = file.get(HEADER - 4..HEADER).map_or(0, fixed) as usize;
    let table = HEADER + count * ENTRY;
    let tag = file.get(table..table + TAG_BYTES).ok_or_else(early)?;
    let header = file.get(..table).ok_or_else(early)?;
    if !seal.is_tag(HEADER_PURPOSE, &[header], tag) {
        return Err("its header was not written by this organization".to_owned());
    }
    let mut at = table + TAG_BYTES;
    let mut sections = Vec::with_capacity(count);
    for entry in header.get(HEADER..).unwrap_or_default().chunks_exact(ENTRY) {
        let part = |range: std::ops::Range<usize>| entry.get(range).unwrap_or_default();
        let (raw_len, packed_len) = (fixed(part(0..8)), fixed(part(8..16)) as usize);
        if raw_len > SECTION_MAX {
            return Err("a section is too large".to_owned());
        }
        let end = at.checked_add(packed_len).ok_or_else(early)?;
        let bytes = file.get(at..end).ok_or_else(early)?;
        sections.push(Packed {
            raw_len: raw_len as usize,
            bytes,
            tag: part(16..ENTRY),
        });
        at = end;
    }
    if at != file.len() {
        return Err("the file goes on too long".to_owned());
    }
    Ok(sections)
}

impl Packed<'_> {
    /// Length when unpacked.
    pub(super) fn raw_len(&self) -> usize {
        self.raw_len
    }

    pub(super) fn unpack(&self, seal: &dyn FileSeal) -> Result<Vec<u8>, Damage> {
        if !seal.is_tag(SECTION_PURPOSE, &[self.bytes], self.tag) {
            return Err("a section was altered".to_owned());
        }
        let raw = zstd::bulk::decompress(self.bytes, self.raw_len);
        let raw = raw.map_err(|_| "a section cannot be unpacked".to_owned())?;
        if raw.len() != self.raw_len {
            return Err("a section has a wrong length".to_owned());
        }
        Ok(raw)
    }
}
