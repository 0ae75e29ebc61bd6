// SPDX-License-Identifier: Apache-2.0

use std::collections::BTreeSet;
use std::sync::Arc;

use durward_model::{Instant, ObjectId};

use super::*;
use crate::AccessPolicy;

#[test]
fn the_table_is_whole() {
    let mut names = BTreeSet::new();
    for (position, entry) in table::ACTIONS.iter().enumerate() {
        assert_eq!(entry.action as usize, position);
        assert!(names.insert(entry.name), "{} stands twice", entry.name);
        assert_eq!(Action::named(entry.name), Some(entry.action));
        if entry.action.is_everybodys() {
            assert!(entry.action.rights().is_empty());
            continue;
        }
        let known: Vec<_> = entry
            .action
            .rights()
            .iter()
            .map(|right| right.name())
            .collect();
        assert_eq!(known.join(" | "), entry.rights, "{}", entry.name);
        assert!(!known.is_empty());
    }
}

#[test]
fn every_dialect_reads_accounts_by_its_own_right() {
    for name in [
        "accounts:read",
        "strongdm:user:list",
        "cyral:View Users",
        "cyral:Modify Users",
        "sonrai:view",
    ] {
        let rights = Rights::from_names([name]).unwrap();
        assert!(Action::UserList.is_given_by(&rights), "{name}");
    }
    let reader = Rights::from_names(["strongdm:user:list", "cyral:View Users"]).unwrap();
    assert!(!Action::UserCreate.is_given_by(&reader));
    assert!(!Action::TokenCreate.is_given_by(&reader));
}

/// Nothing that only reads lets its holder write.
#[test]
fn readers_change_nothing() {
    let reads = |right: &Right| {
        let name = right.name();
        [":read", ":list", ":view"]
            .iter()
            .any(|end| name.ends_with(end))
            || name.starts_with("strongdm:audit:")
            || name.starts_with("cyral:View")
    };
    let reader: Rights = Right::all().filter(reads).collect();
    for action in Action::all().filter(|action| action.is_given_by(&reader)) {
        let own = action.name().starts_with("own-") || action == Action::AccessRequestFile;
        let verb = action.name().rsplit(':').next().unwrap();
        let reading =
            matches!(verb, "list" | "read" | "status") || action.name().starts_with("audit:");
        assert!(own || reading, "{action}");
    }
}

#[test]
fn one_action_of_several_is_enough() {
    let rights = Rights::from_names(["strongdm:grant:write"]).unwrap();
    let principal = Principal {
        account: ObjectId(1),
        account_suspended: false,
        account_rights: rights,
        credential_rights: rights,
        policies: Vec::new(),
        expires_at: None,
        organization: "o".to_owned(),
    };
    let now = Instant::from_millis(1);
    let ask = |actions: &[Action]| {
        authorize_actions(&principal, actions, Object::Organization, &Context { now }).allowed
    };
    assert!(ask(&[Action::RoleUpdate, Action::GrantWrite]));
    assert!(!ask(&[Action::RoleUpdate, Action::RoleCreate]));
    assert!(!ask(&[]));
}

#[test]
fn actions_obey_the_policies_of_a_credential() {
    let mut principal = Principal {
        account: ObjectId(1),
        account_suspended: false,
        account_rights: Rights::ALL,
        credential_rights: Rights::from_names(["strongdm:role:create"]).unwrap(),
        policies: vec![Arc::new(
            AccessPolicy::parse(AccessPolicy::ALLOW_ALL).unwrap(),
        )],
        expires_at: None,
        organization: "o".to_owned(),
    };
    let context = Context {
        now: Instant::from_millis(1),
    };
    let ask = |principal: &Principal, action| {
        authorize_action(principal, action, Object::Organization, &context)
    };
    assert!(
        ask(&principal, Action::RoleCreate).allowed,
        "the lone * covers it"
    );
    assert!(!ask(&principal, Action::RoleDelete).allowed);
    let narrow = r#"{"permissions":[{"effect":"ALLOW","actions":["query:ReadGraphData"],
        "resources":["*"]}]}"#;
    principal.policies = vec![Arc::new(AccessPolicy::parse(narrow).unwrap())];
    assert!(!ask(&principal, Action::RoleCreate).allowed);
}

#[test]
fn what_is_everybodys_asks_for_no_right_but_a_living_account() {
    let mut principal = Principal {
        account: ObjectId(1),
        account_suspended: false,
        account_rights: Rights::NONE,
        credential_rights: Rights::NONE,
        policies: Vec::new(),
        expires_at: None,
        organization: "o".to_owned(),
    };
    let context = Context {
        now: Instant::from_millis(1),
    };
    let asked = [Action::OwnAccountRead, Action::UserList];
    let answers = |principal: &Principal| {
        asked.map(|action| {
            authorize_action(principal, action, Object::Organization, &context).allowed
        })
    };
    assert_eq!(answers(&principal), [true, false]);
    principal.expires_at = Some(context.now);
    assert_eq!(answers(&principal), [false, false]);
    principal.expires_at = None;
    principal.account_suspended = true;
    assert_eq!(answers(&principal), [false, false]);
}
