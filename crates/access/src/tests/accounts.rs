// SPDX-License-Identifier: Apache-2.0
//! Accounts with roles: who makes, suspends and reads them, and who sets their passwords.

use std::sync::Barrier;

use durward_graph::store::Target;
use durward_identity::{Caller, CredentialKind, NewCredential};
use durward_model::{ErrorKind, ObjectId};
use durward_policy::{Action, PermissionLevel, Rights};
use durward_vault::Secret;

use super::{AccessOf as _, World, bound, made, properties};
use crate::{AccessError, AccountSummary, Kind, NewObject, ObjectChange, accounts, reader};

const PASSWORD: &str = "a long password";

fn new_account(email: &str, role: &str) -> NewObject {
    NewObject {
        password: Some(Secret::new(PASSWORD.to_owned())),
        role: Some(role.to_owned()),
        ..NewObject::entity(Kind::USER, properties(&[("email", email)]))
    }
}

/// Makes an account with a role.
fn add(world: &World, email: &str, role: &str) -> ObjectId {
    let new = new_account(email, role);
    let made = world.access().create(&world.admin(), new);
    made.unwrap().object.id
}

/// A token of an account, let in.
pub(super) fn let_in(world: &World, account: ObjectId, rights: Option<Rights>) -> Caller {
    let admin = world.admin();
    let new = NewCredential {
        rights,
        ..NewCredential::new(CredentialKind::OpenctiToken, Target::Id(account), "own")
    };
    let made = admin.organization().create_credential(&admin, new);
    world.caller(made.unwrap().secret.expose())
}

/// Somebody with a role, let in.
pub(super) fn person(world: &World, email: &str, role: &str) -> Caller {
    let_in(world, add(world, email, role), None)
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, AccessError>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn an_account_has_what_its_role_gives() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let editor = person(&world, "e@example.com", "Editor");
    let view = access.view(None);
    let known = accounts::get(&admin, &view, editor.account().unwrap()).unwrap();
    assert_eq!(known.roles, ["Editor"]);
    assert_eq!(known.display_name, "e@example.com");
    assert!(editor.rights().is_within(&admin.rights()));
    // Its role says what it may: no permission level does.
    let entity = reader::entity(&view, known.id, &[Kind::USER]).unwrap();
    assert_eq!(reader::text(&view, entity, "permissionLevel"), "");
    let viewer = person(&world, "v@example.com", "Viewer");
    assert!(!viewer.allows(Action::UserList) && editor.allows(Action::UserList));

    let refused = access.create(&editor, new_account("x@example.com", "Viewer"));
    assert_eq!(kind_of(refused), ErrorKind::Forbidden);
    let refused = access.set_suspended(&editor, admin.account().unwrap(), true);
    assert_eq!(kind_of(refused), ErrorKind::Forbidden);
    let same = access.create(&admin, new_account("E@EXAMPLE.com", "Viewer"));
    assert_eq!(kind_of(same), ErrorKind::AlreadyExists);
    let short = NewObject {
        password: Some(Secret::new("short".to_owned())),
        ..new_account("y@example.com", "Viewer")
    };
    assert_eq!(kind_of(access.create(&admin, short)), ErrorKind::Invalid);
    let nothing = access.create(&admin, new_account("y@example.com", "Pilot"));
    assert_eq!(kind_of(nothing), ErrorKind::NotFound);
    assert_eq!(accounts::list(&admin, &access.view(None)).unwrap().len(), 3);
}

#[test]
fn nobody_makes_an_account_that_may_more_than_its_maker() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let rights = Rights::from_names(["strongdm:user:create", "strongdm:user:assign"]).unwrap();
    let own = admin.account().unwrap();
    let clerk = let_in(&world, own, Some(rights));
    let before = access.view(None).sequence();
    for role in ["Administrator", "Editor", "Viewer"] {
        let refused = access.create(&clerk, new_account("x@example.com", role));
        assert_eq!(kind_of(refused), ErrorKind::Forbidden, "{role}");
    }
    let mut role = NewObject::entity(Kind::ROLE, properties(&[("displayName", "clerks")]));
    role.rights = Some(rights);
    access.create(&admin, role).unwrap();
    access
        .create(&clerk, new_account("x@example.com", "clerks"))
        .unwrap();
    let only_create = Rights::from_names(["strongdm:user:create"]).unwrap();
    let few = let_in(&world, own, Some(only_create));
    let refused = access.create(&few, new_account("y@example.com", "clerks"));
    assert_eq!(kind_of(refused), ErrorKind::Forbidden, "it assigns nothing");
    let written = admin
        .organization()
        .store()
        .transactions(before.next(), 100);
    let made = written.unwrap().into_iter();
    let made = made.filter(|written| written.origin.activity == "user created");
    assert_eq!(made.count(), 1);
}

#[test]
fn accounts_are_read_by_whoever_may_and_their_own_by_everybody() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let robot = made(&access, &admin, Kind::SERVICE, &[("displayName", "robot")]);
    let viewer = person(&world, "v@example.com", "Viewer");
    let view = access.view(None);
    let own = viewer.account().unwrap();
    assert_eq!(
        kind_of(accounts::list(&viewer, &view)),
        ErrorKind::Forbidden
    );
    assert_eq!(accounts::get(&viewer, &view, own).unwrap().id, own);
    let other = accounts::get(&viewer, &view, robot);
    assert_eq!(kind_of(other), ErrorKind::NotFound);
    let all = accounts::list(&admin, &view).unwrap();
    let kinds: Vec<Kind> = all.iter().map(|account| account.kind).collect();
    assert_eq!(kinds, [Kind::USER, Kind::USER, Kind::SERVICE]);
    assert_eq!(AccountSummary::find(&view, robot).unwrap(), all[2]);
    let role = access.list(&admin, &view, Kind::ROLE).unwrap()[0];
    let durward_graph::ObjectRef::Entity(role) = role else {
        panic!("a role is an entity");
    };
    assert!(AccountSummary::find(&view, view.entity_id(role)).is_none());
}

