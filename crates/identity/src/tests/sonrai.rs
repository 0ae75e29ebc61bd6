// SPDX-License-Identifier: Apache-2.0
//! Sonrai's tokens renew themselves, vanish when they end, and leave their traces.

use durward_graph::store::Target;
use durward_model::transaction::Sequence;
use durward_policy::Right;

use super::drawn::put;
use super::*;
use crate::{CredentialFilter, CredentialKind, CredentialSummary, IssuedCredential, NewCredential};

const KIND: CredentialKind = CredentialKind::SonraiToken;

fn renew(caller: &Caller, seconds: i64) -> IssuedCredential {
    let organization = caller.organization();
    let end = Some(organization.now().plus_seconds(seconds));
    create_own(caller, KIND, "next", end).unwrap()
}

#[test]
fn any_token_makes_the_next_one_with_the_same_rights() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    // An account without any role: its token does nothing but live on.
    let mut operations = vec![put("account", "nobody")];
    let receipt = organization.submit_core(admin.origin("made"), operations.clone());
    let owner = Target::Id(receipt.unwrap().results[0].id);
    let new = NewCredential {
        expires_at: Some(world.now().plus_seconds(7_200)),
        ..NewCredential::new(KIND, owner, "first")
    };
    let drawn = organization.draw_credential(&admin, new, 0).unwrap();
    operations.clone_from(&drawn.operations);
    organization
        .submit_core(admin.origin("made"), operations)
        .unwrap();
    let first = world.token(&organizations, drawn.secret.expose());
    assert!(Right::all().all(|right| !first.may(right)));
    world.pass(3_600);
    let next = renew(&first, 2_592_000);
    let next = world.token(&organizations, next.secret.expose());
    assert_eq!(next.rights(), first.rights());
    let other = CredentialKind::OpenctiToken;
    assert!(create_own(&next, other, "x", None).is_err());
    let own = CredentialFilter {
        kinds: vec![KIND],
        own: true,
        ..CredentialFilter::default()
    };
    let listed = || -> Vec<CredentialSummary> {
        let all = organization.credentials(&next, &own).unwrap();
        let now = world.now();
        all.into_iter()
            .filter(|known| known.is_usable_at(now))
            .collect()
    };
    assert_eq!(listed().len(), 2);
    world.pass(3_600);
    assert_eq!(listed().len(), 1, "the first ended");
    assert!(
        organization
            .credentials(&next, &CredentialFilter::default())
            .is_err()
    );
}

#[test]
fn making_and_deleting_one_is_in_the_audit_log() {
    let world = World::new();
    let organizations = world.open();
    let admin = world.token(&organizations, &world.output.sonrai.token);
    let organization = Arc::clone(admin.organization());
    let made = renew(&admin, 7_200);
    organization
        .delete_credential(&admin, made.summary.id)
        .unwrap();
    assert_eq!(
        world.refusal(&organizations, made.secret.expose()),
        "unknown"
    );
    let log = organization
        .store()
        .transactions(Sequence(1), 1000)
        .unwrap();
    for activity in ["credential created", "credential deleted"] {
        let entry = log.iter().find(|t| t.origin.activity == activity).unwrap();
        let origin = &entry.origin;
        assert_eq!(origin.actor, admin.account());
        assert_eq!(origin.credential, admin.credential());
        assert_eq!(origin.source_address, "192.0.2.1");
        assert_eq!(origin.user_agent, "test");
        let text = format!("{entry:?}");
        assert!(!text.contains(made.secret.expose().as_str()));
    }
}
