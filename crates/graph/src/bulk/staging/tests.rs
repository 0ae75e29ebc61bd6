// SPDX-License-Identifier: Apache-2.0
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use durward_catalog::Catalog;
use durward_journal::file_seal::TestSeal;

use super::*;
use crate::bulk::body::{BodyKind, read_body};
use crate::bulk::item::ItemRules;

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

fn open(folder: &Path, secret: u64, job: &str) -> Staging {
    Staging::open(folder, Arc::new(TestSeal(secret)), job).unwrap()
}

#[test]
fn parts_survive_and_broken_ones_go() {
    let folder = tempfile::tempdir().unwrap();
    let mut staging = open(folder.path(), 1, "job");
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
    let mut reopened = open(folder.path(), 1, "job");
    assert_eq!(reopened.parts(), staging.parts());
    assert_eq!(reopened.next, 5);
    assert!(reopened.holds(2) && !reopened.holds(4));
    let mut lost: Vec<_> = reopened.lost().iter().collect();
    lost.sort_by_key(|lost| lost.number);
    let lost = lost.iter().map(|lost| (lost.number, lost.name));
    assert_eq!(lost.collect::<Vec<_>>(), [(3, 0), (4, 7)]);
    assert_eq!(open(folder.path(), 1, "job").lost().len(), 2);
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

/// A folder with one part; the path of its file.
fn one_part(folder: &Path, secret: u64, job: &str, key: &str) -> PathBuf {
    let mut staging = open(folder, secret, job);
    let writer = staging.reserve(9);
    let written = writer.write(&part(key), 5, false).unwrap();
    let path = written.path.clone();
    staging.add(written).unwrap();
    path
}

#[test]
fn only_what_was_sealed_for_this_place_of_this_job_is_a_part() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let path = one_part(&at("job"), 1, "job", "one");
    let whole = fs::read(&path).unwrap();
    let is_part = |secret, job| {
        let staging = open(&at("job"), secret, job);
        assert_eq!(staging.parts().len() + staging.lost().len(), 1);
        staging.lost().is_empty()
    };
    assert!(is_part(1, "job"));
    assert!(!is_part(2, "job"), "of another organization");
    assert!(!is_part(1, "other"), "of another job");
    for position in 0..whole.len() {
        let mut altered = whole.clone();
        altered.get_mut(position).map(|byte| *byte ^= 1).unwrap();
        fs::write(&path, &altered).unwrap();
        assert!(!is_part(1, "job"), "byte {position} was altered");
    }
    // Grown by a byte, and parts of two files put together.
    fs::write(&path, [whole.as_slice(), &[0]].concat()).unwrap();
    assert!(!is_part(1, "job"));
    let other = fs::read(one_part(&at("same"), 1, "job", "two")).unwrap();
    assert_eq!(other.len(), whole.len());
    let (head, _) = whole.split_at(HEADER_BYTES);
    let (_, body) = other.split_at(HEADER_BYTES);
    fs::write(&path, [head, body].concat()).unwrap();
    assert!(!is_part(1, "job"));
    // At another place, under another name of the client, and twice by another spelling.
    fs::write(&path, &whole).unwrap();
    for (name, kept) in [
        (file_name(3, 9), 0),
        (file_name(0, 8), 0),
        ("0-9.part".into(), 1),
    ] {
        let copied = at("job").join(name);
        fs::copy(&path, &copied).unwrap();
        if kept == 0 {
            fs::remove_file(&path).unwrap();
        }
        let staging = open(&at("job"), 1, "job");
        assert_eq!((staging.parts().len(), staging.lost().len()), (kept, 1));
        fs::remove_file(copied).unwrap();
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn what_is_altered_after_it_was_checked_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = one_part(folder.path(), 1, "job", "one");
    let staging = open(folder.path(), 1, "job");
    let found = staging.parts().first().unwrap();
    let whole = fs::read(&path).unwrap();
    let alter = |position: usize| {
        let mut altered = whole.clone();
        altered.get_mut(position).map(|byte| *byte ^= 1).unwrap();
        fs::write(&path, altered).unwrap();
    };
    alter(HEADER_BYTES);
    assert!(matches!(
        found.entities(),
        Err(StagingError::Altered { .. })
    ));
    found.relationships().unwrap();
    alter(whole.len() - 1);
    found.entities().unwrap();
    let error = found.relationships().unwrap_err();
    assert!(error.to_string().contains("was altered"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn a_job_takes_so_much_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut staging = open(folder.path(), 1, "job");
    let first = staging.reserve(0).write(&part("one"), 1, false).unwrap();
    let room = fs::metadata(&first.path).unwrap().len() * 2;
    staging.check_room(&first, room).unwrap();
    staging.add(first).unwrap();
    let second = staging.reserve(0).write(&part("two"), 2, false).unwrap();
    staging.check_room(&second, room).unwrap();
    let refused = staging.check_room(&second, room - 1).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("at most"), "{refused}");
}
