// SPDX-License-Identifier: Apache-2.0
//! Between a request and its write others write: the caller is judged again there.
use durward_graph::store::Target;
use durward_policy::Action;

use super::roles::{add_account, log_in, set_role, suspend};
use super::*;
use crate::{CredentialKind, CredentialUpdate, IdentityError};

/// Every command of this crate by a caller, each on its own.
fn commands(caller: &Caller, organization: &Organization) -> Vec<IdentityError> {
    let (account, credential) = (caller.account().unwrap(), caller.credential().unwrap());
    let kind = CredentialKind::ApiToken;
    let update = CredentialUpdate {
        name: Some("new".to_owned()),
        ..CredentialUpdate::default()
    };
    let of_account = NewCredential::new(kind, Target::Id(account), "own");
    vec![
        create_own(caller, kind, "own", None).unwrap_err(),
        organization
            .create_credential(caller, of_account)
            .unwrap_err(),
        organization
            .revoke_credential(caller, credential)
            .unwrap_err(),
        organization
            .update_credential(caller, credential, update)
            .unwrap_err(),
        organization
            .delete_credential(caller, credential)
            .unwrap_err(),
    ]
}

#[test]
fn who_was_ended_meanwhile_writes_nothing() {
    let world = World::new();
    let organizations = world.open();
    let (admin, organization) = world.admin(&organizations);
    let second = |name: &str| {
        let account = add_account(&admin, name, "Administrator");
        log_in(&world, &organizations, account)
    };
    let suspended = second("s@example.com");
    suspend(&organization, suspended.account().unwrap(), true);
    let revoked = second("r@example.com");
    organization
        .revoke_credential(&admin, revoked.credential().unwrap())
        .unwrap();
    let deleted = second("d@example.com");
    organization
        .delete_credential(&admin, deleted.credential().unwrap())
        .unwrap();
    let before = organization.head().sequence();
    for caller in [&suspended, &revoked, &deleted] {
        for error in commands(caller, &organization) {
            assert!(matches!(error, IdentityError::Ended), "{error}");
        }
        assert!(caller.at_present().is_err());
    }
    let lesser = second("l@example.com");
    set_role(&organization, lesser.account().unwrap(), "Viewer");
    let of_admin = admin.credential().unwrap();
    let error = organization
        .revoke_credential(&lesser, of_admin)
        .unwrap_err();
    assert!(matches!(error, IdentityError::NotFound { .. }), "{error}");
    let present = lesser.at_present().unwrap();
    assert!(!present.allows(Action::UserSuspend));
    // Only what was done by others was written: accounts, tokens, a role.
    let written = organization.store().transactions(before.next(), 100);
    for transaction in written.unwrap() {
        let is_refusal = transaction.changes.is_empty();
        let is_system = transaction.origin.actor.is_none();
        let is_admin = transaction.origin.actor == admin.account();
        let is_use = transaction.origin.activity == "credential used";
        assert!(
            is_refusal || is_system || is_admin || is_use,
            "{transaction:?}"
        );
    }
}
