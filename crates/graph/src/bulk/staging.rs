// SPDX-License-Identifier: Apache-2.0
//! The staged parts of one synchronization job: a folder with one file a part.
//!
//! A part is on the disk before its upload is answered, and survives a restart. Its file is made
//! when the upload begins, so that one that the process did not live to finish is known of
//! afterwards: it is among [`Staging::lost`] when the folder is opened again.

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
    /// A part would be larger than what is read back.
    #[error("the upload takes {bytes} bytes when it is kept, more than {max}")]
    TooLarge {
        /// How large.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// The parts of a job would take more than they may.
    #[error(
        "the uploads of a job take at most {max} bytes when they are kept; split them over \
         several jobs"
    )]
    Full {
        /// The limit.
        max: u64,
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
        match self {
            Self::TooLarge { .. } | Self::Full { .. } => ErrorKind::Invalid,
            Self::Io { .. } | Self::Damaged { .. } => ErrorKind::Internal,
        }
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
    /// By which name the client knows the upload (its hash); 0 where it gave none.
    pub name: u64,
    path: PathBuf,
    entity_bytes: u64,
    relationship_bytes: u64,
}

/// The folder of staged parts of one job.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    parts: Vec<StagedPart>,
    lost: Vec<LostPart>,
    next: u32,
}

/// An upload that was begun and not finished, or whose file was damaged since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPart {
    /// Position among the parts.
    pub number: u32,
    /// By which name the client knows the upload (its hash); 0 where it gave none.
    pub name: u64,
    path: PathBuf,
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
            lost: Vec::new(),
            next: 0,
        };
        for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
            let path = entry.map_err(failed("list", folder))?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Some((number, name)) = parse_name(name) else {
                continue;
            };
            match read_verified(&path, number, name)? {
                Some(part) => staging.parts.push(part),
                None => staging.lost.push(LostPart { number, name, path }),
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

    /// The uploads that were found begun and not finished.
    pub fn lost(&self) -> &[LostPart] {
        &self.lost
    }

    /// Removes what is left of lost uploads, once they are noted elsewhere.
    pub fn forget_lost(&mut self) -> Result<(), StagingError> {
        for lost in self.lost.drain(..) {
            fs::remove_file(&lost.path).map_err(failed("remove", &lost.path))?;
        }
        Ok(())
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

    /// Reserves the place of a part, to be written without holding a lock on the job. `name` is the
    /// hash of what the client calls the upload, or 0.
    pub fn reserve(&mut self, name: u64) -> PartWriter {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        PartWriter {
            number,
            name,
            path: self.folder.join(file_name(number, name)),
        }
    }

    /// Refuses a written part with which all of them would take more than so many bytes.
    pub fn check_room(&self, part: &StagedPart, max: u64) -> Result<(), StagingError> {
        let all = self.parts.iter().chain([part]);
        if all.map(StagedPart::file_bytes).sum::<u64>() > max {
            return Err(StagingError::Full { max });
        }
        Ok(())
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
    name: u64,
    path: PathBuf,
}

impl PartWriter {
    /// Position among the parts.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The hash of what the client calls the upload, or 0.
    pub fn name(&self) -> u64 {
        self.name
    }

    /// Makes the empty file of the part: from now on the upload is not forgotten.
    pub fn announce(&self) -> Result<(), StagingError> {
        durward_journal::private::create(&self.path)
            .and_then(|_| durward_journal::private::sync_folder_of(&self.path))
            .map_err(failed("create", &self.path))
    }

    /// Removes what was announced and will not be written.
    pub fn give_up(self) -> Result<(), StagingError> {
        remove_if_there(&self.path)
    }

    /// Writes the part of a body and returns when it is on the disk.
    pub fn write(
        &self,
        part: &Part,
        fingerprint: u128,
        ignore_duplicates: bool,
    ) -> Result<StagedPart, StagingError> {
        let entities = encode_entities(&part.entities)?;
        let relationships = encode_relationships(&part.relationships)?;
        let bytes = HEADER_BYTES as u64 + (entities.len() + relationships.len()) as u64;
        if bytes > PART_BYTES_MAX {
            return Err(StagingError::TooLarge {
                bytes,
                max: PART_BYTES_MAX,
            });
        }
        let staged = StagedPart {
            number: self.number,
            fingerprint,
            ignore_duplicates,
            counts: part.counts(),
            name: self.name,
            path: self.path.clone(),
            entity_bytes: entities.len() as u64,
            relationship_bytes: relationships.len() as u64,
        };
        let written = write_durably(&staged, &entities, &relationships);
        if let Err(source) = written {
            // The space is given back, and the empty file still tells of the upload; if even this
            // fails, the check sum of the half-written one does.
            let _ = File::create(&staged.path);
            return Err(failed("write", &staged.path)(source));
        }
        Ok(staged)
    }
}

fn remove_if_there(path: &Path) -> Result<(), StagingError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// `000007.part`, or `000007-<name in hex>.part`.
fn file_name(number: u32, name: u64) -> String {
    if name == 0 {
        format!("{number:06}.part")
    } else {
        format!("{number:06}-{name:016x}.part")
    }
}

fn parse_name(text: &str) -> Option<(u32, u64)> {
    let stem = text.strip_suffix(".part")?;
    match stem.split_once('-') {
        None => Some((stem.parse().ok()?, 0)),
        Some((number, name)) => Some((number.parse().ok()?, u64::from_str_radix(name, 16).ok()?)),
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
fn read_verified(path: &Path, number: u32, name: u64) -> Result<Option<StagedPart>, StagingError> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let length = file.metadata().map_err(failed("read", path))?.len();
    if length < HEADER_BYTES as u64 || length > PART_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok(parse(&bytes, path, number).map(|part| StagedPart { name, ..part }))
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
        name: 0,
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

    fn file_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + self.entity_bytes + self.relationship_bytes
    }

    /// Removes a part that was not taken up.
    pub fn discard(self) -> Result<(), StagingError> {
        remove_if_there(&self.path)
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
        let first = staging.reserve(0);
        let second = staging.reserve(0xab);
        let again = staging.reserve(0);
        let second = second.write(&part("two"), 2, true).unwrap();
        assert!(staging.add(second.clone()).unwrap());
        let first = first.write(&part("one"), 1, false).unwrap();
        assert!(staging.add(first).unwrap());
        let again = again.write(&part("one"), 1, false).unwrap();
        assert!(!staging.add(again).unwrap());
        let cut = staging.reserve(0).write(&part("cut"), 4, false).unwrap();
        staging.reserve(7).announce().unwrap();
        let length = fs::metadata(&cut.path).unwrap().len();
        File::options()
            .write(true)
            .open(&cut.path)
            .unwrap()
            .set_len(length - 1)
            .unwrap();
        let mut reopened = Staging::open(folder.path()).unwrap();
        assert_eq!(reopened.parts(), staging.parts());
        assert_eq!(reopened.next, 5);
        assert!(reopened.holds(2) && !reopened.holds(4));
        let mut lost: Vec<_> = reopened.lost().iter().collect();
        lost.sort_by_key(|lost| lost.number);
        let lost = lost.iter().map(|lost| (lost.number, lost.name));
        assert_eq!(lost.collect::<Vec<_>>(), [(3, 0), (4, 7)]);
        assert_eq!(Staging::open(folder.path()).unwrap().lost().len(), 2);
        reopened.forget_lost().unwrap();
        assert!(!cut.path.exists());
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
