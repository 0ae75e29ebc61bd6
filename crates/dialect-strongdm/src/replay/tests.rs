// SPDX-License-Identifier: Apache-2.0

use std::cell::Cell;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

const NOW: Instant = Instant::from_millis(1_800_000_000_000);
const KEY: Key = (ObjectId(1), [7; 32]);

fn made(number: u8) -> Result<Made, Status> {
    Ok(Made {
        answer: vec![number],
        object: ObjectId(u64::from(number)),
        version: 1,
    })
}

fn always(_: ObjectId, _: u32) -> Result<bool, Status> {
    Ok(true)
}

#[test]
fn the_same_request_gets_the_first_answer_for_two_minutes() {
    let replays = Replays::default();
    let once = |now, number| replays.once(KEY, now, always, || made(number)).unwrap();
    assert_eq!(once(NOW, 1), [1]);
    assert_eq!(once(NOW.plus_seconds(119), 2), [1]);
    assert_eq!(once(NOW.plus_seconds(121), 3), [3]);
    assert_eq!(once(NOW.plus_seconds(200), 4), [3]);
}

#[test]
fn another_credential_or_request_is_done() {
    let replays = Replays::default();
    let once = |key, number| replays.once(key, NOW, always, || made(number)).unwrap();
    assert_eq!(once(KEY, 1), [1]);
    assert_eq!(once((ObjectId(2), [7; 32]), 2), [2]);
    assert_eq!(once((ObjectId(1), [8; 32]), 3), [3]);
}

#[test]
fn what_changed_since_is_done_again() {
    let replays = Replays::default();
    let current = Cell::new(ObjectId(1));
    let once = |number| {
        let is_current = |id, _| Ok(id == current.get());
        replays.once(KEY, NOW, is_current, || made(number)).unwrap()
    };
    assert_eq!(once(1), [1]);
    current.set(ObjectId(2));
    assert_eq!(once(2), [2]);
    assert_eq!(once(3), [2]);
}

#[test]
fn a_caller_that_may_no_more_gets_nothing() {
    let replays = Replays::default();
    assert!(replays.once(KEY, NOW, always, || made(1)).is_ok());
    let refused = |_, _| Err(Status::invalid("no"));
    assert!(replays.once(KEY, NOW, refused, || made(2)).is_err());
    assert_eq!(replays.once(KEY, NOW, always, || made(3)).unwrap(), [1]);
}

#[test]
fn a_failure_is_not_kept() {
    let replays = Replays::default();
    let failed = replays.once(KEY, NOW, always, || Err(Status::invalid("no")));
    assert!(failed.is_err());
    assert_eq!(replays.once(KEY, NOW, always, || made(1)).unwrap(), [1]);
}

#[test]
fn equal_requests_at_once_make_one() {
    let replays = Replays::default();
    let count = AtomicUsize::new(0);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                let answer = replays.once(KEY, NOW, always, || {
                    count.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(20));
                    made(1)
                });
                assert_eq!(answer.unwrap(), [1]);
            });
        }
    });
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn the_table_is_bounded() {
    let replays = Replays::default();
    for number in 0..ANSWERS_MAX as u64 + 50 {
        let key = (ObjectId(number), [0; 32]);
        replays.once(key, NOW, always, || made(1)).unwrap();
    }
    let slots = replays.slots.lock();
    assert_eq!(slots.by_key.len(), ANSWERS_MAX);
    assert_eq!(slots.bytes, ANSWERS_MAX);
    drop(slots);
    for number in 0..50 {
        let big = Made {
            answer: vec![0; BYTES_MAX / 8],
            object: ObjectId(1),
            version: 1,
        };
        let key = (ObjectId(number), [1; 32]);
        replays.once(key, NOW, always, || Ok(big)).unwrap();
    }
    assert!(replays.slots.lock().bytes <= BYTES_MAX);
}
