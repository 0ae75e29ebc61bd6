// SPDX-License-Identifier: Apache-2.0
//! Between a request and its write others write: the caller is judged again there.

use durward_policy::Right;
use durward_vault::Secret;

use super::roles::{add_account, log_in, new_account};
use super::*;
use crate::{CredentialKind, CredentialUpdate, IdentityError};

/// Every command of this crate by a caller, each on its own.
fn commands(caller: &Caller, organization: &Organization) -> Vec<IdentityError> {
    let (account, credential) = (caller.account().unwrap(), caller.credential().unwrap());
    let kind = CredentialKind::ApiToken;
    let password = Secret::new("a password of some length".to_owned());
    let update = CredentialUpdate {
        name: Some("new".to_owned()),
        ..CredentialUpdate::default()
    };
    vec![
        organization
            .create_account(caller, &new_account("n@example.com", "Viewer"))
            .unwrap_err(),
        organization
            .set_account_suspended(caller, account, false)
            .unwrap_err(),
        organization
            .set_account_role(caller, account, "Viewer")
            .unwrap_err(),
        organization
            .set_password(caller, account, &password)
            .unwrap_err(),
        organization
            .create_own_credential(caller, kind, "own", None)
            .unwrap_err(),
        organization
            .create_credential_for(caller, account, kind, "own", None, None)
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
        log_in(&world, &organizations, account.id)
    };
    let suspended = second("s@example.com");
    organization
        .set_account_suspended(&admin, suspended.account().unwrap(), true)
        .unwrap();
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
    organization
        .set_account_role(&admin, lesser.account().unwrap(), "Viewer")
        .unwrap();
    let error = organization.set_account_role(&lesser, lesser.account().unwrap(), "Administrator");
    let error = error.unwrap_err();
    assert!(matches!(error, IdentityError::Forbidden { .. }), "{error}");
    assert!(!lesser.at_present().unwrap().may(Right::MANAGE_ACCOUNTS));
    // Only what was done by the administrator was written: an account, a token, a role, a refusal.
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

#[test]
fn two_administrators_do_not_suspend_each_other() {
    let world = World::new();
    let organizations = world.open();
    let (first, organization) = world.admin(&organizations);
    let account = add_account(&first, "t@example.com", "Administrator");
    let second = log_in(&world, &organizations, account.id);
    let of_first = first.account().unwrap();
    organization
        .set_account_suspended(&first, account.id, true)
        .unwrap();
    let error = organization.set_account_suspended(&second, of_first, true);
    assert!(matches!(error, Err(IdentityError::Ended)));
    let accounts = organization.accounts(&first).unwrap();
    let left = accounts.iter().filter(|account| !account.suspended);
    assert_eq!(left.count(), 1);
}
