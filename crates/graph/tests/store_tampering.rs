// SPDX-License-Identifier: Apache-2.0
//! What somebody with write access to the folder of a store can make it believe: nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may panic"
)]

#[path = "support/stores.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod stores;

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use durward_graph::checkpoint::{self, CheckpointExtra};
use durward_graph::store::{Content, ERASED_ACTIVITY, StateCheck, Store, StoreError};
use durward_journal::file_seal::TestSeal;
use durward_journal::head::TestSigner;
use durward_journal::{
    Erasure, FindingKind, Journal, JournalError, ReadLimit, SqliteJournal, VerifyOptions, backup,
    codec,
};
use durward_model::transaction::{Hash, Sequence};
use durward_model::{ObjectId, Value};
use rusqlite::{Connection, params};
use stores::{World, dump, put, write};

const CHECKPOINT: &str = "checkpoint";

fn fill(world: &World, store: &Store, secret: &str) {
    for number in 0..6 {
        world.clock.advance_micros(10);
        let name = format!("h{}", number % 3);
        let pairs = [
            ("secretHash", Value::from(secret)),
            ("n", Value::Int(number)),
        ];
        write(store, vec![put("host", &name, &pairs)]).unwrap();
    }
}

/// A store with six transactions, closed; its head.
fn filled(secret: &str) -> (World, Sequence, Hash) {
    let world = World::new();
    let store = world.create();
    fill(&world, &store, secret);
    let (sequence, hash) = store.head();
    store.close().unwrap();
    (world, sequence, hash)
}

fn forge(world: &World, other: &World, head: Hash, seal: u64) {
    let forged = other.open().snapshot();
    let extra = CheckpointExtra {
        head,
        more: Vec::new(),
    };
    let path = world.path().join(CHECKPOINT);
    checkpoint::write(&forged, &path, &extra, &TestSeal(seal)).unwrap();
}

#[test]
fn a_forged_checkpoint_is_discarded_and_the_journal_is_folded() {
    let (world, sequence, head) = filled("right");
    let before = dump(&world.open().view(None));
    let (other, _, _) = filled("forged");
    // Well-formed, of the same transaction and head, with another secret hash in it.
    forge(&world, &other, head, 2);
    let store = world.open();
    let why = store.discarded_checkpoint().unwrap().to_owned();
    assert!(
        why.contains("was not written by this organization"),
        "{why}"
    );
    assert_eq!(dump(&store.view(None)), before);
    assert_eq!(store.head().0, sequence);
    let report = store.audit(&VerifyOptions::default()).unwrap();
    assert!(
        report.is_sound() && report.state == StateCheck::Same,
        "{report:?}"
    );
    assert_eq!(report.discarded, Some(why));
    store.close().unwrap();
    drop(store);
    assert_eq!(
        world.open().discarded_checkpoint(),
        None,
        "a new one took its place"
    );
    // One of another journal of this organization belongs to no transaction of this one.
    let path = CHECKPOINT;
    std::fs::copy(other.path().join(path), world.path().join(path)).unwrap();
    let store = world.open();
    let why = store.discarded_checkpoint().unwrap();
    assert_eq!(why, "it does not belong to this journal");
    assert_eq!(dump(&store.view(None)), before);
}

#[test]
fn an_audit_that_was_given_up_ends_and_makes_room_for_another() {
    let (world, _, _) = filled("right");
    let store = world.open();
    let options = VerifyOptions::default();
    options.given_up.store(true, Ordering::Relaxed);
    let ended = store.audit(&options);
    let given_up = matches!(ended, Err(StoreError::Journal(JournalError::GivenUp)));
    assert!(given_up, "{ended:?}");
    let report = store.audit(&VerifyOptions::default()).unwrap();
    assert_eq!(report.state, StateCheck::Same);
}

#[test]
fn an_audit_compares_the_state_with_the_journal() {
    let (world, _, head) = filled("right");
    let store = world.open();
    fill(&world, &store, "more");
    let report = store.audit(&VerifyOptions::default()).unwrap();
    assert_eq!(
        report.state,
        StateCheck::Same,
        "read from a checkpoint and written to"
    );
    drop(store);
    // A checkpoint that whoever has the key wrote, or a defect: only folding tells.
    let (world, _, head_again) = filled("right");
    assert_ne!(head, head_again, "digests are salted");
    let (other, _, _) = filled("forged");
    forge(&world, &other, head_again, 1);
    let store = world.open();
    assert_eq!(store.discarded_checkpoint(), None);
    let report = store.audit(&VerifyOptions::default()).unwrap();
    assert!(report.chain.is_sound() && !report.is_sound());
    let StateCheck::Differs(what) = report.state else {
        panic!("{:?}", report.state)
    };
    assert_eq!(
        what,
        "a value of property \"secretHash\" of an entity of type \"host\" differs"
    );
}

