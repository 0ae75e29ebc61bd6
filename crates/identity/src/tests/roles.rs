// SPDX-License-Identifier: Apache-2.0

use durward_graph::store::{Draft, Operation, Privilege, PutMode, Target};
use durward_graph::{CoreReader, Direction};
use durward_model::{Namespace, ObjectId, Value};
use durward_policy::Right;
use durward_vault::Secret;

use super::*;
use crate::CredentialKind;
use crate::first::objects::account_operations;
use crate::issue::NewCredential;

/// Makes an account with a role, as the crate above does.
pub(super) fn add_account(admin: &Caller, email: &str, role: &str) -> ObjectId {
    let organization = admin.organization();
    let password = Secret::new("a long password".to_owned());
    let hash = organization.hash_password(&password).unwrap();
    let role = Target::Id(role_named(organization, role));
    let made = account_operations(email, Some(hash), role, 0).unwrap();
    let receipt = organization.submit(admin.origin("user created"), made);
    receipt.unwrap().results[0].id
}

/// Suspends or resumes an account, as the crate above does.
pub(super) fn suspend(organization: &Organization, account: ObjectId, is_suspended: bool) {
    let patch = Operation::PatchEntity {
        target: Target::Id(account),
        set: vec![("suspended".to_owned(), Value::from(is_suspended))],
        classes: None,
        expected_version: None,
    };
    let origin = crate::first::system("account suspended");
    organization.submit(origin, vec![patch]).unwrap();
}

/// Gives an account one role in place of those it has, as the crate above does.
pub(super) fn set_role(organization: &Organization, account: ObjectId, role: &str) {
    let view = organization.head();
    let reader = CoreReader::new(&view);
    let entity = reader.by_id(account, &["account"]).unwrap();
    let held = reader.links(entity, "ASSIGNED", "access_role", Direction::Out);
    let mut operations: Vec<Operation> = held
        .into_iter()
        .map(|link| Operation::DeleteRelationship {
            target: view.edge_id(link.edge),
        })
        .collect();
    let role = role_named(organization, role);
    operations.push(super::drawn::relate(account, "ASSIGNED", role));
    let origin = crate::first::system("role set");
    organization.submit(origin, operations).unwrap();
}

fn role_named(organization: &Organization, name: &str) -> ObjectId {
    let view = organization.head();
    let key = format!("role:{}", name.to_lowercase());
    let role = CoreReader::new(&view).by_key("access_role", &key);
    view.entity_id(role.unwrap())
}

/// A token of another account, as its own log-in would make it.
pub(super) fn log_in(world: &World, organizations: &Organizations, account: ObjectId) -> Caller {
    let organization = organizations.find("Acme").unwrap();
    let owner = Target::Id(account);
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
fn a_lesser_role_takes_rights_from_credentials_at_once() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let account = add_account(&admin, "e@example.com", "Editor");
    let token = {
        let editor = log_in(&world, &organizations, account);
        let kind = CredentialKind::StrongdmKey;
        let made = create_own(&editor, kind, "k", None).unwrap();
        (
            made.summary.public_id.unwrap(),
            made.secret.expose().clone(),
        )
    };
    let sign_in = || super::signed::sign_in(&world, &organizations, &token.0, &token.1);
    assert!(sign_in().unwrap().may(Right::WRITE_GRAPH));
    set_role(&organization, account, "Viewer");
    let viewer = sign_in().unwrap();
    assert!(viewer.may(Right::READ_GRAPH) && !viewer.may(Right::WRITE_GRAPH));
    suspend(&organization, account, true);
    assert_eq!(sign_in().unwrap_err().reason(), "account_suspended");
    suspend(&organization, account, false);
    assert!(sign_in().is_ok());
}

#[test]
fn suspension_stops_bearer_tokens_and_passwords() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    suspend(&organization, admin.account().unwrap(), true);
    for token in [&world.output.api_token, &world.output.opencti.token] {
        assert_eq!(world.refusal(&organizations, token), "account_suspended");
    }
    let password = Secret::new(world.output.admin.password.clone());
    assert_eq!(
        organization.account_of_password("admin@example.com", &password),
        None
    );
    suspend(&organization, admin.account().unwrap(), false);
    assert_eq!(
        organization.account_of_password("admin@example.com", &password),
        admin.account()
    );
}

#[test]
fn generic_writes_do_not_reach_accounts() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let account = add_account(&admin, "v@example.com", "Viewer");
    let view = organization.store().view(None);
    let reader = CoreReader::new(&view);
    let role = reader.by_key("access_role", "role:administrator").unwrap();
    let attempts = [
        Operation::PutRelationship {
            from: Target::Id(account),
            verb: "ASSIGNED".to_owned(),
            to: Target::Id(view.entity_id(role)),
            relationship_type: "x".to_owned(),
            namespace: Namespace::new("api", ""),
            key: None,
            properties: Vec::new(),
            mode: PutMode::Create,
        },
        Operation::PatchEntity {
            target: Target::Id(account),
            set: vec![("suspended".to_owned(), Value::from(true))],
            classes: None,
            expected_version: None,
        },
        Operation::DeleteEntity {
            target: Target::Id(account),
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
