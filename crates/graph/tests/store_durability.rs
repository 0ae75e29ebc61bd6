// SPDX-License-Identifier: Apache-2.0
//! What is acknowledged is durable; what failed leaves nothing; a restart changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may panic"
)]

#[path = "support/stores.rs"]
#[allow(dead_code, reason = "shared by several test files")]
mod stores;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use durward_graph::store::{BulkCommit, Operation, Store, StoreError};
use durward_journal::faults::{FaultInjecting, Point};
use durward_journal::{MemoryJournal, SqliteJournal, backup};
use durward_model::change::Change;
use durward_model::transaction::{Origin, Sequence};
use durward_model::{Clock, ErrorKind, Instant, Value};
use stores::{World, api, draft, dump, entity, key, link, put, value, write};

fn faulty(world: &World) -> (Store, Arc<FaultInjecting>) {
    let file = backup::journal_file(world.path());
    let journal = FaultInjecting::new(Arc::new(SqliteJournal::open(&file).unwrap()));
    let mut options = world.options();
    options.journal = Some(Arc::clone(&journal) as Arc<_>);
    (Store::create(options).unwrap(), journal)
}

#[test]
fn no_acknowledgement_leaves_before_the_flush_returned() {
    const WRITES: usize = 20;
    for point in [Point::BeforeAppend, Point::AfterFlush] {
        let world = World::new();
        let (store, journal) = faulty(&world);
        journal.hold(point);
        let (sender, answers) = sync_channel(WRITES);
        for number in 0..WRITES {
            let sender = sender.clone();
            let operations = vec![put("host", &format!("h{number}"), &[])];
            store.submit_then(draft(operations), move |result| {
                let _ = sender.send(result.is_ok());
            });
        }
        assert!(journal.wait_until_held(Duration::from_secs(10)));
        assert!(
            answers.recv_timeout(Duration::from_millis(50)).is_err(),
            "held: no answer"
        );
        assert_eq!(journal.returned(), 0);
        assert_eq!(
            store.snapshot().sequence(),
            Sequence(0),
            "and nothing is visible"
        );
        journal.release();
        for _ in 0..WRITES {
            assert!(answers.recv_timeout(Duration::from_secs(10)).unwrap());
        }
        assert!(journal.returned() >= 1);
        assert_eq!(store.snapshot().sequence(), Sequence(WRITES as u64));
        assert!(journal.returned() <= 3, "the group shared flushes");
    }
}

