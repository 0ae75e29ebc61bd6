// SPDX-License-Identifier: Apache-2.0
//! Walks over a real organization: one instant, one caller, every row once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::cell::Cell;
use std::sync::Arc;

use durward_access::{Access, Kind, NewObject, Properties};
use durward_graph::EntityRef;
use durward_identity::Caller;
use durward_identity::testing::World;
use durward_listing::entities::Selection;
use durward_listing::transactions::{Did, Range, Subject};
use durward_listing::{Asker, Effort, ListError, Page, Walk, Walks};
use durward_model::Value;
use durward_model::transaction::Sequence;

/// A request that may hold some bytes and look some times.
#[derive(Debug)]
struct Request {
    checks: Cell<usize>,
}

impl Request {
    fn patient() -> Self {
        Self {
            checks: Cell::new(usize::MAX),
        }
    }
}

impl Effort for Request {
    fn check(&self) -> Result<(), ListError> {
        let left = self.checks.get().checked_sub(1);
        self.checks.set(left.ok_or(ListError::GivenUp)?);
        Ok(())
    }

    fn hold(&self, _bytes: usize) -> Result<(), ListError> {
        Ok(())
    }

    fn release(&self, _bytes: usize) {}
}

fn made(access: &Access, caller: &Caller, kind: Kind, pairs: &[(&str, &str)]) {
    let pairs = pairs.iter();
    let properties: Properties = pairs
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect();
    access
        .create(caller, NewObject::entity(kind, properties))
        .unwrap();
}

/// A world with so many users beside its administrator.
fn world(users: usize) -> (World, Access) {
    let world = World::new();
    let access = Access::new(Arc::clone(world.admin().organization()));
    for number in 0..users {
        let email = format!("user-{number}@example.com");
        made(&access, &world.admin(), Kind::USER, &[("email", &email)]);
    }
    (world, access)
}

fn all_pages<'a>(
    open: impl Fn(Option<&str>) -> Walk<'a>,
    page: impl Fn(&Walk<'a>) -> Page<EntityRef>,
) -> Vec<EntityRef> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let shown = page(&open(cursor.as_deref()));
        found.extend(shown.rows);
        cursor = shown.next;
        if cursor.is_none() {
            return found;
        }
    }
}

#[test]
fn every_entity_is_on_one_page_whatever_is_written_meanwhile() {
    let (world, access) = world(23);
    let (admin, walks, request) = (world.admin(), Walks::default(), Request::patient());
    let asker = Asker {
        caller: &admin,
        access: &access,
        effort: &request,
        walks: &walks,
    };
    let selection = Selection::default();
    let whole = Walk::begin(asker, "all", None, 0)
        .entities(&selection, usize::MAX)
        .unwrap();
    assert_eq!(whole.total, whole.rows.len() as u64);
    assert!(whole.rows.len() > 24 && whole.next.is_none());
    for size in [1, 2, 7, 1000] {
        let count = Cell::new(0);
        let found = all_pages(
            |cursor| Walk::open(asker, "all", None, cursor).unwrap(),
            |walk| {
                count.set(count.get() + 1);
                world.pass(1);
                let email = format!("late-{size}-{}@example.com", count.get());
                made(&access, &world.admin(), Kind::USER, &[("email", &email)]);
                walk.entities(&selection, size).unwrap()
            },
        );
        let before = found.len();
        let mut once = found.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), before);
        assert!(whole.rows.iter().all(|row| found.contains(row)));
        assert_eq!(count.get(), before.div_ceil(size));
    }
    let users = Selection {
        class: Some("User".to_owned()),
        words: vec!["user-7".to_owned()],
        ..Selection::default()
    };
    let walk = Walk::begin(asker, "users", None, 0);
    assert_eq!(walk.entities(&users, 10).unwrap().rows.len(), 1);
}

#[test]
fn a_cursor_is_good_for_one_list_and_one_credential() {
    let (world, access) = world(5);
    let (admin, walks, request) = (world.admin(), Walks::default(), Request::patient());
    let asker = |caller| Asker {
        caller,
        access: &access,
        effort: &request,
        walks: &walks,
    };
    let walk = Walk::begin(asker(&admin), "all", None, 0);
    let rows: Vec<u32> = (0..10).collect();
    let cursor = walk.page(&rows, 4).next.unwrap();
    let resumed = Walk::resume(asker(&admin), "all", &cursor).unwrap();
    let page = resumed.page(&rows, 100);
    assert_eq!(
        (page.rows, page.next, page.total),
        ((4..10).collect(), None, 10)
    );
    let is_refused = |walk: Result<Walk<'_>, ListError>| matches!(walk, Err(ListError::Query(_)));
    assert!(is_refused(Walk::resume(asker(&admin), "others", &cursor)));
    assert!(is_refused(Walk::resume(asker(&admin), "all", "AAAA")));
    let other = world.caller(&world.output.sonrai.token);
    assert!(is_refused(Walk::resume(asker(&other), "all", &cursor)));
}

