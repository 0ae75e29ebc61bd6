// SPDX-License-Identifier: Apache-2.0

use durward_model::ObjectId;
use durward_policy::Right;
use durward_vault::Secret;

use super::*;
use crate::issue::NewCredential;
use crate::{AccountSummary, CredentialKind, IdentityError, NewAccount};

pub(super) fn new_account(email: &str, role: &str) -> NewAccount {
    NewAccount {
        email: email.to_owned(),
        display_name: String::new(),
        password: Some(Secret::new("a long password".to_owned())),
        role: role.to_owned(),
    }
}

pub(super) fn add_account(admin: &Caller, email: &str, role: &str) -> AccountSummary {
    admin
        .organization()
        .create_account(admin, &new_account(email, role))
        .unwrap()
}

/// A token of another account, as its own log-in would make it.
pub(super) fn log_in(world: &World, organizations: &Organizations, account: ObjectId) -> Caller {
    let organization = organizations.find("Acme").unwrap();
    let owner = durward_graph::store::Target::Id(account);
    let new = NewCredential::new(CredentialKind::OpenctiToken, owner, "own");
    let drawn = new
        .draw(
            &organization,
            crate::issue::Maker::default(),
            0,
            world.now(),
        )
        .unwrap();
    organization
        .submit(crate::first::system("log in"), drawn.operations)
        .unwrap();
    world.token(organizations, drawn.secret.expose())
}

#[test]
fn roles_bound_what_an_account_may_do() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let account = add_account(&admin, "e@example.com", "Editor");
    assert_eq!(account.roles, ["Editor"]);
    assert_eq!(account.display_name, "e@example.com");
    let editor = log_in(&world, &organizations, account.id);
    assert!(editor.may(Right::WRITE_GRAPH) && !editor.may(Right::MANAGE_ACCOUNTS));
    let refused = organization.create_account(&editor, &new_account("x@example.com", "Viewer"));
    assert!(matches!(refused, Err(IdentityError::Forbidden { .. })));
    let refused = organization.set_account_suspended(&editor, admin.account().unwrap(), true);
    assert!(matches!(refused, Err(IdentityError::Forbidden { .. })));
    let same = organization.create_account(&admin, &new_account("E@EXAMPLE.com", "Viewer"));
    assert_eq!(
        same.unwrap_err().kind(),
        durward_model::ErrorKind::AlreadyExists
    );
    let short = NewAccount {
        password: Some(Secret::new("short".to_owned())),
        ..new_account("y@example.com", "Viewer")
    };
    assert!(organization.create_account(&admin, &short).is_err());
    let nothing = organization.create_account(&admin, &new_account("y@example.com", "Pilot"));
    assert!(matches!(nothing, Err(IdentityError::NotFound { .. })));
    assert_eq!(organization.accounts(&admin).unwrap().len(), 2);
    let viewer = add_account(&admin, "v@example.com", "Viewer");
    let viewer = log_in(&world, &organizations, viewer.id);
    assert!(organization.accounts(&viewer).is_err());
    assert!(
        organization
            .account(&viewer, viewer.account().unwrap())
            .is_ok()
    );
    assert!(organization.account(&viewer, account.id).is_err());
}

#[test]
fn a_lesser_role_takes_rights_from_credentials_at_once() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let account = add_account(&admin, "e@example.com", "Editor");
    let token = {
        let editor = log_in(&world, &organizations, account.id);
        let kind = CredentialKind::StrongdmKey;
        let made = organization
            .create_own_credential(&editor, kind, "k", None)
            .unwrap();
        (
            made.summary.public_id.unwrap(),
            made.secret.expose().clone(),
        )
    };
    let sign_in = || super::signed::sign_in(&world, &organizations, &token.0, &token.1);
    assert!(sign_in().unwrap().may(Right::WRITE_GRAPH));
    let changed = organization
        .set_account_role(&admin, account.id, "Viewer")
        .unwrap();
    assert_eq!(changed.roles, ["Viewer"]);
    let viewer = sign_in().unwrap();
    assert!(viewer.may(Right::READ_GRAPH) && !viewer.may(Right::WRITE_GRAPH));
    organization
        .set_account_suspended(&admin, account.id, true)
        .unwrap();
    assert_eq!(sign_in().unwrap_err().reason(), "account_suspended");
    organization
        .set_account_suspended(&admin, account.id, false)
        .unwrap();
    assert!(sign_in().is_ok());
}

#[test]
fn suspension_stops_bearer_tokens_and_passwords() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let error = organization.set_account_suspended(&admin, admin.account().unwrap(), true);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("cannot suspend itself")
    );
    let second = add_account(&admin, "second@example.com", "Administrator");
    let second = log_in(&world, &organizations, second.id);
    organization
        .set_account_suspended(&second, admin.account().unwrap(), true)
        .unwrap();
    for token in [&world.output.api_token, &world.output.opencti.token] {
        assert_eq!(world.refusal(&organizations, token), "account_suspended");
    }
    let password = Secret::new(world.output.admin.password.clone());
    assert_eq!(
        organization.account_of_password("admin@example.com", &password),
        None
    );

    let own = second.account().unwrap();
    let fresh = Secret::new("an even longer password".to_owned());
    organization.set_password(&second, own, &fresh).unwrap();
    assert_eq!(
        organization.account_of_password("second@example.com", &fresh),
        Some(own)
    );
    let old = Secret::new("a long password".to_owned());
    assert_eq!(
        organization.account_of_password("second@example.com", &old),
        None
    );
}

#[test]
fn generic_writes_do_not_reach_accounts() {
    use durward_graph::store::{Draft, Operation, Privilege, PutMode, Target};
    use durward_model::{Namespace, Value};
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let account = add_account(&admin, "v@example.com", "Viewer");
    let view = organization.store().view(None);
    let reader = durward_graph::CoreReader::new(&view);
    let role = reader.by_key("access_role", "role:administrator").unwrap();
    let attempts = [
        Operation::PutRelationship {
            from: Target::Id(account.id),
            verb: "ASSIGNED".to_owned(),
            to: Target::Id(view.entity_id(role)),
            relationship_type: "x".to_owned(),
            namespace: Namespace::new("api", ""),
            key: None,
            properties: Vec::new(),
            mode: PutMode::Create,
        },
        Operation::PatchEntity {
            target: Target::Id(account.id),
            set: vec![("suspended".to_owned(), Value::from(true))],
            classes: None,
            expected_version: None,
        },
        Operation::DeleteEntity {
            target: Target::Id(account.id),
        },
    ];
    for operation in attempts {
        let draft = Draft {
            origin: admin.origin("try"),
            idempotency_key: String::new(),
            privilege: Privilege::Generic,
            operations: vec![operation],
        };
        let error = organization.store().submit(draft).unwrap_err();
        assert_eq!(error.kind(), durward_model::ErrorKind::Forbidden, "{error}");
    }
}