#[test]
fn checkpoints_tell_their_head_once_they_are_on_the_disk() {
    let world = World::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut options = world.options();
    let (listener, path) = (Arc::clone(&told), world.path().join(CHECKPOINT));
    options.on_checkpoint = Some(Box::new(move |head| {
        assert!(path.exists());
        listener.lock().unwrap().push((head.sequence, head.hash));
    }));
    let store = Store::create(options).unwrap();
    fill(&world, &store, "x");
    store.checkpoint().unwrap();
    let middle = store.head();
    fill(&world, &store, "y");
    store.close().unwrap();
    assert_eq!(*told.lock().unwrap(), [middle, store.head()]);
    drop(store);
    // Without a seal nothing is written or read.
    std::fs::remove_file(world.path().join(CHECKPOINT)).unwrap();
    let mut options = world.options();
    options.file_seal = None;
    Store::open(options).unwrap().close().unwrap();
    assert!(!world.path().join(CHECKPOINT).exists());
}

/// Puts the erased form in the place of a transaction.
fn erase(folder: &Path, sequence: u64) -> (Sequence, Hash) {
    let file = backup::journal_file(folder);
    let one = ReadLimit {
        transactions: 1,
        bytes: 0,
    };
    let journal = SqliteJournal::open(&file).unwrap();
    let records = journal
        .read(Sequence(sequence), one)
        .unwrap()
        .remove(0)
        .records;
    let erased = codec::erase(&records).unwrap();
    let connection = Connection::open(&file).unwrap();
    let position = (sequence << 16) as i64;
    let sql = "UPDATE record SET content = ? WHERE position = ?";
    connection
        .execute(sql, params![erased[0], position])
        .unwrap();
    let (envelope, _) = codec::check(&erased).unwrap();
    (envelope.sequence, envelope.hash)
}

#[test]
fn forged_erased_forms_stop_the_start_or_the_audit_and_show_in_the_trail() {
    for sequence in 1..=6 {
        let (world, _, _) = filled("right");
        erase(world.path(), sequence);
        let before_checkpoint = sequence < 6;
        if before_checkpoint {
            let store = world.open();
            let report = store.audit(&VerifyOptions::default()).unwrap();
            let finding = &report.chain.findings[0];
            assert_eq!(
                (finding.sequence, &finding.kind),
                (Sequence(sequence), &FindingKind::ErasedWithoutRecord)
            );
            let trail = store.trail(Sequence(1), 10).unwrap();
            assert_eq!(trail.len(), 6, "nothing disappears");
            let told = &trail[sequence as usize - 1];
            assert_eq!(told.content, Content::Lost);
            assert_eq!(told.transaction.origin.activity, ERASED_ACTIVITY);
            drop(store);
            std::fs::remove_file(world.path().join(CHECKPOINT)).unwrap();
        }
        let error = Store::open(world.options()).unwrap_err();
        let gone = format!("the content of transaction {sequence} is gone");
        assert!(error.to_string().contains(&gone), "{error}");
    }
}

#[test]
fn a_signed_erasure_is_told_with_who_when_and_why() {
    let (world, _, _) = filled("right");
    let store = world.open();
    let second = (Sequence(2), store.hash_at(Sequence(2)).unwrap().unwrap());
    let actor = Some(ObjectId(7));
    let erasure = Erasure::sign(&TestSigner(1), vec![second], "ticket 9");
    assert_eq!(
        store.note(erasure.origin(actor)).unwrap().sequence,
        Sequence(7)
    );
    assert_eq!(erase(world.path(), 2), second);
    let report = store.audit(&VerifyOptions::default()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert!(matches!(report.state, StateCheck::Skipped(_)), "{report:?}");
    let record = &report.chain.erasures[0];
    assert_eq!((record.sequence, record.actor), (Sequence(7), actor));
    let trail = store.trail(Sequence(2), 1).unwrap();
    assert_eq!(trail[0].content, Content::Erased(Box::new(record.clone())));
    let origin = &store.transactions(Sequence(2), 1).unwrap()[0].origin;
    assert!(
        origin.detail.starts_with("by transaction 7 at "),
        "{}",
        origin.detail
    );
    assert!(origin.detail.ends_with(": ticket 9"), "{}", origin.detail);
    drop(store);
    assert!(world.open().discarded_checkpoint().is_none());
    std::fs::remove_file(world.path().join(CHECKPOINT)).unwrap();
    let error = Store::open(world.options()).unwrap_err();
    assert!(matches!(error, StoreError::Compacted { .. }), "{error}");
}