#[test]
fn a_failed_append_leaves_nothing() {
    let world = World::new();
    let (store, journal) = faulty(&world);
    write(&store, vec![put("host", "h", &[("a", Value::Int(1))])]).unwrap();
    let before = (store.head(), dump(&store.view(None)));
    journal.fail_next(Point::BeforeAppend);
    let result = write(
        &store,
        vec![
            put("host", "h", &[("a", Value::Int(2))]),
            put("host", "i", &[]),
        ],
    );
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::NotWritten { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!((store.head(), dump(&store.view(None))), before);
    let receipt = write(&store, vec![put("host", "i", &[])]).unwrap();
    assert_eq!(
        receipt.sequence,
        Sequence(2),
        "the next write takes the place"
    );
    assert!(store.verify().unwrap().is_sound());
}

#[test]
fn an_append_that_was_flushed_counts_even_when_its_answer_got_lost() {
    let world = World::new();
    let (store, journal) = faulty(&world);
    journal.fail_next(Point::AfterFlush);
    write(&store, vec![put("host", "h", &[])]).unwrap();
    assert_eq!(store.head().0, Sequence(1));

    // Neither the answer nor the head: nobody knows, until the head can be read again.
    journal.fail_next(Point::AfterFlush);
    journal.fail_head(true);
    let error = write(&store, vec![put("host", "i", &[])]).unwrap_err();
    assert!(
        matches!(error, StoreError::OutcomeUnknown { .. }),
        "{error}"
    );
    assert!(store.view(None).find_by_key(&api(), "i").is_none());
    let error = write(&store, vec![put("host", "j", &[])]).unwrap_err();
    assert!(matches!(error, StoreError::NotWritten { .. }), "{error}");
    journal.fail_head(false);
    let receipt = write(&store, vec![put("host", "j", &[])]).unwrap();
    assert_eq!(receipt.sequence, Sequence(3), "the lost one turned up");
    assert!(store.view(None).find_by_key(&api(), "i").is_some());
    assert!(store.verify().unwrap().is_sound());
}

/// Writes some history and returns instants in it.
fn write_history(world: &World, store: &Store) -> Vec<Instant> {
    let mut instants = vec![world.clock.now()];
    for round in 0..30i64 {
        world.clock.advance_micros(1_000_000);
        let own = format!("h{round}");
        let mut operations = vec![
            put(
                "host",
                &own,
                &[
                    ("round", Value::Int(round)),
                    ("name", Value::from(own.clone())),
                ],
            ),
            put(
                "user",
                &format!("u{}", round % 7),
                &[("seen", Value::Int(round))],
            ),
            link(key(&own), "HAS", key(&format!("u{}", round % 7))),
        ];
        if round % 5 == 4 {
            operations.push(Operation::DeleteEntity {
                target: key(&format!("h{}", round - 3)),
            });
        }
        if round % 9 == 8 {
            let alias = format!("alias-{round}");
            operations.push(Operation::AddAlias {
                target: key(&own),
                alias,
            });
        }
        write(store, operations).unwrap();
        instants.push(world.clock.now());
    }
    instants
}

fn dumps(store: &Store, instants: &[Instant]) -> Vec<String> {
    instants
        .iter()
        .map(|at| dump(&store.view(Some(*at))))
        .collect()
}

#[test]
fn a_restart_shows_the_same_at_every_instant() {
    for with_checkpoint in [false, true] {
        let world = World::new();
        let options = || {
            let mut options = world.options();
            options.checkpoint = with_checkpoint;
            options.checkpoint_transactions = 7;
            options
        };
        let store = Store::create(options()).unwrap();
        let instants = write_history(&world, &store);
        let before = dumps(&store, &instants);
        assert_ne!(before[10], before[20]);
        let head = store.head();
        store.close().unwrap();
        drop(store);
        assert_eq!(world.path().join("checkpoint").exists(), with_checkpoint);
        let store = Store::open(options()).unwrap();
        assert_eq!(store.head(), head);
        assert_eq!(
            dumps(&store, &instants),
            before,
            "checkpoint: {with_checkpoint}"
        );
        write(&store, vec![put("host", "after", &[])]).unwrap();
        assert!(store.verify().unwrap().is_sound());
    }
}

#[test]
fn a_useless_checkpoint_is_only_a_slower_start() {
    let world = World::new();
    let store = world.create();
    let instants = write_history(&world, &store);
    let before = dumps(&store, &instants);
    store.close().unwrap();
    drop(store);
    let file = world.path().join("checkpoint");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(dumps(&world.open(), &instants), before);
}

#[test]
fn an_altered_journal_is_not_opened_and_the_transaction_is_named() {
    let world = World::new();
    let mut options = world.options();
    options.checkpoint = false;
    let store = Store::create(options).unwrap();
    write_history(&world, &store);
    store.close().unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(backup::journal_file(world.path())).unwrap();
    connection
        .execute("DELETE FROM record WHERE position / 65536 = 12", [])
        .unwrap();
    let error = Store::open(world.options()).unwrap_err();
    assert!(
        error.to_string().contains("transaction 12 is missing"),
        "{error}"
    );
}

#[test]
fn the_folder_is_guarded() {
    let world = World::new();
    let missing = Store::open(world.options()).unwrap_err();
    assert!(missing.to_string().contains("holds no store"), "{missing}");
    let store = world.create();
    let locked = Store::open(world.options()).unwrap_err();
    assert!(
        locked
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{locked}"
    );
    drop(store);
    assert!(Store::create(world.options()).is_err(), "never made twice");
    let mut options = world.options();
    options.id_secret = [8; 32];
    assert!(matches!(
        Store::open(options),
        Err(StoreError::WrongSecret { .. })
    ));
}

#[test]
fn after_closing_writes_are_refused_and_reads_go_on() {
    let world = World::new();
    let store = world.create();
    write(&store, vec![put("host", "h", &[])]).unwrap();
    store.close().unwrap();
    store.close().unwrap();
    let error = write(&store, vec![put("host", "i", &[])]).unwrap_err();
    assert!(matches!(error, StoreError::Closed), "{error}");
    assert!(store.view(None).find_by_key(&api(), "h").is_some());
}

#[test]
fn a_clock_that_steps_back_cannot_lower_instants() {
    let world = World::new();
    let store = world.create();
    let first = write(&store, vec![put("host", "h", &[("a", Value::Int(1))])]).unwrap();
    world.clock.advance_micros(500);
    let answered = world.clock.now();
    let seen = dump(&store.view(Some(answered)));
    world.clock.set(Instant::from_micros(5));
    let second = write(&store, vec![put("host", "h", &[("a", Value::Int(2))])]).unwrap();
    assert!(second.committed_at > first.committed_at);
    assert!(
        second.committed_at > answered,
        "what was answered stays true"
    );
    world.clock.set(answered.plus_micros(100));
    assert_eq!(dump(&store.view(Some(answered))), seen);
    let future = store.view(Some(answered.plus_seconds(1000)));
    assert_eq!(
        value(&future, "h", "a"),
        Value::Int(2),
        "the future is the head"
    );
}

#[test]
fn activities_are_transactions_without_changes() {
    let world = World::new();
    let store = world.create();
    let origin = Origin {
        activity: "login failed".to_owned(),
        ..Origin::default()
    };
    store.record(origin);
    write(&store, vec![put("host", "h", &[])]).unwrap();
    let found = store.transactions(Sequence(1), 10).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].origin.activity, "login failed");
    assert!(found[0].changes.is_empty());
    for _ in 0..10_000 {
        store.record(Origin::default());
    }
    store.checkpoint().unwrap();
    assert!(
        store.head().0.0 < 3000,
        "a flood is bounded: {:?}",
        store.head().0
    );
}

