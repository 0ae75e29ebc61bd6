// SPDX-License-Identifier: Apache-2.0
//! The file of a staged part: a header, the entities, the relationships.
//!
//! Each of the three has a code of its own, for the job and the name of the file. The header holds
//! the codes of the other two.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use durward_journal::file_seal::{TAG_BYTES, Tag};
use durward_journal::{FileSeal, private};

use super::{PART_BYTES_MAX, StagedPart, StagingError, failed};
use crate::bulk::part::PartCounts;

const MAGIC: &[u8; 8] = b"DWSTAGE2";
const WORDS: usize = 5;
/// The header without its own code.
const PLAIN_BYTES: usize = 8 + 16 + 1 + WORDS * 8 + 2 * TAG_BYTES;
pub(super) const HEADER_BYTES: usize = PLAIN_BYTES + TAG_BYTES;

/// What of a file a code is of, beside the header.
#[derive(Clone, Copy, Debug)]
pub(super) enum Section {
    Entities,
    Relationships,
}

/// Makes and checks the codes of one part.
#[derive(Clone)]
pub(super) struct PartSeal {
    seal: Arc<dyn FileSeal>,
    job: Arc<str>,
    /// Name of its file, which says its number and what the client calls it.
    file: Arc<str>,
}

impl PartSeal {
    pub(super) fn new(seal: Arc<dyn FileSeal>, job: Arc<str>, file: String) -> Self {
        let file = file.into();
        Self { seal, job, file }
    }

    fn purpose(&self, of: &str) -> String {
        format!("staged {of} {} of job {}", self.file, self.job)
    }

    fn section_purpose(&self, section: Section) -> String {
        self.purpose(match section {
            Section::Entities => "entities",
            Section::Relationships => "relationships",
        })
    }

    pub(super) fn tag(&self, section: Section, bytes: &[u8]) -> Tag {
        self.seal.tag(&self.section_purpose(section), &[bytes])
    }

    pub(super) fn is_tag(&self, section: Section, bytes: &[u8], tag: &Tag) -> bool {
        let purpose = self.section_purpose(section);
        self.seal.is_tag(&purpose, &[bytes], tag)
    }

    fn header_tag(&self, plain: &[u8]) -> Tag {
        self.seal.tag(&self.purpose("header"), &[plain])
    }

    fn is_header_tag(&self, plain: &[u8], tag: &Tag) -> bool {
        self.seal.is_tag(&self.purpose("header"), &[plain], tag)
    }
}

impl fmt::Debug for PartSeal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PartSeal({} of {})", self.file, self.job)
    }
}

/// The codes are compared beside it; of the key nothing is asked.
impl PartialEq for PartSeal {
    fn eq(&self, other: &Self) -> bool {
        (&self.job, &self.file) == (&other.job, &other.file)
    }
}

impl Eq for PartSeal {}

/// `000007.part`, or `000007-<name in hex>.part`.
pub(super) fn file_name(number: u32, name: u64) -> String {
    if name == 0 {
        format!("{number:06}.part")
    } else {
        format!("{number:06}-{name:016x}.part")
    }
}

pub(super) fn parse_name(text: &str) -> Option<(u32, u64)> {
    let stem = text.strip_suffix(".part")?;
    match stem.split_once('-') {
        None => Some((stem.parse().ok()?, 0)),
        Some((number, name)) => Some((number.parse().ok()?, u64::from_str_radix(name, 16).ok()?)),
    }
}

pub(super) fn write_durably(
    part: &StagedPart,
    entities: &[u8],
    relationships: &[u8],
) -> io::Result<()> {
    let mut file = private::create(&part.path)?;
    file.write_all(&header(part))?;
    file.write_all(entities)?;
    file.write_all(relationships)?;
    file.sync_all()?;
    private::sync_folder_of(&part.path)
}

fn header(part: &StagedPart) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend(part.fingerprint.to_le_bytes());
    header.push(u8::from(part.ignore_duplicates));
    let counts = &part.counts;
    // Mapped relationships and removals are few; they share a word.
    let words: [u64; WORDS] = [
        counts.entities,
        counts.relationships,
        (counts.mapped << 32) | counts.removals,
        part.entity_bytes,
        part.relationship_bytes,
    ];
    for word in words {
        header.extend(word.to_le_bytes());
    }
    header.extend(part.entity_tag);
    header.extend(part.relationship_tag);
    let tag = part.seal.header_tag(&header);
    header.extend(tag);
    header
}

/// The part in a file; `None` when the file is not whole, or not the one that was sealed.
pub(super) fn read_verified(
    path: &Path,
    number: u32,
    name: u64,
    seal: PartSeal,
) -> Result<Option<StagedPart>, StagingError> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let length = file.metadata().map_err(failed("read", path))?.len();
    if length < HEADER_BYTES as u64 || length > PART_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.read_to_end(&mut bytes).map_err(failed("read", path))?;
    let part = parse(&bytes, path, seal);
    Ok(part.map(|part| StagedPart {
        number,
        name,
        ..part
    }))
}

fn parse(bytes: &[u8], path: &Path, seal: PartSeal) -> Option<StagedPart> {
    let (plain, rest) = bytes.split_at_checked(PLAIN_BYTES)?;
    let (tag, body) = rest.split_first_chunk::<TAG_BYTES>()?;
    if !seal.is_header_tag(plain, tag) {
        return None;
    }
    let (magic, rest) = plain.split_first_chunk::<8>()?;
    let (fingerprint, rest) = rest.split_first_chunk::<16>()?;
    let (flags, rest) = rest.split_first()?;
    let (words, tags) = rest.split_at_checked(WORDS * 8)?;
    let (entity_tag, tags) = tags.split_first_chunk::<TAG_BYTES>()?;
    let (relationship_tag, _) = tags.split_first_chunk::<TAG_BYTES>()?;
    let word = |index: usize| -> Option<u64> {
        let bytes = words.get(index * 8..index * 8 + 8)?;
        bytes.try_into().ok().map(u64::from_le_bytes)
    };
    let (entity_bytes, relationship_bytes) = (word(3)?, word(4)?);
    let (entities, relationships) = body.split_at_checked(usize::try_from(entity_bytes).ok()?)?;
    let fits = magic == MAGIC
        && relationships.len() as u64 == relationship_bytes
        && seal.is_tag(Section::Entities, entities, entity_tag)
        && seal.is_tag(Section::Relationships, relationships, relationship_tag);
    fits.then_some(StagedPart {
        number: 0,
        fingerprint: u128::from_le_bytes(*fingerprint),
        ignore_duplicates: *flags != 0,
        counts: PartCounts {
            entities: word(0)?,
            relationships: word(1)?,
            mapped: word(2)? >> 32,
            removals: word(2)? & u64::from(u32::MAX),
        },
        name: 0,
        path: path.to_owned(),
        entity_bytes,
        relationship_bytes,
        entity_tag: *entity_tag,
        relationship_tag: *relationship_tag,
        seal,
    })
}
