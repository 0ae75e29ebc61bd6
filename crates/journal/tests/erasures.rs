// SPDX-License-Identifier: Apache-2.0
//! Content that is gone is right only where a signed record in the chain names it.
#![allow(clippy::type_complexity, reason = "a short closure")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

use std::path::Path;

use durward_journal::conformance::{ChainBuilder, one_entity};
use durward_journal::erasure::ERASURE_ACTIVITY;
use durward_journal::head::TestSigner;
use durward_journal::{
    Erasure, Erasures, FencingToken, FindingKind, Head, Journal, ReadLimit, SqliteJournal,
    VerifyOptions, VerifyReport, backup, codec, verify,
};
use durward_model::ObjectId;
use durward_model::transaction::{Hash, Origin, Sequence};
use rusqlite::{Connection, params};

const SIGNER: TestSigner = TestSigner(1);
const CAUSE: &str = "request of the person, ticket 17";

/// Five transactions and what `record` makes of positions and hashes, as a sixth.
fn journal_in(
    folder: &Path,
    record: impl FnOnce(&[(Sequence, Hash)]) -> Origin,
) -> (SqliteJournal, Vec<(Sequence, Hash)>) {
    let journal = SqliteJournal::open(&backup::journal_file(folder)).unwrap();
    let mut chain = ChainBuilder::after(Head::empty()).unwrap();
    let first = chain
        .batch((0..5).map(|number| vec![one_entity(number)]).collect())
        .unwrap();
    let hashes = first.transactions.iter();
    let hashes: Vec<_> = hashes.map(|one| (one.sequence, one.hash)).collect();
    let append = |from, batch| {
        journal
            .append(Sequence(from), FencingToken(0), batch)
            .unwrap()
    };
    append(0, &first);
    append(5, &chain.activity(record(&hashes)).unwrap());
    (journal, hashes)
}

/// Puts the erased form in the place of a transaction, as somebody with the file could.
fn erase(folder: &Path, sequence: u64) {
    let connection = Connection::open(backup::journal_file(folder)).unwrap();
    let position = (sequence << 16) as i64;
    let sql = "SELECT content FROM record WHERE position = ?";
    let content: Vec<u8> = connection
        .query_row(sql, [position], |row| row.get(0))
        .unwrap();
    let erased = codec::erase(&[content]).unwrap();
    let sql = "UPDATE record SET content = ? WHERE position = ?";
    connection
        .execute(sql, params![erased[0], position])
        .unwrap();
}

fn report(journal: &SqliteJournal) -> VerifyReport {
    verify(journal, &SIGNER, &VerifyOptions::default()).unwrap()
}

fn unexplained(report: &VerifyReport) -> Vec<u64> {
    let gone = |kind: &FindingKind| *kind == FindingKind::ErasedWithoutRecord;
    assert!(
        report.findings.iter().all(|one| gone(&one.kind)),
        "{report:?}"
    );
    let named = report.findings.iter().map(|finding| finding.sequence.0);
    named.collect()
}

#[test]
fn an_erased_form_without_a_record_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal_in(folder.path(), |_| Origin::default());
    assert!(report(&journal).is_sound());
    erase(folder.path(), 2);
    erase(folder.path(), 4);
    let report = report(&journal);
    assert_eq!(unexplained(&report), [2, 4]);
    let text = report.findings[0].to_string();
    assert!(
        text.starts_with("the content of transaction 2 is gone"),
        "{text}"
    );
}

#[test]
fn a_signed_record_explains_what_it_names_and_tells_who_when_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let actor = Some(ObjectId(9));
    let (journal, hashes) = journal_in(folder.path(), |hashes| {
        Erasure::sign(&SIGNER, hashes[1..3].to_vec(), CAUSE).origin(actor)
    });
    erase(folder.path(), 2);
    erase(folder.path(), 3);
    let sound = report(&journal);
    assert!(sound.is_sound(), "{sound:?}");
    assert_eq!(sound.erased, 2);
    let record = &sound.erasures[0];
    assert_eq!((record.sequence, record.actor), (Sequence(6), actor));
    assert_eq!(
        (record.cause.as_str(), record.transactions.as_slice()),
        (CAUSE, &hashes[1..3])
    );
    assert_eq!(record.committed_at.as_micros(), 60);
    assert!(record.names(Sequence(2), &hashes[1].1) && !record.names(Sequence(1), &hashes[0].1));
    let read = Erasures::read(&journal, &SIGNER, Sequence(3)).unwrap();
    assert_eq!(read, sound.erasures);
    erase(folder.path(), 4);
    assert_eq!(
        unexplained(&report(&journal)),
        [4],
        "the record does not name it"
    );
    erase(folder.path(), 6);
    assert_eq!(
        unexplained(&report(&journal)),
        [2, 3, 4, 6],
        "the record itself is gone"
    );
}

#[test]
fn a_record_that_the_organization_did_not_sign_explains_nothing() {
    let by = |record: &dyn Fn(&[(Sequence, Hash)]) -> Origin| {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = journal_in(folder.path(), record);
        erase(folder.path(), 2);
        let report = report(&journal);
        assert_eq!(unexplained(&report), [2]);
    };
    by(&|hashes| Erasure::sign(&TestSigner(2), hashes.to_vec(), CAUSE).origin(None));
    let altered = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        move |hashes: &[(Sequence, Hash)]| {
            let mut origin = Erasure::sign(&SIGNER, hashes[..1].to_vec(), CAUSE).origin(None);
            assert!(origin.detail.contains(&from));
            origin.detail = origin.detail.replacen(&from, &to, 1);
            origin
        }
    };
    by(&altered("[1,", "[2,"));
    by(&altered("ticket 17", "ticket 18"));
    by(&altered("signature", "signatur"));
    by(&|_| Origin {
        activity: ERASURE_ACTIVITY.to_owned(),
        detail: "no record".to_owned(),
        ..Origin::default()
    });
    // Another hash than the erased transaction has; one that comes later than the record.
    by(&|_| Erasure::sign(&SIGNER, vec![(Sequence(2), [7; 32])], CAUSE).origin(None));
    by(&|hashes| {
        let named = vec![hashes[1], (Sequence(7), [0; 32])];
        Erasure::sign(&SIGNER, named, CAUSE).origin(None)
    });
}

#[test]
fn the_built_in_sqlite_has_the_fix_of_its_log() {
    let version = durward_journal::sqlite::sqlite_version();
    let parts: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    // 3.51.3 mends a race that could damage a database in write-ahead log mode.
    assert!(parts >= vec![3, 51, 3], "SQLite {version}");
    assert_eq!(
        version, "3.51.3",
        "note the new version here when it changes"
    );
}

#[test]
fn the_files_of_a_journal_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal_in(folder.path(), |_| Origin::default());
    let copy = folder.path().join("copy");
    backup::backup(&journal, &copy).unwrap();
    assert_eq!(
        journal
            .read(Sequence(1), ReadLimit::default())
            .unwrap()
            .len(),
        6
    );
    let mut count = 0;
    for within in [folder.path(), &copy] {
        for entry in std::fs::read_dir(within).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            let private = if entry.path().is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, private, "{}", entry.path().display());
            count += 1;
        }
    }
    assert!(
        count >= 4,
        "journal, log and index, folder and its journal: {count}"
    );
}
