// SPDX-License-Identifier: Apache-2.0
//! The model test: random commands, then effective access at random instants against a naive
//! recomputation from the list of what happened.

mod naive;
mod random;

use std::collections::BTreeSet;

use durward_graph::{EntityRef, ObjectRef, View};
use durward_model::{Instant, ObjectId};

use self::naive::{Event, Happening, State};
use self::random::{Dice, Driver};
use super::{World, ways};
use crate::access::living;
use crate::effective::is_over;
use crate::{Access, Kind, reader};

const OPERATIONS: usize = 10_000;
const INSTANTS: usize = 50;
/// Policies are judged slowly when nothing is optimized: fewer of both.
const OPERATIONS_WITH_POLICIES: usize = 1500;
const INSTANTS_WITH_POLICIES: usize = 10;

/// Entities of these kinds that live in a view.
fn entities(view: &View, kinds: &[Kind]) -> Vec<EntityRef> {
    let living = kinds.iter().flat_map(|kind| living(view, *kind));
    let entities = living.filter_map(|object| match object {
        ObjectRef::Entity(entity) => Some(entity),
        ObjectRef::Edge(_) => None,
    });
    entities.collect()
}

/// Account and resource of every path at an instant that no policy takes away, asked in all three
/// directions.
fn reached(driver: &Driver<'_>, at: Instant) -> BTreeSet<(ObjectId, ObjectId)> {
    let view = driver.access.view(Some(at));
    let reaching = driver.access.reaching(&driver.admin, &view, at);
    let (mut paths, mut found) = (BTreeSet::new(), BTreeSet::new());
    for account in entities(&view, &[Kind::USER, Kind::SERVICE]) {
        for reached in ways(&reaching, account, None) {
            let resource = reached.path.resource;
            let pair = (view.entity_id(account), view.entity_id(resource));
            if paths.insert(pair) {
                let between = ways(&reaching, account, Some(resource));
                assert!(
                    between.contains(&reached),
                    "{reached:?} is not among {between:?}"
                );
            }
            if !reached.is_forbidden {
                found.insert(pair);
            }
        }
    }
    let mut reversed = BTreeSet::new();
    for resource in entities(&view, &[Kind::RESOURCE]) {
        for account in reaching.accounts_of(resource) {
            reversed.insert((view.entity_id(account), view.entity_id(resource)));
        }
    }
    assert_eq!(paths, reversed);
    found
}

/// The grants that a list shows at an instant.
fn grants_not_over(access: &Access, at: Instant) -> BTreeSet<ObjectId> {
    let view = access.view(Some(at));
    let living = living(&view, Kind::GRANT).into_iter();
    let edges = living.filter_map(|object| match object {
        ObjectRef::Edge(edge) => Some(edge),
        ObjectRef::Entity(_) => None,
    });
    let lasting = edges.filter(|edge| !is_over(&view, *edge, at));
    lasting.map(|edge| view.edge_id(edge)).collect()
}

fn compare(operations: usize, instants: usize, has_policies: bool) {
    let seed = 0x5eed_2026;
    let world = World::new();
    let mut driver = Driver::new(&world, Dice::new(seed), has_policies);
    for _ in 0..operations {
        driver.step();
    }
    let events: &[Event] = &driver.events;
    let made = |happening: &Happening| matches!(happening, Happening::Granted { .. });
    assert!(events.iter().filter(|event| made(&event.what)).count() > operations / 100);
    let (first, last) = (events[0].at, events[events.len() - 1].at);
    let span = last.as_micros() - first.as_micros();
    let mut dice = Dice::new(seed + 1);
    let mut filled = 0;
    for _ in 0..instants {
        let at = first.plus_micros(dice.below(span as u64 + 1) as i64);
        let expected = State::at(events, at).reached(at);
        filled += usize::from(!expected.is_empty());
        assert_eq!(reached(&driver, at), expected, "seed {seed}, at {at}");
        let listed = grants_not_over(&driver.access, at);
        assert_eq!(listed, State::at(events, at).grants_not_over(at), "at {at}");
    }
    assert!(filled > instants / 2, "most instants must have some access");
    let now = world.tick();
    let expected = State::at(events, now).reached(now);
    assert_eq!(reached(&driver, now), expected);
    let admin = world.admin();
    assert!(admin.organization().store().verify().unwrap().is_sound());
    let view = driver.access.view(None);
    assert!(reader::find(&view, Kind::ROLE, ObjectId(0)).is_none());
}

#[test]
fn effective_access_is_what_the_events_say() {
    compare(OPERATIONS, INSTANTS, false);
}

#[test]
fn policies_take_away_what_they_forbid() {
    compare(OPERATIONS_WITH_POLICIES, INSTANTS_WITH_POLICIES, true);
}
