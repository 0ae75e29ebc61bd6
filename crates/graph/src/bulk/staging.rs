// SPDX-License-Identifier: Apache-2.0
//! The staged parts of one synchronization job: a folder with one file a part.
//!
//! A part is on the disk before its upload is answered, and survives a restart. A file that was cut
//! off was never answered for and is removed when the folder is opened.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use durward_model::ErrorKind;
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

use super::encode::{
    DecodeError, decode_entities, decode_relationships, encode_entities, encode_relationships,
};
use super::part::{EntitySection, Part, PartCounts, RelationshipSection};

const MAGIC: &[u8; 8] = b"DWSTAGE1";
const HEADER_BYTES: usize = 8 + 16 + 1 + 6 * 8 + 8;
/// Largest part file; more is not one of ours.
const PART_BYTES_MAX: u64 = 1 << 31;

/// Why staging fails.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// The disk does not do what it should.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A part is not what was written.
    #[error("part {} is damaged", path.display())]
    Damaged {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: DecodeError,
    },
}

impl StagingError {
    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }
}

/// Names an upload by its content, so that a repeated one is recognized.
pub fn body_fingerprint(body: &[u8]) -> u128 {
    xxh3_128(body)
}

/// A staged part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedPart {
    /// Position among the parts; later ones win where that matters.
    pub number: u32,
    /// Fingerprint of the body it came from.
    pub fingerprint: u128,
    /// Whether different objects with one key are allowed in it: the last one wins.
    pub ignore_duplicates: bool,
    /// How much is in it.
    pub counts: PartCounts,
    path: PathBuf,
    entity_bytes: u64,
    relationship_bytes: u64,
}

/// The folder of staged parts of one job.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    parts: Vec<StagedPart>,
    next: u32,
}

fn failed<'p>(action: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> StagingError + 'p {
    move |source| StagingError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

impl Staging {
    /// Opens the folder, which is made if it is not there, and finds the parts in it.
    pub fn open(folder: &Path) -> Result<Self, StagingError> {
        durward_journal::private::create_folder(folder).map_err(failed("create", folder))?;
        let mut staging = Self {
            folder: folder.to_owned(),
            parts: Vec::new(),
            next: 0,
        };
        for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
            let path = entry.map_err(failed("list", folder))?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Some(number) = name
                .strip_suffix(".part")
                .and_then(|stem| stem.parse().ok())
            else {
                continue;
            };
            match read_verified(&path, number)? {
                Some(part) => staging.parts.push(part),
                None => fs::remove_file(&path).map_err(failed("remove", &path))?,
            }
            staging.next = staging.next.max(number.saturating_add(1));
        }
        staging.parts.sort_by_key(|part| part.number);
        Ok(staging)
    }

    /// The parts in order.
    pub fn parts(&self) -> &[StagedPart] {
        &self.parts
    }

    /// Sum of the counts of all parts.
    pub fn counts(&self) -> PartCounts {
        let mut sum = PartCounts::default();
        self.parts.iter().for_each(|part| sum.add(&part.counts));
        sum
    }

    /// Whether a body with this fingerprint is staged already.
    pub fn holds(&self, fingerprint: u128) -> bool {
        self.parts
            .iter()
            .any(|part| part.fingerprint == fingerprint)
    }

    /// Reserves the place of a part, to be written without holding a lock on the job.
    pub fn reserve(&mut self, fingerprint: u128, ignore_duplicates: bool) -> PartWriter {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        let path = self.folder.join(format!("{number:06}.part"));
        PartWriter {
            number,
            fingerprint,
            ignore_duplicates,
            path,
        }
    }

    /// Takes up a written part. When another upload of the same body came first, the part is
    /// removed and the answer is false.
    pub fn add(&mut self, part: StagedPart) -> Result<bool, StagingError> {
        if self.holds(part.fingerprint) {
            fs::remove_file(&part.path).map_err(failed("remove", &part.path))?;
            return Ok(false);
        }
        let at = self
            .parts
            .partition_point(|other| other.number < part.number);
        self.parts.insert(at, part);
        Ok(true)
    }

    /// Removes the folder and everything in it.
    pub fn remove(self) -> Result<(), StagingError> {
        fs::remove_dir_all(&self.folder).map_err(failed("remove", &self.folder))
    }
}

/// A reserved place for a part.
#[derive(Debug)]
pub struct PartWriter {
    number: u32,
    fingerprint: u128,
    ignore_duplicates: bool,
    path: PathBuf,
}

impl PartWriter {
    /// Writes the part and returns when it is on the disk.
    pub fn write(self, part: &Part) -> Result<StagedPart, StagingError> {
        let entities = encode_entities(&part.entities);
        let relationships = encode_relationships(&part.relationships);
        let staged = StagedPart {
            number: self.number,
            fingerprint: self.fingerprint,
            ignore_duplicates: self.ignore_duplicates,
            counts: part.counts(),
            path: self.path,
            entity_bytes: entities.len() as u64,
            relationship_bytes: relationships.len() as u64,
        };
        let written = write_durably(&staged, &entities, &relationships);
        if let Err(source) = written {
            // A half-written part must not be found at the next start; if even this fails, its
            // check sum tells.
            let _ = fs::remove_file(&staged.path);
            return Err(failed("write", &staged.path)(source));
        }
        Ok(staged)
    }
}

