// SPDX-License-Identifier: Apache-2.0
//! What the catalog says of secrets and of guarded relationships holds for every kind.

use durward_graph::CoreReader;
use durward_identity::{Caller, CredentialKind, NewCredential};
use durward_model::{ErrorKind, Value};
use durward_policy::Rights;

use super::{AccessOf as _, World, change, made, properties};
use crate::{Kind, NewObject, ObjectChange, Properties, reader};

/// A key of the administrator that may write remote identities, and nothing else.
fn writer_of_aliases(world: &World) -> Caller {
    let admin = world.admin();
    let rights = Rights::from_names(["strongdm:remoteidentity:write"]).unwrap();
    let few = NewCredential {
        rights: Some(rights),
        ..NewCredential::own(&admin, CredentialKind::ApiToken, "few").unwrap()
    };
    let made = admin.organization().create_credential(&admin, few);
    world.caller(made.unwrap().secret.expose())
}

#[test]
fn nobody_speaks_for_a_stronger_account() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let writer = writer_of_aliases(&world);
    let kind = Kind::named("identity_alias").unwrap();
    let set = Kind::named("identity_set").unwrap();
    let set = made(&access, &admin, set, &[("displayName", "unix")]);
    let user = made(&access, &admin, Kind::USER, &[("email", "u@example.com")]);
    let alias = |account| {
        let named = properties(&[("username", "root")]);
        NewObject::relationship(kind, account, set, named)
    };
    let of_user = access.create(&writer, alias(user)).unwrap().object.id;
    let renamed = |id| access.update(&writer, kind, id, change(&[("username", "other")]));
    renamed(of_user).unwrap();
    access.delete(&writer, kind, of_user).unwrap();

    let strong = admin.account().unwrap();
    let of_admin = access.create(&admin, alias(strong)).unwrap().object.id;
    let before = access.view(None).sequence();
    for error in [
        renamed(of_admin).unwrap_err(),
        access.delete(&writer, kind, of_admin).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    }
    access.delete(&admin, kind, of_admin).unwrap();
    let error = access.create(&writer, alias(strong)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    let store = admin.organization().store();
    let written = store.transactions(before.next(), 100).unwrap();
    let changed = written
        .iter()
        .filter(|one| !one.changes.is_empty() && one.origin.activity != "credential used");
    assert_eq!(changed.count(), 1, "the administrator's deletion alone");
}

#[test]
fn secrets_are_kept_where_the_catalog_has_a_place_for_them() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let secrets = || properties(&[("password", "hunter2")]);
    let with_secrets = |new: NewObject| NewObject {
        secrets: secrets(),
        ..new
    };
    let named = |kind| NewObject::entity(kind, properties(&[("displayName", "x")]));
    let user = NewObject::entity(Kind::USER, properties(&[("email", "u@example.com")]));
    for new in [named(Kind::GROUP), named(Kind::ROLE), user] {
        let kind = new.kind;
        let error = access.create(&admin, with_secrets(new)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(
            error.to_string().contains("cannot be kept"),
            "{kind:?}: {error}"
        );
    }
    // Empty ones are none.
    let mut group = named(Kind::GROUP);
    group.secrets = properties(&[("password", "")]);
    let group = access.create(&admin, group).unwrap().object.id;
    let change = ObjectChange {
        secrets: secrets(),
        ..ObjectChange::default()
    };
    let error = access.update(&admin, Kind::GROUP, group, change.clone());
    assert!(error.unwrap_err().to_string().contains("cannot be kept"));

    let mut resource = named(Kind::RESOURCE);
    let kind = ("kind".to_owned(), Value::from("redis"));
    resource.properties.extend([kind]);
    let resource = access.create(&admin, resource).unwrap().object;
    access
        .update(&admin, Kind::RESOURCE, resource.id, change)
        .unwrap();
    let view = access.view(None);
    let entity = reader::entity(&view, resource.id, &[Kind::RESOURCE]).unwrap();
    let sealed = Kind::RESOURCE.sealed().unwrap();
    let Value::Bytes(bytes) = CoreReader::new(&view).secret(entity, sealed) else {
        panic!("nothing was sealed");
    };
    assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
    assert_eq!(CoreReader::new(&view).value(entity, sealed), Value::Null);
}

#[test]
fn secret_properties_are_set_by_nobody() {
    let world = World::new();
    let (access, admin) = (world.access(), world.admin());
    let mut tried = 0;
    for kind in Kind::all() {
        let said = kind.entry().properties.iter();
        for (name, _) in said.filter(|(name, _)| kind.is_secret(name)) {
            let sent = Properties::from([(name.clone(), Value::from("x"))]);
            let error = access.create(&admin, NewObject::entity(kind, sent));
            let error = error.err().unwrap().to_string();
            assert!(
                error.contains(name) && error.contains("cannot be set"),
                "{error}"
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 3);
}
