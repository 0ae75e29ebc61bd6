// SPDX-License-Identifier: Apache-2.0
//! The model test: random commands, then effective access at random instants against a naive
//! recomputation from the list of what happened.

mod naive;
mod random;

use std::collections::BTreeSet;

use durward_model::{Instant, ObjectId};

use self::naive::{Event, Happening, State};
use self::random::{Dice, Driver};
use super::World;
use crate::effective::{accounts_of, paths_between, paths_of};
use crate::{Access, Kind, reader};

const OPERATIONS: usize = 10_000;
const INSTANTS: usize = 50;

/// Account and resource of every path at an instant, asked in all three directions.
fn reached(access: &Access, at: Instant) -> BTreeSet<(ObjectId, ObjectId)> {
    let view = access.view(Some(at));
    let mut found = BTreeSet::new();
    for kind in [Kind::User, Kind::Service] {
        for account in crate::access::living(&view, kind) {
            let durward_graph::ObjectRef::Entity(account) = account else {
                continue;
            };
            for path in paths_of(&view, account, at) {
                let resource = view.entity_id(path.resource);
                found.insert((view.entity_id(account), resource));
                let between = paths_between(&view, account, path.resource, at);
                assert!(between.contains(&path), "{path:?} is not among {between:?}");
            }
        }
    }
    let mut reversed = BTreeSet::new();
    for resource in crate::access::living(&view, Kind::Resource) {
        let durward_graph::ObjectRef::Entity(resource) = resource else {
            continue;
        };
        for account in accounts_of(&view, resource, at) {
            reversed.insert((view.entity_id(account), view.entity_id(resource)));
        }
    }
    assert_eq!(found, reversed);
    found
}

#[test]
fn effective_access_is_what_the_events_say() {
    let seed = 0x5eed_2026;
    let world = World::new();
    let mut driver = Driver::new(&world, Dice::new(seed));
    for _ in 0..OPERATIONS {
        driver.step();
    }
    let events: &[Event] = &driver.events;
    let made = |happening: &Happening| matches!(happening, Happening::Granted { .. });
    assert!(events.iter().filter(|event| made(&event.what)).count() > 100);
    let (first, last) = (events[0].at, events[events.len() - 1].at);
    let span = last.as_micros() - first.as_micros();
    let mut dice = Dice::new(seed + 1);
    let mut filled = 0;
    for _ in 0..INSTANTS {
        let at = first.plus_micros(dice.below(span as u64 + 1) as i64);
        let expected = State::at(events, at).reached(at);
        filled += usize::from(!expected.is_empty());
        assert_eq!(
            reached(&driver.access, at),
            expected,
            "seed {seed}, at {at}"
        );
    }
    assert!(filled > INSTANTS / 2, "most instants must have some access");
    let now = world.tick();
    let expected = State::at(events, now).reached(now);
    assert_eq!(reached(&driver.access, now), expected);
    assert!(
        world
            .admin()
            .organization()
            .store()
            .verify()
            .unwrap()
            .is_sound()
    );
    assert!(reader::find(&driver.access.view(None), Kind::Role, ObjectId(0)).is_none());
}
