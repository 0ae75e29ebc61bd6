// SPDX-License-Identifier: Apache-2.0
//! Torn, altered, missing and reordered records are named by their sequence number.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

use std::path::Path;
use std::sync::atomic::Ordering;

use durward_journal::conformance::{ChainBuilder, many_relationships, one_entity};
use durward_journal::head::TestSigner;
use durward_journal::{
    FencingToken, Finding, FindingKind, Head, HeadSigner, Journal, JournalError, SqliteJournal,
    VerifyOptions, VerifyReport, backup, verify,
};
use durward_model::transaction::{Hash, Sequence};
use rusqlite::{Connection, params};

const SIGNER: TestSigner = TestSigner(1);

/// A journal of six transactions; the third is larger than the others.
fn journal_in(folder: &Path) -> (SqliteJournal, Head) {
    let journal = SqliteJournal::open(&backup::journal_file(folder)).unwrap();
    let mut chain = ChainBuilder::after(Head::empty()).unwrap();
    let mut all: Vec<_> = (0..6).map(|number| vec![one_entity(number)]).collect();
    all[2].push(many_relationships(2000));
    let batch = chain.batch(all).unwrap();
    journal
        .append(Sequence(0), FencingToken(0), &batch)
        .unwrap();
    (journal, chain.head())
}

fn report_after(tamper: impl FnOnce(&Connection)) -> VerifyReport {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal_in(folder.path());
    let connection = Connection::open(backup::journal_file(folder.path())).unwrap();
    tamper(&connection);
    verify(&journal, &SIGNER, &VerifyOptions::default()).unwrap()
}

fn content(connection: &Connection, sequence: i64) -> Vec<u8> {
    let sql = "SELECT content FROM record WHERE position = ?";
    connection
        .query_row(sql, [sequence << 16], |row| row.get(0))
        .unwrap()
}

fn set_content(connection: &Connection, sequence: i64, content: &[u8]) {
    let sql = "UPDATE record SET content = ? WHERE position = ?";
    assert_eq!(
        connection
            .execute(sql, params![content, sequence << 16])
            .unwrap(),
        1
    );
}

#[test]
fn an_untouched_journal_is_sound() {
    let report = report_after(|_| {});
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.transactions, report.records), (6, 6));
}

#[test]
fn every_flipped_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal_in(folder.path());
    let connection = Connection::open(backup::journal_file(folder.path())).unwrap();
    let good = content(&connection, 2);
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 0x10;
        set_content(&connection, 2, &bad);
        let report = verify(&journal, &SIGNER, &VerifyOptions::default()).unwrap();
        let first = &report.findings[0];
        assert_eq!(first.sequence, Sequence(2), "byte {position}: {report:?}");
        assert!(
            matches!(first.kind, FindingKind::Damaged { .. }),
            "byte {position}: {report:?}"
        );
    }
}

#[test]
fn a_torn_record_is_named() {
    let report = report_after(|connection| {
        let good = content(connection, 3);
        set_content(connection, 3, &good[..good.len() / 2]);
    });
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert!(
        report.findings[0]
            .to_string()
            .starts_with("transaction 3 is damaged"),
        "{report:?}"
    );
}

#[test]
fn a_deleted_row_is_named() {
    let report = report_after(|connection| {
        connection
            .execute("DELETE FROM record WHERE position = ?", [4i64 << 16])
            .unwrap();
    });
    let until = Sequence(4);
    let expected = Finding {
        sequence: Sequence(4),
        kind: FindingKind::Missing { until },
    };
    assert_eq!(report.findings, [expected]);
}

#[test]
fn rows_cut_off_at_the_end_are_named() {
    let report = report_after(|connection| {
        connection
            .execute("DELETE FROM record WHERE position >= ?", [5i64 << 16])
            .unwrap();
    });
    let until = Sequence(6);
    let expected = Finding {
        sequence: Sequence(5),
        kind: FindingKind::Missing { until },
    };
    assert_eq!(report.findings, [expected]);
}

#[test]
fn swapped_rows_are_named() {
    let report = report_after(|connection| {
        let (two, five) = (content(connection, 2), content(connection, 5));
        set_content(connection, 2, &five);
        set_content(connection, 5, &two);
    });
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| finding.sequence.0)
        .collect();
    assert_eq!(found, [2, 5], "{report:?}");
    assert_eq!(
        report.findings[0].kind,
        FindingKind::Misplaced { found: Sequence(5) }
    );
}

#[test]
fn a_forged_transaction_breaks_the_chain() {
    // An attacker who recomputes hash and checksum of one transaction still breaks the next link.
    let report = report_after(|connection| {
        let mut chain = ChainBuilder::after(Head::empty()).unwrap();
        chain.batch(vec![vec![one_entity(0)]]).unwrap();
        let forged = chain.batch(vec![vec![one_entity(77)]]).unwrap();
        set_content(connection, 2, &forged.transactions[0].records[0]);
    });
    let expected = Finding {
        sequence: Sequence(3),
        kind: FindingKind::ChainBroken,
    };
    assert_eq!(report.findings, [expected]);
}

