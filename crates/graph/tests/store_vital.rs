// SPDX-License-Identifier: Apache-2.0
//! Code of others that ends abnormally on the writer's thread ends nothing else; a writer that ends
//! all the same is noticed, and what it had acknowledged is there after the next start.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

#[path = "support/stores.rs"]
#[allow(dead_code, reason = "shared by several test files")]
mod stores;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use durward_graph::store::{Store, StoreError};
use durward_model::transaction::Origin;
use durward_model::{Clock, ErrorKind, Instant, SystemClock};
use stores::{World, api, draft, put, write};

/// A clock that fails the writer when it is told to.
#[derive(Debug, Default)]
struct DeadlyClock(AtomicBool);

impl Clock for DeadlyClock {
    fn now(&self) -> Instant {
        let is_writer = std::thread::current().name() == Some("durward-writer");
        assert!(
            !(is_writer && self.0.load(Ordering::SeqCst)),
            "the clock fails the writer"
        );
        SystemClock.now()
    }
}

#[test]
fn a_writer_that_ends_is_noticed_and_loses_nothing() {
    let world = World::new();
    let clock = Arc::new(DeadlyClock::default());
    let mut options = world.options();
    options.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let store = Store::create(options).unwrap();
    for key in ["a", "b"] {
        write(&store, vec![put("host", key, &[])]).unwrap();
    }
    assert_eq!(store.ended_thread(), None);
    clock.0.store(true, Ordering::SeqCst);
    let error = write(&store, vec![put("host", "c", &[])]).unwrap_err();
    assert!(matches!(error, StoreError::WriterEnded), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    // The answer goes out a moment before the thread is gone.
    let begun = SystemClock.now();
    while store.ended_thread().is_none() && SystemClock.now() < begun.plus_seconds(20) {
        std::thread::yield_now();
    }
    assert_eq!(store.ended_thread(), Some("writer"));
    assert!(store.view(None).find_by_key(&api(), "b").is_some());
    let later = write(&store, vec![put("host", "d", &[])]).unwrap_err();
    assert_eq!(later.kind(), ErrorKind::Unavailable, "{later}");
    assert!(store.close().is_err(), "it did not end in good order");
    drop(store);

    let store = Store::open(world.options()).unwrap();
    for key in ["a", "b"] {
        assert!(store.view(None).find_by_key(&api(), key).is_some(), "{key}");
    }
    assert!(store.view(None).find_by_key(&api(), "c").is_none());
    store.verify().unwrap();
    store.close().unwrap();
    assert_eq!(store.ended_thread(), None, "it was told to end");
}

#[test]
fn what_others_do_on_the_writers_thread_ends_nothing() {
    let world = World::new();
    let store = world.create();
    let failed = store.submit_planned(|_| panic!("a plan that fails"));
    let Err(StoreError::Abnormal { what }) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(what, "the plan of the write");
    let failed = store.commit_bulk_with(Origin::default(), String::new(), |_, _| {
        panic!("a preparation that fails")
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Internal);
    let (sender, answered) = sync_channel(1);
    store.submit_then(draft(vec![put("host", "a", &[])]), move |result| {
        sender.send(result.is_ok()).unwrap();
        panic!("an answer that fails");
    });
    assert!(answered.recv().unwrap());
    write(&store, vec![put("host", "b", &[])]).unwrap();
    assert!(store.view(None).find_by_key(&api(), "a").is_some());
    assert_eq!(store.ended_thread(), None);
    store.close().unwrap();
}