#[test]
fn suspension_ends_whichever_way_it_began() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let own = access.set_suspended(&admin, admin.account().unwrap(), true);
    assert!(own.unwrap_err().to_string().contains("cannot suspend"));
    let user = made(&access, &admin, Kind::USER, &[("email", "u@example.com")]);
    let is_suspended = || {
        let view = access.view(None);
        accounts::get(&admin, &view, user).unwrap().suspended
    };
    let level = super::change(&[("permissionLevel", "suspended")]);
    access.update(&admin, Kind::USER, user, level).unwrap();
    assert!(is_suspended());
    access.set_suspended(&admin, user, false).unwrap();
    assert!(!is_suspended());
    access.set_suspended(&admin, user, true).unwrap();
    assert!(is_suspended());
}

/// Whoever suspends the one while somebody suspends the other: one of them stays, also where
/// neither is done by an administrator.
#[test]
fn of_two_administrators_who_are_suspended_at_once_one_stays() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let mut mighty = NewObject::entity(Kind::ROLE, properties(&[("displayName", "mighty")]));
    mighty.rights = Some(Rights::ALL);
    access.create(&admin, mighty).unwrap();
    let keepers = ["k1@example.com", "k2@example.com"].map(|email| person(&world, email, "mighty"));
    let first = admin.account().unwrap();
    let second = add(&world, "second@example.com", "Administrator");
    for round in 0..20 {
        let start = Barrier::new(2);
        let suspend = |keeper: &Caller, account: ObjectId, by_level: bool| {
            start.wait();
            if by_level {
                let level = super::change(&[("permissionLevel", "suspended")]);
                let updated = access.update(keeper, Kind::USER, account, level);
                return updated.map(|_| ());
            }
            access.set_suspended(keeper, account, true)
        };
        let (one, other) = std::thread::scope(|scope| {
            let one = scope.spawn(|| suspend(&keepers[0], first, false));
            let other = scope.spawn(|| suspend(&keepers[1], second, round % 2 == 0));
            (one.join().unwrap(), other.join().unwrap())
        });
        let refused: Vec<_> = [&one, &other]
            .into_iter()
            .filter_map(|done| done.as_ref().err())
            .collect();
        assert_eq!(refused.len(), 1, "{one:?} {other:?}");
        assert!(refused[0].to_string().contains("the last administrator"));
        let back = if one.is_ok() { first } else { second };
        access.set_suspended(&keepers[0], back, false).unwrap();
    }
}

#[test]
fn a_role_that_was_taken_meanwhile_assigns_nothing() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let lesser = person(&world, "l@example.com", "Administrator");
    let own = lesser.account().unwrap();
    let view = access.view(None);
    let assigned = access.list(&admin, &view, Kind::ASSIGNMENT).unwrap();
    let of_own = assigned
        .into_iter()
        .map(|found| crate::Object::read(&view, Kind::ASSIGNMENT, found));
    let held = of_own
        .into_iter()
        .find(|held| held.ends.unwrap().0 == own)
        .unwrap();
    access.delete(&admin, Kind::ASSIGNMENT, held.id).unwrap();
    let (_, role) = held.ends.unwrap();
    let again = NewObject::relationship(Kind::ASSIGNMENT, own, role, crate::Properties::new());
    assert_eq!(kind_of(access.create(&lesser, again)), ErrorKind::Forbidden);
    let error = access.create(&lesser, new_account("x@example.com", "Viewer"));
    assert_eq!(kind_of(error), ErrorKind::Forbidden);
    // Only the last one of all stays, in whichever way it is one.
    bound(&access, &admin, Kind::ASSIGNMENT, own, role);
    let view = access.view(None);
    assert_eq!(accounts::get(&admin, &view, own).unwrap().roles.len(), 1);
}

#[test]
fn a_password_is_set_by_whoever_may_all_that_it_opens() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let new_password = || ObjectChange {
        password: Some(Secret::new("an even longer password".to_owned())),
        ..ObjectChange::default()
    };
    let usual = PermissionLevel::User.rights();
    assert!(usual != Rights::NONE);
    let user = made(&access, &admin, Kind::USER, &[("email", "u@example.com")]);
    let names = ["strongdm:user:update", "strongdm:user:set_password"];
    let own = admin.account().unwrap();
    let few = let_in(&world, own, Some(Rights::from_names(names).unwrap()));
    // It may change what every user has, and must not come by what a user may.
    let rename = super::change(&[("firstName", "x")]);
    access.update(&few, Kind::USER, user, rename).unwrap();
    for account in [user, own] {
        let refused = access.update(&few, Kind::USER, account, new_password());
        assert_eq!(kind_of(refused), ErrorKind::Forbidden);
    }
    access
        .update(&admin, Kind::USER, user, new_password())
        .unwrap();
    let organization = admin.organization();
    let opens = |text: &str| {
        let password = Secret::new(text.to_owned());
        organization.account_of_password("u@example.com", &password)
    };
    assert_eq!(opens("an even longer password"), Some(user));
    assert_eq!(opens(PASSWORD), None);
}
