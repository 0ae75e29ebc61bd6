// SPDX-License-Identifier: Apache-2.0
//! A program that alters, reorders, truncates, grafts and rolls back every file of a data folder.
//! Each alteration is noticed at the start or by an audit, or it changes nothing.
//!
//! `DURWARD_ALTERATIONS` says how many (500 without it), `DURWARD_SEED` which ones.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

#[path = "tamper/alterations.rs"]
mod alterations;
#[path = "tamper/world.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use alterations::{Draw, alter};
use world::{Verdict, World};

const ALTERATIONS: u64 = 500;
const SEED: u64 = 8;
const THREADS: usize = 2;

fn number(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable);
    text.map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn every_alteration_is_noticed_or_changes_nothing() {
    let count = number("DURWARD_ALTERATIONS", ALTERATIONS);
    let seed = number("DURWARD_SEED", SEED);
    let world = World::new();
    assert_eq!(
        world.judge(&world.files),
        Verdict::Unchanged,
        "nothing was altered"
    );
    let next = AtomicU64::new(0);
    let (noticed, passed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= count {
                        return;
                    }
                    let mut draw = Draw::new(seed.wrapping_mul(1_000_003).wrapping_add(turn));
                    let mut files = world.files.clone();
                    let what = alter(&world, &mut files, &mut draw);
                    match world.judge(&files) {
                        Verdict::Noticed(_) => {
                            noticed.fetch_add(1, Ordering::Relaxed);
                        }
                        Verdict::Unchanged => {}
                        Verdict::Passed(how) => {
                            passed
                                .lock()
                                .unwrap()
                                .push(format!("{turn}: {what}: {how}"));
                        }
                    }
                }
            });
        }
    });
    let (passed, noticed) = (passed.into_inner().unwrap(), noticed.into_inner());
    assert!(passed.is_empty(), "seed {seed}:\n{}", passed.join("\n"));
    assert!(
        noticed > count / 3,
        "only {noticed} of {count} alterations did anything"
    );
    eprintln!("{noticed} of {count} alterations were noticed, the others changed nothing");
}

#[test]
fn each_attack_that_was_seen_to_work_is_noticed() {
    let world = World::new();
    for (what, files) in alterations::known(&world) {
        match world.judge(&files) {
            Verdict::Noticed(how) => eprintln!("{what}: {how}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_rollback_is_accepted_when_asked_and_remembered_then() {
    let world = World::new();
    let place = world.lay_out(&world.rolled_back());
    let error = world.open(&place, false).unwrap_err().to_string();
    assert!(error.contains("--accept-rollback"), "{error}");
    assert!(error.contains("data.head"), "{error}");
    world.open(&place, true).unwrap().close().unwrap();
    world.open(&place, false).unwrap().close().unwrap();
    // Back to the newer copy: transactions that were there are others now.
    let newer = world.lay_out(&world.files);
    std::fs::copy(
        place.path().join("data.head"),
        newer.path().join("data.head"),
    )
    .unwrap();
    world.open(&newer, false).unwrap();
}

/// What is not promised: without the file beside the folder an older copy looks like the present.
#[test]
fn without_the_remembered_head_a_rollback_is_not_noticed() {
    let world = World::new();
    let mut files = world.rolled_back();
    files.remove("data.head");
    assert!(matches!(world.judge(&files), Verdict::Passed(_)));
    // A part of it still is: one organization cannot be put together from two times.
    let id = world.organizations[0].id.as_str();
    let keys = format!("data/organizations/{id}/checkpoint");
    files.insert(keys.clone(), world.files[&keys].clone());
    assert!(!matches!(world.judge(&files), Verdict::Unchanged));
}
