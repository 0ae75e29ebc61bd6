// SPDX-License-Identifier: Apache-2.0
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may panic"
)]

use std::sync::Arc;

use durward_catalog::Catalog;
use durward_journal::file_seal::TestSeal;
use durward_model::IdCipher;
use proptest::prelude::*;

use super::*;
use crate::state::testing::{Step, World, steps};

fn context() -> CheckpointContext {
    let catalog = Arc::new(Catalog::default());
    CheckpointContext {
        cipher: IdCipher::new(&[5; 32]),
        catalog,
        key_seed: 0,
        seal: Arc::new(TestSeal(1)),
    }
}

fn extra() -> CheckpointExtra {
    CheckpointExtra {
        head: [7; 32],
        more: vec![1, 2, 3],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_state_comes_back_with_its_past(before in steps(), after in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let mut world = World::new();
        for step in &before {
            world.take(step);
        }
        let snapshot = world.writer.publish();
        write(&snapshot, &path, &extra(), &TestSeal(1)).unwrap();
        let (mut read, more) = read(&path, &context()).unwrap();
        prop_assert_eq!(more, extra());
        prop_assert_eq!(read.difference(&snapshot), None);
        prop_assert_eq!(read.sequence(), snapshot.sequence());
        prop_assert_eq!(read.committed_at(), snapshot.committed_at());
        prop_assert_eq!(read.next_numbers(), snapshot.next_numbers());
        World::check_all(&Arc::new(read.clone()), &world.history);
        // Life goes on from it.
        read.tuning = snapshot.tuning;
        world.writer = crate::StateWriter::new(read);
        for step in after.iter().take(20) {
            world.take(step);
        }
        let last = world.writer.publish();
        World::check_all(&last, &world.history);
    }
}

#[test]
fn any_damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let mut world = World::new();
    (0..40).for_each(|turn| {
        world.take(&Step {
            kind: turn % 14,
            a: 3,
            b: u16::from(turn) * 5,
        });
    });
    write(&world.writer.publish(), &path, &extra(), &TestSeal(1)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for position in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x20;
        std::fs::write(&path, &bytes).unwrap();
        let error = read(&path, &context()).unwrap_err();
        match error {
            CheckpointError::Version { .. } => assert!((8..12).contains(&position)),
            CheckpointError::Damaged { .. } => {}
            CheckpointError::Io { .. } => panic!("{error}"),
        }
    }
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(
            read(&path, &context()),
            Err(CheckpointError::Damaged { .. })
        ));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        read(&path, &context()),
        Err(CheckpointError::Io { action: "read", .. })
    ));
}

/// A checkpoint in the making: its sections, unpacked.
fn sections(snapshot: &Snapshot) -> Vec<Vec<u8>> {
    let whole = joined(
        &encode(snapshot, &extra(), &TestSeal(1)).unwrap(),
        &TestSeal(1),
    );
    let packed = file::split(&whole, &TestSeal(1)).unwrap();
    let unpack = |packed: &file::Packed<'_>| packed.unpack(&TestSeal(1)).unwrap();
    packed.iter().map(unpack).collect()
}

/// The bytes of the file.
fn joined(sections: &[file::Section], seal: &TestSeal) -> Vec<u8> {
    let mut whole = file::header(sections, seal);
    let parts = sections.iter().map(file::Section::packed);
    parts.for_each(|part| whole.extend_from_slice(part));
    whole
}

fn sealed(sections: &[Vec<u8>], seal: &TestSeal) -> Vec<u8> {
    let packed = sections.iter().map(|raw| {
        let mut section = Encoder::new().unwrap();
        section.raw(raw);
        file::Section::seal(section, seal).unwrap()
    });
    joined(&packed.collect::<Vec<_>>(), seal)
}

#[test]
fn a_checkpoint_without_the_key_is_refused_however_well_made() {
    let mut world = World::new();
    (0..40).for_each(|turn| {
        world.take(&Step {
            kind: turn % 14,
            a: 3,
            b: u16::from(turn) * 5,
        });
    });
    let parts = sections(&world.writer.publish());
    let restored = |bytes: &[u8]| restore::restore(bytes, &context());
    restored(&sealed(&parts, &TestSeal(1))).unwrap();
    // Somebody without the key seals the same state with a key of their own.
    let foreign = sealed(&parts, &TestSeal(2));
    let why = restored(&foreign).unwrap_err();
    assert!(why.contains("not written by this organization"), "{why}");
    // A section of an older checkpoint of this organization in the place of the new one.
    let new = sealed(&parts, &TestSeal(1));
    (0..3).for_each(|turn| {
        world.take(&Step {
            kind: turn,
            a: 9,
            b: 7,
        });
    });
    let newer = sealed(&sections(&world.writer.publish()), &TestSeal(1));
    let cut = new.len().min(newer.len()) / 2;
    let grafted = [&new[..cut], &newer[cut..]].concat();
    restored(&grafted).unwrap_err();
}

/// Every alteration that the model notices, the comparison of states notices too.
#[test]
fn the_comparison_of_states_misses_nothing() {
    let mut world = World::new();
    (0..28u8).for_each(|turn| {
        world.take(&Step {
            kind: turn % 14,
            a: u16::from(turn) / 3,
            b: u16::from(turn) * 5,
        });
    });
    let snapshot = world.writer.publish();
    let parts = sections(&snapshot);
    let (mut told, mut missed) = (0, Vec::new());
    std::panic::set_hook(Box::new(|_| {}));
    for number in 0..parts.len() {
        for position in (number % 5..parts[number].len()).step_by(5) {
            let mut altered = parts.clone();
            altered[number][position] ^= 1 << (position % 7);
            let bytes = sealed(&altered, &TestSeal(1));
            let Ok((read, _)) = restore::restore(&bytes, &context()) else {
                continue;
            };
            let read = Arc::new(read);
            let as_model = std::panic::AssertUnwindSafe(|| {
                World::check_all(&read, &world.history);
            });
            let is_wrong = std::panic::catch_unwind(as_model).is_err();
            told += u32::from(is_wrong);
            if is_wrong && read.difference(&snapshot).is_none() {
                missed.push((number, position));
            }
        }
    }
    drop(std::panic::take_hook());
    assert!(
        told > 30,
        "only {told} alterations made a state that is wrong"
    );
    assert!(missed.is_empty(), "section and byte: {missed:?}");
}