#[test]
fn a_bulk_commit_needs_the_state_it_was_prepared_against() {
    let world = World::new();
    let mut options = world.options();
    options.journal = Some(Arc::new(MemoryJournal::new()));
    let store = Store::create(options).unwrap();
    write(&store, vec![put("host", "h", &[])]).unwrap();
    let changes = |first: u32| vec![durward_journal::conformance::one_entity(first)];
    let commit = |based_on, first| BulkCommit {
        origin: Origin::default(),
        idempotency_key: format!("job {first}"),
        based_on: Sequence(based_on),
        changes: changes(first),
    };
    let done = store.commit_bulk(commit(1, 1)).unwrap();
    assert_eq!(done.sequence, Sequence(2));
    assert_eq!(
        store.commit_bulk(commit(1, 1)).unwrap(),
        done,
        "the same job again"
    );
    let stale = store.commit_bulk(commit(1, 2)).unwrap_err();
    assert!(
        matches!(
            stale,
            StoreError::Stale {
                based_on: Sequence(1)
            }
        ),
        "{stale}"
    );
    store.record(Origin::default());
    store.checkpoint().unwrap();
    store.commit_bulk(commit(2, 2)).unwrap();
    let under_writer =
        store.commit_bulk_with(Origin::default(), String::new(), move |view, next| {
            assert_eq!(view.sequence(), Sequence(4));
            Ok::<Vec<Change>, StoreError>(changes(next.entity.0))
        });
    assert_eq!(under_writer.unwrap().sequence, Sequence(5));
    let view = store.view(None);
    assert_eq!(entity(&view, "key 3").row, 2);
    let wrong_numbers = store.commit_bulk(BulkCommit {
        based_on: Sequence(5),
        ..commit(5, 77)
    });
    assert_eq!(wrong_numbers.unwrap_err().kind(), ErrorKind::Internal);
    write(&store, vec![put("host", "still works", &[])]).unwrap();
}