#[test]
fn a_forged_end_needs_the_signature() {
    let report = report_after(|connection| {
        let mut chain = ChainBuilder::after(Head::empty()).unwrap();
        let batch = chain
            .batch((0..5).map(|number| vec![one_entity(number)]).collect())
            .unwrap();
        for (transaction, sequence) in batch.transactions.iter().zip(1..) {
            set_content(connection, sequence, &transaction.records[0]);
        }
        connection
            .execute("DELETE FROM record WHERE position = ?", [6i64 << 16])
            .unwrap();
        let hash = chain.head().hash;
        connection
            .execute("UPDATE head SET sequence = 5, hash = ?", [hash])
            .unwrap();
    });
    let kinds: Vec<_> = report
        .findings
        .iter()
        .map(|finding| finding.kind.clone())
        .collect();
    assert_eq!(
        kinds,
        [FindingKind::HeadSignature {
            key_id: "test-1".to_owned()
        }]
    );
}

#[test]
fn another_head_than_expected_and_another_signer_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, head) = journal_in(folder.path());
    let expect = |hash| VerifyOptions {
        expect_head: Some(hash),
        ..VerifyOptions::default()
    };
    assert!(
        verify(&journal, &SIGNER, &expect(head.hash))
            .unwrap()
            .is_sound()
    );
    let report = verify(&journal, &SIGNER, &expect([1; 32])).unwrap();
    assert_eq!(report.findings[0].kind, FindingKind::UnexpectedHead);
    let report = verify(&journal, &TestSigner(2), &VerifyOptions::default()).unwrap();
    assert!(
        matches!(report.findings[0].kind, FindingKind::HeadSignature { .. }),
        "{report:?}"
    );
}

#[test]
fn a_verification_that_nobody_waits_for_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = journal_in(folder.path());
    let options = VerifyOptions::default();
    options.given_up.store(true, Ordering::Relaxed);
    let ended = verify(&journal, &SIGNER, &options);
    assert!(matches!(ended, Err(JournalError::GivenUp)), "{ended:?}");
}

#[test]
fn verification_can_begin_at_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(&backup::journal_file(folder.path())).unwrap();
    let mut chain = ChainBuilder::after(Head::empty()).unwrap();
    let first = chain.batch(vec![vec![one_entity(0)]; 3]).unwrap();
    let middle = chain.head();
    let second = chain.batch(vec![vec![one_entity(1)]; 3]).unwrap();
    journal
        .append(Sequence(0), FencingToken(0), &first)
        .unwrap();
    journal
        .append(Sequence(3), FencingToken(0), &second)
        .unwrap();
    let after = |head| VerifyOptions {
        after: Some(head),
        ..VerifyOptions::default()
    };
    let report = verify(&journal, &SIGNER, &after(middle)).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.transactions, 3);
    let wrong = Head {
        hash: [9; 32],
        ..middle
    };
    let report = verify(&journal, &SIGNER, &after(wrong)).unwrap();
    assert_eq!(report.findings[0].sequence, Sequence(3), "{report:?}");
}

#[test]
fn a_backup_is_taken_while_appends_go_on_and_restores() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, head) = journal_in(folder.path());
    let target = folder.path().join("backup");
    let mut chain = ChainBuilder::after(head).unwrap();
    let copied = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                let before = chain.head().sequence;
                let batch = chain.batch(vec![vec![many_relationships(50)]]).unwrap();
                journal.append(before, FencingToken(0), &batch).unwrap();
            }
        });
        let copied = backup::backup(&journal, &target).unwrap();
        writer.join().unwrap();
        copied
    });
    assert!(copied.sequence >= head.sequence);
    let copy = SqliteJournal::open(&backup::journal_file(&target)).unwrap();
    let report = verify(&copy, &SIGNER, &VerifyOptions::default()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.head, Some(copied));
    drop(copy);

    let restored = folder.path().join("restored");
    assert_eq!(backup::restore(&target, &restored).unwrap(), copied);
    assert!(
        backup::restore(&target, &restored).is_err(),
        "only into an empty folder"
    );
    assert!(
        backup::backup(&journal, &target).is_err(),
        "only into an empty folder"
    );
    assert!(backup::restore(folder.path().join("none").as_path(), &restored).is_err());
}

/// Signs as its predecessor, which handed over after a transaction.
#[derive(Debug)]
struct Successor {
    sequence: Sequence,
    hash: Hash,
}

impl HeadSigner for Successor {
    fn key_id(&self) -> String {
        SIGNER.key_id()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        SIGNER.sign(message)
    }

    fn verify(&self, key_id: &str, at: Sequence, message: &[u8], signature: &[u8]) -> bool {
        SIGNER.verify(key_id, at, message, signature)
    }

    fn handed_over(&self) -> Vec<(Sequence, Hash)> {
        vec![(self.sequence, self.hash)]
    }
}

#[test]
fn a_journal_goes_on_where_a_key_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, head) = journal_in(folder.path());
    let kinds = |sequence: u64, hash: Hash| -> Vec<FindingKind> {
        let sequence = Sequence(sequence);
        let signer = Successor { sequence, hash };
        let report = verify(&journal, &signer, &VerifyOptions::default()).unwrap();
        report.findings.into_iter().map(|one| one.kind).collect()
    };
    assert_eq!(kinds(6, head.hash), []);
    assert_eq!(kinds(6, Hash::default()), [FindingKind::NotHandedOver]);
    assert_eq!(kinds(2, head.hash), [FindingKind::NotHandedOver]);
    let until = Sequence(9);
    assert_eq!(kinds(9, head.hash), [FindingKind::Missing { until }]);
}
