// SPDX-License-Identifier: Apache-2.0
//! The staged parts of one synchronization job: a folder with one file a part.
//!
//! A part is on the disk before its upload is answered, and survives a restart. Its file is made
//! when the upload begins, so that one that the process did not live to finish is known of
//! afterwards: it is among [`Staging::lost`] when the folder is opened again.
//!
//! A file carries codes under a key of the organization, for this job and this place in it. They
//! are checked when the folder is opened, and again for the very bytes that are decoded: between
//! the two the file may have been altered.

mod file;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use durward_journal::FileSeal;
use durward_journal::file_seal::Tag;
use durward_model::ErrorKind;
use xxhash_rust::xxh3::xxh3_128;

use self::file::{HEADER_BYTES, PartSeal, Section, file_name, parse_name, read_verified};

use super::encode::{
    DecodeError, decode_entities, decode_relationships, encode_entities, encode_relationships,
};
use super::part::{EntitySection, Part, PartCounts, RelationshipSection};

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
    /// A part is not what this organization wrote for this job.
    #[error("part {} was altered, or is that of another job", path.display())]
    Altered {
        /// Its file.
        path: PathBuf,
    },
}

impl StagingError {
    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. } | Self::Full { .. } => ErrorKind::Invalid,
            Self::Io { .. } | Self::Damaged { .. } | Self::Altered { .. } => ErrorKind::Internal,
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
    entity_tag: Tag,
    relationship_tag: Tag,
    seal: PartSeal,
}

/// The folder of staged parts of one job.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    seal: Arc<dyn FileSeal>,
    /// What the parts are sealed for.
    job: Arc<str>,
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
    /// Opens the folder, which is made if it is not there, and finds the parts in it. A part that
    /// was not sealed for this job, at its place, is a lost one.
    pub fn open(folder: &Path, seal: Arc<dyn FileSeal>, job: &str) -> Result<Self, StagingError> {
        durward_journal::private::create_folder(folder).map_err(failed("create", folder))?;
        let mut staging = Self {
            folder: folder.to_owned(),
            seal,
            job: job.into(),
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
            let Some((number, hash)) = parse_name(name) else {
                continue;
            };
            // Another way to write its name would make two parts of one.
            let is_own = name == file_name(number, hash);
            let (name, seal) = (hash, staging.seal_of(number, hash));
            match read_verified(&path, number, name, seal)? {
                Some(part) if is_own => staging.parts.push(part),
                _ => staging.lost.push(LostPart { number, name, path }),
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
            seal: self.seal_of(number, name),
        }
    }

    fn seal_of(&self, number: u32, name: u64) -> PartSeal {
        PartSeal::new(
            Arc::clone(&self.seal),
            Arc::clone(&self.job),
            file_name(number, name),
        )
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
    seal: PartSeal,
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
            entity_tag: self.seal.tag(Section::Entities, &entities),
            relationship_tag: self.seal.tag(Section::Relationships, &relationships),
            seal: self.seal.clone(),
        };
        let written = file::write_durably(&staged, &entities, &relationships);
        if let Err(source) = written {
            // The space is given back, and the empty file still tells of the upload; if even this
            // fails, the code of the half-written one does.
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

impl StagedPart {
    /// The bytes of a section, if they are those that were sealed.
    fn read(&self, section: Section) -> Result<Vec<u8>, StagingError> {
        let (offset, length, tag) = match section {
            Section::Entities => (0, self.entity_bytes, &self.entity_tag),
            Section::Relationships => (
                self.entity_bytes,
                self.relationship_bytes,
                &self.relationship_tag,
            ),
        };
        let mut bytes = vec![0; length as usize];
        let mut read = || -> io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(HEADER_BYTES as u64 + offset))?;
            file.read_exact(&mut bytes)
        };
        read().map_err(failed("read", &self.path))?;
        if !self.seal.is_tag(section, &bytes, tag) {
            return Err(StagingError::Altered {
                path: self.path.clone(),
            });
        }
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
        decode_entities(&self.read(Section::Entities)?).map_err(self.damaged())
    }

    /// Its relationships.
    pub fn relationships(&self) -> Result<RelationshipSection, StagingError> {
        let bytes = self.read(Section::Relationships)?;
        decode_relationships(&bytes).map_err(self.damaged())
    }
}