#[test]
fn what_was_found_is_not_found_twice_and_not_for_another_question() {
    let (world, access) = world(0);
    let (admin, walks, request) = (world.admin(), Walks::default(), Request::patient());
    let asker = Asker {
        caller: &admin,
        access: &access,
        effort: &request,
        walks: &walks,
    };
    let found = Cell::new(0);
    let find = |walk: &Walk<'_>, part: &str| {
        let rows = walk.remembered::<u32, ListError, _>(part, || {
            found.set(found.get() + 1);
            Ok(vec![found.get()])
        });
        rows.unwrap()[0]
    };
    let at = Some(world.tick());
    let walk = Walk::begin(asker, "rows", at, 0);
    assert_eq!((find(&walk, "a"), find(&walk, "a")), (1, 1));
    assert_eq!(find(&walk, "b"), 2);
    assert_eq!(find(&Walk::begin(asker, "rows", at, 0), "a"), 1);
    assert_eq!(find(&Walk::begin(asker, "other rows", at, 0), "a"), 3);
    assert_eq!(
        find(&Walk::begin(asker, "rows", Some(world.tick()), 0), "a"),
        4
    );
}

#[test]
fn work_ends_when_nobody_waits() {
    let (world, access) = world(2);
    let (admin, walks) = (world.admin(), Walks::default());
    let request = Request {
        checks: Cell::new(1),
    };
    let asker = Asker {
        caller: &admin,
        access: &access,
        effort: &request,
        walks: &walks,
    };
    let walk = Walk::begin(asker, "all", None, 0);
    let ended = walk.entities(&Selection::default(), 10);
    assert!(matches!(ended, Err(ListError::GivenUp)), "{ended:?}");
}

#[test]
fn transactions_are_read_in_both_directions() {
    let (world, access) = world(300);
    let admin = world.admin();
    let (organization, walks) = (Arc::clone(admin.organization()), Walks::default());
    let request = Request::patient();
    let last = organization.store().snapshot().sequence();
    assert!(last.0 > 300);
    let read = |range: Range, from: u64, cost: u64, most: usize| {
        let mut found = Vec::new();
        let next = walks.transactions(
            &organization,
            range,
            Sequence(from),
            cost,
            &request,
            &mut |summary| {
                let has_room = found.len() < most;
                if has_room {
                    found.push(summary.sequence.0);
                }
                Ok(has_room)
            },
        );
        (found, next.unwrap().map(|next| next.0))
    };
    let forwards = Range {
        first: Sequence(5),
        last,
        is_backwards: false,
    };
    let backwards = Range {
        is_backwards: true,
        ..forwards
    };
    let expected: Vec<u64> = (5..=last.0).collect();
    assert_eq!(
        read(forwards, 5, u64::MAX, usize::MAX),
        (expected.clone(), None)
    );
    let reversed: Vec<u64> = expected.iter().rev().copied().collect();
    assert_eq!(
        read(backwards, last.0, u64::MAX, usize::MAX),
        (reversed, None)
    );
    assert_eq!(
        read(forwards, 250, u64::MAX, 10),
        ((250..260).collect(), Some(260))
    );
    assert_eq!(read(backwards, 9, u64::MAX, 2), (vec![9, 8], Some(7)));
    // A read that may look at little ends early, and says where to go on.
    let (found, next) = read(forwards, 5, 1, usize::MAX);
    assert_eq!(next, found.last().map(|last| last + 1));
    assert!(next.is_some());
    // What is written later is found in the block that was read before.
    made(&access, &admin, Kind::GROUP, &[("displayName", "late")]);
    let late = organization.store().snapshot().sequence();
    let summary = walks.transaction(&organization, late).unwrap().unwrap();
    assert_eq!(summary.origin.activity, "group created");
    let change = &summary.changes[0];
    assert_eq!((change.did, change.count), (Did::Made, 1));
    assert_eq!(
        change.subject,
        Subject::Entities(Kind::GROUP.type_name().to_owned())
    );
    assert!(change.properties.contains(&"displayName".to_owned()));
    assert_eq!(walks.transaction(&organization, late.next()).unwrap(), None);
    assert_eq!(walks.transaction(&organization, Sequence(0)).unwrap(), None);
}
