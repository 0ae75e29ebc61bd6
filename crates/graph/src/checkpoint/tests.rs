// SPDX-License-Identifier: Apache-2.0
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may panic"
)]

use std::sync::Arc;

use durward_model::{Catalog, IdCipher};
use proptest::prelude::*;

use super::*;
use crate::state::testing::{Step, World, steps};

fn context() -> CheckpointContext {
    let catalog = Arc::new(Catalog::default());
    CheckpointContext {
        cipher: IdCipher::new(&[5; 32]),
        catalog,
        key_seed: 0,
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
        write(&snapshot, &path, &extra()).unwrap();
        let (mut read, more) = read(&path, context()).unwrap();
        prop_assert_eq!(more, extra());
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
    write(&world.writer.publish(), &path, &extra()).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for position in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x20;
        std::fs::write(&path, &bytes).unwrap();
        let error = read(&path, context()).unwrap_err();
        match error {
            CheckpointError::Version { .. } => assert!((8..12).contains(&position)),
            CheckpointError::Damaged { .. } => {}
            CheckpointError::Io { .. } => panic!("{error}"),
        }
    }
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(
            read(&path, context()),
            Err(CheckpointError::Damaged { .. })
        ));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        read(&path, context()),
        Err(CheckpointError::Io { action: "read", .. })
    ));
}
