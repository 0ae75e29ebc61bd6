// SPDX-License-Identifier: Apache-2.0
//! Records: every transaction comes back as it was, old records stay readable, foreign bytes never
//! do harm.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

#[path = "support/transactions.rs"]
mod support;

use std::path::PathBuf;

use durward_journal::codec::{self, CodecError, decode_foreign_bytes};
use durward_journal::salt::CountingSalts;
use durward_journal::{Encoder, conformance};
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{Instant, ObjectId};
use proptest::prelude::*;

fn encoder() -> Encoder {
    Encoder::new(Box::new(CountingSalts::default())).unwrap()
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn transactions_come_back(transaction in support::transactions(), previous: [u8; 32]) {
        let encoded = encoder().encode(&transaction, &previous).unwrap();
        let opened = codec::open(&encoded.records).unwrap();
        prop_assert_eq!(opened.envelope.hash, encoded.hash);
        prop_assert_eq!(opened.envelope.previous, previous);
        prop_assert_eq!(opened.transaction.unwrap(), transaction.clone());

        let erased = codec::erase(&encoded.records).unwrap();
        let (envelope, is_erased) = codec::check(&erased).unwrap();
        prop_assert_eq!(envelope.hash, encoded.hash);
        prop_assert!(is_erased);
    }

    #[test]
    fn foreign_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_foreign_bytes(&bytes);
    }

    #[test]
    fn altered_records_do_no_harm(
        transaction in support::transactions(),
        position: prop::sample::Index,
        value: u8,
    ) {
        let encoded = encoder().encode(&transaction, &[0; 32]).unwrap();
        let mut record = encoded.records[0].clone();
        record.truncate(record.len() - 8);
        let position = position.index(record.len());
        record[position] = value;
        let _ = decode_foreign_bytes(&record);
    }
}

#[test]
fn large_transactions_are_cut_into_records_and_blocks() {
    let transaction = Transaction {
        sequence: Sequence(9),
        committed_at: Instant::from_micros(5),
        origin: Origin::default(),
        idempotency_key: String::new(),
        changes: vec![
            conformance::many_relationships(1_300_000),
            conformance::one_entity(3),
        ],
    };
    let mut encoded = encoder().encode(&transaction, &[0; 32]).unwrap();
    assert!(encoded.records.len() > 1);
    let opened = codec::open(&encoded.records).unwrap();
    assert!(opened.envelope.blocks > 1_300_000 / codec::BLOCK_ROWS_MAX as u64);
    assert!(opened.transaction.unwrap() == transaction);

    let last = encoded.records.pop().unwrap();
    assert!(matches!(
        codec::open(&encoded.records),
        Err(CodecError::Incomplete)
    ));
    encoded.records.remove(0);
    encoded.records.push(last);
    assert!(matches!(
        codec::open(&encoded.records),
        Err(CodecError::Misplaced { .. })
    ));
}

/// The transactions of the golden files. Never change them: add new ones.
fn golden_transactions() -> Vec<(&'static str, Transaction)> {
    let origin = Origin {
        actor: Some(ObjectId(0x0123_4567_89ab_cdef)),
        credential: None,
        activity: "entity created".to_owned(),
        request_id: "request-1".to_owned(),
        source_address: "192.0.2.7".to_owned(),
        user_agent: "curl/8".to_owned(),
        detail: String::new(),
    };
    let of = |sequence, changes| Transaction {
        sequence: Sequence(sequence),
        committed_at: Instant::from_micros(1_700_000_000_000_000 + sequence as i64),
        origin: origin.clone(),
        idempotency_key: "once".to_owned(),
        changes,
    };
    vec![
        ("format1_empty", of(1, Vec::new())),
        ("format1_every_change", of(2, support::every_change())),
        ("format1_compressed", of(3, vec![support::wide_batch(5000)])),
    ]
}

#[test]
fn golden_files_of_format_1_stay_readable() {
    for (name, transaction) in golden_transactions() {
        let path = golden(&format!("{name}.bin"));
        let encoded = encoder().encode(&transaction, &[7; 32]).unwrap();
        assert_eq!(encoded.records.len(), 1, "{name}");
        if std::env::var_os("DURWARD_BLESS").is_some() && !path.exists() {
            std::fs::write(&path, &encoded.records[0]).unwrap();
        }
        let stored = std::fs::read(&path).unwrap();
        let opened = codec::open(&[&stored]).unwrap();
        assert_eq!(opened.envelope.previous, [7; 32], "{name}");
        assert_eq!(
            opened.envelope.hash, encoded.hash,
            "the hash of {name} must not change"
        );
        assert_eq!(opened.transaction.unwrap(), transaction, "{name}");
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (_, transaction) = golden_transactions().remove(0);
    let mut record = encoder()
        .encode(&transaction, &[0; 32])
        .unwrap()
        .records
        .remove(0);
    record[0] = codec::FORMAT + 1;
    let error = codec::open(&[&record]).unwrap_err();
    assert!(
        matches!(error, CodecError::NewerFormat { found: 2 }),
        "{error}"
    );
    assert_eq!(
        error.to_string(),
        "record format 2 is newer than format 1, which this version reads"
    );
}

#[test]
fn the_fuzz_corpus_does_no_harm() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/journal_record");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let _ = decode_foreign_bytes(&std::fs::read(entry.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen > 0, "the corpus is there");
}

#[test]
fn a_short_record_cannot_ask_for_much_memory() {
    // A compressed content that claims more than a record may hold.
    let mut record = vec![1, 1, 1, 0];
    record.extend([0xff, 0xff, 0xff, 0xff, 0x7f]);
    let [_, unchecked, _] = decode_foreign_bytes(&record);
    assert!(
        matches!(unchecked, Err(CodecError::TooLarge { .. })),
        "{unchecked:?}"
    );
}
