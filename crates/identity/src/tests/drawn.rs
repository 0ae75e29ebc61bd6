// SPDX-License-Identifier: Apache-2.0
//! Credentials that are made inside larger transactions.

use durward_graph::store::{Operation, PutMode, Target};
use durward_model::{Namespace, ObjectId, Value};
use durward_policy::Right;

use super::roles::{add_account, log_in, set_role};
use super::*;
use crate::{CredentialKind, CredentialSummary, IdentityError, NewCredential};

/// An operation that makes a core entity.
pub(super) fn put(entity_type: &str, name: &str) -> Operation {
    Operation::PutEntity {
        entity_type: entity_type.to_owned(),
        classes: Some(vec!["User".to_owned()]),
        namespace: Namespace::durward(),
        key: format!("{entity_type}:{name}"),
        properties: vec![("displayName".to_owned(), Value::from(name))],
        aliases: Vec::new(),
        mode: PutMode::Create,
    }
}

/// An operation that relates two objects.
pub(super) fn relate(from: ObjectId, verb: &str, to: ObjectId) -> Operation {
    Operation::PutRelationship {
        from: Target::Id(from),
        verb: verb.to_owned(),
        to: Target::Id(to),
        relationship_type: String::new(),
        namespace: Namespace::durward(),
        key: None,
        properties: Vec::new(),
        mode: PutMode::Upsert,
    }
}

#[test]
fn an_account_and_its_token_are_made_together() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let make = |owner_type: &str, name: &str, kind: CredentialKind| {
        let mut operations = vec![put(owner_type, name)];
        let mut new = NewCredential::new(kind, Target::Result(0), "token");
        new.tags.insert("env".to_owned(), "dev".to_owned());
        let drawn = organization.draw_credential(&admin, new, 1).unwrap();
        operations.extend(drawn.operations);
        let origin = admin.origin("service created");
        let receipt = organization
            .submit_core_once(origin.clone(), name, operations.clone())
            .unwrap();
        let again = organization.submit_core_once(origin, name, operations);
        assert_eq!(again.unwrap().results, receipt.results);
        (
            receipt.results[0].id,
            receipt.results[1].id,
            drawn.secret.expose().clone(),
        )
    };
    let (service, id, secret) = make("account_service", "robot", CredentialKind::ServiceToken);
    let known = CredentialSummary::find(&organization.head(), id).unwrap();
    assert_eq!((known.account, known.name.as_str()), (service, "token"));
    assert_eq!(known.tags.get("env").map(String::as_str), Some("dev"));
    let robot = world.token(&organizations, &secret);
    assert_eq!(robot.account(), Some(service));
    assert!(
        Right::all().all(|right| !robot.may(right)),
        "it has no role"
    );

    let (node, id, secret) = make("access_node", "gateway", CredentialKind::NodeToken);
    let known = CredentialSummary::find(&organization.head(), id).unwrap();
    assert_eq!(known.account, node);
    assert_eq!(world.refusal(&organizations, &secret), "not_accepted");
    let kinds = [CredentialKind::NodeToken];
    assert_eq!(
        CredentialSummary::all(&organization.head(), &kinds).len(),
        1
    );
}

#[test]
fn nobody_draws_more_than_they_have() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let editor = add_account(&admin, "e@example.com", "Editor");
    let editor = log_in(&world, &organizations, editor);
    let kind = CredentialKind::OpenctiToken;
    let draw = |caller: &Caller, owner: Target| {
        organization.draw_credential(caller, NewCredential::new(kind, owner, "t"), 0)
    };
    // A token of the administrator would act in the administrator's name.
    let error = draw(&editor, Target::Id(admin.account().unwrap())).unwrap_err();
    assert!(matches!(error, IdentityError::Forbidden { .. }), "{error}");
    let error = draw(&editor, Target::Id(ObjectId(7))).unwrap_err();
    assert!(matches!(error, IdentityError::NotFound { .. }), "{error}");
    assert!(draw(&editor, Target::Alias("x".to_owned())).is_err());
    let viewer = add_account(&admin, "v@example.com", "Viewer");
    let drawn = draw(&editor, Target::Id(viewer)).unwrap();
    organization
        .submit_core(editor.origin("made"), drawn.operations)
        .unwrap();
    set_role(&organization, viewer, "Administrator");
    let made = world.token(&organizations, drawn.secret.expose());
    assert!(made.may(Right::WRITE_GRAPH) && !made.may(Right::MANAGE_ACCOUNTS));
    assert!(made.rights().is_within(&editor.rights()));
}