fn write_durably(part: &StagedPart, entities: &[u8], relationships: &[u8]) -> io::Result<()> {
    let mut sum = Xxh3::new();
    sum.update(entities);
    sum.update(relationships);
    let mut file = durward_journal::private::create(&part.path)?;
    file.write_all(&header(part, sum.digest()))?;
    file.write_all(entities)?;
    file.write_all(relationships)?;
    file.sync_all()?;
    match part.path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn header(part: &StagedPart, body_sum: u64) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend(part.fingerprint.to_le_bytes());
    header.push(u8::from(part.ignore_duplicates));
    let counts = &part.counts;
    // Mapped relationships and removals are few; they share a word.
    for word in [
        counts.entities,
        counts.relationships,
        (counts.mapped << 32) | counts.removals,
        part.entity_bytes,
        part.relationship_bytes,
        body_sum,
    ] {
        header.extend(word.to_le_bytes());
    }
    let sum = xxh3_64(&header);
    header.extend(sum.to_le_bytes());
    header
}

/// The part in a file; `None` when the file is not whole.
fn read_verified(path: &Path, number: u32) -> Result<Option<StagedPart>, StagingError> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let length = file.metadata().map_err(failed("read", path))?.len();
    if length < HEADER_BYTES as u64 || length > PART_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok(parse(&bytes, path, number))
}

fn parse(bytes: &[u8], path: &Path, number: u32) -> Option<StagedPart> {
    let (head, body) = bytes.split_at_checked(HEADER_BYTES)?;
    let (plain, sum) = head.split_last_chunk::<8>()?;
    if xxh3_64(plain) != u64::from_le_bytes(*sum) {
        return None;
    }
    let (magic, rest) = plain.split_first_chunk::<8>()?;
    let (fingerprint, rest) = rest.split_first_chunk::<16>()?;
    let (flags, words) = rest.split_first()?;
    let word = |index: usize| -> Option<u64> {
        let bytes = words.get(index * 8..index * 8 + 8)?;
        bytes.try_into().ok().map(u64::from_le_bytes)
    };
    let (entity_bytes, relationship_bytes) = (word(3)?, word(4)?);
    let fits = magic == MAGIC
        && entity_bytes.checked_add(relationship_bytes) == Some(body.len() as u64)
        && xxh3_64(body) == word(5)?;
    fits.then_some(StagedPart {
        number,
        fingerprint: u128::from_le_bytes(*fingerprint),
        ignore_duplicates: *flags != 0,
        counts: PartCounts {
            entities: word(0)?,
            relationships: word(1)?,
            mapped: word(2)? >> 32,
            removals: word(2)? & u64::from(u32::MAX),
        },
        path: path.to_owned(),
        entity_bytes,
        relationship_bytes,
    })
}

impl StagedPart {
    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, StagingError> {
        let mut bytes = vec![0; length as usize];
        let mut read = || -> io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(HEADER_BYTES as u64 + offset))?;
            file.read_exact(&mut bytes)
        };
        read().map_err(failed("read", &self.path))?;
        Ok(bytes)
    }

    /// Removes a part that was not taken up.
    pub fn discard(self) -> Result<(), StagingError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    fn damaged(&self) -> impl FnOnce(DecodeError) -> StagingError + '_ {
        |source| StagingError::Damaged {
            path: self.path.clone(),
            source,
        }
    }

    /// Its entities and removals.
    pub fn entities(&self) -> Result<EntitySection, StagingError> {
        decode_entities(&self.read(0, self.entity_bytes)?).map_err(self.damaged())
    }

    /// Its relationships.
    pub fn relationships(&self) -> Result<RelationshipSection, StagingError> {
        let bytes = self.read(self.entity_bytes, self.relationship_bytes)?;
        decode_relationships(&bytes).map_err(self.damaged())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use durward_model::Catalog;

    use super::super::body::{BodyKind, read_body};
    use super::super::item::ItemRules;
    use super::*;

    fn part(key: &str) -> Part {
        let catalog = Catalog::built_in().unwrap();
        let rules = ItemRules {
            catalog: &catalog,
            patch: false,
            ignore_illegal_properties: false,
        };
        let body = format!(
            r#"{{"entities":[{{"_key":"{key}","_type":"t","_class":"C"}}],
            "deleteEntities":[{{"_key":"x"}}],
            "relationships":[{{"_type":"r","_class":"HAS",
            "_fromEntityKey":"a","_toEntityKey":"b"}}]}}"#
        );
        read_body(body.as_bytes(), BodyKind::Upload, rules).unwrap()
    }

    #[test]
    fn parts_survive_and_broken_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut staging = Staging::open(folder.path()).unwrap();
        let first = staging.reserve(1, false);
        let second = staging.reserve(2, true);
        let again = staging.reserve(1, false);
        let second = second.write(&part("two")).unwrap();
        assert!(staging.add(second.clone()).unwrap());
        assert!(staging.add(first.write(&part("one")).unwrap()).unwrap());
        assert!(!staging.add(again.write(&part("one")).unwrap()).unwrap());
        let cut = staging.reserve(4, false).write(&part("cut")).unwrap();
        let length = fs::metadata(&cut.path).unwrap().len();
        File::options()
            .write(true)
            .open(&cut.path)
            .unwrap()
            .set_len(length - 1)
            .unwrap();
        let reopened = Staging::open(folder.path()).unwrap();
        assert_eq!(reopened.parts(), staging.parts());
        assert_eq!(reopened.next, 4);
        assert!(!cut.path.exists() && reopened.holds(2) && !reopened.holds(4));
        assert_eq!(reopened.counts().entities, 2);
        let read = reopened.parts().last().unwrap();
        assert!(read.ignore_duplicates);
        assert_eq!(read.entities().unwrap(), part("two").entities);
        assert_eq!(read.relationships().unwrap(), part("two").relationships);
        assert_eq!(read.counts, part("two").counts());
        reopened.remove().unwrap();
        assert!(!folder.path().exists());
    }
}
